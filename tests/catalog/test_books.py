"""Books, their authors and their copies, on both databases."""

import asyncio
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest

from lendery.contracts.base import AlreadyTaken, Invalid, NotAllowed, SignInNeeded, Stale, Window
from lendery.contracts.catalog import (
    AuthorHasBooks,
    BookSearch,
    CopyFilter,
    CopyHasPast,
    InvalidIsbn,
    IsbnTaken,
    NamedAuthor,
    NewAuthor,
    NewBook,
    NewCopy,
    NoSuchAuthor,
    NoSuchBook,
    NoSuchCopy,
)
from lendery.contracts.permissions import STRANGER, SYSTEM, Actor
from lendery.platform.db import Database

from .conftest import MAIN_STREET, NOW, RIVERSIDE, Library, version_of

pytestmark = pytest.mark.asyncio
Told = Callable[[], Any]


async def titles(library: Library, window: Window | None = None, **wanted: Any) -> list[str]:
    page = await library.books.search(
        wanted=BookSearch.model_validate(wanted), window=window or Window(limit=100)
    )
    return [each.title for each in page.items]


async def test_only_a_cataloguer_changes_the_catalog(library: Library, events: Told) -> None:
    new = NewBook(title="Middlemarch")
    with pytest.raises(SignInNeeded):
        await library.books.add(book=new, actor=STRANGER, now=NOW)
    with pytest.raises(NotAllowed):
        await library.books.add(book=new, actor=Actor(id=uuid4(), role="reader"), now=NOW)
    assert await titles(library) == [] and await events() == []


@pytest.mark.parametrize(
    "typed",
    ["9780141439549", "978-0-14-143954-9", "0141439548", "ISBN 0-14-143954-8", " 0141439548 "],
)  # fmt: skip
async def test_an_isbn_in_any_form_is_kept_as_13_digits(library: Library, typed: str) -> None:
    book = await library.book("Middlemarch", isbn=typed)
    assert book.isbn == "9780141439549"
    assert (await library.books.get(book_id=book.id)) == book


@pytest.mark.parametrize("typed", ["9780141439548", "0141439549", "12345", "x", "9990141439549"])
async def test_a_wrong_isbn_is_refused_by_name(library: Library, typed: str) -> None:
    with pytest.raises(InvalidIsbn) as refused:
        await library.book("Middlemarch", isbn=typed)
    assert refused.value.extra["errors"][0]["pointer"] == "#/isbn"
    assert await titles(library) == []


async def test_ten_cataloguers_add_one_isbn_once(library: Library, events: Told) -> None:
    results = await asyncio.gather(
        *(library.book(f"Middlemarch {n}", "George Eliot", isbn="0141439548") for n in range(10)),
        return_exceptions=True,
    )
    won = [each for each in results if not isinstance(each, BaseException)]
    lost = [each for each in results if isinstance(each, IsbnTaken)]
    assert (len(won), len(lost)) == (1, 9)
    assert all(each.extra["book_id"] == str(won[0].id) for each in lost)
    assert all(each.extra["existing"] == won[0].title for each in lost)
    assert all(each.extra["field"] == "isbn" for each in lost)
    assert len((await library.authors.find(q="eliot", window=Window())).items) == 1
    assert await events() == ["BookAdded"]


async def test_a_change_to_a_taken_isbn_is_refused_and_undone(library: Library) -> None:
    await library.book("Middlemarch", isbn="0141439548")
    other = await library.book("Emma", isbn="9780141439587")
    with pytest.raises(IsbnTaken):
        await library.change(other, isbn="9780141439549", title="Not Emma")
    assert await library.books.get(book_id=other.id) == other
    assert (await library.change(other, isbn="0-14-143958-0")).isbn == other.isbn
    assert (await library.change(other, isbn=None)).isbn is None


async def test_authors_are_found_by_their_very_name_else_made(library: Library) -> None:
    first = await library.book("Middlemarch", "George Eliot")
    eliot = first.authors[0]
    again = await library.book(
        "Romola", "george  ELIOT", str(eliot.id), NamedAuthor(id=eliot.id), "Ann Editor"
    )
    assert [each.name for each in again.authors] == ["George Eliot", "Ann Editor"]
    assert again.authors[0] == eliot
    other = await library.book("Poems", NamedAuthor(name="George Eliot", born=1990))
    assert other.authors[0].id != eliot.id
    author = await library.authors.get(author_id=eliot.id)
    assert (author.sort_name, author.version) == ("Eliot, George", 1)


async def test_an_unknown_author_id_is_refused(library: Library) -> None:
    with pytest.raises(Invalid) as refused:
        await library.book("Romola", "George Eliot", str(uuid4()))
    assert refused.value.extra["errors"][0]["pointer"] == "#/authors/1"
    with pytest.raises(Invalid):
        await library.book("Romola", NamedAuthor(born=1819))
    assert (await library.authors.find(q=None, window=Window())).items == []


async def test_a_renamed_author_is_renamed_in_every_book(library: Library, events: Told) -> None:
    book = await library.book("Middlemarch", "Ben Editor", "George Elliot")
    other = await library.book("Romola", "George Elliot")
    untouched = await library.book("Emma", "Jane Austen")
    before = await version_of(library.db)
    author = await library.authors.change(
        author_id=other.authors[0].id, changes={"name": "George Eliot"}, actor=SYSTEM, now=NOW
    )
    assert (author.sort_name, author.version) == ("Eliot, George", 2)
    now = await library.books.get(book_id=book.id)
    assert [each.name for each in now.authors] == ["Ben Editor", "George Eliot"]
    assert now.version == 2
    assert (await library.books.get(book_id=untouched.id)).version == 1
    assert await titles(library, q="elliot") == []
    assert set(await titles(library, author="eliot")) == {"Middlemarch", "Romola"}
    assert await titles(library, sort="author") == ["Emma", "Middlemarch", "Romola"]
    assert (await events())[-2:] == ["BookChanged"] * 2
    assert await version_of(library.db) != before


async def test_an_author_whom_books_name_stays(library: Library) -> None:
    book = await library.book("Middlemarch", "George Eliot")
    eliot = book.authors[0].id
    with pytest.raises(AuthorHasBooks):
        await library.authors.remove(author_id=eliot, actor=SYSTEM, now=NOW)
    await library.change(book, authors=[])
    await library.authors.remove(author_id=eliot, actor=SYSTEM, now=NOW)
    with pytest.raises(NoSuchAuthor):
        await library.authors.get(author_id=eliot)


async def test_authors_are_found_by_the_beginning_of_any_word(library: Library) -> None:
    for name in ("Ursula K. Le Guin", "Élise Dupont", "Ann Eliot", "George Eliot"):
        await library.authors.add(author=NewAuthor(name=name), actor=SYSTEM, now=NOW)
    page = await library.authors.find(q="eli", window=Window(limit=2, total=True))
    rest = await library.authors.find(q="eli", window=Window(limit=2, after=page.next_cursor))
    assert [each.sort_name for each in [*page.items, *rest.items]] == [
        "Dupont, Élise", "Eliot, Ann", "Eliot, George"
    ]  # fmt: skip
    assert page.total == 3 and rest.next_cursor is None
    assert [a.name for a in (await library.authors.find(q="le gu", window=Window())).items] == [
        "Ursula K. Le Guin"
    ]
    with pytest.raises(Invalid):
        await library.authors.add(
            author=NewAuthor(name="Ann", born=1900, died=1800), actor=SYSTEM, now=NOW
        )


async def test_a_stale_change_is_refused(library: Library, events: Told) -> None:
    book = await library.book("Middlemarch")
    changed = await library.books.change(
        book_id=book.id, changes={"series": "Penguin"}, actor=SYSTEM, now=NOW, version=1
    )
    assert changed.version == 2
    with pytest.raises(Stale):
        await library.books.change(
            book_id=book.id, changes={"series": None}, actor=SYSTEM, now=NOW, version=1
        )
    with pytest.raises(Stale):
        await library.books.remove(book_id=book.id, actor=SYSTEM, now=NOW, version=1)
    assert await library.books.get(book_id=book.id) == changed
    assert await library.change(book) == changed  # nothing asked, nothing changed
    assert await events() == ["BookAdded", "BookChanged"]


@pytest.mark.parametrize("field", ["title", "material", "withdrawn"])
async def test_what_must_stand_cannot_be_emptied(library: Library, field: str) -> None:
    book = await library.book("Middlemarch")
    with pytest.raises(Invalid) as refused:
        await library.change(book, **{field: None})
    assert refused.value.extra["errors"][0]["pointer"] == f"#/{field}"


async def test_a_book_without_copies_is_gone_one_with_copies_withdrawn(
    library: Library, events: Told
) -> None:
    lonely = await library.book("Romola", "George Eliot", subjects=["Florence"])
    held = await library.book("Middlemarch", "George Eliot", subjects=["Towns"])
    await library.copy(held, "B1")
    for book in (lonely, held):
        await library.books.remove(book_id=book.id, actor=SYSTEM, now=NOW)
    with pytest.raises(NoSuchBook):
        await library.books.get(book_id=lonely.id)
    assert (await library.books.get(book_id=held.id)).withdrawn
    assert await titles(library) == []
    assert (await library.books.subjects(q=None, window=Window())).items == []
    await library.books.remove(book_id=held.id, actor=SYSTEM, now=NOW)  # again: nothing new
    assert (await events())[-2:] == ["BookWithdrawn"] * 2
    back = await library.change(held, withdrawn=False)
    assert not back.withdrawn and await titles(library, subject="towns") == ["Middlemarch"]
    assert [s.name for s in (await library.books.subjects(q=None, window=Window())).items] == [
        "Towns"
    ]


async def test_many_books_are_added_at_once_or_none(library: Library, events: Told) -> None:
    def new(n: int, **fields: Any) -> NewBook:
        authors: list[Any] = [f"Author {n % 7}"]
        return NewBook(title=f"Book {n}", authors=authors, subjects=["S", f"S{n % 3}"], **fields)

    many = [new(n) for n in range(300)]
    with pytest.raises(InvalidIsbn) as refused:
        bad = [*many, new(300, isbn="1234567890")]
        await library.books.add_many(books=bad, actor=SYSTEM, now=NOW)
    assert refused.value.extra["errors"][0]["pointer"] == "#/300/isbn"
    twice = [*many, new(300, isbn="0141439548"), new(301, isbn="9780141439549")]
    with pytest.raises(IsbnTaken):
        await library.books.add_many(books=twice, actor=SYSTEM, now=NOW)
    assert await titles(library) == [] and await events() == []
    ids = await library.books.add_many(books=many, actor=SYSTEM, now=NOW)
    assert [b.title for b in await library.books.by_ids(ids=[ids[5]])] == ["Book 5"]
    assert await titles(library, q="297") == ["Book 297"]
    assert (await library.authors.find(q="author", window=Window(total=True))).total == 7
    assert await events() == ["BookAdded"] * 300
    page = await library.books.subjects(q=None, window=Window())
    assert {each.name: each.books for each in page.items} == {
        "S": 300, "S0": 100, "S1": 100, "S2": 100
    }  # fmt: skip


async def walk(library: Library, between: bool = False, **wanted: Any) -> list[str]:
    found: list[str] = []
    cursor, n = None, 0
    while True:
        page = await library.books.search(
            wanted=BookSearch.model_validate(wanted), window=Window(limit=3, after=cursor)
        )
        found += [each.title for each in page.items]
        cursor, n = page.next_cursor, n + 1
        if cursor is None:
            return found
        if between:
            await library.book(f"Aaa {n}", "Aa Aa", published_year=-3000)


@pytest.mark.parametrize("sort", ["relevance", "title", "author", "year", "newest"])
async def test_pages_show_each_book_once_while_others_are_added(
    library: Library, sort: str
) -> None:
    for n in range(11):
        authors = [f"Writer {chr(65 + n % 3)}"] if n % 4 else []
        year = 1900 + n % 5 if n % 3 else None
        await library.book(f"The Novel {n % 6}", *authors, published_year=year)
    at_once = await titles(library, sort=sort)
    paged = await walk(library, between=True, sort=sort)
    assert [each for each in paged if not each.startswith("Aaa")] == at_once
    assert await walk(library, q="novel", sort=sort) == await titles(library, q="novel", sort=sort)
    skipped = await titles(library, Window(limit=4, offset=5), sort=sort)
    assert skipped == (await titles(library, sort=sort))[5:9]


async def test_lists_are_filed_as_libraries_file(library: Library) -> None:
    await library.book("The Zebra", "Ann Zed", published_year=2000, language="en")
    await library.book("A Mouse", "Zoe Able", language="en")
    await library.book("Élan", "Émile Zola", published_year=1880, language="fr")
    await library.book("Les Bêtes", published_year=1999, language="fr")
    await library.book("Die Hard", "Ben Cole", published_year=-50, language="en")
    await library.book("Die Blume", "Ben Ähren", published_year=1990, language="de")
    assert await titles(library, sort="title") == [
        "Les Bêtes", "Die Blume", "Die Hard", "Élan", "A Mouse", "The Zebra"
    ]  # fmt: skip
    assert await titles(library, sort="author") == [
        "A Mouse", "Die Blume", "Die Hard", "The Zebra", "Élan", "Les Bêtes"
    ]  # fmt: skip
    assert (await titles(library, sort="year"))[0] == "Die Hard"
    assert (await titles(library, sort="year"))[-1] == "A Mouse"
    assert (await titles(library, sort="newest"))[0] == "Die Blume"
    assert (await titles(library))[0] == "The Zebra"


@pytest.mark.parametrize("cursor", ["x", "W10", "WyJ0aXRsZSIsMSwyXQ", "WyJudW1iZXIiLG51bGxd"])
async def test_a_foreign_cursor_is_refused(library: Library, cursor: str) -> None:
    for sort in ("relevance", "title", "year"):
        for q in (None, "novel"):
            with pytest.raises(Invalid):
                await titles(library, Window(after=cursor), sort=sort, q=q)


async def test_offsets_end_somewhere(library: Library) -> None:
    with pytest.raises(Invalid):
        await titles(library, Window(offset=10_001))
    assert await titles(library, Window(offset=10_000)) == []
    assert await titles(library, Window(offset=5_000), q="novel") == []


async def test_a_copy_is_what_it_is_and_told_as_it_changes(library: Library, events: Told) -> None:
    book = await library.book("Middlemarch")
    copy = await library.copy(book, "B1", price={"amount": 1250, "currency": "EUR"})
    assert copy == await library.copies.get(copy_id=copy.id)
    assert copy == await library.copies.by_barcode(barcode="B1")
    assert [copy] == await library.copies.by_ids(ids=[copy.id, uuid4()])
    moved = await library.copies.change(
        copy_id=copy.id,
        changes={"branch_id": RIVERSIDE, "price": None},
        actor=SYSTEM,
        now=NOW,
        version=1,
    )
    assert (moved.branch_id, moved.price, moved.version) == (RIVERSIDE, None, 2)
    with pytest.raises(Stale):
        await library.copies.change(
            copy_id=copy.id, changes={"location": "x"}, actor=SYSTEM, now=NOW, version=1
        )
    await library.copies.remove(copy_id=copy.id, actor=SYSTEM, now=NOW)
    with pytest.raises(NoSuchCopy):
        await library.copies.get(copy_id=copy.id)
    assert await library.copies.of_book(book_id=book.id) == []
    assert (await events())[1:] == ["CopyAdded", "CopyChanged", "CopyRemoved"]


async def test_a_copy_needs_a_branch_a_book_and_a_barcode_of_its_own(library: Library) -> None:
    book = await library.book("Middlemarch")
    copy = await library.copy(book, "B1")
    with pytest.raises(Invalid) as refused:
        await library.copy(book, "B2", branch_id=uuid4())
    assert refused.value.extra["errors"][0]["pointer"] == "#/branch_id"
    with pytest.raises(Invalid) as refused:
        await library.copy(book, "B2", book_id=uuid4())
    assert refused.value.extra["errors"][0]["pointer"] == "#/book_id"
    with pytest.raises(AlreadyTaken) as taken:
        await library.copy(book, "B1")
    assert taken.value.extra["field"] == "barcode"
    with pytest.raises(Invalid):
        await library.copies.change(
            copy_id=copy.id, changes={"branch_id": str(uuid4())}, actor=SYSTEM, now=NOW
        )
    assert [each.barcode for each in await library.copies.of_book(book_id=book.id)] == ["B1"]


async def test_a_copy_that_was_lent_stays(library: Library) -> None:
    copy = await library.copy(await library.book("Middlemarch"), "B1")
    library.circulation.lent.add(copy.id)
    with pytest.raises(CopyHasPast):
        await library.copies.remove(copy_id=copy.id, actor=SYSTEM, now=NOW)
    assert await library.copies.get(copy_id=copy.id) == copy


async def test_many_copies_are_added_at_once_or_none(library: Library, events: Told) -> None:
    book = await library.book("Middlemarch")
    many = [
        NewCopy(barcode=f"B{n}", book_id=book.id, branch_id=MAIN_STREET if n % 2 else RIVERSIDE)
        for n in range(500)
    ]
    with pytest.raises(AlreadyTaken):
        await library.copies.add_many(copies=[*many, many[3]], actor=SYSTEM, now=NOW)
    assert await library.copies.of_book(book_id=book.id) == []
    assert len(await library.copies.add_many(copies=many, actor=SYSTEM, now=NOW)) == 500
    like = CopyFilter(branch_id=RIVERSIDE, status="available", item_type="book")
    seen, after = set(), None
    while True:
        window = Window(limit=100, after=after, total=True)
        page = await library.copies.find(like=like, window=window)
        seen |= {each.barcode for each in page.items}
        after = page.next_cursor
        if after is None:
            break
    assert (len(seen), page.total) == (250, 250)
    assert (await events()).count("CopyAdded") == 500


async def test_every_change_moves_the_version_of_the_catalog(library: Library) -> None:
    seen = [await version_of(library.db), await version_of(library.db)]
    assert seen[0] == seen[1]
    book = await library.book("Middlemarch", "George Eliot")
    seen = [await version_of(library.db)]
    copy = await library.copy(book, "B1")
    seen.append(await version_of(library.db))
    await library.change(book, title="Romola")
    seen.append(await version_of(library.db))
    await library.copies.remove(copy_id=copy.id, actor=SYSTEM, now=NOW)
    seen.append(await version_of(library.db))
    assert len(set(seen)) == 4


async def test_another_process_moves_the_version_too(url: str, library: Library) -> None:
    before = await version_of(library.db)
    elsewhere = Database(url, library.db.tables.values())
    await Library(elsewhere).book("Middlemarch")
    await elsewhere.close()
    assert await version_of(library.db) != before
