"""Each defect of the source catalogues, and what becomes of it."""

import pytest

from lendery.demo.authority import one_spelling, under_library_headings
from lendery.demo.cleaning import (
    clean,
    isbn13,
    plain,
    subjects,
    title_and_series,
    title_and_subtitle,
    work_key,
    year,
)
from lendery.demo.languages import language_code
from lendery.demo.titles import Name, Title

TITLES = [
    ("Middlemarch", "Middlemarch", None),
    ("Peter Pan : $b [Peter and Wendy]", "Peter Pan", "[Peter and Wendy]"),
    ("The Drone\r\nA Play in Three Acts", "The Drone", "A Play in Three Acts"),
    (
        "The Reign of Tiberius;\nWith Germany\nand Agricola",
        "The Reign of Tiberius",
        "With Germany : and Agricola",
    ),
    ("World's War Events $v Volume 3\r\nTo 1919.", "World's War Events", "Volume 3 : To 1919."),
    ("The Hunting of the Snark: An Agony", "The Hunting of the Snark", "An Agony"),
    ("2001: A Space Odyssey", "2001: A Space Odyssey", None),
    ("Genesis 1:1", "Genesis 1:1", None),
    ("A title with a colon: $b and a mark: twice", "A title with a colon", "and a mark: twice"),
    ("Moby-Dick; or, The Whale", "Moby-Dick; or, The Whale", None),
    ("Price in $", "Price in $", None),
    ("\n$b \n", "", None),
]

SERIES = [
    ("Twilight (Twilight, #1)", "Twilight", "Twilight", "1"),
    ("The Shining (The Shining #1)", "The Shining", "The Shining", "1"),
    ("Angels & Demons  (Robert Langdon, #1)", "Angels & Demons", "Robert Langdon", "1"),
    ("The Color of Magic (Discworld, #1; Rincewind #1)", "The Color of Magic", "Discworld", "1"),
    ("I, Robot (Robot #0.1)", "I, Robot", "Robot", "0.1"),
    ("Boxset (Harry Potter, #1-7)", "Boxset", "Harry Potter", "1-7"),
    ("Oedipus (The Theban Plays, #1\u20133)", "Oedipus", "The Theban Plays", "1-3"),
    ("Moonlight Mile (Kenzie & Gennaro,#6)", "Moonlight Mile", "Kenzie & Gennaro", "6"),
    ("Hidden (Bone Secrets. #1)", "Hidden", "Bone Secrets", "1"),
    ("Judy Moody (Judy Moody, # 1)", "Judy Moody", "Judy Moody", "1"),
    ("The Last Summer (of You and Me)", "The Last Summer (of You and Me)", None, None),
    ("1Q84 #1-2 (1Q84, #1-2)", "1Q84 #1-2", "1Q84", "1-2"),
    ("Emma", "Emma", None, None),
]

ISBNS = [
    ("439023483", "9780439023481"),  # a lost zero
    ("7442912", "9780007442911"),  # three lost zeros
    ("043965548X", "9780439655484"),
    ("0-439-02348-3", "9780439023481"),
    ("9780439023481", "9780439023481"),
    ("812971060", None),  # the check digit is wrong
    ("9380658797", None),
    ("0", None),
    ("", None),
]

LANGUAGES = [
    ("eng", "en"),
    ("en-US", "en"),
    ("en", "en"),
    ("fre", "fr"),
    ("fra", "fr"),
    ("per", "fa"),
    ("gla", "gd"),
    ("grc", "grc"),
    ("fil", "fil"),
    ("mul", "mul"),
    ("", None),
    ("und", None),
]


@pytest.mark.parametrize(("text", "title", "subtitle"), TITLES)
def test_a_broken_title_becomes_title_and_subtitle(
    text: str, title: str, subtitle: str | None
) -> None:
    assert title_and_subtitle(text) == (title, subtitle)


@pytest.mark.parametrize(("text", "title", "series", "number"), SERIES)
def test_a_series_in_the_title_is_taken_out(
    text: str, title: str, series: str | None, number: str | None
) -> None:
    assert title_and_series(text) == (title, series, number)


@pytest.mark.parametrize(("text", "number"), ISBNS)
def test_an_isbn_is_repaired_or_dropped(text: str, number: str | None) -> None:
    assert isbn13(text) == number


@pytest.mark.parametrize(
    ("text", "number"), [("1997.0", 1997), ("-720.0", -720), ("8.0", 8), ("0.0", None), ("", None)]
)
def test_a_year_is_whole_and_negative_before_the_common_era(text: str, number: int | None) -> None:
    assert year(text) == number


@pytest.mark.parametrize(("code", "short"), LANGUAGES)
def test_a_language_gets_its_short_code(code: str, short: str | None) -> None:
    assert language_code(code) == short


def test_text_is_one_line_without_invisible_signs() -> None:
    assert clean(" La\xa0dame \r\n— \xadTome\u200b 1\x9c. ") == "La dame — Tome 1."


def test_text_is_composed() -> None:
    assert clean("Noe\u0308l") == "Noël"


def test_the_joiners_of_persian_stay() -> None:
    assert clean("می\u200cشود") == "می\u200cشود"


@pytest.mark.parametrize(
    ("text", "bare"),
    [
        ("Żółć", "zolc"),
        ("Þórður", "thordur"),
        ("Größe", "grosse"),
        ("İI\u0131", "iii"),
        ("Œuvre", "oeuvre"),
    ],
)
def test_letters_are_compared_without_their_marks(text: str, bare: str) -> None:
    assert plain(text) == bare


def test_subjects_keep_their_subdivisions_and_come_once() -> None:
    assert subjects("Bible | United States -- History -- Sources | Bible") == (
        "Bible",
        "United States -- History -- Sources",
    )


@pytest.mark.parametrize(("length", "kept"), [(119, 1), (120, 1), (121, 0)])
def test_a_subject_too_long_to_show_is_left_out(length: int, kept: int) -> None:
    assert len(subjects("x" * length)) == kept


@pytest.mark.parametrize(("given", "kept"), [(5, 5), (6, 6), (7, 6)])
def test_six_subjects_are_enough(given: int, kept: int) -> None:
    assert len(subjects(" | ".join(f"Subject {number}" for number in range(given)))) == kept


def test_two_records_of_one_work_are_known_as_one() -> None:
    assert work_key("Moby-Dick; or, The Whale", ["Melville"]) == work_key("Moby-Dick", ["MELVILLE"])
    assert work_key("The Odyssey", ["Homer"]) == work_key("Odyssey (Greek)", ["Homer"])
    assert work_key("[Poems]", ["Blake"]) == work_key("Poems", ["Blake"])
    assert work_key("Emma", ["Austen"]) != work_key("Emma", ["Kenyon"])
    assert work_key("Poems", []) != work_key("Poems", ["Blake"])


def book(author: str, published_year: int | None) -> Title:
    return Title(
        title="A Book",
        subtitle=None,
        authors=(Name(name=author, sort_name=author, born=None, died=None),),
        isbn=None,
        published_year=published_year,
        language="en",
        subjects=(),
        series=None,
        series_number=None,
        call_number="FIC BOO",
        audience="adult",
        fiction=True,
        popularity=1.0,
    )


LOVECRAFT = Name(name="H. P. Lovecraft", sort_name="Lovecraft, H. P.", born=1890, died=1937)


@pytest.mark.parametrize(
    ("published_year", "known"),
    [(1904, False), (1905, True), (1937, True), (1938, False), (None, False)],
)
def test_an_author_gets_the_heading_only_of_somebody_then_alive(
    published_year: int | None, known: bool
) -> None:
    [title] = under_library_headings([book("H.P. Lovecraft", published_year)], [LOVECRAFT])

    assert (title.authors[0] == LOVECRAFT) is known


def test_an_author_with_two_possible_headings_gets_neither() -> None:
    uncle = Name(name="H. P. Lovecraft", sort_name="Lovecraft, H. P.", born=1880, died=1930)

    [title] = under_library_headings([book("H.P. Lovecraft", 1920)], [LOVECRAFT, uncle])

    assert title.authors[0].born is None


def test_one_author_in_two_scripts_is_one_author() -> None:
    assert one_spelling("村上 春樹") == one_spelling("Haruki Murakami") == "Haruki Murakami"
