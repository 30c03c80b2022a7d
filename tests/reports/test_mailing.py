"""Reports by e-mail, on both databases and with a real mail server: once for each period."""

import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from datetime import date, datetime, timedelta
from io import BytesIO
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
import pytest_asyncio
from openpyxl import load_workbook
from pypdf import PdfReader

from lendery.contracts.base import Invalid, NotAllowed, PeerUnavailable, Stale, Window
from lendery.contracts.notices import NoMailServer, ReportMail
from lendery.contracts.permissions import SYSTEM, Actor
from lendery.contracts.subscriptions import (
    NewSubscription,
    NoSuchSubscription,
    TooManySubscriptions,
)
from lendery.reports import mailing, subscriptions
from lendery.reports.forms import MOST
from tests.mail_server import MailServer
from tests.reports.mailed import Mailed, file_of, table_of, wired
from tests.reports.town import OPENED, Town

ROOT = Path(__file__).parents[2]
A_DAY, A_MINUTE = timedelta(days=1), timedelta(minutes=1)
SIX = OPENED.replace(hour=6) + A_DAY  # of the day after a Monday on which there was a loan
on_one_database = pytest.mark.parametrize("url", ["sqlite"], indirect=True)


@pytest.fixture(scope="session")
def post() -> Iterator[MailServer]:
    with MailServer.open() as server:
        yield server


@pytest_asyncio.fixture
async def mailed(url: str, post: MailServer) -> AsyncIterator[Mailed]:
    """One loan on Monday at Central; Lea works there."""
    post.letters.clear()
    wiring = wired(url, post.port)
    try:
        town = await Town(wiring).open()
        await town.settle(copies=3)
        await town.lend(next(iter(town.copies)), next(iter(town.readers)), 2)
        made = Mailed(town, post)
        await made.hire("Lea")
        yield made
    finally:
        await wiring.close()


async def mine(mailed: Mailed, who: Actor) -> list[UUID]:
    page = await mailed.wiring.subscriptions.find(window=Window(), actor=who)
    return [each.id for each in page.items]


# -- What is mailed -------------------------------------------------------------------------------


async def test_each_day_is_mailed_once_to_who_asked_for_it(mailed: Mailed) -> None:
    made = await mailed.subscribe(mailed.staff["Lea"])
    assert made.next_at == SIX
    assert await mailed.at(SIX - A_MINUTE) == []
    (letter,) = await mailed.at(SIX)
    assert letter.to == "lea@staff.test"
    assert letter.message["Subject"] == "Report: Loans by day, 5 January 2026 to 5 January 2026"
    assert "Loans by day, Central" in letter.text
    assert file_of(letter).get_filename() == "loans-by-day-2026-01-05-2026-01-05.csv"
    assert file_of(letter).get_content_type() == "text/csv"
    assert table_of(letter) == [["2026-01-05", "1", "0", "0"]]
    assert await mailed.at(SIX + A_MINUTE) == []
    (empty,) = await mailed.at(SIX + A_DAY)
    assert table_of(empty) == [], "nothing happened on Tuesday"


async def test_what_was_missed_is_made_up_for_by_the_newest_alone(mailed: Mailed) -> None:
    made = await mailed.subscribe(mailed.staff["Lea"])
    (letter,) = await mailed.at(SIX + 5 * A_DAY)
    assert "10 January 2026" in letter.message["Subject"]
    kept = await mailed.wiring.subscriptions.get(subscription_id=made.id, actor=mailed.staff["Lea"])
    assert kept.next_at == SIX + 6 * A_DAY
    assert kept.version == made.version, "nobody changed it"


@pytest.mark.parametrize(
    ("but", "first", "since", "until"),
    [
        ({"every": "week", "weekday": "mon"}, SIX + 6 * A_DAY, date(2026, 1, 5), date(2026, 1, 11)),
        (
            {"every": "month", "day": 1},
            datetime.fromisoformat("2026-02-01T06:00Z"),
            date(2026, 1, 1),
            date(2026, 1, 31),
        ),
    ],
)
async def test_weeks_and_months_are_whole(
    mailed: Mailed, but: Any, first: datetime, since: date, until: date
) -> None:
    made = await mailed.subscribe(mailed.staff["Lea"], **but)
    assert made.next_at == first
    (letter,) = await mailed.at(first)
    assert file_of(letter).get_filename() == f"loans-by-day-{since}-{until}.csv"
    assert table_of(letter) == [["2026-01-05", "1", "0", "0"]]


@on_one_database
async def test_the_clock_of_the_branch_counts(mailed: Mailed) -> None:
    """In Auckland it is seven in the evening when it is six in the morning of Greenwich."""
    auckland = await mailed.subscribe(
        mailed.staff["Lea"], branch_id=mailed.town.branches[0], hour=19
    )
    everywhere = await mailed.subscribe(mailed.staff["Lea"], branch_id=None, hour=19)
    assert auckland.next_at == SIX
    assert everywhere.next_at == SIX + timedelta(hours=-11), "the library's own is UTC"


@on_one_database
async def test_every_form_opens(mailed: Mailed) -> None:
    lea = mailed.staff["Lea"]
    for form in ("xlsx", "pdf", "svg"):
        await mailed.subscribe(lea, form=form)
    await mailed.subscribe(lea, report="collection-age", per="year", branch_id=None)
    files = {
        str(file_of(letter).get_filename()).rpartition(".")[2]: file_of(letter)
        for letter in await mailed.at(SIX)
    }
    content: Any = {form: file.get_payload(decode=True) for form, file in files.items()}
    assert load_workbook(BytesIO(content["xlsx"])).worksheets[0]["B2"].value == 1
    assert "Loans by day" in PdfReader(BytesIO(content["pdf"])).pages[0].extract_text()
    assert files["svg"].get_content_type() == "image/svg+xml" and b"<svg" in content["svg"]
    assert content["csv"].decode().splitlines()[1].startswith("1985,")


@on_one_database
@pytest.mark.parametrize("why", ["rows", "bytes"])
async def test_what_is_too_long_is_told_and_not_cut(
    mailed: Mailed, monkeypatch: pytest.MonkeyPatch, why: str
) -> None:
    if why == "rows":
        monkeypatch.setitem(MOST, "csv", 2)
    else:
        monkeypatch.setattr(mailing, "MOST_ATTACHED", 20)
    await mailed.subscribe(
        mailed.staff["Lea"], report="turnover-by-branch", branch_id=None, sort="-lent"
    )
    (letter,) = await mailed.at(SIX)
    assert list(letter.message.iter_attachments()) == []
    path = "/api/v1/reports/turnover-by-branch?from=2026-01-05&to=2026-01-05"
    assert "too long" in letter.text and path in letter.text


async def test_it_can_be_tried_at_once(mailed: Mailed) -> None:
    lea = mailed.staff["Lea"]
    made = await mailed.subscribe(lea)
    sent = await mailed.wiring.subscriptions.send(
        subscription_id=made.id, actor=lea, now=SIX - A_MINUTE
    )
    assert (sent.since, sent.attached) == (date(2026, 1, 4), True)
    (tried,) = await mailed.at(SIX - A_MINUTE)
    assert tried.id.startswith(f"<{sent.mail_id}@")
    (due,) = await mailed.at(SIX)
    assert table_of(due) == [["2026-01-05", "1", "0", "0"]], "it comes all the same"


@on_one_database
async def test_without_a_mail_server_a_try_says_so_and_what_is_due_passes(mailed: Mailed) -> None:
    lea = mailed.staff["Lea"]
    made = await mailed.subscribe(lea)
    mailed.wiring.settings.smtp_host = None
    with pytest.raises(NoMailServer):
        await mailed.wiring.subscriptions.send(subscription_id=made.id, actor=lea, now=SIX)
    assert await mailed.at(SIX) == []
    kept = await mailed.wiring.subscriptions.get(subscription_id=made.id, actor=lea)
    assert kept.next_at == SIX + A_DAY


# -- Once, whatever happens -----------------------------------------------------------------------


async def killed(url: str, port: int) -> None:
    """The whole life of a worker that is killed when notices has the report and it cannot know."""
    wiring = wired(url, port)
    documents = wiring.documents

    class Deadly:
        async def send(self, *, mail: ReportMail, now: datetime) -> UUID | None:
            await documents.send(mail=mail, now=now)
            os.kill(os.getpid(), signal.SIGKILL)
            return None

    await replace(wiring.mailer, documents=Deadly()).send_due(now=SIX)


async def test_killed_between_giving_and_moving_on_it_is_mailed_once(
    mailed: Mailed, url: str
) -> None:
    await mailed.subscribe(mailed.staff["Lea"])
    await mailed.wiring.relay.drain()
    command = [sys.executable, "-m", __name__, url, str(mailed.server.port)]
    path = os.pathsep.join([str(ROOT / "src"), str(ROOT)])
    for _ in range(2):
        done = subprocess.run(
            command, cwd=ROOT, env={**os.environ, "PYTHONPATH": path}, check=False, timeout=120
        )
        assert done.returncode == -signal.SIGKILL
    (letter,) = await mailed.at(SIX + A_MINUTE)
    assert table_of(letter) == [["2026-01-05", "1", "0", "0"]]
    assert await mailed.at(SIX + 2 * A_MINUTE) == []


async def test_one_that_fails_stops_no_other_and_is_tried_again(mailed: Mailed) -> None:
    first = await mailed.subscribe(mailed.staff["Lea"])
    await mailed.subscribe(await mailed.hire("Leo"))
    documents = mailed.wiring.documents

    class Away:
        async def send(self, *, mail: ReportMail, now: datetime) -> UUID | None:
            if mail.about == first.id:
                raise PeerUnavailable("No answer.")
            return await documents.send(mail=mail, now=now)

    await mailed.wiring.relay.drain()
    with pytest.raises(PeerUnavailable):
        await replace(mailed.wiring.mailer, documents=Away()).send_due(now=SIX)
    assert {each.to for each in await mailed.at(SIX + A_MINUTE)} == {
        "lea@staff.test", "leo@staff.test",
    }  # fmt: skip
    assert await mailed.at(SIX + 2 * A_MINUTE) == []


async def test_what_was_sent_is_not_sent_again_at_another_hour(mailed: Mailed) -> None:
    lea = mailed.staff["Lea"]
    made = await mailed.subscribe(lea)
    assert len(await mailed.at(SIX)) == 1
    await mailed.wiring.subscriptions.change(
        subscription_id=made.id, changes={"hour": 18}, actor=lea, now=SIX
    )
    assert await mailed.at(SIX + timedelta(hours=12)) == []
    assert len(await mailed.at(SIX + timedelta(hours=36))) == 1


# -- Whose it is ----------------------------------------------------------------------------------


@pytest.mark.parametrize("how", ["demoted", "inactive", "removed", "unheard"])
async def test_who_may_not_read_reports_any_more_gets_none(mailed: Mailed, how: str) -> None:
    lea = mailed.staff["Lea"]
    await mailed.hire("Leo")
    await mailed.subscribe(lea)
    await mailed.subscribe(mailed.staff["Leo"])
    users: Any = mailed.wiring.users
    now = mailed.town.now
    if how in ("removed", "unheard"):
        await users.remove(user_id=lea.id, actor=SYSTEM, now=now)
    else:
        changes = {"role": "reader"} if how == "demoted" else {"active": False}
        await users.change(user_id=lea.id, changes=changes, actor=SYSTEM, now=now)
    if how == "unheard":
        await mailed.wiring.mailer.send_due(now=SIX)
    (letter,) = await mailed.at(SIX)
    assert letter.to == "leo@staff.test"
    assert await mine(mailed, lea) == [], "it has ended"


async def test_an_export_lists_them_and_an_erasure_takes_them(mailed: Mailed) -> None:
    lea = mailed.staff["Lea"]
    made = await mailed.subscribe(lea)
    assert lea.id is not None
    export = await mailed.wiring.privacy.export(user_id=lea.id, actor=lea, now=OPENED)
    (row,) = export.records["reports"]["report subscriptions"]
    assert (row["id"], row["report"], row["hour"]) == (str(made.id), "loans-by-day", 6)
    erasure = await mailed.wiring.privacy.erase(user_id=lea.id, actor=SYSTEM, now=OPENED)
    await mailed.wiring.relay.drain()
    erasure = await mailed.wiring.privacy.erasure(user_id=lea.id, actor=SYSTEM)
    (part,) = [each for each in erasure.parts if each.context == "reports"]
    assert (part.state, part.left) == ("done", [])
    assert await mailed.at(SIX) == []


async def test_each_sees_their_own(mailed: Mailed) -> None:
    lea, leo = mailed.staff["Lea"], await mailed.hire("Leo")
    made, other = await mailed.subscribe(lea), await mailed.subscribe(leo)
    desk: Any = mailed.wiring.subscriptions
    assert (await mine(mailed, lea), await mine(mailed, leo)) == ([made.id], [other.id])
    theirs = {"subscription_id": made.id, "actor": leo}
    for refused in (
        desk.get(**theirs),
        desk.change(**theirs, changes={"hour": 7}, now=OPENED),
        desk.remove(**theirs, now=OPENED),
        desk.send(**theirs, now=OPENED),
    ):
        with pytest.raises(NoSuchSubscription):
            await refused
    assert await desk.get(subscription_id=made.id, actor=lea) == made
    ann = Actor(id=UUID(int=9), role="reader")
    with pytest.raises(NotAllowed):
        await desk.find(window=Window(), actor=ann)
    with pytest.raises(NotAllowed):
        await mailed.subscribe(SYSTEM)


async def test_a_change_is_checked_as_a_whole_and_by_version(mailed: Mailed) -> None:
    lea, desk = mailed.staff["Lea"], mailed.wiring.subscriptions
    made = await mailed.subscribe(lea)
    one: Any = {"subscription_id": made.id, "actor": lea, "now": OPENED}
    for wrong in ({"every": "week"}, {"hour": None}, {"report": "money", "form": "svg"}):
        with pytest.raises(Invalid):
            await desk.change(**one, changes=wrong)
    with pytest.raises(Stale):
        await desk.change(**one, changes={"hour": 7}, version=2)
    assert await desk.get(subscription_id=made.id, actor=lea) == made
    monthly = {"every": "month", "day": "last", "branch_id": None, "hour": 0}
    changed = await desk.change(**one, changes=monthly, version=1)
    assert await desk.get(subscription_id=made.id, actor=lea) == changed
    assert (changed.day, changed.branch_id, changed.version) == ("last", None, 2)
    assert changed.next_at == datetime.fromisoformat("2026-01-31T00:00Z")
    numbered = await desk.change(**one, changes={"day": 7}, version=2)
    assert (await desk.get(subscription_id=made.id, actor=lea)).day == numbered.day == 7
    with pytest.raises(Stale):
        await desk.remove(**one, version=1)
    await desk.remove(**one, version=3)
    assert await mine(mailed, lea) == []


async def test_they_come_in_pages_and_not_without_end(
    mailed: Mailed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(subscriptions, "MOST", 3)
    lea, desk = mailed.staff["Lea"], mailed.wiring.subscriptions
    made = [(await mailed.subscribe(lea)).id for _ in range(3)]
    with pytest.raises(TooManySubscriptions):
        await mailed.subscribe(lea)
    first = await desk.find(window=Window(limit=2, total=True), actor=lea)
    rest = await desk.find(window=Window(limit=2, after=first.next_cursor), actor=lea)
    assert [each.id for each in (*first.items, *rest.items)] == made
    assert (first.total, rest.next_cursor) == (3, None)
    assert NewSubscription.model_fields.keys() < type(first.items[0]).model_fields.keys()


if __name__ == "__main__":
    import asyncio

    asyncio.run(killed(sys.argv[1], int(sys.argv[2])))
