"""What was done about each time of each job."""

from alembic import op

from lendery.platform.job_steps import create_slot_table, drop_slot_table

revision = "0007"
down_revision = "0006"
compatible_from = "0004"


def upgrade() -> None:
    create_slot_table(op, "circulation")


def downgrade() -> None:
    drop_slot_table(op, "circulation")
