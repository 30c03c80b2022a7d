"""Reading MARC: our records a second to the catalogue's fields, against pymarc alone."""

import io
import time
from collections.abc import Callable
from pathlib import Path

import pymarc

from bench.figures import Rate
from lendery.catalog.formats import Format, read

FILE = Path(__file__).parents[1] / "tests/data/marc/traject/test_data.utf8.mrc"
TIMES = 100  # the file has 30 records of 1.3 KB, half of them in Latin script with many marks


def measure(rounds: int) -> list[Rate]:
    """pymarc only takes the records apart; ours also says what is in them."""
    data = FILE.read_bytes() * TIMES
    described = Rate("P7", "MARC 21 in UTF-8 to our fields, against pymarc reading it")
    for _ in range(rounds):
        ours = _rate(lambda: sum(1 for _ in read(io.BytesIO(data), Format.marc)))
        theirs = _rate(lambda: sum(1 for _ in pymarc.MARCReader(io.BytesIO(data))))
        described.add(ours, theirs)
    return [described]


def _rate(work: Callable[[], int]) -> float:
    """Of processor time, so that a busy machine counts less."""
    begun = time.process_time()
    return work() / (time.process_time() - begun)


if __name__ == "__main__":
    from bench.figures import tables

    print(tables([*measure(5)]))
