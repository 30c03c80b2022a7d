"""What each change of the catalog touched, and who is to be told of it."""

from alembic import op

from lendery.platform.log_steps import add_changes, drop_changes

revision = "0007"
down_revision = "0006"
compatible_from = "0001"


def upgrade() -> None:
    add_changes(op, "catalog")


def downgrade() -> None:
    drop_changes(op, "catalog")
