"""Cash sessions of desks, and which line of the ledger belongs to which."""

import sqlalchemy as sa
from alembic import op

from lendery.platform.db.types import UtcDateTime

revision = "0008"
down_revision = "0007"
compatible_from = "0006"

LEDGER, SESSION = "circulation_ledger_line", "circulation_cash_session"
GUARD_ON_SQLITE = """
    CREATE TRIGGER circulation_ledger_keeps_update BEFORE UPDATE OF
    id, borrower, kind, amount, currency, reason, method, fine_id, settlement_id,
    loan_id, hold_id, at, "by", reverses, cash_session_id
    ON circulation_ledger_line
    BEGIN SELECT RAISE(ABORT, 'the ledger is only added to'); END
"""
GUARD_ON_SQLITE_BEFORE = """
    CREATE TRIGGER circulation_ledger_keeps_update BEFORE UPDATE OF
    id, borrower, kind, amount, currency, reason, method, fine_id, settlement_id,
    loan_id, hold_id, at, "by", reverses
    ON circulation_ledger_line
    BEGIN SELECT RAISE(ABORT, 'the ledger is only added to'); END
"""
GUARD_ON_POSTGRES = """
    CREATE TRIGGER circulation_ledger_keeps_update BEFORE UPDATE OF
    id, borrower, kind, amount, currency, reason, method, fine_id, settlement_id,
    loan_id, hold_id, at, "by", reverses, cash_session_id
    ON circulation_ledger_line
    FOR EACH STATEMENT EXECUTE FUNCTION circulation_ledger_is_only_added_to()
"""
GUARD_ON_POSTGRES_BEFORE = """
    CREATE TRIGGER circulation_ledger_keeps_update BEFORE UPDATE OF
    id, borrower, kind, amount, currency, reason, method, fine_id, settlement_id,
    loan_id, hold_id, at, "by", reverses
    ON circulation_ledger_line
    FOR EACH STATEMENT EXECUTE FUNCTION circulation_ledger_is_only_added_to()
"""
KEPT_ON_SQLITE = (
    """
    CREATE TRIGGER circulation_cash_session_keeps_update BEFORE UPDATE ON circulation_cash_session
    WHEN OLD.closed_at IS NOT NULL
    BEGIN SELECT RAISE(ABORT, 'a cash session stays as it was counted'); END
    """,
    """
    CREATE TRIGGER circulation_cash_session_keeps_delete BEFORE DELETE ON circulation_cash_session
    BEGIN SELECT RAISE(ABORT, 'a cash session stays as it was counted'); END
    """,
)
KEPT_ON_POSTGRES = (
    """
    CREATE FUNCTION circulation_cash_session_stays() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN RAISE EXCEPTION 'a cash session stays as it was counted'; END $$
    """,
    """
    CREATE TRIGGER circulation_cash_session_keeps_update BEFORE UPDATE ON circulation_cash_session
    FOR EACH ROW WHEN (OLD.closed_at IS NOT NULL)
    EXECUTE FUNCTION circulation_cash_session_stays()
    """,
    """
    CREATE TRIGGER circulation_cash_session_keeps_delete BEFORE DELETE ON circulation_cash_session
    FOR EACH STATEMENT EXECUTE FUNCTION circulation_cash_session_stays()
    """,
)
NOT_COUNTED = sa.text("closed_at IS NULL")
IN_A_SESSION = sa.text("cash_session_id IS NOT NULL")
IN_NO_SESSION = sa.text("method IS NOT NULL AND cash_session_id IS NULL")


def upgrade() -> None:
    op.create_table(
        SESSION,
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("branch_id", sa.Uuid, nullable=False),
        sa.Column("desk", sa.String(64), nullable=False),
        sa.Column("opened_at", UtcDateTime, nullable=False),
        sa.Column("opened_by", sa.Uuid),
        sa.Column("opening_float", sa.BigInteger, nullable=False),
        sa.Column("currency", sa.String(3), nullable=False),
        sa.Column("closed_at", UtcDateTime),
        sa.Column("closed_by", sa.Uuid),
        sa.Column("expected", sa.BigInteger),
        sa.Column("counted", sa.BigInteger),
        sa.CheckConstraint(
            "(closed_at IS NULL) = (counted IS NULL) AND (closed_at IS NULL) = (expected IS NULL)",
            name="counted_when_closed",
        ),
        sa.Index("cash_sessions_of_branch", "branch_id", "id"),
        sa.Index("cash_sessions_by_closing", "closed_at"),
    )
    _partial(
        "one_open_cash_session_per_desk", SESSION, ["branch_id", "desk"], NOT_COUNTED, unique=True
    )
    for step in KEPT_ON_SQLITE if _on_sqlite() else KEPT_ON_POSTGRES:
        op.execute(step)
    _unguarded()
    op.add_column(LEDGER, sa.Column("cash_session_id", sa.Uuid))
    op.execute(GUARD_ON_SQLITE if _on_sqlite() else GUARD_ON_POSTGRES)
    _partial("lines_of_cash_session", LEDGER, ["cash_session_id", "id"], IN_A_SESSION)
    _partial("settled_outside_sessions", LEDGER, ["at"], IN_NO_SESSION)


def downgrade() -> None:
    op.drop_index("settled_outside_sessions", LEDGER)
    op.drop_index("lines_of_cash_session", LEDGER)
    _unguarded()
    op.drop_column(LEDGER, "cash_session_id")
    op.execute(GUARD_ON_SQLITE_BEFORE if _on_sqlite() else GUARD_ON_POSTGRES_BEFORE)
    op.drop_table(SESSION)
    if not _on_sqlite():
        op.execute("DROP FUNCTION circulation_cash_session_stays()")


def _unguarded() -> None:
    """SQLite does not say of which table."""
    if _on_sqlite():
        op.execute("DROP TRIGGER circulation_ledger_keeps_update")
    else:
        op.execute("DROP TRIGGER circulation_ledger_keeps_update ON circulation_ledger_line")


def _on_sqlite() -> bool:
    return op.get_bind().dialect.name == "sqlite"


def _partial(
    name: str, table: str, columns: list[str], where: sa.TextClause, *, unique: bool = False
) -> None:
    op.create_index(name, table, columns, unique=unique, sqlite_where=where, postgresql_where=where)
