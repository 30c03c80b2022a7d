"""The tables of reports. Columns and constraints only; the rules are elsewhere.

A day is a local day of the branch. `NOWHERE` stands for no branch, so that it can be a key.
`changed` counts what was heard of a copy or book, `learnt` up to which of that it was asked about.
"""

from uuid import UUID

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Date,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    Uuid,
    text,
)

from lendery.platform.db import UtcDateTime, context_tables

metadata = MetaData()
NOWHERE = UUID(int=0)
UNKNOWN = text("learnt < changed")
WAITING = text("waiting")

lending = Table(
    "reports_lending",
    metadata,
    Column("day", Date, primary_key=True),
    Column("branch_id", Uuid, primary_key=True),
    Column("category", String(64), primary_key=True),  # '' where it was not told
    Column("lent", Integer, nullable=False),
    Column("renewed", Integer, nullable=False),
    Column("returned", Integer, nullable=False),
)

use = Table(  # how often a copy was lent on a day
    "reports_use",
    metadata,
    Column("copy_id", Uuid, primary_key=True),
    Column("day", Date, primary_key=True),
    Column("branch_id", Uuid, primary_key=True),
    Column("lent", Integer, nullable=False),
    Index("reports_uses_by_day", "day", "branch_id", "copy_id", "lent"),
)

money = Table(
    "reports_money",
    metadata,
    Column("day", Date, primary_key=True),
    Column("branch_id", Uuid, primary_key=True),
    Column("kind", String(16), primary_key=True),
    Column("currency", String(3), primary_key=True),
    Column("lines", Integer, nullable=False),
    Column("amount", BigInteger, nullable=False),  # minor units, never below zero
)

copy = Table(
    "reports_copy",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("book_id", Uuid, nullable=False),
    Column("branch_id", Uuid),  # null until the catalog was asked
    Column("item_type", String(64)),
    Column("added_on", Date),
    Column("gone", Boolean, nullable=False),  # lost, missing, withdrawn, claimed returned
    Column("changed", Integer, nullable=False),
    Column("learnt", Integer, nullable=False),
    Index("reports_copies_of_book", "book_id"),
    Index("reports_copies_to_learn", "id", sqlite_where=UNKNOWN, postgresql_where=UNKNOWN),
)

book = Table(
    "reports_book",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("title", Text, nullable=False),
    Column("authors", Text, nullable=False),
    Column("published_year", Integer),
    Column("changed", Integer, nullable=False),
    Column("learnt", Integer, nullable=False),
    Index("reports_books_to_learn", "id", sqlite_where=UNKNOWN, postgresql_where=UNKNOWN),
)

subject = Table(
    "reports_subject",
    metadata,
    Column("book_id", Uuid, primary_key=True),
    Column("subject", String(500), primary_key=True),
)

hold = Table(  # open ones only
    "reports_hold",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("book_id", Uuid, nullable=False),
    Column("branch_id", Uuid, nullable=False),
    Column("waiting", Boolean, nullable=False),
    Index("reports_queues", "book_id", sqlite_where=WAITING, postgresql_where=WAITING),
)

subscription = Table(  # to a report, by e-mail
    "reports_subscription",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("owner_id", Uuid, nullable=False),
    Column("report", String(40), nullable=False),
    Column("form", String(8), nullable=False),
    Column("every", String(8), nullable=False),
    Column("weekday", String(3)),
    Column("day", String(4)),  # of the month: a number, or last
    Column("hour", Integer, nullable=False),
    Column("branch_id", Uuid),
    Column("sort", String(40)),
    Column("threshold", Integer, nullable=False),
    Column("months", Integer, nullable=False),
    Column("per", String(8), nullable=False),
    Column("next_at", UtcDateTime, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("version", Integer, nullable=False),
    Index("reports_subscriptions_of_owner", "owner_id", "id"),
    Index("reports_subscriptions_due", "next_at"),
)

TABLES = context_tables("reports", metadata)
