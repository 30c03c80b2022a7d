"""What was undone, how a loan ended, and lines of the ledger that take another back."""

import sqlalchemy as sa
from alembic import op

from lendery.platform.db.types import Json, UtcDateTime

revision = "0006"
down_revision = "0005"
compatible_from = "0004"

LEDGER, SIGN = "circulation_ledger_line", "line_has_its_sign"
OF_OLD = "amount <> 0 AND (amount > 0) = (kind IN ('charge', 'refund'))"
NOW = "amount <> 0 AND (amount > 0) = (kind IN ('charge', 'refund', 'reversal'))"
MADE = "circulation_ledger_line_made_anew"
COPIED = """
    INSERT INTO circulation_ledger_line_made_anew (
        id, patron_id, borrower, kind, amount, currency, reason, method, note, fine_id,
        settlement_id, loan_id, hold_id, at, "by"
    )
    SELECT
        id, patron_id, borrower, kind, amount, currency, reason, method, note, fine_id,
        settlement_id, loan_id, hold_id, at, "by"
    FROM circulation_ledger_line
"""
NO_UPDATE_ON_SQLITE = """
    CREATE TRIGGER circulation_ledger_keeps_update BEFORE UPDATE OF
    id, borrower, kind, amount, currency, reason, method, fine_id, settlement_id,
    loan_id, hold_id, at, "by", reverses
    ON circulation_ledger_line
    BEGIN SELECT RAISE(ABORT, 'the ledger is only added to'); END
"""
NO_UPDATE_ON_SQLITE_BEFORE = """
    CREATE TRIGGER circulation_ledger_keeps_update BEFORE UPDATE OF
    id, borrower, kind, amount, currency, reason, method, fine_id, settlement_id,
    loan_id, hold_id, at, "by"
    ON circulation_ledger_line
    BEGIN SELECT RAISE(ABORT, 'the ledger is only added to'); END
"""
NO_DELETE_ON_SQLITE = """
    CREATE TRIGGER circulation_ledger_keeps_delete BEFORE DELETE ON circulation_ledger_line
    BEGIN SELECT RAISE(ABORT, 'the ledger is only added to'); END
"""
NO_UPDATE_ON_POSTGRES = """
    CREATE TRIGGER circulation_ledger_keeps_update BEFORE UPDATE OF
    id, borrower, kind, amount, currency, reason, method, fine_id, settlement_id,
    loan_id, hold_id, at, "by", reverses
    ON circulation_ledger_line
    FOR EACH STATEMENT EXECUTE FUNCTION circulation_ledger_is_only_added_to()
"""
NO_UPDATE_ON_POSTGRES_BEFORE = """
    CREATE TRIGGER circulation_ledger_keeps_update BEFORE UPDATE OF
    id, borrower, kind, amount, currency, reason, method, fine_id, settlement_id,
    loan_id, hold_id, at, "by"
    ON circulation_ledger_line
    FOR EACH STATEMENT EXECUTE FUNCTION circulation_ledger_is_only_added_to()
"""
INDEXES = {
    "ledger_of_patron": ["patron_id", "amount"],
    "lines_of_patron": ["patron_id", "id"],
    "lines_of_fine": ["fine_id", "amount"],
    "lines_of_loan": ["loan_id", "kind", "amount"],
    "lines_of_settlement": ["settlement_id"],
}
STILL_OPEN = sa.text("ended_at IS NULL")
REVERSES = sa.text("reverses IS NOT NULL")


def upgrade() -> None:
    op.add_column("circulation_loan", sa.Column("ended_as", sa.String(16)))
    op.add_column("circulation_loan", sa.Column("recalled_at", UtcDateTime))
    op.add_column("circulation_loan", sa.Column("claimed_at", UtcDateTime))
    op.add_column(
        "circulation_copy",
        sa.Column("in_house_uses", sa.Integer, nullable=False, server_default=sa.text("0")),
    )
    op.create_table(
        "circulation_undone",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("at", UtcDateTime, nullable=False),
        sa.Column("by", sa.Uuid),
        sa.Column("answer", Json, nullable=False),
    )
    op.create_table(
        "circulation_suspension",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("patron_id", sa.Uuid),
        sa.Column("borrower", sa.Uuid, nullable=False),
        sa.Column("loan_id", sa.Uuid, nullable=False),
        sa.Column("began_at", UtcDateTime, nullable=False),
        sa.Column("until", UtcDateTime, nullable=False),
        sa.Column("ended_at", UtcDateTime),
    )
    op.create_index(
        "suspensions_of_patron",
        "circulation_suspension",
        ["patron_id", "until"],
        sqlite_where=STILL_OPEN,
        postgresql_where=STILL_OPEN,
    )
    _ledger(sign=NOW, more=[sa.Column("reverses", sa.Uuid)])
    op.create_index(
        "one_reversal_per_line",
        LEDGER,
        ["reverses"],
        unique=True,
        sqlite_where=REVERSES,
        postgresql_where=REVERSES,
    )


def downgrade() -> None:
    op.drop_index("one_reversal_per_line", LEDGER)
    _ledger(sign=OF_OLD, more=[])
    op.drop_table("circulation_suspension")
    op.drop_table("circulation_undone")
    op.drop_column("circulation_copy", "in_house_uses")
    op.drop_column("circulation_loan", "claimed_at")
    op.drop_column("circulation_loan", "recalled_at")
    op.drop_column("circulation_loan", "ended_as")


def _ledger(*, sign: str, more: list["sa.Column[object]"]) -> None:
    """The ledger with another rule of signs, and with the column `reverses` or without it."""
    if op.get_bind().dialect.name == "sqlite":
        _made_anew(sign, more)  # SQLite changes no constraint of a table that there is
        op.execute(NO_UPDATE_ON_SQLITE if more else NO_UPDATE_ON_SQLITE_BEFORE)
        op.execute(NO_DELETE_ON_SQLITE)
        return
    op.execute("DROP TRIGGER circulation_ledger_keeps_update ON circulation_ledger_line")
    op.drop_constraint(SIGN, LEDGER, type_="check")
    if more:
        op.add_column(LEDGER, more[0])
    else:
        op.drop_column(LEDGER, "reverses")
    op.create_check_constraint(SIGN, LEDGER, sign)
    op.execute(NO_UPDATE_ON_POSTGRES if more else NO_UPDATE_ON_POSTGRES_BEFORE)


def _made_anew(sign: str, more: list["sa.Column[object]"]) -> None:
    op.create_table(MADE, *_columns(), *more, sa.CheckConstraint(sign, name=SIGN))
    op.execute(COPIED)
    op.drop_table(LEDGER)
    op.rename_table(MADE, LEDGER)
    for name, indexed in INDEXES.items():
        op.create_index(name, LEDGER, indexed)


def _columns() -> list["sa.Column[object]"]:
    return [
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
    ]
