"""What becomes of one scan at the desk: a row of the log.

One box takes cards and copies. With a patron open, or at check-in, a code is a copy's first and
a card's second; so lending asks circulation once and the catalogue once for the title.
"""

import asyncio
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Literal
from uuid import UUID

from pydantic import TypeAdapter, ValidationError

from lendery.contracts.accounts import User
from lendery.contracts.base import NotFound, Problem, Value
from lendery.contracts.catalog import NoSuchCopy
from lendery.contracts.circulation import (
    Block,
    BlockCode,
    Branch,
    CheckOutRefused,
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
from lendery.web.shelves import Places
from lendery.web.words import zone

Mode = Literal["out", "in"]
Kind = Literal[
    "lent",
    "renewed",
    "waived",
    "refused",
    "left",
    "card",
    "found",
    "unknown",
    "shelve",
    "send",
    "problem",
]
BARCODE = re.compile(r"^[A-Za-z0-9._-]{1,64}$")
CARD = re.compile(r"^[A-Z0-9-]{3,32}$")
KEPT_ROWS = 25
ASIDE = ("withdrawn", "lost", "missing", "claimed-returned", "damaged")


class Row(Value):
    """One scan and what came of it, as the log shows it."""

    key: str
    code: str
    kind: Kind
    title: str = ""
    book_id: UUID | None = None
    patron_id: UUID | None = None
    due_at: datetime | None = None
    zone: str = "UTC"
    place: str = ""
    call_number: str = ""
    name: str = ""
    says: Literal["", "is-card", "not-on-loan", "scan-card", "set-aside", "no-barcode"] = ""
    detail: str = ""
    was_late: bool = False
    blocks: tuple[Block, ...] = ()

    @property
    def waivable(self) -> bool:
        return bool(self.blocks) and all(block.waivable for block in self.blocks)

    @property
    def theirs(self) -> bool:
        return any(block.code == "already-yours" for block in self.blocks)


ROWS = TypeAdapter(tuple[Row, ...])


def packed(rows: Sequence[Row]) -> str:
    """Rows as text that a form can carry."""
    dumped = [row.model_dump(mode="json", exclude_defaults=True) for row in rows[:KEPT_ROWS]]
    return json.dumps(dumped, separators=(",", ":"))


def unpacked(text: str | None) -> tuple[Row, ...]:
    try:
        return ROWS.validate_json(text) if text else ()
    except ValidationError:  # an older program's rows: the log begins anew
        return ()


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
        key = request_key(scan.key, actor, "check-out", asked.model_dump_json())
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
        return await self._taken_back(scan, back, asked.returned_at or now)

    async def _taken_back(self, scan: Scan, back: Return, at: datetime) -> Row:
        copy = back.copy_here
        aside = copy.status in ASIDE
        kind: Kind = "problem" if aside else "send" if back.next == "transit" else "shelve"
        row = _row(
            scan,
            kind,
            says="set-aside" if aside else "" if back.loan else "not-on-loan",
            detail=copy.status if aside else "",
            place=self.places.name(back.to_branch),
            patron_id=back.loan.patron_id if back.loan else None,
            due_at=back.loan.due_at if back.loan else None,
            was_late=bool(back.loan and back.loan.due_at < at),
            zone=self.places.zone(copy.home_branch_id),
        )
        found, titled = await asyncio.gather(
            self.ports.copies.by_ids(ids=[copy.id]), self._with_title(row, copy.book_id)
        )
        number = found[0].call_number if found else None
        return titled.model_copy(update={"call_number": number or titled.call_number})

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
