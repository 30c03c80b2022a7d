"""The reliability programme at full size: `make assurance`, or `python -m tests.assurance`.

Needs LENDERY_TEST_POSTGRES, as `scripts/services run postgres --` sets it. Prints what came of each
part; a whole run also writes the tables of docs/reliability.md. Fails when anything was not as it
should be.
"""

import argparse
import asyncio
import os
import platform
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path

from tests.assurance import programme, storm_programme
from tests.assurance.guards import GUARDS
from tests.assurance.places import Processes
from tests.assurance.programme import COMBINATIONS, PARTS, Part, Row
from tests.assurance.race import Tally

Control = tuple[Row, bool]  # a race without its guard, and whether that was noticed
DOCUMENT = Path(__file__).parents[2] / "docs" / "reliability.md"


def main() -> int:
    chosen = _read()
    with tempfile.TemporaryDirectory(prefix="assurance-") as folder:
        raced = races(Path(folder), chosen.only, chosen.scale)
        controls = guards(Path(folder), chosen.only)
        storms = storm_programme.run(Path(folder), chosen.only, chosen.scale)
    told = []
    if raced:
        told.append(("races", programme.table("race", "where", programme.summed(raced))))
    if controls:
        told.append(("guards", programme.table("without", "on", [row for row, _ in controls])))
    told += storms.told
    for _, text in told:
        print(f"\n{text}")
    lost = [name for name, _, tally in raced if not tally.clean] + storms.lost
    unseen = [name for (name, _, _), seen in controls if not seen] + storms.unseen
    if not chosen.only:
        for mark, text in told:
            programme.put(f"{_when(chosen.scale)}\n\n{text}", mark, DOCUMENT)
        print(f"\nWritten to {DOCUMENT}")
    for name in lost:
        print(f"NOT CLEAN: {name}")
    for name in unseen:
        print(f"NOT NOTICED: without {name}")
    return 1 if lost or unseen else 0


def races(folder: Path, only: str, scale: float) -> list[Row]:
    rows: list[Row] = []
    for shape, database in COMBINATIONS:
        where = f"{shape}-{database}"
        parts = [part for part in PARTS if only in f"{part.topic} {part.name} {where}"]
        if not parts:
            continue
        home = folder / where
        home.mkdir()
        with Processes.running(shape, database, home) as place:
            rows += [(p.topic, where, asyncio.run(_run(p, place, scale, where))) for p in parts]
    return rows


async def _run(part: Part, place: Processes, scale: float, where: str) -> Tally:
    rounds = max(1, round(part.full * scale))

    def note(total: Tally) -> None:
        share = f"{total.attempts:,} of {rounds * part.each:,}"
        end = "\n" if total.attempts == rounds * part.each else "\r"
        if end == "\n" or sys.stdout.isatty():
            line = f"{where:21} {part.topic:24} {part.name:25} {share:18} {total.seconds:6.0f} s"
            print(line, end=end, flush=True)

    total = await part.run(place, rounds, note)
    for what, times in total.odd.most_common(10):
        print(f"  {times} times: {what}")
    return total


def guards(folder: Path, only: str) -> list[Control]:
    found: list[Control] = []
    for guard in GUARDS:
        if only in f"{guard.name} {guard.database}":
            with programme.new_library(guard.database, folder) as url:
                kept, gone = asyncio.run(programme.with_and_without(guard, url))
            seen = kept.clean and guard.missed(gone)
            outcome = "noticed" if seen else f"NOT NOTICED: {kept} {gone}"
            print(f"{guard.database:21} {'without the':24} {guard.name:30} {outcome}", flush=True)
            found.append(((guard.name, guard.database, gone), seen))
    return found


def _when(scale: float) -> str:
    size = "" if scale == 1 else f", sizes times {scale:g}"
    machine = f"{os.cpu_count()} cores, load average {os.getloadavg()[2]:.1f}"
    machine += f", Python {platform.python_version()}"
    return f"{datetime.now(UTC):%Y-%m-%d}, {machine}{size}."


def _read() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.assurance", description=__doc__)
    parser.add_argument("--only", default="", help="parts or places whose name has this in it")
    parser.add_argument("--scale", type=float, default=1.0, help="so much of the full size")
    chosen = parser.parse_args()
    if "LENDERY_TEST_POSTGRES" not in os.environ:
        parser.error("LENDERY_TEST_POSTGRES is not set: make assurance")
    return chosen


if __name__ == "__main__":
    sys.exit(main())
