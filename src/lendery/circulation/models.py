"""The tables of circulation. Columns and constraints only; the rules are elsewhere."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
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
from lendery.platform.db.jobs import job_table
from lendery.platform.lookups import lookup_table

metadata = MetaData()
TABLES = context_tables("circulation", metadata)
JOBS = job_table("circulation", metadata)
LOOKUPS = lookup_table("circulation", metadata)
STILL_OUT = text("returned_at IS NULL")
STILL_OPEN = text("ended_at IS NULL")
STILL_WAITING = text("state = 'waiting'")
ON_THE_SHELF = text("state = 'ready'")
ON_THE_WAY = text("in_transit_to IS NOT NULL")
TAKES_BACK = text("reverses IS NOT NULL")
STILL_UNSETTLED = text("settled_at IS NULL")
NOT_COUNTED = text("closed_at IS NULL")
IN_A_SESSION = text("cash_session_id IS NOT NULL")
IN_NO_SESSION = text("method IS NOT NULL AND cash_session_id IS NULL")

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

transport_cost = Table(  # of ways between two branches; what is not here costs 1
    "circulation_transport_cost",
    metadata,
    Column("from_branch_id", Uuid, primary_key=True),
    Column("to_branch_id", Uuid, primary_key=True),
    Column("cost", Integer, nullable=False),
    CheckConstraint("cost BETWEEN 0 AND 1000", name="cost_can_be_compared"),
)

rule_table = Table(  # only added to: what was in force when, and what will be
    "circulation_rule_table",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("id", Uuid, nullable=False),
    Column("valid_from", UtcDateTime, nullable=False),
    Column("planned", Boolean, nullable=False),  # else in force from its commit on, by any clock
    Column("saved_at", UtcDateTime, nullable=False),
    Column("saved_by", Uuid),
    Column("comment", Text),
    Column("restored_from", Integer),
    Column("size", Integer, nullable=False),
    Column("rows", Json, nullable=False),
    Index("rule_tables_by_time", "valid_from", "number"),
)

rule = Table(  # what was in force when last saved: for programs of before the versions
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

difference = Table(  # what a simulated rule table would have made otherwise
    "circulation_difference",
    metadata,
    Column("simulation_id", Uuid, primary_key=True),
    Column("no", Integer, primary_key=True, autoincrement=False),
    Column("kind", String(16), nullable=False),
    Column("event", String(16), nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Column("loan_id", Uuid, nullable=False),
    Column("copy_id", Uuid, nullable=False),
    Column("branch_id", Uuid, nullable=False),
    Column("category", String(64)),
    Column("item_type", String(64), nullable=False),
    Column("was", Json, nullable=False),
    Column("would_be", Json, nullable=False),
    Column("certain", Boolean, nullable=False),
)

setup = Table(  # one row; its version moves when branches, calendars, costs or rules change
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

ledger_line = Table(  # only ever added to: triggers refuse the rest, but for what retention cuts
    "circulation_ledger_line",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("patron_id", Uuid),  # null once retention has cut the link
    Column("borrower", Uuid, nullable=False),  # stands for the patron in the log
    Column("kind", String(16), nullable=False),
    Column("amount", BigInteger, nullable=False),  # minor units; charge and refund above zero
    Column("currency", String(3), nullable=False),
    Column("reason", String(16)),  # of a charge
    Column("method", String(16)),  # of a payment or refund
    Column("note", Text),  # what staff wrote: never in the log
    Column("fine_id", Uuid),  # the charge that this settles
    Column("settlement_id", Uuid),  # shared by the lines of one payment
    Column("loan_id", Uuid),
    Column("hold_id", Uuid),
    Column("at", UtcDateTime, nullable=False),
    Column("by", Uuid),
    Column("reverses", Uuid),  # the line that this one takes back
    Column("cash_session_id", Uuid),  # in whose count it is; null: no session was open
    CheckConstraint(
        "amount <> 0 AND (amount > 0) = (kind IN ('charge', 'refund', 'reversal'))",
        name="line_has_its_sign",
    ),
    Index("ledger_of_patron", "patron_id", "amount"),  # the balance, from the index alone
    Index("lines_of_patron", "patron_id", "id"),
    Index("lines_of_fine", "fine_id", "amount"),
    Index("lines_of_loan", "loan_id", "kind", "amount"),
    Index("lines_of_settlement", "settlement_id"),
    Index(
        "one_reversal_per_line",
        "reverses",
        unique=True,
        sqlite_where=TAKES_BACK,
        postgresql_where=TAKES_BACK,
    ),
    Index(
        "lines_of_cash_session",
        "cash_session_id",
        "id",
        sqlite_where=IN_A_SESSION,
        postgresql_where=IN_A_SESSION,
    ),
    Index(
        "settled_outside_sessions",
        "at",
        sqlite_where=IN_NO_SESSION,
        postgresql_where=IN_NO_SESSION,
    ),
)

cash_session = Table(  # a trigger refuses every change of one that was counted
    "circulation_cash_session",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("branch_id", Uuid, nullable=False),
    Column("desk", String(64), nullable=False),
    Column("opened_at", UtcDateTime, nullable=False),
    Column("opened_by", Uuid),
    Column("opening_float", BigInteger, nullable=False),  # minor units, as all amounts
    Column("currency", String(3), nullable=False),
    Column("closed_at", UtcDateTime),
    Column("closed_by", Uuid),
    Column("expected", BigInteger),
    Column("counted", BigInteger),
    CheckConstraint(
        "(closed_at IS NULL) = (counted IS NULL) AND (closed_at IS NULL) = (expected IS NULL)",
        name="counted_when_closed",
    ),
    Index(  # two openings at once: one of them opens
        "one_open_cash_session_per_desk",
        "branch_id",
        "desk",
        unique=True,
        sqlite_where=NOT_COUNTED,
        postgresql_where=NOT_COUNTED,
    ),
    Index("cash_sessions_of_branch", "branch_id", "id"),
    Index("cash_sessions_by_closing", "closed_at"),
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

undone = Table(  # what was undone, and what was answered: nothing is undone twice
    "circulation_undone",
    metadata,
    Column("id", Uuid, primary_key=True),  # of the event, or of the settlement
    Column("at", UtcDateTime, nullable=False),
    Column("by", Uuid),
    Column("answer", Json, nullable=False),
)

offline_desk = Table(  # desks that lend without a connection; their keys are kept nowhere
    "circulation_offline_desk",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("name", String(500), nullable=False),
    Column("branch_id", Uuid, nullable=False),
    Column("registered_at", UtcDateTime, nullable=False),
    Column("registered_by", Uuid),
    Column("revoked_at", UtcDateTime),
    Column("last_sequence", Integer, nullable=False),
    Column("last_signature", String(64)),
    Column("last_at", UtcDateTime, nullable=False),  # when the last of it happened
)

offline_batch = Table(
    "circulation_offline_batch",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("desk_id", Uuid, nullable=False),
    Column("first_sequence", Integer, nullable=False),
    Column("last_sequence", Integer, nullable=False),
    Column("last_signature", String(64), nullable=False),  # covers all that is in it
    Column("received_at", UtcDateTime, nullable=False),
    Column("received_by", Uuid),
    Column("place", Uuid, nullable=False),  # in the order in which they came
    Index("offline_batches_in_order", "place", unique=True),
    Index("offline_batches_of_desk", "desk_id", "place"),
)

offline_transaction = Table(  # what became of it; it names no reader
    "circulation_offline_transaction",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("desk_id", Uuid, nullable=False),
    Column("sequence", Integer, nullable=False),
    Column("batch_id", Uuid, nullable=False),
    Column("signature", String(64), nullable=False),
    Column("kind", String(16), nullable=False),
    Column("happened_at", UtcDateTime, nullable=False),
    Column("taken_at", UtcDateTime, nullable=False),
    Column("recorded", Boolean, nullable=False),
    Column("conflicts", Json, nullable=False),
    Column("loan_id", Uuid),
    Column("next", String(16)),
    Column("to_branch", Uuid),
    Index("one_offline_transaction_per_number", "desk_id", "sequence", unique=True),
)

offline_conflict = Table(
    "circulation_offline_conflict",
    metadata,
    Column("id", Uuid, primary_key=True),  # of the transaction
    Column("desk_id", Uuid, nullable=False),
    Column("place", Uuid, nullable=False),  # in the order in which they came
    Column("barcode", String(64), nullable=False),
    Column("copy_id", Uuid),
    Column("loan_id", Uuid),  # recorded, and as what
    Column("recorded", Boolean, nullable=False),
    Column("conflicts", Json, nullable=False),
    Column("patron_id", Uuid),  # of what was not recorded, while it is open
    Column("card_number", String(64)),  # likewise, where nobody is known by it
    Column("settled_as", String(16)),
    Column("settled_at", UtcDateTime),
    Column("settled_by", Uuid),
    Column("reason", Text),
    Index("offline_conflicts_in_order", "place", unique=True),
    Index(
        "open_offline_conflicts",
        "place",
        sqlite_where=STILL_UNSETTLED,
        postgresql_where=STILL_UNSETTLED,
    ),
    Index(
        "open_offline_conflicts_of_patron",
        "patron_id",
        sqlite_where=STILL_UNSETTLED,
        postgresql_where=STILL_UNSETTLED,
    ),
)
