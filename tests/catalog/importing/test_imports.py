"""Files of records into the catalogue: what becomes of each record, told and counted."""

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest

from lendery.contracts.base import Invalid, NotAllowed, SignInNeeded, TooLarge, Window
from lendery.contracts.catalog import CopyFilter
from lendery.contracts.importing import ImportOptions, NoSuchImport, NotReady, UploadRefused
from lendery.contracts.permissions import STRANGER, SYSTEM, Actor
from tests.catalog.conftest import MAIN_STREET, NOW, RIVERSIDE

from .conftest import AUSTEN, EMMA, MIDDLEMARCH, ROMOLA, Bulk, book, counts, held, lines, marc

Told = Callable[[], Any]


async def test_a_file_of_marc_becomes_books_that_are_found(bulk: Bulk, events: Told) -> None:
    report = await bulk.run(marc(MIDDLEMARCH, EMMA, ROMOLA))
    assert counts(report) == {"read": 3, "added": 3}
    assert (report.state, report.progress, report.error) == ("done", 1.0, None)
    [emma] = await bulk.search("austen 1815") or await bulk.search("austen")
    assert (emma.title, emma.isbn, emma.published_year) == ("Emma", "9780141439587", 1815)
    assert [each.name for each in emma.authors] == ["Jane Austen"]
    assert await bulk.titles("eliot") == ["Middlemarch", "Romola"]
    assert await events() == ["BookAdded"] * 3


async def test_only_who_may_import_imports(bulk: Bulk) -> None:
    reader = Actor(id=uuid4(), role="reader")
    with pytest.raises(SignInNeeded):
        await bulk.imports.begin(actor=STRANGER, now=NOW)
    with pytest.raises(NotAllowed):
        await bulk.imports.begin(actor=reader, now=NOW)
    upload = await bulk.received(marc(EMMA))
    with pytest.raises(NotAllowed):
        await bulk.imports.start(
            upload_id=upload, name="x", options=ImportOptions(), actor=reader, now=NOW
        )
    assert await bulk.titles() == []


async def test_a_record_that_is_here_is_skipped_unless_told_otherwise(bulk: Bulk) -> None:
    await bulk.run(marc(MIDDLEMARCH, EMMA))
    before = await bulk.rows()
    report = await bulk.run(marc(MIDDLEMARCH, EMMA))
    assert counts(report) == {"read": 2, "skipped": 2}
    after = await bulk.rows()
    assert {n: after[n] - before[n] for n in after if after[n] != before[n]} == {"catalog_job": 1}


async def test_an_overlay_keeps_what_the_record_leaves_empty(bulk: Bulk, events: Told) -> None:
    old = book("Emma", "9780141439587", "(t)2", publisher="Murray", subjects=("Village life",))
    await bulk.run(marc(old))
    new = book("Emma : a novel", "9780141439587", "(t)2", authors=(AUSTEN,), published_year=1815)
    report = await bulk.run(marc(new), on_match="overlay")
    assert counts(report) == {"read": 1, "overlaid": 1}
    [emma] = await bulk.search("emma")
    assert (emma.published_year, emma.publisher, emma.version) == (1815, "Murray", 2)
    assert emma.subjects == ("Village life",)
    assert [each.name for each in emma.authors] == ["Jane Austen"]
    assert [each.title for each in await bulk.search(author="austen")] == [emma.title]
    assert await bulk.search(author="eliot") == []
    assert await events() == ["BookAdded", "BookChanged"]


async def test_the_same_overlay_again_changes_nothing(bulk: Bulk, events: Told) -> None:
    await bulk.run(marc(EMMA))
    report = await bulk.run(marc(EMMA), on_match="overlay")
    assert counts(report) == {"read": 1, "skipped": 1}
    assert await events() == ["BookAdded"]


async def test_what_matches_several_is_rejected_and_names_them(bulk: Bulk) -> None:
    one = await bulk.library.book("Emma", "Jane Austen")
    two = await bulk.library.book("Emma", "Jane Austen")
    report = await bulk.run(marc(book("Emma", authors=(AUSTEN,))), match=["title-author"])
    assert counts(report) == {"read": 1, "rejected": 1}
    [why] = await bulk.notes(report, "rejected")
    assert why.startswith("By title-author it matches 2 books: ")
    assert str(one.id) in why and str(two.id) in why
    assert len(await bulk.titles()) == 2


async def test_rules_are_tried_in_their_order(bulk: Bulk) -> None:
    await bulk.run(marc(EMMA, ROMOLA))
    both = book("Emma or Romola", "9780141439587", "(t)3")
    await bulk.run(marc(both), match=["control-number", "isbn"], on_match="skip")
    report = await bulk.run(marc(both), match=["isbn", "control-number"], dry_run=True)
    assert await bulk.notes(report, "match") == ["It is here: \u201cEmma\u201d."]
    report = await bulk.run(marc(both), match=["control-number", "isbn"], dry_run=True)
    assert await bulk.notes(report, "match") == ["It is here: \u201cRomola\u201d."]


async def test_title_author_and_year_tell_editions_apart(bulk: Bulk) -> None:
    await bulk.run(marc(book("Emma", authors=(AUSTEN,), published_year=1815)))
    later = marc(book("Emma", authors=(AUSTEN,), published_year=1996))
    assert counts(await bulk.run(later, match=["title-author-year"])) == {"read": 1, "added": 1}
    assert counts(await bulk.run(later, match=["title-author-year"])) == {"read": 1, "skipped": 1}


async def test_an_isbn_that_another_book_has_is_never_taken_from_it(bulk: Bulk) -> None:
    await bulk.library.book("Persuasion", isbn="9780141439587")
    report = await bulk.run(marc(EMMA), match=["control-number"])
    assert counts(report) == {"read": 1, "rejected": 1}
    assert "belongs to \u201cPersuasion\u201d" in (await bulk.notes(report))[0]
    report = await bulk.run(marc(EMMA), on_match="add")
    assert counts(report) == {"read": 1, "rejected": 1}
    assert await bulk.titles() == ["Persuasion"]


async def test_records_of_one_file_that_match_each_other(bulk: Bulk) -> None:
    twice = marc(EMMA, MIDDLEMARCH, EMMA)
    assert counts(await bulk.run(twice)) == {"read": 3, "added": 2, "skipped": 1}
    foreseen = await bulk.run(marc(ROMOLA, ROMOLA), dry_run=True)
    assert counts(foreseen) == {"read": 2, "added": 1, "skipped": 1}
    longer = book("Romola", "", "(t)3", publisher="Smith")
    assert counts(await bulk.run(marc(ROMOLA, longer), on_match="overlay")) == {
        "read": 2, "added": 1, "overlaid": 1,
    }  # fmt: skip
    [romola] = await bulk.search("romola")
    assert (romola.publisher, romola.version) == ("Smith", 2)


async def test_holdings_become_copies(bulk: Bulk, events: Told) -> None:
    holdings = (
        held("b1", "main", location="Attic", call_number="823 ELI", price_amount=1250),
        held("b2", "Riverside", item_type="reference"),
        held("b3", "Atlantis"),
        held(None, "main"),
        held("b1", "main"),
        held("no barcode!", "main"),
    )
    report = await bulk.run(
        marc(book("Romola", holdings=holdings)), branch_id=str(RIVERSIDE), profile="koha"
    )
    assert counts(report) == {"read": 1, "added": 1, "copies": 3}
    page = await bulk.library.copies.find(like=CopyFilter(), window=Window())
    copies = {each.barcode: each for each in page.items}
    assert set(copies) == {"b1", "b2", "b3"}
    assert (copies["b1"].branch_id, copies["b1"].location) == (MAIN_STREET, "Attic")
    assert copies["b1"].price is not None and copies["b1"].price.amount == 1250
    assert (copies["b2"].branch_id, copies["b2"].item_type) == (RIVERSIDE, "reference")
    assert copies["b3"].branch_id == RIVERSIDE
    said = await bulk.notes(report, "warning")
    assert len(said) == report.warnings == 3
    assert any("Atlantis" in each for each in said)
    assert any("no barcode" in each for each in said)
    assert await events() == ["BookAdded", *["CopyAdded"] * 3]


async def test_a_barcode_that_is_taken_costs_the_copy_and_not_the_record(bulk: Bulk) -> None:
    emma = await bulk.library.book("Emma")
    await bulk.library.copy(emma, "b1")
    report = await bulk.run(marc(book("Romola", holdings=(held("b1"),))), profile="koha")
    assert counts(report) == {"read": 1, "added": 1}
    assert await bulk.notes(report) == [
        "Item 1: another copy has the barcode b1, so no copy was made."
    ]


async def test_a_dry_run_changes_nothing_and_is_gone_on_with(
    bulk: Bulk, events: Told, files: Any
) -> None:
    await bulk.run(marc(book("Emma", "9780141439587", publisher="Murray")))
    before = await bulk.rows()
    options = {"on_match": "overlay", "match": ["isbn"]}
    foreseen = await bulk.run(marc(EMMA, ROMOLA), dry_run=True, **options)
    assert counts(foreseen) == {"read": 2, "added": 1, "overlaid": 1}
    [said] = await bulk.notes(foreseen, "match")
    assert "published_year: nothing \u2192 1815" in said
    after = await bulk.rows()
    del after["catalog_job"], after["catalog_import_note"]
    assert after.items() <= before.items()
    assert foreseen.file_kept and files() == [".records"]
    done = await bulk.imports.proceed(
        import_id=foreseen.id, options=ImportOptions(**options), actor=SYSTEM, now=NOW
    )
    await bulk.work()
    assert counts(await bulk.report(done.id)) == counts(foreseen)
    assert files() == []
    with pytest.raises(NotReady):
        await bulk.imports.proceed(
            import_id=foreseen.id, options=ImportOptions(), actor=SYSTEM, now=NOW
        )


async def test_a_list_is_read_with_a_mapping_of_its_columns(bulk: Bulk) -> None:
    table = lines(("Titel", "Wer", "Nummer"), ("Emma", '"Austen, Jane"', "9780141439587"))
    report = await bulk.run(
        table, "liste.csv", columns={"title": "Titel", "authors": "Wer", "isbns": "Nummer"}
    )
    assert (report.state, counts(report)) == ("done", {"read": 1, "added": 1})
    [emma] = await bulk.search("emma")
    assert (emma.isbn, [a.name for a in emma.authors]) == ("9780141439587", ["Jane Austen"])


async def test_one_bad_record_is_rejected_with_its_bytes_and_can_be_mended(bulk: Bulk) -> None:
    good, other = marc(EMMA), marc(ROMOLA)
    broken = marc(MIDDLEMARCH)[:24] + b"\x00" * 30 + b"\x1e\x1d"
    report = await bulk.run(good + broken + other)
    assert report.read == report.added + report.rejected and report.added == 2
    assert report.rejected == 1
    assert await bulk.rejects(report) == broken
    again = await bulk.run(marc(MIDDLEMARCH))
    assert counts(again) == {"read": 1, "added": 1}


async def test_what_is_no_file_of_records_is_refused_at_once(bulk: Bulk, files: Any) -> None:
    with pytest.raises(UploadRefused, match="empty"):
        await bulk.ask(b"")
    with pytest.raises(UploadRefused):
        await bulk.ask(b"%PDF-1.7 nothing of ours", "books.mrc")
    with pytest.raises(UploadRefused):
        await bulk.imports.start(
            upload_id=uuid4(), name="", options=ImportOptions(), actor=SYSTEM, now=NOW
        )
    with pytest.raises(Invalid):
        await bulk.ask(marc(EMMA), branch_id=str(uuid4()))
    with pytest.raises(Invalid):
        await bulk.ask(marc(EMMA), profile="../../etc/passwd")
    assert files() == []
    with pytest.raises(NoSuchImport):
        await bulk.report(uuid4())


async def test_a_file_over_the_limit_leaves_nothing(bulk: Bulk, files: Any) -> None:
    small = Bulk(bulk.db, bulk.settings.model_copy(update={"import_limit": 1_000}), bulk.town)
    upload = await small.received(b"x" * 900)
    with pytest.raises(TooLarge):
        await small.imports.take(upload_id=upload, at=900, data=b"y" * 200, actor=SYSTEM, now=NOW)
    assert files() == []


async def test_a_piece_must_go_on_where_the_last_ended(bulk: Bulk) -> None:
    upload = await bulk.received(b"abc")
    with pytest.raises(UploadRefused) as told:
        await bulk.imports.take(upload_id=upload, at=2, data=b"d", actor=SYSTEM, now=NOW)
    assert told.value.extra["at"] == 3


async def test_rejected_rows_go_out_under_their_head_and_come_in_once_mended(bulk: Bulk) -> None:
    table = "title,authors\nEmma,Jane Austen\n,Nobody\n"
    report = await bulk.run(table.encode(), "liste.csv")
    assert (report.read, report.added, report.rejected) == (2, 1, 1)
    rejected = await bulk.rejects(report)
    assert rejected == b"title,authors\n,Nobody\n"
    mended = rejected.replace(b"\n,Nobody", b"\nRomola,George Eliot")
    assert counts(await bulk.run(mended, "liste.csv")) == {"read": 1, "added": 1}
    assert await bulk.titles() == ["Emma", "Romola"]
