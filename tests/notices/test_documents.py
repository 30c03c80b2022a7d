"""Files that go by mail: once each, to those who may, and kept no longer than until then."""

import asyncio
from datetime import date, timedelta
from email.message import EmailMessage
from typing import Any, get_args
from uuid import UUID, uuid4

import pytest
from pydantic import TypeAdapter

from lendery.contracts.accounts import PatronRemoved
from lendery.contracts.base import TooLarge
from lendery.contracts.notices import (
    MOST_ATTACHED,
    Attachment,
    MailNotFailed,
    NoMailServer,
    ReportMail,
)
from lendery.contracts.reports import ReportName
from lendery.notices.built_in import LANGUAGES
from lendery.notices.documents import DocumentDesk
from lendery.notices.rules.timing import GIVE_UP
from tests.notices.conftest import ADA, ANN, LEA, NOW, Library, on_one_database, user
from tests.notices.test_post_office import mails

LEAS = "lea@readers.test"
ROWS = b"Day,Loans\r\n2026-03-01,7\r\n\xff\x00"
CSV = Attachment(name="loans.csv", media="text/csv; charset=utf-8; header=present", content=ROWS)


@pytest.fixture
def library(library: Library) -> Library:
    """With Lea, who may read reports."""
    lea = user(LEA, "Lea").model_copy(update={"role": "librarian"})
    library.near.people[lea.id] = lea
    return library


def report(who: Any = LEA, **but: Any) -> ReportMail:
    given: dict[str, Any] = {
        "person_id": who.id, "about": uuid4(), "step": "2026-03-01 2026-03-01",
        "time_zone": "Europe/Berlin", "report": "loans-by-day", "since_on": date(2026, 3, 1),
        "until_on": date(2026, 3, 1), "branch": None, "attachment": CSV,
        "path": "/api/v1/reports/loans-by-day?from=2026-03-01&to=2026-03-01",
    }  # fmt: skip
    return ReportMail(**given | but)


async def send(library: Library, mail: ReportMail) -> UUID | None:
    desk = DocumentDesk(library.db, library.near, library.settings)
    return await desk.send(mail=mail, now=NOW)


async def test_a_file_goes_with_the_mail_and_is_not_kept(library: Library) -> None:
    mail_id = await send(library, report())
    assert len(await library.rows("attachment")) == 1
    assert await library.sends() == 1
    (letter,) = library.server.to(LEAS)
    assert letter.message["Subject"] == "Report: Loans by day, 1 March 2026 to 1 March 2026"
    assert "Loans by day, all branches, 1 March 2026" in letter.text
    assert "The file comes with the e-mail." in letter.text
    (file,) = letter.message.iter_attachments()
    assert isinstance(file, EmailMessage)
    assert (file.get_filename(), file.get_content_type()) == ("loans.csv", "text/csv")
    assert file.get_payload(decode=True) == ROWS
    assert file["Content-Type"].params["charset"] == "utf-8"
    (mail,) = await mails(library)
    assert (mail.id, mail.state, mail.kinds) == (mail_id, "sent", ["report"])
    assert letter.id == mail.message_id
    assert await library.rows("attachment") == []
    assert await library.subjects(LEA) == [letter.message["Subject"]]


async def test_the_same_is_sent_once_however_many_ask(library: Library) -> None:
    mail = report()
    sent = await asyncio.gather(*(send(library, mail) for _ in range(4)))
    assert sum(each is not None for each in sent) == 1
    assert await send(library, report(about=mail.about, step="2026-03-02 2026-03-02"))
    assert await library.sends() == 2
    assert await send(library, mail) is None
    assert await library.sends() == 0


@on_one_database
async def test_a_report_that_is_too_long_is_told_without_a_file(library: Library) -> None:
    library.near.people[LEA.id] = library.near.people[LEA.id].model_copy(update={"language": "de"})
    await send(library, report(attachment=None, branch="Central"))
    await library.sends()
    (letter,) = library.server.to(LEAS)
    assert letter.message["Subject"] == "Bericht: Ausleihen nach Tag, 1. März 2026 bis 1. März 2026"
    assert "Central" in letter.text and "zu lang" in letter.text
    path = "/api/v1/reports/loans-by-day?from=2026-03-01&to=2026-03-01"
    assert f"https://library.test{path}" in letter.text
    assert list(letter.message.iter_attachments()) == []


@on_one_database
async def test_who_may_not_read_reports_any_more_gets_none(library: Library) -> None:
    await send(library, report())
    library.near.people[LEA.id] = user(LEA, "Lea")  # a reader by now
    assert await library.sends() == 0
    (mail,) = await mails(library)
    assert (mail.state, mail.why) == ("suppressed", "not-allowed")
    assert await library.rows("attachment") == []
    with pytest.raises(MailNotFailed):
        await library.mail_log.retry(mail_id=mail.id, actor=ADA, now=NOW)


async def test_a_person_who_is_removed_gets_nothing_and_leaves_nothing(library: Library) -> None:
    await send(library, report())
    await library.hears(PatronRemoved(at=NOW, patron_id=LEA.id))
    assert await library.rows("attachment") == await library.rows("mail") == []
    del library.near.people[LEA.id]
    assert await send(library, report()) is None
    assert await library.rows("attachment") == await library.rows("message") == []


@on_one_database
async def test_what_cannot_be_sent_is_not_kept(library: Library) -> None:
    big = CSV.model_copy(update={"content": bytes(MOST_ATTACHED + 1)})
    with pytest.raises(TooLarge):
        await send(library, report(attachment=big))
    await library.prefers(LEA, email={"report": False})
    assert await send(library, report())
    (mail,) = await mails(library)
    assert (mail.state, mail.why) == ("suppressed", "opted-out")
    library.settings = library.settings.model_copy(update={"smtp_host": None})
    with pytest.raises(NoMailServer):
        await send(library, report())
    assert await library.rows("attachment") == []
    assert len(await mails(library)) == 1


@on_one_database
async def test_a_file_waits_for_a_server_that_says_later(library: Library) -> None:
    library.server.replies[LEAS] = "450 4.2.1 later"
    await send(library, report())
    assert await library.sends() == 0
    assert len(await library.rows("attachment")) == 1
    await library.sends(NOW + GIVE_UP)
    assert [each.state for each in await mails(library)] == ["failed"]
    assert await library.rows("attachment") == []


@on_one_database
async def test_only_staff_are_asked_whether_they_want_reports(library: Library) -> None:
    assert "report" not in (await library.inbox.preferences(actor=ANN)).email
    assert (await library.inbox.preferences(actor=LEA)).email["report"]


def test_bytes_travel_as_they_are() -> None:
    every = CSV.model_copy(update={"content": bytes(range(256))})
    adapter = TypeAdapter(ReportMail)
    sent = report(attachment=every)
    assert adapter.validate_json(adapter.dump_json(sent)) == sent


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_report_has_a_name(language: str) -> None:
    assert set(get_args(ReportName)) <= set(LANGUAGES[language].WORDS)


def test_a_step_has_room_for_a_period() -> None:
    far = date(9999, 12, 31)
    assert report(step=f"{far - timedelta(days=30)} {far}").step
