"""The rule table in versions, and jobs: a draft of it can be simulated."""

import json
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from alembic import op

from lendery.platform.db.types import Json, UtcDateTime
from lendery.platform.job_steps import create_job_table, drop_job_table

revision = "0005"
down_revision = "0004"
compatible_from = "0003"  # `circulation_rule` goes on saying what is in force

FIRST = UUID("00000000-0000-7000-8000-000000000001")  # the same wherever a backup is migrated
TABLE = sa.table(
    "circulation_rule_table",
    sa.column("number", sa.Integer),
    sa.column("id", sa.Uuid),
    sa.column("valid_from", UtcDateTime),
    sa.column("planned", sa.Boolean),
    sa.column("saved_at", UtcDateTime),
    sa.column("comment", sa.Text),
    sa.column("size", sa.Integer),
    sa.column("rows", sa.Text),
)
RULE = sa.table(
    "circulation_rule",
    sa.column("id", sa.Uuid),
    sa.column("branch_id", sa.Uuid),
    sa.column("category", sa.String),
    sa.column("item_type", sa.String),
    sa.column("parameter", sa.String),
    sa.column("value", Json),
    sa.column("changed_at", UtcDateTime),
    sa.column("changed_by", sa.Uuid),
    sa.column("version", sa.Integer),
)


def upgrade() -> None:
    op.create_table(
        "circulation_rule_table",
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("valid_from", UtcDateTime, nullable=False),
        sa.Column("planned", sa.Boolean, nullable=False),
        sa.Column("saved_at", UtcDateTime, nullable=False),
        sa.Column("saved_by", sa.Uuid),
        sa.Column("comment", sa.Text),
        sa.Column("restored_from", sa.Integer),
        sa.Column("size", sa.Integer, nullable=False),
        sa.Column("rows", Json, nullable=False),
    )
    op.create_index("rule_tables_by_time", "circulation_rule_table", ["valid_from", "number"])
    create_job_table(op, "circulation")
    op.create_table(
        "circulation_difference",
        sa.Column("simulation_id", sa.Uuid, primary_key=True),
        sa.Column("no", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("event", sa.String(16), nullable=False),
        sa.Column("at", UtcDateTime, nullable=False),
        sa.Column("loan_id", sa.Uuid, nullable=False),
        sa.Column("copy_id", sa.Uuid, nullable=False),
        sa.Column("branch_id", sa.Uuid, nullable=False),
        sa.Column("category", sa.String(64)),
        sa.Column("item_type", sa.String(64), nullable=False),
        sa.Column("was", Json, nullable=False),
        sa.Column("would_be", Json, nullable=False),
        sa.Column("certain", sa.Boolean, nullable=False),
    )
    _first_version()


def _first_version() -> None:
    """The rows that are there, as the table that was in force since one of them last changed."""
    found = op.get_bind().execute(sa.select(*RULE.c).order_by(RULE.c.id)).all()
    if not found:
        return
    since = max(row.changed_at for row in found)
    rows = [{name: _plain(value) for name, value in row._mapping.items()} for row in found]
    op.bulk_insert(
        TABLE,
        [
            {
                "number": 1,
                "id": FIRST,
                "valid_from": since,
                "planned": False,
                "saved_at": since,
                "comment": "As it was before versions were kept",
                "size": len(rows),
                "rows": json.dumps(rows, ensure_ascii=False, separators=(",", ":")),
            }
        ],
    )


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    return str(value) if isinstance(value, UUID) else value


def downgrade() -> None:
    """`circulation_rule` has what was saved last; what was only planned is given up."""
    op.drop_table("circulation_difference")
    drop_job_table(op, "circulation")
    op.drop_table("circulation_rule_table")
