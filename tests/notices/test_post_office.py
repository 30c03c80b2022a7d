"""Mails on their way: once each, whatever the server says, and what is noted of them."""

import asyncio
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from lendery.contracts.base import Window
from lendery.contracts.circulation import FineCharged, HoldCancelled, HoldReady
from lendery.contracts.notices import Mail, MailFilter, MailNotFailed
from lendery.notices.rules.timing import GIVE_UP
from tests.mail_server import MailServer
from tests.notices.conftest import (
    ANN,
    BEN,
    LEA,
    MIDDLEMARCH,
    NOW,
    Actor,
    Library,
    on_one_database,
    user,
)

A_MINUTE = timedelta(minutes=1)
ANNS = "ann@readers.test"


async def ready(library: Library, who: Actor = ANN, **but: Any) -> None:
    held = library.holds(who, **but)
    await library.hears(
        HoldReady(
            at=NOW, hold_id=held.hold_id, book_id=MIDDLEMARCH, copy_id=uuid4(),
            branch_id=uuid4(), expires_on=held.expires_on,
        )
    )  # fmt: skip


async def mails(library: Library) -> list[Mail]:
    page = await library.mail_log.find(like=MailFilter(), window=Window(), actor=LEA)
    return [await library.mail_log.get(mail_id=each.id, actor=LEA) for each in page.items]


async def test_a_hold_that_is_ready_is_told_in_the_inbox_and_by_mail(library: Library) -> None:
    await ready(library)
    assert await library.subjects() == ["Ready to be collected"]
    assert await library.sends() == 1
    (letter,) = library.server.letters
    assert (letter.sender, letter.to) == ("library@library.test", ANNS)
    assert letter.message["To"] == f"Ann Lee <{ANNS}>"
    assert letter.message["From"] == "Riverside <library@library.test>"
    assert letter.message["Subject"] == "Ready to be collected"
    assert letter.text.startswith("Dear Ann Lee,\n\nThe item you reserved is ready")
    assert "Central, until 9 March 2026." in letter.text
    assert letter.message["Auto-Submitted"] == "auto-generated"
    assert letter.message["List-Unsubscribe"] is None, "what was asked for is no list"
    (mail,) = await mails(library)
    assert (mail.state, mail.tries, mail.kinds) == ("sent", 1, ["hold-ready"])
    assert letter.id == mail.message_id == f"<{mail.id}@library.test>"
    assert [(each.no, each.outcome, each.code) for each in mail.attempts or ()] == [
        (1, "sent", 250)
    ]
    assert await library.sends(NOW + timedelta(days=1)) == 0


@on_one_database
async def test_each_reader_reads_it_in_their_own_language(library: Library) -> None:
    await ready(library, BEN)
    await library.sends()
    (letter,) = library.server.to("ben@readers.test")
    assert letter.message["Subject"] == "Zur Abholung bereit"
    assert letter.message["Content-Language"] == "de"
    assert "Guten Tag Ben Lee" in letter.text and "bis 9. März 2026" in letter.text
    assert await library.subjects(BEN) == ["Zur Abholung bereit"]
    await library.prefers(BEN, language="en")
    assert await library.subjects(BEN) == ["Ready to be collected"]


async def test_many_workers_send_each_mail_once(library: Library) -> None:
    for _ in range(30):
        await ready(library)
    sent = await asyncio.gather(*(library.sends() for _ in range(4)))
    assert sum(sent) == len(library.server.letters) == 30
    assert len({each.id for each in library.server.letters}) == 30


@pytest.mark.parametrize(
    ("reply", "state", "outcome"),
    [
        ("450 4.2.1 busy, try ann@readers.test later", "queued", "later"),
        ("550 5.1.1 there is no ann@readers.test", "bounced", "bounced"),
    ],
)
async def test_what_the_server_says_of_an_address_counts(
    library: Library, reply: str, state: str, outcome: str
) -> None:
    library.server.replies[ANNS] = reply
    await ready(library)
    await ready(library, BEN)
    assert await library.sends() == 1, "the others get theirs"
    found = {each.patron_id: each for each in await mails(library)}
    mail = found[ANN.id]  # type: ignore[index]
    assert mail.state == state
    (attempt,) = mail.attempts or ()
    assert (attempt.outcome, attempt.code) == (outcome, int(reply[:3]))
    kept = repr([await library.rows(name) for name in ("mail", "attempt", "bounce", "message")])
    assert "readers.test" not in kept and "Lee" not in kept
    if state == "queued":
        assert mail.next_at == NOW + A_MINUTE
        library.server.replies.clear()
        assert await library.sends(NOW + A_MINUTE) == 1
        assert library.server.to(ANNS)[0].id == mail.message_id


async def test_an_address_that_refuses_gets_no_more_until_it_is_another_one(
    library: Library,
) -> None:
    library.server.replies[ANNS] = "550 5.1.1 unknown"
    await ready(library)
    await library.sends()
    library.server.replies.clear()
    await ready(library)
    assert await library.sends() == 0
    states = [(each.state, each.why) for each in await mails(library)]
    assert states == [("suppressed", "bounced"), ("bounced", "address refused")]
    assert (await library.inbox.preferences(actor=ANN)).bounced

    library.near.people[ANN.id] = user(ANN, "Ann", email="anna@readers.test")
    await ready(library)
    assert await library.sends() == 1
    assert not (await library.inbox.preferences(actor=ANN)).bounced


async def test_staff_trust_an_address_again(library: Library) -> None:
    library.server.replies[ANNS] = "553 no"
    await ready(library)
    await library.sends()
    (bounce,) = (await library.mail_log.bounces(window=Window(), actor=LEA)).items
    assert (bounce.patron_id, bounce.code) == (ANN.id, 553)
    library.server.replies.clear()
    assert ANN.id is not None
    await library.mail_log.clear(patron_id=ANN.id, actor=LEA, now=NOW)
    (mail,) = await mails(library)
    await library.mail_log.retry(mail_id=mail.id, actor=LEA, now=NOW)
    assert await library.sends() == 1
    (mail,) = await mails(library)
    assert [each.outcome for each in mail.attempts or ()] == ["bounced", "sent"]
    with pytest.raises(MailNotFailed):
        await library.mail_log.retry(mail_id=mail.id, actor=LEA, now=NOW)


async def test_a_server_that_is_away_is_asked_again_and_given_up_after_days(
    library: Library,
) -> None:
    away = Library(library.db, library.server, smtp_port=1)
    for _ in range(3):
        await ready(away)
    assert await away.sends() == 0
    assert sorted(each.tries for each in await mails(away)) == [0, 0, 1], "one try tells"
    assert await library.sends(NOW + A_MINUTE) == 3
    await ready(away)
    now, tries = NOW, 0
    while (mail := (await mails(away))[0]).state == "queued":
        assert mail.next_at is not None and tries < 50
        now, tries = mail.next_at, tries + 1
        await away.sends(now)
    assert mail.state == "failed"
    assert GIVE_UP - timedelta(hours=4) < now - NOW <= GIVE_UP


@on_one_database
async def test_content_that_is_refused_is_no_fault_of_the_address(library: Library) -> None:
    library.server.refuses = "554 5.7.1 looks like spam"
    await ready(library)
    await library.sends()
    (mail,) = await mails(library)
    assert (mail.state, mail.why) == ("failed", "content refused")
    assert await library.rows("bounce") == []


@on_one_database
async def test_a_server_that_cannot_prove_itself_gets_no_mail(library: Library) -> None:
    careful = Library(library.db, library.server, smtp_tls="starttls")
    await ready(careful)
    assert await careful.sends() == 0 and library.server.letters == []
    assert [each.state for each in await mails(careful)] == ["queued"]


async def test_without_a_mail_server_there_is_the_inbox_and_it_is_said(
    library: Library, server: MailServer
) -> None:
    quiet = Library(library.db, server, smtp_host=None)
    await ready(quiet)
    page = await quiet.inbox.inbox(unread=True, window=Window(total=True), actor=ANN)
    assert (page.mail, page.unread, page.total) == (False, 1, 1)
    assert not (await quiet.inbox.preferences(actor=ANN)).mail
    assert await quiet.sends() == 0
    assert await library.sends() == 0, "a server that is set up later sends no flood"
    assert [(each.state, each.why) for each in await mails(quiet)] == [("suppressed", "no-server")]


async def test_a_digest_holds_what_may_wait_and_goes_out_once(library: Library) -> None:
    await library.prefers(digest=True)
    for _ in range(2):
        held = library.holds(state="cancelled")
        await library.hears(HoldCancelled(at=NOW, hold_id=held.hold_id, book_id=MIDDLEMARCH))
    fine = library.posts(reason="late")
    await library.hears(
        FineCharged(at=NOW, fine_id=fine, borrower=uuid4(), amount=350, currency="EUR",
                    cause="late")
    )  # fmt: skip
    await ready(library)
    assert await library.sends() == 1, "what is ready does not wait"
    digest = (await mails(library))[-1]
    assert digest.kinds == ["hold-cancelled", "hold-cancelled", "charge-added"]
    assert digest.next_at is not None and digest.next_at.hour == 7, "eight in Berlin"
    assert await library.sends(digest.next_at - A_MINUTE) == 0
    assert await library.sends(digest.next_at) == 1
    letter = library.server.letters[-1]
    assert letter.id == digest.message_id and letter.message["Subject"].startswith("3 notices")
    assert letter.text.count("Your hold was cancelled") == 2 and "3.50 EUR" in letter.text

    held = library.holds(state="cancelled")
    late = digest.next_at - A_MINUTE  # told when the digest of that day is gone already
    await library.hears(HoldCancelled(at=late, hold_id=held.hold_id, book_id=MIDDLEMARCH))
    assert await library.sends(digest.next_at) == 1
    assert library.server.letters[-1].message["Subject"] == "Your hold was cancelled"


@on_one_database
async def test_no_mail_goes_out_in_quiet_hours(library: Library) -> None:
    await library.prefers(quiet_from="09:00", quiet_until="18:30")  # it is ten in Berlin
    await ready(library)
    assert await library.sends() == 0
    (mail,) = await mails(library)
    assert (mail.state, mail.tries) == ("queued", 0)
    assert mail.next_at == NOW.replace(hour=17, minute=30)
    assert await library.sends(mail.next_at) == 1


@pytest.mark.parametrize(
    ("name", "email", "arrives"),
    [
        ("Zoë 图书馆 שלום", "zoe@readers.test", "zoe@readers.test"),
        ('Ann "the" O\\Lee, jr.', "o'lee+books@readers.test", "o'lee+books@readers.test"),
        ("Ann", "ann@bücher.test", "ann@xn--bcher-kva.test"),
        ("Jürgen", "jürgen@readers.test", "jürgen@readers.test"),
        ("Two", "one,two@readers.test", '"one,two"@readers.test'),
        ("Odd", "<odd>@readers.test", '"<odd>"@readers.test'),
        ("Far", f"far@{'x' * 70}.test", None),
    ],
)
@on_one_database
async def test_no_name_or_address_stops_the_mails_behind_it(
    library: Library, name: str, email: str, arrives: str | None
) -> None:
    assert ANN.id is not None
    odd = user(ANN, "Ann").model_copy(update={"name": name, "email": email})
    library.near.people[ANN.id] = odd
    await ready(library)
    await ready(library, BEN)
    sent = await library.sends()
    assert len(library.server.to("ben@readers.test")) == 1
    (mail,) = [each for each in await mails(library) if each.patron_id == ANN.id]
    assert (mail.state, mail.why, sent) == (
        ("failed", "cannot be written", 1) if arrives is None else ("sent", None, 2)
    )
    if arrives is not None:
        (letter,) = library.server.to(arrives)
        (address,) = letter.message["To"].addresses
        shown = str(address.display_name), str(address.addr_spec)
        told = [each.encode(errors="surrogateescape").decode() for each in shown]  # SMTPUTF8
        assert told == [name, arrives]
        assert f"Dear {name}," in letter.text
