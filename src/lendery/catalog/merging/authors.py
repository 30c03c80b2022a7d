"""Two authors who are one person."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from lendery.catalog.merging import names
from lendery.catalog.merging.restating import Restated, relink_authors, restate, reword, under
from lendery.catalog.repository import authors as kept
from lendery.catalog.repository import books as books_kept
from lendery.catalog.repository import record
from lendery.contracts.authorities import CannotUndo
from lendery.contracts.catalog import Author, AuthorRef, Book
from lendery.platform.db import Tx


async def merge_authors(tx: Tx, loser: Author, winner: Author, now: datetime) -> dict[str, Any]:
    """Their books stand under the winner's name; the loser's is another form of it."""
    rows = await books_kept.rows_by_author(tx, author_id=loser.id)
    changed, told = [], []
    for row in rows:
        book = books_kept.book_of(row)
        before = [each.id for each in book.authors]
        after = list(dict.fromkeys(winner.id if each == loser.id else each for each in before))
        shown = {each.id: each.name for each in book.authors} | {winner.id: winner.name}
        changed.append((row, _under(book, after, shown)))
        told.append(
            {
                "number": row.number,
                "id": str(book.id),
                "before": [str(each) for each in before],
                "after": [str(each) for each in after],
            }
        )
    moved = await names.take_over(
        tx, "author", (loser.id, loser.name), (winner.id, winner.name), now=now
    )
    await relink_authors(tx, changed)
    await kept.destroy(tx, author_id=loser.id)
    await restate(tx, changed, now=now)
    await _next_version(tx, winner, now)
    await reword(tx, author_id=winner.id, but=[row.number for row in rows])
    return {"author": loser.model_dump(mode="json"), "books": told, **moved}


def _under(book: Book, ids: Sequence[UUID], names_of: dict[UUID, str]) -> Book:
    refs = tuple(AuthorRef(id=each, name=names_of[each]) for each in ids)
    return book.model_copy(update={"authors": refs})


async def _next_version(tx: Tx, author: Author, now: datetime) -> None:
    """Other forms of the name are part of what is read of an author."""
    after = author.model_copy(update={"version": author.version + 1})
    await record(tx, [kept.replaced(after, now=now)])


async def unmerge_authors(tx: Tx, winner_id: UUID, moved: dict[str, Any], now: datetime) -> None:
    """The loser is there again, and named by the books that named them."""
    winner = await kept.author_with(tx, author_id=winner_id)
    if winner is None:
        says = "Who they were merged into is no longer there: undo what became of that first."
        raise CannotUndo(says, changed=[str(winner_id)])
    loser = Author.model_validate(moved["author"])
    loser = loser.model_copy(update={"version": loser.version + 1})
    changed = await _as_they_were(tx, moved, loser)
    await record(tx, [kept.added(loser, now=now)])
    await names.give_back(tx, "author", loser.id, winner_id, moved, now)
    await relink_authors(tx, changed)
    await restate(tx, changed, now=now)
    await _next_version(tx, winner, now)
    await reword(tx, author_id=winner_id, but=[row.number for row, _ in changed])


async def _as_they_were(tx: Tx, moved: dict[str, Any], loser: Author) -> list[Restated]:
    """The books under their former authors. Those that were removed since are let go."""
    told = {each["number"]: each for each in moved["books"]}
    rows = await books_kept.book_rows(tx, numbers=list(told))
    rows = [row for row in rows if str(books_kept.uuid_of(row.id)) == told[row.number]["id"]]
    books = [(row, books_kept.book_of(row)) for row in rows]
    others = [
        str(book.id)
        for row, book in books
        if [str(each.id) for each in book.authors] != told[row.number]["after"]
    ]
    if others:
        says = "The authors of some books were changed since the merge. Nothing was undone."
        raise CannotUndo(says, changed=others)
    ids = {UUID(each) for one in told.values() for each in one["before"]}
    known = await kept.authors_with(tx, ids=list(ids - {loser.id})) | {loser.id: loser}
    return [
        (row, under(book, [known[UUID(each)] for each in told[row.number]["before"]]))
        for row, book in books
    ]
