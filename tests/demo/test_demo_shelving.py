"""Where a demo book stands and who it is for."""

import pytest

from lendery.demo.shelving import (
    audience_of,
    class_mark,
    guess_audience,
    guess_fiction,
    is_fiction,
    public_library_mark,
)
from lendery.demo.titles import Audience, Name


def named(name: str, sort_name: str) -> tuple[Name, ...]:
    return (Name(name=name, sort_name=sort_name, born=None, died=None),)


AUSTEN = named("Jane Austen", "Austen, Jane")


@pytest.mark.parametrize(
    ("classes", "authors", "mark"),
    [
        ("PR", AUSTEN, "PR AUS"),
        ("PR PZ", AUSTEN, "PR AUS"),
        ("E011 F", AUSTEN, "E11 AUS"),
        ("F850.5", AUSTEN, "F850.5 AUS"),
        ("PG", named("Karel Čapek", "Čapek, Karel"), "PG CAP"),
        ("PR", named("Flann O'Brien", "O'Brien, Flann"), "PR OBR"),
        ("BP", named("\u02bbAbdu'l-Bahá", "\u02bbAbdu'l-Bahá"), "BP ABD"),
        ("PL", named("Li Bai", "Li, Bai"), "PL LI"),
        ("AP", (), "AP PUN"),
        ("", AUSTEN, None),
    ],
)
def test_a_class_and_three_letters_make_a_shelf_mark(
    classes: str, authors: tuple[Name, ...], mark: str | None
) -> None:
    assert class_mark(classes, authors, "Punch") == mark


@pytest.mark.parametrize(
    ("fiction", "audience", "mark"),
    [
        (True, "adult", "FIC AUS"),
        (True, "child", "J FIC AUS"),
        (False, "adult", "NF AUS"),
        (False, "child", "J NF AUS"),
    ],
)
def test_a_town_library_marks_shelf_and_audience(
    fiction: bool, audience: Audience, mark: str
) -> None:
    assert (
        public_library_mark(fiction=fiction, audience=audience, authors=AUSTEN, title="Emma")
        == mark
    )


@pytest.mark.parametrize(
    ("subjects", "bookshelf", "audience", "fiction"),
    [
        ("Young women -- Fiction", "", "adult", True),
        ("Imaginary places -- Juvenile fiction", "", "child", True),
        ("Birds -- Juvenile literature", "", "child", False),
        ("English fiction -- History and criticism", "", "adult", False),
        ("Whaling", "Category: Novels", "adult", True),
        ("Nonsense verses, English", "Children's Literature", "child", False),
        ("Bible", "Category: Religion/Spirituality", "adult", False),
    ],
)
def test_subjects_and_bookshelves_tell_audience_and_fiction(
    subjects: str, bookshelf: str, audience: str, fiction: bool
) -> None:
    assert audience_of(subjects, bookshelf) == audience
    assert is_fiction(subjects, bookshelf) is fiction


@pytest.mark.parametrize(
    ("title", "series", "author", "audience"),
    [
        ("Harry Potter and the Goblet of Fire", "Harry Potter", "J.K. Rowling", "child"),
        ("Trust No One", "The 39 Clues: Cahills vs. Vespers", "Linda Sue Park", "child"),
        ("The Lorax", None, "Dr. Seuss", "child"),
        ("The Lion King: A little Golden Book", None, "Justine Korman", "child"),
        ("It", None, "Stephen King", "adult"),
        ("Fifty Shades Darker", "Fifty Shades", "E.L. James", "adult"),
    ],
)
def test_a_known_series_author_or_word_makes_a_childrens_book(
    title: str, series: str | None, author: str, audience: str
) -> None:
    assert guess_audience(title, series, named(author, author)) == audience


@pytest.mark.parametrize(
    ("title", "subtitle", "series", "author", "fiction"),
    [
        ("Emma", None, None, "Jane Austen", True),
        ("Gulp", "Adventures on the Alimentary Canal", None, "Mary Roach", False),
        ("Seabiscuit", "The Horse That Ran", None, "Laura Hillenbrand", False),
        ("Ten Stories", "Tales of the Deep Sea", None, "A. Nobody", True),
        ("Z", "A Novel of Zelda Fitzgerald", None, "Therese Anne Fowler", True),
        ("Wild Swans", "A Life", None, "A. Nobody", True),  # too little to tell
        ("The Silver Palate Cookbook", None, None, "Julee Rosso", False),
        ("The History of Love", None, None, "Nicole Krauss", True),
        ("Eragon", None, "The Inheritance Cycle", "Christopher Paolini", True),
    ],
)
def test_a_long_subtitle_that_promises_no_tale_marks_facts(
    title: str, subtitle: str | None, series: str | None, author: str, fiction: bool
) -> None:
    assert guess_fiction(title, subtitle, series, author) is fiction
