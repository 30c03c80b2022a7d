"""`python -m bench`: measures, prints the tables, and writes them when asked."""

import argparse
import os
import tempfile
from contextlib import ExitStack
from pathlib import Path

from bench import (
    crowded,
    figures,
    importing,
    lending,
    limits,
    load,
    nightly,
    reads,
    replaying,
    searching,
    stalls,
    starting,
)
from bench.figures import Figure
from bench.library import QUICK, Library, Size, on_postgres, on_sqlite

NAMES = (
    *("reads", "checkout", "crowded", "nightly", "replay"),
    *("import", "search", "start", "stalls"),
)
MILLION = 1_000_000


def main() -> None:
    chosen = _read()
    rounds, seconds = (1, 1) if chosen.quick else (chosen.rounds, chosen.seconds)
    with tempfile.TemporaryDirectory(prefix="lendery-bench-") as place, ExitStack() as made:
        folder, size = Path(place), QUICK if chosen.quick else Size()
        names = chosen.names or NAMES
        libraries = [] if names == ["search"] else _libraries(folder, size, made)
        found: list[Figure] = []
        for name in names:
            print(f"Measuring: {name}", flush=True)
            if name == "search":
                measured = searching.measure(_sizes(chosen), folder, rounds)
            elif name == "nightly":
                measured = nightly.measure(libraries, folder, rounds, chosen.quick)
            else:
                measured = _measure(name, libraries, folder, rounds, seconds)
            print(figures.tables(measured), flush=True)
            found += measured
    text = figures.circumstances(rounds, seconds, load.generator())
    text += f"\n\n{figures.tables(found)}"
    print(f"\n{text}")
    if chosen.write:
        figures.write(text)


def _read() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("names", nargs="*", choices=[[], *NAMES], help=", ".join(NAMES))
    parser.add_argument("--rounds", type=int, default=5, help="of each pair; default 5")
    parser.add_argument("--seconds", type=int, default=2, help="of each run; default 2")
    parser.add_argument(
        "--sizes", type=int, nargs="+", default=[50_000], help="books to search; default 50000"
    )
    parser.add_argument("--million", action="store_true", help="search a million books too")
    parser.add_argument("--quick", action="store_true", help="one short round, a small library")
    parser.add_argument("--write", action="store_true", help="into docs/performance.md")
    return parser.parse_args()


def _sizes(chosen: argparse.Namespace) -> list[int]:
    if chosen.quick:
        return [searching.QUICK]
    return [*chosen.sizes, *([MILLION] if chosen.million else [])]


def _libraries(folder: Path, size: Size, made: ExitStack) -> list[Library]:
    print(f"Making a library of {size.books:,} books and {size.copies:,} copies", flush=True)
    libraries = [on_sqlite(folder, size)]
    if "LENDERY_TEST_POSTGRES" in os.environ:
        libraries.append(made.enter_context(on_postgres(size)))
    else:
        print("No PostgreSQL (LENDERY_TEST_POSTGRES is not set): SQLite only. `make bench` has one")
    return libraries


def _measure(
    name: str, libraries: list[Library], folder: Path, rounds: int, seconds: int
) -> list[Figure]:
    sqlite, *postgres = libraries
    if name == "reads":
        return [*reads.measure(libraries, rounds, seconds)]
    if name == "checkout":
        found: list[Figure] = [*lending.measure_sqlite(sqlite, folder, rounds, seconds)]
        if postgres and limits.pgbench():
            found += lending.measure_postgres(postgres[0], rounds, seconds)
        return found
    if name == "crowded":
        return [*crowded.measure(libraries, folder, rounds)]
    if name == "replay":
        return [*replaying.measure(libraries, folder, rounds)]
    if name == "import":
        return importing.measure(libraries, folder, rounds, importing.RECORDS)
    if name == "start":
        return [*starting.measure(sqlite, folder, rounds)]
    return [*stalls.measure(libraries, folder, seconds * 2)]


if __name__ == "__main__":
    main()
