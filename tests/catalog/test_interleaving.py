"""Whatever the interleaving of two processes on one database: after a change is answered, no later
read of that book, author or list is older. And each guard of it, taken away, is missed."""

import asyncio
import random
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from lendery.catalog.models import CHANGES
from lendery.platform.cache import changes as changes_module
from lendery.platform.cache.changes import ChangeLog
from lendery.platform.cache.feed import Feed
from lendery.platform.db import Database

from .two_processes import SHELF, Story, processes

ACTS = ("change_book", "rename_author", *("read_book", "read_author", "read_list") * 2)
STEPS = st.lists(
    st.tuples(st.sampled_from(ACTS), st.integers(0, 1), st.integers(0, 3), st.integers(0, 2)),
    min_size=10,
    max_size=40,
)


async def play(url: str, steps: list[tuple[str, int, int, int]]) -> list[str]:
    """Each step begins a while after the one before, and does not wait for it."""
    async with processes(url) as both:
        story = Story(both)
        await story.open()
        under_way = []
        for act, process, n, pause in steps:
            under_way.append(asyncio.create_task(getattr(story, act)(both[process], n)))
            await asyncio.sleep((0, 0.0005, 0.003)[pause])
        await asyncio.gather(*under_way)
        for process in both:  # and when all is quiet
            for n in range(SHELF):
                await story.read_book(process, n)
            await story.read_author(process, 0)
            await story.read_list(process, 0)
        return story.old


def test_no_read_is_older_than_what_was_answered_before_it(url: str) -> None:
    @settings(
        max_examples=12,
        deadline=None,
        phases=[Phase.explicit, Phase.reuse, Phase.generate],
        suppress_health_check=list(HealthCheck),
        derandomize=True,
        database=None,
    )
    @given(STEPS)
    def told(steps: list[tuple[str, int, int, int]]) -> None:
        assert asyncio.run(play(url, steps)) == []

    told()


async def write_here_read_there(url: str, times: int = 30) -> list[str]:
    """The hardest case: a kept answer, a change elsewhere, and a read in the same breath."""
    async with processes(url) as both:
        story, pick = Story(both), random.Random(7)
        await story.open()
        for n in range(times):
            writer = pick.randrange(2)
            for process in both:
                await story.read_book(process, n)
                await story.read_list(process, n)
            await story.change_book(both[writer], n)
            await story.read_book(both[1 - writer], n)
            await story.read_list(both[1 - writer], n)
            await story.read_book(both[writer], n)
        return story.old


async def test_a_change_there_is_seen_here_by_the_very_next_read(url: str) -> None:
    assert await write_here_read_there(url) == []


async def test_without_its_guard_old_answers_are_given(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if url.startswith("sqlite"):
        monkeypatch.setattr(Database, "glance", lambda db: 1)
    else:

        async def at_once(log: ChangeLog, db: Database, turn: Any) -> None: ...

        monkeypatch.setattr(ChangeLog, "settle", at_once)
        monkeypatch.setattr(Feed, "_heard", lambda feed, version: None)
    assert await write_here_read_there(url) != []


@pytest.mark.parametrize(
    "url", ["postgres"], indirect=True
)  # a reader of a file needs nobody to tell it
async def test_a_reader_that_does_not_hear_is_waited_for_no_longer_than_its_lease(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its process is frozen, say: it neither hears nor renews. It comes back with old answers in
    its memory, and gives none of them."""
    monkeypatch.setattr(changes_module, "LEASE", 1.0)
    monkeypatch.setattr("lendery.platform.cache.feed.LEASE", 1.0)
    async with processes(url) as both:
        story = Story(both)
        await story.open()
        await story.read_book(both[1], 0)
        deaf = both[1].answers.feeds["catalog"]
        monkeypatch.setattr(deaf, "_heard", lambda version: None)
        monkeypatch.setattr(deaf, "_renew", lambda: asyncio.sleep(3600))
        began = asyncio.get_running_loop().time()
        await story.change_book(both[0], 0)
        waited = asyncio.get_running_loop().time() - began
        assert 0.1 < waited < 5
        await story.read_book(both[1], 0)
        assert story.old == []
        async with both[0].db.read() as session:  # the next writer does not wait for it again
            late = await session.row(
                CHANGES.waited_for, seen=10**9, me=both[0].answers.feeds["catalog"].id
            )
        assert late is None
