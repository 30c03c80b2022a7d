"""Whether a reader had a book in hand, for those who show it."""

from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import update
from tests.circulation.town import LIBRARIAN, NOW, Town

from lendery.circulation.borrowings import BorrowingRecord
from lendery.circulation.models import loan
from lendery.contracts.catalog import BareCopy
from lendery.contracts.circulation import Borrowed, LoanRequest, ReturnRequest

DESK: Any = {"actor": LIBRARIAN, "now": NOW}


async def _lend(town: Town, copy: BareCopy, card: str) -> None:
    await town.desk.check_out(request=LoanRequest(barcode=copy.barcode, card_number=card), **DESK)


async def test_who_has_or_had_a_copy_of_the_book_is_known(town: Town) -> None:
    home = await town.branch()
    await town.rule("loan_period", 21)
    ann, ben = town.patrons.add("1000000008"), town.patrons.add("1000000016")
    emma, persuasion = town.copies.add("b1", home.id), town.copies.add("b2", home.id)
    await _lend(town, emma, "1000000008")
    await town.desk.check_in(request=ReturnRequest(barcode="b1"), **DESK)
    await _lend(town, emma, "1000000008")
    await _lend(town, persuasion, "1000000016")
    asked = [
        Borrowed(patron_id=patron_id, book_id=book_id)
        for patron_id in (ann.id, ben.id, uuid4())
        for book_id in (emma.book_id, persuasion.book_id, uuid4())
    ]
    record = BorrowingRecord(town.db)
    assert await record.known(asked=asked) == [asked[0], asked[4]]
    assert await record.known(asked=[]) == []


async def test_a_loan_whose_link_was_cut_tells_nothing(town: Town) -> None:
    home = await town.branch()
    await town.rule("loan_period", 21)
    ann, emma = town.patrons.add("1000000008"), town.copies.add("b1", home.id)
    await _lend(town, emma, "1000000008")
    asked = [Borrowed(patron_id=ann.id, book_id=emma.book_id)]
    assert await BorrowingRecord(town.db).known(asked=asked) == asked
    async with town.db.begin() as tx:
        await tx.run(update(loan).values(patron_id=None))
    assert await BorrowingRecord(town.db).known(asked=asked) == []


async def test_what_three_readers_have_in_common_was_borrowed_together(town: Town) -> None:
    home = await town.branch()
    await town.rule("loan_period", 21)
    cards = ("1000000008", "1000000016", "1000000024")
    emma, persuasion, secret = (_several(town, title, home.id) for title in ("e", "p", "s"))
    readers = [town.patrons.add(card) for card in cards]
    for at, card in enumerate(cards):
        await _lend(town, emma[at], card)
        await _lend(town, persuasion[at], card)
    record, of_emma = BorrowingRecord(town.db), [each.id for each in emma]
    for at, card in enumerate(cards[:2]):
        await _lend(town, secret[at], card)
    [found] = await record.together(copy_ids=of_emma)
    assert (found.book_id, found.readers, found.among) == (persuasion[0].book_id, 3, 3)

    await town.desk.check_in(request=ReturnRequest(barcode=secret[0].barcode), **DESK)
    await _lend(town, secret[0], cards[0])
    assert len(await record.together(copy_ids=of_emma)) == 1, "twice is no third reader"
    assert await record.together(copy_ids=[each.id for each in secret]) == []
    assert await record.together(copy_ids=[]) == []
    async with town.db.begin() as tx:
        await tx.run(update(loan).where(loan.c.patron_id == readers[0].id).values(patron_id=None))
    assert await record.together(copy_ids=of_emma) == []


def _several(town: Town, title: str, branch: UUID) -> list[BareCopy]:
    """Copies of one book."""
    first = town.copies.add(f"{title}0", branch)
    more = [town.copies.add(f"{title}{at}", branch, book_id=first.book_id) for at in (1, 2)]
    return [first, *more]
