"""Reminders: each step of each loan once for ever, whoever asks and how often."""

import asyncio
from datetime import date, timedelta

import pytest

from lendery.contracts.accounts import Expiring
from lendery.contracts.base import Window
from lendery.notices import reminding
from tests.mail_server import MailServer
from tests.notices.conftest import A_DAY, ANN, BEN, NOW, TODAY, Library, on_one_database


async def test_loans_of_one_reader_at_the_same_step_are_told_in_one_notice(
    library: Library,
) -> None:
    for _ in range(3):
        library.lends(ANN, TODAY + 3 * A_DAY)
    library.lends(ANN, TODAY - A_DAY)
    library.lends(ANN, TODAY + 4 * A_DAY)
    library.lends(BEN, TODAY + 2 * A_DAY)
    await library.reminds()
    assert sorted(await library.subjects(ANN)) == ["Due soon", "Overdue: please return"]
    assert await library.subjects(BEN) == ["Bald fällig"]
    page = await library.inbox.inbox(unread=False, window=Window(), actor=ANN)
    soon = next(each.body for each in page.items if each.kind == "due-soon")
    assert soon.startswith("3 items will be due soon:") and soon.count("5 March 2026") == 3


@on_one_database
async def test_each_step_is_told_once_and_all_come_in_turn(library: Library) -> None:
    library.lends(ANN, TODAY)
    for days in range(-5, 60):
        for _ in range(2):
            await library.reminds(NOW + timedelta(days=days, hours=1))
    assert (await library.subjects(ANN))[::-1] == [
        "Due soon", "Overdue: please return", "Second reminder: overdue",
        "Last reminder: overdue",
    ]  # fmt: skip


async def test_a_renewed_loan_has_steps_of_its_own(library: Library) -> None:
    loan = library.lends(ANN, TODAY + A_DAY)
    await library.reminds()
    library.near.loans = [
        loan.model_copy(update={"due_on": TODAY + 22 * A_DAY, "due_at": loan.due_at + 21 * A_DAY})
    ]
    await library.reminds(NOW + A_DAY)
    assert await library.subjects(ANN) == ["Due soon"]
    await library.reminds(NOW + 20 * A_DAY)
    assert await library.subjects(ANN) == ["Due soon"] * 2


async def test_many_who_remind_at_once_tell_once_whatever_the_page(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reminding, "PAGE", 3)
    for _ in range(10):
        library.lends(ANN, TODAY + A_DAY)
    await asyncio.gather(*(library.reminds() for _ in range(3)))
    page = await library.inbox.inbox(unread=False, window=Window(), actor=ANN)
    told = sum(each.body.count("3 March 2026") for each in page.items)
    assert told == 10 == len(await library.rows("told"))


@on_one_database
async def test_a_migration_sends_no_flood(library: Library, server: MailServer) -> None:
    library.lends(ANN, TODAY - 5 * A_DAY)
    library.lends(ANN, TODAY - 40 * A_DAY)
    library.lends(BEN, TODAY - A_DAY)
    library.near.cards = [Expiring(patron_id=BEN.id, expires_on=TODAY)]  # type: ignore[arg-type]
    later = Library(library.db, server, notices_not_before=TODAY + A_DAY)
    today = Library(library.db, server, notices_not_before=TODAY)
    for each in (later, today):
        each.near.loans, each.near.cards = library.near.loans, library.near.cards
    await later.reminds()
    assert await library.rows("message") == []
    await today.reminds()
    assert await library.subjects(ANN) == []
    assert sorted(await library.subjects(BEN)) == [
        "Ihr Bibliotheksausweis läuft bald ab", "Überfällig: bitte zurückgeben",
    ]  # fmt: skip


@on_one_database
async def test_holds_and_cards_that_end_are_told_of_once(library: Library) -> None:
    library.holds(ANN, expires_on=TODAY + A_DAY)
    library.holds(BEN, expires_on=TODAY + 2 * A_DAY)
    assert ANN.id is not None
    library.near.cards = [Expiring(patron_id=ANN.id, expires_on=date(2026, 3, 20))]
    for _ in range(2):
        await library.reminds()
    assert sorted(await library.subjects(ANN)) == [
        "Please collect soon", "Your library card expires soon",
    ]  # fmt: skip
    assert await library.subjects(BEN) == []


async def test_a_courtesy_offers_a_way_out_of_its_kind(library: Library) -> None:
    library.lends(ANN, TODAY + A_DAY)
    library.lends(ANN, TODAY - A_DAY)
    await library.reminds()
    assert await library.sends() == 2
    found = {each.message["Subject"]: each for each in library.server.letters}
    assert found["Overdue: please return"].message["List-Unsubscribe"] is None
    soon = found["Due soon"].message
    assert soon["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    link = soon["List-Unsubscribe"].strip("<>")
    assert link in found["Due soon"].text
    token = link.removeprefix("https://library.test/api/v1/notices/unsubscribe/")

    assert await library.inbox.unsubscribing(token=token) == ["due-soon"]
    assert (await library.inbox.preferences(actor=ANN)).email["due-soon"]
    for _ in range(2):
        assert await library.inbox.unsubscribe(token=token, now=NOW) == ["due-soon"]
    prefers = await library.inbox.preferences(actor=ANN)
    assert not prefers.email["due-soon"] and prefers.email["hold-expiring"]
    library.lends(ANN, TODAY + 2 * A_DAY)
    await library.reminds()
    assert await library.sends() == 0
    assert (await library.subjects(ANN)).count("Due soon") == 2, "the inbox still shows it"


@on_one_database
async def test_titles_are_told_where_the_library_wants_it(
    library: Library, server: MailServer
) -> None:
    open_one = Library(library.db, server, notices_titles=True)
    open_one.lends(ANN, TODAY - A_DAY)
    await open_one.reminds()
    page = await open_one.inbox.inbox(unread=False, window=Window(), actor=ANN)
    assert "“Middlemarch”, due on 1 March 2026 (Central)" in page.items[0].body
