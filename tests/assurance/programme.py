"""What is run and how often, and the tables that say what came of it."""

import asyncio
import os
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from pytest import MonkeyPatch

from lendery.platform import migrate
from tests.assurance import races, records, repeats, trust
from tests.assurance.guards import Guard, tried
from tests.assurance.places import Place, SameProcess
from tests.assurance.race import Tally
from tests.system import SERVICES, create_database, drop_database

HEAT = 100  # rounds with the same people; then others come, and staff may sign in anew
COMBINATIONS = [
    (shape, database)
    for shape in ("one_process", "services")
    for database in ("sqlite", "postgres")
]


@dataclass(frozen=True)
class Part:
    """A race in a size. `brief` rounds in the tests, `full` in the programme."""

    topic: str
    name: str
    race: Callable[..., Awaitable[Tally]]
    each: int  # attempts in a round
    brief: int
    full: int
    how: Mapping[str, int] = field(default_factory=dict, hash=False)

    async def run(
        self, place: Place, rounds: int, note: Callable[[Tally], None] = lambda _: None
    ) -> Tally:
        total = Tally()
        for done in range(0, rounds, HEAT):
            total.add(await self.race(place, rounds=min(HEAT, rounds - done), **self.how))
            note(total)
        return total


def _last(borrowers: int, copies: int, brief: int, full: int) -> Part:
    wanted = "the last copy" if copies == 1 else f"{copies} copies"
    how = {"borrowers": borrowers, "copies": copies}
    name = f"{borrowers} want {wanted}"
    return Part(f"many want {wanted}", name, races.last_copy, borrowers, brief, full, how)


PARTS = (
    _last(2, 1, 10, 1000),
    _last(8, 1, 0, 1000),
    _last(50, 1, 60, 1000),
    _last(64, 1, 0, 1000),
    _last(2, 3, 0, 500),
    _last(8, 3, 10, 500),
    _last(64, 3, 0, 500),
    Part("one more than the limit", "14 desks at once", races.one_more_than_allowed, 14, 50, 1500),
    Part("one loan returned", "50 returns", races.one_return, 50, 12, 700),
    Part("one loan renewed", "20 renewals", races.renewals, 20, 10, 500),
    Part("the last hold slot", "14 desks at once", trust.last_hold_slot, 14, 12, 1500),
    Part("renewal against hold", "11 renewals, a hold", trust.renewal_against_hold, 12, 12, 1500),
    Part("one fine paid", "64 payments", trust.one_fine_paid, 64, 5, 500),
    Part("one review", "20 posts by one reader", records.one_review, 20, 5, 300),
    Part("one merge", "12 merges of one book", records.one_merge, 12, 5, 300),
    Part("one key", "a check-out sent 20 times", repeats.same_lending, 22, 5, 300),
    Part("one key", "a return sent 20 times", repeats.same_return, 22, 5, 300),
    Part("one key", "a renewal sent 20 times", repeats.same_renewal, 21, 5, 300),
    Part("one key", "two check-outs", repeats.two_requests_with_one_key, 20, 5, 300),
)


def needs(database: str) -> None:
    if database == "postgres" and "LENDERY_TEST_POSTGRES" not in os.environ:
        pytest.skip("no PostgreSQL: run through `make test`")


@contextmanager
def new_library(database: str, folder: Path) -> Iterator[str]:
    """The address of a fresh database with every table."""
    name = f"races_{uuid4().hex[:12]}"
    if database == "sqlite":
        url = f"sqlite:///{folder / name}.db"
        migrate.run(url, SERVICES)
        yield url
        return
    server = os.environ["LENDERY_TEST_POSTGRES"]
    try:
        url = asyncio.run(create_database(server, name))
        migrate.run(url, SERVICES)
        yield url
    finally:
        asyncio.run(drop_database(server, name))


async def with_and_without(guard: Guard, url: str) -> tuple[Tally, Tally]:
    """The guard's race with it in its place, and again when it is gone."""
    async with SameProcess.open(url) as place:
        kept = await tried(guard, place)
        with MonkeyPatch.context() as patch:
            await guard.remove(patch, place)
            return kept, await tried(guard, place)


Row = tuple[str, str, Tally]


def table(first: str, second: str, rows: list[Row]) -> str:
    """As Markdown."""
    lines = [
        f"| {first} | {second} | attempts | should win | won | double effects | other faults | s |",
        "|---|---|---:|---:|---:|---:|---:|---:|",
    ]
    lines += [_line(name, where, tally) for name, where, tally in rows]
    return "\n".join(lines)


def summed(rows: list[Row]) -> list[Row]:
    """One row for each topic and place, and one for all."""
    total: dict[tuple[str, str], Tally] = {}
    for name, where, tally in rows:
        for key in ((name, where), ("**all**", "")):
            total.setdefault(key, Tally()).add(tally)
    everything = total.pop(("**all**", ""))
    return [(*key, tally) for key, tally in total.items()] + [("**all**", "", everything)]


def _line(name: str, where: str, tally: Tally) -> str:
    counts = (tally.attempts, tally.expected, tally.winners, tally.doubled, tally.odd.total())
    cells: list[Any] = [name, where, *[f"{count:,}" for count in counts], f"{tally.seconds:,.0f}"]
    return f"| {' | '.join(cells)} |"


def put(text: str, mark: str, into: Path) -> None:
    """Replaces what stands between the two marks of a document."""
    start, end = f"<!-- {mark} -->", f"<!-- /{mark} -->"
    before, rest = into.read_text().split(start, 1)
    into.write_text(f"{before}{start}\n\n{text}\n\n{end}{rest.split(end, 1)[1]}")
