"""MARCXML: records found at any depth (OAI-PMH, SRU), read as the file streams by.

A document type, an entity or anything external is refused before it is looked at, so neither XXE
nor a billion laughs has a chance.
"""

from collections.abc import Callable, Iterator
from typing import BinaryIO
from xml.parsers import expat
from xml.sax.saxutils import escape, quoteattr

from lendery.catalog.formats.record import BLANK_LEADER, SUBFIELD, Field, Record, is_control
from lendery.catalog.formats.values import Refused

CHUNK = 1 << 16
NAMESPACE = "http://www.loc.gov/MARC21/slim"
HEAD = f'<?xml version="1.0" encoding="UTF-8"?>\n<collection xmlns="{NAMESPACE}">\n'.encode()
TAIL = b"</collection>\n"
_MOST = 4 << 20  # bytes of one record
_MOST_NESTED = 64
_BLANKS = str.maketrans("#\\", "  ")
_BETWEEN = str.maketrans(dict.fromkeys(map(chr, (0x1D, 0x1E, 0x1F)), " "))
Found = tuple[int, bytes, Record | None, str | None, tuple[str, ...]]


class _Begun:
    """A record element that is open."""

    def __init__(self, at: int) -> None:
        self.at = at
        self.leader: str | None = None
        self.fields: list[Field] = []
        self.warnings: dict[str, None] = {}
        self.is_marc = self.holds_record = self.deleted = False


class _Handler:
    """Follows one document. What it finds waits in `found` until the reader takes it."""

    def __init__(self) -> None:
        self.found: list[tuple[int, int, _Begun]] = []
        self._open: list[_Begun] = []
        self._depth = 0
        self._text: list[str] | None = None
        self._field: tuple[str, str, list[str]] | None = None
        self._code = ""
        parser = expat.ParserCreate()
        parser.buffer_text = True
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._said
        parser.StartDoctypeDeclHandler = _refuse("a document type")
        parser.EntityDeclHandler = _refuse("an entity")
        parser.ExternalEntityRefHandler = _refuse("a reference to something outside")
        parser.UnparsedEntityDeclHandler = _refuse("an entity")
        parser.XmlDeclHandler = self._declared
        self.parser = parser
        self.encoding = "utf-8"

    @property
    def begun_at(self) -> int | None:
        """Where the record began that is open now."""
        return self._open[-1].at if self._open else None

    def _declared(self, version: str, encoding: str | None, standalone: int) -> None:
        self.encoding = (encoding or "utf-8").lower()

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        self._depth += 1
        if self._depth > _MOST_NESTED:
            raise Refused(f"The XML is nested more than {_MOST_NESTED} deep.")
        name = name.rpartition(":")[2]
        if name == "record":
            if self._open:
                self._open[-1].holds_record = True
            self._open.append(_Begun(self.parser.CurrentByteIndex))
        elif self._open:
            self._start_inside(self._open[-1], name, attributes)

    def _start_inside(self, record: _Begun, name: str, attributes: dict[str, str]) -> None:
        if name == "subfield":
            code = attributes.get("code", "")
            if len(code) != 1 or not "!" <= code <= "~":
                record.warnings[f"A subfield of {self._tag()} has the code {code!r}."] = None
                code = code[:1] or " "
            self._code, self._text = code, []
        elif name in ("datafield", "controlfield"):
            record.is_marc = True
            tag = attributes.get("tag", "")
            if len(tag) != 3 or not (tag.isascii() and tag.isalnum()):
                record.warnings[f"A field has the tag {tag!r}."] = None
                tag = _three(tag.strip())
            marks = "".join(self._indicator(record, tag, attributes, n) for n in ("ind1", "ind2"))
            self._field, self._text = (tag, marks, []), []
            if name == "controlfield" or is_control(tag):
                self._field = (tag, "", [])
        elif name == "leader":
            record.is_marc = True
            self._text = []
        elif name == "header" and attributes.get("status") == "deleted":
            record.deleted = True

    def _tag(self) -> str:
        return self._field[0] if self._field else "no field"

    def _indicator(self, record: _Begun, tag: str, attributes: dict[str, str], name: str) -> str:
        given = (attributes.get(name) or " ").translate(_BLANKS)
        if len(given) != 1 or not " " <= given <= "~":
            record.warnings[f"An indicator of {tag} is {given!r}; one sign was expected."] = None
            given = given[:1] if " " <= given[:1] <= "~" else " "
        return given

    def _said(self, text: str) -> None:
        if self._text is not None:
            self._text.append(text)

    def _end(self, name: str) -> None:
        self._depth -= 1
        name = name.rpartition(":")[2]
        if not self._open:
            return
        text = "".join(self._text or ()).translate(_BETWEEN)
        record = self._open[-1]
        if name == "subfield":
            if self._field:
                self._field[2].append(f"{SUBFIELD}{self._code}{text}")
            self._text = []
        elif name in ("datafield", "controlfield") and self._field:
            tag, marks, parts = self._field
            said = "".join(parts) or text.strip() if marks else text
            record.fields.append((tag, marks + said))
            self._field = self._text = None
        elif name == "leader":
            record.leader, self._text = text, None
        elif name == "record":
            self._open.pop()
            self._text = self._field = None
            self.found.append((record.at, self.parser.CurrentByteIndex, record))


def _three(tag: str) -> str:
    """A tag that is none, as one of three characters: `42` is 042; 9XX is local, and nobody's."""
    return tag.rjust(3, "0")[:3] if tag.isascii() and tag.isalnum() else "9XX"


def _refuse(what: str) -> Callable[..., int]:
    def refused(*given: object) -> int:
        raise Refused(f"The XML declares {what}; that is never needed here and is refused.")

    return refused


def records(file: BinaryIO) -> Iterator[Found]:
    """Place, bytes, record, reason for rejecting it, warnings. One broken record among others
    is one rejection; where the XML itself breaks, what follows is one."""
    handler = _Handler()
    kept, kept_at = b"", 0
    while True:
        chunk = file.read(CHUNK)
        kept += chunk
        problem = _fed(handler, chunk)
        for start, end, record in handler.found:
            raw = kept[start - kept_at : _after(kept, end - kept_at)]
            if (found := _judged(start, raw, record, handler.encoding)) is not None:
                yield found
        handler.found.clear()
        begun = handler.begun_at
        if problem:
            at = kept_at if begun is None else begun
            yield at, kept[at - kept_at :][:100_000], None, problem, ()
            return
        if not chunk:
            return
        done = handler.parser.CurrentByteIndex if begun is None else begun
        drop = max(done - kept_at, 0)
        kept, kept_at = kept[drop:], kept_at + drop
        if len(kept) > _MOST:
            why = f"More than {_MOST >> 20} MB without the end of a record: reading stops here."
            yield kept_at, kept[:100_000], None, why, ()
            return


def _fed(handler: _Handler, chunk: bytes) -> str | None:
    """What went wrong, or nothing."""
    try:
        handler.parser.Parse(chunk, not chunk)
    except expat.ExpatError as error:
        at = f"line {error.lineno}, column {error.offset + 1}"
        return f"The XML is not well-formed at {at}: {expat.errors.messages[error.code]}."
    except Refused as refused:
        return str(refused)
    except (LookupError, ValueError) as error:
        return f"The XML cannot be read: {error}."
    return None


def _after(kept: bytes, end: int) -> int:
    """Behind the end tag that begins at `end` (for an empty element, behind that)."""
    return kept.find(b">", end) + 1 or len(kept)


def _judged(start: int, raw: bytes, begun: _Begun, encoding: str) -> Found | None:
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
    if encoding.replace("-", "") not in ("utf8", "usascii", "ascii"):
        raw = build(record)  # its bytes mean nothing apart from the declaration at the top
    return start, raw, record, None, tuple(warnings)


def parse(raw: bytes) -> Record | None:
    """The record of a piece of MARCXML that was kept."""
    handler = _Handler()
    problem = _fed(handler, raw) or _fed(handler, b"")
    if problem or not handler.found:
        return None
    found = _judged(0, raw, handler.found[0][2], "utf-8")
    return found[2] if found else None


_NOT_IN_XML = str.maketrans(
    dict.fromkeys([*range(0x09), 0x0B, 0x0C, *range(0x0E, 0x20), 0xFFFE, 0xFFFF], None)
)


def build(record: Record) -> bytes:
    """One record element, without the declaration of the namespace, which the collection has."""
    lines = ["<record>", f"  <leader>{_safe(record.leader)}</leader>"]
    for tag, text in record.fields:
        if is_control(tag):
            lines.append(f"  <controlfield tag={quoteattr(tag)}>{_safe(text)}</controlfield>")
            continue
        marks, *parts = text.split(SUBFIELD)
        first, second = (quoteattr(_safe_sign(mark)) for mark in marks.ljust(2)[:2])
        lines.append(f"  <datafield tag={quoteattr(tag)} ind1={first} ind2={second}>")
        for part in parts:
            code, value = quoteattr(_safe_sign(part[:1])), _safe(part[1:])
            lines.append(f"    <subfield code={code}>{value}</subfield>")
        lines.append("  </datafield>")
    lines.append("</record>\n")
    return "\n".join(lines).encode("utf-8", "replace")


def _safe(text: str) -> str:
    return escape(text.translate(_NOT_IN_XML), {"\r": "&#13;"})


def _safe_sign(sign: str) -> str:
    return sign.translate(_NOT_IN_XML) or " "
