"""The words of import and export: what a record says, and how a file says it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum


class Format(Enum):
    """How records stand in a file."""

    marc = "marc"  # MARC 21 in ISO 2709, the form that libraries exchange
    marcxml = "marcxml"
    marcjson = "marcjson"
    csv = "csv"
    openlibrary = "openlibrary"  # a dump of Open Library, one record a line
    lendery = "lendery"  # our own JSON, one record a line

    @property
    def is_marc(self) -> bool:
        return self in (Format.marc, Format.marcxml, Format.marcjson)


@dataclass(frozen=True, slots=True)
class NamedHeading:
    """Somebody named in a record. Years before our era are negative."""

    name: str
    sort_name: str
    born: int | None = None
    died: int | None = None
    role: str | None = None


@dataclass(frozen=True, slots=True)
class Holding:
    """A copy that a record tells of. `branch` is a code or a name, the price in minor units."""

    barcode: str | None = None
    branch: str | None = None
    item_type: str | None = None
    location: str | None = None
    call_number: str | None = None
    price_amount: int | None = None
    note: str | None = None


@dataclass(frozen=True, slots=True)
class Described:
    """What a record says, in the catalogue's own fields. `isbns` are valid and of 13 digits."""

    title: str
    subtitle: str | None = None
    authors: tuple[NamedHeading, ...] = ()
    isbns: tuple[str, ...] = ()
    publisher: str | None = None
    published_year: int | None = None
    language: str | None = None
    subjects: tuple[str, ...] = ()
    description: str | None = None
    series: str | None = None
    series_number: str | None = None
    call_number: str | None = None
    material: str = "book"
    control_number: str | None = None
    other_numbers: tuple[str, ...] = ()
    holdings: tuple[Holding, ...] = ()


@dataclass(frozen=True, slots=True)
class Parsed:
    """One record of a file: what it says, or why it was rejected; and what was odd about it."""

    number: int
    offset: int
    raw: bytes
    described: Described | None
    problem: str | None = None
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Exported:
    """A book to be written: what we know, and the MARC it came with (in any of its forms)."""

    id: str
    described: Described
    marc: bytes | None = None
    edited: bool = False


class Unreadable(Exception):
    """This record cannot be read; the text is the reason as a librarian is told it."""


class Refused(Exception):
    """This file is not read at all; the text says why."""


class Unwritable(Exception):
    """This record does not fit into the form that was asked for; it is never cut short."""


@dataclass(frozen=True, slots=True)
class ItemField:
    """Where a MARC field tells of a copy: its tag, and the subfields that hold each value."""

    tag: str
    barcode: str = ""
    branch: str = ""
    item_type: str = ""
    location: str = ""
    call_number: str = ""
    price: str = ""
    note: str = ""


KOHA = ItemField("952", "p", "ab", "y", "c", "o", "gv", "z")
HOLDINGS = ItemField("852", "p", "b", "", "c", "khijm", "9", "z")
SIERRA = ItemField("949", "i", "l", "t", "", "abc", "p", "n")


@dataclass(frozen=True, slots=True)
class Profile:
    """How one supplier's files are read. The default suits files that keep to the standard.

    `columns`: our field -> name or place (from 0) of a CSV column. `separator` stands between
    several values in one cell. `item_types` and `branches` turn the supplier's codes into ours.
    """

    name: str = "default"
    encoding: str | None = None
    delimiter: str | None = None
    header: bool = True
    columns: Mapping[str, str | int] = field(default_factory=dict)
    separator: str | None = None
    items: tuple[ItemField, ...] = (KOHA, HOLDINGS)
    item_types: Mapping[str, str] = field(default_factory=dict)
    branches: Mapping[str, str] = field(default_factory=dict)
    call_numbers: tuple[str, ...] = ("090", "082", "050", "060", "080", "084")
    material: str = "book"
    language: str | None = None
