"""Two subjects that are one."""

from datetime import datetime
from typing import Any
from uuid import UUID

from lendery.catalog.merging import names
from lendery.catalog.merging.restating import Restated, restate
from lendery.catalog.repository import books as books_kept
from lendery.catalog.repository import merges, record
from lendery.catalog.repository import subjects as kept
from lendery.contracts.authorities import CannotUndo
from lendery.platform.db import Tx

Named = tuple[UUID, str]


async def merge_subjects(tx: Tx, loser: Named, winner: Named, now: datetime) -> dict[str, Any]:
    """Their books stand under the winner; the loser is another form of its name."""
    numbers = await merges.numbers_on(tx, subject_id=loser[0])
    changed, told = [], []
    for row in await books_kept.book_rows(tx, numbers=numbers):
        book = books_kept.book_of(row)
        before = book.subjects
        after = tuple(dict.fromkeys(winner[1] if each == loser[1] else each for each in before))
        changed.append((row, book.model_copy(update={"subjects": after})))
        told.append({"number": row.number, "id": str(book.id), "before": before, "after": after})
    moved = await names.take_over(tx, "subject", loser, winner, now=now)
    await _relink(tx, changed)
    await kept.destroy(tx, subject_id=loser[0])
    await restate(tx, changed, now=now)
    return {"subject": loser[1], "books": told, **moved}


async def _relink(tx: Tx, changed: list[Restated]) -> None:
    named = {name for _, book in changed for name in book.subjects}
    known = await kept.subjects_named(tx, names=list(named))
    writes = []
    for row, book in changed:
        await tx.write((books_kept.UNLINK_SUBJECTS, {"at_number": row.number}))
        subjects = (known[name] for name in book.subjects)
        writes += books_kept.linked(row.number, authors=(), subjects=subjects)
    await record(tx, writes)


async def unmerge_subjects(
    tx: Tx, loser_id: UUID, winner_id: UUID, moved: dict[str, Any], now: datetime
) -> None:
    if await kept.subject_with(tx, subject_id=winner_id) is None:
        says = "What it was merged into is no longer there: undo what became of that first."
        raise CannotUndo(says, changed=[str(winner_id)])
    name = moved["subject"]
    if await kept.subjects_named(tx, names=[name]):
        says = f"There is another subject \u201c{name}\u201d by now. Nothing was undone."
        raise CannotUndo(says, changed=[name])
    told = {each["number"]: each for each in moved["books"]}
    rows = await books_kept.book_rows(tx, numbers=list(told))
    books = [(row, books_kept.book_of(row)) for row in rows]
    there = [(r, b) for r, b in books if str(b.id) == told[r.number]["id"] and not b.withdrawn]
    others = [str(b.id) for r, b in there if list(b.subjects) != told[r.number]["after"]]
    if others:
        says = "The subjects of some books were changed since the merge. Nothing was undone."
        raise CannotUndo(says, changed=others)
    changed = [
        (row, book.model_copy(update={"subjects": tuple(told[row.number]["before"])}))
        for row, book in there
    ]
    await record(tx, [kept.added(loser_id, name)])
    await names.give_back(tx, "subject", loser_id, winner_id, moved, now)
    await _relink(tx, changed)
    await restate(tx, changed, now=now)
