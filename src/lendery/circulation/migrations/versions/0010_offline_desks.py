"""Desks that lend without a connection, what they sent, and what is in conflict."""

import sqlalchemy as sa
from alembic import op

from lendery.platform.db.types import Json, UtcDateTime

revision = "0010"
down_revision = "0009"
compatible_from = "0006"

OPEN = sa.text("settled_at IS NULL")


def upgrade() -> None:
    op.create_table(
        "circulation_offline_desk",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("name", sa.String(500), nullable=False),
        sa.Column("branch_id", sa.Uuid, nullable=False),
        sa.Column("registered_at", UtcDateTime, nullable=False),
        sa.Column("registered_by", sa.Uuid),
        sa.Column("revoked_at", UtcDateTime),
        sa.Column("last_sequence", sa.Integer, nullable=False),
        sa.Column("last_signature", sa.String(64)),
        sa.Column("last_at", UtcDateTime, nullable=False),
    )
    op.create_table(
        "circulation_offline_batch",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("desk_id", sa.Uuid, nullable=False),
        sa.Column("first_sequence", sa.Integer, nullable=False),
        sa.Column("last_sequence", sa.Integer, nullable=False),
        sa.Column("last_signature", sa.String(64), nullable=False),
        sa.Column("received_at", UtcDateTime, nullable=False),
        sa.Column("received_by", sa.Uuid),
        sa.Column("place", sa.Uuid, nullable=False),
    )
    batch = "circulation_offline_batch"
    op.create_index("offline_batches_in_order", batch, ["place"], unique=True)
    op.create_index("offline_batches_of_desk", batch, ["desk_id", "place"])
    _transactions()
    _conflicts()


def downgrade() -> None:
    for name in ("conflict", "transaction", "batch", "desk"):
        op.drop_table(f"circulation_offline_{name}")


def _transactions() -> None:
    op.create_table(
        "circulation_offline_transaction",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("desk_id", sa.Uuid, nullable=False),
        sa.Column("sequence", sa.Integer, nullable=False),
        sa.Column("batch_id", sa.Uuid, nullable=False),
        sa.Column("signature", sa.String(64), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("happened_at", UtcDateTime, nullable=False),
        sa.Column("taken_at", UtcDateTime, nullable=False),
        sa.Column("recorded", sa.Boolean, nullable=False),
        sa.Column("conflicts", Json, nullable=False),
        sa.Column("loan_id", sa.Uuid),
        sa.Column("next", sa.String(16)),
        sa.Column("to_branch", sa.Uuid),
    )
    op.create_index(
        "one_offline_transaction_per_number",
        "circulation_offline_transaction",
        ["desk_id", "sequence"],
        unique=True,
    )


def _conflicts() -> None:
    table = "circulation_offline_conflict"
    op.create_table(
        table,
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("desk_id", sa.Uuid, nullable=False),
        sa.Column("place", sa.Uuid, nullable=False),
        sa.Column("barcode", sa.String(64), nullable=False),
        sa.Column("copy_id", sa.Uuid),
        sa.Column("loan_id", sa.Uuid),
        sa.Column("recorded", sa.Boolean, nullable=False),
        sa.Column("conflicts", Json, nullable=False),
        sa.Column("patron_id", sa.Uuid),
        sa.Column("card_number", sa.String(64)),
        sa.Column("settled_as", sa.String(16)),
        sa.Column("settled_at", UtcDateTime),
        sa.Column("settled_by", sa.Uuid),
        sa.Column("reason", sa.Text),
    )
    op.create_index("offline_conflicts_in_order", table, ["place"], unique=True)
    for name, column in (
        ("open_offline_conflicts", "place"),
        ("open_offline_conflicts_of_patron", "patron_id"),
    ):
        op.create_index(name, table, [column], sqlite_where=OPEN, postgresql_where=OPEN)
