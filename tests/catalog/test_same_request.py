"""A book or a copy sent again with the same `Idempotency-Key` is added once."""

import asyncio
from collections.abc import Callable
from typing import Any

import httpx2
import pytest
from sqlalchemy import func, select

from lendery.catalog.models import book, copy
from lendery.contracts.base import Problem, RequestKey
from lendery.contracts.catalog import IsbnTaken, NewBook, NewCopy
from lendery.contracts.permissions import SYSTEM

from .conftest import MAIN_STREET, NOW, Library
from .test_http import staff  # noqa: F401

pytestmark = pytest.mark.asyncio


def key(name: str, said: str = "Emma") -> RequestKey:
    return RequestKey.of(name, sender=SYSTEM.id, asked=said.encode())


async def how_many(library: Library, table: Any) -> int:
    async with library.db.read() as session:
        found: int = await session.value(select(func.count()).select_from(table))
        return found


async def add(library: Library, title: str, key: RequestKey, **fields: Any) -> Any:
    new = NewBook(title=title, **fields)
    return await library.books.add(book=new, actor=SYSTEM, now=NOW, key=key)


async def test_emma_sent_twice_is_one_book(library: Library, events: Callable[[], Any]) -> None:
    first = await add(library, "Emma", key("a"))
    again = await add(library, "Emma", key("a"))
    assert again == first
    assert await how_many(library, book) == 1
    assert await events() == ["BookAdded"]


async def test_emma_sent_ten_times_at_once_is_one_book(library: Library) -> None:
    made = await asyncio.gather(*(add(library, "Emma", key("a")) for _ in range(10)))
    assert len({each.id for each in made}) == 1
    assert await how_many(library, book) == 1


async def test_emma_with_two_keys_is_two_books(library: Library) -> None:
    await add(library, "Emma", key("a"))
    await add(library, "Emma", key("b"))
    assert await how_many(library, book) == 2


async def test_a_key_that_came_with_another_book_is_refused(library: Library) -> None:
    await add(library, "Emma", key("a", "Emma"))
    with pytest.raises(Problem) as refused:
        await add(library, "Persuasion", key("a", "Persuasion"))
    assert refused.value.code == "key-reused"
    assert await how_many(library, book) == 1


async def test_a_key_answers_before_its_isbn_is_looked_for(library: Library) -> None:
    first = await add(library, "Emma", key("a"), isbn="9780141439587")
    assert await add(library, "Emma", key("a"), isbn="9780141439587") == first
    with pytest.raises(IsbnTaken):
        await add(library, "Emma", key("b"), isbn="9780141439587")


async def test_a_refused_book_leaves_its_key_unused(library: Library) -> None:
    holder = await library.book("Emma", isbn="9780141439587")
    with pytest.raises(IsbnTaken):
        await add(library, "Emma", key("a"), isbn="9780141439587")
    await library.books.remove(book_id=holder.id, actor=SYSTEM, now=NOW)
    assert (await add(library, "Emma", key("a"), isbn="9780141439587")).title == "Emma"


async def test_a_copy_sent_twice_is_one_copy(library: Library, events: Callable[[], Any]) -> None:
    emma = await library.book("Emma")
    new = NewCopy(barcode="E1", book_id=emma.id, branch_id=MAIN_STREET)
    first = await library.copies.add(copy=new, actor=SYSTEM, now=NOW, key=key("c"))
    again = await library.copies.add(copy=new, actor=SYSTEM, now=NOW, key=key("c"))
    assert again == first
    assert await how_many(library, copy) == 1
    assert await events() == ["BookAdded", "CopyAdded"]


async def test_over_http_the_second_answer_is_the_first(
    library: Library,
    staff: httpx2.AsyncClient,  # noqa: F811
) -> None:
    sent = {"json": {"title": "Emma"}, "headers": {"Idempotency-Key": "k1"}}
    first = await staff.post("/api/v1/books", **sent)
    again = await staff.post("/api/v1/books", **sent)
    assert first.status_code == again.status_code == 201
    assert again.json() == first.json()
    another = {"json": {"title": "Persuasion"}, "headers": {"Idempotency-Key": "k1"}}
    assert (await staff.post("/api/v1/books", **another)).status_code == 422
    assert await how_many(library, book) == 1
