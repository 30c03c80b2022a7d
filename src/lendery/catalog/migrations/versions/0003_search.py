"""Search: how often a book was lent, the dictionary of words, the index in order of places."""

import json
from collections import Counter
from typing import Any

import sqlalchemy as sa
from alembic import op

from lendery.catalog.repository.search import indexed
from lendery.catalog.rules import isbn
from lendery.catalog.rules.spelling import is_spelled, spelling_keys
from lendery.contracts.catalog import AuthorRef, Book

revision = "0003"
down_revision = "0002"
compatible_from = "0001"

NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
FILED = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
PLAIN = (
    *("title", "subtitle", "isbn", "publisher", "published_year", "language", "description"),
    *("series", "call_number", "material", "withdrawn"),
)
BOOK = sa.table("catalog_book", *map(sa.column, ("number", "id", "authors", "subjects", *PLAIN)))
WORD = sa.table("catalog_search_word", sa.column("word"), sa.column("books"))
SPELLING = sa.table("catalog_search_spelling", sa.column("key"), sa.column("word"))
AT_ONCE = 1_000


def upgrade() -> None:
    op.add_column(
        "catalog_book", sa.Column("popularity", sa.Integer, nullable=False, server_default="0")
    )
    op.add_column("catalog_book", sa.Column("place", NUMBER))
    op.create_index(
        "catalog_books_by_popularity", "catalog_book", [sa.text("popularity DESC"), "number"]
    )
    small = {"sqlite_with_rowid": False}
    op.create_table(
        "catalog_search_word",
        sa.Column("word", FILED, primary_key=True),
        sa.Column("books", sa.BigInteger, nullable=False),
        **small,
    )
    op.create_table(
        "catalog_search_spelling",
        sa.Column("key", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("word", FILED, primary_key=True),
        **small,
    )
    if op.get_bind().dialect.name == "postgresql":
        # What a program of before writes has no place: it stands at its number.
        op.execute("ALTER TABLE catalog_search ADD COLUMN place bigint")
        op.execute(
            "CREATE INDEX catalog_search_places ON catalog_search ((coalesce(place, number)))"
        )
    _make_findable(op.get_bind())


def _make_findable(connection: Any) -> None:
    """The records there are, with the marks that lists filter by, and their words."""
    counted: Counter[str] = Counter()
    last = 0
    page = sa.select(BOOK).order_by(BOOK.c.number).limit(AT_ONCE)
    while rows := connection.execute(page.where(BOOK.c.number > last)).all():
        writes = [_indexed(connection.dialect.name, row) for row in rows]
        for _, given in writes:
            counted.update(given.pop("known"))
            given.pop("new")
        connection.execute(writes[0][0].statement, [given for _, given in writes])
        last = rows[-1].number
    words = [{"word": word, "books": books} for word, books in counted.items()]
    keys = [
        {"key": key, "word": word}
        for word in filter(is_spelled, counted)
        for key in spelling_keys(word)
    ]
    for table, found in ((WORD, words), (SPELLING, keys)):
        for start in range(0, len(found), AT_ONCE):
            connection.execute(table.insert(), found[start : start + AT_ONCE])


def _indexed(dialect: str, row: Any) -> tuple[Any, dict[str, Any]]:
    values = {name: getattr(row, name) for name in PLAIN}
    book = Book(
        **values,
        id=row.id,
        work_id=row.id,
        series_number=None,
        authors=tuple(AuthorRef(**each) for each in json.loads(row.authors)),
        subjects=tuple(json.loads(row.subjects)),
        version=1,
    )
    forms = (book.isbn, isbn.ten(book.isbn)) if book.isbn else ()
    statement, given = indexed(dialect, row.number, book, forms)
    return statement, dict(given)


def downgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP INDEX catalog_search_places")
        op.execute("ALTER TABLE catalog_search DROP COLUMN place")
    else:
        op.execute("DELETE FROM catalog_search WHERE rowid < 0")
    op.drop_table("catalog_search_spelling")
    op.drop_table("catalog_search_word")
    op.drop_index("catalog_books_by_popularity", "catalog_book")
    op.drop_column("catalog_book", "place")
    op.drop_column("catalog_book", "popularity")
