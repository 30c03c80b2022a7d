"""A rule table is never changed: what is saved is a new version of the whole."""

import hashlib
import json
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID

from lendery.circulation.repository import rule_tables
from lendery.circulation.repository.house import NEXT_VERSION
from lendery.contracts.base import new_id
from lendery.contracts.circulation import NewRule, Rule, RuleTableSaved, RuleVersion
from lendery.platform.db import Database, Session, Tx

T = TypeVar("T")


@dataclass(frozen=True)
class Base:
    """The table in force, which a new one replaces. `row` is None before the first."""

    row: Any | None
    rules: list[Rule]

    @property
    def number(self) -> int | None:
        return self.row.number if self.row is not None else None

    @classmethod
    async def of(cls, session: Session, now: datetime) -> "Base":
        row = await rule_tables.in_force(session, now)
        return cls(row, rule_tables.rules_of(row))


async def in_turn(db: Database, change: Callable[[Tx], Awaitable[T]]) -> T:
    """One change of the table after the other: the lock comes before anything is read."""
    async with db.begin() as tx:
        await tx.run(NEXT_VERSION)
        return await change(tx)


async def save(
    tx: Tx,
    base: Base,
    rows: Sequence[Rule],
    *,
    valid_from: datetime | None,
    comment: str | None,
    restored_from: int | None = None,
    by: UUID | None,
    now: datetime,
) -> RuleVersion:
    """A new version, in force at once unless it says from when; for a change `in_turn`.

    One at once begins no sooner than the one it replaces, whatever the clock here says.
    """
    number = await rule_tables.last_number(tx) + 1
    begun = base.row.valid_from if base.row is not None else now
    kept = [row.model_dump(mode="json") for row in rows]
    facts: dict[str, Any] = {
        "number": number,
        "id": new_id(),
        "valid_from": valid_from or max(now, begun),
        "planned": valid_from is not None,
        "saved_at": now,
        "saved_by": by,
        "comment": comment,
        "restored_from": restored_from,
    }
    await rule_tables.add(tx, rows, kept=kept, **facts)
    told = RuleTableSaved(
        at=now,
        version_id=facts["id"],
        number=number,
        valid_from=facts["valid_from"],
        size=len(rows),
        digest=digest_of(kept),
        restored_from=restored_from,
        by=by,
    )
    await tx.announce(told)
    state = "planned" if valid_from else "in-force"
    return RuleVersion.model_validate({**facts, "size": len(rows), "state": state})


def as_new(row: Rule) -> NewRule:
    return NewRule.model_construct(
        branch_id=row.branch_id,
        category=row.category,
        item_type=row.item_type,
        parameter=row.parameter,
        value=row.value,
    )


def digest_of(kept: list[dict[str, Any]]) -> str:
    text = json.dumps(kept, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()
