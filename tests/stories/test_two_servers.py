"""Two servers on one database, and a third program: whoever changes a book, everybody sees it."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx2
import pytest
from tests.stories.library import API, expect
from tests.system import LENDERY, ROOT, System, free_port


@contextmanager
def second_server(system: System) -> Iterator[tuple[str, "subprocess.Popen[bytes]"]]:
    """Another `lendery serve` on the same database."""
    port = free_port()
    environment = system.environments["all"] | {"LENDERY_PORT": str(port)}
    with (system.folder / "second.log").open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, *LENDERY, "serve"],
            cwd=ROOT, env=environment, stdout=log, stderr=log, start_new_session=True,
        )  # fmt: skip
    url = f"http://127.0.0.1:{port}"
    try:
        give_up = time.monotonic() + 60
        while True:
            try:
                if httpx2.get(f"{url}/readyz").status_code == 200:
                    break
            except httpx2.HTTPError:
                assert time.monotonic() < give_up and process.poll() is None
                time.sleep(0.05)
        yield url, process
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGCONT)
            process.kill()
        process.wait()


Pair = tuple[System, str, "subprocess.Popen[bytes]"]


@pytest.fixture(params=["sqlite", "postgres"])
def pair(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Pair]:
    if request.param == "postgres" and "LENDERY_TEST_POSTGRES" not in os.environ:
        pytest.skip("no PostgreSQL: run through `make test`")
    with (
        System.start("one_process", request.param, tmp_path) as system,
        second_server(system) as (url, process),
    ):
        yield system, url, process


async def test_a_book_changed_at_one_server_is_new_at_the_other(pair: Pair) -> None:
    system, url, process = pair
    token = await system.admin()
    headers = {"authorization": f"Bearer {token}"}
    async with (
        system.client(token) as here,
        httpx2.AsyncClient(base_url=url, headers=headers, timeout=30) as there,
    ):
        book = expect(await here.post(f"{API}/books", json={"title": "0"}), 201)
        path = f"{API}/books/{book['id']}"

        async def shown() -> list[str]:
            one, listed = await there.get(path), await there.get(f"{API}/books")
            return [expect(one)["title"], expect(listed)["items"][0]["title"]]

        for n in range(1, 16):  # answered from memory here, changed there, asked again here
            assert await shown() == [str(n - 1)] * 2
            writer = here if n % 3 else there
            expect(await writer.patch(path, json={"title": str(n)}))
            assert await shown() == [str(n)] * 2
            assert expect(await here.get(path))["title"] == str(n)

        process.send_signal(signal.SIGSTOP)  # with what it knows in its memory
        expect(await here.patch(path, json={"title": "late"}))
        process.send_signal(signal.SIGCONT)
        assert await shown() == ["late"] * 2

        process.kill()
        began = time.monotonic()
        expect(await here.patch(path, json={"title": "alone"}))
        expect(await here.patch(path, json={"title": "alone again"}))
        assert time.monotonic() - began < 15, "nobody waits for the dead for long"
        assert expect(await here.get(path))["title"] == "alone again"
