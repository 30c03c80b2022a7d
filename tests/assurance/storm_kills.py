"""A storm, and blow after blow in the middle of it: what that cost."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import ExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from sqlalchemy import select

from lendery.circulation.models import TABLES
from lendery.platform.db import Database
from tests.assurance.storm import Storm
from tests.assurance.storm_blows import GIVE_UP, Blow, PostgresKilled, Stop, Struck, WorkerKilled
from tests.assurance.storm_calm import LEASE, WITHIN, agree, calm, lapse
from tests.assurance.storm_crowd import RULES, Crowd
from tests.assurance.storm_server import OwnPostgres
from tests.assurance.storm_truth import Verdict, judge
from tests.stories.library import Library
from tests.system import LENDERY

BEFORE = (0.15, 0.8)  # seconds of storm before something falls
READY_WITHIN = 5.0
HEAT = 20  # blows until there is a new library: the whole log is read after each


@dataclass(frozen=True)
class Site:
    """A library, and the blows that fall on it: in the tests `brief` times each."""

    name: str
    shape: str
    database: str
    blows: tuple[Blow, ...] = (Blow(),)
    workers: int = 1
    own_server: bool = False
    brief: int = 10

    @property
    def where(self) -> str:
        return f"{self.shape}-{self.database}"

    @contextmanager
    def running(
        self,
        folder: Path,
        program: tuple[str, ...] = LENDERY,
        *,
        durably: bool = True,
        afresh: bool = False,
    ) -> Iterator[Struck]:
        """`durably` False: PostgreSQL answers a commit before it is written."""
        with ExitStack() as stack:
            postgres = stack.enter_context(OwnPostgres.running()) if self.own_server else None
            if postgres and not durably:
                postgres.be_careless()
            server = postgres.address if postgres else ""
            started = Struck.start(
                self.shape,
                self.database,
                folder,
                workers=self.workers,
                program=program,
                server=server,
                afresh=afresh,
            )
            place = stack.enter_context(started)
            assert isinstance(place, Struck)
            place.postgres = postgres
            yield place


SERVICES = ("circulation", "catalog", "accounts", "reviews")
EACH_SERVICE = tuple(Blow(name) for name in SERVICES)
EVERY_SERVICE = (*EACH_SERVICE, Blow("reports"))  # nobody waits for that one: in the long form
EACH_STOPPED = tuple(Stop(name) for name in (*SERVICES, "reports"))
SITES = (
    Site("one process", "one_process", "sqlite", brief=5),
    Site("one process", "one_process", "postgres", brief=5),
    Site("two workers", "one_process", "sqlite", (WorkerKilled(),), workers=2),
    Site("two workers", "one_process", "postgres", (WorkerKilled(),), workers=2, brief=0),
    Site("own PostgreSQL", "one_process", "postgres", (PostgresKilled(),), own_server=True),
    Site("services", "services", "postgres", EACH_SERVICE),
    Site("services", "services", "sqlite", EVERY_SERVICE, brief=0),
    Site("stopped", "one_process", "sqlite", (Stop(),), brief=2),
    Site("stopped", "one_process", "postgres", (Stop(),), workers=2, brief=2),
    Site("stopped services", "services", "postgres", EACH_STOPPED, brief=0),
)
FULL = 200


@dataclass
class Toll:
    """What so many blows came to. `silent`: requests without an answer, until asked again."""

    blows: int = 0
    told: int = 0
    silent: int = 0
    ready: list[float] = field(default_factory=list)
    verdict: Verdict = field(default_factory=Verdict)
    seconds: float = 0.0

    @property
    def clean(self) -> bool:
        return self.verdict.clean and max(self.ready) <= READY_WITHIN

    def add(self, other: "Toll") -> None:
        self.blows += other.blows
        self.told += other.told
        self.silent += other.silent
        self.ready += other.ready
        self.verdict.add(other.verdict)
        self.seconds += other.seconds


Rows = dict[tuple[str, str], Toll]  # by what was struck, and where
Note = Callable[[str], None]


def struck(
    site: Site,
    folder: Path,
    times: int,
    seed: int,
    note: Note = lambda _: None,
    *,
    in_earnest: bool = False,
) -> Rows:
    """So many times each blow of the site; every `HEAT` blows there is a new library.

    `in_earnest`: each start loads the program itself, as it must to be timed, and what a dead relay
    had claimed is waited for, the first time.
    """
    found: Rows = {}
    for done in range(0, times, HEAT):
        home = folder / f"{site.name}-{site.where}-{done}".replace(" ", "-")
        home.mkdir()
        many = min(HEAT, times - done)
        with site.running(home, afresh=in_earnest) as place:
            waits = in_earnest and not done
            tolls = asyncio.run(_storm(place, site.blows, many, seed + done, note, waits))
            tolls[-1].verdict.add(agree(place))
        for blow, toll in zip(site.blows, tolls, strict=True):
            found.setdefault((blow.name, site.where), Toll()).add(toll)
    return found


async def _storm(
    place: Struck, blows: Sequence[Blow], times: int, seed: int, note: Note, patiently: bool
) -> list[Toll]:
    """A storm over one library; when it is over, all that was announced must have been done."""
    tolls = []
    async with gathered(place, seed) as storm:
        for blow in blows:
            toll, random = Toll(), Random(f"{seed} {blow.name}")
            for _ in range(times):
                toll.add(await _struck(place, storm, blow, random, patiently))
                note(f"{blow.name}: {toll.blows} of {times}, {toll.seconds:.0f} s")
            tolls.append(toll)
        started, end = time.perf_counter(), tolls[-1].verdict
        await storm.repeat(patience=GIVE_UP)
        end.add(await judge(storm, place.circulation))
        end.add(await calm(place, storm, within=LEASE if patiently else WITHIN))
        for each in storm.open:
            end.odd[f"{each.kind}: never answered, {each.told}"] += 1
        tolls[-1].seconds += time.perf_counter() - started
    return tolls


async def until_noticed(place: Struck, blow: Blow, most: int, seed: int) -> Toll:
    """Blow after blow, until something is not as it should be. For what must be caught."""
    toll = Toll()
    async with gathered(place, seed) as storm:
        for number in range(most):
            toll.add(await _struck(place, storm, blow, Random(seed + number)))
            if not toll.verdict.clean:
                break
    return toll


@asynccontextmanager
async def gathered(place: Struck, seed: int) -> AsyncIterator[Storm]:
    async with Library.open(place, **RULES) as library:
        crowd = Crowd(library, await place.admin(), Random(seed))
        await crowd.gather()
        yield Storm(crowd, place.url_of)


async def _struck(
    place: Struck, storm: Storm, blow: Blow, random: Random, patiently: bool = False
) -> Toll:
    """A storm, a blow in the middle of it, and what is true when it is over."""
    started, before = time.perf_counter(), len(storm.notes)
    toll = Toll(blows=1, ready=[await _one_blow(place, storm, blow, random)])
    toll.silent = sum(not note.answered for note in storm.notes[before:])
    if blow.gently:
        toll.verdict.add(await _cut_off(storm, place.circulation))
    if not patiently:
        await lapse(place)
    await storm.repeat()
    toll.verdict.add(await judge(storm, place.circulation))
    toll.told = sum(note.answered for note in storm.notes[before:])
    toll.seconds = time.perf_counter() - started
    return toll


async def _one_blow(place: Struck, storm: Storm, blow: Blow, random: Random) -> float:
    """Seconds from the start until it serves again."""
    raging = asyncio.create_task(storm.rage())
    try:
        await asyncio.sleep(random.uniform(*BEFORE))
        await blow.fall(place)
        storm.abate()
        began = time.perf_counter()
        await blow.rise(place)
        return time.perf_counter() - began
    finally:
        storm.over.set()
        await raging


async def _cut_off(storm: Storm, url: str) -> Verdict:
    """A stop that is no accident: what was begun is answered, and the rest is not begun."""
    verdict, request = Verdict(), TABLES.request
    db = Database(url)
    try:
        async with db.read() as session:
            kept = {row.key for row in await session.rows(select(request.c.key))}
    finally:
        await db.close()
    for note in storm.open:
        if note.heard:
            verdict.odd[f"{note.kind}: an answer was cut off"] += 1
        if note.ask.key in kept:
            verdict.odd[f"{note.kind}: it was done, and not answered"] += 1
    return verdict
