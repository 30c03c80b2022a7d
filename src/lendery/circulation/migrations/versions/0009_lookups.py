"""Which staff looked at whose loans, holds and money."""

from alembic import op

from lendery.platform.lookup_steps import create_lookup_table, drop_lookup_table

revision = "0009"
down_revision = "0008"
compatible_from = "0006"


def upgrade() -> None:
    create_lookup_table(op, "circulation")


def downgrade() -> None:
    drop_lookup_table(op, "circulation")
