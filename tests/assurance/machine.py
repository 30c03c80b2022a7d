"""The state machine at full size: circulation against a plain model of it, seeds at random.

    python -m tests.assurance.machine --steps 1000000
    python -m tests.assurance.machine --seed 4711          the same five thousand steps again

On SQLite in memory; with --postgres on the server of LENDERY_TEST_POSTGRES. A seed that fails is
told with the shortest way there; it becomes a test.
"""

import argparse
import sys
import tempfile
import time
import traceback
from collections.abc import Callable
from contextlib import ExitStack, closing
from pathlib import Path
from random import SystemRandom

from tests.assurance.programme import new_library
from tests.assurance.race import Tally
from tests.circulation.machine.ground import IN_MEMORY, Ground
from tests.circulation.machine.playing import play

BATCH = 5_000  # steps under one seed


def run(
    steps: int,
    url: str = IN_MEMORY,
    *,
    seed: int | None = None,
    note: Callable[[Tally], None] = lambda _: None,
) -> Tally:
    """So many steps; each after which the two did not agree is a fault. `url` is migrated."""
    total, started = Tally(), time.perf_counter()
    with closing(Ground(url)) as ground:
        while total.attempts < steps:
            chosen = seed if seed is not None else SystemRandom().getrandbits(32)
            try:
                played = play(ground, BATCH, seed=chosen).steps
                total.round(attempts=played, expected=played, winners=played)
            except Exception as error:
                traceback.print_exception(error)
                total.round(attempts=BATCH, expected=BATCH, winners=0)
                total.must(False, f"seed {chosen}: {error or type(error).__name__}")
            total.seconds = time.perf_counter() - started
            note(total)
    return total


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.assurance.machine", description=__doc__)
    parser.add_argument("--steps", type=int, default=BATCH)
    parser.add_argument("--seed", type=int, help="of the first five thousand; random without")
    parser.add_argument("--postgres", action="store_true")
    chosen = parser.parse_args()
    with ExitStack() as stack:
        url = IN_MEMORY
        if chosen.postgres:
            folder = stack.enter_context(tempfile.TemporaryDirectory())
            url = stack.enter_context(new_library("postgres", Path(folder)))
        tally = run(
            chosen.steps if chosen.seed is None else BATCH, url, seed=chosen.seed, note=_say
        )
    for what in tally.odd:
        print(f"NOT CLEAN: {what}")
    return 0 if tally.clean else 1


def _say(tally: Tally) -> None:
    speed = tally.attempts / tally.seconds
    print(
        f"{tally.attempts:,} steps, {tally.odd.total()} faults, {speed:,.0f} a second", flush=True
    )


if __name__ == "__main__":
    sys.exit(main())
