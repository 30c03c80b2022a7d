"""Who wants which report by e-mail."""

import sqlalchemy as sa
from alembic import op

from lendery.platform.db.types import UtcDateTime

revision = "0003"
down_revision = "0002"
compatible_from = "0001"


def upgrade() -> None:
    op.create_table(
        "reports_subscription",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("owner_id", sa.Uuid, nullable=False),
        sa.Column("report", sa.String(40), nullable=False),
        sa.Column("form", sa.String(8), nullable=False),
        sa.Column("every", sa.String(8), nullable=False),
        sa.Column("weekday", sa.String(3)),
        sa.Column("day", sa.String(4)),
        sa.Column("hour", sa.Integer, nullable=False),
        sa.Column("branch_id", sa.Uuid),
        sa.Column("sort", sa.String(40)),
        sa.Column("threshold", sa.Integer, nullable=False),
        sa.Column("months", sa.Integer, nullable=False),
        sa.Column("per", sa.String(8), nullable=False),
        sa.Column("next_at", UtcDateTime, nullable=False),
        sa.Column("created_at", UtcDateTime, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Index("reports_subscriptions_of_owner", "owner_id", "id"),
        sa.Index("reports_subscriptions_due", "next_at"),
    )


def downgrade() -> None:
    op.drop_table("reports_subscription")
