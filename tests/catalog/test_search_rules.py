"""What a question means, which way is taken to its answer, how a word is corrected: no database."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lendery.catalog.rules.estimates import Way, expected, ways
from lendery.catalog.rules.fold import GAP
from lendery.catalog.rules.popularity import (
    LEVELS,
    STEPS,
    last_place_of,
    level_word,
    number_at,
    place,
    step,
)
from lendery.catalog.rules.query import Asked, ask, replaced
from lendery.catalog.rules.spelling import as_written, corrections, halves, near, spelling_keys
from lendery.catalog.rules.wording import fts5, tsquery

PIECES = ['"', "-", "*", ":", "author:", "year:", "..", "(", ")", "'", "AND", "NOT", "a", "the",
          "isbn:", "1990", "é", "樓", "·", "\\", "|", "&", " ", "«", "NEAR", "{title}"]  # fmt: skip


@given(st.one_of(st.text(max_size=80), st.lists(st.sampled_from(PIECES)).map("".join)))
def test_whatever_is_typed_every_word_is_quoted(text: str) -> None:
    asked = ask(text)
    if asked:
        bare = re.sub(r'"[^"]*"', "", fts5(asked))
        assert set(re.findall(r"\w+", bare)) <= {
            "AND", "OR", "NOT", "title", "author", "subject", "other"
        }  # fmt: skip
        bare = re.sub(r"'[^']*'", "", tsquery(asked))
        assert set(bare) <= set("()&|!<->: *ABCD")
    for term in asked.terms + asked.without:
        assert term.words and all(term.words)


@pytest.mark.parametrize(
    ("text", "years"),
    [
        ("year:1990", (1990, 1990)),
        ("year:1990..2000", (1990, 2000)),
        ("YEAR:1990..", (1990, None)),
        ("year:..2000", (None, 2000)),
        ("year:-400..-300", (-400, -300)),
        ("year:", None),
        ("year:..", None),
        ("year:abc", None),
        ("year:19900", None),
        ("-year:1990", None),
    ],
)
def test_years_are_a_range_or_words(text: str, years: tuple[int | None, int | None]) -> None:
    assert ask(text).years == years
    assert bool(ask(text).terms or ask(text).without) is (years is None)


def test_common_words_are_dropped_beside_others_only() -> None:
    assert ask("the history of").telling.words == ["history"]
    assert ask("the of").telling.words == ["the", "of"]
    assert ask('"the of" x').telling.words == ["the", "of", "x"]


def test_a_word_is_replaced_where_it_was_typed() -> None:
    assert replaced('author:"Lev Tolstoj" -x', {"tolstoj": "tolstoy"}) == 'author:"Lev tolstoy" -x'
    assert replaced("DON'T", {"dont": "wont"}) == "wont"
    assert as_written("etranger macbeth", ["L'Étranger", "Macbeth"]) == "étranger macbeth"


@pytest.mark.parametrize(
    ("typed", "right"),
    [
        ("shakespere", "shakespeare"),
        ("shakespaere", "shakespeare"),
        ("hakespeare", "shakespeare"),
        ("shhakespeare", "shakespeare"),
        ("emna", "emma"),
        ("ema", "emma"),
        ("emmma", "emma"),
        ("meddlemarch", "middlemarch"),
    ],
)
def test_one_wrong_letter_meets_the_right_word(typed: str, right: str) -> None:
    known = {"shakespeare": 40, "emma": 3, "middlemarch": 1, "elephant": 90}
    assert spelling_keys(typed) & spelling_keys(right)
    assert corrections(typed, known)[0] == right
    assert corrections(typed, known, least=40) == []


def test_the_nearer_then_the_more_frequent_word_is_likelier() -> None:
    assert corrections("hart", {"heart": 900, "harp": 2, "cart": 500}) == ["heart", "cart", "harp"]
    assert corrections("xyzzy", {"heart": 9}) == []
    assert near("emma", ["emna", "enna", "gemma", "emma"], 0.8) == ["gemma", "emna"]
    assert near("emma", ["emna", "gemma"], 0.2) == []
    assert ("harry", "potter") in halves("harrypotter")


@given(st.integers(1, 10**9), st.integers(0, 10**6))
def test_what_is_lent_more_stands_before_and_keeps_its_number(number: int, lent: int) -> None:
    assert number_at(place(number, lent)) == number
    assert place(number, lent) <= place(number, max(0, lent - 1))
    assert (place(number, lent) != place(number, lent + 1)) is (step(lent) != step(lent + 1))


@pytest.mark.parametrize("level", LEVELS)
def test_a_level_ends_where_a_step_begins(level: int) -> None:
    assert step(level) == step(level - 1) + 1
    assert place(10**9, level) <= last_place_of(level) < place(1, level - 1)
    assert level == 1 or level in STEPS


BOOKS = {GAP: 1_000_000, "the": 400_000, "history": 30_000, "rare": 40, "art": 5_000}
LENT = {level_word(1): 400_000, level_word(4): 120_000, level_word(16): 30_000}
LENT |= {level_word(64): 8_000, level_word(256): 2_000}


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("rare", ("index", None)),
        ("rare art", ("index", None)),
        ("art", ("index", 4)),
        ("history", ("index", 64)),
        ("the", ("walk", None)),
    ],
)
def test_the_shortest_way_is_by_how_frequent_the_words_are(
    text: str, first: tuple[str, int | None]
) -> None:
    found = ways(ask(text), BOOKS | LENT, many=100)
    assert (found[0].by, found[0].level) == first
    assert (found[-1].by, found[-1].level) == ("index", None)  # that finds whatever there is


def test_nobody_walks_for_what_few_books_have() -> None:
    assert ways(ask("rare"), BOOKS | LENT, many=100) == [Way("index", None, 40 / 50 + 40)]
    assert ways(ask("unknown"), BOOKS, many=100)[0].by == "index"
    assert ways(Asked(), {}, many=10)[-1].level is None
    assert expected(ask("rare history"), BOOKS) == pytest.approx(40 * 0.03)


def test_beyond_a_level_its_words_are_not_asked() -> None:
    after = last_place_of(1)
    assert all(way.level is None for way in ways(ask("art"), BOOKS | LENT, many=20, after=after))
