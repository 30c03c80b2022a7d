"""Cash sessions, and the sums of the lines that belong to them."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, func, insert, or_, select, update

from lendery.circulation.models import cash_session, ledger_line
from lendery.circulation.repository.loans import KEY, key_values
from lendery.contracts.base import RequestKey
from lendery.contracts.circulation import CashSessionFilter
from lendery.platform.db import Session, Statement, Tx, UtcDateTime, any_of
from lendery.platform.db.session import Write

line = ledger_line
NOT_COUNTED = cash_session.c.closed_at.is_(None)
ID = cash_session.c.id == bindparam("session_id")
SINCE = bindparam("since", type_=UtcDateTime())
UNTIL = bindparam("until", type_=UtcDateTime())
TOLD_BEFORE = Statement(select(*KEY))
OPEN = Statement(select(cash_session).where(NOT_COUNTED).order_by(cash_session.c.id))
BY_ID = Statement(select(cash_session).where(ID))
# Many settle at once in an open session, and nobody while it is being closed: whoever closes it
# waits for them, and reads the lines afterwards.
HELD = Statement(select(cash_session.c.id).where(ID, NOT_COUNTED).with_for_update(read=True))
LOCKED = Statement(select(cash_session).where(ID).with_for_update())
BEGIN = Statement(
    insert(cash_session).values({c.name: bindparam(c.name, type_=c.type) for c in cash_session.c})
)
END = Statement(
    update(cash_session)
    .where(cash_session.c.id == bindparam("s_id"), NOT_COUNTED)
    .values(
        closed_at=bindparam("s_closed_at", type_=UtcDateTime()),
        closed_by=bindparam("s_closed_by", type_=cash_session.c.closed_by.type),
        expected=bindparam("s_expected"),
        counted=bindparam("s_counted"),
    )
)
NOT_YET = dict.fromkeys(("closed_at", "closed_by", "expected", "counted"))
SUMMED = (
    line.c.kind,
    line.c.method,
    func.count().label("lines"),
    (-func.sum(line.c.amount)).label("amount"),
)
TOTALS = Statement(
    select(line.c.cash_session_id, *SUMMED)
    .where(any_of(line.c.cash_session_id, "session_ids"))
    .group_by(line.c.cash_session_id, line.c.kind, line.c.method)
)
TOTALS_BETWEEN = Statement(
    select(line.c.cash_session_id, *SUMMED)
    .where(any_of(line.c.cash_session_id, "session_ids"), line.c.at >= SINCE, line.c.at < UNTIL)
    .group_by(line.c.cash_session_id, line.c.kind, line.c.method)
)
OUTSIDE = Statement(
    select(*SUMMED)
    .where(
        line.c.method.is_not(None),
        line.c.cash_session_id.is_(None),
        line.c.at >= SINCE,
        line.c.at < UNTIL,
    )
    .group_by(line.c.kind, line.c.method)
)
AROUND = Statement(
    select(cash_session)
    .where(cash_session.c.opened_at < UNTIL, or_(NOT_COUNTED, cash_session.c.closed_at >= SINCE))
    .order_by(cash_session.c.id)
)


async def told_before(session: Session, key: RequestKey | None) -> Any:
    return await session.row(TOLD_BEFORE, **key_values(key))


async def open_sessions(session: Session) -> list[Any]:
    """All that are open now: as many as there are desks at work."""
    return await session.rows(OPEN)


async def hold(tx: Tx, session_id: UUID) -> bool:
    """Keeps it open until the transaction ends; False: it is closed by now."""
    return await tx.row(HELD, session_id=session_id) is not None


async def lock(tx: Tx, session_id: UUID) -> Any | None:
    """Nobody settles anything in it until the transaction ends, and who did has committed."""
    return await tx.row(LOCKED, session_id=session_id)


async def by_id(session: Session, session_id: UUID) -> Any | None:
    return await session.row(BY_ID, session_id=session_id)


async def page(
    session: Session, *, like: CashSessionFilter, after: UUID | None, limit: int
) -> list[Any]:
    """The newest first."""
    query = select(cash_session).where(*_conditions(like)).order_by(cash_session.c.id.desc())
    query = query.limit(limit)
    return await session.rows(query if after is None else query.where(cash_session.c.id < after))


async def count(session: Session, like: CashSessionFilter) -> int:
    query = select(func.count()).select_from(cash_session).where(*_conditions(like))
    return int(await session.value(query))


def _conditions(like: CashSessionFilter) -> list[Any]:
    found: list[Any] = []
    if like.branch_id is not None:
        found.append(cash_session.c.branch_id == like.branch_id)
    if like.desk is not None:
        found.append(cash_session.c.desk == like.desk)
    if like.open is not None:
        found.append(NOT_COUNTED if like.open else cash_session.c.closed_at.is_not(None))
    return found


async def lines(session: Session, session_id: UUID, *, after: UUID | None, limit: int) -> list[Any]:
    query = select(line).where(line.c.cash_session_id == session_id)
    query = query.order_by(line.c.id).limit(limit)
    return await session.rows(query if after is None else query.where(line.c.id > after))


async def count_lines(session: Session, session_id: UUID) -> int:
    query = select(func.count()).select_from(line).where(line.c.cash_session_id == session_id)
    return int(await session.value(query))


async def totals(session: Session, ids: Sequence[UUID]) -> dict[UUID, list[Any]]:
    """What belongs to each of them; those to which nothing does are not there."""
    return _by_session(await session.rows(TOTALS, session_ids=list(ids)) if ids else [])


async def totals_between(
    session: Session, ids: Sequence[UUID], since: datetime, until: datetime
) -> dict[UUID, list[Any]]:
    """As `totals`, of what was written since then and before then."""
    given = {"session_ids": list(ids), "since": since, "until": until}
    return _by_session(await session.rows(TOTALS_BETWEEN, **given) if ids else [])


async def outside(session: Session, since: datetime, until: datetime) -> list[Any]:
    """What was settled between the two where no session was open."""
    return await session.rows(OUTSIDE, since=since, until=until)


async def around(session: Session, since: datetime, until: datetime) -> list[Any]:
    """The sessions that were open at any moment between the two."""
    return await session.rows(AROUND, since=since, until=until)


def _by_session(rows: Sequence[Any]) -> dict[UUID, list[Any]]:
    found: dict[UUID, list[Any]] = defaultdict(list)
    for row in rows:
        found[row.cash_session_id].append(row)
    return found


def beginning(**columns: Any) -> Write:
    return BEGIN, columns | NOT_YET


def ending(
    session_id: UUID, *, at: datetime, by: UUID | None, expected: int, counted: int
) -> Write:
    return END, {
        "s_id": session_id,
        "s_closed_at": at,
        "s_closed_by": by,
        "s_expected": expected,
        "s_counted": counted,
    }
