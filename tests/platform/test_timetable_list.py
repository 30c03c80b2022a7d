"""The jobs by the clock as people see them, and run them out of turn."""

from typing import Any

import pytest
import pytest_asyncio

from lendery.contracts.base import NotAllowed, PeerUnavailable
from lendery.contracts.jobs import JobIsRunning, NoSuchJob, PeriodicJob
from lendery.contracts.permissions import SYSTEM, Actor
from lendery.platform.db import Database
from lendery.platform.jobs import Job
from lendery.platform.metrics import JOB_DONE_AT, JOB_FAILING
from lendery.platform.periodic import Clockwork, SlotDesk
from lendery.platform.timetable_list import TimetableList, Timetables, measure

from .clocked import HOUR, MINUTE, NINE, Library

LIBRARIAN, READER = Actor(role="librarian"), Actor(role="reader")


@pytest_asyncio.fixture
async def library(db: Database) -> Library:
    return Library(db)


class Shown:
    """The list of one desk, and who was woken."""

    def __init__(self, desk: SlotDesk) -> None:
        self.desk, self.woken = desk, list[str]()
        self.list = TimetableList(desk, lambda work: self.woken.append(work.job.slug))

    async def job(self, slug: str = "age-to-lost") -> PeriodicJob:
        found = await self.list.find(context="circulation", actor=LIBRARIAN)
        return next(each for each in found if each.job == slug)

    async def run_now(self, job: str = "age-to-lost", actor: Actor = SYSTEM) -> PeriodicJob:
        now = self.desk.clock()
        return await self.list.run_now(context="circulation", job=job, actor=actor, now=now)

    @property
    def work(self) -> Clockwork:
        return self.desk.works[0]


async def test_a_job_is_shown_with_its_last_and_its_next_time(library: Library) -> None:
    shown = Shown(library.desk(ran_by="celery"))
    job = await shown.job()
    assert (job.next_at, job.last, job.now, job.runs_in) == (NINE, None, None, "celery")
    assert (job.context, job.name, job.every_seconds) == ("circulation", "age to lost", 3600)
    taken = await shown.desk.claim(shown.work)
    assert taken is not None
    job = await shown.job()
    assert job.now is not None and job.last is None and job.next_at == NINE + HOUR
    assert (job.now.state, job.now.id, job.now.ran_by) == ("running", taken.id, "celery")
    library.now += MINUTE
    await shown.desk._end(shown.work, taken, None)
    job = await shown.job()
    assert job.last is not None and job.now is None and job.next_at == NINE + HOUR
    assert (job.last.state, job.last.seconds, job.last.error) == ("done", 60.0, None)


async def test_a_failure_shows_its_type_its_run_and_when_it_is_tried_again(
    library: Library,
) -> None:
    async def poisoned(_: Any, now: object) -> None:
        raise RuntimeError("secret")

    desk = library.desk(Job("bad", HOUR, poisoned), library.job())
    shown = Shown(desk)
    await library.run(desk)
    job = await shown.job("bad")
    assert job.last is not None and job.now is None
    assert (job.last.state, job.last.error) == ("failed", "RuntimeError: it is in the log.")
    assert job.next_at == job.last.again_at == library.now + 5 * MINUTE
    await measure(desk)
    labels = ("circulation", "bad", "RuntimeError")
    assert JOB_FAILING.labels(*labels)._value.get() == 1
    done = JOB_DONE_AT.labels("circulation", "age to lost")._value.get()
    assert done == library.now.timestamp()
    await shown.run_now("bad")
    assert (await shown.job("bad")).now is not None, "it waits to be tried at once"
    assert await desk.run(desk.works[0])
    await measure(desk)
    assert [each.attempts for each in await library.rows() if each.job == "bad"] == [2]


async def test_a_job_is_run_out_of_turn_once_and_then_in_turn(library: Library) -> None:
    shown = Shown(library.desk())
    await library.run(shown.desk)
    library.now += MINUTE
    asked = await shown.run_now()
    assert asked.now is not None and (asked.now.state, asked.next_at) == ("waiting", library.now)
    await shown.run_now()
    assert shown.woken == ["age-to-lost", "age-to-lost"]
    assert await library.run(shown.desk) == [True] and await library.run(shown.desk) == [False]
    assert (await shown.job()).next_at == NINE + HOUR
    library.now = NINE + HOUR
    assert await library.run(shown.desk) == [True]
    assert [row.slot_at for row in await library.rows()] == [
        *(NINE, NINE + 13 * MINUTE, NINE + HOUR)
    ]


async def test_what_is_due_anyway_is_only_woken_and_what_runs_is_left_alone(
    library: Library,
) -> None:
    shown = Shown(library.desk())
    await shown.run_now()
    assert shown.woken and await library.rows() == []
    await shown.desk.claim(shown.work)
    with pytest.raises(JobIsRunning):
        await shown.run_now()
    assert len(await library.rows()) == 1 and len(shown.woken) == 1


async def test_asked_for_after_the_clock_was_set_back_it_runs_all_the_same(
    library: Library,
) -> None:
    shown = Shown(library.desk())
    await library.run(shown.desk)
    library.now -= 3 * HOUR
    await shown.run_now()
    assert await library.run(shown.desk) == [True] and len(library.ran) == 2


async def test_librarians_look_and_only_administrators_run(library: Library) -> None:
    shown = Shown(library.desk())
    with pytest.raises(NotAllowed):
        await shown.run_now(actor=LIBRARIAN)
    with pytest.raises(NotAllowed):
        await shown.list.find(context="circulation", actor=READER)
    assert shown.woken == [] and await library.rows() == []
    with pytest.raises(NoSuchJob):
        await shown.run_now("no-such-job")
    with pytest.raises(NoSuchJob):
        await shown.list.find(context="catalog", actor=LIBRARIAN)


class Away:
    """A part that does not answer."""

    async def find(self, **_: Any) -> list[PeriodicJob]:
        raise PeerUnavailable("No answer from catalog.")

    run_now: Any = find


async def test_a_part_that_does_not_answer_is_named_and_hides_no_other(library: Library) -> None:
    shown = Shown(library.desk())
    tables = Timetables({"catalog": Away(), "circulation": shown.list})
    found = await tables.find(LIBRARIAN)
    assert [each.job for each in found.items] == ["age-to-lost"]
    assert found.unreachable == ["catalog"]
    now = library.now
    with pytest.raises(PeerUnavailable):
        await tables.run_now("catalog", "find-duplicates", actor=SYSTEM, now=now)
    with pytest.raises(NoSuchJob):
        await tables.run_now("nowhere", "find-duplicates", actor=SYSTEM, now=now)
