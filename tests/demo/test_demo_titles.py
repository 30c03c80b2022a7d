"""The shipped catalogue: what is promised of it holds for every line."""

import gzip
import time
import unicodedata
from dataclasses import replace
from importlib import resources
from itertools import islice, pairwise

import pytest
from stdnum import isbn

from lendery.demo.cleaning import work_key
from lendery.demo.titles import SOURCES, Title, line_of, title_of, titles

DATA = resources.files("lendery.demo").joinpath("data")


@pytest.fixture(scope="module")
def everything() -> list[Title]:
    return list(titles())


def test_there_are_enough_titles_in_little_space(everything: list[Title]) -> None:
    assert len(everything) == 24_000
    assert sum(len(DATA.joinpath(source).read_bytes()) for source in SOURCES) < 2_000_000


def test_reading_all_titles_takes_less_than_a_second() -> None:
    fastest = 10.0
    for _ in range(3):  # other work on the machine must not fail this
        began = time.process_time()
        assert sum(1 for _ in titles()) == 24_000
        fastest = min(fastest, time.process_time() - began)
    assert fastest < 1.0


def test_titles_come_most_popular_first_and_always_alike(everything: list[Title]) -> None:
    assert all(one.popularity >= other.popularity for one, other in pairwise(everything))
    assert list(titles(100)) == everything[:100]
    assert list(titles(0)) == []


def test_every_text_is_clean(everything: list[Title]) -> None:
    for title in everything:
        texts = [title.title, title.subtitle, title.series, title.call_number, *title.subjects]
        texts += [name for author in title.authors for name in (author.name, author.sort_name)]
        for text in filter(None, texts):
            assert unicodedata.is_normalized("NFC", text)
            assert text == " ".join(text.split())
            assert not any(unicodedata.category(sign) == "Cc" for sign in text)
            assert "$b" not in text
        assert 0 < len(title.title) + len(title.subtitle or "") <= 410


def test_every_isbn_is_valid_and_of_one_title(everything: list[Title]) -> None:
    numbers = [title.isbn for title in everything if title.isbn is not None]

    assert len(numbers) > 9_000
    assert len(set(numbers)) == len(numbers)
    assert all(len(number) == 13 and isbn.is_valid(number) for number in numbers)


def test_subjects_years_and_lives_are_within_bounds(everything: list[Title]) -> None:
    for title in everything:
        assert len(title.subjects) <= 6
        assert all(len(subject) <= 120 for subject in title.subjects)
        assert title.published_year is None or -3000 < title.published_year < 2030
        for author in title.authors:
            if author.born is not None and author.died is not None:
                assert author.born < author.died


def test_many_languages_and_scripts_are_there(everything: list[Title]) -> None:
    assert len({title.language for title in everything}) > 65
    letters = "".join(title.title for title in everything)
    for sign in ("ش", "Ж", "Ω", "漢", "あ", "ש", "క"):
        script = unicodedata.name(sign).split()[0]
        assert any(unicodedata.name(letter, "").startswith(script) for letter in set(letters))


def test_no_work_is_in_both_catalogues() -> None:
    modern, classic = (
        {
            work_key(title.title, [author.sort_name.partition(",")[0] for author in title.authors])
            for title in map(title_of, read(source))
        }
        for source in SOURCES
    )

    assert not modern & classic


def test_the_files_carry_no_time_so_that_the_same_input_gives_the_same_bytes() -> None:
    for source in SOURCES:
        assert DATA.joinpath(source).read_bytes()[4:8] == b"\0\0\0\0"


def test_the_licences_are_named_beside_the_files() -> None:
    notice = DATA.joinpath("NOTICE.md").read_text("utf-8")

    for source in SOURCES:
        assert source in notice
    for words in ("Zygmunt Zając", "CC BY-SA 4.0", "CC0", "github.com/zygmuntz/goodbooks-10k"):
        assert words in notice


def test_a_title_survives_being_written(everything: list[Title]) -> None:
    for title in islice(everything, 0, None, 97):
        assert title_of(line_of(title)) == title


@pytest.mark.parametrize("sign", ["\t", "\n", "\r"])
def test_a_value_that_would_break_the_file_is_refused(everything: list[Title], sign: str) -> None:
    with pytest.raises(ValueError, match="tab or line break"):
        line_of(replace(everything[0], title=f"Broken{sign}title"))


def test_a_separator_inside_a_value_is_refused(everything: list[Title]) -> None:
    with pytest.raises(ValueError, match="separator"):
        line_of(replace(everything[0], subjects=("this|that",)))


def read(source: str) -> list[str]:
    return gzip.decompress(DATA.joinpath(source).read_bytes()).decode("utf-8").splitlines()
