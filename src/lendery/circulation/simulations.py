"""Trying a rule table out: asked for as a job, looked at, stopped. `simulating.py` does it."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from lendery.circulation.models import JOBS
from lendery.circulation.repository import rule_tables, simulated
from lendery.circulation.rule_saving import Base, as_new
from lendery.circulation.rule_versions import Draft, checked, draft_of_text, meant, numbered
from lendery.circulation.simulating import KIND
from lendery.contracts.base import Invalid, Page, Window, new_id
from lendery.contracts.circulation import Difference, DifferenceKind, RuleDraft, Simulation
from lendery.contracts.jobs import NoSuchJob
from lendery.contracts.permissions import SYSTEM, Actor, Permission
from lendery.platform.db import Database, Session
from lendery.platform.job_list import WHOLE, JobList, asked_for
from lendery.platform.paging import make_cursor, read_cursor


@dataclass(frozen=True)
class SimulationDesk:
    """Implements contracts.circulation.Simulations."""

    db: Database
    currency: str
    wake: Callable[[], None]

    async def start(self, *, draft: RuleDraft, actor: Actor, now: datetime) -> Simulation:
        actor.must(Permission.WRITE_RULES)
        until = _period(draft, now)
        async with self.db.read() as session:
            base = await Base.of(session, now)
            wanted = await self._drafted(session, draft)
            standing = wanted.rows if draft.version is not None else base.rules
            await checked(session, wanted, standing, draft.since)
        rows = [row.model_dump(mode="json") for row in meant(wanted.rows)]
        request = {"rows": rows, "since": draft.since.isoformat(), "until": until.isoformat()}
        job_id = new_id()
        async with self.db.begin() as tx:
            await tx.write(asked_for(JOBS, job_id=job_id, kind=KIND, request=request, now=now))
        self.wake()
        return await self._one(job_id)

    async def _drafted(self, session: Session, draft: RuleDraft) -> Draft:
        if draft.text is not None:
            return await draft_of_text(session, draft.text, self.currency)
        if draft.version is not None:
            rows = rule_tables.rules_of(await numbered(session, draft.version))
            return Draft([as_new(row) for row in rows])
        return Draft(draft.rows or [])

    async def get(self, *, simulation_id: UUID, actor: Actor) -> Simulation:
        actor.must(Permission.READ_RULES)
        return await self._one(simulation_id)

    async def find(self, *, window: Window, actor: Actor) -> Page[Simulation]:
        actor.must(Permission.READ_RULES)
        jobs = await JobList(self.db, JOBS).find(window=window, actor=SYSTEM, kind=KIND)
        async with self.db.read() as session:
            rows = [await session.row(JOBS.by_id, id=each.id) for each in jobs.items]
        return Page[Simulation](
            items=[_shown(row) for row in rows if row is not None], next_cursor=jobs.next_cursor
        )

    async def differences(
        self, *, simulation_id: UUID, kind: DifferenceKind | None, window: Window, actor: Actor
    ) -> Page[Difference]:
        actor.must(Permission.READ_RULES)
        await self._one(simulation_id)
        after = read_cursor(window.after, int)[0] if window.after else 0
        async with self.db.read() as session:
            rows = await simulated.differences(
                session, simulation_id, kind=kind, after=after, many=window.limit + 1
            )
            total = (
                await simulated.count(session, simulation_id, kind=kind) if window.total else None
            )
        shown = rows[: window.limit]
        return Page[Difference](
            items=[Difference.model_validate(row) for row in shown],
            next_cursor=make_cursor(shown[-1].no) if len(rows) > window.limit else None,
            total=total,
        )

    async def cancel(self, *, simulation_id: UUID, actor: Actor, now: datetime) -> Simulation:
        """What it found so far stays for a while."""
        actor.must(Permission.WRITE_RULES)
        await self._one(simulation_id)
        await JobList(self.db, JOBS).cancel(job_id=simulation_id, actor=SYSTEM, now=now)
        return await self._one(simulation_id)

    async def _one(self, simulation_id: UUID) -> Simulation:
        async with self.db.read() as session:
            row = await session.row(JOBS.by_id, id=simulation_id)
        if row is None or row.kind != KIND:
            raise NoSuchJob("There is no such simulation.")
        return _shown(row)


def _period(draft: RuleDraft, now: datetime) -> datetime:
    """Its end. Raises Invalid for a period that is none, or a draft that is none or several."""
    said = [name for name in ("rows", "text", "version") if getattr(draft, name) is not None]
    if len(said) != 1:
        says = "Give the table to try once: as `rows`, as `text` or as a `version`."
        raise Invalid(says, errors=[{"pointer": f"#/{(said or ['rows'])[-1]}", "says": says}])
    until = draft.until or now
    if draft.since >= until:
        says = "The period ends before it begins."
        raise Invalid(says, errors=[{"pointer": "#/since", "says": says}])
    return until


def _shown(row: Any) -> Simulation:
    return Simulation(
        id=row.id,
        state=row.state,
        progress=row.progress / WHOLE,
        since=row.request["since"],
        until=row.request["until"],
        counts=row.counts,
        error=row.error,
        created_at=row.created_at,
        ended_at=row.ended_at,
    )
