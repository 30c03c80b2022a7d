"""A library that is busy or away is waited for; one that refuses is not asked again."""

import asyncio
import json
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx2
import pytest

from lendery.contracts.base import new_id
from lendery.seeding.feeding import Feeder
from lendery.seeding.library import LogIn, RunningLibrary, Stopped
from lendery.seeding.progress import Progress

from .clock import Clock

pytestmark = pytest.mark.asyncio
ADA = LogIn("ada@library.test", "secret")
BRANCHES = {"items": [{"code": "main", "id": str(UUID(int=1))}]}


class Crowded:
    """A library's front door; `says` may answer a POST of a book before the library does."""

    def __init__(self, says: Callable[["Crowded", httpx2.Request], httpx2.Response | None]) -> None:
        self.says, self.clock = says, Clock()
        self.books: dict[str, str] = {}
        self.asked: list[float] = []
        self.inside = self.most = self.log_ins = 0

    async def __call__(self, request: httpx2.Request) -> httpx2.Response:
        if request.url.path.endswith("/auth/token"):
            self.log_ins += 1
            return httpx2.Response(200, json={"access_token": f"t{self.log_ins}"})
        if request.url.path.endswith("/branches"):
            return httpx2.Response(200, json=BRANCHES, headers={"date": DATE})
        self.asked.append(self.clock.now)
        self.inside += 1
        self.most = max(self.most, self.inside)
        for _ in range(3):
            await asyncio.sleep(0)
        self.inside -= 1
        if answer := self.says(self, request):
            return answer
        key = request.headers["idempotency-key"]
        made = self.books.setdefault(key, str(new_id()))
        return httpx2.Response(201, json={**json.loads(request.content), "id": made})

    def library(self, log_in: LogIn = ADA, patience: float = 60) -> RunningLibrary:
        http = httpx2.AsyncClient(
            transport=httpx2.MockTransport(self), base_url="http://library.test"
        )
        return RunningLibrary(http, log_in, patience, self.clock, self.clock.sleep)


DATE = "Mon, 02 Mar 2026 09:00:00 GMT"


async def feed(folder: Path, door: Crowded, *, books: int = 30, **options: Any) -> Feeder:
    source = folder / "books.jsonl"
    source.write_text(
        "".join(json.dumps({"title": f"Book {each}"}) + "\n" for each in range(books))
    )
    state, rejects = folder / "state", folder / "rejects"
    progress = Progress.of(state, source, "http://library.test")
    feeder = Feeder(door.library(**options), source, state, rejects, progress, 4)
    await feeder.run()
    return feeder


async def test_no_more_is_asked_at_once_than_was_said(tmp_path: Path) -> None:
    door = Crowded(lambda door, request: None)
    await feed(tmp_path, door)
    assert door.most == 4
    assert len(door.books) == 30


@pytest.mark.parametrize("status", [429, 503, 502, 504])
async def test_all_wait_as_long_as_one_was_told_to(tmp_path: Path, status: int) -> None:
    def says(door: Crowded, request: httpx2.Request) -> httpx2.Response | None:
        return (
            httpx2.Response(status, headers={"retry-after": "7"}) if len(door.asked) < 9 else None
        )

    door = Crowded(says)
    feeder = await feed(tmp_path, door)
    assert feeder.progress.counts.books_added == len(door.books) == 30
    moments = sorted(set(door.asked))
    assert len(moments) > 1
    assert all(later - earlier >= 7 for earlier, later in pairwise(moments))


async def test_without_being_told_the_waits_grow(tmp_path: Path) -> None:
    door = Crowded(lambda door, request: httpx2.Response(503) if len(door.asked) < 20 else None)
    await feed(tmp_path, door)
    waits = [later - earlier for earlier, later in pairwise(door.asked)]
    grown = [each for each in waits if each]
    assert grown[-1] > grown[0] * 2


async def test_a_library_that_stays_away_ends_it_with_the_state_kept(tmp_path: Path) -> None:
    def says(door: Crowded, request: httpx2.Request) -> httpx2.Response | None:
        if len(door.asked) > 12:
            raise httpx2.ConnectError("connection refused")
        return None

    door = Crowded(says)
    with pytest.raises(Stopped, match=r"does not answer .connection refused"):
        await feed(tmp_path, door)
    assert door.clock.now < 1_000 + 61
    kept = json.loads((tmp_path / "state").read_text())
    assert kept["below"] + len(kept["done"]) == kept["counts"]["books_added"] == len(door.books)
    assert 0 < len(door.books) < 30

    door.says = lambda door, request: None
    feeder = await feed(tmp_path, door)
    assert feeder.progress.counts.books_added == len(door.books) == 30


async def test_a_library_that_asks_for_more_patience_than_there_is_is_left(tmp_path: Path) -> None:
    door = Crowded(lambda door, request: httpx2.Response(429, headers={"retry-after": "3600"}))
    with pytest.raises(Stopped, match=r"is busy .429"):
        await feed(tmp_path, door)
    assert door.clock.slept == []


async def test_an_answer_that_is_lost_is_asked_for_again_and_the_book_is_one(
    tmp_path: Path,
) -> None:
    lost: set[str] = set()

    def says(door: Crowded, request: httpx2.Request) -> httpx2.Response | None:
        key = request.headers["idempotency-key"]
        if key not in lost:
            lost.add(key)
            door.books.setdefault(key, str(new_id()))
            raise httpx2.ReadError("connection reset")
        return None

    door = Crowded(says)
    feeder = await feed(tmp_path, door)
    assert feeder.progress.counts.books_added == len(door.books) == 30


async def test_a_log_in_that_has_run_out_is_renewed_once(tmp_path: Path) -> None:
    def says(door: Crowded, request: httpx2.Request) -> httpx2.Response | None:
        stale = len(door.books) >= 10 and request.headers["authorization"] == "Bearer t1"
        return httpx2.Response(401) if stale else None

    door = Crowded(says)
    feeder = await feed(tmp_path, door)
    assert feeder.progress.counts.books_added == 30
    assert door.log_ins == 2


async def test_a_token_that_has_run_out_says_so(tmp_path: Path) -> None:
    door = Crowded(lambda door, r: httpx2.Response(401) if len(door.books) >= 10 else None)
    with pytest.raises(Stopped, match="The token is no longer valid"):
        await feed(tmp_path, door, log_in=LogIn(token="abc"))
    assert door.log_ins == 0


async def test_who_may_not_add_books_is_told(tmp_path: Path) -> None:
    says = {"detail": "This needs the permission to catalogue."}
    door = Crowded(lambda door, request: httpx2.Response(403, json=says))
    with pytest.raises(Stopped, match="Not allowed to add books: This needs the permission"):
        await feed(tmp_path, door)
    assert len(door.asked) <= 4


async def test_a_book_the_library_fails_on_is_tried_thrice_and_kept(tmp_path: Path) -> None:
    def says(door: Crowded, request: httpx2.Request) -> httpx2.Response | None:
        return httpx2.Response(500) if b'"Book 7"' in request.content else None

    door = Crowded(says)
    feeder = await feed(tmp_path, door)
    assert feeder.progress.counts.books_added == 29
    assert feeder.progress.counts.books_refused == 1
    assert len(door.asked) == 29 + 3
    [kept] = map(json.loads, (tmp_path / "rejects").read_text().splitlines())
    assert kept["title"] == "Book 7" and kept["_refused"]["line"] == 8
