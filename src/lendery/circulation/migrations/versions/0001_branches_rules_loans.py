"""Branches, calendars, rules, remembered patrons and copies, loans."""

import sqlalchemy as sa
from alembic import op

from lendery.platform.db.types import Json, UtcDateTime
from lendery.platform.log_steps import create_context_tables, drop_context_tables

revision = "0001"
down_revision = None
compatible_from = "0001"

STILL_OUT = sa.text("returned_at IS NULL")


def upgrade() -> None:
    create_context_tables(op, "circulation")
    _house()
    _memory()
    _loans()


def _house() -> None:
    op.create_table(
        "circulation_branch",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("code", sa.String(64), nullable=False),
        sa.Column("name", sa.String(500), nullable=False),
        sa.Column("time_zone", sa.String(64), nullable=False),
        sa.Column("address", sa.String(500)),
        sa.Column("calendar_id", sa.Uuid),
        sa.Column("self_service", sa.Boolean, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Index("one_branch_per_code", "code", unique=True),
    )
    op.create_table(
        "circulation_calendar",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("name", sa.String(500), nullable=False),
        sa.Column("weekly", Json, nullable=False),
        sa.Column("exceptions", Json, nullable=False),
        sa.Column("valid_until", sa.Date),
        sa.Column("version", sa.Integer, nullable=False),
    )
    op.create_table(
        "circulation_rule",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("branch_id", sa.Uuid),
        sa.Column("category", sa.String(64)),
        sa.Column("item_type", sa.String(64)),
        sa.Column("parameter", sa.String(64), nullable=False),
        sa.Column("value", Json),
        sa.Column("scope", sa.String(300), nullable=False),
        sa.Column("changed_at", UtcDateTime, nullable=False),
        sa.Column("changed_by", sa.Uuid),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Index("one_value_per_scope_and_parameter", "scope", unique=True),
    )
    setup = op.create_table(
        "circulation_setup",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("version", sa.BigInteger, nullable=False),
    )
    op.bulk_insert(setup, [{"id": 1, "version": 1}])


def _memory() -> None:
    op.create_table(
        "circulation_patron",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("card_number", sa.String(64)),
        sa.Column("category", sa.String(64), nullable=False),
        sa.Column("home_branch_id", sa.Uuid),
        sa.Column("expires_on", sa.Date),
        sa.Column("born_on", sa.Date),
        sa.Column("blocks", Json, nullable=False),
        sa.Column("active", sa.Boolean, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Index("remembered_patron_by_card", "card_number"),
    )
    flags = ("withdrawn", "lost", "damaged", "missing", "claimed_returned")
    op.create_table(
        "circulation_copy",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("barcode", sa.String(64)),
        sa.Column("book_id", sa.Uuid, nullable=False),
        sa.Column("item_type", sa.String(64), nullable=False),
        sa.Column("home_branch_id", sa.Uuid, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("current_branch_id", sa.Uuid),
        sa.Column("in_transit_to", sa.Uuid),
        sa.Column("last_seen_at", UtcDateTime),
        *[
            sa.Column(flag, sa.Boolean, nullable=False, server_default=sa.text("false"))
            for flag in flags
        ],
        sa.Index("remembered_copy_by_barcode", "barcode"),
    )


def _loans() -> None:
    op.create_table(
        "circulation_loan",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("copy_id", sa.Uuid, nullable=False),
        sa.Column("book_id", sa.Uuid, nullable=False),
        sa.Column("item_type", sa.String(64), nullable=False),
        sa.Column("home_branch_id", sa.Uuid, nullable=False),
        sa.Column("patron_id", sa.Uuid),
        sa.Column("borrower", sa.Uuid, nullable=False),
        sa.Column("branch_id", sa.Uuid, nullable=False),
        sa.Column("lent_at", UtcDateTime, nullable=False),
        sa.Column("due_at", UtcDateTime, nullable=False),
        sa.Column("returned_at", UtcDateTime),
        sa.Column("returned_branch_id", sa.Uuid),
        sa.Column("renewals", sa.Integer, nullable=False),
        sa.Column("policy", Json, nullable=False),
        sa.Column("waived", Json),
        sa.Column("waived_by", sa.Uuid),
        sa.Column("waive_reason", sa.Text),
        sa.Index("loans_of_patron", "patron_id", "id"),
        sa.Index("loans_of_copy", "copy_id", "id"),
    )
    for name, column, unique in (
        ("one_open_loan_per_copy", "copy_id", True),
        ("open_loans_of_patron", "patron_id", False),
        ("open_loans_by_due", "due_at", False),
    ):
        op.create_index(
            name,
            "circulation_loan",
            [column],
            unique=unique,
            sqlite_where=STILL_OUT,
            postgresql_where=STILL_OUT,
        )


def downgrade() -> None:
    for name in ("loan", "copy", "patron", "setup", "rule", "calendar", "branch"):
        op.drop_table(f"circulation_{name}")
    drop_context_tables(op, "circulation")
