"""The tables of circulation. Columns and constraints only; the rules are elsewhere."""

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

from lendery.platform.db import Json, UtcDateTime, context_tables

metadata = MetaData()
TABLES = context_tables("circulation", metadata)
STILL_OUT = text("returned_at IS NULL")

branch = Table(
    "circulation_branch",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("code", String(64), nullable=False),
    Column("name", String(500), nullable=False),
    Column("time_zone", String(64), nullable=False),
    Column("address", String(500)),
    Column("calendar_id", Uuid),
    Column("self_service", Boolean, nullable=False),
    Column("version", Integer, nullable=False),
    Index("one_branch_per_code", "code", unique=True),
)

calendar = Table(
    "circulation_calendar",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("name", String(500), nullable=False),
    Column("weekly", Json, nullable=False),
    Column("exceptions", Json, nullable=False),
    Column("valid_until", Date),
    Column("version", Integer, nullable=False),
)

rule = Table(
    "circulation_rule",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("branch_id", Uuid),
    Column("category", String(64)),
    Column("item_type", String(64)),
    Column("parameter", String(64), nullable=False),
    Column("value", Json),
    Column("scope", String(300), nullable=False),  # the four above as one key: nulls compare equal
    Column("changed_at", UtcDateTime, nullable=False),
    Column("changed_by", Uuid),
    Column("version", Integer, nullable=False),
    Index("one_value_per_scope_and_parameter", "scope", unique=True),
)

setup = Table(  # one row; its version moves with every change of branches, calendars and rules
    "circulation_setup",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("version", BigInteger, nullable=False),
)

patron = Table(  # what we remember of the patrons we have met
    "circulation_patron",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("card_number", String(64)),
    Column("category", String(64), nullable=False),
    Column("home_branch_id", Uuid),
    Column("expires_on", Date),
    Column("born_on", Date),
    Column("blocks", Json, nullable=False),
    Column("active", Boolean, nullable=False),
    Column("version", Integer, nullable=False),
    Index("remembered_patron_by_card", "card_number"),
)

copy = Table(  # what we remember of the copies we have met, and what only we know of them
    "circulation_copy",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("barcode", String(64)),
    Column("book_id", Uuid, nullable=False),
    Column("item_type", String(64), nullable=False),
    Column("home_branch_id", Uuid, nullable=False),
    Column("version", Integer, nullable=False),
    Column("current_branch_id", Uuid),
    Column("in_transit_to", Uuid),
    Column("last_seen_at", UtcDateTime),
    Column("withdrawn", Boolean, nullable=False, server_default=text("false")),
    Column("lost", Boolean, nullable=False, server_default=text("false")),
    Column("damaged", Boolean, nullable=False, server_default=text("false")),
    Column("missing", Boolean, nullable=False, server_default=text("false")),
    Column("claimed_returned", Boolean, nullable=False, server_default=text("false")),
    Index("remembered_copy_by_barcode", "barcode"),
)

loan = Table(
    "circulation_loan",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("copy_id", Uuid, nullable=False),
    Column("book_id", Uuid, nullable=False),
    Column("item_type", String(64), nullable=False),
    Column("home_branch_id", Uuid, nullable=False),
    Column("patron_id", Uuid),  # null once retention has cut the link
    Column("borrower", Uuid, nullable=False),  # stands for the patron in the log
    Column("branch_id", Uuid, nullable=False),
    Column("lent_at", UtcDateTime, nullable=False),
    Column("due_at", UtcDateTime, nullable=False),
    Column("returned_at", UtcDateTime),
    Column("returned_branch_id", Uuid),
    Column("renewals", Integer, nullable=False),
    Column("policy", Json, nullable=False),  # as it was on the day: later rules do not touch it
    Column("waived", Json),
    Column("waived_by", Uuid),
    Column("waive_reason", Text),
    # The one rule the database itself must keep: two desks, one copy, one loan.
    Index(
        "one_open_loan_per_copy",
        "copy_id",
        unique=True,
        sqlite_where=STILL_OUT,
        postgresql_where=STILL_OUT,
    ),
    Index("open_loans_of_patron", "patron_id", sqlite_where=STILL_OUT, postgresql_where=STILL_OUT),
    Index("open_loans_by_due", "due_at", sqlite_where=STILL_OUT, postgresql_where=STILL_OUT),
    Index("loans_of_patron", "patron_id", "id"),
    Index("loans_of_copy", "copy_id", "id"),
)
