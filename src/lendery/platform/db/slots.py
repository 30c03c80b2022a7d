"""The table of a context's slots: what was done about each time of each of its jobs.

A slot is claimed by its row, of which there can be only one. `runner` fences as in jobs.py: who
has lost the lease can neither renew it nor say how the job ended.
"""

from dataclasses import dataclass

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ColumnElement,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    Uuid,
    and_,
    bindparam,
    delete,
    func,
    insert,
    or_,
    select,
    update,
)

from lendery.platform.db.statement import Statement
from lendery.platform.db.types import UtcDateTime


@dataclass(frozen=True)
class SlotTable:
    """A context's slots, and what is asked of them."""

    context: str
    slot: Table
    take_turns: Statement
    newest: Statement
    newest_of_all: Statement
    last_ended: Statement
    ask: Statement
    claim: Statement
    claim_again: Statement
    pass_over: Statement
    hasten: Statement
    doubt: Statement
    renew: Statement
    end: Statement
    forget: Statement


def slot_table(context: str, metadata: MetaData) -> SlotTable:
    slot = Table(
        f"{context}_slot",
        metadata,
        Column("job", String(80), primary_key=True),
        Column("slot_at", UtcDateTime, primary_key=True),
        Column("id", Uuid, nullable=False),
        Column("state", String(12), nullable=False),
        Column("attempts", Integer, nullable=False),
        Column("runner", Uuid),
        Column("ran_by", String(12)),  # process or celery
        Column("lease_until", UtcDateTime),
        Column("doubted", Boolean, nullable=False),
        Column("again_at", UtcDateTime),
        Column("began_at", UtcDateTime),
        Column("ended_at", UtcDateTime),
        Column("error", Text),
        Index(f"{context}_slots_by_time", "slot_at"),
    )
    given = {each.name: bindparam(f"to_{each.name}", type_=each.type) for each in slot.c}
    at = and_(
        slot.c.job == bindparam("job", type_=String()),
        slot.c.slot_at == bindparam("slot_at", type_=UtcDateTime()),
    )
    mine = and_(at, slot.c.runner == bindparam("by", type_=Uuid()), slot.c.state == "running")
    believed = slot.c.slot_at <= bindparam("horizon", type_=UtcDateTime())
    other = slot.alias()
    began = {
        "state": "running",
        "runner": bindparam("by", type_=Uuid()),
        "ran_by": bindparam("how", type_=String()),
        "lease_until": bindparam("until", type_=UtcDateTime()),
        "began_at": bindparam("now", type_=UtcDateTime()),
        "doubted": False,
    }
    return SlotTable(
        context=context,
        slot=slot,
        take_turns=Statement(
            select(
                func.pg_advisory_xact_lock(bindparam("turn", type_=BigInteger())).label("locked")
            )
        ),
        newest=Statement(
            select(slot)
            .where(slot.c.job == bindparam("job", type_=String()), believed)
            .order_by(slot.c.slot_at.desc())
            .limit(1)
            .with_for_update()
        ),
        newest_of_all=_newest_where(slot, believed),
        last_ended=_newest_where(slot, and_(slot.c.ended_at.is_not(None), believed)),
        ask=Statement(insert(slot).values({name: given[name] for name in given})),
        claim=Statement(
            insert(slot).values(
                {
                    **began,
                    "job": given["job"],
                    "slot_at": given["slot_at"],
                    "id": given["id"],
                    "attempts": 1,
                }
            )
        ),
        claim_again=Statement(
            update(slot)
            .where(at)
            .values({**began, "attempts": slot.c.attempts + 1, "again_at": None, "ended_at": None})
            .returning(*slot.c)
        ),
        pass_over=Statement(
            update(slot)
            .where(
                slot.c.job == bindparam("job", type_=String()),
                slot.c.slot_at < bindparam("slot_at", type_=UtcDateTime()),
                or_(slot.c.state.in_(("running", "waiting")), slot.c.again_at.is_not(None)),
            )
            .values(
                state="failed",
                runner=None,
                lease_until=None,
                again_at=None,
                ended_at=func.coalesce(slot.c.ended_at, bindparam("now", type_=UtcDateTime())),
                error=func.coalesce(slot.c.error, "Its process ended before it did."),
            )
        ),
        hasten=Statement(
            update(slot)
            .where(at, slot.c.again_at.is_not(None))
            .values(state="waiting", again_at=None)
        ),
        doubt=Statement(
            update(slot)
            .where(at)
            .values(doubted=True, lease_until=bindparam("until", type_=UtcDateTime()))
        ),
        renew=Statement(
            update(slot)
            .where(mine)
            .values(doubted=False, lease_until=bindparam("until", type_=UtcDateTime()))
        ),
        end=Statement(
            update(slot)
            .where(mine)
            .values(
                state=given["state"],
                error=given["error"],
                again_at=given["again_at"],
                ended_at=given["ended_at"],
                attempts=slot.c.attempts - bindparam("uncounted", type_=Integer()),
                runner=None,
                lease_until=None,
            )
        ),
        forget=Statement(
            delete(slot).where(
                slot.c.slot_at < bindparam("before", type_=UtcDateTime()),
                slot.c.state != "running",
                slot.c.slot_at
                < select(func.max(other.c.slot_at))
                .where(other.c.job == slot.c.job)
                .correlate(slot)
                .scalar_subquery(),
            )
        ),
    )


def _newest_where(slot: Table, which: ColumnElement[bool]) -> Statement:
    """Of each job the newest of those slots."""
    last = select(slot.c.job, func.max(slot.c.slot_at).label("at")).where(which)
    found = last.group_by(slot.c.job).subquery()
    return Statement(
        select(slot)
        .join(found, and_(slot.c.job == found.c.job, slot.c.slot_at == found.c.at))
        .order_by(slot.c.job)
    )
