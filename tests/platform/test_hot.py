"""The fast path: the same answer as the router's, never older than the last change."""

import asyncio
from typing import Any

import pytest

from lendery.contracts.base import Busy
from lendery.platform.http.hot import FastPath, Finished, HotAnswers, HotPath

from .asgi import Answer, Echo, ask


class Shelf:
    """Something that is read a lot: a version, and what it says now."""

    def __init__(self, entries: int = 3) -> None:
        self.version, self.made, self.asked = 1, 0, 0
        self.gate: asyncio.Event | None = None
        hot = HotPath("/books/{id}", lambda path: path.startswith("/books/"), self.make)
        self.answers = HotAnswers([hot], self.now, entries)
        self.router = Echo()
        self.app = FastPath(self.router, self.answers)

    async def now(self) -> object:
        self.asked += 1
        return self.version

    async def make(self, path: str, query: bytes) -> Finished | None:
        self.made += 1
        if path.endswith("/odd"):
            return None
        if path.endswith("/busy"):
            raise Busy("The database is busy.")
        says = f'{{"path": "{path}", "query": "{query.decode()}", "v": {self.version}}}'.encode()
        if self.gate:
            await self.gate.wait()
        return Finished(says, b'"%d"' % self.version, ((b"x-shelf", b"1"),))

    async def get(self, path: str = "/books/1", **asked: Any) -> Answer:
        return await ask(self.app, path, **asked)


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


async def test_after_a_change_nothing_old_is_given() -> None:
    shelf = Shelf()
    await shelf.get("/books/1")
    await shelf.get("/books/2")
    shelf.version = 2
    assert [(await shelf.get(f"/books/{n}")).json["v"] for n in (1, 2)] == [2, 2]
    assert shelf.made == 4


async def test_what_was_made_while_a_change_came_is_not_kept() -> None:
    shelf = Shelf()
    shelf.gate = asyncio.Event()
    slow = asyncio.create_task(shelf.get("/books/1"))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    shelf.version = 2
    other = asyncio.create_task(shelf.get("/books/2"))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    shelf.gate.set()
    assert (await slow).json["v"] == 1
    await other
    assert (await shelf.get("/books/1")).json["v"] == 2


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
