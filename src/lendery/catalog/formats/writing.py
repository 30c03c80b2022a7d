"""Writes books as files that other systems read. What came to us and was not touched goes out as
it came, byte for byte; nothing is ever cut short to fit."""

import re
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime

from lendery.catalog.formats import iso2709, marcjson, marcxml, native, tables
from lendery.catalog.formats.cataloguing import new_record
from lendery.catalog.formats.editing import updated
from lendery.catalog.formats.reading import record_of
from lendery.catalog.formats.record import Record
from lendery.catalog.formats.unimarc import is_unimarc
from lendery.catalog.formats.values import Exported, Format, Refused, Unreadable, Unwritable

_PREFIXED = re.compile(rb"<[^<>]*[\w.-]:[A-Za-z_]")
Report = Callable[[Exported, str], None]


def write(
    books: Iterable[Exported],
    format: Format,
    *,
    agency: str = "Lendery",
    now: datetime | None = None,
    report: Report | None = None,
) -> Iterator[bytes]:
    """The file, piece by piece. A book that does not fit is reported and left out.

    `agency` stands in 003 of MARC. Without `report` such a book raises Unwritable.
    """
    build = _builder(format, agency, now)
    if format is Format.marcxml:
        yield marcxml.HEAD
    elif format is Format.csv:
        yield tables.HEAD
    for book in books:
        try:
            piece = build(book)
        except Unwritable as unwritable:
            if report is None:
                raise
            report(book, str(unwritable))
        else:
            yield piece
    if format is Format.marcxml:
        yield marcxml.TAIL


def _builder(format: Format, agency: str, now: datetime | None) -> Callable[[Exported], bytes]:
    if format is Format.csv:
        return tables.build
    if format is Format.lendery:
        return native.build
    if not format.is_marc:
        raise Refused(f"Lendery does not write {format.value}.")
    writer = {
        Format.marc: iso2709.build,
        Format.marcxml: marcxml.build,
        Format.marcjson: marcjson.build,
    }[format]

    def build(book: Exported) -> bytes:
        if book.marc and not book.edited and (piece := as_it_came(book.marc, format)):
            return piece
        return writer(marc_record(book, agency, now))

    return build


def as_it_came(marc: bytes, format: Format) -> bytes | None:
    """The bytes that were kept, if they are of this form and can stand in a file on their own."""
    if format is Format.marc:
        return marc if marc[:5].isdigit() and marc.endswith(b"\x1d") else None
    if format is Format.marcxml:
        alone = marc.startswith(b"<record") and not _PREFIXED.search(marc)
        return marc + b"\n" if alone else None
    return marc + b"\n" if marc.startswith(b"{") and b"\n" not in marc else None


def marc_record(book: Exported, agency: str, now: datetime | None) -> Record:
    """The MARC of a book: as it came, with what was edited, or new."""
    if book.marc:
        try:
            record = record_of(book.marc)
        except Unreadable:
            pass  # kept from a damaged file: what we know of the book is all there is
        else:
            if not book.edited:
                return record
            if not is_unimarc(record):  # an edited UNIMARC record becomes a new MARC 21 record
                return updated(record, book.described, id=book.id, agency=agency)
    return new_record(book.described, id=book.id, agency=agency, now=now)
