"""What looks the same is put on a list; somebody says what it is."""

from datetime import timedelta
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import pytest

from lendery.catalog.rules import alike
from lendery.catalog.rules.filing import LAST, name_key, title_key
from lendery.contracts.authorities import CannotMerge, NoSuchDuplicate
from lendery.contracts.base import NotAllowed, Window
from lendery.contracts.catalog import BookWasMerged, NewAuthor, NewBook
from lendery.contracts.permissions import Actor

from .conftest import NOW, Library
from .test_headings import BY


def record(title: str, author: str | None = "Eliot, George", **but: Any) -> Any:
    facts = {"published_year": None, "isbn": None, "language": "en", "material": "book"}
    return SimpleNamespace(
        sort_title=title_key(title),
        sort_author=name_key(author) if author else LAST,
        **facts | {"series_number": None} | but,
    )


@pytest.mark.parametrize(
    ("one", "other", "score"),
    [
        (record("Middlemarch"), record("Middlemarch"), 100),
        (record("Middlemarch"), record("Midlemarch"), 97),
        (record("The Mill on the Floss"), record("Mill on the Floss"), 100),
        (record("Middlemarch"), record("Middlemarch: a study"), 95),
        (record("Middlemarch"), record("Middlemarch", "Eliot, G."), 96),
        (record("Middlemarch"), record("Middlemarch", "Elliot, George"), 98),
        (record("Middlemarch", published_year=1871), record("Middlemarch"), 100),
        (record("Middlemarch", published_year=1871),
         record("Middlemarch", published_year=1994), 95),
        (record("Middlemarch", isbn="1"), record("Middlemarch", isbn="2"), 90),
        (record("Middlemarch", isbn="1", published_year=1),
         record("Middlemarch", isbn="2", published_year=2), 0),
        (record("Beowulf", None), record("Beowulf", None), 98),
        (record("Beowulf", None), record("Beowulf"), 0),
        (record("Middlemarch"), record("Middlemarch", language="de"), 0),
        (record("Middlemarch"), record("Middlemarch", language=None), 100),
        (record("Middlemarch"), record("Middlemarch", material="audiobook"), 0),
        (record("Fables volume 1"), record("Fables volume 2"), 0),
        (record("Fables", series_number="1"), record("Fables", series_number="2"), 0),
        (record("Middlemarch"), record("Middlemarch", "Lewes, George Henry"), 0),
        (record("Emma"), record("Romola"), 0),
        (record("Poems"), record("Poems 1980"), 0),
    ],
)  # fmt: skip
def test_how_alike_two_records_are(one: Any, other: Any, score: int) -> None:
    assert alike.same_book(one, other) == alike.same_book(other, one) == score


def person(name: str, born: int | None = None, died: int | None = None) -> Any:
    return SimpleNamespace(filed=name_key(name), born=born, died=died)


@pytest.mark.parametrize(
    ("one", "other", "score"),
    [
        (person("Eliot, George"), person("Eliot, George"), 100),
        (person("Eliot, George", 1819), person("Eliot, George"), 95),
        (person("Eliot, George", 1819), person("Eliot, George", 1888), 0),
        (person("Rowling, J. K."), person("Rowling, Joanne K."), 91),
        (person("Rowling, J. K."), person("Rowling, Joanne"), 91),
        (person("Dostoyevsky, Fyodor"), person("Dostoevsky, Fyodor"), 97),
        (person("Smith, J."), person("Smith, K."), 0),
        (person("Smith, John"), person("Smith, Joan"), 0),
        (person("Eliot, George"), person("Eliot, T. S."), 0),
        (person("\u2026"), person("?"), 0),
    ],
)
def test_how_alike_two_names_are(one: Any, other: Any, score: int) -> None:
    assert alike.same_person(one, other) == alike.same_person(other, one) == score


def test_the_work_grows_with_the_library_and_not_with_its_square() -> None:
    assert sum(1 for _ in alike.neighbours(range(10_000))) <= 10_000 * alike.NEAR
    many = [record(f"Title {number}") for number in range(1_000)]
    assert sum(1 for _ in alike.of_one_author(many)) <= 1_000 * alike.NEAR
    few = many[: alike.MOST_OF_ONE]
    assert sum(1 for _ in alike.of_one_author(few)) == len(few) * (len(few) - 1) // 2


async def listed(library: Library, kind: Any = None, limit: int = 20) -> list[tuple[str, str]]:
    found, window = [], Window(limit=limit)
    while True:
        page = await library.duplicates.find(kind=kind, window=window, **who())
        found += [(each.one.name, each.other.name) for each in page.items]
        if page.next_cursor is None:
            return found
        window = Window(limit=limit, after=page.next_cursor)


def who() -> dict[str, Any]:
    return {"actor": BY["actor"]}


async def twins(library: Library) -> Any:
    one = await library.book("Middlemarch", "George Eliot", published_year=1871)
    other = await library.book("Midlemarch", "George Eliot")
    await library.book("Romola", "George Eliot")
    return one, other


async def test_a_misspelt_title_of_the_same_author_is_found(library: Library) -> None:
    one, _ = await twins(library)
    assert await library.duplicates.look(**BY) == 1
    [pair] = (await library.duplicates.find(kind="book", window=Window(), **who())).items
    assert (pair.one.name, pair.other.name, pair.score) == ("Middlemarch", "Midlemarch", 97)
    assert (pair.one.id, pair.one.said) == (one.id, "George Eliot \u00b7 1871")
    assert await library.duplicates.look(actor=BY["actor"], now=NOW + timedelta(hours=1)) == 0
    assert await listed(library, "author") == []


async def test_a_misspelt_name_with_the_same_title_is_found(library: Library) -> None:
    await library.book("Crime and Punishment", "Fyodor Dostoyevsky")
    await library.book("Crime and Punishment", "Fyodor Dostoevsky")
    assert await library.duplicates.look(**BY) == 2
    assert await listed(library, "book") == [("Crime and Punishment", "Crime and Punishment")]
    assert await listed(library, "author") == [("Fyodor Dostoyevsky", "Fyodor Dostoevsky")]


async def test_two_that_are_two_are_not_shown_again(library: Library) -> None:
    await twins(library)
    await library.duplicates.look(**BY)
    [pair] = (await library.duplicates.find(kind=None, window=Window(), **who())).items
    await library.duplicates.dismiss(duplicate_id=pair.id, **BY)
    assert await listed(library) == []
    await library.duplicates.look(actor=BY["actor"], now=NOW + timedelta(days=1))
    assert await listed(library) == []
    with pytest.raises(NoSuchDuplicate):
        await library.duplicates.dismiss(duplicate_id=pair.id, **BY)


async def test_a_pair_is_merged_from_the_list(library: Library) -> None:
    one, other = await twins(library)
    await library.duplicates.look(**BY)
    [pair] = (await library.duplicates.find(kind=None, window=Window(), **who())).items
    with pytest.raises(CannotMerge):
        await library.duplicates.merge(duplicate_id=pair.id, winner_id=uuid4(), **BY)
    done = await library.duplicates.merge(duplicate_id=pair.id, winner_id=one.id, **BY)
    assert (done.kind, done.loser_id, done.winner_id) == ("book", other.id, one.id)
    assert await listed(library) == []
    with pytest.raises(BookWasMerged):
        await library.books.get(book_id=other.id)
    await library.merges.undo(merge_id=done.id, **BY)
    await library.duplicates.look(actor=BY["actor"], now=NOW + timedelta(days=1))
    assert await listed(library) == []  # who undid it has said that they are two


async def test_what_does_not_look_the_same_any_more_leaves_the_list(library: Library) -> None:
    _, other = await twins(library)
    await library.duplicates.look(**BY)
    await library.change(other, title="Adam Bede")
    await library.duplicates.look(actor=BY["actor"], now=NOW + timedelta(days=1))
    assert await listed(library) == []


async def test_those_most_alike_come_first_page_by_page(library: Library) -> None:
    for year in (1, 2, 3):
        await library.book("Middlemarch", "George Eliot", published_year=year, language="en")
    await library.book("Romola", "George Eliot")
    await library.book("Romola", "George Eliot")
    await library.duplicates.look(**BY)
    pairs = await listed(library, limit=1)
    assert pairs == [("Romola", "Romola"), *[("Middlemarch", "Middlemarch")] * 3]


async def test_a_library_of_many_chunks_is_compared_across_them(library: Library) -> None:
    names = [f"Author{chr(97 + n // 26)}{chr(97 + n % 26)}xyz Kim" for n in range(260)]
    many = [NewBook(title=name, authors=[name]) for name in names]
    await library.books.add_many(books=many, **BY)
    first = await library.authors.add(author=NewAuthor(name="Zz Authorjjzzzz"), **BY)
    second = await library.authors.add(author=NewAuthor(name="Zz Authorjjzzzz"), **BY)
    await library.duplicates.look(**BY)
    page = await library.duplicates.find(kind="author", window=Window(), **who())
    assert {page.items[0].one.id, page.items[0].other.id} == {first.id, second.id}


async def test_the_daily_look_waits_for_a_change_and_for_a_day(library: Library) -> None:
    await twins(library)
    assert not await library.duplicates.look_daily(NOW)  # new: nobody waits for it yet
    for hours in (1, 23, 25, 200):
        assert not await library.duplicates.look_daily(NOW + timedelta(hours=hours))
    await library.book("Adam Bede", "George Eliot")
    assert await listed(library) == []
    assert await library.duplicates.look_daily(NOW + timedelta(hours=25))
    assert await listed(library) == [("Middlemarch", "Midlemarch")]
    await library.book("Felix Holt", "George Eliot")
    assert not await library.duplicates.look_daily(NOW + timedelta(hours=48))


async def test_only_a_cataloguer_sees_and_decides(library: Library) -> None:
    await twins(library)
    reader = Actor(id=uuid4(), role="reader")
    with pytest.raises(NotAllowed):
        await library.duplicates.look(actor=reader, now=NOW)
    await library.duplicates.look(**BY)
    [pair] = (await library.duplicates.find(kind=None, window=Window(), **who())).items
    with pytest.raises(NotAllowed):
        await library.duplicates.find(kind=None, window=Window(), actor=reader)
    with pytest.raises(NotAllowed):
        await library.duplicates.dismiss(duplicate_id=pair.id, actor=reader, now=NOW)
    with pytest.raises(NotAllowed):
        await library.duplicates.merge(
            duplicate_id=pair.id, winner_id=pair.one.id, actor=reader, now=NOW
        )
    assert len(await listed(library)) == 1
