"""The versions of the rule table: which is in force, which begins next, and a new one."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Integer, bindparam, delete, func, insert, or_, select

from lendery.circulation.models import copy, patron, rule, rule_table
from lendery.contracts.circulation import Rule
from lendery.platform.db import Session, Statement, Tx, UtcDateTime

AT = bindparam("at", type_=UtcDateTime())
NUMBER = bindparam("with_number", type_=Integer())
_latest = (rule_table.c.valid_from.desc(), rule_table.c.number.desc())
_begun = or_(rule_table.c.planned.is_(False), rule_table.c.valid_from <= AT)
_facts = [each for each in rule_table.c if each.name != "rows"]
IN_FORCE = Statement(select(rule_table).where(_begun).order_by(*_latest).limit(1))
IN_FORCE_NUMBER = Statement(select(rule_table.c.number).where(_begun).order_by(*_latest).limit(1))
AS_OF = Statement(
    select(rule_table).where(rule_table.c.valid_from <= AT).order_by(*_latest).limit(1)
)
AS_OF_NUMBER = Statement(
    select(rule_table.c.number).where(rule_table.c.valid_from <= AT).order_by(*_latest).limit(1)
)
NEXT_BEGINS = Statement(
    select(func.min(rule_table.c.valid_from)).where(
        rule_table.c.planned.is_(True), rule_table.c.valid_from > AT
    )
)
LAST_NUMBER = Statement(select(func.coalesce(func.max(rule_table.c.number), 0)))
VERSION = Statement(select(rule_table).where(rule_table.c.number == NUMBER))
VERSIONS = Statement(
    select(*_facts)
    .where(rule_table.c.number < NUMBER)
    .order_by(rule_table.c.number.desc())
    .limit(bindparam("many", type_=Integer()))
)
COUNT = Statement(select(func.count()).select_from(rule_table))
ADD = Statement(
    insert(rule_table).values({c.name: bindparam(c.name, type_=c.type) for c in rule_table.c})
)
CLEAR = Statement(delete(rule))
CATEGORIES = Statement(select(patron.c.category).distinct())
ITEM_TYPES = Statement(select(copy.c.item_type).distinct())


def rules_of(row: Any | None) -> list[Rule]:
    """The rows of a version; None: there is no version, so there are none."""
    return [Rule.model_validate(each) for each in row.rows] if row is not None else []


async def in_force(session: Session, at: datetime) -> Any | None:
    """What decides at that instant, seen from now. None: no table was saved yet."""
    return await session.row(IN_FORCE, at=at)


async def in_force_number(session: Session, at: datetime) -> int | None:
    found: int | None = await session.value(IN_FORCE_NUMBER, at=at)
    return found


async def as_of(session: Session, at: datetime) -> Any | None:
    """What decided, or will decide, at that instant."""
    return await session.row(AS_OF, at=at)


async def as_of_number(session: Session, at: datetime) -> int | None:
    found: int | None = await session.value(AS_OF_NUMBER, at=at)
    return found


async def next_begins(session: Session, at: datetime) -> datetime | None:
    """When the next planned table comes into force."""
    found: datetime | None = await session.value(NEXT_BEGINS, at=at)
    return found


async def last_number(session: Session) -> int:
    return int(await session.value(LAST_NUMBER))


async def version(session: Session, number: int) -> Any | None:
    return await session.row(VERSION, with_number=number)


async def versions(session: Session, *, before: int, many: int) -> list[Any]:
    """Without their rows, the newest first."""
    return await session.rows(VERSIONS, with_number=before, many=many)


async def count(session: Session) -> int:
    return int(await session.value(COUNT))


async def add(tx: Tx, rows: Sequence[Rule], *, kept: list[dict[str, Any]], **facts: Any) -> None:
    """For a transaction that has the next version of the house. `kept` are the rows as JSON."""
    await tx.run(ADD, **facts, rows=kept, size=len(rows))
    if not facts["planned"]:
        await tx.run(CLEAR)
        await tx.load(rule, [{**row.model_dump(), "scope": _scope(row)} for row in rows])


def _scope(row: Rule) -> str:
    return "|".join(
        str(part or "") for part in (row.branch_id, row.category, row.item_type, row.parameter)
    )


async def words_met(session: Session) -> tuple[list[str], list[str]]:
    """The patron categories and item types of whom and what circulation has met."""
    categories = await session.rows(CATEGORIES)
    item_types = await session.rows(ITEM_TYPES)
    return [row.category for row in categories], [row.item_type for row in item_types]
