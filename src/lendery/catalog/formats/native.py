"""Lendery's own JSON, one book a line: everything that we know of it, and nothing guessed."""

import base64
from dataclasses import replace

import msgspec

from lendery.catalog.formats.values import Described, Exported, Unreadable


class Line(msgspec.Struct, omit_defaults=True):
    """A line. `marc` is the MARC that the book came with, in base 64."""

    id: str
    book: Described
    marc: str | None = None


_READ = msgspec.json.Decoder(Line)


def parse(raw: bytes) -> tuple[Described, str, bytes | None]:
    """What the line says, the id it had where it was written, its MARC. Raises Unreadable."""
    try:
        line = _READ.decode(raw.strip(b"\xef\xbb\xbf\x00\x1a"))
        marc = base64.b64decode(line.marc, validate=True) if line.marc else None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, ValueError) as error:
        raise Unreadable(f"This is not a line of Lendery's JSON: {error}.") from None
    book = line.book
    if not book.title.strip():
        raise Unreadable("The book has no title.")
    if not book.control_number:
        book = replace(book, control_number=line.id or None)
    return book, line.id, marc


def build(book: Exported) -> bytes:
    marc = base64.b64encode(book.marc).decode() if book.marc else None
    return msgspec.json.encode(Line(book.id, book.described, marc)) + b"\n"
