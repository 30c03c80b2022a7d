"""What the library counts of itself, told to both shapes."""

import asyncio
import csv
import io
from collections.abc import Callable
from typing import Any
from xml.etree import ElementTree

from openpyxl import load_workbook
from pypdf import PdfReader
from tests.stories.library import API, Library, expect

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


async def soon(library: Library, path: str, told: Callable[[Any], bool]) -> Any:
    """What is told there, once reports has heard of it, and can reach the others."""
    for _ in range(200):
        answer = await library.staff.get(f"{API}/reports{path}")
        if answer.status_code == 200 and told(answer.json()):
            return answer.json()
        await asyncio.sleep(0.05)
    raise AssertionError(f"{path}: {answer.status_code} {answer.text}")


async def test_a_check_out_is_counted_on_its_day(library: Library) -> None:
    ann, book = await library.reader("Ann"), await library.book("=Emma", subjects=["Bees"])
    expect(await library.lend(await library.copy(book), ann), 201)

    here = f"branch_id={library.branch}"
    report = await soon(library, f"/loans-by-day?{here}", lambda told: told["items"])

    day = report["as_of"][:10]
    assert report["items"] == [{"day": day, "lent": 1, "renewed": 0, "returned": 0}]
    assert (report["until"], report["branch"]) == (day, "Central")
    titles = expect(await library.staff.get(f"{API}/reports/top-titles?{here}&total=exact"))
    assert titles["items"] == [
        {"book_id": book["id"], "title": "=Emma", "authors": "George Eliot", "lent": 1}
    ]
    assert titles["total"] == 1
    for name, key, value in (
        ("loans-by-category", "category", library.category),
        ("loans-by-subject", "subject", "Bees"),
        ("overdue", "overdue", 0),
    ):
        rows = expect(await library.staff.get(f"{API}/reports/{name}?{here}"))["items"]
        assert [row[key] for row in rows] == [value]
    expect(await ann.client.get(f"{API}/reports/top-titles"), 403)
    await _in_every_form(library, f"{API}/reports/top-titles?{here}")
    await _counted_anew(library)
    again = expect(await library.staff.get(f"{API}/reports/top-titles?{here}"))
    assert again["items"] == titles["items"]


async def _counted_anew(library: Library) -> None:
    """By the command, where reports runs; the logs of the others come over HTTP there."""
    system = library.system
    unit = next(name for name, contexts in system.units.items() if "reports" in contexts)
    said = await asyncio.to_thread(system.cli, unit, "reports", "rebuild")
    assert " events in " in said


async def _in_every_form(library: Library, path: str) -> None:
    async def get(form: str = "", accept: str = "") -> Any:
        headers = {"accept": accept} if accept else {}
        answer = await library.staff.get(f"{path}&format={form}" if form else path, headers=headers)
        assert answer.status_code == 200, answer.text
        return answer

    table = await get("csv")
    assert table.headers["content-type"] == "text/csv; charset=utf-8; header=present"
    assert table.headers["content-disposition"].startswith('attachment; filename="top-titles-20')
    assert list(csv.reader(io.StringIO(table.text, newline="")))[1][1:] == [
        "'=Emma", "George Eliot", "1",
    ]  # fmt: skip
    sheet = load_workbook(io.BytesIO((await get(accept=f"text/html, {XLSX};q=0.9")).content))
    assert sheet.worksheets[0]["B2"].value == "=Emma"
    paper = PdfReader(io.BytesIO((await get("pdf", accept="text/csv")).content))
    assert "=Emma" in paper.pages[0].extract_text()
    chart = await get(accept="image/svg+xml, text/csv;q=0.5")
    assert chart.headers["vary"] == "accept"
    assert ElementTree.fromstring(chart.content).get("role") == "img"
    for accept in ("*/*", "text/html", "text/csv;q=0, application/json", "text/csv;q=x"):
        assert (await get(accept=accept)).json()["items"][0]["title"] == "=Emma"


async def test_what_cannot_be_asked_is_refused(library: Library) -> None:
    listed = await soon(library, "", lambda told: told["items"])
    assert len(listed["items"]) == 13
    path = f"{API}/reports"
    for query, parameter in (
        ("top-titles?sort=title;drop", "sort"),
        ("top-titles?from=2026-02-02&to=2026-02-01", "to"),
        ("dead-stock?format=svg", "format"),
        ("top-titles?cursor=x", "cursor"),
    ):
        told = expect(await library.staff.get(f"{path}/{query}"), 422)
        assert [each["parameter"] for each in told["errors"]] == [parameter]
    for query in ("top-titles?from=yesterday", "top-titles?format=doc", "dead-stock?months=0"):
        expect(await library.staff.get(f"{path}/{query}"), 422)
    told = expect(await library.staff.get(f"{path}/profits"), 404)
    assert told["type"] == "/problems/no-such-report"
