"""Real files, whole and damaged: every record that was read is accounted for."""

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from lendery.catalog.models import book, import_note, source

from .conftest import Bulk

DATA = Path(__file__).parents[2] / "data"
MARC = sorted(
    path
    for path in (DATA / "marc").rglob("*")
    if path.suffix in (".dat", ".mrc", ".marc", ".xml", ".json")
)
LISTS = {"gutenberg": "gutenberg", "goodbooks": "goodbooks"}


async def accounted_for(bulk: Bulk, data: bytes, name: str, **options: Any) -> Any:
    """Imports it, and checks what the report says against what is there."""
    before = await standing(bulk)
    report = await bulk.run(data, name, **options)
    after = await standing(bulk)
    parts = report.added + report.overlaid + report.skipped + report.rejected
    assert report.state in ("done", "failed"), report
    assert report.read == parts
    assert after["books"] - before["books"] == report.added
    assert after["sources"] - before["sources"] == report.added
    assert after["rejected"] - before["rejected"] == report.rejected
    return report


async def standing(bulk: Bulk) -> dict[str, int]:
    rejected = select(func.count()).where(import_note.c.severity == "rejected")
    async with bulk.db.read() as session:
        return {
            "books": await session.value(select(func.count()).select_from(book)),
            "sources": await session.value(select(func.count()).select_from(source)),
            "rejected": await session.value(rejected),
        }


async def test_every_marc_file_is_accounted_for_and_none_breaks_the_import(bulk: Bulk) -> None:
    assert len(MARC) > 50
    read, refused = 0, []
    for path in MARC:
        report = await accounted_for(bulk, path.read_bytes(), path.name)
        read += report.read
        if report.state == "failed":
            refused.append(path.name)
            assert report.error and "in the log" not in report.error, report.error
    assert read > 100
    assert len(refused) <= 3, refused


@pytest.mark.parametrize("name", LISTS)
async def test_an_excerpt_of_a_real_list_is_accounted_for(bulk: Bulk, name: str) -> None:
    [path] = (DATA / "catalogue").glob(f"{name}*")
    data = path.read_bytes()
    report = await accounted_for(bulk, data, path.name, profile=LISTS[name])
    assert report.state == "done" and report.added > 50
    again = await accounted_for(bulk, data, path.name, profile=LISTS[name])
    assert (again.added, again.skipped + again.rejected) == (0, again.read)
