"""Generated records look like a library's: valid, different, and as uneven as words are."""

import hashlib
import re
import subprocess
import sys
import tracemalloc
from collections import Counter
from collections.abc import Iterable
from itertools import islice, pairwise
from typing import Any

import msgspec
import pytest
from stdnum import isbn as standard
from stdnum import luhn

from lendery.contracts.catalog import NewBook
from lendery.demo.titles import read
from lendery.generating import Holdings, records
from lendery.generating.numbers import LAST_YEAR, Popularity

BOOKS = 20_000
Record = dict[str, Any]


@pytest.fixture(scope="module")
def town() -> list[Record]:
    return list(records(BOOKS, 7))


@pytest.fixture(scope="module")
def shelves() -> list[Record]:
    return list(records(5_000, 7, Holdings(2.0, ("main", "east"))))


def digest(made: Iterable[Record]) -> str:
    return hashlib.sha256(msgspec.json.encode(list(made))).hexdigest()


def words(texts: Iterable[str]) -> Counter[str]:
    return Counter(word for text in texts for word in re.findall(r"[^\W\d_]+", text.casefold()))


def share_of_top(counted: Counter[str], part: float) -> float:
    ranked = sorted(counted.values(), reverse=True)
    return sum(ranked[: max(1, int(len(ranked) * part))]) / sum(ranked)


def test_a_seed_gives_the_same_books_in_another_process(town: list[Record]) -> None:
    program = (
        "import hashlib, msgspec; from lendery.generating import records;"
        f"print(hashlib.sha256(msgspec.json.encode(list(records({BOOKS}, 7)))).hexdigest())"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True, text=True, check=True, env={"PYTHONHASHSEED": "99"},
    )  # fmt: skip
    assert done.stdout.strip() == digest(town)


def test_another_seed_gives_other_books(town: list[Record]) -> None:
    other = list(records(BOOKS, 8))
    assert digest(other) != digest(town)
    ours, theirs = ({each["isbn"] for each in made if "isbn" in each} for made in (town, other))
    assert len(ours & theirs) < len(ours) / 100


def test_copies_do_not_change_the_books(shelves: list[Record]) -> None:
    assert shelves[0]["copies"] and "copies" not in next(records(5_000, 7))


def test_the_catalogue_takes_every_record(town: list[Record]) -> None:
    for each in town[::4]:
        NewBook.model_validate(each)


def test_isbns_are_valid_and_differ(town: list[Record]) -> None:
    found = [each["isbn"] for each in town if "isbn" in each]
    assert len(set(found)) == len(found) > BOOKS * 0.6
    assert all(standard.is_valid(each) and len(each) == 13 for each in found)
    assert max(abs(int(b) - int(a)) for a, b in pairwise(found)) > 10_000_000


def test_barcodes_are_valid_and_differ(shelves: list[Record]) -> None:
    codes = [copy["barcode"] for each in shelves for copy in each["copies"]]
    assert len(set(codes)) == len(codes)
    assert all(luhn.is_valid(each) and len(each) == 14 for each in codes)
    assert {copy["branch"] for each in shelves for copy in each["copies"]} == {"main", "east"}


def test_words_of_titles_are_as_uneven_as_gutenbergs(town: list[Record]) -> None:
    """Zipf: a hundredth of all words makes half of what is written; most are rare."""
    ours = words(each["title"] for each in town)
    theirs = words(each.title for each in read("gutenberg.tsv.gz"))
    assert 0.40 < share_of_top(ours, 0.01) < 0.60
    assert abs(share_of_top(ours, 0.01) - share_of_top(theirs, 0.01)) < 0.12
    once = sum(1 for count in ours.values() if count <= 2)
    assert once > len(ours) * 0.3
    assert ours.most_common(1)[0][0] == theirs.most_common(1)[0][0] == "the"


def test_words_go_on_being_new(town: list[Record]) -> None:
    """Heaps: twice the titles have more words, but not twice as many."""
    half, whole = (len(words(each["title"] for each in town[:end])) for end in (BOOKS // 2, BOOKS))
    assert 1.08 < whole / half < 1.7


def test_subjects_are_as_uneven_as_gutenbergs(town: list[Record]) -> None:
    ours = Counter(subject for each in town for subject in each.get("subjects", ()))
    theirs = Counter(subject for each in read("gutenberg.tsv.gz") for subject in each.subjects)
    assert 0.10 < share_of_top(ours, 0.01) < 0.45
    assert 0.10 < share_of_top(theirs, 0.01) < 0.45
    assert len({each for each, _ in ours.most_common(20)} & set(theirs)) >= 15


def test_languages_are_shared_out_as_in_gutenbergs(town: list[Record]) -> None:
    ours = Counter(each["language"] for each in town)
    theirs = Counter(each.language for each in read("gutenberg.tsv.gz") if each.language in ours)
    for language, count in theirs.items():
        assert ours[language] / BOOKS == pytest.approx(count / theirs.total(), abs=0.015)


def test_authors_write_more_than_one_book_and_few_write_many(town: list[Record]) -> None:
    written = Counter(a["name"] for each in town for a in each["authors"])
    once = sum(1 for count in written.values() if count == 1) / len(written)
    assert 0.4 < once < 0.85
    assert 20 < written.most_common(1)[0][1] < BOOKS / 50
    lives: dict[str, set[tuple[Any, ...]]] = {}
    for each in town:
        for a in each["authors"]:
            lives.setdefault(a["name"], set()).add((a["sort_name"], a.get("born"), a.get("died")))
    assert sum(len(found) > 1 for found in lives.values()) < len(lives) / 50


def test_nobody_publishes_as_a_child(town: list[Record]) -> None:
    for each in town:
        assert each["published_year"] <= LAST_YEAR
        if each["authors"] and "born" in each["authors"][0] and "isbn" in each:
            assert each["published_year"] - each["authors"][0]["born"] >= 12
    years = sorted(each["published_year"] for each in town)
    assert 1975 < years[BOOKS // 2] < 2012
    assert years[BOOKS // 100] < 1900


def test_some_books_have_what_only_some_have(town: list[Record]) -> None:
    for name, low, high in (
        ("subtitle", 0.1, 0.4), ("description", 0.1, 0.3), ("series", 0.03, 0.15),
        ("isbn", 0.6, 0.95), ("subjects", 0.9, 1.0),
    ):  # fmt: skip
        assert low < sum(name in each for each in town) / BOOKS < high, name


def test_copies_follow_popularity() -> None:
    """A hundredth of the titles has many copies, most titles one; the mean is what was asked."""
    counted = sorted((len(r["copies"]) for r in records(20_000, 3, Holdings(1.8))), reverse=True)
    assert sum(counted) / len(counted) == pytest.approx(1.8, rel=0.02)
    assert counted[0] > 40 and counted[-1] == 1
    assert sum(counted[:200]) > sum(counted) * 0.1
    few = [len(r["copies"]) for r in records(4_000, 3, Holdings(0.5))]
    assert set(few) == {0, 1} and sum(few) == pytest.approx(2_000, rel=0.1)


@pytest.mark.parametrize("books", [1, 2, 3, 10, 999, 1_000])
def test_no_two_books_share_a_rank(books: int) -> None:
    popularity = Popularity.of(books, 5, 1.0)
    assert sorted(map(popularity.rank, range(books))) == list(range(1, books + 1))


def test_a_million_books_take_no_more_memory_than_some() -> None:
    made = records(1_000_000, 1)
    list(islice(made, 2_000))
    tracemalloc.start()
    for _ in islice(made, 4_000):
        pass
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 2_000_000


@pytest.mark.parametrize("books", [0, -1, 20_000_001])
def test_a_number_that_cannot_be_made_is_refused(books: int) -> None:
    with pytest.raises(ValueError, match="Between 1 and 20,000,000"):
        records(books, 1)
