"""The same feeding where the catalog is a service of its own."""

import asyncio
from pathlib import Path

import httpx2
import pytest

from lendery.generating import Holdings, records
from lendery.generating.filing import write
from lendery.seeding.feeding import Feeder
from lendery.seeding.library import LogIn, RunningLibrary, Stopped
from lendery.seeding.progress import Progress
from tests.system import ADMIN, System

from .conftest import BOOKS, COPIES, how_many

pytestmark = pytest.mark.xdist_group("seeding-services")


class Gateway(httpx2.AsyncBaseTransport):
    """Sends each path to whoever serves it."""

    def __init__(self, system: System) -> None:
        self.system, self.http = system, httpx2.AsyncHTTPTransport()

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        url = httpx2.URL(self.system.url_of(request.url.path))
        request.url = request.url.copy_with(host=url.host, port=url.port)
        return await self.http.handle_async_request(request)

    async def aclose(self) -> None:
        await self.http.aclose()


def feeder(system: System, source: Path, progress: Progress, *, patience: float) -> Feeder:
    http = httpx2.AsyncClient(transport=Gateway(system), base_url="http://library.test", timeout=30)
    library = RunningLibrary(http, LogIn(*ADMIN), patience)
    return Feeder(library, source, source.with_suffix(".seed"), source.with_suffix(".no"), progress)


def test_a_file_is_fed_though_circulation_goes_away_in_the_middle(
    services: System, tmp_path: Path
) -> None:
    source = tmp_path / "books.jsonl"
    write(records(150, 21, Holdings(1.4)), source, form="jsonl", mark="")
    told = list(records(150, 21, Holdings(1.4)))
    copies = sum(len(each["copies"]) for each in told)
    progress = Progress.of(tmp_path / "books.seed", source, "http://library.test")
    first = feeder(services, source, progress, patience=2)

    def stop_circulation(_: int) -> None:
        if progress.counts.books_added == 40 and services.processes["circulation"].poll() is None:
            services.kill("circulation")

    first.advance = stop_circulation
    with pytest.raises(Stopped, match=r"is busy .503."):
        asyncio.run(first.run())
    assert 40 <= how_many(services, BOOKS) < 150

    services.launch("circulation")
    services.wait_until_ready("circulation")
    again = Progress.of(tmp_path / "books.seed", source, "http://library.test")
    asyncio.run(feeder(services, source, again, patience=120).run())
    assert (again.counts.books_added, again.counts.books_there) == (150, 0)
    assert (again.counts.copies_added, again.counts.copies_there) == (copies, 0)
    assert how_many(services, BOOKS) == 150
    assert how_many(services, COPIES) == copies
