"""Who was erased and whether it is complete; which staff looked at whom."""

import sqlalchemy as sa
from alembic import op

from lendery.platform.db.types import Json, UtcDateTime
from lendery.platform.lookup_steps import create_lookup_table, drop_lookup_table

revision = "0004"
down_revision = "0003"
compatible_from = "0001"

UNFINISHED = sa.text("finished_at IS NULL")


def upgrade() -> None:
    create_lookup_table(op, "accounts")
    op.create_table(
        "accounts_erasure",
        sa.Column("user_id", sa.Uuid, primary_key=True),
        sa.Column("asked_at", UtcDateTime, nullable=False),
        sa.Column("asked_by", sa.Uuid),
        sa.Column("told_at", UtcDateTime, nullable=False),
        sa.Column("held", Json, nullable=False),
        sa.Column("finished_at", UtcDateTime),
    )
    op.create_index(
        "accounts_erasures_pending",
        "accounts_erasure",
        ["told_at"],
        sqlite_where=UNFINISHED,
        postgresql_where=UNFINISHED,
    )


def downgrade() -> None:
    op.drop_table("accounts_erasure")
    drop_lookup_table(op, "accounts")
