"""The files of three other projects, many of them damaged on purpose: what becomes of each."""

from pathlib import Path

import pytest

from lendery.catalog.formats import Format, marc_of

from .files import MARC, format_of, marc_files, name_of, parsed

# file, format, records accepted, records rejected
COUNTS = [
    ("pymarc/1251.dat", Format.marc, 6, 0),
    ("pymarc/alphatag.dat", Format.marc, 1, 0),
    ("pymarc/bad_eacc_encoding.dat", Format.marc, 1, 0),
    ("pymarc/bad_indicator.dat", Format.marc, 1, 0),
    ("pymarc/bad_marc8_escape.dat", Format.marc, 1, 0),
    ("pymarc/bad_records.mrc", Format.marc, 7, 1),
    ("pymarc/bad_subfield_code.dat", Format.marc, 1, 0),
    ("pymarc/bad_tag.xml", Format.marcxml, 1, 0),
    ("pymarc/batch.json", Format.marcjson, 2, 0),
    ("pymarc/batch.xml", Format.marcxml, 2, 0),
    ("pymarc/diacritic.dat", Format.marc, 1, 0),
    ("pymarc/marc.dat", Format.marc, 20, 0),
    ("pymarc/marc8.dat", Format.marc, 1, 0),
    ("pymarc/multi_isbn.dat", Format.marc, 1, 0),
    ("pymarc/one.dat", Format.marc, 1, 0),
    ("pymarc/one.json", Format.marcjson, 1, 0),
    ("pymarc/regression45.dat", Format.marc, 12, 0),
    ("pymarc/test.dat", Format.marc, 10, 0),
    ("pymarc/test.json", Format.marcjson, 1, 0),
    ("pymarc/testunimarc.dat", Format.marc, 1, 0),
    ("pymarc/utf8.xml", Format.marcxml, 1, 0),
    ("pymarc/utf8_errors.dat", Format.marc, 1, 0),
    ("pymarc/utf8_invalid.mrc", Format.marc, 1, 0),
    ("pymarc/utf8_with_leader_flag.dat", Format.marc, 1, 0),
    ("pymarc/utf8_without_leader_flag.dat", Format.marc, 1, 0),
    ("ruby-marc/bad_eacc_encoding.marc8.marc", Format.marc, 1, 0),
    ("ruby-marc/batch.dat", Format.marc, 10, 0),
    ("ruby-marc/batch.xml", Format.marcxml, 2, 0),
    ("ruby-marc/cp866_multirecord.marc", Format.marc, 2, 0),
    ("ruby-marc/cp866_unimarc.marc", Format.marc, 1, 0),
    ("ruby-marc/escaped_character_reference.marc8.marc", Format.marc, 1, 0),
    ("ruby-marc/marc8_accented_chars.marc", Format.marc, 1, 0),
    ("ruby-marc/marc_with_bad_utf8.utf8.marc", Format.marc, 1, 0),
    ("ruby-marc/messed_up_leader.xml", Format.marcxml, 1, 0),
    ("ruby-marc/no-leading-zero.xml", Format.marcxml, 1, 0),
    ("ruby-marc/non-numeric.dat", Format.marc, 1, 0),
    ("ruby-marc/non-numeric.xml", Format.marcxml, 1, 0),
    ("ruby-marc/one.dat", Format.marc, 1, 0),
    ("ruby-marc/one.xml", Format.marcxml, 1, 0),
    ("ruby-marc/random_tag_order.dat", Format.marc, 1, 0),
    ("ruby-marc/random_tag_order2.dat", Format.marc, 1, 0),
    ("ruby-marc/three-records-second-bad.xml", Format.marcxml, 2, 1),
    ("ruby-marc/utf8.marc", Format.marc, 1, 0),
    ("ruby-marc/utf8_multirecord.marc", Format.marc, 2, 0),
    ("ruby-marc/utf8_with_bad_bytes.marc", Format.marc, 1, 0),
    ("traject/245_no_ab.marc", Format.marc, 1, 0),
    ("traject/880_with_no_6.utf8.marc", Format.marc, 1, 0),
    ("traject/bad_subfield_code.marc", Format.marc, 1, 0),
    ("traject/bad_utf_byte.utf8.marc", Format.marc, 1, 0),
    ("traject/date_resort_to_260.marc", Format.marc, 1, 0),
    ("traject/date_resort_to_264.marc", Format.marc, 1, 0),
    ("traject/date_type_r_missing_date2.marc", Format.marc, 1, 0),
    ("traject/date_with_u.marc", Format.marc, 1, 0),
    ("traject/emptyish_record.marc", Format.marc, 1, 0),
    ("traject/escaped_character_reference.marc8.marc", Format.marc, 1, 0),
    ("traject/george_eliot.marc", Format.marc, 1, 0),
    ("traject/hebrew880s.marc", Format.marc, 1, 0),
    ("traject/iso639-3_lang.marc", Format.marc, 1, 0),
    ("traject/louis_armstrong.marc", Format.marc, 1, 0),
    ("traject/manufacturing_consent.marc", Format.marc, 1, 0),
    ("traject/manuscript_online_thesis.marc", Format.marc, 1, 0),
    ("traject/microform_online_conference.marc", Format.marc, 1, 0),
    ("traject/missing-second-date.marc", Format.marc, 1, 0),
    ("traject/multi_era.marc", Format.marc, 1, 0),
    ("traject/multi_geo.marc", Format.marc, 1, 0),
    ("traject/musical_cage.marc", Format.marc, 1, 0),
    ("traject/namespace-test.xml", Format.marcxml, 0, 1),
    ("traject/nature.marc", Format.marc, 1, 0),
    ("traject/oai-pmh-one-record-2.xml", Format.marcxml, 0, 1),
    ("traject/oai-pmh-one-record-first.xml", Format.marcxml, 0, 1),
    ("traject/one-marc8.mrc", Format.marc, 1, 0),
    ("traject/online_only.marc", Format.marc, 1, 0),
    ("traject/packed_041a_lang.marc", Format.marc, 1, 0),
    ("traject/sample-oai-no-namespace.xml", Format.marcxml, 0, 10),
    ("traject/sample-oai-pmh.xml", Format.marcxml, 0, 10),
    ("traject/test_data.utf8.json", Format.marcjson, 30, 0),
    ("traject/test_data.utf8.marc.xml", Format.marcxml, 30, 0),
    ("traject/test_data.utf8.mrc", Format.marc, 30, 0),
    ("traject/test_data.utf8.mrc.gz", Format.marc, 30, 0),
    ("traject/the_business_ren.marc", Format.marc, 1, 0),
]
NO_MARC = "The record holds no MARC."
REJECTED = {
    ("pymarc/bad_records.mrc", 7): "The record has no fields.",
    ("ruby-marc/three-records-second-bad.xml", 2): (
        "The XML is not well-formed at line 72, column 29: not well-formed (invalid token)."
    ),
}
WARNED = {
    "pymarc/1251.dat": {
        "The leader says MARC-8, but the record is not.",
        "It was read as cp1251, a guess.",
    },
    "pymarc/bad_eacc_encoding.dat": {"4 characters could not be read as MARC-8."},
    "pymarc/bad_indicator.dat": {"A field has not two indicators."},
    "pymarc/bad_marc8_escape.dat": {"16 characters could not be read as MARC-8."},
    "pymarc/bad_records.mrc": {
        "The leader is wrong about where the fields begin.",
        "The directory does not end with a whole entry.",
        "1 of 1 entries of the directory are wrong; the field terminators were trusted.",
    },
    "pymarc/bad_subfield_code.dat": {
        "7 of 18 entries of the directory are wrong; the field terminators were trusted.",
        "The leader says MARC-8, but the record is UTF-8; it was read as UTF-8.",
        "The leader says 00755 bytes, the record has 756.",
        "A subfield has no code, or one that is not allowed.",
        "The title in 245 is in no subfield that is known.",
    },
    "pymarc/bad_tag.xml": {
        "A field has the tag '42'.",
        "The leader has 17 characters instead of 24.",
    },
    "pymarc/test.json": {
        "The JSON has line breaks inside texts, or characters that are not UTF-8."
    },
    "pymarc/testunimarc.dat": {
        "The leader says MARC-8, but the record is UTF-8; it was read as UTF-8.",
        "This is UNIMARC; title, names, numbers, publication and subjects were taken.",
    },
    "pymarc/utf8_invalid.mrc": {"A subfield has no code, or one that is not allowed."},
    "pymarc/utf8_without_leader_flag.dat": {
        "The leader says MARC-8, but the record is UTF-8; it was read as UTF-8."
    },
    "ruby-marc/cp866_unimarc.marc": {
        "11 of 17 entries of the directory are wrong; the field terminators were trusted.",
        "The leader says MARC-8, but the record is not.",
        "It was read as cp866, a guess.",
        "The leader says 01167 bytes, the record has 1166.",
        "The record has no title.",
    },
    "ruby-marc/marc8_accented_chars.marc": {
        "The leader says UTF-8, but the record is not.",
        "It was read as MARC-8.",
    },
    "ruby-marc/marc_with_bad_utf8.utf8.marc": {
        "16 of 22 entries of the directory are wrong; the field terminators were trusted.",
        "The leader says 01161 bytes, the record has 1163.",
    },
    "ruby-marc/no-leading-zero.xml": {"A field has the tag '42'."},
    "ruby-marc/utf8_with_bad_bytes.marc": {"1 bytes are not UTF-8; they were replaced."},
    "traject/bad_utf_byte.utf8.marc": {
        "The leader says UTF-8, but the record is not.",
        "It was read as cp1252, a guess.",
        "The record has no title.",
    },
    "ruby-marc/escaped_character_reference.marc8.marc": {"The record has no title."},
    "traject/escaped_character_reference.marc8.marc": {"The record has no title."},
    "traject/245_no_ab.marc": {"The title in 245 is in no subfield that is known."},
    "traject/bad_subfield_code.marc": {"A subfield has no code, or one that is not allowed."},
}
WARNED |= {
    "ruby-marc/bad_eacc_encoding.marc8.marc": WARNED["pymarc/bad_eacc_encoding.dat"],
    "ruby-marc/cp866_multirecord.marc": WARNED["ruby-marc/cp866_unimarc.marc"],
}


def test_every_file_is_pinned() -> None:
    assert [name for name, *_ in COUNTS] == [name_of(path) for path in marc_files()]


@pytest.mark.parametrize(("name", "format", "accepted", "rejected"), COUNTS)
def test_a_file_is_read_record_by_record(
    name: str, format: Format, accepted: int, rejected: int
) -> None:
    path = MARC / name
    found = parsed(path)
    assert format_of(path) is format
    assert [each.number for each in found] == list(range(1, accepted + rejected + 1))
    assert sum(each.described is not None for each in found) == accepted
    problems = {(name, each.number): each.problem for each in found if each.described is None}
    assert problems == {
        (name, number): REJECTED.get((name, number), NO_MARC) for _, number in problems
    }
    warnings = {warning for each in found for warning in each.warnings}
    assert warnings == WARNED.get(name, set())


@pytest.mark.parametrize("name", ["traject/test_data.utf8.mrc", "pymarc/marc.dat"])
def test_the_pieces_of_a_sound_file_are_the_file(name: str) -> None:
    data = (MARC / name).read_bytes()
    found = parsed(MARC / name)
    assert b"".join(each.raw for each in found) == data
    assert all(data[each.offset :].startswith(each.raw) for each in found)


@pytest.mark.parametrize("path", marc_files(), ids=name_of)
def test_reading_resumes_at_any_record(path: Path) -> None:
    found = parsed(path)
    for start in {0, 1, len(found) // 2, len(found)}:
        assert parsed(path, start=start) == found[start:]


def test_three_carriers_say_the_same() -> None:
    names = ["test_data.utf8.mrc", "test_data.utf8.marc.xml", "test_data.utf8.json"]
    said = [[each.described for each in parsed(MARC / "traject" / name)] for name in names]
    assert said[0] == said[1] == said[2]


def test_the_marc_to_keep_is_what_came() -> None:
    for path in marc_files():
        for each in parsed(path):
            assert marc_of(each, format_of(path)) == each.raw
