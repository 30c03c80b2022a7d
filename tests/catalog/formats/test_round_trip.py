"""What came in goes out again: as it came where nobody touched it, whole where somebody did."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pymarc
import pytest

from lendery.catalog.formats import (
    Described,
    Exported,
    Format,
    Holding,
    NamedHeading,
    Parsed,
    Unwritable,
    read,
    record_of,
    write,
)
from lendery.catalog.formats.record import Field

from .files import MARC, format_of, from_bytes, marc_files, name_of, one, parsed

NOW = datetime(2026, 3, 1, 9, 30, tzinfo=UTC)
UNIMARC = "pymarc/testunimarc.dat"
NUMBERS = ("001", "003", "035")
CARRIERS = (Format.marc, Format.marcxml, Format.marcjson)
EMMA = Described(
    title="Emma",
    subtitle="a novel",
    authors=(
        NamedHeading("Jane Austen", "Austen, Jane", 1775, 1817, "author"),
        NamedHeading("Fiona Stafford", "Stafford, Fiona", role="editor"),
        NamedHeading("Penguin Books Ltd", "Penguin Books Ltd"),
    ),
    isbns=("9780141439587", "9780192837523"),
    publisher="Penguin",
    published_year=2003,
    language="en",
    subjects=("Young women -- Fiction", "England"),
    description="A comedy of errors.\n\nWith an introduction.",
    series="Penguin classics",
    series_number="12",
    call_number="823.7 AUS",
    control_number="emma-1",
    other_numbers=("(OCoLC)51992310",),
    holdings=(
        Holding("30001", "main", "book", "Fiction", "823.7 AUS", 1250, "signed"),
        Holding("30002", "west", "book"),
    ),
)
PLATO = Described(
    title="Der Staat",
    authors=(NamedHeading("Plato", "Plato", -428, -348, "author"),),
    published_year=-380,
    language="de",
    call_number="PA 4279",
    material="ebook",
)


def readable() -> list[tuple[Path, Parsed]]:
    return [(p, each) for p in marc_files() for each in parsed(p) if each.described]


def exported(each: Parsed, *, edited: bool) -> Exported:
    assert each.described
    return Exported("our-1", each.described, each.raw, edited)


def without_numbers(fields: list[Field]) -> list[Field]:
    return [field for field in fields if field[0] not in NUMBERS]


def as_in_xml(fields: list[Field]) -> list[Field]:
    """Two indicators and a tag of letters and digits: what MARCXML and JSON have room for."""
    found = []
    for tag, text in fields:
        marks, code, rest = text.partition("\x1f")
        text = marks.ljust(2)[:2].replace("\\", " ") + code + rest if code else text
        found.append((tag if tag.isalnum() else "9XX", text))
    return found


@pytest.mark.parametrize("format", CARRIERS)
def test_what_was_not_touched_goes_out_as_it_came(format: Format) -> None:
    pieces = 0
    for path, each in readable():
        out = b"".join(write([exported(each, edited=False)], format))
        if format_of(path) is format and each.raw in out:
            pieces += 1
        again = one(out, format)
        assert again.described == each.described, (name_of(path), each.number)
        old, new = record_of(each.raw).fields, record_of(again.raw).fields
        assert new == (old if format is Format.marc else as_in_xml(old))
    assert pieces == {Format.marc: 180, Format.marcxml: 35, Format.marcjson: 30}[format]


def test_what_was_edited_differs_in_that_alone() -> None:
    for path, each in readable():
        if name_of(path) == UNIMARC:
            continue
        out = b"".join(write([exported(each, edited=True)], Format.marc, agency="Lendery"))
        again = one(out, Format.marc)
        new, old = record_of(again.raw), record_of(each.raw)
        assert without_numbers(new.fields) == without_numbers(old.fields), name_of(path)
        assert again.described and each.described
        assert again.described.control_number == "(Lendery)our-1"
        if each.described.control_number:
            assert each.described.control_number in str(new.fields)


@pytest.mark.parametrize(
    ("changes", "tags"),
    [
        ({"title": "The new title", "subtitle": None}, {"245"}),
        ({"isbns": ("9780141439587",)}, {"020"}),
        ({"publisher": "Virago"}, {"260", "264"}),
        ({"published_year": 1999}, {"260", "264", "008"}),
        ({"language": "fr"}, {"008", "041"}),
        ({"subjects": ("Cats -- Fiction", "Dogs")}, {"650"}),
        ({"description": "Told anew."}, {"520"}),
        ({"series": "Classics", "series_number": "3"}, {"490", "440", "830", "800", "810"}),
        ({"call_number": "F AUS"}, {"090"}),
        ({"material": "periodical"}, set()),
        ({"other_numbers": ("(OCoLC)77",)}, {"010"}),
        ({"authors": EMMA.authors}, {"100", "110", "111", "700", "710", "711", "245"}),
        ({"holdings": EMMA.holdings}, {"852", "952"}),
    ],
    ids=lambda given: "" if isinstance(given, set) else next(iter(given)),
)
def test_an_edit_changes_its_own_fields(changes: dict[str, object], tags: set[str]) -> None:
    subjects = {"600", "610", "611", "630", "648", "650", "651", "653", "655"}
    tags = tags | subjects if "650" in tags else tags
    for each in parsed(MARC / "traject/test_data.utf8.mrc"):
        assert each.described
        said = replace(each.described, **changes)  # type: ignore[arg-type]
        out = b"".join(write([Exported("our-1", said, each.raw, True)], Format.marc))
        again = one(out, Format.marc)
        assert again.described
        assert again.described == replace(
            said,
            control_number="(Lendery)our-1",
            other_numbers=again.described.other_numbers,
        )
        assert set(said.other_numbers) <= set(again.described.other_numbers)
        kept = [
            [field for field in without_numbers(record_of(raw).fields) if field[0] not in tags]
            for raw in (each.raw, again.raw)
        ]
        assert kept[0] == kept[1]


@pytest.mark.parametrize("format", CARRIERS)
@pytest.mark.parametrize("said", [EMMA, PLATO, Described("Untold")], ids=lambda said: said.title)
def test_a_book_without_marc_gets_one(said: Described, format: Format) -> None:
    out = b"".join(write([Exported("our-7", said)], format, agency="Town", now=NOW))
    again = one(out, format)
    assert again.warnings == ()
    old = (said.control_number,) if said.control_number else ()
    assert again.described == replace(
        said, control_number="(Town)our-7", other_numbers=(*old, *said.other_numbers)
    )
    fields = dict(record_of(again.raw).fields)
    assert fields["005"] == "20260301093000.0"
    assert len(fields["008"]) == 40 and fields["008"].startswith("260301")


def test_an_edited_unimarc_record_becomes_marc_21() -> None:
    (each,) = parsed(MARC / UNIMARC)
    assert each.described
    out = b"".join(write([exported(each, edited=True)], Format.marc))
    tags = [tag for tag, _ in record_of(out).fields]
    assert "245" in tags and "200" not in tags
    again = one(out, Format.marc)
    assert again.warnings == () and again.described
    assert again.described.title == each.described.title
    assert again.described.isbns == ("9788804406822",)
    untouched = b"".join(write([exported(each, edited=False)], Format.marc))
    assert untouched == each.raw


def test_pymarc_reads_what_is_written() -> None:
    books = [
        exported(each, edited=True)
        for path, each in readable()
        if "cp866" not in path.name  # its data fields have no subfields
    ]
    pieces = list(write([*books, Exported("our-7", EMMA)], Format.marc))
    for piece in pieces:
        theirs = next(iter(pymarc.MARCReader(piece)))
        assert theirs is not None
        ours = record_of(piece)
        assert [field.tag for field in theirs.fields] == [tag for tag, _ in ours.fields]
    theirs = pymarc.Record(pieces[-1])
    assert theirs.title == "Emma a novel"
    assert theirs["100"]["d"] == "1775-1817"
    assert str(theirs.leader)[5:10] == "nam a"


@pytest.mark.parametrize("format", [Format.csv, Format.lendery])
def test_our_own_forms_give_everything_back(format: Format) -> None:
    books = [exported(each, edited=False) for _, each in readable()]
    books += [Exported("our-7", EMMA), Exported("our-8", PLATO)]
    out = b"".join(write(books, format))
    for book, again in zip(books, from_bytes(out, format), strict=True):
        said = book.described
        if format is Format.csv:  # a cell holds names and years of life; roles are lost
            authors = tuple(replace(each, role="author") for each in said.authors)
            found = again.described and again.described.authors
            assert (found and len(found) == len(authors)) or not authors
            said = replace(said, authors=found or ())
        number = said.control_number or book.id
        assert again.described == replace(said, control_number=number)
        assert again.problem is None


def test_a_formula_stays_text_and_comes_back() -> None:
    said = Described(title='=HYPERLINK("http://x")', subtitle="'=1+1", publisher="-2", series="@a")
    out = b"".join(write([Exported("+1", said)], Format.csv))
    cells = out.decode().splitlines()[1]
    assert cells.startswith('"\'=HYPERLINK(""http://x"")",\'\'=1+1,')
    assert ",'-2," in cells and ",'@a," in cells and ",'+1," in cells
    assert one(out, Format.csv).described == replace(said, control_number="+1")


def test_what_is_too_long_is_reported_and_never_cut() -> None:
    long = replace(EMMA, description="word " * 2_500)
    many = replace(EMMA, subjects=tuple(f"{number:04} {'x' * 480}" for number in range(100)))
    huge = replace(many, description="\n\n".join(["y" * 9_000] * 2), subjects=many.subjects * 2)
    reported = []
    books = [Exported("a", long), Exported("b", EMMA), Exported("c", huge)]
    out = b"".join(
        write(books, Format.marc, report=lambda book, why: reported.append((book.id, why)))
    )
    assert [each.described and each.described.title for each in from_bytes(out, Format.marc)] == [
        "Emma"
    ]
    assert reported == [
        ("a", "Field 520 has 12,504 bytes; ISO 2709 allows 9,999."),
        ("c", f"The record has {len_of(huge):,} bytes; ISO 2709 allows 99,999."),
    ]
    with pytest.raises(Unwritable):
        list(write(books, Format.marc))
    assert len(from_bytes(b"".join(write(books, Format.marcxml)), Format.marcxml)) == 3


def len_of(said: Described) -> int:
    """The bytes of its record, counted from the pieces that MARCXML has of it."""
    raw = b"".join(write([Exported("c", said)], Format.marcjson))
    fields = record_of(raw).fields
    return 24 + sum(12 + len(text.encode()) + 1 for _, text in fields) + 2


def test_open_library_is_read_only() -> None:
    with pytest.raises(Exception, match="does not write openlibrary"):
        list(write([], Format.openlibrary))


def test_reading_closes_nothing(tmp_path: Path) -> None:
    (tmp_path / "emma.jsonl").write_bytes(b"".join(write([Exported("1", EMMA)], Format.lendery)))
    with (tmp_path / "emma.jsonl").open("rb") as file:
        assert len(list(read(file, Format.lendery))) == 1
        assert not file.closed
