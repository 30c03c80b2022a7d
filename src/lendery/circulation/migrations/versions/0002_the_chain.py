"""The log chained: what was delivered can no longer be changed without it showing."""

from alembic import op

from lendery.platform.log_steps import add_chain, drop_chain

revision = "0002"
down_revision = "0001"
compatible_from = "0001"


def upgrade() -> None:
    add_chain(op, "circulation")


def downgrade() -> None:
    drop_chain(op, "circulation")
