"""Which books are editions of one work, and how staff decide otherwise."""

from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import update

from lendery.catalog.hot import book_json
from lendery.catalog.models import book as books
from lendery.catalog.rules.works import series_key, series_place, work_of
from lendery.contracts.authorities import NoSuchWork
from lendery.contracts.base import NotAllowed
from lendery.contracts.catalog import Book, NewAuthor, NoSuchBook
from lendery.contracts.permissions import SYSTEM, Actor

from .conftest import NOW, Library

ELIOT, LEWES = UUID(int=1), UUID(int=2)
BY: dict[str, Any] = {"actor": SYSTEM, "now": NOW}


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (("Middlemarch", "en", ELIOT), ("MIDDLEMARCH!", "en", ELIOT), True),
        (("The Mill on the Floss", "en", ELIOT), ("Mill on the Floss", None, ELIOT), True),
        (("Emma (Penguin Classics)", "en", ELIOT), ("Emma", "en", ELIOT), True),
        (("Emma [large print]", "en", ELIOT), ("Emma", "en", ELIOT), True),
        (("Pride & Prejudice", "en", ELIOT), ("Pride and Prejudice", "en", ELIOT), True),
        (("L'Étranger", "fr", ELIOT), ("Etranger", "fr", ELIOT), True),
        (("Middlemarch", "en", ELIOT), ("Middlemarch", "en", LEWES), False),
        (("Middlemarch", "en", ELIOT), ("Middlemarch", "en", None), False),
        (("Fables, Vol. 1", "en", ELIOT), ("Fables, Vol. 2", "en", ELIOT), False),
        (("Star Wars: Heir", "en", ELIOT), ("Star Wars: Truce", "en", ELIOT), False),
        (("(Untitled)", "en", ELIOT), ("(Nameless)", "en", ELIOT), False),
        (("Beowulf", "en", None), ("Beowulf", "en", None), False),
    ],
)
def test_same_author_and_title_is_one_work(one: Any, other: Any, same: bool) -> None:
    first, second = work_of(uuid4(), *one), work_of(uuid4(), *other)
    assert (first == second) is same
    assert first.version == 8 and first.variant == "specified in RFC 4122"


@pytest.mark.parametrize(
    ("number", "place"),
    [
        ("2", 2), ("2.5", 2.5), ("2,5", 2.5), ("1-3", 1), ("Vol. 4", 4), ("#10", 10), ("iv", 4),
        ("Book XIX", 19), ("MCMXC.", 1990), ("0", 0), ("prequel", 1e9), ("", 1e9), (None, 1e9),
        ("123456789", 1234567),
    ],
)  # fmt: skip
def test_numbers_of_a_series_stand_in_the_order_of_reading(number: Any, place: float) -> None:
    assert series_place(number) == place * 1000


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("Chronicles of Barsetshire", "chronicles of barsetshire"),
        ("Chronicles  of BARSETSHIRE!", "chronicles of barsetshire"),
        ("\u2026", None),
        (None, None),
    ],
)
def test_two_spellings_are_one_series(name: Any, key: str | None) -> None:
    assert series_key(name) == key


async def titles(library: Library, book: Book) -> list[str]:
    now = await library.books.get(book_id=book.id)
    work = await library.works.get(work_id=now.work_id)
    return [each.title for each in work.editions]


async def test_editions_find_their_work_by_themselves(library: Library) -> None:
    first = await library.book("Middlemarch", "George Eliot", published_year=1871)
    second = await library.book("Middlemarch (Penguin Classics)", "George Eliot")
    third = await library.book("Romola", "George Eliot")
    assert first.work_id == second.work_id != third.work_id
    work = await library.works.get(work_id=first.work_id)
    assert (work.title, [each.name for each in work.authors]) == ("Middlemarch", ["George Eliot"])
    assert list(work.editions) == [first, second]
    await library.change(third, title="Middlemarch")
    assert await titles(library, third) == [first.title, second.title, "Middlemarch"]
    await library.change(first, withdrawn=True)
    assert await titles(library, second) == [second.title, "Middlemarch"]
    with pytest.raises(NoSuchWork):
        await library.works.get(work_id=uuid4())


async def test_a_new_main_author_is_another_work_and_a_new_name_is_not(library: Library) -> None:
    book = await library.book("Middlemarch", "George Eliot")
    eliot = book.authors[0].id
    await library.authors.change(author_id=eliot, changes={"name": "Mary Ann Evans"}, **BY)
    assert (await library.books.get(book_id=book.id)).work_id == book.work_id
    lewes = await library.authors.add(author=NewAuthor(name="George Henry Lewes"), **BY)
    changed = await library.change(book, authors=[{"id": str(lewes.id)}])
    assert changed.work_id != book.work_id


async def test_what_staff_moved_stays_there_whatever_its_title(library: Library) -> None:
    first = await library.book("Beowulf")
    second = await library.book("Beowulf: a new verse translation", "Seamus Heaney")
    assert first.work_id != second.work_id
    moved = await library.works.move(book_id=second.id, work_id=first.work_id, **BY)
    assert (moved.work_id, moved.version) == (first.work_id, 2)
    assert await library.books.get(book_id=second.id) == moved
    changed = await library.change(second, title="Beowulf!", authors=[])
    assert changed.work_id == first.work_id
    alone = await library.works.move(book_id=second.id, work_id=None, **BY)
    assert alone.work_id not in (first.work_id, second.work_id)
    assert await titles(library, second) == ["Beowulf!"]


async def test_only_a_cataloguer_moves_an_edition_and_only_to_a_work(library: Library) -> None:
    book = await library.book("Beowulf")
    with pytest.raises(NotAllowed):
        reader = Actor(id=uuid4(), role="reader")
        await library.works.move(book_id=book.id, work_id=None, actor=reader, now=NOW)
    with pytest.raises(NoSuchWork):
        await library.works.move(book_id=book.id, work_id=uuid4(), **BY)
    with pytest.raises(NoSuchBook):
        await library.works.move(book_id=uuid4(), work_id=None, **BY)
    assert await library.books.get(book_id=book.id) == book


async def test_a_record_of_an_older_program_belongs_to_its_work_too(library: Library) -> None:
    """One that was written beside us, while the processes were replaced."""
    book = await library.book("Middlemarch", "George Eliot")
    async with library.db.begin() as tx:
        await tx.run(update(books).values(work_id=None))
    assert await library.books.get(book_id=book.id) == book
    row = await library.books.row(book_id=book.id)
    assert book_json(row) == book.model_dump_json().encode()
