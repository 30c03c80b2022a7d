"""What becomes of imports, of their undo and of exports once books were merged."""

import pytest

from lendery.contracts.authorities import NewMerge
from lendery.contracts.catalog import Book
from lendery.contracts.importing import ImportInTheWay
from lendery.contracts.permissions import SYSTEM
from tests.catalog.conftest import NOW

from .conftest import Bulk, counts, marc
from .test_with_others import AUSTEN, BY, EMMA, LINE, OPTIONS, ROMOLA, book


async def merged(bulk: Bulk, loser: Book, winner: Book) -> None:
    wanted = NewMerge(kind="book", loser_id=loser.id, winner_id=winner.id)
    await bulk.library.merges.merge(wanted=wanted, **BY)


async def test_a_file_that_is_fed_again_after_a_merge_adds_nothing(bulk: Bulk) -> None:
    file = marc(EMMA, book("Emma, or the matchmaker", "9780141439549", "(t)9", authors=(AUSTEN,)))
    await bulk.run(file)
    [emma] = [each for each in await bulk.search("emma") if each.isbn == "9780141439587"]
    [other] = [each for each in await bulk.search("emma") if each.isbn == "9780141439549"]
    await merged(bulk, other, emma)
    third = await bulk.library.book("Emma in one volume", "Jane Austen")
    await merged(bulk, emma, third)
    before = await bulk.rows()
    for rule in ("control-number", "isbn", "title-author"):
        report = await bulk.run(file, match=[rule])
        assert counts(report) == {"read": 2, "skipped": 2}, rule
    ours = (LINE % '"1"').replace('"x"', f'"{other.id}"').encode()
    assert counts(await bulk.run(ours, "x.jsonl")) == {"read": 1, "skipped": 1}
    after = await bulk.rows()
    assert {n for n in after if after[n] != before[n]} == {"catalog_job"}
    foreseen = await bulk.run(file, dry_run=True)
    assert (
        await bulk.notes(foreseen, "match") == ["It is here: \u201cEmma in one volume\u201d."] * 2
    )


async def test_an_overlay_of_what_was_merged_changes_what_it_became(bulk: Bulk) -> None:
    await bulk.run(marc(EMMA))
    [emma] = await bulk.search("emma")
    winner = await bulk.library.book("Emma", "Jane Austen", isbn="9780141439549")
    await merged(bulk, emma, winner)
    fuller = book("Emma", "9780141439587", "(t)2", authors=(AUSTEN,), publisher="Murray")
    report = await bulk.run(marc(fuller), on_match="overlay")
    assert counts(report) == {"read": 1, "overlaid": 1}
    now = await bulk.library.books.get(book_id=winner.id)
    assert (now.publisher, now.isbn) == ("Murray", "9780141439549")
    assert await bulk.titles() == ["Emma"]


async def test_an_import_of_which_something_was_merged_is_not_taken_back(bulk: Bulk) -> None:
    report = await bulk.run(marc(EMMA))
    [emma] = await bulk.search("emma")
    later = await bulk.run(marc(ROMOLA))
    [romola] = await bulk.search("romola")
    await merged(bulk, romola, emma)
    before = await bulk.rows()
    for each, title in ((report, "Emma"), (later, "Romola")):
        with pytest.raises(ImportInTheWay) as told:
            await bulk.undo(each)
        assert told.value.extra["standing"] == [f"\u201c{title}\u201d was edited"]
    assert await bulk.rows() == before


async def test_an_export_leaves_out_what_was_merged(bulk: Bulk) -> None:
    await bulk.run(marc(EMMA, ROMOLA))
    [emma] = await bulk.search("emma")
    [romola] = await bulk.search("romola")
    await merged(bulk, romola, emma)
    exported = await bulk.exports.start(options=OPTIONS, actor=SYSTEM, now=NOW)
    await bulk.work()
    report = await bulk.exports.get(export_id=exported.id, actor=SYSTEM)
    assert (report.written, report.left_out, report.state) == (1, 0, "done")
    piece = await bulk.exports.piece(export_id=exported.id, at=0, actor=SYSTEM)
    assert piece.data.count(b"\n") == 1 and str(emma.id).encode() in piece.data
