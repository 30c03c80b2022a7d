"""Reports by e-mail, on both databases and with a real mail server: what arrives, and when."""

from datetime import date, datetime, timedelta
from io import BytesIO
from typing import Any

import pytest
from openpyxl import load_workbook
from pypdf import PdfReader

from lendery.contracts.notices import NoMailServer
from lendery.reports import mailing
from lendery.reports.forms import MOST
from tests.reports.mailed import SIX, Mailed, file_of, on_one_database, table_of

A_DAY, A_MINUTE = timedelta(days=1), timedelta(minutes=1)


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
