"""The table of a context's long jobs, with the statements that move one along.

`lease_until` is how long its runner may be silent: it renews the lease while it works, and a
runner that was killed leaves a job that another takes up. `runner` fences: whoever lost the
lease can write nothing more, because every step of a job says who takes it.
"""

from dataclasses import dataclass

from sqlalchemy import (
    Boolean,
    Column,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    Uuid,
    and_,
    bindparam,
    or_,
    select,
    update,
)

from lendery.platform.db.statement import Statement
from lendery.platform.db.types import Json, UtcDateTime


@dataclass(frozen=True)
class JobTable:
    """A context's jobs, and what is asked of them."""

    context: str
    job: Table
    by_id: Statement
    waiting: Statement
    claim: Statement
    renew: Statement
    step: Statement
    end: Statement
    give_back: Statement


def job_table(context: str, metadata: MetaData) -> JobTable:
    job = Table(
        f"{context}_job",
        metadata,
        Column("id", Uuid, primary_key=True),
        Column("kind", String(40), nullable=False),
        Column("state", String(12), nullable=False),
        Column("request", Json, nullable=False),
        Column("position", Json, nullable=False),
        Column("counts", Json, nullable=False),
        Column("progress", Integer, nullable=False),  # in millionths
        Column("error", Text),
        Column("attempts", Integer, nullable=False),
        Column("cancel_asked", Boolean, nullable=False),
        Column("about", Uuid),
        Column("runner", Uuid),
        Column("lease_until", UtcDateTime),
        Column("created_at", UtcDateTime, nullable=False),
        Column("started_at", UtcDateTime),
        Column("ended_at", UtcDateTime),
        Index(f"{context}_jobs_by_state", "state", "created_at"),
        Index(f"{context}_jobs_by_subject", "about"),
    )
    now = bindparam("now", type_=UtcDateTime())
    until = bindparam("until", type_=UtcDateTime())
    mine = and_(
        job.c.id == bindparam("at_id"),
        job.c.runner == bindparam("by", type_=Uuid()),
        job.c.state == "running",
    )
    silent = and_(job.c.state == "running", job.c.lease_until < now)
    rests = and_(job.c.state == "queued", or_(job.c.lease_until.is_(None), job.c.lease_until < now))
    free = or_(rests, silent)
    return JobTable(
        context=context,
        job=job,
        by_id=Statement(select(job).where(job.c.id == bindparam("id"))),
        waiting=Statement(
            select(job.c.id, job.c.kind)
            .where(free, job.c.state.in_(("queued", "running")))
            .order_by(job.c.created_at)
            .limit(20)
        ),
        claim=Statement(
            update(job)
            .where(job.c.id == bindparam("at_id"), free)
            .values(
                state="running",
                runner=bindparam("by", type_=Uuid()),
                lease_until=until,
                attempts=job.c.attempts + 1,
                started_at=now,
            )
            .returning(*job.c)
        ),
        renew=Statement(
            update(job).where(mine).values(lease_until=until).returning(job.c.cancel_asked)
        ),
        step=Statement(
            update(job)
            .where(mine)
            .values(
                position=bindparam("to_position", type_=Json()),
                counts=bindparam("to_counts", type_=Json()),
                progress=bindparam("to_progress", type_=Integer()),
                lease_until=until,
            )
            .returning(job.c.cancel_asked)
        ),
        end=Statement(
            update(job)
            .where(mine)
            .values(
                state=bindparam("to_state", type_=job.c.state.type),
                error=bindparam("why", type_=Text()),
                progress=bindparam("to_progress", type_=Integer()),
                runner=None,
                lease_until=None,
                ended_at=now,
            )
        ),
        give_back=Statement(
            update(job)
            .where(mine)
            .values(
                state="queued",
                runner=None,
                lease_until=until,
                attempts=job.c.attempts - bindparam("uncounted", type_=Integer()),
            )
        ),
    )
