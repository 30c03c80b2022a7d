"""A whole import taken back, and what stands in the way of that."""

from collections.abc import Callable
from typing import Any

import pytest

from lendery.contracts.base import Window
from lendery.contracts.catalog import CopyFilter
from lendery.contracts.importing import ImportInTheWay, NotReady
from lendery.contracts.permissions import SYSTEM
from tests.catalog.conftest import MAIN_STREET, NOW

from .conftest import EMMA, MIDDLEMARCH, ROMOLA, Bulk, book, held, marc

Told = Callable[[], Any]
KEPT = {"catalog_job", "catalog_event"}


async def rows(bulk: Bulk) -> dict[str, int]:
    found = await bulk.rows()
    return {name: many for name, many in found.items() if name not in KEPT}


async def test_an_import_is_taken_back_whole(bulk: Bulk, events: Told) -> None:
    await bulk.library.book("Emma", "Jane Austen", subjects=["Village life"])
    before = await rows(bulk)
    report = await bulk.run(
        marc(MIDDLEMARCH, book("Romola", holdings=(held("b1"), held("b2")))),
        branch_id=str(MAIN_STREET),
        profile="koha",
    )
    assert (report.added, report.copies) == (2, 2)
    undone = await bulk.undo(report)
    assert undone.undone and undone.undo is not None
    assert await rows(bulk) == before
    assert await bulk.titles() == ["Emma"]
    told = (await events())[5:]
    assert sorted(told) == ["BookWithdrawn", "BookWithdrawn", "CopyRemoved", "CopyRemoved"]


async def test_what_was_overlaid_is_as_it_was_before(bulk: Bulk) -> None:
    first = book("Emma", "9780141439587", "(t)2", publisher="Murray", subjects=("Village life",))
    await bulk.run(marc(first))
    [old] = await bulk.search("emma")
    report = await bulk.run(marc(EMMA), on_match="overlay")
    assert report.overlaid == 1
    await bulk.undo(report)
    [emma] = await bulk.search("emma")
    assert emma == old.model_copy(update={"version": 3})
    assert [each.title for each in await bulk.search(author="eliot")] == ["Emma"]
    assert await bulk.search(author="austen") == []


async def test_the_first_import_can_be_undone_once_a_later_one_is(bulk: Bulk) -> None:
    first = await bulk.run(marc(book("Emma", "9780141439587", "(t)2")))
    later = await bulk.run(marc(EMMA), on_match="overlay")
    with pytest.raises(ImportInTheWay, match="overlaid by a later import"):
        await bulk.undo(first)
    await bulk.undo(later)
    await bulk.undo(first)
    assert await bulk.titles() == []


async def test_what_was_edited_stands_in_the_way_and_is_named(bulk: Bulk) -> None:
    report = await bulk.run(marc(EMMA, ROMOLA))
    [emma] = await bulk.search("emma")
    await bulk.library.change(emma, publisher="Murray")
    before = await bulk.rows()
    with pytest.raises(ImportInTheWay) as told:
        await bulk.undo(report)
    assert told.value.extra["standing"] == ["\u201cEmma\u201d was edited"]
    assert await bulk.rows() == before


async def test_what_was_lent_stands_in_the_way_and_is_named(bulk: Bulk) -> None:
    holdings = tuple(held(f"b{n}") for n in range(1, 8))
    report = await bulk.run(marc(book("Emma", holdings=holdings)), profile="koha")
    page = await bulk.library.copies.find(like=CopyFilter(), window=Window())
    bulk.town.lent = {each.id for each in page.items if each.barcode in ("b3", "b6")}
    with pytest.raises(ImportInTheWay) as told:
        await bulk.undo(report)
    assert told.value.extra["standing"] == ["copy b3 was lent", "copy b6 was lent"]
    assert len(await bulk.titles()) == 1


async def test_a_copy_that_somebody_added_stands_in_the_way(bulk: Bulk) -> None:
    report = await bulk.run(marc(EMMA))
    [emma] = await bulk.search("emma")
    await bulk.library.copy(emma, "by-hand")
    with pytest.raises(ImportInTheWay) as told:
        await bulk.undo(report)
    assert told.value.extra["standing"] == ["copy by-hand was added"]


async def test_it_is_undone_once_and_only_when_it_has_ended(bulk: Bulk) -> None:
    report = await bulk.ask(marc(EMMA))
    with pytest.raises(NotReady):
        await bulk.undo(report)
    await bulk.work()
    await bulk.undo(report)
    with pytest.raises(NotReady):
        await bulk.undo(report)
    foreseen = await bulk.run(marc(EMMA), dry_run=True)
    with pytest.raises(NotReady):
        await bulk.undo(foreseen)


async def test_what_is_edited_while_it_goes_stays(bulk: Bulk) -> None:
    report = await bulk.run(marc(EMMA, ROMOLA))
    await bulk.imports.undo(import_id=report.id, actor=SYSTEM, now=NOW)
    [emma] = await bulk.search("emma")
    states, has_past = bulk.town, bulk.town.has_past

    async def edits_meanwhile(*, copy_ids: Any) -> bool:
        return bool(await has_past(copy_ids=copy_ids))

    states.has_past = edits_meanwhile
    await bulk.library.change(emma, publisher="Murray")
    await bulk.work()
    job = (await bulk.jobs.find(window=Window(), actor=SYSTEM, kind="import-undo")).items[0]
    assert (job.state, "was edited" in (job.error or "")) == ("failed", True)
    assert await bulk.titles() == ["Emma", "Romola"]
    await bulk.library.change(emma, publisher=None)
    assert (await bulk.report(report.id)).undo is None
