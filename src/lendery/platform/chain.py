"""The chain of the log: what was delivered cannot be changed any more without it showing.

When the relay notes that a batch was delivered it *seals* it. A seal lists its events, a line
of `seq fingerprint` for each, and carries the hash of the seal before it:

    fingerprint = SHA-256 of {"aggregate":..,"at":..,"body":..,"id":..,"name":..,"seq":..}
    hash        = SHA-256 of "no prev at live|late", a line feed, and the list

Both in hex. The JSON has no blanks; `body` is in it as the text it lies in the log as.

A seal holds the rows it names, not a range of numbers, so an event that is committed after
others of a higher `seq` is not skipped. What waits or is parked is sealed when it is delivered.
*Late* seals hold what was delivered by a Lendery that did not seal yet.
Whoever can write to the database can write a whole new chain too: only a head noted elsewhere
(`lendery events verify --against`) tells. Decision 0014.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from json.encoder import encode_basestring as quoted
from typing import Any
from uuid import UUID

from sqlalchemy import Boolean, Text, and_, bindparam, func, select, type_coerce, update
from sqlalchemy.dialects import postgresql

from lendery.platform.db import Statement, Tx, UtcDateTime, any_of
from lendery.platform.db.log import ContextTables

GENESIS = "0" * 64  # stands before the first seal
AT_ONCE = 50  # fingerprints made before others get their turn: a third of a millisecond
LATE = 100  # events sealed late in one transaction: these are not in a hurry


class Overtaken(Exception):
    """Some of these events have a seal already. Nothing of this transaction may stand."""


def canonical(fact: Any) -> str:
    """An event's row as the one text that stands for it, on either database."""
    return (
        f'{{"aggregate":{quoted(_id(fact.aggregate))},"at":{quoted(moment(fact.at))},'
        f'"body":{quoted(fact.body)},"id":{quoted(_id(fact.id))},'
        f'"name":{quoted(fact.name)},"seq":{fact.seq}}}'
    )


def fingerprint(fact: Any) -> str:
    return sha256(canonical(fact).encode()).hexdigest()


def moment(at: datetime | str) -> str:
    """In UTC, to the microsecond; SQLite keeps this very text."""
    if isinstance(at, datetime):
        return at.astimezone(UTC).isoformat(timespec="microseconds")
    return str(at)


def _id(value: UUID | str) -> str:
    """32 hex digits; SQLite keeps these very ones."""
    return value.hex if isinstance(value, UUID) else value


async def fingerprints(facts: Sequence[Any]) -> dict[int, str]:
    """By seq, made a few at a time: others get their turn in between."""
    made: dict[int, str] = {}
    for start in range(0, len(facts), AT_ONCE):
        made.update((fact.seq, fingerprint(fact)) for fact in facts[start : start + AT_ONCE])
        if start + AT_ONCE < len(facts):
            await asyncio.sleep(0)
    return made


@dataclass(frozen=True)
class Seal:
    """One link: the events of a batch, bound to all that were sealed before."""

    no: int
    prev: str
    at: str
    late: bool
    contents: str

    @property
    def hash(self) -> str:
        head = f"{self.no} {self.prev} {self.at} {'late' if self.late else 'live'}"
        return sha256(f"{head}\n{self.contents}".encode()).hexdigest()

    @classmethod
    def after(cls, head: Any, made: Mapping[int, str], *, now: datetime, late: bool) -> "Seal":
        return cls(
            no=(head.no or 0) + 1,
            prev=head.hash or GENESIS,
            at=moment(now),
            late=late,
            contents="".join(f"{seq} {made[seq]}\n" for seq in sorted(made)),
        )


class Chain:
    """One context's seals, as the relay adds to them."""

    def __init__(self, tables: ContextTables) -> None:
        event, seal = tables.event, tables.seal
        now = bindparam("now", type_=UtcDateTime())
        self.last = (  # the newest seal's number and hash, or nulls
            select(seal.c.no).order_by(seal.c.no.desc()).limit(1).scalar_subquery().label("no"),
            select(seal.c.hash).order_by(seal.c.no.desc()).limit(1).scalar_subquery().label("hash"),
        )
        self.head = Statement(select(*self.last))
        self.add = Statement(
            postgresql.insert(seal)
            .values(
                no=bindparam("s_no"),
                prev=bindparam("s_prev"),
                hash=bindparam("s_hash"),
                events=bindparam("s_events"),
                at=bindparam("s_at", type_=UtcDateTime()),
                late=bindparam("s_late", type_=Boolean()),
                contents=bindparam("s_contents"),
            )
            .on_conflict_do_nothing(index_elements=["no"])
        )
        self.done = Statement(
            update(event)
            .where(any_of(event.c.seq, "seqs"), event.c.seal_no.is_(None))
            .values(
                published_at=func.coalesce(event.c.published_at, now),
                claimed_until=None,
                error=None,
                seal_no=bindparam("no"),
            )
        )
        self.unsealed = Statement(
            select(event.c.seq).where(any_of(event.c.seq, "seqs"), event.c.seal_no.is_(None))
        )
        behind = and_(event.c.seal_no.is_(None), event.c.published_at.is_not(None))
        self.is_behind = Statement(select(event.c.seq).where(behind).limit(1))
        self.behind = Statement(
            select(*facts(tables))
            .where(behind)
            .order_by(event.c.seq)
            .limit(LATE)
            .with_for_update(skip_locked=True)
        )

    async def seal(
        self, tx: Tx, made: Mapping[int, str], *, head: Any, now: datetime, late: bool = False
    ) -> None:
        """Marks these events as delivered, and as sealed. Raises Overtaken.

        `head` is what this relay saw last. The key of the seals is the lock: who has put in
        number n holds it until the commit, and whoever waited for it finds the number taken,
        looks again, and goes on from there.
        """
        seal = Seal.after(head, made, now=now, late=late)
        while not await self._added(tx, seal, len(made), now):
            seal = Seal.after(await tx.row(self.head), made, now=now, late=late)
        if await tx.run(self.done, seqs=sorted(made), no=seal.no, now=now) != len(made):
            raise Overtaken

    async def _added(self, tx: Tx, seal: Seal, events: int, now: datetime) -> int:
        return await tx.run(
            self.add,
            s_no=seal.no,
            s_prev=seal.prev,
            s_hash=seal.hash,
            s_events=events,
            s_at=now,
            s_late=seal.late,
            s_contents=seal.contents,
        )

    async def seal_late(self, tx: Tx, *, now: datetime) -> int:
        """Seals some of what was delivered without a seal; returns how many."""
        made = await fingerprints(await tx.rows(self.behind))
        if made:
            await self.seal(tx, made, head=await tx.row(self.head), now=now, late=True)
        return len(made)


def facts(tables: ContextTables) -> tuple[Any, ...]:
    """The columns of an event that never change, as they lie in the database."""
    event = tables.event
    return (
        event.c.seq,
        type_coerce(event.c.id, Text).label("id"),
        event.c.name,
        type_coerce(event.c.aggregate, Text).label("aggregate"),
        type_coerce(event.c.at, Text).label("at"),
        type_coerce(event.c.body, Text).label("body"),
    )
