"""The catalog: authors, books, subjects, copies, and the words to find them by."""

import sqlalchemy as sa
from alembic import op

from lendery.platform.db.types import Json, UtcDateTime
from lendery.platform.log_steps import create_context_tables, drop_context_tables

revision = "0001"
down_revision = None
compatible_from = "0001"

NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
FILED = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    _authors()
    _books()
    _subjects()
    _copies()
    if op.get_bind().dialect.name == "sqlite":
        # Words come folded and apart by spaces; `ascii` splits there and nowhere else.
        op.execute(
            "CREATE VIRTUAL TABLE catalog_search "
            "USING fts5(title, author, subject, other, tokenize='ascii')"
        )
    else:
        op.execute(
            "CREATE TABLE catalog_search (number bigint PRIMARY KEY, words tsvector NOT NULL)"
        )
        op.execute(
            "CREATE INDEX catalog_search_words ON catalog_search USING gin (words) "
            "WITH (fastupdate = off)"
        )
    create_context_tables(op, "catalog")


def _authors() -> None:
    change = op.create_table(
        "catalog_change",
        sa.Column("id", sa.SmallInteger, primary_key=True, autoincrement=False),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.Column("last_number", sa.BigInteger, nullable=False),
    )
    op.bulk_insert(change, [{"id": 1, "version": 0, "last_number": 0}])
    op.create_table(
        "catalog_author",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("sort_name", sa.Text, nullable=False),
        sa.Column("folded", FILED, nullable=False),
        sa.Column("filed", FILED, nullable=False),
        sa.Column("born", sa.Integer),
        sa.Column("died", sa.Integer),
        sa.Column("biography", sa.Text),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("created_at", UtcDateTime, nullable=False),
        sa.Column("updated_at", UtcDateTime, nullable=False),
        sa.Index("catalog_authors_by_name", "folded"),
        sa.Index("catalog_authors_filed", "filed", "id"),
    )


def _books() -> None:
    op.create_table(
        "catalog_book",
        sa.Column("number", NUMBER, primary_key=True, autoincrement=False),
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("withdrawn", sa.Boolean, nullable=False),
        sa.Column("material", sa.String(64), nullable=False),
        sa.Column("language", sa.String(3)),
        sa.Column("published_year", sa.Integer),
        sa.Column("isbn", sa.String(13)),
        sa.Column("sort_year", sa.Integer, nullable=False),
        sa.Column("sort_title", FILED, nullable=False),
        sa.Column("sort_author", FILED, nullable=False),
        sa.Column("subjects", Json, nullable=False),
        sa.Column("title", sa.Text, nullable=False),
        sa.Column("subtitle", sa.Text),
        sa.Column("authors", Json, nullable=False),
        sa.Column("publisher", sa.Text),
        sa.Column("series", sa.Text),
        sa.Column("call_number", sa.Text),
        sa.Column("created_at", UtcDateTime, nullable=False),
        sa.Column("updated_at", UtcDateTime, nullable=False),
        sa.Column("description", sa.Text),
        sa.Index("catalog_book_by_id", "id", unique=True),
        sa.Index("catalog_one_book_per_isbn", "isbn", unique=True),
        sa.Index("catalog_books_by_title", "sort_title", "number"),
        sa.Index("catalog_books_by_author", "sort_author", "number"),
        sa.Index("catalog_books_by_year", "sort_year", "number"),
        sa.Index("catalog_books_by_language", "language", "number"),
        sa.Index("catalog_books_by_material", "material", "number"),
        sa.Index("catalog_books_withdrawn", "withdrawn"),
    )
    op.create_table(
        "catalog_book_author",
        sa.Column("book_number", NUMBER, sa.ForeignKey("catalog_book.number"), primary_key=True),
        sa.Column("author_id", sa.Uuid, sa.ForeignKey("catalog_author.id"), primary_key=True),
        sa.Column("position", sa.SmallInteger, nullable=False),
        sa.Index("catalog_books_of_author", "author_id", "book_number"),
    )


def _subjects() -> None:
    op.create_table(
        "catalog_subject",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("filed", FILED, nullable=False),
        sa.Index("catalog_one_subject_per_name", "name", unique=True),
        sa.Index("catalog_subjects_filed", "filed", "id"),
    )
    op.create_table(
        "catalog_book_subject",
        sa.Column("book_number", NUMBER, sa.ForeignKey("catalog_book.number"), primary_key=True),
        sa.Column("subject_id", sa.Uuid, sa.ForeignKey("catalog_subject.id"), primary_key=True),
        sa.Index("catalog_books_of_subject", "subject_id", "book_number"),
    )


def _copies() -> None:
    op.create_table(
        "catalog_copy",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("barcode", sa.String(64), nullable=False),
        sa.Column("book_id", sa.Uuid, sa.ForeignKey("catalog_book.id"), nullable=False),
        sa.Column("branch_id", sa.Uuid, nullable=False),
        sa.Column("item_type", sa.String(64), nullable=False),
        sa.Column("location", sa.Text),
        sa.Column("call_number", sa.Text),
        sa.Column("price_amount", sa.BigInteger),
        sa.Column("price_currency", sa.String(3)),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("status", sa.String(20), nullable=False),
        sa.Column("created_at", UtcDateTime, nullable=False),
        sa.Column("updated_at", UtcDateTime, nullable=False),
        sa.Index("catalog_one_copy_per_barcode", "barcode", unique=True),
        sa.Index("catalog_copies_of_book", "book_id", "status", "branch_id"),
        sa.Index("catalog_copies_at_branch", "branch_id", "id"),
        sa.Index("catalog_copies_by_status", "status", "id"),
    )


def downgrade() -> None:
    drop_context_tables(op, "catalog")
    for name in (
        "search", "copy", "book_subject", "subject", "book_author", "book", "author", "change"
    ):  # fmt: skip
        op.drop_table(f"catalog_{name}")
