"""Two records of one book."""

from datetime import datetime
from typing import Any
from uuid import UUID

from lendery.catalog.books import rewrite
from lendery.catalog.repository import books as kept
from lendery.catalog.repository import copies as copies_kept
from lendery.catalog.repository import merges
from lendery.contracts.authorities import CannotUndo
from lendery.contracts.catalog import Book, BookChanges, BookMerged, BookUnmerged
from lendery.platform.db import Tx


async def merge_books(
    tx: Tx, loser: kept.BookRow, winner: kept.BookRow, now: datetime
) -> dict[str, Any]:
    """The copies are the winner's, and the ISBN where it has none. Circulation moves the rest."""
    one, other = kept.book_of(loser), kept.book_of(winner)
    copy_ids = await merges.copies_of(tx, book_id=one.id)
    await merges.move_copies(tx, copy_ids=copy_ids, from_book=one.id, to_book=other.id, now=now)
    isbn = one.isbn if other.isbn is None else None
    gone = {"withdrawn": True} | ({"isbn": None} if isbn else {})
    await rewrite(tx, loser, one, BookChanges.model_validate(gone), None, now)
    if isbn:
        await rewrite(tx, winner, other, BookChanges(isbn=isbn), isbn, now)
    await merges.point(tx, number=loser.number, into=other.id)
    await tx.announce(BookMerged(book_id=one.id, into=other.id, copy_ids=tuple(copy_ids), at=now))
    return {
        "number": loser.number,
        "withdrawn": one.withdrawn,
        "isbn": isbn,
        "books": [str(one.id)],
        "copies": [str(each) for each in copy_ids],
    }


async def unmerge_books(
    tx: Tx, loser_id: UUID, winner_id: UUID, moved: dict[str, Any], now: datetime
) -> None:
    """It is a book again, with those of its copies that are still there."""
    loser = await kept.book_row(tx, book_id=loser_id)
    winner = await kept.book_row(tx, book_id=winner_id)
    if loser is None or winner is None or winner.merged_into is not None:
        says = "What it was merged into is no longer there: undo what became of that first."
        raise CannotUndo(says, changed=[str(winner_id)])
    one, other = kept.book_of(loser), kept.book_of(winner)
    copy_ids = await _still_theirs(tx, moved, winner_id)
    await merges.point(tx, number=loser.number, into=None)
    await _give_isbn_back(tx, winner, other, moved["isbn"], now)
    back: dict[str, Any] = {"withdrawn": moved["withdrawn"]}
    if moved["isbn"]:
        back["isbn"] = moved["isbn"]
    await rewrite(tx, loser, one, BookChanges.model_validate(back), moved["isbn"], now)
    await merges.move_copies(tx, copy_ids=copy_ids, from_book=winner_id, to_book=loser_id, now=now)
    await tx.announce(
        BookUnmerged(
            book_id=loser_id,
            into=winner_id,
            copy_ids=tuple(copy_ids),
            before=tuple(await merges.merged_before(tx, book_id=loser_id)),
            at=now,
        )
    )


async def _still_theirs(tx: Tx, moved: dict[str, Any], winner_id: UUID) -> list[UUID]:
    """The copies that were moved and not removed since. Raises CannotUndo for a third book's."""
    ids = [UUID(each) for each in moved["copies"]]
    there = await copies_kept.copies_with(tx, ids=ids) if ids else []
    elsewhere = [str(each.id) for each in there if each.book_id != winner_id]
    if elsewhere:
        says = "Some copies are another book's by now. Nothing was undone."
        raise CannotUndo(says, changed=elsewhere)
    return [each.id for each in there]


async def _give_isbn_back(
    tx: Tx, winner: kept.BookRow, book: Book, isbn: str | None, now: datetime
) -> None:
    if isbn is None:
        return
    if book.isbn != isbn:
        says = "The ISBN that came with the merge was changed since. Nothing was undone."
        raise CannotUndo(says, changed=[str(book.id)])
    await rewrite(tx, winner, book, BookChanges(isbn=None), None, now)
