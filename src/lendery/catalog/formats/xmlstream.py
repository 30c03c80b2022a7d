"""Records out of a stream of XML, at any depth: collections, OAI-PMH, SRU.

Where the XML itself breaks, one record is lost and reading goes on with the next one.
"""

import re
from collections.abc import Iterator
from typing import BinaryIO
from xml.parsers import expat

from lendery.catalog.formats import marcxml
from lendery.catalog.formats.record import BLANK_LEADER, Record
from lendery.catalog.formats.source import MOST_JUNK
from lendery.catalog.formats.values import Refused
from lendery.catalog.formats.xmlevents import Begun, Handler

CHUNK = 1 << 16
_MOST = 4 << 20  # bytes of one record
_KEPT = 100_000
_RECORD = re.compile(rb"<(?:[\w.-]{1,60}:)?record[\s>]")
_UTF8 = ("utf-8", "utf8", "us-ascii", "ascii")
_AGAIN = b"<again>"  # a root for what follows a break: its own root is lost
Found = tuple[int, bytes, Record | None, str | None, tuple[str, ...]]


class _Stream:
    """A file being read: what was read and is still needed, and where that begins."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.kept, self.at, self.ended = b"", 0, False
        self.handler = Handler()
        self.began, self.fed, self.broke = 0, 0, False

    def more(self) -> bytes:
        chunk = self._file.read(CHUNK)
        self.ended = not chunk
        self.kept += chunk
        return chunk

    def drop(self, upto: int) -> None:
        gone = max(upto - self.at, 0)
        self.kept, self.at = self.kept[gone:], self.at + gone

    def place(self, index: int) -> int:
        """Where in the file the parser's place is."""
        return self.began + index

    def again(self, place: int) -> None:
        """Begins anew at a record."""
        self.drop(place)
        self.handler = Handler()
        self.handler.feed(_AGAIN)
        self.began, self.broke = place - len(_AGAIN), True


def records(file: BinaryIO) -> Iterator[Found]:
    """Place, bytes, record, reason for rejecting it, warnings."""
    stream = _Stream(file)
    fresh = stream.more()
    while True:
        problem, refused = _fed(stream, fresh)
        yield from _taken(stream)
        open_at = stream.handler.begun_at
        if problem is None:
            if stream.ended:
                return
            done = stream.handler.parser.CurrentByteIndex if open_at is None else open_at
            stream.drop(stream.place(done))
            if len(stream.kept) <= _MOST:
                fresh = stream.more()
                continue
            problem = f"More than {_MOST >> 20} MB without the end of a record."
        if open_at is not None or not stream.broke or refused:
            at = stream.at if open_at is None else stream.place(open_at)
            broken = stream.kept[at - stream.at :][:_KEPT]
            following = None if refused else _following(stream, open_at)
            if following is not None:
                broken = broken[: following - at]
            yield at, broken, None, problem, ()
        else:
            following = _following(stream, open_at)
        if following is None:
            return
        stream.again(following)
        fresh = stream.kept


def _following(stream: _Stream, open_at: int | None) -> int | None:
    """Where the next record begins after a break; nothing if there is none."""
    if stream.handler.encoding not in _UTF8:
        return None
    broke_at = stream.place(stream.handler.parser.ErrorByteIndex)
    start = max(broke_at, stream.at if open_at is None else stream.place(open_at) + 1)
    while True:
        found = _next_record(stream.kept, max(start - stream.at, 0))
        if found is not None:
            return stream.at + found
        if stream.ended or stream.at - start > MOST_JUNK >> 2:
            return None
        stream.drop(max(stream.at + len(stream.kept) - 80, start))
        stream.more()


def _next_record(kept: bytes, start: int) -> int | None:
    """Where the next tag of a record begins: its name is looked for first, being rarer than `<`."""
    at = kept.find(b"record", start)
    while at >= 0:
        begins = kept.rfind(b"<", max(at - 62, start), at)
        if begins >= 0 and _RECORD.match(kept, begins):
            return begins
        at = kept.find(b"record", at + 6)
    return None


def _taken(stream: _Stream) -> Iterator[Found]:
    for start, end, begun in stream.handler.found:
        at = stream.place(start)
        first = at - stream.at
        raw = stream.kept[first : _after(stream.kept, stream.place(end) - stream.at)]
        if (found := judged(at, raw, begun, stream.handler.encoding)) is not None:
            yield found
    stream.handler.found.clear()


def _fed(stream: _Stream, chunk: bytes) -> tuple[str | None, bool]:
    """What went wrong, or nothing; and whether the file is refused for it."""
    try:
        stream.handler.feed(chunk, last=stream.ended and not stream.broke)
    except expat.ExpatError as error:
        at = f"line {error.lineno}, column {error.offset + 1}"
        if stream.broke:
            at = f"byte {stream.place(stream.handler.parser.ErrorByteIndex):,}"
        return f"The XML is not well-formed at {at}: {expat.errors.messages[error.code]}.", False
    except Refused as refused:
        return str(refused), True
    except (LookupError, ValueError) as error:
        return f"The XML cannot be read: {error}.", True
    if stream.ended and stream.handler.begun_at is not None:
        return "The file ends in the middle of this record.", False
    return None, False


def _after(kept: bytes, end: int) -> int:
    """Behind the end tag that begins at `end` (for an empty element, behind that)."""
    return kept.find(b">", end) + 1 or len(kept)


def judged(start: int, raw: bytes, begun: Begun, encoding: str) -> Found | None:
    if not begun.is_marc:
        if begun.holds_record:
            return None
        why = "The record holds no MARC"
        return start, raw, None, f"{why}: it is marked deleted." if begun.deleted else f"{why}.", ()
    record = Record(begun.leader or BLANK_LEADER, begun.fields)
    warnings = dict(begun.warnings)
    if begun.leader is None:
        warnings["The record has no leader."] = None
    elif len(begun.leader) != 24:
        warnings[f"The leader has {len(begun.leader)} characters instead of 24."] = None
        record.leader = begun.leader.ljust(24)[:24]
    if not begun.fields:
        return start, raw, None, "The record has no fields.", tuple(warnings)
    if encoding not in _UTF8:
        raw = marcxml.build(record)  # its bytes mean nothing apart from the declaration at the top
    return start, raw, record, None, tuple(warnings)
