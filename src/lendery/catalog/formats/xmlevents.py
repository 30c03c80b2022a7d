"""What a parser of XML tells of a document, followed until records are whole.

A document type, an entity or anything external is refused before it is looked at, so neither XXE
nor a billion laughs has a chance.
"""

from collections.abc import Callable
from xml.parsers import expat

from lendery.catalog.formats.record import SUBFIELD, Field, is_control, is_tag, tag_of
from lendery.catalog.formats.values import Refused

_MOST_NESTED = 64
_BLANKS = str.maketrans("#\\", "  ")
_BETWEEN = str.maketrans(dict.fromkeys(map(chr, (0x1D, 0x1E, 0x1F)), " "))


class Begun:
    """A record element that is open."""

    def __init__(self, at: int) -> None:
        self.at = at
        self.leader: str | None = None
        self.fields: list[Field] = []
        self.warnings: dict[str, None] = {}
        self.is_marc = self.holds_record = self.deleted = False


class Handler:
    """Follows one document. What it finds waits in `found` until the reader takes it."""

    def __init__(self) -> None:
        self.found: list[tuple[int, int, Begun]] = []
        self._open: list[Begun] = []
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

    def feed(self, data: bytes, *, last: bool = False) -> None:
        """Reads on. Raises ExpatError and Refused."""
        self.parser.Parse(data, last)

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
            self._open.append(Begun(self.parser.CurrentByteIndex))
        elif self._open:
            self._start_inside(self._open[-1], name, attributes)

    def _start_inside(self, record: Begun, name: str, attributes: dict[str, str]) -> None:
        if name == "subfield":
            code = attributes.get("code", "")
            if len(code) != 1 or not "!" <= code <= "~":
                record.warnings[f"A subfield of {self._tag()} has the code {code!r}."] = None
                code = code[:1] or " "
            self._code, self._text = code, []
        elif name in ("datafield", "controlfield"):
            record.is_marc = True
            tag = attributes.get("tag", "")
            if not is_tag(tag):
                record.warnings[f"A field has the tag {tag!r}."] = None
                tag = tag_of(tag)
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

    def _indicator(self, record: Begun, tag: str, attributes: dict[str, str], name: str) -> str:
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


def _refuse(what: str) -> Callable[..., int]:
    def refused(*given: object) -> int:
        raise Refused(f"The XML declares {what}; that is never needed here and is refused.")

    return refused
