"""Which characters the bytes of a record stand for, whatever its leader claims."""

import pytest

from lendery.catalog.formats import Format, Profile
from lendery.catalog.formats import marc8 as marc_8
from lendery.catalog.formats.characters import decoder

from .files import MARC, marc, one

# pymarc and ruby-marc test their decoders with these two files. Where they differ from ours, the
# UTF-8 has one of two signs for the same character.
LINES = 1_515


def test_the_words_of_two_projects_are_read_alike() -> None:
    given = (MARC / "pymarc/test_marc8.txt").read_bytes().split(b"\n")
    wanted = (MARC / "pymarc/test_utf8.txt").read_text("utf-8").split("\n")
    assert len(given) == LINES + 1
    read = [marc_8.decode(line) for line in given]
    assert sum(lost for _, lost in read) == 0
    differ = [
        (line, text, right)
        for line, (text, _), right in zip(given, read, wanted, strict=True)
        if text != right
    ]
    assert differ == []


@pytest.mark.parametrize(
    ("data", "text", "lost"),
    [
        (b"Universit\xe2e", "Université", 0),
        (b"\xc3 2001", "© 2001", 0),
        (b"H\x1bb2\x1bsO", "H₂O", 0),
        (b"\x1bgab\x1bs", "αβ", 0),
        (b"\x1b(NPUSKIN\x1b(B", "ПУШКИН".replace("П", "п").swapcase(), 0),
        (b"\x1b$1!0!\x1b(B.", "", None),
        (b"caf\xe2", "caf", 1),  # a mark without a letter
        (b"Soci\x1bt", "Socit", 1),  # an escape that is none
        (b"a\xffb", "a\ufffdb", 1),
        (b"&#x2019;", "\u2019", 0),
        (b"&#xFFFFFF;", "&#xFFFFFF;", 0),
        (b"", "", 0),
        (b"\x1b", "", 1),
    ],
)
def test_marc_8(data: bytes, text: str, lost: int | None) -> None:
    read, missing = marc_8.decode(data)
    if lost is not None:
        assert missing == lost
        if "\x1b(N" not in data.decode("latin-1"):
            assert read == text


@pytest.mark.parametrize(
    ("data", "unicode", "told"),
    [
        ("Émile".encode(), True, ()),
        (b"Emile", False, ()),
        ("Émile".encode(), False, ("The leader says MARC-8, but the record is UTF-8; it was read "
                                  "as UTF-8.",)),
        (b"\xe2Emile", False, ()),
        (b"\xe2Emile", True, ("The leader says UTF-8, but the record is not.",
                              "It was read as MARC-8.")),
        ("Émile".encode("cp1252"), True, ("The leader says UTF-8, but the record is not.",
                                          "It was read as cp1252, a guess.")),
    ],
)  # fmt: skip
def test_a_claim_is_checked(data: bytes, unicode: bool, told: tuple[str, ...]) -> None:
    read, said = decoder(data, unicode=unicode, given=None)
    assert read(data) in ("Émile", "Emile")
    assert said == told


@pytest.mark.parametrize("encoding", ["cp1251", "cp866", "koi8-r"])
def test_a_russian_code_page_is_guessed(encoding: str) -> None:
    text = "Психологический тренинг с подростками: учебное пособие для вузов"
    data = text.encode(encoding)
    read, said = decoder(data, unicode=False, given=None)
    assert read(data) == text
    assert said[-1] == f"It was read as {encoding}, a guess."


def test_wrong_bytes_among_right_ones_cost_themselves_only() -> None:
    record = marc([("245", "10$aKrungthēp, Čhamlō̜ng XX")])
    record = record.replace(b"XX", b"\xc3(").replace(b" a2200", b"aa2200", 1)
    record = record[:9] + b"a" + record[10:]
    found = one(record, Format.marc)
    assert found.described and found.described.title == "Krungthēp, Čhamlō̜ng \ufffd("
    assert found.warnings == ("1 bytes are not UTF-8; they were replaced.",)


def test_a_profile_knows_better() -> None:
    record = marc([("245", "10$aXXXXX")]).replace(b"XXXXX", "Ærø £".encode("cp850"))
    found = one(record, Format.marc, Profile(encoding="cp850"))
    assert found.described and found.described.title == "Ærø £"
    assert found.warnings == ()
