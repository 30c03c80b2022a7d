"""Other forms of a name, and what else to look at, for authors and subjects."""

from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import delete, table

from lendery.catalog.repository.books import make_findable
from lendery.contracts.authorities import (
    CannotMerge,
    HeadingKind,
    NoSuchSubject,
    NoSuchVariant,
    VariantKnown,
)
from lendery.contracts.base import NotAllowed, SignInNeeded, Window
from lendery.contracts.catalog import BookSearch, NewAuthor, NoSuchAuthor
from lendery.contracts.permissions import STRANGER, SYSTEM, Actor

from .conftest import NOW, Library

pytestmark = pytest.mark.asyncio
BY: dict[str, Any] = {"actor": SYSTEM, "now": NOW}


async def called(library: Library, heading_id: Any, name: str, kind: HeadingKind = "author") -> Any:
    return await library.authorities.add_variant(kind=kind, heading_id=heading_id, name=name, **BY)


async def titles(library: Library, q: str) -> list[str]:
    page = await library.books.search(wanted=BookSearch(q=q), window=Window(limit=50))
    return [each.title for each in page.items]


async def subject(library: Library, name: str) -> Any:
    found = await library.authorities.subject_named(name=name)
    assert found is not None
    return found


async def test_a_search_for_the_pen_name_finds_the_author_and_the_books(library: Library) -> None:
    book = await library.book("Middlemarch", "George Eliot")
    eliot = book.authors[0].id
    assert await titles(library, "evans") == []
    await called(library, eliot, "Mary Ann Evans")
    assert await titles(library, "evans") == ["Middlemarch"]
    found = await library.authors.find(q="ann evans", window=Window())
    assert [each.name for each in found.items] == ["George Eliot"]
    assert [each.text for each in await library.books.suggest(q="mary ann")] == ["George Eliot"]
    heading = await library.authorities.author(author_id=eliot)
    assert [each.name for each in heading.variants] == ["Mary Ann Evans"] and heading.version == 2


async def test_words_of_two_forms_do_not_make_a_third(library: Library) -> None:
    book = await library.book("Middlemarch", "George Eliot")
    await called(library, book.authors[0].id, "Mary Ann Evans")
    assert (await library.authors.find(q="george evans", window=Window())).items == []


async def test_a_book_added_under_another_form_stands_under_the_heading(library: Library) -> None:
    first = await library.book("Middlemarch", "George Eliot")
    await called(library, first.authors[0].id, "Mary Ann Evans")
    second = await library.book("Romola", "mary ann EVANS")
    assert second.authors == first.authors
    assert await titles(library, "evans romola") == ["Romola"]


async def test_a_form_of_two_authors_leads_to_neither(library: Library) -> None:
    one = await library.book("Middlemarch", "George Eliot")
    other = await library.book("A History of Wales", "Gwynfor Evans")
    for each in (one, other):
        await called(library, each.authors[0].id, "M. Evans")
    third = await library.book("Letters", "M. Evans")
    assert third.authors[0].id not in (one.authors[0].id, other.authors[0].id)


async def test_a_form_that_goes_finds_nothing_any_more(library: Library) -> None:
    book = await library.book("Middlemarch", "George Eliot")
    eliot = book.authors[0].id
    variant = await called(library, eliot, "Mary Ann Evans")
    gone = {"kind": "author", "heading_id": eliot, "variant_id": variant.id, **BY}
    await library.authorities.remove_variant(**gone)
    assert await titles(library, "evans") == []
    with pytest.raises(NoSuchVariant):
        await library.authorities.remove_variant(**gone)


async def test_one_is_not_called_twice_what_one_is_called(library: Library) -> None:
    book = await library.book("Middlemarch", "George Eliot")
    eliot = book.authors[0].id
    await called(library, eliot, "Mary Ann Evans")
    for known in ("george eliot", "MARY ANN EVANS"):
        with pytest.raises(VariantKnown):
            await called(library, eliot, known)
    heading = await library.authorities.author(author_id=eliot)
    assert len(heading.variants) == 1 and heading.version == 2


async def test_only_a_cataloguer_says_what_somebody_is_called(library: Library) -> None:
    book = await library.book("Middlemarch", "George Eliot")
    eliot = book.authors[0].id
    how: dict[str, Any] = {"kind": "author", "heading_id": eliot, "name": "Evans", "now": NOW}
    with pytest.raises(SignInNeeded):
        await library.authorities.add_variant(**how, actor=STRANGER)
    with pytest.raises(NotAllowed):
        await library.authorities.add_variant(**how, actor=Actor(id=uuid4(), role="reader"))
    with pytest.raises(NoSuchAuthor):
        await library.authorities.add_variant(**how | {"heading_id": uuid4()}, actor=SYSTEM)
    assert (await library.authorities.author(author_id=eliot)).variants == ()


async def test_a_subject_is_found_by_another_form_and_books_go_under_it(library: Library) -> None:
    await library.book("Joy of Cooking", subjects=["Cooking"])
    cooking = await subject(library, "Cooking")
    await called(library, cooking.id, "Cookery", "subject")
    page = await library.books.subjects(q="cookery", window=Window())
    assert [each.name for each in page.items] == ["Cooking"]
    second = await library.book("Mrs Beeton", subjects=["Cookery", "Cooking", "Household"])
    assert second.subjects == ("Cooking", "Household")
    assert (await subject(library, "Cookery")).books == 2
    books = await library.authorities.books_on(subject_id=cooking.id, window=Window(limit=1))
    assert [each.title for each in books.items] == ["Joy of Cooking"]
    rest = Window(limit=1, after=books.next_cursor)
    last = await library.authorities.books_on(subject_id=cooking.id, window=rest)
    assert [each.title for each in last.items] == ["Mrs Beeton"] and last.next_cursor is None


async def test_a_subject_with_other_forms_stays_without_books(library: Library) -> None:
    book = await library.book("Joy of Cooking", subjects=["Cooking", "Pies"])
    cooking, pies = await subject(library, "Cooking"), await subject(library, "Pies")
    await called(library, cooking.id, "Cookery", "subject")
    await library.change(book, subjects=[])
    assert (await subject(library, "Cooking")).books == 0
    with pytest.raises(NoSuchSubject):
        await library.authorities.subject(subject_id=pies.id)


async def test_see_also_is_shown_on_both_and_taken_away_from_both(library: Library) -> None:
    eliot = await library.authors.add(author=NewAuthor(name="George Eliot"), **BY)
    lewes = await library.authors.add(author=NewAuthor(name="George Henry Lewes"), **BY)
    both: dict[str, Any] = {"kind": "author", "one": eliot.id, "other": lewes.id, **BY}

    async def seen() -> list[list[str]]:
        pages = [await library.authorities.author(author_id=each.id) for each in (eliot, lewes)]
        return [[other.name for other in page.see_also] for page in pages]

    for _ in range(2):
        await library.authorities.relate(**both)
    assert await seen() == [["George Henry Lewes"], ["George Eliot"]]
    assert (await library.authors.get(author_id=lewes.id)).version == 2
    await library.authorities.part(**both)
    assert await seen() == [[], []]
    with pytest.raises(CannotMerge):
        await library.authorities.relate(**both | {"other": eliot.id})


async def test_an_author_who_goes_takes_the_forms_along(library: Library) -> None:
    eliot = await library.authors.add(author=NewAuthor(name="George Eliot"), **BY)
    lewes = await library.authors.add(author=NewAuthor(name="George Henry Lewes"), **BY)
    await called(library, eliot.id, "Mary Ann Evans")
    await library.authorities.relate(kind="author", one=eliot.id, other=lewes.id, **BY)
    await library.authors.remove(author_id=eliot.id, **BY)
    assert (await library.authorities.author(author_id=lewes.id)).see_also == ()
    assert (await library.authors.find(q="evans", window=Window())).items == []


async def test_a_renamed_author_is_still_found_by_the_other_forms(library: Library) -> None:
    book = await library.book("Middlemarch", "George Eliot")
    eliot = book.authors[0].id
    await called(library, eliot, "Mary Ann Evans")
    await library.authors.change(author_id=eliot, changes={"name": "G. Eliot"}, **BY)
    await library.change(book, subtitle="A Study of Provincial Life")
    assert await titles(library, "evans provincial") == ["Middlemarch"]


async def test_after_a_restore_books_are_found_by_the_other_forms(library: Library) -> None:
    book = await library.book("Middlemarch", "George Eliot")
    await called(library, book.authors[0].id, "Mary Ann Evans")
    async with library.db.begin() as tx:
        await tx.run(delete(table("catalog_search")))
    assert await titles(library, "evans") == []
    async with library.db.begin() as tx:
        await make_findable(tx)
    assert await titles(library, "evans") == ["Middlemarch"]
