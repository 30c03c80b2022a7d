"""A record made ready to be written: all that can be worked out without asking the database.

This is where most of the work of an import is, so that it can be done in another process
(reading.py): fields, filing keys, and the words to find it by.
"""

import zlib
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import msgspec
from pydantic import TypeAdapter, ValidationError

from lendery.catalog.formats import Described, Format, Parsed, marc_of
from lendery.catalog.repository import books as books_kept
from lendery.catalog.rules import isbn
from lendery.contracts.base import Line
from lendery.contracts.catalog import AuthorRef, Book, NewBook

NOBODY = UUID(int=0)
NO_TIME = datetime(1970, 1, 1, tzinfo=UTC)
SMALL, LARGE = 300, 4_000  # bytes up to which packing is not worth it: of MARC, of what goes again
LONGEST_NUMBER = 40  # characters
BATCH = 200
BATCH_BYTES = 1_000_000
TYPED = ("title", "subtitle", "publisher", "published_year", "language", "description", "series",
         "call_number", "material")  # fmt: skip
NAMES = ("name", "sort_name", "born", "died")
LINE: TypeAdapter[str | None] = TypeAdapter(Line | None)
KEPT_IN_MAIN = ("number", "id", "authors", "work_id", "created_at", "updated_at")


class Heading(msgspec.Struct, array_like=True, frozen=True):
    """As `headings.Meant`: an author by name."""

    name: str
    sort_name: str
    born: int | None
    died: int | None

    @property
    def id(self) -> None:
        return None


class Held(msgspec.Struct, array_like=True, frozen=True):
    """A copy as the record tells of it."""

    barcode: str | None
    branch: str | None
    item_type: str | None
    location: str | None
    call_number: str | None
    price_amount: int | None


class Ready(msgspec.Struct, array_like=True, frozen=True):
    """`columns` and `words` are written of the book, with what only the database knows."""

    number: int
    offset: int
    raw: bytes
    packed: bool
    title: str
    problem: str | None = None
    warnings: list[str] = []
    control_number: str | None = None
    other_numbers: list[str] = []
    isbns: list[str] = []
    authors: list[Heading] = []
    holdings: list[Held] = []
    columns: dict[str, Any] = {}
    words: dict[str, Any] = {}
    marc: bytes | None = None  # packed; where it is something else than `raw`

    @property
    def bytes_as_they_came(self) -> bytes:
        return zlib.decompress(self.raw) if self.packed else self.raw


class Batch(msgspec.Struct, array_like=True, frozen=True):
    """`at`: how much of the file was read, from 0 to 1. `refused`: why it goes no further."""

    at: float
    records: list[Ready]
    refused: str | None = None


def made_ready(parsed: Parsed, format: Format, dialect: str) -> Ready:
    packed = len(parsed.raw) > (SMALL if format.is_marc else LARGE)
    raw = zlib.compress(parsed.raw, 1) if packed else parsed.raw
    said = parsed.described
    if said is not None and format is Format.lendery and (why := objection(said)):
        return Ready(parsed.number, parsed.offset, raw, packed, "", why)
    if said is None:
        why = parsed.problem or "It cannot be read."
        warnings = list(parsed.warnings)
        return Ready(parsed.number, parsed.offset, raw, packed, "", why, warnings)
    columns, words = _written(said, dialect)
    warnings = list(parsed.warnings)
    if said.series_number and not columns["series_number"]:
        warnings.append(f"The number in the series is too long: {said.series_number[:60]!r}.")
    return Ready(
        parsed.number,
        parsed.offset,
        raw,
        packed,
        said.title,
        None,
        warnings,
        said.control_number,
        list(said.other_numbers),
        list(said.isbns),
        [Heading(each.name, each.sort_name, each.born, each.died) for each in said.authors],
        [
            Held(h.barcode, h.branch, h.item_type, h.location, h.call_number, h.price_amount)
            for h in said.holdings
        ],
        columns,
        words,
        _marc(parsed, format) if format is Format.lendery else None,
    )


def objection(said: Described) -> str | None:
    """Why a record that was not read by our own crosswalk cannot be kept: as if typed by hand."""
    fields = {name: getattr(said, name) for name in TYPED}
    fields["series_number"] = fitting(said.series_number)
    authors = [{name: getattr(each, name) for name in NAMES} for each in said.authors]
    numbers = [each for each in said.isbns if isbn.thirteen(each) != each]
    if numbers:
        return f"{numbers[0][:40]} is not an ISBN of 13 digits."
    try:
        NewBook.model_validate({**fields, "subjects": list(said.subjects), "authors": authors})
        for each in said.holdings:
            for text in (each.location, each.call_number, each.branch):
                LINE.validate_python(text)
    except ValidationError as error:
        first = error.errors()[0]
        return f"{'.'.join(map(str, first['loc'][:2]))}: {first['msg']}"
    return None


def _marc(parsed: Parsed, format: Format) -> bytes | None:
    """The MARC that our own format carries along."""
    marc = marc_of(parsed, format)
    return zlib.compress(marc, 1) if marc else None


def kept_of(format: Format, record: Ready) -> tuple[bytes, bool]:
    """The MARC to keep beside the book, and whether it is packed; nothing where there is none."""
    if record.marc is not None:
        return record.marc, True
    return (record.raw, record.packed) if format.is_marc else (b"", False)


def _written(said: Described, dialect: str) -> tuple[dict[str, Any], dict[str, Any]]:
    first = said.authors[0].sort_name if said.authors else None
    (_, columns), (_, words) = books_kept.added(
        dialect, 0, as_book(said), sort_author=first, now=NO_TIME
    )
    plain = {name: value for name, value in columns.items() if name not in KEPT_IN_MAIN}
    return plain, dict(words)


def as_book(said: Described) -> Book:
    return Book.model_construct(
        id=NOBODY,
        title=said.title,
        subtitle=said.subtitle,
        authors=tuple(AuthorRef.model_construct(id=NOBODY, name=a.name) for a in said.authors),
        isbn=said.isbns[0] if said.isbns else None,
        publisher=said.publisher,
        published_year=said.published_year,
        language=said.language,
        subjects=said.subjects,
        description=said.description,
        series=said.series,
        series_number=fitting(said.series_number),
        call_number=said.call_number,
        material=said.material,
        work_id=NOBODY,
        withdrawn=False,
        version=1,
    )


def as_stored(columns: dict[str, Any]) -> Book:
    """The book that these columns are of, but for its ids and authors."""
    shown = {name: columns[name] for name in Book.model_fields if name in columns}
    return Book.model_construct(**shown)


def fitting(number: str | None) -> str | None:
    """What is said as the number in a series is sometimes a sentence."""
    return number if number and len(number) <= LONGEST_NUMBER else None


def batches(
    parsed: Iterator[Parsed], format: Format, dialect: str, at: Callable[[], float]
) -> Iterator[Batch]:
    """`at()` says how much of the file was read. The last batch may say why it goes no further."""
    records: list[Ready] = []
    size = 0
    for each in parsed:
        if each.offset < 0:  # not a record: the file itself is refused from here on
            yield Batch(1.0, records, each.problem)
            return
        records.append(made_ready(each, format, dialect))
        size += len(each.raw)
        if len(records) >= BATCH or size >= BATCH_BYTES:
            yield Batch(at(), records)
            records, size = [], 0
    yield Batch(1.0, records)
