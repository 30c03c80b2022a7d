"""The changes of a context, numbered: the ground truth of everything that is kept anywhere.

Each change moves the version in the context's one row, in its own transaction, and gives it a
random mark: number and mark name one state of one library, also after a backup was restored.
What a change touches is noted beside it (`<context>_changed`). A change that notes nothing is
known by the gap and taken to touch everything, so forgetting to note makes slow, never wrong.

On PostgreSQL a process may answer from memory while it holds a lease (`<context>_reader`, see
feed.py). `settle` runs after the commit and before the change is answered: it waits until every
holder says that it has seen the change, LEASE seconds at most. Only lengths of time are compared,
never clocks of two machines.
"""

import asyncio
import contextlib
import secrets
import time
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    Column,
    MetaData,
    Table,
    Uuid,
    bindparam,
    delete,
    select,
    update,
)
from sqlalchemy.dialects import postgresql

from lendery.platform.db import Database, Json, Statement, Tx
from lendery.platform.db.session import Write
from lendery.platform.metrics import CACHE_SETTLE

LEASE = 2.0  # seconds that a reader may answer from memory without being heard of
KEPT = 1_000  # changes that a feed looks back on
NOBODY = UUID(int=0)


@dataclass
class Turn:
    """One change of a context: its number, its mark, and the log it belongs to."""

    log: "ChangeLog"
    version: int
    mark: int
    keys: tuple[str, ...] = ()
    noted: bool = False

    def touches(self, *keys: str) -> Write:
        """The write that says what this change touches beside lists; none: only lists.

        It must be complete: what changes without being named here is shown as it was. Said
        again, it adds to what was said before.
        """
        self.keys, self.noted = (*self.keys, *keys), True
        touched = list(self.keys)
        return self.log.note, {"version": self.version, "mark": self.mark, "touched": touched}


class ChangeLog:
    """`change` is the context's one row: id 1, version, mark."""

    def __init__(self, context: str, change: Table) -> None:
        self.context, self.channel = context, f"lendery_{context}"
        beside = MetaData()  # not part of a backup: it says nothing about the library
        self.changed = Table(
            f"{context}_changed",
            beside,
            Column("version", BigInteger, primary_key=True, autoincrement=False),
            Column("mark", BigInteger, nullable=False),
            Column("touched", Json, nullable=False),
        )
        self.reader = Table(
            f"{context}_reader",
            beside,
            Column("id", Uuid, primary_key=True),
            Column("seen", BigInteger, nullable=False),
        )
        changed, reader = self.changed, self.reader
        seen = bindparam("seen", type_=BigInteger())
        late = reader.c.seen < seen, reader.c.id != bindparam("me", type_=reader.c.id.type)
        held = postgresql.insert(reader).values(id=bindparam("id"), seen=seen)
        noted = postgresql.insert(changed).values(
            {each.name: bindparam(each.name, type_=each.type) for each in changed.c}
        )
        fresh = {"mark": noted.excluded.mark, "touched": noted.excluded.touched}
        self.note = Statement(noted.on_conflict_do_update(index_elements=["version"], set_=fresh))
        self.move = Statement(
            update(change)
            .where(change.c.id == 1)
            .values(version=change.c.version + 1, mark=bindparam("new_mark", type_=BigInteger()))
            .returning(change.c.version)
        )
        self.now = Statement(select(change.c.version, change.c.mark).where(change.c.id == 1))
        self.since = Statement(
            select(changed.c.version, changed.c.mark, changed.c.touched)
            .where(changed.c.version > bindparam("known", type_=BigInteger()))
            .order_by(changed.c.version)
            .limit(KEPT + 1)
        )
        self.hold = Statement(
            held.on_conflict_do_update(index_elements=["id"], set_={"seen": held.excluded.seen})
        )
        self.let_go = Statement(delete(reader).where(reader.c.id == bindparam("id")))
        self.waited_for = Statement(select(reader.c.id).where(*late).limit(1))
        self.give_up_on = Statement(delete(reader).where(*late))
        self.forget = Statement(
            delete(changed).where(changed.c.version <= bindparam("up_to", type_=BigInteger()))
        )

    @staticmethod
    def new_mark() -> int:
        return secrets.randbits(62)

    async def next_turn(self, tx: Tx) -> Turn:
        """Our turn to change this context. First in a transaction: writers queue here."""
        mark = self.new_mark()
        version: int = await tx.value(self.move, new_mark=mark)
        return self.turn(tx, version, mark)

    def turn(self, tx: Tx, version: int, mark: int) -> Turn:
        """A turn that was taken: readers will have been told before it is answered."""
        turn = Turn(self, version, mark)
        tx.afterwards.append(lambda db: self.settle(db, turn))
        return turn

    async def settle(self, db: Database, turn: Turn) -> None:
        """Returns when nobody answers from before this change any more. Never raises."""
        feed = db.feeds.get(self.context)
        if feed is not None:
            feed.told(turn)
        if db.dialect == "sqlite":
            return  # a reader there looks at the file itself
        began = time.monotonic()
        try:
            await self._seen_by_all(db, turn, feed.id if feed is not None else NOBODY, began)
        except Exception:  # they cannot be asked; but nobody outlives a lease
            await asyncio.sleep(began + LEASE - time.monotonic())
        CACHE_SETTLE.observe(time.monotonic() - began)

    async def _seen_by_all(self, db: Database, turn: Turn, me: UUID, began: float) -> None:
        pause = 0.0005
        while True:
            async with db.read() as session:
                if await session.row(self.waited_for, seen=turn.version, me=me) is None:
                    return
            left = began + LEASE - time.monotonic()
            if left <= 0:
                break
            await asyncio.sleep(min(pause, left))
            pause = min(pause * 1.5, 0.02)
        with contextlib.suppress(Exception):  # the next writer would wait for them once more
            async with db.begin() as tx:
                await tx.run(self.give_up_on, seen=turn.version, me=me)

    async def tidy(self, db: Database) -> None:
        """Forgets changes that no feed looks back on."""
        async with db.read() as session:
            row: Any = await session.row(self.now)
        async with db.begin() as tx:
            await tx.run(self.forget, up_to=row.version - 2 * KEPT)
