"""Kills and repeats at full size, with the tables that say what came of them."""

import asyncio
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from random import randrange
from statistics import median

from tests.assurance import programme
from tests.assurance.again import KINDS, killed_and_sent_again, sent_again
from tests.assurance.places import Processes
from tests.assurance.programme import COMBINATIONS, Row
from tests.assurance.race import Tally
from tests.assurance.storm_controls import CONTROLS, Control
from tests.assurance.storm_kills import FULL, SITES, Rows, Toll, struck

ROUNDS, KILLS = (
    50,
    20,
)  # of each kind at each place; of each place, with one of each kind on its way
AFTER_A_KILL = "one of each, and a kill -9"


@dataclass
class Outcome:
    """`told`: the tables, by their mark. `lost` and `unseen` say what was not as it should be."""

    told: list[tuple[str, str]] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    unseen: list[str] = field(default_factory=list)


def run(folder: Path, only: str, scale: float) -> Outcome:
    outcome = Outcome()
    if rows := repeats(folder, only, scale):
        table = programme.table("sent again", "where", programme.summed(rows))
        outcome.told.append(("repeats", table))
        outcome.lost += [f"{name}, {where}" for name, where, tally in rows if not tally.clean]
    if tolls := kills(folder, only, scale):
        outcome.told.append(("kills", kill_table(tolls)))
        outcome.lost += [f"{what}, {where}" for (what, where), t in tolls.items() if not t.clean]
    if tried := controls(folder, only):
        outcome.told.append(("careless", control_table(tried)))
        outcome.unseen += [c.name for c, toll in tried if not c.noticed(toll)]
    return outcome


def repeats(folder: Path, only: str, scale: float) -> list[Row]:
    rows: list[Row] = []
    for shape, database in COMBINATIONS:
        where = f"{shape}-{database}"
        kinds = [kind for kind in KINDS if only in f"sent again {kind} {where}"]
        dies = only in f"sent again {AFTER_A_KILL} {where}"
        if not kinds and not dies:
            continue
        home = folder / f"again-{where}"
        home.mkdir()
        with Processes.running(shape, database, home) as place:
            url = place.urls["circulation"]
            for kind in kinds:
                trying = sent_again(place, rounds=_times(ROUNDS, scale), kind=kind, url=url)
                rows.append(_row(kind, where, asyncio.run(trying)))
            if dies:
                trying = killed_and_sent_again(place, rounds=_times(KILLS, scale))
                rows.append(_row(AFTER_A_KILL, where, asyncio.run(trying)))
    return rows


def _row(name: str, where: str, tally: Tally) -> Row:
    line = f"{where:21} {'sent again':24} {name:25} {tally.attempts:18,} {tally.seconds:6.0f} s"
    print(line, flush=True)
    _name(tally.odd)
    return name, where, tally


def kills(folder: Path, only: str, scale: float) -> Rows:
    found: Rows = {}
    for site in SITES:
        if only not in f"kills {site.name} {site.where}":
            continue
        seed = randrange(1_000_000)
        rows = struck(site, folder, _times(FULL, scale), seed, in_earnest=True)
        for (what, where), toll in rows.items():
            times = f"{toll.blows} times, seed {seed}"
            print(f"{where:21} {'falls':24} {what:25} {times:18} {toll.seconds:6.0f} s", flush=True)
            for each in (toll.verdict.lost, toll.verdict.doubled, toll.verdict.odd):
                _name(each)
        found |= rows
    return found


def _name(faults: Counter[str]) -> None:
    for what, times in faults.most_common(10):
        print(f"  {times} times: {what}")


def controls(folder: Path, only: str) -> list[tuple[Control, Toll]]:
    tried = []
    for control in CONTROLS:
        if only in f"kills without {control.name} {control.site.where}":
            home = folder / control.name.replace(" ", "-")
            home.mkdir()
            toll = control.run(home, randrange(1_000_000))
            seen = "noticed" if control.noticed(toll) else f"NOT NOTICED: {toll}"
            print(f"{control.site.where:21} {'without':24} {control.name:30} {seen}", flush=True)
            tried.append((control, toll))
    return tried


def kill_table(rows: Rows) -> str:
    lines = [
        "| falls | where | times | answers | silent | lost | doubled | other faults "
        "| ready, median | longest | s |",
        "|---|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|",
    ]
    whole = Toll()
    for (what, where), toll in rows.items():
        whole.add(toll)
        lines.append(_line([what, where, *_counts(toll), *_times_of(toll)]))
    return "\n".join([*lines, _line(["**all**", "", *_counts(whole), *_times_of(whole)])])


def control_table(tried: Iterable[tuple[Control, Toll]]) -> str:
    lines = [
        "| without | on | until seen | answers | silent | lost | doubled | other faults |",
        "|---|---|---:|---:|---:|---:|---:|---:|",
    ]
    lines += [_line([c.name, c.site.where, *_counts(toll)]) for c, toll in tried]
    return "\n".join(lines)


def _line(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _counts(toll: Toll) -> list[str]:
    verdict = toll.verdict
    faults = [verdict.lost.total(), verdict.doubled.total(), verdict.odd.total()]
    return [f"{count:,}" for count in (toll.blows, toll.told, toll.silent, *faults)]


def _times_of(toll: Toll) -> list[str]:
    return [f"{median(toll.ready):.1f}", f"{max(toll.ready):.1f}", f"{toll.seconds:,.0f}"]


def _times(full: int, scale: float) -> int:
    return max(1, round(full * scale))
