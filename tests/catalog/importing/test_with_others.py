"""Imports beside headings, works, series and merges: as if each book had been typed by hand."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import func, literal_column, select, table

from lendery.catalog.formats import Described, NamedHeading
from lendery.catalog.importing import running
from lendery.catalog.repository.books import make_findable
from lendery.catalog.rules.fold import GAP
from lendery.contracts.authorities import NewMerge
from lendery.contracts.importing import ExportOptions
from lendery.contracts.permissions import SYSTEM
from tests.catalog.conftest import NOW

from . import conftest as usual
from .conftest import Bulk, counts, marc

Told = Callable[[], Any]
BY: dict[str, Any] = {"actor": SYSTEM, "now": NOW}
OPTIONS = ExportOptions(format="lendery")
EVANS = NamedHeading("Mary Ann Evans", "Evans, Mary Ann")
ELIOT, AUSTEN = (replace(each, born=None, died=None) for each in (usual.ELIOT, usual.AUSTEN))
MIDDLEMARCH = replace(usual.MIDDLEMARCH, authors=(ELIOT,))
ROMOLA = replace(usual.ROMOLA, authors=(ELIOT,))
EMMA = replace(usual.EMMA, authors=(AUSTEN,))


def book(title: str, isbn: str = "", number: str = "", **fields: Any) -> Described:
    """By somebody of whom only the name is known."""
    return usual.book(title, isbn, number, **{"authors": (ELIOT,), **fields})


async def called(bulk: Bulk, heading_id: Any, name: str, kind: Any = "author") -> None:
    await bulk.library.authorities.add_variant(kind=kind, heading_id=heading_id, name=name, **BY)


async def subject_id(bulk: Bulk, name: str) -> Any:
    found = await bulk.library.authorities.subject_named(name=name)
    assert found is not None
    return found.id


async def known_words(bulk: Bulk) -> dict[str, int]:
    words = table("catalog_search_word")
    shown = select(literal_column("word").label("word"), literal_column("books").label("books"))
    async with bulk.db.read() as session:
        return {row.word: row.books for row in await session.rows(shown.select_from(words))}


async def test_an_imported_edition_joins_the_work_of_one_that_was_typed(bulk: Bulk) -> None:
    typed = await bulk.library.book("Emma", "Jane Austen")
    await bulk.run(marc(book("Emma (a new edition)", "9780141439587", authors=(AUSTEN,)), ROMOLA))
    work = await bulk.library.works.get(work_id=typed.work_id)
    assert [each.title for each in work.editions] == ["Emma", "Emma (a new edition)"]
    [romola] = await bulk.search("romola")
    assert romola.work_id != typed.work_id


async def test_books_without_an_author_are_works_of_their_own(bulk: Bulk) -> None:
    await bulk.run(
        marc(book("Poems", "", "(t)8", authors=()), book("Poems", "", "(t)9", authors=()))
    )
    one, other = await bulk.search("poems")
    assert one.work_id != other.work_id
    assert (await bulk.library.works.get(work_id=one.work_id)).editions == (one,)


async def test_a_record_under_another_form_stands_under_the_heading(bulk: Bulk) -> None:
    typed = await bulk.library.book("Middlemarch", "George Eliot", subjects=["City life"])
    await called(bulk, typed.authors[0].id, "Mary Ann Evans")
    await called(bulk, await subject_id(bulk, "City life"), "Urban life", "subject")
    new = book("Romola", "", "(t)3", authors=(EVANS,), subjects=("Urban life", "City life"))
    await bulk.run(marc(new))
    [romola] = await bulk.search("romola")
    assert (romola.authors, romola.subjects) == (typed.authors, ("City life",))
    for asked in ("evans romola", "eliot romola", "city life romola"):
        assert await bulk.titles(asked) == ["Romola"], asked
    assert await bulk.titles("urban romola") == []
    assert sorted(each.title for each in await bulk.search(author="evans")) == [
        "Middlemarch",
        "Romola",
    ]


async def test_a_book_is_found_by_other_forms_of_its_own_author_too(bulk: Bulk) -> None:
    typed = await bulk.library.book("Middlemarch", "George Eliot")
    await called(bulk, typed.authors[0].id, "Mary Ann Evans")
    await bulk.run(marc(ROMOLA, EMMA))
    assert await bulk.titles("evans") == ["Middlemarch", "Romola"]


async def test_the_words_of_an_import_are_those_that_the_records_give(bulk: Bulk) -> None:
    typed = await bulk.library.book("Silas Marner", "George Eliot", subjects=["Weavers"])
    await called(bulk, typed.authors[0].id, "Marian Evans")
    report = await bulk.run(marc(MIDDLEMARCH, EMMA, book("Letters", "", "(t)7", authors=(EVANS,))))
    counted = await known_words(bulk)
    assert counted[GAP] == 4 and counted["marian"] == 2
    async with bulk.db.begin() as tx:
        await make_findable(tx)
    assert await known_words(bulk) == counted
    await bulk.undo(report)  # words are never taken away: a count is a good guess
    assert await known_words(bulk) == counted


async def test_an_overlay_takes_the_book_to_the_work_it_belongs_to(bulk: Bulk) -> None:
    typed = await bulk.library.book("Emma", "Jane Austen")
    await bulk.run(marc(book("Ema", "9780141439587", "(t)2", authors=(AUSTEN,))))
    [ema] = await bulk.search("ema")
    assert ema.work_id != typed.work_id
    report = await bulk.run(marc(EMMA), on_match="overlay")
    now = await bulk.library.books.get(book_id=ema.id)
    assert (report.overlaid, now.title, now.work_id) == (1, "Emma", typed.work_id)
    await bulk.undo(report)
    now = await bulk.library.books.get(book_id=ema.id)
    assert (now.title, now.work_id) == ("Ema", ema.work_id)


async def test_a_work_that_somebody_decided_stays(bulk: Bulk) -> None:
    other = await bulk.library.book("Persuasion", "Jane Austen")
    await bulk.run(marc(book("Ema", "9780141439587", "(t)2", authors=(AUSTEN,))))
    [ema] = await bulk.search("ema")
    await bulk.library.works.move(book_id=ema.id, work_id=other.work_id, **BY)
    report = await bulk.run(marc(EMMA), on_match="overlay")
    assert report.overlaid == 1
    assert (await bulk.library.books.get(book_id=ema.id)).work_id == other.work_id
    await bulk.undo(report)
    assert (await bulk.library.books.get(book_id=ema.id)).work_id == other.work_id


async def test_an_overlay_and_its_undo_leave_the_other_forms_findable(bulk: Bulk) -> None:
    typed = await bulk.library.book("Middlemarch", "George Eliot", isbn="9780141439549")
    await called(bulk, typed.authors[0].id, "Mary Ann Evans")
    report = await bulk.run(marc(book("Middlemarch", "9780141439549", publisher="Blackwood")),
                            on_match="overlay")  # fmt: skip
    assert (report.overlaid, await bulk.titles("evans blackwood")) == (1, ["Middlemarch"])
    await bulk.undo(report)
    assert await bulk.titles("evans") == ["Middlemarch"]
    assert await bulk.titles("blackwood") == []


async def test_an_overlay_under_another_form_changes_nothing(bulk: Bulk, events: Told) -> None:
    await bulk.run(marc(MIDDLEMARCH))
    [old] = await bulk.search("middlemarch")
    await called(bulk, old.authors[0].id, "Mary Ann Evans")
    await called(bulk, await subject_id(bulk, "City life"), "Urban life", "subject")
    same = book("Middlemarch", "9780141439549", "(t)1", authors=(EVANS,), subjects=("Urban life",))
    foreseen = await bulk.run(marc(same), on_match="overlay", dry_run=True)
    assert counts(foreseen) == {"read": 1, "skipped": 1}
    await bulk.run(marc(same), on_match="overlay")
    now = await bulk.library.books.get(book_id=old.id)
    assert (now.authors, now.subjects, now.title) == (old.authors, ("City life",), old.title)
    assert await bulk.titles("urban") == []


async def test_an_undo_finds_an_author_who_was_merged_meanwhile(bulk: Bulk) -> None:
    first = book("Romola", "", "(t)3", authors=(EVANS,))
    await bulk.run(marc(first))
    [old] = await bulk.search("romola")
    eliot = (await bulk.library.book("Middlemarch", "George Eliot")).authors[0]
    report = await bulk.run(marc(book("Romola", "", "(t)3", authors=(AUSTEN,))), on_match="overlay")
    wanted = NewMerge(kind="author", loser_id=old.authors[0].id, winner_id=eliot.id)
    await bulk.library.merges.merge(wanted=wanted, **BY)
    await bulk.undo(report)
    [romola] = await bulk.search("romola")
    assert romola.authors == (eliot,)
    assert await bulk.titles("mary ann evans romola") == ["Romola"]


async def test_the_number_in_a_series_is_overlaid_and_goes_with_its_series(bulk: Bulk) -> None:
    def emma(series: str, number: str | None) -> bytes:
        return marc(book("Emma", "9780141439587", series=series, series_number=number))

    async def now() -> Any:
        [shown] = await bulk.search("emma")
        return shown.series, shown.series_number

    await bulk.run(emma("Novels", "4"))
    assert await now() == ("Novels", "4")
    report = await bulk.run(emma("Novels", "5"), on_match="overlay")
    assert await now() == ("Novels", "5")
    await bulk.undo(report)
    assert await now() == ("Novels", "4")
    assert (await bulk.run(emma("Novels", None), on_match="overlay")).state == "done"
    assert await now() == ("Novels", "4")
    await bulk.run(emma("Classics", None), on_match="overlay")
    assert await now() == ("Classics", None)


LINE = '{"id":"x","book":{"title":"Emma","series":"Novels","series_number":%s}}\n'


async def test_a_number_in_a_series_of_our_own_lines(bulk: Bulk) -> None:
    report = await bulk.run((LINE % '"2.5"').encode(), "books.jsonl")
    assert counts(report) == {"read": 1, "added": 1}
    [emma] = await bulk.search("emma")
    assert (emma.series, emma.series_number) == ("Novels", "2.5")
    exported = await bulk.exports.start(options=OPTIONS, actor=SYSTEM, now=NOW)
    await bulk.work()
    piece = await bulk.exports.piece(export_id=exported.id, at=0, actor=SYSTEM)
    assert b'"series_number":"2.5"' in piece.data


async def test_a_number_that_nobody_could_type_is_rejected_and_a_long_one_left_out(
    bulk: Bulk,
) -> None:
    report = await bulk.run((LINE % '"a\\u0000b"').encode(), "books.jsonl")
    assert counts(report) == {"read": 1, "rejected": 1}
    [why] = await bulk.notes(report)
    assert why.startswith("series_number: ")
    report = await bulk.run((LINE % f'"{"9" * 41}"').encode(), "books.jsonl")
    assert counts(report) == {"read": 1, "added": 1}
    assert await bulk.notes(report) == [f"The number in the series is too long: '{'9' * 41}'."]
    [emma] = await bulk.search("emma")
    assert emma.series_number is None


async def test_after_many_books_search_is_tidied(
    bulk: Bulk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(running, "MANY", 60)
    monkeypatch.setattr(running, "AT_LEAST", 5)
    monkeypatch.setattr(running, "AT_MOST", 5)
    many = [book(f"Volume {n} of {uuid4()}", "", f"(t){n}") for n in range(60)]
    await bulk.run(marc(*many[:50]))
    assert await pieces(bulk) > 1 or bulk.db.dialect != "sqlite"
    await bulk.run(marc(*many))
    assert await pieces(bulk) > 1 or bulk.db.dialect != "sqlite"  # ten more were not many
    await bulk.run(marc(*(book(f"Part {n}", "", f"(p){n}") for n in range(60))))
    assert await pieces(bulk) == 1
    assert len(await bulk.titles("volume")) == 60


async def pieces(bulk: Bulk) -> int:
    """The segments that the index of SQLite consists of; PostgreSQL has one index."""
    if bulk.db.dialect != "sqlite":
        return 1
    idx = table("catalog_search_idx")
    segments = select(func.count(literal_column("segid").distinct())).select_from(idx)
    async with bulk.db.read() as session:
        found: int = await session.value(segments)
    return found
