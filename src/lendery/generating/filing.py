"""Files of records: Lendery's JSON lines, MARC 21 or CSV, packed when the name ends in .gz."""

import csv
import gzip
import io
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import IO, Any, Literal

import msgspec

from lendery.generating import marc

Format = Literal["jsonl", "marc", "csv"]
Record = dict[str, Any]

AT_ONCE = 500  # records, between two signs of progress
BETWEEN_VALUES = " | "
COLUMNS = (
    "title", "subtitle", "authors", "isbn", "publisher", "published_year", "language", "subjects",
    "description", "series", "call_number", "material", "barcodes",
)  # fmt: skip


def write(
    records: Iterable[Record],
    out: Path,
    *,
    form: Format,
    mark: str,
    advance: Callable[[int], None] = lambda records: None,
) -> int:
    """Writes them all, one after the other, and returns how many bytes the file has.

    It appears under its name when it is whole. The same records give the same bytes. `mark`
    begins MARC control numbers.
    """
    with _whole(out) as file:
        for block, many in _blocks(iter(records), form, mark):
            file.write(block)
            advance(many)
    return out.stat().st_size


@contextmanager
def _whole(out: Path) -> Iterator[IO[bytes]]:
    unfinished = out.with_name(f"{out.name}.part")
    try:
        with unfinished.open("wb") as file:
            if out.suffix == ".gz":
                with gzip.GzipFile("", "wb", 4, file, mtime=0) as packed:
                    yield packed  # type: ignore[misc]
            else:
                yield file
        unfinished.replace(out)
    finally:
        unfinished.unlink(missing_ok=True)


def _blocks(records: Iterator[Record], form: Format, mark: str) -> Iterator[tuple[bytes, int]]:
    number = 0
    if form == "csv":
        yield ",".join(COLUMNS).encode() + b"\n", 0
    while block := list(islice(records, AT_ONCE)):
        if form == "jsonl":
            yield _ENCODER.encode_lines(block), len(block)
        elif form == "csv":
            yield _rows(block), len(block)
        else:
            numbered = enumerate(block, number + 1)
            yield b"".join(marc.record(each, f"{mark}{at}") for at, each in numbered), len(block)
        number += len(block)


_ENCODER = msgspec.json.Encoder()


def _rows(block: list[Record]) -> bytes:
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, extrasaction="ignore", lineterminator="\n")
    for each in block:
        row = {name: value for name, value in each.items() if name != "copies"}
        row["authors"] = BETWEEN_VALUES.join(author["sort_name"] for author in each["authors"])
        row["subjects"] = BETWEEN_VALUES.join(each.get("subjects", ()))
        row["barcodes"] = BETWEEN_VALUES.join(copy["barcode"] for copy in each.get("copies", ()))
        writer.writerow(row)
    return text.getvalue().encode()
