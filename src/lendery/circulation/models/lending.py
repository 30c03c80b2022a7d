"""Who has which copy, who waits for it, and who was late."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Date,
    Index,
    Integer,
    String,
    Table,
    Text,
    Uuid,
    text,
)

from lendery.circulation.models.base import metadata
from lendery.platform.db import Json, UtcDateTime

STILL_OUT = text("returned_at IS NULL")
STILL_OPEN = text("ended_at IS NULL")
STILL_WAITING = text("state = 'waiting'")
ON_THE_SHELF = text("state = 'ready'")
ON_THE_WAY = text("in_transit_to IS NOT NULL")

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
    Column("price_amount", BigInteger),
    Column("price_currency", String(3)),
    Column("in_house_uses", Integer, nullable=False, server_default=text("0")),
    Index("remembered_copy_by_barcode", "barcode"),
    Index("remembered_copies_of_book", "book_id"),
    Index(  # only those: most copies are not, and they must not be found through it
        "remembered_copies_on_their_way",
        "id",
        "in_transit_to",
        sqlite_where=ON_THE_WAY,
        postgresql_where=ON_THE_WAY,
    ),
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
    Column("ended_as", String(16)),  # null: open, or it came back
    Column("recalled_at", UtcDateTime),  # when it was called back
    Column("claimed_at", UtcDateTime),  # since when it is said to have been returned
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
    Index(  # wide, so that what a patron has out is counted from the index alone
        "open_loans_of_patron",
        "patron_id",
        "item_type",
        "home_branch_id",
        "due_at",
        "book_id",
        sqlite_where=STILL_OUT,
        postgresql_where=STILL_OUT,
    ),
    Index("open_loans_by_due", "due_at", sqlite_where=STILL_OUT, postgresql_where=STILL_OUT),
    Index("loans_of_patron", "patron_id", "id"),
    Index("loans_of_copy", "copy_id", "id"),
)

hold = Table(
    "circulation_hold",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("book_id", Uuid, nullable=False),
    Column("copy_id", Uuid),  # null: any copy of the book will do
    Column("patron_id", Uuid),  # null once retention has cut the link
    Column("borrower", Uuid, nullable=False),  # stands for the patron in the log
    Column("pickup_branch_id", Uuid, nullable=False),
    Column("state", String(16), nullable=False),
    Column("suspended", Boolean, nullable=False),
    Column("suspended_until", Date),
    Column("given_copy_id", Uuid),
    Column("placed_at", UtcDateTime, nullable=False),
    Column("ready_at", UtcDateTime),
    Column("expires_on", Date),
    Column("ended_at", UtcDateTime),
    Column("asked_for", Uuid),  # the book it was placed on, if that was merged into this one
    # One copy is kept for one reader.
    Index(
        "one_open_hold_per_given_copy",
        "given_copy_id",
        unique=True,
        sqlite_where=STILL_OPEN,
        postgresql_where=STILL_OPEN,
    ),
    Index(
        "queue_of_book",
        "book_id",
        "placed_at",
        "id",
        sqlite_where=STILL_WAITING,
        postgresql_where=STILL_WAITING,
    ),
    Index(
        "open_holds_of_patron",
        "patron_id",
        "book_id",
        sqlite_where=STILL_OPEN,
        postgresql_where=STILL_OPEN,
    ),
    Index(
        "open_holds_at_branch",
        "pickup_branch_id",
        "id",
        sqlite_where=STILL_OPEN,
        postgresql_where=STILL_OPEN,
    ),
    Index(
        "ready_holds_by_expiry",
        "expires_on",
        sqlite_where=ON_THE_SHELF,
        postgresql_where=ON_THE_SHELF,
    ),
    Index("holds_of_patron", "patron_id", "id"),
    Index("holds_of_book", "book_id", "id"),
)

suspension = Table(  # days without borrowing that follow a late return
    "circulation_suspension",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("patron_id", Uuid),  # null once retention has cut the link
    Column("borrower", Uuid, nullable=False),  # stands for the patron in the log
    Column("loan_id", Uuid, nullable=False),
    Column("began_at", UtcDateTime, nullable=False),
    Column("until", UtcDateTime, nullable=False),
    Column("ended_at", UtcDateTime),  # lifted before its time
    Index(
        "suspensions_of_patron",
        "patron_id",
        "until",
        sqlite_where=STILL_OPEN,
        postgresql_where=STILL_OPEN,
    ),
)
