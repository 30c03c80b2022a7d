"""Variants and see also, merges that can be undone, duplicates found, works, places in a series."""

import json
import re
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from alembic import op

from lendery.catalog.rules.works import series_key, series_place, work_of
from lendery.platform.db.types import Json, UtcDateTime

revision = "0005"
down_revision = "0004"
compatible_from = "0001"

FILED = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
AT_ONCE = 2_000
NAMED = re.compile(r"(?P<series>.*\S),\s*(?P<number>\d+(?:\.\d+)?(?:-\d+(?:\.\d+)?)?)")
IN_A_SERIES = sa.text("series_key IS NOT NULL")
MERGED = sa.text("merged_into IS NOT NULL")

book = sa.table(
    "catalog_book",
    sa.column("number", NUMBER),
    sa.column("id", sa.Uuid),
    sa.column("title", sa.Text),
    sa.column("language", sa.String),
    sa.column("authors", sa.Text),
    sa.column("series", sa.Text),
    sa.column("series_number", sa.String),
    sa.column("series_key", sa.Text),
    sa.column("series_place", sa.BigInteger),
    sa.column("work_id", sa.Uuid),
)


def upgrade() -> None:
    _columns()
    _fill()
    op.create_index("catalog_books_of_work", "catalog_book", ["work_id", "number"])
    for name, columns, which in (
        ("catalog_books_of_series", ["series_key", "series_place", "number"], IN_A_SERIES),
        ("catalog_books_merged", ["merged_into"], MERGED),
    ):
        where: dict[str, Any] = {"sqlite_where": which, "postgresql_where": which}
        op.create_index(name, "catalog_book", columns, **where)
    _headings()
    _merges()


def _columns() -> None:
    for column in (
        sa.Column("series_number", sa.String(40)),
        sa.Column("series_key", FILED),
        sa.Column("series_place", sa.BigInteger, nullable=False, server_default="0"),
        sa.Column("work_id", sa.Uuid),
        sa.Column("work_by_hand", sa.Boolean, nullable=False, server_default=sa.text("false")),
        sa.Column("merged_into", sa.Uuid),
    ):
        op.add_column("catalog_book", column)
    op.add_column("catalog_change", sa.Column("looked_at", UtcDateTime))
    op.add_column("catalog_change", sa.Column("looked_version", sa.BigInteger))


def _fill() -> None:
    """The works of all books, and the numbers that stood in the name of a series."""
    connection = op.get_bind()
    shown = (book.c.number, book.c.id, book.c.title, book.c.language, book.c.authors, book.c.series)
    page = sa.select(*shown).order_by(book.c.number).limit(AT_ONCE)
    last = 0
    while rows := connection.execute(page.where(book.c.number > last)).all():
        connection.execute(_work, [_work_of(row) for row in rows])
        if told := [_series_of(row) for row in rows if row.series]:
            connection.execute(_series, told)
        last = rows[-1].number


_work = (
    sa.update(book)
    .where(book.c.number == sa.bindparam("at"))
    .values(work_id=sa.bindparam("work", type_=sa.Uuid))
)
_series = (
    sa.update(book)
    .where(book.c.number == sa.bindparam("at"))
    .values(
        series=sa.bindparam("name"),
        series_number=sa.bindparam("which"),
        series_key=sa.bindparam("key"),
        series_place=sa.bindparam("place"),
    )
)


def _work_of(row: Any) -> dict[str, Any]:
    authors = json.loads(row.authors)
    author_id = UUID(authors[0]["id"]) if authors else None
    return {"at": row.number, "work": work_of(row.id, row.title, row.language, author_id)}


def _series_of(row: Any) -> dict[str, Any]:
    found = NAMED.fullmatch(row.series)
    name, which = (found["series"], found["number"]) if found else (row.series, None)
    if which and len(which) > 40:
        name, which = row.series, None
    place = series_place(which)
    return {
        "at": row.number,
        "name": name,
        "which": which,
        "key": series_key(name),
        "place": place,
    }


def _headings() -> None:
    op.create_table(
        "catalog_variant",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("kind", sa.String(8), nullable=False),
        sa.Column("heading_id", sa.Uuid, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("folded", FILED, nullable=False),
        sa.Column("created_at", UtcDateTime, nullable=False),
        sa.Index("catalog_one_variant_per_heading", "heading_id", "folded", unique=True),
        sa.Index("catalog_variants_by_name", "kind", "folded"),
    )
    op.create_table(
        "catalog_see_also",
        sa.Column("heading_id", sa.Uuid, primary_key=True),
        sa.Column("other_id", sa.Uuid, primary_key=True),
        sa.Column("kind", sa.String(8), nullable=False),
        sa.Index("catalog_seen_from", "other_id"),
    )


def _merges() -> None:
    op.create_table(
        "catalog_merge",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("kind", sa.String(8), nullable=False),
        sa.Column("loser_id", sa.Uuid, nullable=False),
        sa.Column("winner_id", sa.Uuid, nullable=False),
        sa.Column("loser_name", sa.Text, nullable=False),
        sa.Column("winner_name", sa.Text, nullable=False),
        sa.Column("at", UtcDateTime, nullable=False),
        sa.Column("by", sa.Uuid),
        sa.Column("moved", Json, nullable=False),
        sa.Column("undone_at", UtcDateTime),
        sa.Column("undone_by", sa.Uuid),
        sa.Index("catalog_merges_of", "loser_id"),
        sa.Index("catalog_merges_into", "winner_id"),
    )
    op.create_table(
        "catalog_duplicate",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("kind", sa.String(8), nullable=False),
        sa.Column("one_id", sa.Uuid, nullable=False),
        sa.Column("other_id", sa.Uuid, nullable=False),
        sa.Column("score", sa.SmallInteger, nullable=False),
        sa.Column("found_at", UtcDateTime, nullable=False),
        sa.Column("dismissed_at", UtcDateTime),
        sa.Column("dismissed_by", sa.Uuid),
        sa.Index("catalog_one_duplicate_per_pair", "one_id", "other_id", unique=True),
        sa.Index("catalog_duplicates_of", "other_id"),
        sa.Index("catalog_duplicates_by_score", "kind", "score", "id"),
    )


def downgrade() -> None:
    for name in ("duplicate", "merge", "see_also", "variant"):
        op.drop_table(f"catalog_{name}")
    for name in ("merged", "of_series", "of_work"):
        op.drop_index(f"catalog_books_{name}", "catalog_book")
    for name in (
        "merged_into", "work_by_hand", "work_id", "series_place", "series_key", "series_number"
    ):  # fmt: skip
        op.drop_column("catalog_book", name)
    for name in ("looked_version", "looked_at"):
        op.drop_column("catalog_change", name)
