"""What the catalog keeps. No behaviour.

A book carries its authors and subjects as it shows them, so that reading a book or a page of
books is one statement on one table; the link tables are for finding. `number` orders books as
they came: it is handed out under the lock of `catalog_change`, so a cursor never skips a book
that was committed late. The words of search stand in `catalog_search`, which each database has
in its own kind (migrations 0001, 0003): FTS5 on SQLite, tsvector on PostgreSQL. It and the
dictionary are made from the records, so a backup has neither.
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
    text,
)
from sqlalchemy.types import TypeEngine

from lendery.platform.cache import ChangeLog
from lendery.platform.db import Json, UtcDateTime, context_tables
from lendery.platform.db.jobs import job_table

NUMBER: TypeEngine[int] = BigInteger().with_variant(Integer(), "sqlite")
# Ordered by code point on both databases, whatever the server's locale.
FILED: TypeEngine[str] = Text().with_variant(Text(collation="C"), "postgresql")

IN_A_SERIES = text("series_key IS NOT NULL")
MERGED = text("merged_into IS NOT NULL")

metadata = MetaData()

change = Table(
    "catalog_change",
    metadata,
    Column("id", SmallInteger, primary_key=True, autoincrement=False),
    Column("version", BigInteger, nullable=False),
    Column("last_number", BigInteger, nullable=False),
    Column("looked_at", UtcDateTime),  # when duplicates were looked for last
    Column("looked_version", BigInteger),  # and at which version of the catalog
    Column("mark", BigInteger, nullable=False, server_default=text("0")),
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
    Column("sort_rating", Integer, nullable=False, server_default=text("0")),
    Column("series_number", String(40)),
    Column("series_key", FILED),  # the words of the series; null without one
    Column("series_place", BigInteger, nullable=False, server_default="0"),  # in thousandths
    Column("work_id", Uuid),  # null: put there by an older program, and as the rules say
    Column("work_by_hand", Boolean, nullable=False, server_default=text("false")),
    Column("merged_into", Uuid),  # the id of the book that this one was found to be
    # How often it was lent, and where that puts it in a search: at its number while null.
    Column("popularity", Integer, nullable=False, server_default="0"),
    Column("place", NUMBER),
    Index("catalog_book_by_id", "id", unique=True),
    Index("catalog_one_book_per_isbn", "isbn", unique=True),
    Index("catalog_books_by_title", "sort_title", "number"),
    Index("catalog_books_by_author", "sort_author", "number"),
    Index("catalog_books_by_year", "sort_year", "number"),
    Index("catalog_books_by_rating", "sort_rating", "number"),
    Index("catalog_books_by_language", "language", "number"),
    Index("catalog_books_by_material", "material", "number"),
    Index("catalog_books_withdrawn", "withdrawn"),
    Index("catalog_books_of_work", "work_id", "number"),
    Index(
        "catalog_books_of_series",
        "series_key",
        "series_place",
        "number",
        sqlite_where=IN_A_SERIES,
        postgresql_where=IN_A_SERIES,
    ),
    Index("catalog_books_merged", "merged_into", sqlite_where=MERGED, postgresql_where=MERGED),
)
Index("catalog_books_by_popularity", book.c.popularity.desc(), book.c.number)

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

rating = Table(  # what reviews told last: how many gave how many stars
    "catalog_rating",
    metadata,
    Column("book_id", Uuid, primary_key=True),
    Column("ones", Integer, nullable=False),
    Column("twos", Integer, nullable=False),
    Column("threes", Integer, nullable=False),
    Column("fours", Integer, nullable=False),
    Column("fives", Integer, nullable=False),
    Column("version", Integer, nullable=False),
)

# Authors and subjects alike: the ids of both are of one kind, and never the same.
variant = Table(  # "see from": other forms of a name, by which the heading is found
    "catalog_variant",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("kind", String(8), nullable=False),  # author or subject
    Column("heading_id", Uuid, nullable=False),
    Column("name", Text, nullable=False),
    Column("folded", FILED, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Index("catalog_one_variant_per_heading", "heading_id", "folded", unique=True),
    Index("catalog_variants_by_name", "kind", "folded"),
)

see_also = Table(  # both ways: each is on the page of the other
    "catalog_see_also",
    metadata,
    Column("heading_id", Uuid, primary_key=True),
    Column("other_id", Uuid, primary_key=True),
    Column("kind", String(8), nullable=False),
    Index("catalog_seen_from", "other_id"),
)

merge = Table(
    "catalog_merge",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("kind", String(8), nullable=False),  # author, subject or book
    Column("loser_id", Uuid, nullable=False),
    Column("winner_id", Uuid, nullable=False),
    Column("loser_name", Text, nullable=False),
    Column("winner_name", Text, nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Column("by", Uuid),
    Column("moved", Json, nullable=False),  # as they were before, and as they were left
    Column("undone_at", UtcDateTime),
    Column("undone_by", Uuid),
    Index("catalog_merges_of", "loser_id"),
    Index("catalog_merges_into", "winner_id"),
)

duplicate = Table(  # pairs that look the same to the job that compares
    "catalog_duplicate",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("kind", String(8), nullable=False),  # author or book
    Column("one_id", Uuid, nullable=False),
    Column("other_id", Uuid, nullable=False),
    Column("score", SmallInteger, nullable=False),  # 0 to 100
    Column("found_at", UtcDateTime, nullable=False),
    Column("dismissed_at", UtcDateTime),
    Column("dismissed_by", Uuid),
    Index("catalog_one_duplicate_per_pair", "one_id", "other_id", unique=True),
    Index("catalog_duplicates_of", "other_id"),
    Index("catalog_duplicates_by_score", "kind", "score", "id"),
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
CHANGES = ChangeLog("catalog", change)
JOBS = job_table("catalog", metadata)
