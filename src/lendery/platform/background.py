"""What is done in the background: by the clock, and long work that was asked for.

Here, or by workers of Celery where LENDERY_CELERY_BROKER is set: the same jobs, the same tables.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any

from lendery.contracts.jobs import Timetable
from lendery.platform.backup.scheduled import backup_job
from lendery.platform.cache.feed import Feed
from lendery.platform.db import Database
from lendery.platform.db.jobs import JobTable
from lendery.platform.db.log import ContextTables
from lendery.platform.db.slots import SlotTable
from lendery.platform.jobs import Job, Runner
from lendery.platform.periodic import Clockwork, SlotDesk
from lendery.platform.queue import LongJob, QueueRunner
from lendery.platform.retention import Limit, overwriting_job, retention_job
from lendery.platform.settings import Settings
from lendery.platform.slot_runner import SlotRunner
from lendery.platform.timetable_list import TimetableList

if TYPE_CHECKING:
    from lendery.platform.broker import Bell

KEPT = timedelta(days=7)  # slots are remembered so long, and of each job the newest for ever


@dataclass
class Background:
    """`jobs`, `long_jobs` and `limits` of each context; `here` are the tables of those of this
    process, `erasing` the events and reactions by which they erase a person."""

    wiring: Any
    settings: Settings
    db: Database
    here: Sequence[ContextTables]
    jobs: Mapping[str, Sequence[Job]]
    long_jobs: Mapping[str, tuple[JobTable, Mapping[str, LongJob]]]
    feeds: Mapping[str, Feed]
    limits: Mapping[str, Sequence[Limit]]
    erasing: Mapping[str, frozenset[str]]

    @cached_property
    def runners(self) -> list[Runner]:
        """What a process runs that serves: nothing where workers do it."""
        return [] if self.settings.celery_broker else [self.clock, self.queue]

    @cached_property
    def clock(self) -> SlotRunner:
        return SlotRunner(self.slots)

    @cached_property
    def slots(self) -> SlotDesk:
        """What the contexts here do by the clock: once, in whichever process."""
        return SlotDesk(
            *(self.wiring, self.db, self._clocked(), self.settings.time_zone),
            ran_by="celery" if self.settings.celery_broker else "process",
            lease=self.settings.job_lease,
        )

    @cached_property
    def queue(self) -> QueueRunner:
        """The long work that was asked for, done here or by another process."""
        names = [each.context for each in self.here]
        kinds = {name: self.long_jobs[name] for name in names if name in self.long_jobs}
        ring = partial(self.bell.soon_for_long_work, kinds) if self.bell else None
        return QueueRunner(self.wiring, self.db, kinds, lease=self.settings.job_lease, ring=ring)

    @cached_property
    def bell(self) -> "Bell | None":
        """By what workers are woken, where there are any."""
        if self.settings.celery_broker is None:
            return None
        from lendery.platform.broker import Bell, celery_app

        return Bell(celery_app(self.settings))

    @cached_property
    def timetable(self) -> Timetable:
        """The jobs by the clock of the contexts here."""
        return TimetableList(self.slots, self._wake)

    def _wake(self, work: Clockwork) -> None:
        if self.bell:
            self.bell.soon_for_job(work.context, work.job)
        else:
            self.clock.wake()

    def _clocked(self) -> Mapping[str, tuple[SlotTable, Sequence[Job]]]:
        """Each context's own jobs and what every library needs. The backup is the first one's."""
        found: dict[str, tuple[SlotTable, list[Job]]] = {}
        for each in self.here:
            own = [*self.jobs.get(each.context, ()), forget_slots(self.db, each.slots)]
            if each.context in self.feeds:
                own.append(forget_changes(self.feeds[each.context]))
            own.append(retention_job(each, self.limits[each.context]))
            found[each.context] = (each.slots, own)
        backups = backup_job(self.settings)
        if backups and self.here:
            found[self.here[0].context][1].append(backups)
        if self.here and self.settings.sqlite_file:
            found[self.here[0].context][1].append(overwriting_job(self.here, self.erasing))
        return found


def forget_slots(db: Database, table: SlotTable) -> Job:
    """Of what was done long ago, the newest slot of each job is remembered."""

    async def run(_: Any, now: datetime) -> None:
        async with db.begin() as tx:
            await tx.run(table.forget, before=now - KEPT)

    return Job("forget old slots", timedelta(days=1), run)


def forget_changes(feed: Feed) -> Job:
    """No feed looks back so far."""

    async def run(_: Any, now: datetime) -> None:
        await feed.changes.tidy(feed.db)

    return Job("forget old changes", timedelta(hours=1), run)
