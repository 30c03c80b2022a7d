"""Words, filing, ISBNs: what is decided without looking anything up."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lendery.catalog.rules import isbn
from lendery.catalog.rules.filing import family_first, title_key
from lendery.catalog.rules.fold import entry_words, fold, words
from lendery.catalog.rules.query import ask


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("Émile ZOLA", "emile zola"),
        ("Straße", "strasse"),
        ("Ærøskøbing Œuvre Łódź Þór", "aeroskobing oeuvre lodz thor"),
        ("\ufb01n de si\u00e8cle", "fin de siecle"),
        ("İstanbul \u0131ss\u0131z", "istanbul issiz"),
        ("ΟΔΥΣΣΕΥΣ", "οδυσσευσ"),
        ("Ёлка", "елка"),
        ("がぎ", "がぎ"),
        ("한국", "한국"),
        ("हिन्दी", "हिन्दी"),
        ("שָׁלוֹם", "שלום"),
    ],
)
def test_two_spellings_fold_to_one(text: str, folded: str) -> None:
    assert fold(text) == folded
    assert fold(folded) == folded


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Pride & Prejudice", ["pride", "and", "prejudice"]),
        ("catch-22", ["catch", "22"]),
        ("don't", ["don", "t", "·", "dont"]),
        ("L\u2019Étranger", ["l", "etranger", "·", "letranger"]),
        ("J. R. R. Tolkien", ["j", "r", "r", "tolkien", "·", "jrr"]),
        ("紅樓夢 x", ["紅", "樓", "夢", "x"]),
        ("हिन्दी!", ["हिन्दी"]),
        ("…?!", []),
    ],
)
def test_a_title_is_indexed_by_its_words(text: str, found: list[str]) -> None:
    assert list(entry_words(text)) == found


@given(st.text())
def test_words_are_never_syntax(text: str) -> None:
    for word in words(text):
        assert word and len(word) <= 64
        assert not set(word) & set(" \"'():*^+-&|!<>{}\\,;.·\x00")


@given(st.text(max_size=60))
def test_what_is_indexed_is_found(text: str) -> None:
    indexed = set(entry_words(text))
    if isbn.thirteen(text) is None:
        asked = set(ask(text).words)
        assert asked <= indexed | {"isbn"} or re.search(r"(\d[\W_]*){9}", fold(text))


@pytest.mark.parametrize(
    ("title", "language", "key"),
    [
        ("The Mill on the Floss", "en", "mill on the floss"),
        ("The Mill", None, "mill"),
        ("A", "en", "a"),
        ("L'Étranger", "fr", "etranger"),
        ("Die Verwandlung", "de", "verwandlung"),
        ("Die Hard", "en", "die hard"),
        ("Los de abajo", "spa", "de abajo"),
        ("Un'estate", "it", "estate"),
        ("¿Qué?", "es", "que"),
        ("!!!", "en", "!!!"),
    ],
)
def test_a_title_files_without_its_article(title: str, language: str | None, key: str) -> None:
    assert title_key(title, language) == key


@pytest.mark.parametrize(
    ("name", "filed"),
    [
        ("George Eliot", "Eliot, George"),
        ("Ursula K. Le Guin", "Le Guin, Ursula K."),
        ("Martin Luther King Jr.", "King, Martin Luther, Jr."),
        ("Vincent van Gogh", "Gogh, Vincent van"),
        ("Plato", "Plato"),
        ("Eliot, George", "Eliot, George"),
        ("曹雪芹", "曹雪芹"),
    ],
)
def test_a_name_files_by_the_family(name: str, filed: str) -> None:
    assert family_first(name) == filed


def test_a_979_number_has_no_older_form() -> None:
    assert isbn.thirteen("979-10-90636-07-1") == "9791090636071"
    assert isbn.ten("9791090636071") is None
    assert isbn.ten("9780141439549") == "0141439548"
