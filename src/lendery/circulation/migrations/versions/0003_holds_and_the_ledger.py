"""Holds, the ledger, and what copies cost."""

import sqlalchemy as sa
from alembic import op

from lendery.platform.db.types import UtcDateTime

revision = "0003"
down_revision = "0002"
compatible_from = "0001"

STILL_OUT = sa.text("returned_at IS NULL")
STILL_OPEN = sa.text("ended_at IS NULL")
STILL_WAITING = sa.text("state = 'waiting'")
ON_THE_SHELF = sa.text("state = 'ready'")
ON_THE_WAY = sa.text("in_transit_to IS NOT NULL")
ON_SQLITE = (
    """
    CREATE TRIGGER circulation_ledger_keeps_update BEFORE UPDATE OF
    id, borrower, kind, amount, currency, reason, method, fine_id, settlement_id,
    loan_id, hold_id, at, "by" ON circulation_ledger_line
    BEGIN SELECT RAISE(ABORT, 'the ledger is only added to'); END
    """,
    """
    CREATE TRIGGER circulation_ledger_keeps_delete BEFORE DELETE ON circulation_ledger_line
    BEGIN SELECT RAISE(ABORT, 'the ledger is only added to'); END
    """,
)
ON_POSTGRES = (
    """
    CREATE FUNCTION circulation_ledger_is_only_added_to() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN RAISE EXCEPTION 'the ledger is only added to'; END $$
    """,
    """
    CREATE TRIGGER circulation_ledger_keeps_update BEFORE UPDATE OF
    id, borrower, kind, amount, currency, reason, method, fine_id, settlement_id,
    loan_id, hold_id, at, "by" ON circulation_ledger_line
    FOR EACH STATEMENT EXECUTE FUNCTION circulation_ledger_is_only_added_to()
    """,
    """
    CREATE TRIGGER circulation_ledger_keeps_delete BEFORE DELETE ON circulation_ledger_line
    FOR EACH STATEMENT EXECUTE FUNCTION circulation_ledger_is_only_added_to()
    """,
)
WIDE = ["patron_id", "item_type", "home_branch_id", "due_at", "book_id"]


def upgrade() -> None:
    op.add_column("circulation_copy", sa.Column("price_amount", sa.BigInteger))
    op.add_column("circulation_copy", sa.Column("price_currency", sa.String(3)))
    op.create_index("remembered_copies_of_book", "circulation_copy", ["book_id"])
    on_their_way = ["id", "in_transit_to"]
    _partial("remembered_copies_on_their_way", "circulation_copy", on_their_way, ON_THE_WAY)
    op.drop_index("open_loans_of_patron", "circulation_loan")
    _partial("open_loans_of_patron", "circulation_loan", WIDE, STILL_OUT)
    _holds()
    _ledger()


def _holds() -> None:
    op.create_table(
        "circulation_hold",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("book_id", sa.Uuid, nullable=False),
        sa.Column("copy_id", sa.Uuid),
        sa.Column("patron_id", sa.Uuid),
        sa.Column("borrower", sa.Uuid, nullable=False),
        sa.Column("pickup_branch_id", sa.Uuid, nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("suspended", sa.Boolean, nullable=False),
        sa.Column("suspended_until", sa.Date),
        sa.Column("given_copy_id", sa.Uuid),
        sa.Column("placed_at", UtcDateTime, nullable=False),
        sa.Column("ready_at", UtcDateTime),
        sa.Column("expires_on", sa.Date),
        sa.Column("ended_at", UtcDateTime),
        sa.Index("holds_of_patron", "patron_id", "id"),
        sa.Index("holds_of_book", "book_id", "id"),
    )
    for name, columns, where, unique in (
        ("one_open_hold_per_given_copy", ["given_copy_id"], STILL_OPEN, True),
        ("queue_of_book", ["book_id", "placed_at", "id"], STILL_WAITING, False),
        ("open_holds_of_patron", ["patron_id", "book_id"], STILL_OPEN, False),
        ("open_holds_at_branch", ["pickup_branch_id", "id"], STILL_OPEN, False),
        ("ready_holds_by_expiry", ["expires_on"], ON_THE_SHELF, False),
    ):
        _partial(name, "circulation_hold", columns, where, unique=unique)


def _ledger() -> None:
    op.create_table(
        "circulation_ledger_line",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("patron_id", sa.Uuid),
        sa.Column("borrower", sa.Uuid, nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("amount", sa.BigInteger, nullable=False),
        sa.Column("currency", sa.String(3), nullable=False),
        sa.Column("reason", sa.String(16)),
        sa.Column("method", sa.String(16)),
        sa.Column("note", sa.Text),
        sa.Column("fine_id", sa.Uuid),
        sa.Column("settlement_id", sa.Uuid),
        sa.Column("loan_id", sa.Uuid),
        sa.Column("hold_id", sa.Uuid),
        sa.Column("at", UtcDateTime, nullable=False),
        sa.Column("by", sa.Uuid),
        sa.CheckConstraint(
            "amount <> 0 AND (amount > 0) = (kind IN ('charge', 'refund'))",
            name="line_has_its_sign",
        ),
        sa.Index("ledger_of_patron", "patron_id", "amount"),
        sa.Index("lines_of_patron", "patron_id", "id"),
        sa.Index("lines_of_fine", "fine_id", "amount"),
        sa.Index("lines_of_loan", "loan_id", "kind", "amount"),
        sa.Index("lines_of_settlement", "settlement_id"),
    )
    _only_added_to()


def _only_added_to() -> None:
    """Retention may still cut `patron_id` and `note`."""
    on_sqlite = op.get_bind().dialect.name == "sqlite"
    for step in ON_SQLITE if on_sqlite else ON_POSTGRES:
        op.execute(step)


def _partial(
    name: str, table: str, columns: list[str], where: sa.TextClause, *, unique: bool = False
) -> None:
    op.create_index(name, table, columns, unique=unique, sqlite_where=where, postgresql_where=where)


def downgrade() -> None:
    op.drop_table("circulation_ledger_line")
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP FUNCTION circulation_ledger_is_only_added_to()")
    op.drop_table("circulation_hold")
    op.drop_index("open_loans_of_patron", "circulation_loan")
    _partial("open_loans_of_patron", "circulation_loan", ["patron_id"], STILL_OUT)
    op.drop_index("remembered_copies_on_their_way", "circulation_copy")
    op.drop_index("remembered_copies_of_book", "circulation_copy")
    op.drop_column("circulation_copy", "price_currency")
    op.drop_column("circulation_copy", "price_amount")
