"""Desks that lend without a connection."""

from sqlalchemy import Boolean, Column, Index, Integer, String, Table, Text, Uuid, text

from lendery.circulation.models.base import metadata
from lendery.platform.db import Json, UtcDateTime

STILL_UNSETTLED = text("settled_at IS NULL")

offline_desk = Table(  # desks that lend without a connection; their keys are kept nowhere
    "circulation_offline_desk",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("name", String(500), nullable=False),
    Column("branch_id", Uuid, nullable=False),
    Column("registered_at", UtcDateTime, nullable=False),
    Column("registered_by", Uuid),
    Column("revoked_at", UtcDateTime),
    Column("last_sequence", Integer, nullable=False),
    Column("last_signature", String(64)),
    Column("last_at", UtcDateTime, nullable=False),  # when the last of it happened
)

offline_batch = Table(
    "circulation_offline_batch",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("desk_id", Uuid, nullable=False),
    Column("first_sequence", Integer, nullable=False),
    Column("last_sequence", Integer, nullable=False),
    Column("last_signature", String(64), nullable=False),  # covers all that is in it
    Column("received_at", UtcDateTime, nullable=False),
    Column("received_by", Uuid),
    Column("place", Uuid, nullable=False),  # in the order in which they came
    Index("offline_batches_in_order", "place", unique=True),
    Index("offline_batches_of_desk", "desk_id", "place"),
)

offline_transaction = Table(  # what became of it; it names no reader
    "circulation_offline_transaction",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("desk_id", Uuid, nullable=False),
    Column("sequence", Integer, nullable=False),
    Column("batch_id", Uuid, nullable=False),
    Column("signature", String(64), nullable=False),
    Column("kind", String(16), nullable=False),
    Column("happened_at", UtcDateTime, nullable=False),
    Column("taken_at", UtcDateTime, nullable=False),
    Column("recorded", Boolean, nullable=False),
    Column("conflicts", Json, nullable=False),
    Column("loan_id", Uuid),
    Column("next", String(16)),
    Column("to_branch", Uuid),
    Index("one_offline_transaction_per_number", "desk_id", "sequence", unique=True),
)

offline_conflict = Table(
    "circulation_offline_conflict",
    metadata,
    Column("id", Uuid, primary_key=True),  # of the transaction
    Column("desk_id", Uuid, nullable=False),
    Column("place", Uuid, nullable=False),  # in the order in which they came
    Column("barcode", String(64), nullable=False),
    Column("copy_id", Uuid),
    Column("loan_id", Uuid),  # recorded, and as what
    Column("recorded", Boolean, nullable=False),
    Column("conflicts", Json, nullable=False),
    Column("patron_id", Uuid),  # of what was not recorded, while it is open
    Column("card_number", String(64)),  # likewise, where nobody is known by it
    Column("settled_as", String(16)),
    Column("settled_at", UtcDateTime),
    Column("settled_by", Uuid),
    Column("reason", Text),
    Index("offline_conflicts_in_order", "place", unique=True),
    Index(
        "open_offline_conflicts",
        "place",
        sqlite_where=STILL_UNSETTLED,
        postgresql_where=STILL_UNSETTLED,
    ),
    Index(
        "open_offline_conflicts_of_patron",
        "patron_id",
        sqlite_where=STILL_UNSETTLED,
        postgresql_where=STILL_UNSETTLED,
    ),
)
