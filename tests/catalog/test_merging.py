"""Two that are one: merged with everything moved, and made two again."""

from collections.abc import Callable
from typing import Any
from uuid import UUID, uuid4

import pytest

from lendery.contracts.authorities import (
    CannotMerge,
    CannotUndo,
    Merge,
    MergeKind,
    NewMerge,
    NoSuchMerge,
    SubjectWasMerged,
)
from lendery.contracts.base import NotAllowed, Window
from lendery.contracts.catalog import (
    AuthorWasMerged,
    BookSearch,
    BookWasMerged,
    IsbnTaken,
    NoSuchAuthor,
    NoSuchBook,
)
from lendery.contracts.permissions import SYSTEM, Actor

from .conftest import NOW, Library
from .test_headings import BY, called, subject, titles

pytestmark = pytest.mark.asyncio
ISBN = "9780141439549"
CAROL = Actor(id=UUID(int=7), role="librarian")
Told = Callable[[], Any]


async def merge(library: Library, kind: MergeKind, loser: Any, winner: Any) -> Merge:
    wanted = NewMerge(kind=kind, loser_id=loser.id, winner_id=winner.id)
    return await library.merges.merge(wanted=wanted, actor=CAROL, now=NOW)


async def undo(library: Library, done: Merge) -> Merge:
    return await library.merges.undo(merge_id=done.id, actor=CAROL, now=NOW)


async def of(library: Library, author: Any) -> list[str]:
    wanted = BookSearch(author_id=author.id)
    page = await library.books.search(wanted=wanted, window=Window(limit=50))
    return [each.title for each in page.items]


@pytest.fixture
async def eliots(library: Library) -> Any:
    """(Mary Ann Evans, George Eliot, their books): the first wrote Romola, with Lewes, and
    Middlemarch together with the second."""
    silas = await library.book("Silas Marner", "George Eliot")
    romola = await library.book("Romola", "George Henry Lewes", "Mary Ann Evans")
    both = await library.book("Middlemarch", "Mary Ann Evans", "George Eliot")
    await called(library, romola.authors[1].id, "Marian Evans")
    return romola.authors[1], silas.authors[0], {"silas": silas, "romola": romola, "both": both}


async def test_the_books_of_both_stand_under_the_winner(library: Library, eliots: Any) -> None:
    evans, eliot, books = eliots
    done = await merge(library, "author", evans, eliot)
    assert (done.books, done.copies, done.by, done.loser_name) == (2, 0, CAROL.id, "Mary Ann Evans")
    assert await of(library, eliot) == ["Silas Marner", "Romola", "Middlemarch"]
    read = {name: await library.books.get(book_id=each.id) for name, each in books.items()}
    assert [each.name for each in read["romola"].authors] == ["George Henry Lewes", "George Eliot"]
    assert [each.name for each in read["both"].authors] == ["George Eliot"]
    assert [read[name].version for name in ("silas", "romola", "both")] == [1, 2, 2]
    heading = await library.authorities.author(author_id=eliot.id)
    assert [each.name for each in heading.variants] == ["Marian Evans", "Mary Ann Evans"]
    for name in ("mary ann evans", "marian"):
        assert sorted(await titles(library, name)) == ["Middlemarch", "Romola", "Silas Marner"]
    by_author = BookSearch(sort="author")
    page = await library.books.search(wanted=by_author, window=Window())
    assert [each.title for each in page.items] == ["Silas Marner", "Middlemarch", "Romola"]


async def test_who_was_merged_is_gone_and_the_answer_names_the_winner(
    library: Library, eliots: Any
) -> None:
    evans, eliot, _ = eliots
    await merge(library, "author", evans, eliot)
    with pytest.raises(AuthorWasMerged) as gone:
        await library.authors.get(author_id=evans.id)
    assert gone.value.status == 410 and gone.value.extra == {"into": str(eliot.id)}
    with pytest.raises(AuthorWasMerged):
        await merge(library, "author", evans, eliot)
    later = await library.book("Adam Bede", "Mary Ann Evans")
    assert [each.id for each in later.authors] == [eliot.id]


async def test_undone_all_is_as_it_was(library: Library, eliots: Any, events: Told) -> None:
    evans, eliot, books = eliots
    done = await merge(library, "author", evans, eliot)
    undone = await undo(library, done)
    assert (undone.undone_by, undone.undone_at) == (CAROL.id, NOW)
    for each in books.values():
        read = await library.books.get(book_id=each.id)
        assert read.authors == each.authors and read.work_id == each.work_id
    assert await of(library, evans) == ["Romola", "Middlemarch"]
    assert await titles(library, "marian evans silas") == []
    forms = [
        [v.name for v in (await library.authorities.author(author_id=each.id)).variants]
        for each in (evans, eliot)
    ]
    assert forms == [["Marian Evans"], []]
    assert (await events()).count("BookChanged") == 4
    with pytest.raises(CannotUndo):
        await undo(library, done)


async def test_what_was_changed_since_is_not_undone(library: Library, eliots: Any) -> None:
    evans, eliot, books = eliots
    done = await merge(library, "author", evans, eliot)
    await library.change(books["romola"], authors=["George Henry Lewes"])
    with pytest.raises(CannotUndo) as refused:
        await undo(library, done)
    assert refused.value.extra == {"changed": [str(books["romola"].id)]}
    with pytest.raises(AuthorWasMerged):
        await library.authors.get(author_id=evans.id)
    assert await of(library, eliot) == ["Silas Marner", "Middlemarch"]
    assert (await library.merges.get(merge_id=done.id, actor=CAROL)).undone_at is None


async def test_what_came_since_stays_with_the_winner(library: Library, eliots: Any) -> None:
    evans, eliot, books = eliots
    done = await merge(library, "author", evans, eliot)
    await called(library, eliot.id, "Marian Lewes")
    await library.book("Adam Bede", "George Eliot")
    await library.change(books["romola"], title="Romola, a novel")
    await library.books.remove(book_id=books["both"].id, **BY)
    await undo(library, done)
    assert await of(library, eliot) == ["Silas Marner", "Adam Bede"]
    assert await of(library, evans) == ["Romola, a novel"]
    assert await titles(library, "lewes bede") == ["Adam Bede"]


async def test_a_merge_whose_winner_was_merged_waits_for_that_to_be_undone(
    library: Library, eliots: Any
) -> None:
    evans, eliot, _ = eliots
    third = (await library.book("Poems", "G. Eliot")).authors[0]
    first = await merge(library, "author", evans, eliot)
    second = await merge(library, "author", eliot, third)
    with pytest.raises(CannotUndo):
        await undo(library, first)
    await undo(library, second)
    await undo(library, first)
    assert await of(library, evans) == ["Romola", "Middlemarch"]


async def test_see_also_goes_over_and_comes_back(library: Library, eliots: Any) -> None:
    evans, eliot, books = eliots
    lewes = books["romola"].authors[0]
    for other in (lewes, eliot):
        await library.authorities.relate(kind="author", one=evans.id, other=other.id, **BY)

    async def seen(author: Any) -> list[str]:
        page = await library.authorities.author(author_id=author.id)
        return [each.name for each in page.see_also]

    done = await merge(library, "author", evans, eliot)
    assert (await seen(eliot), await seen(lewes)) == ([lewes.name], [eliot.name])
    await undo(library, done)
    assert (await seen(eliot), await seen(lewes)) == ([evans.name], [evans.name])
    assert await seen(evans) == [eliot.name, lewes.name]


async def test_two_subjects_become_one_and_two_again(library: Library) -> None:
    joy = await library.book("Joy of Cooking", subjects=["Cookery", "Pies"])
    both = await library.book("Mrs Beeton", subjects=["Cooking", "Cookery"])
    loser, winner = await subject(library, "Cookery"), await subject(library, "Cooking")
    done = await merge(library, "subject", loser, winner)
    assert (done.books, done.loser_name) == (2, "Cookery")
    assert (await library.books.get(book_id=joy.id)).subjects == ("Cooking", "Pies")
    assert (await library.books.get(book_id=both.id)).subjects == ("Cooking",)
    assert (await subject(library, "Cookery")).id == winner.id
    with pytest.raises(SubjectWasMerged) as gone:
        await library.authorities.subject(subject_id=loser.id)
    assert gone.value.extra == {"into": str(winner.id)}
    await undo(library, done)
    for each in (joy, both):
        assert (await library.books.get(book_id=each.id)).subjects == each.subjects
    assert [(await subject(library, n)).books for n in ("Cookery", "Cooking")] == [2, 1]


async def test_a_subject_that_was_made_anew_is_in_the_way(library: Library) -> None:
    await library.book("Joy of Cooking", subjects=["Cookery"])
    await library.book("Mrs Beeton", subjects=["Cooking"])
    loser, winner = await subject(library, "Cookery"), await subject(library, "Cooking")
    done = await merge(library, "subject", loser, winner)
    [form] = (await subject(library, "Cooking")).variants
    await library.authorities.remove_variant(
        kind="subject", heading_id=winner.id, variant_id=form.id, **BY
    )
    await library.book("Pies", subjects=["Cookery"])
    with pytest.raises(CannotUndo) as refused:
        await undo(library, done)
    assert refused.value.extra == {"changed": ["Cookery"]}
    assert (await subject(library, "Cooking")).books == 2


async def test_two_books_become_one_with_copies_and_isbn(library: Library, events: Told) -> None:
    loser = await library.book("Middlemarch.", "G. Eliot", isbn=ISBN, subjects=["Towns"])
    winner = await library.book("Middlemarch", "George Eliot")
    copies = [await library.copy(loser, f"B{n}") for n in range(2)]
    own = await library.copy(winner, "B9")
    done = await merge(library, "book", loser, winner)
    assert (done.books, done.copies) == (1, 2)
    now_there = await library.copies.of_book(book_id=winner.id)
    assert {each.id for each in now_there} == {own.id, *(each.id for each in copies)}
    assert [each.version for each in now_there] == [2, 2, 1]
    assert (await library.books.get(book_id=winner.id)).isbn == ISBN
    assert await titles(library, "middlemarch") == ["Middlemarch"]
    assert (await events())[-4:] == ["CopyAdded", "BookWithdrawn", "BookChanged", "BookMerged"]
    with pytest.raises(BookWasMerged) as gone:
        await library.books.get(book_id=loser.id)
    assert gone.value.status == 410 and gone.value.extra == {"into": str(winner.id)}
    for attempt in (library.change(loser, title="x"), library.books.remove(book_id=loser.id, **BY)):
        with pytest.raises(BookWasMerged):
            await attempt
    assert await library.copies.of_book(book_id=loser.id) == []


async def test_a_book_made_two_again_has_its_copies_and_its_isbn(library: Library) -> None:
    loser = await library.book("Middlemarch.", "G. Eliot", isbn=ISBN, subjects=["Towns"])
    winner = await library.book("Middlemarch", "George Eliot")
    copies = [await library.copy(loser, f"B{n}") for n in range(2)]
    done = await merge(library, "book", loser, winner)
    came = await library.copy(winner, "B9")
    await library.copies.change(copy_id=copies[0].id, changes={"barcode": "B7"}, **BY)
    await library.copies.remove(copy_id=copies[1].id, **BY)
    await undo(library, done)
    back = await library.books.get(book_id=loser.id)
    plain = {"exclude": {"version"}}
    assert back.model_dump(**plain) == loser.model_dump(**plain)  # type: ignore[arg-type]
    assert [c.barcode for c in await library.copies.of_book(book_id=loser.id)] == ["B7"]
    assert await library.copies.of_book(book_id=winner.id) == [came]
    assert (await library.books.get(book_id=winner.id)).isbn is None
    assert sorted(await titles(library, "middlemarch")) == ["Middlemarch", "Middlemarch."]
    assert (await subject(library, "Towns")).books == 1


async def test_a_number_of_a_merged_book_names_the_book_it_is_now(library: Library) -> None:
    loser = await library.book("Middlemarch.", isbn=ISBN)
    winner = await library.book("Middlemarch", isbn="9780199536757")
    await merge(library, "book", loser, winner)
    assert (await library.books.get(book_id=winner.id)).isbn == "9780199536757"
    with pytest.raises(IsbnTaken) as taken:
        await library.book("Middlemarch", isbn=ISBN)
    assert taken.value.extra["book_id"] == str(winner.id)


async def test_an_isbn_changed_since_keeps_the_books_one(library: Library) -> None:
    loser = await library.book("Middlemarch.", isbn=ISBN)
    winner = await library.book("Middlemarch")
    await library.copy(loser, "B1")
    done = await merge(library, "book", loser, winner)
    await library.change(winner, isbn="9780199536757")
    with pytest.raises(CannotUndo):
        await undo(library, done)
    assert [c.barcode for c in await library.copies.of_book(book_id=winner.id)] == ["B1"]
    with pytest.raises(BookWasMerged):
        await library.books.get(book_id=loser.id)


async def test_what_cannot_become_one_stays_two(library: Library, events: Told) -> None:
    book = await library.book("Middlemarch", "George Eliot")
    gone = await library.book("Romola")
    await library.change(gone, withdrawn=True)
    told = await events()
    with pytest.raises(CannotMerge):
        await merge(library, "book", book, book)
    with pytest.raises(CannotMerge):
        await merge(library, "book", book, gone)
    nobody = type("Nobody", (), {"id": uuid4()})
    with pytest.raises(NoSuchBook):
        await merge(library, "book", book, nobody)
    with pytest.raises(NoSuchAuthor):
        await merge(library, "author", book.authors[0], nobody)
    reader = Actor(id=uuid4(), role="reader")
    wanted = NewMerge(kind="book", loser_id=gone.id, winner_id=book.id)
    with pytest.raises(NotAllowed):
        await library.merges.merge(wanted=wanted, actor=reader, now=NOW)
    with pytest.raises(NoSuchMerge):
        await library.merges.undo(merge_id=uuid4(), actor=SYSTEM, now=NOW)
    assert await events() == told
    assert (await library.merges.find(window=Window(), actor=SYSTEM)).items == []


async def test_merges_are_listed_the_newest_first(library: Library) -> None:
    books = [await library.book(f"Middlemarch {n}") for n in range(4)]
    done = [await merge(library, "book", each, books[3]) for each in books[:3]]
    await undo(library, done[1])
    page = await library.merges.find(window=Window(limit=2), actor=CAROL)
    assert [each.id for each in page.items] == [done[2].id, done[1].id]
    assert [each.undone_at for each in page.items] == [None, NOW]
    rest = await library.merges.find(window=Window(limit=2, after=page.next_cursor), actor=CAROL)
    assert rest.items == [done[0]] and rest.next_cursor is None


async def test_a_merged_book_is_in_no_list_not_even_among_the_withdrawn(library: Library) -> None:
    fields: dict[str, Any] = {"subjects": ["Cabinets"], "language": "en"}
    loser = await library.book("Cabinet of Loss", "George Eliot", **fields)
    winner = await library.book("Cabinet of Gain", "George Eliot", **fields)
    gone = await library.book("Cabinet of Dust", "George Eliot", **fields)
    await library.change(gone, withdrawn=True)
    await merge(library, "book", loser, winner)
    asked: list[dict[str, Any]] = [
        {"q": "cabinet"},
        {"q": "cabinet", "sort": "title"},
        {"q": "cabinet", "group_by": "work"},
        {"q": "Cabinet of Loss"},
        {"subject": "cabinets"},
        {"author_id": winner.authors[0].id},
        {"language": "en"},
        {"sort": "newest"},
        {"sort": "rating", "group_by": "work"},
        {},
    ]
    every = Window(limit=50, total=True)
    for wanted in asked:
        for withdrawn, there in ((False, winner.title), (True, gone.title)):
            search = BookSearch(**wanted, withdrawn=withdrawn, facets=True)
            page = await library.books.search(wanted=search, window=every)
            expected = [] if wanted.get("q") == "Cabinet of Loss" else [there]
            assert [each.title for each in page.items] == expected, (wanted, withdrawn)
            assert page.total == len(expected)
            counted = page.facets["language"] if page.facets else []
            assert [each.count for each in counted] == [1] * len(expected)
    suggested = await library.books.suggest(q="cabinet of")
    assert [each.text for each in suggested] == ["Cabinet of Gain"]
    assert await library.books.similar(book_id=winner.id) == []
    [named] = (await library.books.subjects(q="cabinets", window=Window())).items
    assert named.books == 1
