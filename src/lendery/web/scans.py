"""What becomes of one scan at the desk: a row of the log.

One box takes cards and copies. With a patron open, or at check-in, a code is a copy's first and
a card's second; so lending asks circulation once and the catalogue once for the title.
"""

import asyncio
import re
from dataclasses import dataclass
from datetime import date, datetime, time
from uuid import UUID

from lendery.contracts.accounts import User
from lendery.contracts.base import NotFound, Problem
from lendery.contracts.catalog import NoSuchCopy
from lendery.contracts.circulation import (
    Block,
    BlockCode,
    Branch,
    CheckOutRefused,
    Hold,
    Loan,
    LoanRequest,
    NotOnLoan,
    Return,
    ReturnRefused,
    ReturnRequest,
)
from lendery.contracts.permissions import Actor
from lendery.web.ports import Ports
from lendery.web.renewing import request_key
from lendery.web.rows import Charged, ForHold, Kind, Mode, Row
from lendery.web.shelves import Places
from lendery.web.words import last_digits, short_name, zone

BARCODE = re.compile(r"^[A-Za-z0-9._-]{1,64}$")
CARD = re.compile(r"^[A-Z0-9-]{3,32}$")
ASIDE = ("withdrawn", "lost", "missing", "claimed-returned", "damaged")
GOES: dict[str, Kind] = {"shelve": "shelve", "hold": "hold", "transit": "send"}


@dataclass(frozen=True, kw_only=True)
class Scan:
    """A code that was read, and where the desk stood then."""

    mode: Mode
    code: str
    key: str
    patron_id: UUID | None = None
    branch: Branch | None = None
    on: date | None = None
    waive: frozenset[BlockCode] = frozenset()
    reason: str = ""
    renew: bool = False

    @property
    def branch_id(self) -> UUID | None:
        return self.branch.id if self.branch else None

    def returned_at(self, now: datetime) -> datetime | None:
        """The end of the day that the book drop was emptied for; None: now."""
        where = zone(self.branch.time_zone if self.branch else None)
        if self.on is None or self.on >= now.astimezone(where).date():
            return None
        return datetime.combine(self.on, time(23, 59, 59), where)


@dataclass(frozen=True)
class Scanner:
    ports: Ports
    places: Places

    async def read(self, scan: Scan, actor: Actor, now: datetime) -> Row:
        if scan.mode == "in":
            return await self._check_in(scan, actor, now)
        if scan.patron_id is None:
            return await self._first(scan, actor)
        return await self._check_out(scan, actor, now)

    async def _first(self, scan: Scan, actor: Actor) -> Row:
        """Nobody is open: a card opens its patron, a copy is shown."""
        if person := await self._by_card(scan.code, actor):
            return _opened(scan, person)
        if BARCODE.match(scan.code):
            copy = await self.ports.copies.by_barcode(barcode=scan.code)
            if copy is not None:
                return await self._with_title(_row(scan, "found", says="scan-card"), copy.book_id)
        return _row(scan, "unknown")

    async def _check_out(self, scan: Scan, actor: Actor, now: datetime) -> Row:
        if not BARCODE.match(scan.code):
            return _row(scan, "unknown", says="no-barcode")
        asked = LoanRequest(
            barcode=scan.code,
            patron_id=scan.patron_id,
            branch_id=scan.branch_id,
            waive=scan.waive,
            reason=scan.reason or None,
            renew=scan.renew,
        )
        said = asked.model_dump_json(exclude={"waive"}), sorted(asked.waive)  # in one order
        key = request_key(scan.key, actor, "check-out", said)
        try:
            loan = await self.ports.loans.check_out(request=asked, actor=actor, now=now, key=key)
        except CheckOutRefused as refusal:
            return await self._refused(scan, refusal, actor)
        return await self._with_title(self._lent(scan, loan), loan.book_id)

    def _lent(self, scan: Scan, loan: Loan) -> Row:
        kind: Kind = "renewed" if loan.renewals else "waived" if scan.waive else "lent"
        where = self.places.zone(loan.branch_id)
        return _row(scan, kind, due_at=loan.due_at, zone=where, book_id=loan.book_id)

    async def _refused(self, scan: Scan, refusal: CheckOutRefused, actor: Actor) -> Row:
        blocks = tuple(Block.model_validate(each) for each in refusal.extra.get("blocks", ()))
        if any(block.code == "unknown-copy" for block in blocks):
            if person := await self._by_card(scan.code, actor):
                return _opened(scan, person)
            return _row(scan, "unknown")
        row = _row(scan, "refused", blocks=blocks, detail="" if blocks else refusal.detail)
        copy = await self.ports.copies.by_barcode(barcode=scan.code)
        return await self._with_title(row, copy.book_id) if copy else row

    async def _check_in(self, scan: Scan, actor: Actor, now: datetime) -> Row:
        if not BARCODE.match(scan.code):
            return _row(scan, "unknown", says="no-barcode")
        asked = ReturnRequest(
            barcode=scan.code, branch_id=scan.branch_id, returned_at=scan.returned_at(now)
        )
        key = request_key(scan.key, actor, "check-in", scan.code, scan.branch_id, scan.on)
        try:
            back = await self.ports.loans.check_in(request=asked, actor=actor, now=now, key=key)
        except NoSuchCopy:
            if person := await self._by_card(scan.code, actor):
                return _row(scan, "unknown", says="is-card", name=person.name, patron_id=person.id)
            return _row(scan, "unknown")
        except (ReturnRefused, NotOnLoan) as refusal:
            return _row(scan, "problem", detail=refusal.detail)
        return await self._taken_back(scan, back, asked.returned_at or now, actor)

    async def _taken_back(self, scan: Scan, back: Return, at: datetime, actor: Actor) -> Row:
        copy, fine = back.copy_here, back.fine
        aside = copy.status in ASIDE
        row = _row(
            scan,
            "problem" if aside else GOES[back.next],
            says="set-aside" if aside else "" if back.loan else "not-on-loan",
            detail=copy.status if aside else "",
            place=self.places.name(back.to_branch),
            patron_id=back.loan.patron_id if back.loan else None,
            due_at=back.loan.due_at if back.loan else None,
            was_late=bool(back.loan and back.loan.due_at < at),
            zone=self.places.zone(copy.home_branch_id),
            charged=Charged(amount=fine.amount, patron_id=fine.patron_id) if fine else None,
        )
        found, titled, for_hold = await asyncio.gather(
            self.ports.copies.by_ids(ids=[copy.id]),
            self._with_title(row, copy.book_id),
            self._for_hold(back.hold, actor),
        )
        number = found[0].call_number if found else None
        told = {"call_number": number or titled.call_number, "for_hold": for_hold}
        return titled.model_copy(update=told)

    async def _for_hold(self, hold: Hold | None, actor: Actor) -> ForHold | None:
        """A name is a courtesy, as a title is: the copy goes to the hold shelf without it."""
        if hold is None:
            return None
        users: list[User] = []
        if hold.patron_id is not None and hold.state == "ready":
            try:
                users = await self.ports.users.by_ids(ids=[hold.patron_id], actor=actor)
            except Problem:
                users = []
        name = short_name(users[0].name) if users else ""
        card = last_digits(users[0].card_number) if users else ""
        return ForHold(name=name, card=card, until=hold.expires_on)

    async def _with_title(self, row: Row, book_id: UUID) -> Row:
        """A title is a courtesy: when the catalogue is away, the barcode must do."""
        try:
            books = await self.ports.books.by_ids(ids=[book_id])
        except Problem:
            books = []
        if not books:
            return row
        number = books[0].call_number or ""
        found = {"title": books[0].title, "book_id": book_id, "call_number": number}
        return row.model_copy(update=found)

    async def _by_card(self, code: str, actor: Actor) -> User | None:
        if not CARD.match(code.upper()):
            return None
        try:
            return await self.ports.users.by_card(card_number=code.upper(), actor=actor)
        except NotFound:
            return None


def _row(scan: Scan, kind: Kind, **more: object) -> Row:
    known = {"key": scan.key, "code": scan.code, "kind": kind, "patron_id": scan.patron_id}
    return Row.model_validate(known | more)


def _opened(scan: Scan, person: User) -> Row:
    return _row(scan, "card", name=person.name, patron_id=person.id)


def decided(row: Row, scan: Scan) -> Scan:
    """The scan of a refused row once more, with what staff decided."""
    return Scan(
        mode="out",
        code=row.code,
        key=f"{row.key[:60]}-{'r' if scan.renew else 'w'}",
        patron_id=row.patron_id,
        branch=scan.branch,
        waive=frozenset() if scan.renew else frozenset(block.code for block in row.blocks),
        reason=scan.reason,
        renew=scan.renew,
    )
