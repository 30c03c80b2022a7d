"""The ledger, the drawers of the desks, and what was undone."""

from sqlalchemy import BigInteger, CheckConstraint, Column, Index, String, Table, Text, Uuid, text

from lendery.circulation.models.base import metadata
from lendery.platform.db import Json, UtcDateTime

TAKES_BACK = text("reverses IS NOT NULL")
NOT_COUNTED = text("closed_at IS NULL")
IN_A_SESSION = text("cash_session_id IS NOT NULL")
IN_NO_SESSION = text("method IS NOT NULL AND cash_session_id IS NULL")

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

undone = Table(  # what was undone, and what was answered: nothing is undone twice
    "circulation_undone",
    metadata,
    Column("id", Uuid, primary_key=True),  # of the event, or of the settlement
    Column("at", UtcDateTime, nullable=False),
    Column("by", Uuid),
    Column("answer", Json, nullable=False),
)
