"""What is done by the clock, as staff see it; administrators run a job out of turn."""

import asyncio
from datetime import UTC, datetime

from sqlalchemy import select, update

from lendery.main import TABLES

from .browser import Browser, Page
from .conftest import Library

SLOT = TABLES["circulation"].slots.slot
HOLDS = "circulation/expire-holds"


async def all_ran(library: Library, desk: Browser) -> Page:
    """The page, once what is due at the start was done."""
    for _ in range(500):
        page = await desk.see("/staff/jobs")
        if "never" not in page.text and "due now" not in page.text and "runs now" not in page.text:
            return page
        await asyncio.sleep(0.02)
    raise AssertionError(page.text)


async def test_staff_see_what_ran_and_how_it_went(library: Library, desk: Browser) -> None:
    page = await all_ran(library, desk)
    assert "Expire holds circulation every 10 minutes" in page.text
    assert "Find duplicates catalog every hour" in page.text
    assert "Forget old slots accounts every day" in page.text
    assert "failed" not in page.text and page.buttons("circulation") == []
    refused = await desk.send("/staff/jobs", {"token": page.token, "job": HOLDS})
    assert refused.response.status_code == 403
    db = library.wiring.db
    async with db.begin() as tx:
        failed = {"state": "failed", "attempts": 2, "error": "RuntimeError: it is in the log."}
        await tx.run(update(SLOT).where(SLOT.c.job == "expire holds").values(**failed))
    async with db.read() as session:
        run = await session.row(select(SLOT).where(SLOT.c.job == "expire holds"))
    page = await desk.see("/staff/jobs")
    assert f"failed RuntimeError: it is in the log. 2 attempts run {run.id}" in page.text


async def test_an_administrator_runs_a_job_out_of_turn(library: Library) -> None:
    await library.register("Ada", "ada@example.org", "P-9", role="admin")
    ada = library.browser()
    await ada.sign_in("ada@example.org")
    page = await all_ran(library, ada)
    assert HOLDS in page.buttons("circulation")
    before = datetime.now(UTC)
    done = await ada.send("/staff/jobs", {"token": page.token, "job": HOLDS})
    assert done.response.headers["location"] == "/staff/jobs?started=expire%20holds#told"
    page = await ada.see("/staff/jobs?started=expire%20holds")
    assert "Asked for: expire holds." in page.text
    await all_ran(library, ada)
    async with library.wiring.db.read() as session:
        newest = select(SLOT).where(SLOT.c.job == "expire holds").order_by(SLOT.c.slot_at.desc())
        row = await session.row(newest)
    assert row.slot_at >= before and row.state == "done"
    wrong = await ada.send("/staff/jobs", {"token": page.token, "job": "circulation/nothing"})
    assert wrong.response.status_code == 404 and "There is no such job." in wrong.text


async def test_readers_do_not_see_them(library: Library, ann: Browser) -> None:
    assert (await ann.see("/staff/jobs")).response.status_code == 403
