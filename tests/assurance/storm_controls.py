"""What must be caught: a library that is broken in one way, and the storm that shows it."""

import asyncio
from dataclasses import dataclass
from pathlib import Path

from tests.assurance.storm_blows import Blow, PostgresKilled, Stop
from tests.assurance.storm_kills import Site, Toll, until_noticed
from tests.system import LENDERY

MOST = 12  # kills; most are seen at the first


@dataclass(frozen=True)
class Control:
    """`sign`: under which count it must show."""

    name: str
    site: Site
    sign: str
    program: tuple[str, ...] = LENDERY
    durably: bool = True

    def run(self, folder: Path, seed: int = 0) -> Toll:
        with self.site.running(folder, self.program, durably=self.durably) as place:
            return asyncio.run(until_noticed(place, self.site.blows[0], MOST, seed))

    def noticed(self, toll: Toll) -> bool:
        return bool(getattr(toll.verdict, self.sign))


def _broken(what: str) -> tuple[str, ...]:
    return "-m", f"tests.assurance.broken_{what}"


def _site(database: str, blow: Blow, own_server: bool = False) -> Site:
    return Site("control", "one_process", database, (blow,), own_server=own_server)


FORGETFUL = _broken("memory")
CONTROLS = (
    Control(
        "synchronous_commit on",
        _site("postgres", PostgresKilled(), own_server=True),
        "lost",
        durably=False,
    ),
    Control("waiting for the commit", _site("sqlite", Blow()), "lost", _broken("early")),
    Control("kept answers", _site("sqlite", Blow()), "doubled", FORGETFUL),
    Control("a last answer", _site("sqlite", Stop()), "odd", _broken("farewell")),
)
