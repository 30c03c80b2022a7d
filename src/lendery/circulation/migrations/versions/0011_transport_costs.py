"""What it costs to send a copy from a branch to another."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
compatible_from = "0006"


def upgrade() -> None:
    op.create_table(
        "circulation_transport_cost",
        sa.Column("from_branch_id", sa.Uuid, primary_key=True),
        sa.Column("to_branch_id", sa.Uuid, primary_key=True),
        sa.Column("cost", sa.Integer, nullable=False),
        sa.CheckConstraint("cost BETWEEN 0 AND 1000", name="cost_can_be_compared"),
    )


def downgrade() -> None:
    op.drop_table("circulation_transport_cost")
