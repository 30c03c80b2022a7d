"""Reviews, reports, the stars of books, a chained log, and what each change touched."""

import sqlalchemy as sa
from alembic import op

from lendery.platform.db.types import UtcDateTime
from lendery.platform.log_steps import (
    add_chain,
    add_changes,
    create_context_tables,
    drop_chain,
    drop_changes,
    drop_context_tables,
)

revision = "0001"
down_revision = None
compatible_from = "0001"


def upgrade() -> None:
    _reviews()
    _reports()
    _ratings()
    create_context_tables(op, "reviews")
    add_chain(op, "reviews")
    _changes()


def _reviews() -> None:
    op.create_table(
        "reviews_review",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("book_id", sa.Uuid, nullable=False),
        sa.Column("patron_id", sa.Uuid),
        sa.Column("rating", sa.SmallInteger, nullable=False),
        sa.Column("title", sa.String(200)),
        sa.Column("text", sa.Text),
        sa.Column("display_name", sa.String(60)),
        sa.Column("verified", sa.Boolean, nullable=False),
        sa.Column("ask_again_at", UtcDateTime),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("hidden_because", sa.String(500)),
        sa.Column("created_at", UtcDateTime, nullable=False),
        sa.Column("edited_at", UtcDateTime),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Index("reviews_one_per_reader_and_book", "book_id", "patron_id", unique=True),
        sa.Index("reviews_of_book", "book_id", "id"),
        sa.Index("reviews_of_book_by_stars", "book_id", "rating", "id"),
        sa.Index("reviews_of_patron", "patron_id", "id"),
        sa.Index("reviews_by_state", "state", "id"),
        sa.Index("reviews_to_ask_about", "ask_again_at"),
    )


def _reports() -> None:
    op.create_table(
        "reviews_report",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("review_id", sa.Uuid, nullable=False),
        sa.Column("patron_id", sa.Uuid),
        sa.Column("reason", sa.String(16), nullable=False),
        sa.Column("reported_at", UtcDateTime, nullable=False),
        sa.Column("settled_at", UtcDateTime),
        sa.Index("reviews_one_report_each", "review_id", "patron_id", unique=True),
        sa.Index("reviews_reports_of_patron", "patron_id"),
    )


def _ratings() -> None:
    op.create_table(
        "reviews_rating",
        sa.Column("book_id", sa.Uuid, primary_key=True),
        sa.Column("ones", sa.Integer, nullable=False),
        sa.Column("twos", sa.Integer, nullable=False),
        sa.Column("threes", sa.Integer, nullable=False),
        sa.Column("fours", sa.Integer, nullable=False),
        sa.Column("fives", sa.Integer, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("closed", sa.Boolean, nullable=False),
    )


def _changes() -> None:
    change = op.create_table(
        "reviews_change",
        sa.Column("id", sa.SmallInteger, primary_key=True, autoincrement=False),
        sa.Column("version", sa.BigInteger, nullable=False),
    )
    op.bulk_insert(change, [{"id": 1, "version": 0}])
    add_changes(op, "reviews")


def downgrade() -> None:
    drop_changes(op, "reviews")
    drop_chain(op, "reviews")
    drop_context_tables(op, "reviews")
    for name in ("change", "rating", "report", "review"):
        op.drop_table(f"reviews_{name}")
