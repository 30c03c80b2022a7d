"""Imports, exports and jobs over HTTP."""

import csv
import io
from collections.abc import AsyncIterator
from typing import Any

import httpx2
import pytest
import pytest_asyncio
from fastapi import FastAPI

from lendery.catalog.formats import Format, read
from lendery.catalog.routes import bulk_routes
from lendery.contracts.permissions import SYSTEM
from lendery.platform.http.edge import BodyLimit
from lendery.platform.http.problems import add_problem_handlers
from lendery.platform.paging import make_cursor
from tests.catalog.test_http import As, client

from .conftest import EMMA, MIDDLEMARCH, ROMOLA, Bulk, book, marc

IMPORTS, EXPORTS, JOBS = "/api/v1/imports", "/api/v1/exports", "/api/v1/jobs"
BROKEN = marc(MIDDLEMARCH)[:24] + b"\x00" * 30 + b"\x1e\x1d"


@pytest_asyncio.fixture
async def staff(bulk: Bulk) -> AsyncIterator[httpx2.AsyncClient]:
    app = FastAPI()
    add_problem_handlers(app)
    app.include_router(bulk_routes(bulk.imports, bulk.exports, bulk.jobs))
    limited = BodyLimit(app, 1_000, {IMPORTS: 100_000})
    async with client(As(limited, SYSTEM)) as asking:
        yield asking


async def test_a_file_is_sent_watched_and_taken_back(bulk: Bulk, staff: httpx2.AsyncClient) -> None:
    sent = await staff.post(f"{IMPORTS}?name=new.mrc", content=marc(EMMA, ROMOLA) + BROKEN)
    assert sent.status_code == 202
    place = sent.headers["location"]
    assert (sent.json()["state"], sent.json()["name"]) == ("queued", "new.mrc")
    early = await staff.post(f"{place}/undo")
    assert early.json()["type"] == "/problems/not-ready"
    await bulk.work()
    told = (await staff.get(place)).json()
    assert [told[n] for n in ("read", "added", "rejected", "state")] == [3, 2, 1, "done"]
    [job] = (await staff.get(f"{JOBS}?kind=import&state=done")).json()["items"]
    assert (job["id"], job["progress"], job["counts"]["added"]) == (told["id"], 1.0, 2)
    assert (await staff.get(f"{place}/rejects")).content == BROKEN
    table = (await staff.get(f"{place}/rejects?reasons=true")).text
    [head, row] = csv.reader(io.StringIO(table))
    assert head[0] == "record" and row[0] == "3" and "directory" in row[4]
    [note] = (await staff.get(f"{place}/notes")).json()["items"]
    assert (note["record"], note["severity"]) == (3, "rejected")
    assert (await staff.post(f"{place}/undo")).status_code == 202
    await bulk.work()
    assert (await staff.get(place)).json()["undone"] is True
    assert await bulk.titles() == []


async def test_a_form_with_a_file_does_too(bulk: Bulk, staff: httpx2.AsyncClient) -> None:
    sent = await staff.post(IMPORTS, files={"file": ("../../etc/emma.mrc", marc(EMMA))})
    assert sent.status_code == 202, sent.text
    await bulk.work()
    assert await bulk.titles() == ["Emma"]
    without = await staff.post(IMPORTS, files={"other": ("x", b"y")})
    assert (without.status_code, without.json()["type"]) == (422, "/problems/upload-refused")


async def test_a_body_over_the_limit_is_refused_and_leaves_nothing(
    bulk: Bulk, staff: httpx2.AsyncClient, files: Any
) -> None:
    async def endless() -> AsyncIterator[bytes]:
        for _ in range(300):
            yield b"x" * 1_000

    for body in (b"x" * 200_000, endless()):
        answer = await staff.post(IMPORTS, content=body)
        assert (answer.status_code, answer.json()["type"]) == (413, "/problems/too-large")
    assert not bulk.place.folder.exists() or files() == []
    other = await staff.post(EXPORTS, content=b" " * 2_000)
    assert other.status_code == 413, "only an import may be as large as that"


@pytest.mark.parametrize(
    "query", ["match=nothing", "on_match=delete", "format=exe", "branch_id=x", "column=%3D",
              "match=isbn&match=isbn&match=isbn&match=isbn&match=isbn"],
)  # fmt: skip
async def test_a_strange_option_is_refused(
    bulk: Bulk, staff: httpx2.AsyncClient, query: str
) -> None:
    answer = await staff.post(f"{IMPORTS}?{query}", content=marc(EMMA))
    assert answer.status_code == 422
    assert (await staff.get(IMPORTS)).json()["items"] == []


async def test_the_catalogue_goes_out_and_comes_back(bulk: Bulk, staff: httpx2.AsyncClient) -> None:
    raw = marc(EMMA, MIDDLEMARCH)
    await bulk.run(raw)
    await bulk.library.book("Romola", "George Eliot")
    asked = await staff.post(EXPORTS, json={"format": "marc"})
    assert asked.status_code == 202
    place = asked.headers["location"]
    early = await staff.get(f"{place}/file")
    assert (early.status_code, early.json()["type"]) == (409, "/problems/not-ready")
    await bulk.work()
    assert (await staff.get(place)).json()["written"] == 3
    file = await staff.get(f"{place}/file")
    assert file.content.startswith(raw), "what nobody edited goes out as it came"
    assert 'filename="catalogue-' in file.headers["content-disposition"]
    again = await bulk.run(file.content)
    assert (again.read, again.skipped) == (3, 3), "our own export is known again"


async def test_an_edited_record_goes_out_edited(bulk: Bulk, staff: httpx2.AsyncClient) -> None:
    await bulk.run(marc(EMMA))
    [emma] = await bulk.search("emma")
    await bulk.library.change(emma, publisher="Murray")
    place = (await staff.post(EXPORTS, json={"format": "marc"})).headers["location"]
    await bulk.work()
    file = io.BytesIO((await staff.get(f"{place}/file")).content)
    [record] = read(file, Format.marc)
    assert record.described is not None
    assert (record.described.title, record.described.publisher) == ("Emma", "Murray")


async def test_a_job_that_waits_is_cancelled_at_once(
    bulk: Bulk, staff: httpx2.AsyncClient, files: Any
) -> None:
    sent = (await staff.post(IMPORTS, content=marc(EMMA))).json()
    stopped = await staff.post(f"{JOBS}/{sent['id']}/cancel")
    assert stopped.json()["state"] == "cancelled"
    await bulk.work()
    assert await bulk.titles() == []
    again = await staff.post(f"{JOBS}/{sent['id']}/cancel")
    assert (again.status_code, again.json()["type"]) == (409, "/problems/job-has-ended")


async def test_lists_of_jobs_go_on_where_they_ended(bulk: Bulk, staff: httpx2.AsyncClient) -> None:
    for title in ("Emma", "Romola", "Middlemarch"):
        await bulk.run(marc(book(title)))
    first = (await staff.get(f"{JOBS}?limit=2")).json()
    rest = (await staff.get(f"{JOBS}?limit=2&cursor={first['next_cursor']}")).json()
    assert [len(first["items"]), len(rest["items"]), rest["next_cursor"]] == [2, 1, None]
    assert (await staff.get(f"{JOBS}?cursor=WzEsMl0")).status_code == 422
    assert (await staff.get(f"{IMPORTS}?limit=1")).json()["items"][0]["added"] == 1


async def test_a_cursor_may_be_any_number_and_breaks_nothing(
    bulk: Bulk, staff: httpx2.AsyncClient
) -> None:
    report = await bulk.run(BROKEN)
    for number in (2**31, 2**63 - 1, -(2**62)):
        page = await staff.get(f"{IMPORTS}/{report.id}/notes?cursor={make_cursor(number)}")
        assert page.status_code == 200 and len(page.json()["items"]) == (number < 0)
    for moment in ("0001-01-01T00:00:00", "9999-12-31T23:59:59-12:00", "soon"):
        cursor = make_cursor(moment, report.id)
        assert (await staff.get(f"{JOBS}?cursor={cursor}")).status_code in (200, 422)


async def test_nobody_asks_for_a_format_that_is_only_read(staff: httpx2.AsyncClient) -> None:
    refused = await staff.post(EXPORTS, json={"format": "openlibrary"})

    assert refused.status_code == 422
    assert refused.json()["errors"][0]["pointer"] == "#/format"
    assert (await staff.get(JOBS)).json()["items"] == []
