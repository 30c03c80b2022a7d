"""The steps by which migrations make the tables every context has (db/log.py).

Each step is written out as it was when it was released, and never changes again: what a
revision makes must not depend on what the program has learnt since.
"""

from typing import Any

import sqlalchemy as sa

from lendery.platform.db.types import Json, UtcDateTime

SEQUENCE = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
FACTS = ("seq", "id", "name", "aggregate", "at", "body")


def create_context_tables(op: Any, context: str) -> None:
    """Step 1: log, inbox and request tables, and the triggers that keep the log append-only."""
    _create_log(op, context)
    op.create_table(
        f"{context}_inbox",
        sa.Column("event_id", sa.Uuid, primary_key=True),
        sa.Column("reaction", sa.String(120), primary_key=True),
        sa.Column("at", UtcDateTime, nullable=False),
    )
    op.create_table(
        f"{context}_request",
        sa.Column("scope", sa.String(64), primary_key=True),
        sa.Column("key", sa.String(255), primary_key=True),
        sa.Column("fingerprint", sa.String(64), nullable=False),
        sa.Column("status", sa.SmallInteger, nullable=False),
        sa.Column("answer", Json, nullable=False),
        sa.Column("at", UtcDateTime, nullable=False),
    )
    op.create_index(f"{context}_requests_by_age", f"{context}_request", ["at"])
    if _sqlite(op):
        _guard_log_on_sqlite(op, context)
    else:
        _guard_log_on_postgres(op, context)


def _create_log(op: Any, context: str) -> None:
    log = f"{context}_event"
    op.create_table(
        log,
        sa.Column("seq", SEQUENCE, primary_key=True, autoincrement=True),
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("name", sa.String(80), nullable=False),
        sa.Column("aggregate", sa.Uuid, nullable=False),
        sa.Column("at", UtcDateTime, nullable=False),
        sa.Column("body", Json, nullable=False),
        sa.Column("published_at", UtcDateTime),
        sa.Column("claimed_until", UtcDateTime),
        sa.Column("attempts", sa.Integer, nullable=False, server_default=sa.text("0")),
        sa.Column("next_at", UtcDateTime),
        sa.Column("parked_at", UtcDateTime),
        sa.Column("error", sa.Text),
        sqlite_autoincrement=True,
    )
    op.create_index(f"{context}_event_by_id", log, ["id"], unique=True)
    waiting = "published_at IS NULL AND parked_at IS NULL"
    _partial_index(op, f"{context}_events_due", log, ["seq"], waiting)
    _partial_index(op, f"{context}_events_waiting", log, ["aggregate", "seq"], waiting)


def _partial_index(op: Any, name: str, table: str, columns: list[str], where: str) -> None:
    condition = sa.text(where)
    op.create_index(name, table, columns, sqlite_where=condition, postgresql_where=condition)


def _guard_log_on_sqlite(op: Any, context: str) -> None:
    for what in (f"UPDATE OF {', '.join(FACTS)}", "DELETE"):
        op.execute(
            f"CREATE TRIGGER {context}_log_keeps_{what.split()[0].lower()} "
            f"BEFORE {what} ON {context}_event "
            "BEGIN SELECT RAISE(ABORT, 'the log is append-only'); END"
        )


def _guard_log_on_postgres(op: Any, context: str) -> None:
    op.execute(
        f"CREATE FUNCTION {context}_log_is_append_only() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION 'the log is append-only'; END $$"
    )
    for what in (f"UPDATE OF {', '.join(FACTS)}", "DELETE"):
        op.execute(
            f"CREATE TRIGGER {context}_log_keeps_{what.split()[0].lower()} "
            f"BEFORE {what} ON {context}_event "
            f"FOR EACH STATEMENT EXECUTE FUNCTION {context}_log_is_append_only()"
        )


def drop_context_tables(op: Any, context: str) -> None:
    for name in ("event", "inbox", "request"):
        op.drop_table(f"{context}_{name}")
    if not _sqlite(op):
        op.execute(f"DROP FUNCTION {context}_log_is_append_only()")


def add_chain(op: Any, context: str) -> None:
    """Step 2: the seals that chain the log, and the triggers that keep a seal as it was set."""
    log, seal = f"{context}_event", f"{context}_seal"
    op.add_column(log, sa.Column("seal_no", SEQUENCE))
    _partial_index(op, f"{context}_events_sealed", log, ["seal_no", "seq"], "seal_no IS NOT NULL")
    _partial_index(
        op,
        f"{context}_events_unsealed",
        log,
        ["seq"],
        "seal_no IS NULL AND published_at IS NOT NULL",
    )
    op.create_table(
        seal,
        sa.Column("no", SEQUENCE, primary_key=True, autoincrement=False),
        sa.Column("prev", sa.String(64), nullable=False),
        sa.Column("hash", sa.String(64), nullable=False),
        sa.Column("events", sa.Integer, nullable=False),
        sa.Column("at", UtcDateTime, nullable=False),
        sa.Column("late", sa.Boolean, nullable=False),
        sa.Column("contents", sa.Text, nullable=False),
    )
    if _sqlite(op):
        _guard_chain_on_sqlite(op, context)
    else:
        _guard_chain_on_postgres(op, context)


def _guard_chain_on_sqlite(op: Any, context: str) -> None:
    op.execute(
        f"CREATE TRIGGER {context}_log_keeps_seal BEFORE UPDATE OF seal_no ON {context}_event "
        "WHEN OLD.seal_no IS NOT NULL AND NEW.seal_no IS NOT OLD.seal_no "
        "BEGIN SELECT RAISE(ABORT, 'a sealed event stays in its seal'); END"
    )
    for what in ("UPDATE", "DELETE"):
        op.execute(
            f"CREATE TRIGGER {context}_seal_keeps_{what.lower()} BEFORE {what} ON {context}_seal "
            "BEGIN SELECT RAISE(ABORT, 'the log is append-only'); END"
        )


def _guard_chain_on_postgres(op: Any, context: str) -> None:
    # Hashes do not get smaller by trying.
    op.execute(f"ALTER TABLE {context}_seal ALTER COLUMN contents SET STORAGE EXTERNAL")
    op.execute(
        f"CREATE FUNCTION {context}_seal_stays() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION 'a sealed event stays in its seal'; END $$"
    )
    op.execute(
        f"CREATE TRIGGER {context}_log_keeps_seal BEFORE UPDATE OF seal_no ON {context}_event "
        "FOR EACH ROW WHEN (OLD.seal_no IS NOT NULL AND NEW.seal_no IS DISTINCT FROM OLD.seal_no) "
        f"EXECUTE FUNCTION {context}_seal_stays()"
    )
    for what in ("UPDATE", "DELETE"):
        op.execute(
            f"CREATE TRIGGER {context}_seal_keeps_{what.lower()} BEFORE {what} ON {context}_seal "
            f"FOR EACH STATEMENT EXECUTE FUNCTION {context}_log_is_append_only()"
        )


def drop_chain(op: Any, context: str) -> None:
    op.drop_table(f"{context}_seal")
    op.execute(
        f"DROP TRIGGER {context}_log_keeps_seal"
        if _sqlite(op)
        else f"DROP TRIGGER {context}_log_keeps_seal ON {context}_event"
    )
    for index in ("sealed", "unsealed"):
        op.drop_index(f"{context}_events_{index}", f"{context}_event")
    op.drop_column(f"{context}_event", "seal_no")
    if not _sqlite(op):
        op.execute(f"DROP FUNCTION {context}_seal_stays()")


def add_changes(op: Any, context: str) -> None:
    """Step 3: what each change touched, who answers from memory, and a word to them.

    Needs the row `<context>_change` (id, version). Its mark is 0 until the next change.
    """
    change = f"{context}_change"
    op.add_column(
        change, sa.Column("mark", sa.BigInteger, nullable=False, server_default=sa.text("0"))
    )
    op.create_table(
        f"{context}_changed",
        sa.Column("version", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("mark", sa.BigInteger, nullable=False),
        sa.Column("touched", Json, nullable=False),
    )
    op.create_table(
        f"{context}_reader",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("seen", sa.BigInteger, nullable=False),
    )
    if _sqlite(op):
        return
    op.execute(
        f"CREATE FUNCTION {context}_change_is_told() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN PERFORM pg_notify('lendery_{context}', NEW.version::text); RETURN NULL; END $$"
    )
    op.execute(
        f"CREATE TRIGGER {context}_change_told AFTER UPDATE ON {change} "
        f"FOR EACH ROW EXECUTE FUNCTION {context}_change_is_told()"
    )


def drop_changes(op: Any, context: str) -> None:
    if not _sqlite(op):
        op.execute(f"DROP TRIGGER {context}_change_told ON {context}_change")
        op.execute(f"DROP FUNCTION {context}_change_is_told()")
    op.drop_table(f"{context}_reader")
    op.drop_table(f"{context}_changed")
    op.drop_column(f"{context}_change", "mark")


def _sqlite(op: Any) -> bool:
    return bool(op.get_bind().dialect.name == "sqlite")
