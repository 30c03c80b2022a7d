"""Redis killed, frozen, emptied, restarted or full of nonsense: slower, never wrong or failing."""

import asyncio
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from redis.asyncio import Redis

from lendery.catalog.hot import BOOKS
from lendery.platform.cache import shared as shared_module
from lendery.platform.cache.feed import Feed
from lendery.platform.cache.shared import CODE, Made
from lendery.platform.http.hot import MISS, SHARED
from tests.redis_server import RedisServer, redis_server

from .two_processes import SHELF, Process, Story, processes


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[RedisServer]:
    with redis_server(tmp_path) as server:
        yield server


@pytest.fixture(autouse=True)
def a_short_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shared_module, "REST", 0.1)


def killed(redis: RedisServer) -> None:
    redis.kill()


def frozen(redis: RedisServer) -> None:
    redis.send(signal.SIGSTOP)


def thawed(redis: RedisServer) -> None:
    redis.send(signal.SIGCONT)


def emptied(redis: RedisServer) -> None:
    redis.tell(b"FLUSHALL\r\n")


def restarted(redis: RedisServer) -> None:
    redis.kill()
    redis.start()


FAULTS: dict[str, list[Callable[[RedisServer], None]]] = {
    "killed": [killed],
    "killed and started": [killed, restarted],
    "frozen and thawed": [frozen, thawed, frozen, thawed],
    "emptied": [emptied, emptied, emptied],
    "restarted": [restarted, restarted],
}


@pytest.mark.parametrize("faults", FAULTS.values(), ids=FAULTS.keys())
async def test_no_answer_is_wrong_or_fails_while_redis_is_in_trouble(
    url: str, redis: RedisServer, faults: list[Callable[[RedisServer], None]]
) -> None:
    async with processes(url, redis.url) as both:
        story, done, reads = Story(both), asyncio.Event(), 0
        await story.open()

        async def reader(process: Process, n: int) -> None:
            nonlocal reads
            while not done.is_set():
                await story.read_book(process, n)
                await story.read_author(process, n)
                await story.read_list(process, n)
                reads += 3
                await asyncio.sleep(0)

        async def writer(process: Process, n: int) -> None:
            while not done.is_set():
                await story.change_book(process, n)
                await asyncio.sleep(0.005)

        working = [
            *(asyncio.create_task(reader(both[n % 2], n)) for n in range(4)),
            *(asyncio.create_task(writer(both[n], n)) for n in range(2)),
        ]

        async def going_on() -> None:
            """Until more was read and more was changed."""
            read, changed = reads + 30, sum(story.told.values()) + 3
            while reads < read or sum(story.told.values()) < changed:
                assert not any(each.done() for each in working)
                await asyncio.sleep(0.01)

        try:
            for fault in faults:
                await going_on()
                await asyncio.to_thread(fault, redis)
            await going_on()
        finally:
            if frozen in faults:
                thawed(redis)
            done.set()
            await asyncio.gather(*working)
        assert story.old == []


async def test_what_one_process_made_the_other_does_not_make_again(
    url: str, redis: RedisServer
) -> None:
    async with processes(url, redis.url) as both:
        story = Story(both)
        await story.open()
        for n in range(SHELF):
            await story.read_book(both[0], n)
        await story.read_list(both[0], 0)
        await _on_their_way(both[0])
        made, given = MISS.n, SHARED.n
        for n in range(SHELF):
            await story.read_book(both[1], n)
        await story.read_list(both[1], 0)
        assert (MISS.n - made, SHARED.n - given) == (0, SHELF + 1)
        await story.change_book(both[0], 1)
        for n in range(SHELF):
            await story.read_book(both[1], n)
        assert story.old == []
        assert MISS.n - made == 1, "only what changed is made anew"


async def _on_their_way(process: Process) -> None:
    assert process.answers.shared is not None
    await asyncio.gather(*process.answers.shared._on_their_way)


@pytest.mark.parametrize("url", ["sqlite"], indirect=True)
async def test_what_is_damaged_or_forged_is_not_believed(url: str, redis: RedisServer) -> None:
    async with processes(url, redis.url) as both:
        story = Story(both)
        await story.open()
        await story.read_book(both[0], 0)
        await _on_their_way(both[0])
        client = Redis.from_url(redis.url)
        [name] = await client.keys("lendery:catalog:*")
        good: Any = await client.get(name)
        made = msgspec.msgpack.decode(good[CODE:], type=Made)
        body = made.finished[0].replace(b'"title":"0"', b'"title":"9"')
        forged = msgspec.msgpack.encode(made._replace(finished=(body, *made.finished[1:])))
        for bad in (good[:-1] + b"\0", good[:CODE] + forged, b"", b"x" * 10, forged):
            await client.set(name, bad)
            both[1].answers.kept.clear()
            told = await both[1].get(f"{BOOKS}/{story.books[0]}")
            assert told["title"] == "0"
            await _on_their_way(both[1])
        await client.aclose()


@pytest.mark.parametrize("url", ["sqlite"], indirect=True)
async def test_what_all_read_most_is_made_ready_in_a_new_process(
    url: str, redis: RedisServer
) -> None:
    async with processes(url, redis.url) as (busy, new):
        story = Story([busy, new])
        await story.open()
        for _ in range(3):
            await story.read_book(busy, 2)
        await busy.answers.warm()
        assert await new.answers.warm() >= 1
        assert (f"{BOOKS}/{story.books[2]}", b"") in new.answers.kept


@pytest.mark.parametrize("url", ["sqlite"], indirect=True)
async def test_while_redis_is_away_it_is_asked_seldom(
    url: str, redis: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shared_module, "REST", 60.0)
    async with processes(url, redis.url) as both:
        story = Story(both)
        await story.open()
        redis.kill()
        asked = 0
        shared = both[0].answers.shared
        assert shared is not None
        client = shared._client

        def counted() -> Any:
            nonlocal asked
            asked += 1
            return client()

        monkeypatch.setattr(shared, "_client", counted)
        for _ in range(5):
            for n in range(SHELF):
                await story.read_book(both[0], n)
            await story.change_book(both[0], 0)
        assert asked == 1


@pytest.mark.parametrize("url", ["sqlite"], indirect=True)
async def test_if_redis_were_believed_old_answers_would_be_given(
    url: str, redis: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The tests above can fail."""
    monkeypatch.setattr(Feed, "still_good", lambda *_: True)
    async with processes(url, redis.url) as both:
        story = Story(both)
        await story.open()
        await story.read_book(both[0], 0)
        await _on_their_way(both[0])
        await story.change_book(both[0], 0)
        await story.read_book(both[1], 0)
        assert story.old != []
