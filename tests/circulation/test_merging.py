"""Two books that are one: who waits, what is out and what is kept goes along, and comes back."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
import pytest_asyncio
from tests.circulation.test_without_neighbours import told
from tests.circulation.town import LIBRARIAN, NOW, Town

from lendery.circulation.models import copy, hold, loan
from lendery.circulation.replay import replay
from lendery.contracts.base import Window
from lendery.contracts.catalog import BareCopy, BookMerged, BookUnmerged, CopyChanged
from lendery.contracts.circulation import (
    HoldFilter,
    HoldMoved,
    HoldRefused,
    LoanMoved,
    LoanRequest,
    NewHold,
    RenewalRefused,
    ReturnRequest,
)


@dataclass
class Twins:
    """Two records of Middlemarch: `loser` with two copies, `winner` with one."""

    town: Town
    branch: UUID
    copies: list[BareCopy]
    own: BareCopy
    people: dict[str, UUID]
    merges: int = 0

    @property
    def loser(self) -> UUID:
        return self.copies[0].book_id

    @property
    def winner(self) -> UUID:
        return self.own.book_id

    async def wait(self, who: str, book_id: UUID, minute: int, **but: Any) -> UUID:
        wanted: dict[str, Any] = {"patron_id": self.people[who], "pickup_branch_id": self.branch}
        new = NewHold(**wanted, **(but or {"book_id": book_id}))
        now = NOW + timedelta(minutes=minute)
        return (await self.town.holds.place(hold=new, actor=LIBRARIAN, now=now)).id

    async def lend(self, barcode: str, who: str) -> Any:
        request = LoanRequest(barcode=barcode, patron_id=self.people[who])
        return await self.town.desk.check_out(request=request, actor=LIBRARIAN, now=NOW)

    async def take_back(self, barcode: str) -> Any:
        request = ReturnRequest(barcode=barcode, branch_id=self.branch)
        return await self.town.desk.check_in(request=request, actor=LIBRARIAN, now=NOW)

    async def merge(self) -> BookMerged:
        """As the catalog does: the copies are another book's, and that is told."""
        for each in self.copies:
            self.town.copies.change(each, book_id=self.winner)
        ids = tuple(each.id for each in self.copies)
        happened = BookMerged(book_id=self.loser, into=self.winner, copy_ids=ids, at=NOW)
        await told(self.town, happened)
        return happened

    async def undo(self) -> None:
        for each in self.copies:
            self.town.copies.change(each, book_id=self.loser)
        ids = tuple(each.id for each in self.copies)
        await told(
            self.town, BookUnmerged(book_id=self.loser, into=self.winner, copy_ids=ids, at=NOW)
        )

    async def queue(self, book_id: UUID) -> list[str]:
        """Who waits for a book, in order."""
        page = await self.town.holds.find(
            like=HoldFilter(book_id=book_id, state="open"),
            window=Window(),
            actor=LIBRARIAN,
            now=NOW,
        )
        names = {patron_id: name for name, patron_id in self.people.items()}
        return [names[each.patron_id] for each in page.items if each.patron_id]


@pytest_asyncio.fixture
async def twins(town: Town) -> Twins:
    branch = (await town.branch()).id
    await town.rule("loan_period", 21)
    await town.rule("renewals", 5)
    first = town.copies.add("b1", branch)
    second = town.copies.add("b2", branch, book_id=first.book_id)
    own = town.copies.add("own", branch)
    names = ("Ann", "Ben", "Cas", "Dora", "Eve", "Finn")
    people = {name: town.patrons.add(name.upper()).id for name in names}
    return Twins(town, branch, [first, second], own, people)


async def all_out(twins: Twins) -> dict[str, Any]:
    """Ann and Ben have the loser's copies, Cas the winner's; nobody finds one on the shelf."""
    pairs = (("b1", "Ann"), ("b2", "Ben"), ("own", "Cas"))
    return {who: await twins.lend(barcode, who) for barcode, who in pairs}


async def test_two_queues_become_one_in_the_order_in_which_people_came(twins: Twins) -> None:
    await all_out(twins)
    await twins.wait("Dora", twins.loser, 1)
    await twins.wait("Eve", twins.winner, 2)
    await twins.wait("Finn", twins.loser, 3)
    await twins.merge()
    assert await twins.queue(twins.winner) == ["Dora", "Eve", "Finn"]
    assert await twins.queue(twins.loser) == []
    back = await twins.take_back("own")
    assert (back.next, back.hold.patron_id) == ("hold", twins.people["Dora"])
    back = await twins.take_back("b1")
    assert back.hold.patron_id == twins.people["Eve"]


async def test_what_is_out_is_of_the_one_book_now(twins: Twins) -> None:
    loans = await all_out(twins)
    await twins.wait("Dora", twins.winner, 1)
    await twins.merge()
    for who in ("Ann", "Ben"):
        assert (await twins.town.row(loan, loans[who].id)).book_id == twins.winner
    with pytest.raises(RenewalRefused) as refused:  # Dora waits, for what was another book
        await twins.town.desk.renew(loan_id=loans["Ann"].id, actor=LIBRARIAN, now=NOW)
    assert refused.value.extra["reason"] == "on-hold"
    with pytest.raises(HoldRefused):  # Ann has it already
        await twins.wait("Ann", twins.winner, 2)


async def test_a_copy_that_is_kept_stays_kept(twins: Twins) -> None:
    await all_out(twins)
    kept = await twins.wait("Dora", twins.loser, 1)
    assert (await twins.take_back("b1")).hold.id == kept
    await twins.merge()
    row = await twins.town.row(hold, kept)
    assert (row.state, row.book_id, row.given_copy_id) == (
        "ready",
        twins.winner,
        twins.copies[0].id,
    )
    await twins.lend("b1", "Dora")
    assert (await twins.town.row(hold, kept)).state == "fulfilled"


async def test_undone_everybody_waits_where_they_did(twins: Twins) -> None:
    loans = await all_out(twins)
    dora = await twins.wait("Dora", twins.loser, 1)
    await twins.wait("Eve", twins.winner, 2)
    await twins.merge()
    await twins.wait("Finn", twins.winner, 3)
    await twins.undo()
    assert await twins.queue(twins.loser) == ["Dora"]
    assert await twins.queue(twins.winner) == ["Eve", "Finn"]
    row = await twins.town.row(hold, dora)
    assert (row.asked_for, row.book_id) == (None, twins.loser)
    books = [(await twins.town.row(loan, loans[who].id)).book_id for who in ("Ann", "Ben", "Cas")]
    assert books == [twins.loser, twins.loser, twins.winner]
    assert (await twins.town.row(copy, twins.copies[0].id)).book_id == twins.loser


async def test_who_is_kept_a_copy_goes_with_the_copy(twins: Twins) -> None:
    """Eve asked for the winner and got a copy that came with the loser; Dora the other way."""
    await all_out(twins)
    await twins.wait("Dora", twins.loser, 1)
    await twins.wait("Eve", twins.winner, 2)
    await twins.merge()
    assert (await twins.take_back("own")).hold.patron_id == twins.people["Dora"]
    assert (await twins.take_back("b1")).hold.patron_id == twins.people["Eve"]
    named = await twins.wait("Finn", twins.winner, 3, copy_id=twins.copies[1].id)
    await twins.undo()
    assert await twins.queue(twins.loser) == ["Eve", "Finn"]
    assert await twins.queue(twins.winner) == ["Dora"]
    assert (await twins.town.row(hold, named)).book_id == twins.loser
    await twins.lend("b1", "Eve")
    await twins.lend("own", "Dora")
    assert (await twins.queue(twins.loser), await twins.queue(twins.winner)) == (["Finn"], [])


async def test_who_came_for_a_book_merged_before_goes_back_with_it(twins: Twins) -> None:
    """First into the loser, then with that into the winner: only the second is undone."""
    await all_out(twins)
    oldest = twins.town.copies.add("b0", twins.branch)
    await twins.lend("b0", "Eve")
    finn = await twins.wait("Finn", oldest.book_id, 1)
    twins.town.copies.change(oldest, book_id=twins.loser)
    await told(
        twins.town,
        BookMerged(book_id=oldest.book_id, into=twins.loser, copy_ids=(oldest.id,), at=NOW),
    )
    await twins.merge()
    assert await twins.queue(twins.winner) == ["Finn"]
    ids = tuple(each.id for each in twins.copies)
    before = (oldest.book_id,)
    await told(
        twins.town,
        BookUnmerged(book_id=twins.loser, into=twins.winner, copy_ids=ids, before=before, at=NOW),
    )
    row = await twins.town.row(hold, finn)
    assert (row.book_id, row.asked_for) == (twins.loser, oldest.book_id)


async def test_delivered_twice_it_happens_once(twins: Twins) -> None:
    await all_out(twins)
    await twins.wait("Dora", twins.loser, 1)
    happened = await twins.merge()
    await told(twins.town, happened)
    names = [type(each) for each in await twins.town.events()]
    assert (names.count(HoldMoved), names.count(LoanMoved)) == (1, 2)


async def test_old_news_of_a_copy_changes_nothing(twins: Twins) -> None:
    """What the catalog knew before the merge, told after it."""
    await all_out(twins)
    old = twins.copies[0]
    await twins.merge()
    twins.town.copies.known[old.id] = old
    await told(twins.town, CopyChanged(copy_id=old.id, book_id=old.book_id, at=NOW))
    assert (await twins.town.row(copy, old.id)).book_id == twins.winner


async def test_a_reader_cancels_a_hold_that_was_moved(twins: Twins) -> None:
    await all_out(twins)
    held = await twins.wait("Dora", twins.loser, 1)
    await twins.merge()
    ended = await twins.town.holds.cancel(hold_id=held, actor=LIBRARIAN, now=NOW)
    assert (ended.state, ended.book_id) == ("cancelled", twins.winner)
    with pytest.raises(Exception, match="no such book"):
        await twins.wait("Dora", twins.loser, 2)


async def test_the_log_tells_it_all(twins: Twins) -> None:
    await all_out(twins)
    await twins.wait("Dora", twins.loser, 1)
    await twins.wait("Eve", twins.winner, 2)
    await twins.merge()
    assert (await twins.take_back("b1")).hold.patron_id == twins.people["Dora"]
    report = await replay(twins.town.db)
    assert (report.found, report.unknown) == (0, {})
    await twins.undo()
    report = await replay(twins.town.db)
    assert (report.found, report.unknown) == (0, {}) and report.events > 10
