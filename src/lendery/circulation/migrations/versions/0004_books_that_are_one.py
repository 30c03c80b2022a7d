"""Which book a hold was placed on, where that was merged into another since."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
compatible_from = "0003"


def upgrade() -> None:
    op.add_column("circulation_hold", sa.Column("asked_for", sa.Uuid))


def downgrade() -> None:
    op.drop_column("circulation_hold", "asked_for")
