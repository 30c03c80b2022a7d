"""Kept answers: the same as the router's, never older than the last change, made once."""

import asyncio

import pytest

from lendery.platform.http import hot, kept
from lendery.platform.http.kept import copied

from .asgi import Echo
from .shelf import Shelf


async def test_what_was_made_once_is_given_again_byte_for_byte() -> None:
    shelf = Shelf()
    first, again = await shelf.get(query="a=1"), await shelf.get(query="a=1")
    assert (first.status, first.body, first.headers) == (again.status, again.body, again.headers)
    assert shelf.made == 1 and shelf.router.scopes == []
    assert first["content-type"] == "application/json"
    assert first["content-length"] == str(len(first.body))
    assert (first["etag"], first["x-shelf"]) == ('"1"', "1")
    assert first.json == {"path": "/books/1", "query": "a=1", "v": 1}


async def test_each_path_and_query_has_its_own_answer() -> None:
    shelf = Shelf(entries=10)
    asked = [("/books/1", ""), ("/books/1", "a=1"), ("/books/1", "a=2"), ("/books/2", "a=1")]
    for _ in range(2):
        for path, query in asked:
            told = (await shelf.get(path, query=query)).json
            assert (told["path"], told["query"]) == (path, query)
    assert shelf.made == 4


async def test_a_change_drops_what_it_touched_and_every_list_and_nothing_else() -> None:
    shelf = Shelf()
    for path in ("/books/1", "/books/2", "/books"):
        assert await shelf.said(path) == 1
    await shelf.change("books/1")
    assert [await shelf.said(path) for path in ("/books/1", "/books")] == [2, 2]
    assert await shelf.said("/books/2") == 1, "nothing about it has changed"
    assert shelf.made == 5
    await shelf.change()
    assert [await shelf.said(path) for path in ("/books/1", "/books/2", "/books")] == [2, 1, 3]


async def test_what_was_made_while_a_change_came_is_not_kept() -> None:
    shelf = Shelf()
    await shelf.said("/books/2")
    shelf.gate = asyncio.Event()
    slow = asyncio.create_task(shelf.said("/books/1"))
    await asyncio.sleep(0.01)
    await shelf.change("books/1")
    late = asyncio.create_task(shelf.said("/books/1"))
    await asyncio.sleep(0.01)
    shelf.gate.set()
    assert await slow == 1
    assert await late == 2, "who came after the change does not get what was begun before"
    assert await shelf.said("/books/1") == 2


async def test_many_at_once_are_answered_by_one() -> None:
    shelf = Shelf()
    shelf.gate = asyncio.Event()
    asking = [asyncio.create_task(shelf.said()) for _ in range(20)]
    await asyncio.sleep(0.01)
    asking[0].cancel()
    shelf.gate.set()
    told = await asyncio.gather(*asking, return_exceptions=True)
    assert told[1:] == [1] * 19 and isinstance(told[0], asyncio.CancelledError)
    assert shelf.made == 1


async def test_an_answer_is_thrown_away_after_its_time(monkeypatch: pytest.MonkeyPatch) -> None:
    shelf, now = Shelf(), [1000.0]
    for module in (hot, kept):
        monkeypatch.setattr(module, "clock", lambda: now[0])
    await shelf.said()
    now[0] += kept.LIFETIME - 1
    await shelf.said()
    assert shelf.made == 1
    now[0] += 2
    await shelf.said()
    assert shelf.made == 2


async def test_how_old_a_told_thing_is_when_it_is_shown_is_counted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    shelf, ages = Shelf(), list[float]()
    monkeypatch.setattr(hot.CACHE_LAG, "observe", ages.append)
    await shelf.said()
    await shelf.said()
    assert ages == [], "what follows every change has no lag"
    shelf.life = 2.0
    await shelf.said("/books/2")
    await shelf.said("/books/2")
    assert len(ages) == 1 and 0 <= ages[0] < 2


async def test_hits_misses_and_stale_answers_are_counted() -> None:
    shelf = Shelf()
    before = [each.n for each in (hot.HIT, hot.MISS, hot.STALE)]
    await shelf.said()
    await shelf.said()
    await shelf.said()
    await shelf.change("books/1")
    await shelf.said()
    after = [each.n for each in (hot.HIT, hot.MISS, hot.STALE)]
    assert [b - a for a, b in zip(before, after, strict=True)] == [2, 2, 1]


async def test_what_is_read_most_is_made_before_it_is_asked_for() -> None:
    shelf = Shelf(entries=10)
    for path, times in (("/books/1", 5), ("/books/2", 2), ("/books/3", 1)):
        for _ in range(times):
            await shelf.said(path)
    await shelf.change("books/1", "books/2", "books/3")
    made = shelf.made
    assert await shelf.answers.warm(many=2) == 2
    assert shelf.made == made + 2
    assert await shelf.said("/books/1") == 2 and shelf.made == made + 2
    assert await shelf.answers.warm(many=2) == 0, "nothing is missing"


async def test_what_is_read_stays_longer_than_what_is_not() -> None:
    shelf = Shelf(entries=3)
    await shelf.said("/books/1")
    await shelf.said("/books/1")
    for number in range(2, 5):
        await shelf.said(f"/books/{number}")
    made = shelf.made
    await shelf.said("/books/1")
    assert shelf.made == made


async def test_only_so_many_bytes_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hot, "MOST_BYTES", 100)
    shelf = Shelf(entries=1000)
    for number in range(20):
        await shelf.said(f"/books/{number}")
    assert 1 <= len(shelf.answers.kept) <= 3
    assert shelf.answers._bytes == sum(len(k.finished.body) for k in shelf.answers.kept.values())


async def test_a_copy_of_the_routers_answer_is_taken_of_good_answers_only() -> None:
    assert await copied(Echo(200), "/books/1", b"") is None, "no JSON, no ETag"
    assert await copied(Echo(404), "/books/1", b"") is None


@pytest.mark.parametrize(
    ("known", "status"),
    [('"1"', 304), ('"0"', 200), ("nonsense", 200), (None, 200)],
)
async def test_who_has_it_already_gets_no_body(known: str | None, status: int) -> None:
    shelf = Shelf()
    for _ in range(2):
        headers = [("if-none-match", known)] if known else []
        answer = await shelf.get(headers=headers)
        assert answer.status == status
        assert answer["etag"] == '"1"'
        assert bool(answer.body) == (status == 200)
        assert answer.has("content-length") == (status == 200)


@pytest.mark.parametrize(
    ("path", "method"),
    [("/books/odd", "GET"), ("/loans/1", "GET"), ("/books/1", "HEAD"), ("/books/1", "DELETE")],
)
async def test_whatever_is_unusual_goes_on_to_the_router(path: str, method: str) -> None:
    shelf = Shelf()
    for _ in range(2):
        await shelf.get(path, method=method)
    assert len(shelf.router.scopes) == 2


async def test_a_stranger_cannot_fill_the_memory_with_long_addresses() -> None:
    """Each would be another answer to keep, with an address of 60 kB as its name."""
    shelf = Shelf(entries=10)
    for number in range(3):
        await shelf.get(query=f"a={number}{'x' * 60_000}")
    assert shelf.made == 0 and len(shelf.router.scopes) == 3
    assert not shelf.answers.kept and not shelf.answers._slots
    await shelf.get(query=f"cursor={'x' * 1000}")
    assert shelf.made == 1, "the longest cursor is none of those"


async def test_a_problem_is_answered_as_the_router_would() -> None:
    answer = await Shelf().get("/books/busy")
    assert (answer.status, answer.json["type"]) == (503, "/problems/busy")
    assert answer["content-type"] == "application/problem+json"


async def test_only_so_many_answers_are_kept() -> None:
    shelf = Shelf(entries=3)
    for number in range(10):
        await shelf.get(f"/books/{number}")
    assert len(shelf.answers.kept) == 3
    await shelf.get("/books/9")
    assert shelf.made == 10, "the newest is still there"
    await shelf.get("/books/0")
    assert shelf.made == 11


async def test_with_no_entries_everything_is_made_anew() -> None:
    shelf = Shelf(entries=0)
    for _ in range(3):
        await shelf.get()
    assert shelf.made == 3 and not shelf.answers.kept
