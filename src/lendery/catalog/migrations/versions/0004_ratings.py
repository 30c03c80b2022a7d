"""What readers think of books, as reviews told it, and the order that follows."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
compatible_from = "0001"


def upgrade() -> None:
    op.create_table(
        "catalog_rating",
        sa.Column("book_id", sa.Uuid, primary_key=True),
        sa.Column("ones", sa.Integer, nullable=False),
        sa.Column("twos", sa.Integer, nullable=False),
        sa.Column("threes", sa.Integer, nullable=False),
        sa.Column("fours", sa.Integer, nullable=False),
        sa.Column("fives", sa.Integer, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
    )
    unrated = sa.Column("sort_rating", sa.Integer, nullable=False, server_default=sa.text("0"))
    op.add_column("catalog_book", unrated)
    op.create_index("catalog_books_by_rating", "catalog_book", ["sort_rating", "number"])


def downgrade() -> None:
    op.drop_index("catalog_books_by_rating", "catalog_book")
    op.drop_column("catalog_book", "sort_rating")
    op.drop_table("catalog_rating")
