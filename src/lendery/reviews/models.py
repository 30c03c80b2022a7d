"""The tables of reviews. Columns and constraints only; the rules are elsewhere.

A review stands alone, as a document would: nothing is joined to show it.
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Index,
    Integer,
    MetaData,
    SmallInteger,
    String,
    Table,
    Uuid,
    text,
)
from sqlalchemy import Text as LongText

from lendery.platform.cache import ChangeLog
from lendery.platform.db import UtcDateTime, context_tables

metadata = MetaData()

change = Table(  # its one row is moved by every change of a review
    "reviews_change",
    metadata,
    Column("id", SmallInteger, primary_key=True, autoincrement=False),
    Column("version", BigInteger, nullable=False),
    Column("mark", BigInteger, nullable=False, server_default=text("0")),
)

review = Table(
    "reviews_review",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("book_id", Uuid, nullable=False),
    Column("patron_id", Uuid),  # null once the person was removed
    Column("rating", SmallInteger, nullable=False),
    Column("title", String(200)),
    Column("text", LongText),
    Column("display_name", String(60)),
    Column("verified", Boolean, nullable=False),
    Column("ask_again_at", UtcDateTime),  # whether it was borrowed; null: not any more
    Column("state", String(16), nullable=False),
    Column("hidden_because", String(500)),
    Column("created_at", UtcDateTime, nullable=False),
    Column("edited_at", UtcDateTime),
    Column("version", Integer, nullable=False),
    Column("written_of", Uuid),  # null: the book it stands with
    Column("aside", Boolean, nullable=False, server_default=text("false")),  # a newer one counts
    Index("reviews_one_per_reader_and_book", "book_id", "patron_id", unique=True),
    Index("reviews_of_book", "book_id", "id"),
    Index("reviews_of_book_by_stars", "book_id", "rating", "id"),
    Index("reviews_of_patron", "patron_id", "id"),
    Index("reviews_by_state", "state", "id"),
    Index("reviews_to_ask_about", "ask_again_at"),
)

report = Table(
    "reviews_report",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("review_id", Uuid, nullable=False),
    Column("patron_id", Uuid),  # null once the person was removed
    Column("reason", String(16), nullable=False),
    Column("reported_at", UtcDateTime, nullable=False),
    Column("settled_at", UtcDateTime),
    Index("reviews_one_report_each", "review_id", "patron_id", unique=True),
    Index("reviews_reports_of_patron", "patron_id"),
)

rating = Table(  # whoever changes a review of a book takes turns on its row
    "reviews_rating",
    metadata,
    Column("book_id", Uuid, primary_key=True),
    Column("ones", Integer, nullable=False),
    Column("twos", Integer, nullable=False),
    Column("threes", Integer, nullable=False),
    Column("fours", Integer, nullable=False),
    Column("fives", Integer, nullable=False),
    Column("version", Integer, nullable=False),
    Column("closed", Boolean, nullable=False),  # the book is no more
    Column("merged_into", Uuid),  # the book is that one now
    Index("reviews_merged_into", "merged_into"),
)

TABLES = context_tables("reviews", metadata)
CHANGES = ChangeLog("reviews", change)
