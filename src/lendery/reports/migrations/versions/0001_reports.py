"""Counters by day, what is known of copies, books and open holds, and a chained log."""

import sqlalchemy as sa
from alembic import op

from lendery.platform.log_steps import (
    add_chain,
    create_context_tables,
    drop_chain,
    drop_context_tables,
)

revision = "0001"
down_revision = None
compatible_from = "0001"


def upgrade() -> None:
    _counters()
    _things()
    _holds()
    create_context_tables(op, "reports")
    add_chain(op, "reports")


def _counters() -> None:
    op.create_table(
        "reports_lending",
        sa.Column("day", sa.Date, primary_key=True),
        sa.Column("branch_id", sa.Uuid, primary_key=True),
        sa.Column("category", sa.String(64), primary_key=True),
        sa.Column("lent", sa.Integer, nullable=False),
        sa.Column("renewed", sa.Integer, nullable=False),
        sa.Column("returned", sa.Integer, nullable=False),
    )
    op.create_table(
        "reports_use",
        sa.Column("copy_id", sa.Uuid, primary_key=True),
        sa.Column("day", sa.Date, primary_key=True),
        sa.Column("branch_id", sa.Uuid, primary_key=True),
        sa.Column("lent", sa.Integer, nullable=False),
        sa.Index("reports_uses_by_day", "day", "branch_id", "copy_id", "lent"),
    )
    op.create_table(
        "reports_money",
        sa.Column("day", sa.Date, primary_key=True),
        sa.Column("branch_id", sa.Uuid, primary_key=True),
        sa.Column("kind", sa.String(16), primary_key=True),
        sa.Column("currency", sa.String(3), primary_key=True),
        sa.Column("lines", sa.Integer, nullable=False),
        sa.Column("amount", sa.BigInteger, nullable=False),
    )


def _things() -> None:
    unknown = sa.text("learnt < changed")
    op.create_table(
        "reports_copy",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("book_id", sa.Uuid, nullable=False),
        sa.Column("branch_id", sa.Uuid),
        sa.Column("item_type", sa.String(64)),
        sa.Column("added_on", sa.Date),
        sa.Column("gone", sa.Boolean, nullable=False),
        sa.Column("changed", sa.Integer, nullable=False),
        sa.Column("learnt", sa.Integer, nullable=False),
        sa.Index("reports_copies_of_book", "book_id"),
        sa.Index("reports_copies_to_learn", "id", sqlite_where=unknown, postgresql_where=unknown),
    )
    op.create_table(
        "reports_book",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("title", sa.Text, nullable=False),
        sa.Column("authors", sa.Text, nullable=False),
        sa.Column("published_year", sa.Integer),
        sa.Column("changed", sa.Integer, nullable=False),
        sa.Column("learnt", sa.Integer, nullable=False),
        sa.Index("reports_books_to_learn", "id", sqlite_where=unknown, postgresql_where=unknown),
    )
    op.create_table(
        "reports_subject",
        sa.Column("book_id", sa.Uuid, primary_key=True),
        sa.Column("subject", sa.String(500), primary_key=True),
    )


def _holds() -> None:
    waiting = sa.text("waiting")
    op.create_table(
        "reports_hold",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("book_id", sa.Uuid, nullable=False),
        sa.Column("branch_id", sa.Uuid, nullable=False),
        sa.Column("waiting", sa.Boolean, nullable=False),
        sa.Index("reports_queues", "book_id", sqlite_where=waiting, postgresql_where=waiting),
    )


def downgrade() -> None:
    drop_chain(op, "reports")
    drop_context_tables(op, "reports")
    for name in ("hold", "subject", "book", "copy", "money", "use", "lending"):
        op.drop_table(f"reports_{name}")
