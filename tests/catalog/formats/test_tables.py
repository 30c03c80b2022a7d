"""Books in a spreadsheet: whatever its columns are called, and however it was saved."""

import os
from pathlib import Path

import pytest

from lendery.catalog.formats import (
    PROFILES,
    Format,
    Holding,
    NamedHeading,
    Parsed,
    Profile,
    opened,
    read,
)

from .files import DATA, from_bytes, one

JANE = NamedHeading("Jane Austen", "Austen, Jane", role="author")


def table(
    text: str, encoding: str = "utf-8", profile: Profile = PROFILES["default"]
) -> list[Parsed]:
    return from_bytes(text.encode(encoding), Format.csv, profile)


def titles(found: list[Parsed]) -> list[str | None]:
    return [each.described.title if each.described else None for each in found]


@pytest.mark.parametrize(
    "head",
    [
        "Title,Author,ISBN,Year,Language,Subjects",
        "Titel;Verfasser;ISBN;Erscheinungsjahr;Sprache;Schlagwörter",
        "TÍTULO\tAutor\tisbn\tAño de publicación\tIdioma\tMaterias",
        "titre|auteur|isbn 13|année|langue|mots-clés",
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_columns_are_known_in_four_languages(head: str, encoding: str) -> None:
    delimiter = next(sign for sign in ";\t|," if sign in head)
    row = delimiter.join(
        ["Émile à l’école" if encoding != "cp1252" else "Émile à l'école", "Jane Austen",
         "0-306-40615-2", "1815", "fre", "Éducation / Enfance"]
    )  # fmt: skip
    (found,) = table(f"{head}\r\n{row}\r\n", encoding)
    assert found.problem is None and found.described
    said = found.described
    assert said.title.startswith("Émile à l") and said.authors == (JANE,)
    assert said.isbns == ("9780306406157",)
    assert (said.published_year, said.language) == (1815, "fr")
    assert said.subjects == ("Éducation / Enfance",)


def test_a_mapping_goes_before_the_names() -> None:
    text = 'Title,Real title,A\nwrong,Emma,"Austen, Jane, 1775-1817; Stafford, Fiona"\n'
    (found,) = table(text, profile=Profile(columns={"title": "real TITLE", "authors": 2}))
    assert found.described and found.described.title == "Emma"
    assert [each.born for each in found.described.authors] == [1775, None]
    (found,) = table("Emma,1815\n", profile=Profile(header=False, columns={"title": 0}))
    assert found.described and found.described.title == "Emma"


@pytest.mark.parametrize(
    ("text", "columns", "why"),
    [
        ("a,b\n1,2\n", {}, "No column is known to hold the title. The columns are: a, b."),
        ("title\nx\n", {"isbns": "EAN-13"}, "There is no column called 'EAN-13'."),
        ("title\nx\n", {"colour": 0}, "The profile maps 'colour', which is no field of a book or "
                                      "copy."),
        ("title\nx\n", {"isbns": 7}, "There is no column 7: the first row has 1."),
    ],
)  # fmt: skip
def test_a_table_that_does_not_fit_is_one_rejection(
    text: str, columns: dict[str, str | int], why: str
) -> None:
    (found,) = table(text, profile=Profile(columns=columns))
    assert found.problem == why


def test_rows_run_over_lines_and_keep_their_bytes() -> None:
    text = 'title,description\n"Emma","one\ntwo, ""three"""\nKim,plain\n'
    found = table(text)
    assert titles(found) == ["Emma", "Kim"]
    assert found[0].raw == b'"Emma","one\ntwo, ""three"""\n'
    assert [each.offset for each in found] == [18, 46]
    assert found[0].described and found[0].described.description == 'one\ntwo, "three"'


def test_a_quote_that_is_never_closed_costs_its_row() -> None:
    found = table('title,author\n"Emma,Jane\nKim,Rudyard\nShe,"Henry\n"It",King\n')
    assert titles(found) == [None, "Kim", None, "It"]
    assert {each.problem for each in found if each.problem} == {
        "A quoted cell of this row is never closed."
    }


def test_odd_rows_are_told() -> None:
    found = table("title,year,isbn\nEmma,soon,123\n,1999,\nKim,1901,,x\n")
    assert titles(found) == ["Emma", None, "Kim"]
    assert found[0].warnings == ("123 is not a valid ISBN.", "soon is not a year.")
    assert found[1].problem == "The row has no title."
    assert found[2].warnings == ("The row has 4 cells; the first row has 3.",)


def test_copies_stand_side_by_side() -> None:
    found = one(
        b"title,barcode,branch,item type,price\nEmma,1 | 2,main | west,BK,12.50\n",
        Format.csv,
        Profile(item_types={"BK": "book"}),
    )
    assert found.described and found.described.holdings == (
        Holding("1", "main", "book", price_amount=1250),
        Holding("2", "west", "book", price_amount=1250),
    )


# -- Two free catalogues with their known defects --------------------------------------------------


def excerpt(name: str, start: int = 0) -> list[Parsed]:
    data = (DATA / "catalogue" / f"{name}.csv").read_bytes()
    return from_bytes(data, Format.csv, PROFILES[name], start)


@pytest.mark.parametrize(
    ("name", "accepted", "rejected"), [("gutenberg", 199, 1), ("goodbooks", 200, 0)]
)
def test_every_row_is_accounted_for(name: str, accepted: int, rejected: int) -> None:
    found = excerpt(name)
    assert [each.number for each in found] == list(range(1, 201))
    assert sum(each.described is not None for each in found) == accepted
    assert [each.problem for each in found if each.problem] == ["The row has no title."] * rejected
    assert excerpt(name, start=150) == found[150:]
    data = (DATA / "catalogue" / f"{name}.csv").read_bytes()
    assert data.endswith(b"".join(each.raw for each in found))


def test_gutenberg_titles_lose_line_breaks_and_marks() -> None:
    said = [each.described for each in excerpt("gutenberg") if each.described]
    assert not [each for each in said if "\n" in each.title or "$" in each.title]
    assert not [each for each in said if each.subtitle and "$b" in each.subtitle]
    by_number = {each.control_number: each for each in said}
    mormon = by_number.get("(Gutenberg)17")
    assert all(each.isbns == () for each in said)
    assert any(each.authors == () for each in said)
    assert {each.material for each in said} == {"ebook"}
    assert mormon is None or mormon.title == "The Book of Mormon"


def test_goodbooks_numbers_years_and_series_are_repaired() -> None:
    found = excerpt("goodbooks")
    said = [each.described for each in found if each.described]
    assert min(each.published_year or 0 for each in said) == -1750
    assert all(each.isbns == () or each.isbns[0].startswith("978") for each in said)
    assert not [each for each in said if each.title.endswith(")") and "#" in each.title]
    wrong = [w for each in found for w in each.warnings if "ISBN" in w]
    assert len(wrong) == 18
    hunger = said[0]
    assert hunger.control_number and hunger.control_number.startswith("(goodbooks)")


@pytest.mark.parametrize(
    ("row", "title", "subtitle"),
    [
        ('1,"Peter Pan : $b [Peter and Wendy]",,en,,,,', "Peter Pan", "[Peter and Wendy]"),
        ('1,"The Bill\nTen Amendments",,en,,,,', "The Bill", "Ten Amendments"),
    ],
)
def test_a_gutenberg_title(row: str, title: str, subtitle: str) -> None:
    head = "pg_id,title,authors,languages,lcsh,lcc,bookshelf,rights\n"
    (found,) = table(head + row, profile=PROFILES["gutenberg"])
    assert found.described and (found.described.title, found.described.subtitle) == (
        title,
        subtitle,
    )


@pytest.mark.parametrize(
    ("name", "rows", "accepted"),
    [("gutenberg_catalog", 78_766, 78_765), ("goodbooks_books", 10_000, 10_000)],
)
def test_the_whole_catalogues_reconcile(name: str, rows: int, accepted: int) -> None:
    """With LENDERY_TEST_CATALOGUES naming the directory that holds the two whole files."""
    path = Path(os.environ.get("LENDERY_TEST_CATALOGUES", "nowhere")) / f"{name}.csv.gz"
    if not path.exists():
        pytest.skip(f"{path.name} is too large to be part of the program")
    profile = PROFILES[name.partition("_")[0]]
    with path.open("rb") as file:
        found = [
            (each.number, each.described is not None)
            for each in read(opened(file), Format.csv, profile=profile)
        ]
    assert [number for number, _ in found] == list(range(1, rows + 1))
    assert sum(good for _, good in found) == accepted
