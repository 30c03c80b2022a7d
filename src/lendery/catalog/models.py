"""What the catalog keeps. No behaviour.

A book carries its authors and subjects as it shows them, so that reading a book or a page of
books is one statement on one table; the link tables are for finding. `number` orders books as
they came: it is handed out under the lock of `catalog_change`, so a cursor never skips a book
that was committed late. The words of search stand in `catalog_search`, which each database has
in its own kind (migration 0001): FTS5 on SQLite, tsvector on PostgreSQL.
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    String,
    Table,
    Text,
    Uuid,
)
from sqlalchemy.types import TypeEngine

from lendery.platform.db import Json, UtcDateTime, context_tables
from lendery.platform.db.jobs import job_table

NUMBER: TypeEngine[int] = BigInteger().with_variant(Integer(), "sqlite")
# Ordered by code point on both databases, whatever the server's locale.
FILED: TypeEngine[str] = Text().with_variant(Text(collation="C"), "postgresql")

metadata = MetaData()

change = Table(
    "catalog_change",
    metadata,
    Column("id", SmallInteger, primary_key=True, autoincrement=False),
    Column("version", BigInteger, nullable=False),
    Column("last_number", BigInteger, nullable=False),
)

author = Table(
    "catalog_author",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("name", Text, nullable=False),
    Column("sort_name", Text, nullable=False),
    Column("folded", FILED, nullable=False),
    Column("filed", FILED, nullable=False),
    Column("born", Integer),
    Column("died", Integer),
    Column("biography", Text),
    Column("version", Integer, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("updated_at", UtcDateTime, nullable=False),
    Index("catalog_authors_by_name", "folded"),
    Index("catalog_authors_filed", "filed", "id"),
)

# What lists filter and sort by comes first in the row, the longest text last: SQLite reads a row
# only as far as it must.
book = Table(
    "catalog_book",
    metadata,
    Column("number", NUMBER, primary_key=True, autoincrement=False),
    Column("id", Uuid, nullable=False),
    Column("version", Integer, nullable=False),
    Column("withdrawn", Boolean, nullable=False),
    Column("material", String(64), nullable=False),
    Column("language", String(3)),
    Column("published_year", Integer),
    Column("isbn", String(13)),
    Column("sort_year", Integer, nullable=False),
    Column("sort_title", FILED, nullable=False),
    Column("sort_author", FILED, nullable=False),
    Column("subjects", Json, nullable=False),
    Column("title", Text, nullable=False),
    Column("subtitle", Text),
    Column("authors", Json, nullable=False),
    Column("publisher", Text),
    Column("series", Text),
    Column("call_number", Text),
    Column("created_at", UtcDateTime, nullable=False),
    Column("updated_at", UtcDateTime, nullable=False),
    Column("description", Text),
    Index("catalog_book_by_id", "id", unique=True),
    Index("catalog_one_book_per_isbn", "isbn", unique=True),
    Index("catalog_books_by_title", "sort_title", "number"),
    Index("catalog_books_by_author", "sort_author", "number"),
    Index("catalog_books_by_year", "sort_year", "number"),
    Index("catalog_books_by_language", "language", "number"),
    Index("catalog_books_by_material", "material", "number"),
    Index("catalog_books_withdrawn", "withdrawn"),
)

book_author = Table(
    "catalog_book_author",
    metadata,
    Column("book_number", NUMBER, ForeignKey("catalog_book.number"), primary_key=True),
    Column("author_id", Uuid, ForeignKey("catalog_author.id"), primary_key=True),
    Column("position", SmallInteger, nullable=False),
    Index("catalog_books_of_author", "author_id", "book_number"),
)

subject = Table(
    "catalog_subject",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("name", Text, nullable=False),
    Column("filed", FILED, nullable=False),
    Index("catalog_one_subject_per_name", "name", unique=True),
    Index("catalog_subjects_filed", "filed", "id"),
)

book_subject = Table(
    "catalog_book_subject",
    metadata,
    Column("book_number", NUMBER, ForeignKey("catalog_book.number"), primary_key=True),
    Column("subject_id", Uuid, ForeignKey("catalog_subject.id"), primary_key=True),
    Index("catalog_books_of_subject", "subject_id", "book_number"),
)

copy = Table(
    "catalog_copy",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("barcode", String(64), nullable=False),
    Column("book_id", Uuid, ForeignKey("catalog_book.id"), nullable=False),
    Column("branch_id", Uuid, nullable=False),
    Column("item_type", String(64), nullable=False),
    Column("location", Text),
    Column("call_number", Text),
    Column("price_amount", BigInteger),
    Column("price_currency", String(3)),
    Column("version", Integer, nullable=False),
    Column("status", String(20), nullable=False),  # what circulation told last
    Column("created_at", UtcDateTime, nullable=False),
    Column("updated_at", UtcDateTime, nullable=False),
    Index("catalog_one_copy_per_barcode", "barcode", unique=True),
    Index("catalog_copies_of_book", "book_id", "status", "branch_id"),
    Index("catalog_copies_at_branch", "branch_id", "id"),
    Index("catalog_copies_by_status", "status", "id"),
)

# A record as it came: lossless, whatever our own fields make of it. A book of a higher `version`
# was edited since by people, and `edited` says that an import without MARC changed it; then our
# fields say more than `raw` does. `before` is what an import overlaid, for its undo.
source = Table(
    "catalog_source",
    metadata,
    Column(
        "book_number",
        NUMBER,
        ForeignKey("catalog_book.number", ondelete="CASCADE"),
        primary_key=True,
    ),
    Column("version", Integer, nullable=False),
    Column("job_id", Uuid, nullable=False),
    Column("prior_job_id", Uuid),
    Column("format", String(16), nullable=False),
    Column("control_number", Text),
    Column("edited", Boolean, nullable=False),
    Column("packed", Boolean, nullable=False),
    Column("raw", LargeBinary, nullable=False),
    Column("before", LargeBinary),
    Index("catalog_sources_by_control_number", "control_number"),
    Index("catalog_sources_of_import", "job_id", "book_number"),
)

# What an import has to say of single records: rejected (with its bytes), warned of, matched.
import_note = Table(
    "catalog_import_note",
    metadata,
    Column("job_id", Uuid, primary_key=True),
    Column("no", Integer, primary_key=True, autoincrement=False),
    Column("severity", String(12), nullable=False),
    Column("record", Integer, nullable=False),
    Column("at_byte", BigInteger, nullable=False),
    Column("control_number", Text),
    Column("title", Text),
    Column("says", Text, nullable=False),
    Column("raw", LargeBinary),
)

import_copy = Table(
    "catalog_import_copy",
    metadata,
    Column("copy_id", Uuid, ForeignKey("catalog_copy.id", ondelete="CASCADE"), primary_key=True),
    Column("job_id", Uuid, nullable=False),
    Column("book_number", NUMBER, nullable=False),
    Index("catalog_copies_of_import", "job_id", "book_number"),
)

TABLES = context_tables("catalog", metadata)
JOBS = job_table("catalog", metadata)
