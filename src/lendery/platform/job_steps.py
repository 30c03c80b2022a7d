"""The steps by which migrations make a context's tables of jobs (db/jobs.py, db/slots.py).

Written out as it was when it was released, like those of log_steps.py.
"""

from typing import Any

import sqlalchemy as sa

from lendery.platform.db.types import Json, UtcDateTime


def create_job_table(op: Any, context: str) -> None:
    job = f"{context}_job"
    op.create_table(
        job,
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("kind", sa.String(40), nullable=False),
        sa.Column("state", sa.String(12), nullable=False),
        sa.Column("request", Json, nullable=False),
        sa.Column("position", Json, nullable=False),
        sa.Column("counts", Json, nullable=False),
        sa.Column("progress", sa.Integer, nullable=False),
        sa.Column("error", sa.Text),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("cancel_asked", sa.Boolean, nullable=False),
        sa.Column("about", sa.Uuid),
        sa.Column("runner", sa.Uuid),
        sa.Column("lease_until", UtcDateTime),
        sa.Column("created_at", UtcDateTime, nullable=False),
        sa.Column("started_at", UtcDateTime),
        sa.Column("ended_at", UtcDateTime),
    )
    op.create_index(f"{context}_jobs_by_state", job, ["state", "created_at"])
    op.create_index(f"{context}_jobs_by_subject", job, ["about"])


def drop_job_table(op: Any, context: str) -> None:
    op.drop_table(f"{context}_job")


def create_slot_table(op: Any, context: str) -> None:
    op.create_table(
        f"{context}_slot",
        sa.Column("job", sa.String(80), primary_key=True),
        sa.Column("slot_at", UtcDateTime, primary_key=True),
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("state", sa.String(12), nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("runner", sa.Uuid),
        sa.Column("ran_by", sa.String(12)),
        sa.Column("lease_until", UtcDateTime),
        sa.Column("doubted", sa.Boolean, nullable=False),
        sa.Column("again_at", UtcDateTime),
        sa.Column("began_at", UtcDateTime),
        sa.Column("ended_at", UtcDateTime),
        sa.Column("error", sa.Text),
    )
    op.create_index(f"{context}_slots_by_time", f"{context}_slot", ["slot_at"])


def drop_slot_table(op: Any, context: str) -> None:
    op.drop_table(f"{context}_slot")
