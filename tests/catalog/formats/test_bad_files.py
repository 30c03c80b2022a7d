"""Files that nobody should send: refused cheaply, or read for the good records in them."""

import gzip
import io
import tracemalloc
import zlib
from collections.abc import Callable, Iterator

import pytest

from lendery.catalog.formats import PROFILES, Format, Parsed, Refused, opened, read, sniff
from lendery.catalog.formats.iso2709 import slices

from .files import from_bytes, marc, one

EMMA = marc([("001", "1"), ("245", "10$aEmma")])
DRACULA = marc([("001", "2"), ("245", "10$aDracula")])
XML = '<record><leader>00000nam a2200000 i 4500</leader><datafield tag="245" ind1="1" ind2="0">\
<subfield code="a">{}</subfield></datafield></record>'
MEGABYTE = 1 << 20


def titles(found: list[Parsed]) -> list[str]:
    return [each.described.title for each in found if each.described]


def problems(found: list[Parsed]) -> list[str]:
    return [each.problem for each in found if each.problem]


def of_xml(inner: str, head: str = "<collection>", tail: str = "</collection>") -> list[Parsed]:
    return from_bytes((head + inner + tail).encode(), Format.marcxml)


class Endless(io.RawIOBase):
    """A file of one repeated piece, as long as somebody reads, that counts what it gave."""

    def __init__(self, piece: bytes, most: int) -> None:
        self.piece, self.left, self.given = piece, most, 0

    def read(self, size: int = -1) -> bytes:
        size = min(size if size >= 0 else self.left, self.left)
        self.left -= size
        self.given += size
        at = (self.given - size) % len(self.piece)
        return (self.piece * (size // len(self.piece) + 2))[at : at + size]

    def readinto(self, buffer: bytearray) -> int:  # type: ignore[override]
        data = self.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)

    def readable(self) -> bool:
        return True


@pytest.mark.parametrize("junk", [b"\r\n", b"\x1a", b"\x00" * 600, b"\n\n ", b"\xef\xbb\xbf"])
def test_what_stands_between_records_is_nothing(junk: bytes) -> None:
    found = from_bytes(junk + EMMA + junk + DRACULA + junk, Format.marc)
    assert titles(found) == ["Emma", "Dracula"]
    assert [each.offset for each in found] == [len(junk), 2 * len(junk) + len(EMMA)]
    assert [each.raw for each in found] == [EMMA, DRACULA]


def test_a_record_that_broke_off_costs_itself() -> None:
    found = from_bytes(EMMA[:60] + DRACULA + EMMA + DRACULA[:40], Format.marc)
    assert titles(found) == ["Dracula", "Emma"]
    assert problems(found) == [
        f"The record breaks off after 60 bytes of {len(EMMA)}.",
        f"The record breaks off after 40 bytes of {len(DRACULA)}.",
    ]
    assert [each.number for each in found] == [1, 2, 3, 4]


def test_a_wrong_length_is_told_and_not_believed() -> None:
    for stated in (b"00010", b"99999", b"00000", b"abcde"):
        found = from_bytes(EMMA + stated + DRACULA[5:] + EMMA, Format.marc)
        assert titles(found) == ["Emma", "Dracula", "Emma"]
        assert found[1].warnings == (
            f"The leader says {stated.decode()} bytes, the record has {len(DRACULA)}.",
        )


def test_words_among_records_are_one_rejection() -> None:
    found = from_bytes(EMMA + b"Dear colleague, here they are.\x1d" + DRACULA, Format.marc)
    assert titles(found) == ["Emma", "Dracula"]
    assert problems(found) == ["The directory has no end."]
    assert from_bytes(b"hello", Format.marc)[0].problem == "This is no MARC record."


def test_a_directory_that_lies_is_not_believed() -> None:
    base = 24 + 24
    wrong = EMMA[:24] + EMMA[24:base].replace(b"00000", b"00777", 1) + EMMA[base:]
    found = one(wrong, Format.marc)
    assert found.described and found.described.title == "Emma"
    assert "the field terminators were trusted" in found.warnings[0]
    short = EMMA[:24] + EMMA[36:base] + EMMA[base:]
    found = one(short, Format.marc)
    assert found.described and found.described.title == "Emma"
    assert "1 fields are not in the directory and were left out." in found.warnings


def within(megabytes: int, work: Callable[[], list[Parsed]]) -> list[Parsed]:
    """What the work finds, if it takes no more than so much memory at any time."""
    tracemalloc.start()
    try:
        found = work()
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert most < megabytes * MEGABYTE
    return found


@pytest.mark.parametrize("format", list(Format))
@pytest.mark.parametrize("piece", [b"\x00", b'"', b"{<a>"])
def test_gigabytes_without_a_record_are_given_up(format: Format, piece: bytes) -> None:
    file = Endless(piece, 10_000 * MEGABYTE)
    found = within(60, lambda: list(read(io.BufferedReader(file, MEGABYTE), format)))
    assert titles(found) == []
    assert len(problems(found)) <= 1
    assert file.given < 400 * MEGABYTE
    assert sum(len(each.raw) for each in found) < MEGABYTE


def test_a_record_that_claims_to_be_huge_is_as_long_as_it_is() -> None:
    found = from_bytes(b"99999" + EMMA[5:] + DRACULA, Format.marc)
    assert titles(found) == ["Emma", "Dracula"]


def test_a_good_record_behind_megabytes_of_rubbish_is_found() -> None:
    data = EMMA + b"x" * (3 * MEGABYTE) + b"\x1d" + DRACULA
    found = from_bytes(data, Format.marc)
    assert titles(found) == ["Emma", "Dracula"]
    assert problems(found) == [f"{3 * MEGABYTE + 1:,} bytes without the end of a record."]
    assert [each.offset for each in found][2] == len(data) - len(DRACULA)


# -- Packed files ----------------------------------------------------------------------------------


def test_a_packed_file_is_unpacked() -> None:
    packed = gzip.compress(EMMA) + gzip.compress(DRACULA)
    assert titles(list(read(opened(io.BytesIO(packed)), Format.marc))) == ["Emma", "Dracula"]
    assert titles(list(read(opened(io.BytesIO(EMMA)), Format.marc))) == ["Emma"]


def bomb(megabytes: int) -> bytes:
    packer = zlib.compressobj(9, wbits=31)
    piece = b"\x00" * MEGABYTE
    return b"".join(packer.compress(piece) for _ in range(megabytes)) + packer.flush()


def test_a_bomb_is_refused_before_it_goes_off() -> None:
    packed = bomb(100)
    assert len(packed) < MEGABYTE
    found = within(60, lambda: list(read(opened(io.BytesIO(packed)), Format.marc)))
    assert problems(found) == [
        "The file unpacks to more than 200 times its size: not an honest one."
    ]


def test_a_file_that_is_too_large_is_refused_packed_or_not() -> None:
    data = EMMA * 1_000
    for file in (io.BytesIO(data), io.BytesIO(gzip.compress(data, 0))):
        found = list(read(opened(file, most=len(data) - 1), Format.marc))
        assert problems(found)[-1].endswith(f"more than {len(data) - 1:,} bytes.")
    assert len(list(read(opened(io.BytesIO(data), most=len(data)), Format.marc))) == 1_000


@pytest.mark.parametrize("spoil", [lambda p: p[:-12], lambda p: p[:20] + b"\xff" * 9 + p[29:]])
def test_a_damaged_packed_file_gives_what_it_has(spoil: Callable[[bytes], bytes]) -> None:
    found = list(read(opened(io.BytesIO(spoil(gzip.compress(EMMA * 50)))), Format.marc))
    assert found[-1].problem and "damaged" in found[-1].problem
    assert found[-1].number == len(found)


# -- XML -------------------------------------------------------------------------------------------

LAUGHS = "".join(
    f'<!ENTITY l{n} "{"&l" + str(n - 1) + ";" if n else "ha"}{"&l0;" * 9 if n else ""}">'
    for n in range(10)
)


@pytest.mark.parametrize(
    "head",
    [
        f"<!DOCTYPE collection [{LAUGHS}]><collection>&l9;",
        '<!DOCTYPE c [<!ENTITY x SYSTEM "file:///etc/passwd">]><collection>&x;',
        '<!DOCTYPE c SYSTEM "http://127.0.0.1:9/evil.dtd"><collection>',
        "<!DOCTYPE collection><collection>",
    ],
)
def test_a_document_type_is_refused(head: str) -> None:
    found = of_xml(XML.format("Emma"), head)
    assert titles(found) == []
    assert problems(found) == [
        "The XML declares a document type; that is never needed here and is refused."
    ]


def test_an_entity_that_nobody_declared_costs_its_record() -> None:
    found = of_xml(XML.format("&evil;") + XML.format("Emma"))
    assert titles(found) == ["Emma"]
    assert problems(found) == [
        "The XML is not well-formed at line 1, column 120: undefined entity."
    ]


def test_broken_xml_costs_one_record_and_says_where() -> None:
    broken = XML.format("<b>Dracula")
    found = of_xml(XML.format("Emma") + broken + XML.format("Kim") + broken + XML.format("She"))
    assert titles(found) == ["Emma", "Kim", "She"]
    assert [each.number for each in found] == [1, 2, 3, 4, 5]
    first, second = problems(found)
    assert first == "The XML is not well-formed at line 1, column 275: mismatched tag."
    assert second.startswith("The XML is not well-formed at byte ")
    assert found[1].raw.decode() == broken


def test_a_file_that_ends_too_early_keeps_what_came_before() -> None:
    found = of_xml(XML.format("Emma") + XML.format("Dracula")[:90], tail="")
    assert titles(found) == ["Emma"]
    assert problems(found) == ["The XML is not well-formed at line 1, column 244: unclosed token."]


def test_records_are_found_at_any_depth_and_in_any_namespace() -> None:
    marc_record = XML.format("Emma").replace("<", "<m:").replace("<m:/", "</m:")
    oai = (
        '<OAI-PMH xmlns:m="http://www.loc.gov/MARC21/slim"><ListRecords>'
        f"<record><header/><metadata>{marc_record}</metadata></record>"
        '<record><header status="deleted"/></record></ListRecords></OAI-PMH>'
    )
    found = of_xml("", oai, "")
    assert titles(found) == ["Emma"]
    assert problems(found) == ["The record holds no MARC: it is marked deleted."]
    assert found[0].raw.decode() == marc_record


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "iso-8859-1"])
def test_xml_in_other_encodings(encoding: str) -> None:
    text = f'<?xml version="1.0" encoding="{encoding}"?><c>{XML.format("Élan")}</c>'
    found = from_bytes(text.encode(encoding), Format.marcxml)
    assert titles(found) == ["Élan"]
    assert titles(from_bytes(found[0].raw, Format.marcxml)) == ["Élan"]


def test_attributes_that_are_missing_are_told() -> None:
    found = of_xml(
        '<record><datafield tag="245"><subfield code="a">Emma</subfield>'
        "<subfield>x</subfield></datafield><datafield><subfield code='a'>y</subfield></datafield>"
        "</record>"
    )
    assert titles(found) == ["Emma"]
    assert found[0].warnings == (
        "A subfield of 245 has the code ''.",
        "A field has the tag ''.",
        "The record has no leader.",
    )


def test_xml_nested_too_deep_is_refused() -> None:
    assert problems(of_xml("<a>" * 100_000)) == ["The XML is nested more than 64 deep."]


# -- JSON ------------------------------------------------------------------------------------------


def test_one_bad_object_among_good_ones() -> None:
    good = '{"leader":"00000nam a2200000 i 4500","fields":[{"245":{"ind1":"1","ind2":"0",\
"subfields":[{"a":"%s"}]}}]}'
    bad = '{"leader":"00000nam a2200000 i 4500","fields":[{"245":oops}]}'
    unclosed = '{"leader":"00000nam a2200000 i 4500","fields":[{"245":{"ind1"'
    parts = [good % "Emma", bad, good % "Kim", unclosed, good % "She"]
    for text in ("\n".join(parts), "[" + ",".join(parts) + "]"):
        found = from_bytes(text.encode(), Format.marcjson)
        assert titles(found) == ["Emma", "Kim", "She"], problems(found)
        assert len(found) == 5
        assert found[2].raw.decode() == parts[2]


def test_a_text_without_an_end_is_looked_through_once() -> None:
    """Looked through anew from each of its quotes, this would hold the library up for an hour."""
    endless = b'{"leader": "' + b'\\"' * 100_000
    found = from_bytes(endless, Format.marcjson)
    assert problems(found) == ["The record has no end within 200,012 bytes."]


def test_dates_of_a_life_made_of_blanks_are_read_in_no_time() -> None:
    """Tried in every way in which blanks may stand, these would take years of ours."""
    blanks = " " * 9_000
    life = f"1 $aEliot, George,$d1819{blanks}!"
    record = marc([("001", "1"), ("100", life), ("245", "10$aEmma")])
    [book] = [each.described for each in from_bytes(record, Format.marc) if each.described]
    assert [(each.name, each.born, each.died) for each in book.authors] == [
        ("George Eliot", None, None)
    ]


@pytest.mark.parametrize("fill", [" ", "(#", "(", "#", " ("])
def test_a_title_made_of_blanks_and_brackets_is_read_in_no_time(fill: str) -> None:
    long = f"Emma{fill * 100_000}!"
    columns = "book_id,isbn,title,authors,original_publication_year,language_code"
    goodbooks = f"{columns}\n1,,{long},,,en"
    gutenberg = f"pg_id,title,authors,languages,lcsh,lcc\n1,{long},,en,,"
    for name, table in (("goodbooks", goodbooks), ("gutenberg", gutenberg)):
        source = read(io.BytesIO(table.encode()), Format.csv, profile=PROFILES[name])
        assert [title[:4] for title in titles(list(source))] == ["Emma"]


def test_json_nested_too_deep_is_one_rejection() -> None:
    deep = b'{"leader":' + b"[" * 50_000 + b"]" * 50_000 + b"}"
    assert len(problems(from_bytes(deep, Format.marcjson))) == 1


@pytest.mark.parametrize(
    ("line", "why"),
    [
        (b'{"id":"1","book":{"title":" "}}', "The book has no title."),
        (b'{"id":"1"}', "Object missing required field `book`"),
        (b'{"id":"1","book":{"title":3}}', "Expected `str`, got `int`"),
        (b'{"id":"1","book":{"title":"x"},"marc":"%"}', "Only base64 data is allowed"),
        (b"nothing", "JSON is malformed"),
    ],
)
def test_a_bad_line_of_our_own(line: bytes, why: str) -> None:
    good = b'{"id":"1","book":{"title":"Emma"}}'
    found = from_bytes(b"\n".join([good, line, b"", good]), Format.lendery)
    assert titles(found) == ["Emma", "Emma"]
    assert why in problems(found)[0]


# -- What a file is --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("head", "name", "format"),
    [
        (EMMA, "", Format.marc),
        (b"\r\n" + EMMA[:30], "x.mrc", Format.marc),
        (b"\xef\xbb\xbf<?xml", "", Format.marcxml),
        (b'[{"leader":', "", Format.marcjson),
        (b'{"id":"1","book":{"title":"x"}}', "", Format.lendery),
        (b'/type/edition\t/books/OL1M\t1\t2008\t{"title":"x"}', "", Format.openlibrary),
        (b"title;author\nEmma;Jane Austen", "books.csv", Format.csv),
        (b"", "", Format.csv),
    ],
)
def test_a_file_is_known_by_its_beginning(head: bytes, name: str, format: Format) -> None:
    assert sniff(head, name) is format


@pytest.mark.parametrize("head", [b"PK\x03\x04", b"%PDF-1.7", b"\x89PNG\r\n", b"\xd0\xcf\x11\xe0"])
def test_what_holds_no_records_is_refused(head: bytes) -> None:
    with pytest.raises(Refused, match="no records"):
        sniff(head)


def test_memory_stays_flat() -> None:
    file = Endless(EMMA, len(EMMA) * 200_000)  # read in pieces that records straddle

    def numbers() -> Iterator[int]:
        for offset, _, _ in slices(file):
            yield offset

    tracemalloc.start()
    assert sum(1 for _ in numbers()) == 200_000
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 12 * MEGABYTE
