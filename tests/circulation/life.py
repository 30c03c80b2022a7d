"""A small library that goes through everything, desks that crowd, and one who changes the past."""

import asyncio
import random
from contextlib import suppress
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, select, text
from tests.circulation.far_desk import FarDesk
from tests.circulation.town import ADMIN, LIBRARIAN, NOW, Town
from tests.platform.toy import on_connection

from lendery.circulation.models import TABLES, cash_session, ledger_line
from lendery.circulation.reactions import REACTIONS
from lendery.circulation.replay import Report
from lendery.contracts.base import Money, Problem
from lendery.contracts.catalog import BareCopy, BookMerged, BookUnmerged
from lendery.contracts.circulation import (
    Cancellation,
    CashCount,
    ClaimResolution,
    HoldChanges,
    LoanRequest,
    NewCashSession,
    NewCharge,
    NewHold,
    NewPayment,
    NewRefund,
    NewWaiver,
    NewWriteOff,
    ReturnRequest,
    Suspension,
)
from lendery.contracts.permissions import Actor
from lendery.platform.db import Database
from lendery.platform.events import Reactions

log = TABLES.event


def euros(amount: int) -> Money:
    return Money(amount=amount)


class Life:
    """What a small library went through, and which rows came of it."""

    def __init__(self, town: Town) -> None:
        self.town = town

    def at(self, day: int) -> dict[str, Any]:
        return {"actor": LIBRARIAN, "now": NOW + timedelta(days=day)}

    async def open(self) -> None:
        self.central, self.north = [(await self.town.branch(c)).id for c in ("central", "north")]
        for parameter, value in (("loan_period", 21), ("fine", 20), ("hold_fee", 50)):
            await self.town.rule(parameter, value)
        names = ("Ann", "Ben", "Cas", "Dora")
        self.ann, self.ben, self.cas, self.dora = [
            self.town.patrons.add(name.upper()).id for name in names
        ]
        self.middlemarch = self.town.copies.add("middlemarch", self.central)
        self.emma = self.town.copies.add("emma", self.central)
        self.town.copies.add("atlas", self.central, item_type="reference")

    async def lend(self, barcode: str, patron_id: UUID, day: int, **but: Any) -> Any:
        request = LoanRequest(barcode=barcode, patron_id=patron_id, **but)
        return await self.town.desk.check_out(request=request, **self.at(day))

    async def take_back(self, barcode: str, day: int, branch_id: UUID, **but: Any) -> Any:
        request = ReturnRequest(barcode=barcode, branch_id=branch_id, **but)
        return await self.town.desk.check_in(request=request, **self.at(day))

    async def wait(self, copy: BareCopy, patron_id: UUID, day: int, pickup: UUID) -> UUID:
        wanted = NewHold(book_id=copy.book_id, patron_id=patron_id, pickup_branch_id=pickup)
        return (await self.town.holds.place(hold=wanted, **self.at(day))).id

    async def live(self) -> None:
        await self.open()
        await self._lend_and_wait()
        await self._collect()
        await self._leave_open()
        await self._settle()
        await self._merge()
        await self._undo()
        await self._suspend()
        await self._call_back()
        await self._lose()
        await self._lend_offline()
        await self._count()

    async def _lend_and_wait(self) -> None:
        holds, holding = self.town.holds, self.middlemarch
        self.anns = (await self.lend("middlemarch", self.ann, 0)).id
        herself = Actor(id=self.ann, role="reader")
        await self.town.desk.renew(loan_id=self.anns, actor=herself, now=NOW + timedelta(1))
        self.bens = await self.wait(holding, self.ben, 2, self.central)
        changes = HoldChanges(pickup_branch_id=self.north)
        await holds.change(hold_id=self.bens, changes=changes, **self.at(2))
        self.cass = await self.wait(holding, self.cas, 3, self.central)
        until = Suspension(until=date(2026, 6, 1))
        await holds.suspend(hold_id=self.cass, suspension=until, **self.at(4))
        doras = await self.wait(holding, self.dora, 5, self.central)
        await holds.cancel(hold_id=doras, **self.at(6))
        dropped = NOW + timedelta(days=34, microseconds=123456)
        back = await self.take_back("middlemarch", 35, self.central, returned_at=dropped)
        assert (back.next, back.hold.id, back.fine.amount) == ("transit", self.bens, euros(240))
        self.late = back.fine.id

    async def _collect(self) -> None:
        holds, copy = self.town.holds, self.middlemarch
        await self.take_back("middlemarch", 36, self.north)
        for raised in (True, False):
            await self.town.shelf.flag(
                copy_id=copy.id, flag="damaged", raised=raised, **self.at(36)
            )
        await self.take_back("middlemarch", 37, self.north)
        await self.lend("middlemarch", self.ben, 38)
        await holds.resume(hold_id=self.cass, **self.at(39))
        await self.take_back("middlemarch", 40, self.north)
        await self.take_back("middlemarch", 41, self.central)
        await holds.cancel(hold_id=self.cass, **self.at(42))
        self.doras = await self.wait(copy, self.dora, 43, self.central)
        await self.take_back("middlemarch", 44, self.central)
        assert await holds.expire(now=NOW + timedelta(60)) == 1
        await self.lend("emma", self.ben, 61)
        named = NewHold(copy_id=self.emma.id, patron_id=self.cas, pickup_branch_id=self.north)
        self.waiting = (await holds.place(hold=named, **self.at(62))).id
        until = Suspension(until=date(2026, 9, 1))
        await holds.suspend(hold_id=self.waiting, suspension=until, **self.at(62))
        may = {"waive": frozenset({"reference-only"}), "reason": "For the reading group"}
        self.waived = (await self.lend("atlas", self.cas, 63, **may)).id

    async def _leave_open(self) -> None:
        """A hold that is ready, one whose copy is on its way, and one that was put back."""
        for barcode, pickup in (("romola", self.central), ("silas", self.north)):
            copy = self.town.copies.add(barcode, self.central)
            await self.wait(copy, self.dora, 63, pickup)
            await self.take_back(barcode, 63, self.central)
        copy = self.town.copies.add("bede", self.central)
        await self.wait(copy, self.dora, 63, self.central)
        await self.take_back("bede", 63, self.central)
        await self.town.shelf.flag(copy_id=copy.id, flag="missing", **self.at(64))

    async def _settle(self) -> None:
        fees, ann = self.town.fees, self.ann
        self.paid = await self.pay(100, 64, "cash")
        part = NewWaiver(amount=euros(40), reason="It snowed")
        await fees.waive(fine_id=self.late, waiver=part, **self.at(65))
        rest = NewWriteOff(amount=euros(20), reason="Not worth a letter")
        await fees.write_off(fine_id=self.late, write_off=rest, **self.at(65))
        charge = NewCharge(patron_id=ann, amount=euros(500), reason="damaged", note="Coffee")
        self.coffee = (await fees.charge(charge=charge, **self.at(66))).id
        await self.pay(80 + 500, 67, "card")
        wrong = Cancellation(reason="It was tea")
        await fees.cancel(fine_id=self.coffee, cancellation=wrong, **self.at(68))
        out = NewRefund(patron_id=ann, amount=euros(300), method="transfer", reason="Asked for")
        await fees.refund(refund=out, **self.at(69))

    async def _merge(self) -> None:
        """Emma is lent and somebody waits for it; for a while it is thought to be Silas."""
        copy, silas = self.emma, UUID(int=9)
        facts: dict[str, Any] = {"book_id": copy.book_id, "into": silas, "copy_ids": (copy.id,)}
        for kind in (BookMerged, BookUnmerged):
            event = kind(**facts, at=NOW + timedelta(days=70))
            await Reactions(self.town.db, self.town, {"circulation": REACTIONS}).send([event])

    async def _undo(self) -> None:
        """A check-out that was a mistake, a check-in, a payment and a waiver."""
        copies, day = self.town.copies, 71
        kept = copies.add("deronda", self.central)
        copies.add("deronda-2", self.central, book_id=kept.book_id)
        await self.wait(kept, self.ann, day, self.central)
        await self.take_back("deronda", day, self.central)
        await self.undo(await self.lend("deronda-2", self.ann, day), day)
        copies.add("tales", self.central)
        await self.lend("tales", self.cas, day)
        await self.undo(await self.take_back("tales", day, self.north), day)
        charge = NewCharge(patron_id=self.cas, amount=euros(90), reason="card")
        fine = await self.town.fees.charge(charge=charge, **self.at(day))
        waiver = NewWaiver(amount=euros(30), reason="By mistake")
        await self.undo(
            await self.town.fees.waive(fine_id=fine.id, waiver=waiver, **self.at(day)), day
        )
        payment = NewPayment(patron_id=self.cas, amount=euros(60))
        await self.undo(await self.town.fees.pay(payment=payment, **self.at(day)), day)

    async def _suspend(self) -> None:
        """Twice somebody is late, and once staff let them off."""
        await self.town.rule("suspend_days", 2)
        for barcode in ("lifted", "served"):
            self.town.copies.add(barcode, self.central)
            await self.lend(barcode, self.cas, 73)
        for barcode in ("lifted", "served"):
            await self.take_back(barcode, 73 + 25, self.central)
        found = await self.town.suspensions.of(patron_id=self.cas, **self.at(98))
        self.lifted = found[0].id
        await self.town.suspensions.lift(suspension_id=self.lifted, **self.at(99))

    async def _call_back(self) -> None:
        await self.town.rule("recall_after", 3)
        self.town.copies.add("clerical", self.central)
        lent = await self.lend("clerical", self.ben, 74)
        await self.town.desk.recall(loan_id=lent.id, **self.at(75))
        await self.take_back("clerical", 76, self.central)

    async def _lose(self) -> None:
        """Three loans that never came back, and one copy that did; a claim that was a mistake."""
        copies, shelf, day = self.town.copies, self.town.shelf, 72
        await self.town.rule("lost_after", 10)
        await self.town.rule("lost_fee", 30)
        ids = {}
        for barcode in ("felix", "scenes", "impressions", "theophrastus"):
            copy = copies.add(barcode, self.central, price=euros(700))
            ids[barcode] = copy.id, (await self.lend(barcode, self.dora, day)).id
        await shelf.flag(copy_id=ids["felix"][0], flag="lost", **self.at(day))
        back = await self.take_back("felix", day, self.central)
        assert back.refunded == euros(700)
        await self.undo(back, day)
        for barcode, raised in (("scenes", True), ("impressions", True), ("impressions", False)):
            await shelf.flag(
                copy_id=ids[barcode][0], flag="claimed-returned", raised=raised, **self.at(day)
            )
        await self.town.desk.resolve_claim(
            loan_id=ids["scenes"][1], how=ClaimResolution(how="forgiven"), **self.at(day)
        )
        await self.take_back("theophrastus", day, self.central)
        assert await self.town.desk.declare_lost(now=NOW + timedelta(days=day + 40)) == 1

    async def _lend_offline(self) -> None:
        """What the book bus did without a line, and what it could not know."""
        self.town.copies.add("jubal", self.central)
        first, last = (NOW + timedelta(days=day) for day in (150, 151))
        bus = await FarDesk.open(self.town, self.north, first)
        bus.lend("jubal", "BEN", first)
        bus.lend("nothing", "BEN", first)
        await bus.send(now=last)
        (conflict,) = [each for each in await bus.conflicts() if not each.recorded]
        await bus.settle(conflict, "dismiss", reason="Nobody can read it", now=last)
        await bus.register.revoke(desk_id=bus.desk.id, actor=ADMIN, now=last)

    async def _count(self) -> None:
        """A desk that takes 40 and 10, gives the 10 back, and is 5 short; and one that is open."""
        cash, day = self.town.cash, 120
        front = NewCashSession(branch_id=self.central, desk="front", opening_float=euros(5_000))
        self.counted = (await cash.open(opening=front, **self.at(day))).id
        taken = NewPayment(
            patron_id=self.cas, amount=euros(40), desk="front", branch_id=self.central
        )
        await self.town.fees.pay(payment=taken, **self.at(day))
        mistake = taken.model_copy(update={"amount": euros(10)})
        await self.undo(await self.town.fees.pay(payment=mistake, **self.at(day)), day)
        count = CashCount(counted=euros(5_035))
        await cash.close(session_id=self.counted, count=count, **self.at(day))
        back = front.model_copy(update={"desk": "back"})
        await cash.open(opening=back, **self.at(day))

    async def undo(self, done: Any, day: int) -> None:
        await self.town.corrections.undo(event_id=done.event_id, **self.at(day))

    async def pay(self, amount: int, day: int, method: Any) -> UUID:
        payment = NewPayment(patron_id=self.ann, amount=euros(amount), method=method)
        return (await self.town.fees.pay(payment=payment, **self.at(day))).id


class Desks:
    """Six desks, four readers, and two copies of one book that everybody wants at once."""

    def __init__(self, life: Life) -> None:
        self.life, self.minutes = life, 0
        self.loans: list[UUID] = []
        self.holds: list[UUID] = []

    async def open(self) -> None:
        town, life = self.life.town, self.life
        await town.rule("renewals", None)
        town.copies.add("second", life.central, book_id=life.middlemarch.book_id)
        for copy in ("middlemarch", "second"):
            await self.life.take_back(copy, 0, life.central)

    async def work(self, number: int) -> None:
        dice = random.Random(number)
        for _ in range(120):
            self.minutes += 400
            with suppress(Problem):
                await self.step(
                    dice, {"actor": ADMIN, "now": NOW + timedelta(minutes=self.minutes)}
                )

    async def step(self, dice: random.Random, at: dict[str, Any]) -> None:
        town, life = self.life.town, self.life
        who = dice.choice([life.ann, life.ben, life.cas, life.dora])
        copy = dice.choice(["middlemarch", "second"])
        branch = dice.choice([life.central, life.north])
        match dice.choice(["lend", "renew", "return", "return", "hold", "stop", "cancel", "pay"]):
            case "lend":
                may = frozenset({"on-hold", "fines-owed"}) if dice.random() < 0.3 else frozenset()
                request = LoanRequest(barcode=copy, patron_id=who, waive=may, reason="Wanted")
                self.loans.append((await town.desk.check_out(request=request, **at)).id)
            case "renew" if self.loans:
                await town.desk.renew(loan_id=self.loans[-1], **at)
            case "return":
                request = ReturnRequest(barcode=copy, branch_id=branch)
                await town.desk.check_in(request=request, **at)
            case "hold":
                wanted = NewHold(
                    book_id=life.middlemarch.book_id, patron_id=who, pickup_branch_id=branch
                )
                self.holds.append((await town.holds.place(hold=wanted, **at)).id)
            case "stop" if self.holds:
                stop = Suspension(until=None)
                await town.holds.suspend(hold_id=self.holds[-1], suspension=stop, **at)
                await town.holds.resume(hold_id=self.holds[-1], **at)
            case "cancel" if self.holds:
                await town.holds.cancel(hold_id=dice.choice(self.holds[-3:]), **at)
            case "pay":
                payment = NewPayment(patron_id=who, amount=euros(dice.randint(1, 90)))
                await town.fees.pay(payment=payment, **at)


async def behind_our_back(db: Database, *changes: Any) -> None:
    """Changes that each really change something, with the guards put aside."""

    def change(connection: Connection) -> None:
        if connection.dialect.name == "sqlite":
            found = connection.execute(text("SELECT name FROM sqlite_master WHERE type='trigger'"))
            for name in found.scalars().all():
                connection.execute(text(f"DROP TRIGGER {name}"))
        else:
            for table in (log, ledger_line, cash_session):
                connection.execute(text(f"ALTER TABLE {table.name} DISABLE TRIGGER USER"))
        for each in changes:
            assert connection.execute(each).rowcount > 0, f"nothing was changed by {each}"
        connection.commit()

    await asyncio.to_thread(on_connection, db.url, change)


async def event_of(town: Town, kind: str, **body: Any) -> Any:
    """The row of the first event of a kind that says so."""
    async with town.db.read() as session:
        rows = await session.rows(select(log).order_by(log.c.seq))
    told = {name: str(value) for name, value in body.items()}
    return next(
        row
        for row in rows
        if row.name == f"circulation.{kind}" and told.items() <= row.body.items()
    )


def says(report: Report) -> list[tuple[str, Any, str]]:
    assert report.found == len(report.named)
    return [
        (each.table.removeprefix("circulation_"), each.id, each.column) for each in report.named
    ]
