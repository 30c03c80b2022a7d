"""That staff looked at one reader's loans, holds and money is noted, however they came to it."""

from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select
from tests.circulation.desk import EVERYTHING, Desk
from tests.circulation.far_desk import FarDesk, hours
from tests.circulation.test_forgetting import A_DAY, erased
from tests.circulation.town import LIBRARIAN, NOW, Town

from lendery.circulation.models import LOOKUPS
from lendery.contracts.base import NotAllowed
from lendery.contracts.circulation import Hold, HoldFilter, Loan, LoanFilter, LoanRequest
from lendery.contracts.permissions import SYSTEM, Actor

Look = Callable[["Shown"], Awaitable[Any]]


class Shown:
    """Ann, with a loan, a hold and a charge; and Ben, who has nothing."""

    ann: UUID
    ben: UUID
    loan: Loan
    hold: Hold
    fine: Any

    def __init__(self, town: Town, actor: Actor) -> None:
        self.town, self.here = town, {"actor": actor, "now": NOW}

    async def open(self) -> "Shown":
        desk, home = Desk(self.town), (await self.town.branch()).id
        await desk.rules(loan_period=21)
        self.ann, self.ben = (self.town.patrons.add(card).id for card in ("ANN", "BEN"))
        self.town.copies.add("b1", home)
        other = self.town.copies.add("b2", home)
        self.loan = await desk.lend("b1", "ANN")
        self.hold = await desk.wait("ANN", home, book_id=other.book_id)
        self.fine = await desk.charge(self.ann, 100)
        return self


async def looks(town: Town) -> list[tuple[UUID, str]]:
    async with town.db.read() as session:
        rows = await session.rows(select(LOOKUPS).order_by(LOOKUPS.c.id))
    assert {row.by for row in rows} <= {LIBRARIAN.id}
    return [(row.patron_id, row.what) for row in rows]


def check(on: Shown, **who: Any) -> Awaitable[Any]:
    return on.town.desk.check(request=LoanRequest(barcode="b2", **who), **on.here)


def all_loans(on: Shown, **like: Any) -> Awaitable[Any]:
    return on.town.desk.find(like=LoanFilter(**like), window=EVERYTHING, **on.here)


def all_holds(on: Shown, **like: Any) -> Awaitable[Any]:
    return on.town.holds.find(like=HoldFilter(**like), window=EVERYTHING, **on.here)


WAYS: dict[str, tuple[str, Look]] = {
    "a loan": ("loans", lambda on: on.town.desk.get(loan_id=on.loan.id, **on.here)),
    "all loans": ("loans", all_loans),
    "loans of a copy": ("loans", lambda on: all_loans(on, copy_id=on.loan.copy_id)),
    "their loans": ("loans", lambda on: all_loans(on, patron_id=on.ann)),
    "a check by id": ("loans", lambda on: check(on, patron_id=on.ann)),
    "a check by card": ("loans", lambda on: check(on, card_number="ann")),
    "a hold": ("holds", lambda on: on.town.holds.get(hold_id=on.hold.id, **on.here)),
    "all holds": ("holds", all_holds),
    "their holds": ("holds", lambda on: all_holds(on, patron_id=on.ann)),
    "a charge": (
        "account",
        lambda on: on.town.fees.fine(fine_id=on.fine.id, actor=on.here["actor"]),
    ),
    "suspensions": ("account", lambda on: on.town.suspensions.of(patron_id=on.ann, **on.here)),
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("who", ["staff", "herself", "a program"])
async def test_a_look_of_staff_is_noted(town: Town, way: str, who: str) -> None:
    on = await Shown(town, LIBRARIAN).open()
    ann = Actor(id=on.ann, role="reader")
    on.here["actor"] = {"staff": LIBRARIAN, "herself": ann, "a program": SYSTEM}[who]
    what, look = WAYS[way]
    if who == "herself" and way in ("all loans", "loans of a copy", "all holds"):
        with pytest.raises(NotAllowed):
            await look(on)
    else:
        await look(on)
        await look(on)
    assert await looks(town) == ([(on.ann, what)] if who == "staff" else [])


async def test_who_was_erased_or_never_met_is_not_written_down(town: Town) -> None:
    on = await Shown(town, LIBRARIAN).open()
    desk = Desk(town)
    await desk.bring("b1")
    await desk.pay(on.ann, 100)
    await desk.cancel(on.hold)
    assert await erased(town, on.ann, NOW + A_DAY) == []
    on.here["actor"] = LIBRARIAN.model_copy(update={"why": "Ann Lee rang up"})
    for patron_id in (on.ann, on.ben, uuid4()):
        await all_loans(on, patron_id=patron_id)
        await all_holds(on, patron_id=patron_id)
        given = {"patron_id": patron_id, "window": EVERYTHING}
        await town.fees.account(**given, **on.here)
        await town.fees.fines(**given, actor=on.here["actor"])
        await town.suspensions.of(patron_id=patron_id, **on.here)
    for way in ("a loan", "a hold", "a charge", "all loans", "all holds"):
        await WAYS[way][1](on)
    assert await looks(town) == []


async def test_what_nobody_at_an_offline_desk_could_know_tells_of_a_reader(town: Town) -> None:
    on = await Shown(town, LIBRARIAN).open()
    bus = await FarDesk.open(town, on.loan.branch_id, NOW - hours(1))
    bus.renew("b1", NOW + hours(1))
    bus.lend("b2", "NOBODY", NOW + hours(1))
    await Desk(town).rules(renewals=0)
    await bus.send(now=NOW + hours(2))
    found = await bus.conflicts()
    assert await looks(town) == [(each.patron_id, "loans") for each in found if each.patron_id]
    for each in found:
        await bus.desks.conflict(conflict_id=each.id, actor=LIBRARIAN)
    assert len(await looks(town)) == len({each.patron_id for each in found} - {None})
