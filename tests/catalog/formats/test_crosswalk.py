"""MARC 21 to our fields: what a cataloguer writes, and what a reader sees."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from stdnum import isbn as standard

from lendery.catalog.formats import DEFAULT, PROFILES, Format, Holding, NamedHeading, Profile
from lendery.catalog.formats.names import from_field, from_heading, years_of_life
from lendery.catalog.formats.numbers import isbn13, lccn, minor_units, system_number
from lendery.catalog.formats.text import unpunctuated
from lendery.catalog.formats.values import Described
from lendery.catalog.rules.languages import language_code, marc_code

from .files import marc, one

FIXED = "030212s2003    enk           000 1 eng d"
Fields = list[tuple[str, str]]


def described(
    fields: Fields, leader: str = "00000nam a2200000 i 4500", profile: Profile = DEFAULT
) -> Described:
    given = fields if any(tag == "245" for tag, _ in fields) else [*fields, ("245", "00$aX")]
    found = one(marc(given, leader), Format.marc, profile)
    assert found.described, found.problem
    return found.described


@pytest.mark.parametrize(
    ("text", "title", "subtitle"),
    [
        ("10$aEmma :$ba novel /$cJane Austen.", "Emma", "a novel"),
        ("10$aEmma /$cJane Austen.", "Emma", None),
        ("00$aBulletin.$nSerie A,$pZoologie.", "Bulletin. Serie A. Zoologie", None),
        ("00$aWar :$ba novel ;$band tales.", "War", "a novel. and tales"),
        ("00$aMr. Smith goes to Washington, D.C.", "Mr. Smith goes to Washington, D.C.", None),
        ("00$aJapan, Inc.", "Japan, Inc.", None),
        ("00$aWell ...", "Well ...", None),
        ("00$aBlonde on blonde$h[sound recording].", "Blonde on blonde", None),
        ("00$a\u0098The\u009c sea", "The sea", None),
        ("00$a<<Der>> Stechlin", "Der Stechlin", None),
        ("00$bonly the rest", "only the rest", None),
    ],
)  # fmt: skip
def test_a_title_loses_its_punctuation(text: str, title: str, subtitle: str | None) -> None:
    found = described([("245", text)], "00000nam a2200000 i 4500")
    assert (found.title, found.subtitle) == (title, subtitle)


@pytest.mark.parametrize(
    ("fields", "title", "warning"),
    [
        ([("246", "3 $aThe variant")], "The variant",
         "There is no title in 245; field 246 was taken."),
        ([("245", "00$f1917-1984.$kPapers")], "1917-1984. Papers",
         "The title in 245 is in no subfield that is known."),
        ([("500", "  $aA note")], "[Untitled]", "The record has no title."),
    ],
)  # fmt: skip
def test_a_missing_title_is_found_elsewhere_or_told(
    fields: Fields, title: str, warning: str
) -> None:
    found = one(marc(fields), Format.marc)
    assert found.described and found.described.title == title
    assert found.warnings == (warning,)


@pytest.mark.parametrize(
    ("tag", "text", "name"),
    [
        ("100", "1 $aAusten, Jane,$d1775-1817.",
         NamedHeading("Jane Austen", "Austen, Jane", 1775, 1817, "author")),
        ("100", "1 $aKing, Martin Luther,$cJr.,$d1929-1968.",
         NamedHeading("Martin Luther King Jr.", "King, Martin Luther, Jr.", 1929, 1968, "author")),
        ("700", "1 $aKennedy, John F.$q(John Fitzgerald),$d1917-1963,$eeditor.",
         NamedHeading("John F. Kennedy", "Kennedy, John F.", 1917, 1963, "editor")),
        ("700", "1 $aCase, Bernard,$4ill", NamedHeading("Bernard Case", "Case, Bernard", None,
                                                       None, "illustrator")),
        ("700", "1 $aStill, X,$4http://id.loc.gov/vocabulary/relators/trl",
         NamedHeading("X Still", "Still, X", None, None, "translator")),
        ("100", "0 $aPlato.", NamedHeading("Plato", "Plato", None, None, "author")),
        ("100", "0 $aJohn Paul$bII,$cPope,$d1920-2005.",
         NamedHeading("John Paul II, Pope", "John Paul II, Pope", 1920, 2005, "author")),
        ("110", "1 $aUnited States.$bDept. of State.",
         NamedHeading("United States. Dept. of State", "United States. Dept. of State")),
        ("700", "1 $aTolkien, J. R. R.$tHobbit.", None),
        ("700", "1 $aAnonymous.", None),
        ("100", "1 $aLomax, John Avery, 1867-1948",
         NamedHeading("John Avery Lomax", "Lomax, John Avery", 1867, 1948, "author")),
    ],
)  # fmt: skip
def test_a_heading_names_somebody(tag: str, text: str, name: NamedHeading | None) -> None:
    assert from_field(tag, text.replace("$", "\x1f")) == name
    assert described([(tag, text)]).authors == ((name,) if name else ())


@pytest.mark.parametrize(
    ("text", "years"),
    [
        ("1775-1817.", (1775, 1817)),
        ("1943-", (1943, None)),
        ("-1604", (None, 1604)),
        ("1254-1323?", (1254, 1323)),
        ("ca. 1500-1560", (1500, 1560)),
        ("384-322 B.C.", (-384, -322)),
        ("43 B.C.-17 A.D.", (-43, 17)),
        ("-428--348", (-428, -348)),
        ("b. 1950", (1950, None)),
        ("d. 1604", (None, 1604)),
        ("active 16th century", (None, None)),
        ("9999-1", (None, 1)),
    ],
)
def test_years_of_life(text: str, years: tuple[int | None, int | None]) -> None:
    assert years_of_life(text) == years


def test_a_heading_in_one_piece() -> None:
    assert from_heading("Kennedy, John F. (John Fitzgerald), 1917-1963") == NamedHeading(
        "John F. Kennedy", "Kennedy, John F.", 1917, 1963, "author"
    )
    assert from_heading("United States") == NamedHeading(
        "United States", "United States", role="author"
    )
    assert from_heading("Museum of Modern Art (New York, N.Y.)") == NamedHeading(
        *["Museum of Modern Art (New York, N.Y.)"] * 2, role="author"
    )
    assert from_heading("Various") is None


def test_names_stand_once_and_the_main_one_first() -> None:
    found = described(
        [
            ("710", "2 $aPenguin Books."),
            ("700", "1 $aStafford, Fiona"),
            ("700", "1 $aAusten, Jane,$d1775-1817"),
            ("100", "1 $aAusten, Jane,$d1775-1817."),
        ]
    )
    assert [each.name for each in found.authors] == [
        "Jane Austen",
        "Penguin Books",
        "Fiona Stafford",
    ]


def test_isbns_are_checked_and_their_words_left() -> None:
    found = one(
        marc(
            [
                ("020", "  $a0471383147 (paper/cd-rom : alk. paper)$c$29.99"),
                ("020", "  $a978-0-306-40615-7$q(pbk.)"),
                ("020", "  $z9780140449136"),
                ("020", "  $a0306406153"),
                ("020", "  $c1.25"),
                ("245", "00$aX"),
            ]
        ),
        Format.marc,
    )
    assert found.described and found.described.isbns == ("9780471383147", "9780306406157")
    assert found.warnings == ("0306406153 is not a valid ISBN.",)


@pytest.mark.parametrize(
    ("fields", "year", "publisher"),
    [
        ([("008", FIXED), ("260", "  $aLondon :$bPenguin,$cc1999.")], 2003, "Penguin"),
        ([("008", "030212suuuu    "), ("260", "  $b[s.n.],$c[1968, c1962]")], 1968, None),
        ([("264", " 4$c©2001"), ("264", " 1$aX :$bVerso,$c2000")], 2000, "Verso"),
        ([("264", " 2$bA,$c1990"), ("260", "  $bB,$c1991")], 1991, "B"),
        ([("008", "030212b        "), ("260", "  $c380 B.C.")], -380, None),
        ([("008", "030212s9999    ")], None, None),
        ([("260", "  $b[Faber]")], None, "Faber"),
        ([], None, None),
    ],
)
def test_publication(fields: Fields, year: int | None, publisher: str | None) -> None:
    found = described(fields)
    assert (found.published_year, found.publisher) == (year, publisher)


@pytest.mark.parametrize(
    ("fields", "language"),
    [
        ([("008", FIXED)], "en"),
        ([("008", FIXED.replace("eng", "mul")), ("041", "0 $afre$aeng")], "fr"),
        ([("041", "0 $aengfre")], "en"),
        ([("008", FIXED.replace("eng", "und"))], None),
        ([("008", FIXED.replace("eng", "|||"))], None),
        ([("008", FIXED.replace("eng", "grc"))], "grc"),
    ],
)
def test_language(fields: Fields, language: str | None) -> None:
    assert described(fields).language == language


def test_every_language_of_ours_goes_to_marc_and_back() -> None:
    for code in ("en", "fr", "de", "nl", "cs", "el", "zh", "ro", "sq", "grc", "ota", "cy", "fa"):
        assert language_code(marc_code(code)) == code
    assert [marc_code(code) for code in ("fr", "de", "cs", "zh")] == ["fre", "ger", "cze", "chi"]


def test_subjects_are_whole_headings() -> None:
    found = described(
        [
            ("600", "10$aAusten, Jane,$d1775-1817$xCriticism and interpretation."),
            ("650", " 0$aAfrican Americans$xHistory$y19th century."),
            ("650", " 7$aAfrican Americans$xHistory$y19th century$2fast$0(OCoLC)1"),
            ("651", " 0$aPerú$vMaps."),
            ("653", "  $acats$adogs"),
            ("655", " 7$aNovels.$2lcgft"),
        ]
    )
    assert found.subjects == (
        "Austen, Jane, 1775-1817 -- Criticism and interpretation",
        "African Americans -- History -- 19th century",
        "Perú -- Maps",
        "cats",
        "dogs",
        "Novels",
    )


def test_series_description_numbers() -> None:
    found = described(
        [
            ("001", "ocm00012345"),
            ("003", "OCoLC"),
            ("010", "  $a   75425165 //r75"),
            ("035", "  $a(OCoLC)ocm00012345$z(OCoLC)9"),
            ("490", "1 $aPenguin classics ;$vv. 12."),
            ("830", " 0$aPenguin English library."),
            ("520", "  $aA comedy.$bOf manners."),
            ("520", "4 $aContent warning."),
            ("520", "3 $aMore."),
        ]
    )
    assert (found.series, found.series_number) == ("Penguin classics", "v. 12")
    assert found.description == "A comedy.\n\nOf manners.\n\nMore."
    assert found.control_number == "(OCoLC)ocm00012345"
    assert found.other_numbers == ("(OCoLC)12345", "(DLC)75425165")


@pytest.mark.parametrize(
    ("fields", "number"),
    [
        ([("082", "04$a823/.7$bAUS"), ("050", " 4$aPR4034$b.E5")], "823.7 AUS"),
        ([("050", " 4$aPR4034$b.E5 2003")], "PR4034 .E5 2003"),
        ([("082", "04$a823"), ("090", "  $aF AUS")], "F AUS"),
        ([], None),
    ],
)
def test_call_number(fields: Fields, number: str | None) -> None:
    assert described(fields).call_number == number


@pytest.mark.parametrize(
    ("kind", "fields", "material"),
    [
        ("am", [], "book"),
        ("as", [], "periodical"),
        ("im", [], "audiobook"),
        ("jm", [], "music"),
        ("gm", [], "film"),
        ("em", [], "map"),
        ("cm", [], "score"),
        ("am", [("007", "cr |||")], "ebook"),
        ("am", [("008", FIXED[:23] + "o" + FIXED[24:])], "ebook"),
        ("am", [("338", "  $aonline resource$bcr$2rdacarrier")], "ebook"),
        ("am", [("007", "cr"), ("338", "  $avolume$bnc$2rdacarrier")], "book"),
        ("am", [("007", "hd afb")], "microform"),
        ("tm", [], "manuscript"),
    ],
)
def test_material(kind: str, fields: Fields, material: str) -> None:
    assert described(fields, f"00000n{kind} a2200000 i 4500").material == material


def test_copies_of_koha_and_of_852() -> None:
    found = one(
        marc(
            [
                ("245", "00$aX"),
                ("852", "  $aOrg$bMAIN$cFIC$h823$iAUS$p30001"),
                ("852", "  $aOrg only"),
                ("952", "  $aMAIN$bWEST$cADULT$o823 AUS$p30002$yBK$g12.50$znote"),
                ("952", "  $aMAIN$p30002"),
            ]
        ),
        Format.marc,
        Profile(item_types={"BK": "book"}, branches={"MAIN": "main"}),
    )
    assert found.described and found.described.holdings == (
        Holding("30002", "main", "book", "ADULT", "823 AUS", 1250, "note"),
        Holding("30001", "main", None, "FIC", "823 AUS"),
    )
    assert found.warnings == ("Two copies have the barcode 30002; the first counts.",)


def test_copies_in_949_by_a_profile() -> None:
    fields = [("949", "  $aPZ7$bR79$i30003$lmain$tbook")]
    assert described(fields).holdings == ()
    assert described(fields, profile=PROFILES["sierra"]).holdings == (
        Holding("30003", "main", "book", None, "PZ7 R79"),
    )


@pytest.mark.parametrize(
    ("text", "number"),
    [("n78-890351", "n78890351"), ("85-2", "85000002"), ("2001-000002", "2001000002"),
     ("75-425165//r75", "75425165"), (" ", None)],
)  # fmt: skip
def test_lccn(text: str, number: str | None) -> None:
    assert lccn(text) == number


@pytest.mark.parametrize(
    ("text", "cents"),
    [("12.50", 1250), ("EUR 12,5", 1250), ("$1,250.00", 125_000), ("7", 700), ("free", None)],
)
def test_prices(text: str, cents: int | None) -> None:
    assert minor_units(text) == cents


def test_numbers_of_other_systems() -> None:
    assert system_number("(OCoLC)ocn000123") == "(OCoLC)123"
    assert system_number("(DE-101)  99 ") == "(DE-101)99"
    assert system_number("   ") is None


@settings(max_examples=60, deadline=None)
@given(st.from_regex(r"[0-9]{9}[0-9X]|97[89][0-9]{10}", fullmatch=True))
def test_isbns_are_those_of_the_standard(text: str) -> None:
    if (text.startswith("9790") and len(text) == 13) or len(set(text[:9])) == 1:
        assert isbn13(text) is None or len(text) == 13
        return
    valid = standard.is_valid(text)
    assert isbn13(text) == (standard.to_isbn13(text) if valid else None)


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=60))
def test_punctuation_is_taken_once(text: str) -> None:
    once = unpunctuated(text)
    assert "\n" not in once and once == once.strip()
