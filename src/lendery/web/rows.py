"""The rows of the desk's log: what was scanned, and what came of it."""

import json
from collections.abc import Sequence
from datetime import date, datetime
from typing import Literal
from uuid import UUID

from pydantic import TypeAdapter, ValidationError

from lendery.contracts.base import Money, Value
from lendery.contracts.circulation import Block

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
    "hold",
    "send",
    "problem",
]
KEPT_ROWS = 25


class ForHold(Value):
    """Whom a copy that came in is for, as a slip on the hold shelf says it."""

    name: str = ""
    card: str = ""
    until: date | None = None


class Charged(Value):
    """A fine that was charged because the copy came late; whose account it is on."""

    amount: Money
    patron_id: UUID | None = None


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
    for_hold: ForHold | None = None
    charged: Charged | None = None

    @property
    def waivable(self) -> bool:
        return bool(self.blocks) and all(block.waivable for block in self.blocks)

    @property
    def theirs(self) -> bool:
        return self._objects("already-yours")

    @property
    def owes(self) -> bool:
        return self._objects("fines-owed")

    def _objects(self, code: str) -> bool:
        return any(block.code == code for block in self.blocks)


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
