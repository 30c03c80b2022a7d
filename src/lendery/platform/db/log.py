"""The tables every context has beside its own: events, seals, inbox, requests, slots.

`<context>_event` is the append-only log, and outbox, audit trail and event store in one: the
facts of a row never change (a trigger keeps them), only how far its delivery has come.
`<context>_seal` chains what was delivered (platform/chain.py): a seal is never changed at all.
`<context>_inbox` remembers which reaction has acted on which event. `<context>_request`
keeps the answer given to each `Idempotency-Key`. `<context>_slot` is in slots.py.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Index,
    Integer,
    MetaData,
    SmallInteger,
    String,
    Table,
    Text,
    Uuid,
    bindparam,
    insert,
    text,
)
from sqlalchemy.dialects import postgresql

from lendery.contracts.base import Event, RequestKey
from lendery.platform.db.slots import SlotTable, slot_table
from lendery.platform.db.statement import Statement
from lendery.platform.db.types import Json, UtcDateTime

Sequence64 = BigInteger().with_variant(Integer(), "sqlite")
WAITING = text("published_at IS NULL AND parked_at IS NULL")
SEALED = text("seal_no IS NOT NULL")
UNSEALED = text("seal_no IS NULL AND published_at IS NOT NULL")


@dataclass(frozen=True)
class ContextTables:
    """A context's log, seals, inbox and request keys, with the statements that write them."""

    context: str
    event: Table
    seal: Table
    inbox: Table
    request: Table
    slots: SlotTable
    append: Statement
    receive: Statement
    remember: Statement

    def announcement(self, happened: Event) -> tuple[Statement, dict[str, Any]]:
        return self.append, {f"e_{name}": value for name, value in self.fact(happened).items()}

    def fact(self, happened: Event) -> dict[str, Any]:
        """What the log says of it, by column."""
        return {
            "id": happened.id,
            "name": happened.name,
            "aggregate": happened.aggregate,
            "at": happened.at,
            "body": happened.model_dump(mode="json", exclude={"id", "at"}),
        }

    def received(
        self, event: Event, reaction: str, now: datetime
    ) -> tuple[Statement, dict[str, Any]]:
        return self.receive, {"event_id": event.id, "reaction": reaction, "at": now}

    def answered(
        self, key: RequestKey, *, status: int, answer: Any, now: datetime
    ) -> tuple[Statement, dict[str, Any]]:
        """The write that remembers what this key was told."""
        return self.remember, {
            "r_scope": key.scope,
            "r_key": key.key,
            "r_fingerprint": key.fingerprint,
            "r_status": status,
            "r_answer": answer,
            "r_at": now,
        }


def context_tables(context: str, metadata: MetaData) -> ContextTables:
    event = _event_table(context, metadata)
    seal = _seal_table(context, metadata)
    inbox = Table(
        f"{context}_inbox",
        metadata,
        Column("event_id", Uuid, primary_key=True),
        Column("reaction", String(120), primary_key=True),
        Column("at", UtcDateTime, nullable=False),
    )
    request = Table(
        f"{context}_request",
        metadata,
        Column("scope", String(64), primary_key=True),
        Column("key", String(255), primary_key=True),
        Column("fingerprint", String(64), nullable=False),
        Column("status", SmallInteger, nullable=False),
        Column("answer", Json, nullable=False),
        Column("at", UtcDateTime, nullable=False),
        Index(f"{context}_requests_by_age", "at"),
    )
    return ContextTables(
        context=context,
        event=event,
        seal=seal,
        inbox=inbox,
        request=request,
        slots=slot_table(context, metadata),
        append=Statement(insert(event).values(_bound(event, "e_", "id name aggregate at body"))),
        receive=Statement(
            postgresql.insert(inbox)
            .values(_bound(inbox, "", "event_id reaction at"))
            .on_conflict_do_nothing(index_elements=["event_id", "reaction"])
        ),
        remember=Statement(
            insert(request).values(_bound(request, "r_", "scope key fingerprint status answer at"))
        ),
    )


def _event_table(context: str, metadata: MetaData) -> Table:
    return Table(
        f"{context}_event",
        metadata,
        Column("seq", Sequence64, primary_key=True, autoincrement=True),
        Column("id", Uuid, nullable=False),
        Column("name", String(80), nullable=False),
        Column("aggregate", Uuid, nullable=False),
        Column("at", UtcDateTime, nullable=False),
        Column("body", Json, nullable=False),
        # from here on: how far its delivery has come
        Column("published_at", UtcDateTime),
        Column("claimed_until", UtcDateTime),
        Column("attempts", Integer, nullable=False, server_default=text("0")),
        Column("next_at", UtcDateTime),
        Column("parked_at", UtcDateTime),
        Column("error", Text),
        Column("seal_no", Sequence64),  # set once, with published_at
        Index(f"{context}_event_by_id", "id", unique=True),
        Index(f"{context}_events_due", "seq", sqlite_where=WAITING, postgresql_where=WAITING),
        Index(
            f"{context}_events_waiting",
            "aggregate",
            "seq",
            sqlite_where=WAITING,
            postgresql_where=WAITING,
        ),
        Index(
            f"{context}_events_sealed",
            "seal_no",
            "seq",
            sqlite_where=SEALED,
            postgresql_where=SEALED,
        ),
        Index(
            f"{context}_events_unsealed", "seq", sqlite_where=UNSEALED, postgresql_where=UNSEALED
        ),
        sqlite_autoincrement=True,
    )


def _seal_table(context: str, metadata: MetaData) -> Table:
    return Table(
        f"{context}_seal",
        metadata,
        Column("no", Sequence64, primary_key=True, autoincrement=False),
        Column("prev", String(64), nullable=False),
        Column("hash", String(64), nullable=False),
        Column("events", Integer, nullable=False),
        Column("at", UtcDateTime, nullable=False),
        Column("late", Boolean, nullable=False),
        Column("contents", Text, nullable=False),
    )


def _bound(table: Table, prefix: str, names: str) -> dict[str, Any]:
    return {name: bindparam(f"{prefix}{name}", type_=table.c[name].type) for name in names.split()}
