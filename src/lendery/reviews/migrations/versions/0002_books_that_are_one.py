"""Which book a review was written of, and what became of the book, where two became one."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
compatible_from = "0001"


def upgrade() -> None:
    op.add_column("reviews_review", sa.Column("written_of", sa.Uuid))
    aside = sa.Column("aside", sa.Boolean, nullable=False, server_default=sa.text("false"))
    op.add_column("reviews_review", aside)
    op.add_column("reviews_rating", sa.Column("merged_into", sa.Uuid))
    op.create_index("reviews_merged_into", "reviews_rating", ["merged_into"])


def downgrade() -> None:
    op.drop_index("reviews_merged_into", "reviews_rating")
    op.drop_column("reviews_rating", "merged_into")
    op.drop_column("reviews_review", "aside")
    op.drop_column("reviews_review", "written_of")
