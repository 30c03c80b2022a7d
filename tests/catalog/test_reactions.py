"""What the catalog notes of circulation's events."""

from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select

from lendery.catalog.models import book as books
from lendery.catalog.reactions import REACTIONS
from lendery.contracts.base import Event, Window
from lendery.contracts.catalog import BookSearch, CopyFilter
from lendery.contracts.circulation import (
    CheckInUndone,
    CheckOutUndone,
    CopyFlagged,
    CopyKept,
    ItemCheckedIn,
    ItemCheckedOut,
)
from lendery.contracts.permissions import SYSTEM
from lendery.platform.events import Reactions

from .conftest import MAIN_STREET, NOW, Library, version_of

pytestmark = pytest.mark.asyncio


def out(copy: Any) -> Event:
    return ItemCheckedOut(
        loan_id=uuid4(), copy_id=copy.id, book_id=copy.book_id, branch_id=MAIN_STREET,
        borrower=uuid4(), due_at=NOW, at=NOW,
    )  # fmt: skip


def back(copy: Any, status: Any = "available", loan_id: UUID | None = None) -> Event:
    return ItemCheckedIn(
        loan_id=loan_id, copy_id=copy.id, book_id=copy.book_id, branch_id=MAIN_STREET,
        returned_at=NOW, status=status, at=NOW,
    )  # fmt: skip


async def popularity(library: Library, book_id: UUID) -> int:
    async with library.db.read() as session:
        return int(await session.value(select(books.c.popularity).where(books.c.id == book_id)))


async def test_a_search_knows_what_is_in_after_circulation_told(library: Library) -> None:
    book = await library.book("Middlemarch")
    copy = await library.copy(book, "B1")
    reactions = Reactions(library.db, None, {"catalog": REACTIONS})

    async def available() -> int:
        wanted = BookSearch(q="middlemarch", available=True)
        return len((await library.books.search(wanted=wanted, window=Window())).items)

    async def listed(status: Any) -> int:
        like = CopyFilter(status=status)
        return len((await library.copies.find(like=like, window=Window())).items)

    version = await version_of(library.db)
    assert await available() == 1
    lent, returned = out(copy), back(copy)
    await reactions.send([lent])
    assert (await available(), await listed("on-loan")) == (0, 1)
    await reactions.send([returned])
    assert (await available(), await listed("available")) == (1, 1)
    await reactions.send([lent])  # delivered again: acted on once
    assert await available() == 1
    flag = CopyFlagged(copy_id=copy.id, book_id=book.id, flag="damaged", status="damaged", at=NOW)
    await reactions.send([flag])
    assert (await available(), await listed("damaged")) == (0, 1)
    unlent = CheckOutUndone(
        loan_id=uuid4(),
        copy_id=copy.id,
        book_id=book.id,
        undoes=lent.id,
        status="available",
        at=NOW,
    )
    await reactions.send([unlent])
    assert (await available(), await popularity(library, book.id)) == (1, 0)
    for kind, status in ((CheckInUndone, "on-loan"), (CopyKept, "on-hold-shelf")):
        more: Any = {"loan_id": None, "undoes": returned.id} if kind is CheckInUndone else {}
        told = kind(copy_id=copy.id, book_id=book.id, status=status, at=NOW, **more)
        await reactions.send([told])
        assert (await available(), await listed(status)) == (0, 1)
    assert await version_of(library.db) == version
    assert await library.copies.get(copy_id=copy.id) == copy


async def test_a_copy_that_becomes_reference_is_not_available(library: Library) -> None:
    book = await library.book("Middlemarch")
    copy = await library.copy(book, "B1")

    async def of(status: Any) -> int:
        page = await library.copies.find(like=CopyFilter(status=status), window=Window())
        return len(page.items)

    async def become(item_type: str) -> None:
        changes = {"item_type": item_type}
        await library.copies.change(copy_id=copy.id, changes=changes, actor=SYSTEM, now=NOW)

    await become("reference")
    assert (await of("reference"), await of("available")) == (1, 0)
    await Reactions(library.db, None, {"catalog": REACTIONS}).send([out(copy)])
    await become("book")
    assert await of("on-loan") == 1
