"""What is told when something happens elsewhere, once; and what is forgotten with a person."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from lendery.contracts.accounts import PatronRemoved
from lendery.contracts.base import Event
from lendery.contracts.circulation import (
    FineCharged,
    FinePaid,
    HoldCancelled,
    HoldExpired,
    HoldReady,
    LoanRenewed,
)
from lendery.notices.models import TABLES
from lendery.notices.privacy import LIMITS
from lendery.platform.retention import enforce
from tests.mail_server import MailServer
from tests.notices.conftest import (
    A_DAY,
    ANN,
    BEN,
    MIDDLEMARCH,
    NOW,
    TODAY,
    Library,
    on_one_database,
    user,
)
from tests.notices.test_post_office import ready

OWN = ("message", "mail", "attempt", "preference", "bounce", "told")


def paid(settlement: Any) -> FinePaid:
    return FinePaid(at=NOW, line_id=uuid4(), borrower=uuid4(), settlement_id=settlement,
                    fine_id=uuid4(), amount=100, currency="EUR", method="cash")  # fmt: skip


async def test_hearing_it_twice_tells_it_once(library: Library) -> None:
    held = library.holds(state="cancelled")
    event = HoldCancelled(at=NOW, hold_id=held.hold_id, book_id=MIDDLEMARCH)
    await library.hears(event)
    await library.hears(event)
    assert await library.subjects() == ["Your hold was cancelled"]


async def test_a_payment_of_several_charges_has_one_receipt(library: Library) -> None:
    settlement = library.posts(method="cash")
    await library.hears(paid(settlement), paid(settlement))
    await library.hears(paid(settlement))
    assert await library.subjects() == ["Receipt: 3.50 EUR"]


@pytest.mark.parametrize(
    ("state", "kind"),
    [("ready", HoldReady), ("expired", HoldExpired), ("cancelled", HoldCancelled)],
)
@on_one_database
async def test_a_hold_that_has_gone_on_is_not_told_of(
    library: Library, state: str, kind: type[Event]
) -> None:
    for now, told in ((state, 1), ("fulfilled", 1)):
        held = library.holds(state=now)
        given = {"at": NOW, "hold_id": held.hold_id, "book_id": MIDDLEMARCH}
        more = {"copy_id": uuid4(), "branch_id": uuid4(), "expires_on": None}
        await library.hears(kind(**given | (more if kind is HoldReady else {})))
        assert len(await library.subjects()) == told


@pytest.mark.parametrize(("automatic", "told"), [(True, ["Renewed for you"]), (False, [])])
@on_one_database
async def test_only_what_the_clock_renewed_is_told_of(
    library: Library, automatic: bool, told: list[str]
) -> None:
    loan = library.lends(due_on=TODAY + 21 * A_DAY)
    await library.hears(
        LoanRenewed(at=NOW, loan_id=loan.loan_id, copy_id=uuid4(), due_at=loan.due_at,
                    renewals=1, automatic=automatic)
    )  # fmt: skip
    assert await library.subjects() == told


@pytest.mark.parametrize(("days", "told"), [(1, 0), (0, 1)])
@on_one_database
async def test_what_was_before_the_first_day_is_not_told_of(
    library: Library, server: MailServer, days: int, told: int
) -> None:
    careful = Library(library.db, server, notices_not_before=TODAY + days * A_DAY)
    await ready(careful)
    assert len(await careful.subjects()) == told


@on_one_database
async def test_an_event_that_was_long_on_its_way_is_in_the_inbox_only(library: Library) -> None:
    await ready(library)
    assert await library.sends(NOW + timedelta(days=7, seconds=1)) == 0
    (mail,) = await library.rows("mail")
    assert (mail.state, mail.why) == ("suppressed", "too-old")


async def test_with_a_person_goes_all_about_them(library: Library) -> None:
    library.server.replies["ann@readers.test"] = "550 no"
    await library.prefers(digest=True)
    await ready(library)
    await library.sends()
    await ready(library, BEN)
    assert ANN.id is not None
    before = {name: len(await library.rows(name)) for name in OWN}
    assert before == {
        "message": 2,
        "mail": 2,
        "attempt": 1,
        "preference": 1,
        "bounce": 1,
        "told": 0,
    }
    await library.hears(PatronRemoved(at=NOW, patron_id=ANN.id))
    kept = repr([await library.rows(name) for name in OWN])
    assert str(ANN.id) not in kept and ANN.id.hex not in kept
    assert len(await library.rows("message")) == len(await library.rows("mail")) == 1


async def test_nothing_that_is_kept_joins_a_person_to_what_it_is_about(library: Library) -> None:
    loan, held = library.lends(due_on=TODAY), library.holds(expires_on=TODAY)
    settlement = library.posts(method="cash")
    await library.reminds()
    await ready(library)
    await library.hears(paid(settlement))
    library.near.people[ANN.id] = user(ANN, "Ann", email="secret@readers.test")
    await library.sends()
    assert len(library.server.letters) == 3
    things = [loan.loan_id, held.hold_id, settlement, MIDDLEMARCH]
    for table in TABLES.event.metadata.sorted_tables:
        rows = [repr(row) for row in await library.rows(table.name.removeprefix("notices_"))]
        for row in rows:
            about_ann = str(ANN.id) in row
            assert not (about_ann and any(str(each) in row for each in things)), row
            assert "secret@" not in row and "Lee" not in row and "Middlemarch" not in row


async def test_what_is_old_is_thrown_away_and_stays_told(library: Library) -> None:
    library.lends(due_on=TODAY)
    desk: Any = library.near
    await library.reminds()
    await library.sends()
    for days, left in ((90, 1), (91, 0)):
        now, counted = NOW + days * A_DAY, []
        for dry_run in (True, False):
            past = await enforce(desk, {"notices": LIMITS}, now, dry_run=dry_run)
            counted.append({each.what: each.rows for each in past})
        assert counted == [{"notices": 1 - left, "mails": 1 - left}] * 2
        kept = [len(await library.rows(name)) for name in ("message", "mail", "attempt")]
        assert kept == [left] * 3
    await library.reminds()
    assert await library.subjects() == []


@on_one_database
async def test_who_was_removed_is_told_nothing_any_more(library: Library) -> None:
    """What happened before may be heard of late."""
    held = {state: library.holds(state=state) for state in ("ready", "expired", "cancelled")}
    on = {"at": NOW, "book_id": MIDDLEMARCH}
    where = {"copy_id": uuid4(), "branch_id": uuid4(), "expires_on": None}
    loan = library.lends(due_on=TODAY + 21 * A_DAY)
    settlement, fine = library.posts(method="cash"), library.posts(reason="card")
    del library.near.people[ANN.id]
    await library.hears(
        HoldReady(hold_id=held["ready"].hold_id, **on, **where),
        HoldExpired(hold_id=held["expired"].hold_id, **on),
        HoldCancelled(hold_id=held["cancelled"].hold_id, **on),
        LoanRenewed(at=NOW, loan_id=loan.loan_id, copy_id=uuid4(), due_at=loan.due_at,
                    renewals=1, automatic=True),
        paid(settlement),
        FineCharged(at=NOW, fine_id=fine, borrower=uuid4(), amount=350, currency="EUR",
                    cause="card"),
    )  # fmt: skip
    assert [await library.rows(name) for name in OWN] == [[]] * len(OWN)
