"""The till: what a patron owes, and settling it at the desk."""

import asyncio
from datetime import UTC, datetime
from typing import Any

from lendery.contracts.base import Money, new_id
from lendery.contracts.circulation import NewWaiver
from lendery.contracts.permissions import SYSTEM, Actor

from .conftest import NASTY, Browser, Library, Page
from .test_catalogue import assert_harmless


def path_of(library: Library, who: str = "Ann Reed") -> str:
    return f"/staff/patrons/{library.people[who].id}/account"


def form_of(page: Page, do: str, **more: Any) -> dict[str, Any]:
    return {"token": page.token, "key": page.value("key"), "do": do} | more


async def balance(library: Library, who: str = "Ann Reed") -> int:
    return (await library.account(who)).balance.amount


async def test_who_never_owed_has_an_empty_account(library: Library, desk: Browser) -> None:
    page = await desk.see(path_of(library))
    assert "Owes nothing" in page.text and "No open charges." in page.text
    assert "Nothing was ever charged here." in page.text
    for absent in ("Take payment", "Pay back credit", "Waive"):
        assert absent not in page.text


async def test_ann_pays_what_she_owes_and_a_double_click_pays_once(
    library: Library, desk: Browser
) -> None:
    await library.charge("Ann Reed", 300, "Torn page")
    await library.charge("Ann Reed", 120)
    page = await desk.see(path_of(library))
    assert "Owes 4.20 EUR" in page.text and "Torn page" in page.text
    assert page.value("pay-amount") == "4.20"
    form = form_of(page, "pay", **{"pay-amount": "1.20", "method": "card"})
    twice = [desk.send(path_of(library), form) for _ in range(2)]
    first, again = await asyncio.gather(*twice)
    for answer in (first, again, await desk.send(path_of(library), form)):
        assert answer.response.status_code == 200
        assert "Payment taken: 1.20 EUR by card. 3.00 EUR is still owed." in answer.text
    assert await balance(library) == 300
    page = await desk.send(path_of(library), form_of(again, "pay", **{"pay-amount": "3"}))
    assert "Payment taken: 3.00 EUR in cash. Nothing is owed now." in page.text
    assert "Owes nothing" in page.text and await balance(library) == 0
    kinds = [line.kind for line in (await library.account("Ann Reed")).items]
    assert kinds.count("payment") == 3, "one line for each charge that it settles"
    assert "Payment, card" in page.text and "-1.20 EUR" in page.text and "Lea Moss" in page.text


async def test_only_the_ticked_fines_are_paid(library: Library, desk: Browser) -> None:
    first, second = await library.charge("Ann Reed", 300), await library.charge("Ann Reed", 120)
    page = await desk.see(path_of(library))
    form = form_of(page, "pay", **{"pay-amount": "4.20", "fine": [str(second.id)]})
    refused = await desk.send(path_of(library), form)
    assert refused.response.status_code == 409 and await balance(library) == 420
    assert "Give 1.20 EUR or less." in refused.text
    assert refused.value("pay-amount") == "1.20", "the ticked are what it is preset to now"
    ticked = [a["value"] for t, a in refused.elements if t == "input" and "checked" in a]
    assert ticked == [str(second.id)]
    form = form_of(refused, "pay", **{"pay-amount": "1.20", "fine": ticked})
    await desk.send(path_of(library), form)
    open_fines = (await library.account("Ann Reed")).fines
    assert [(each.id, each.outstanding.amount) for each in open_fines] == [(first.id, 300)]


async def test_what_cannot_be_paid_is_said_and_nothing_is_taken(
    library: Library, desk: Browser
) -> None:
    await library.charge("Ann Reed", 300)
    page = await desk.see(path_of(library))
    for typed, status, says in (
        ("3.01", 409, "Not paid: 3.01 EUR is more than what is owed. Give 3.00 EUR or less."),
        ("0", 409, "the amount must be above zero"),
        ("", 422, "Write the amount like 4.20."),
        ("-1", 422, "Write the amount like 4.20."),
        ("1.005", 422, "Write the amount like 4.20."),
    ):
        page = await desk.send(path_of(library), form_of(page, "pay", **{"pay-amount": typed}))
        assert page.response.status_code == status and says in page.text, typed
        assert await balance(library) == 300, typed
    assert "There is a problem" in page.text and 'href="#pay-amount"' in page.response.text


async def test_a_form_sent_before_with_another_amount_does_nothing(
    library: Library, desk: Browser
) -> None:
    await library.charge("Ann Reed", 300)
    form = form_of(await desk.see(path_of(library)), "pay", **{"pay-amount": "1"})
    await desk.send(path_of(library), form)
    page = await desk.send(path_of(library), form | {"pay-amount": "2"})
    assert page.response.status_code == 409 and "This form was sent before" in page.text
    assert await balance(library) == 200


async def test_a_form_without_its_key_or_token_does_nothing(
    library: Library, desk: Browser
) -> None:
    await library.charge("Ann Reed", 300)
    form = form_of(await desk.see(path_of(library)), "pay", **{"pay-amount": "3"})
    for key in ("", "short", "späte-bücher-überall"):
        page = await desk.send(path_of(library), form | {"key": key})
        assert page.response.status_code == 422 and "Nothing was" in page.text, key
    page = await desk.send(path_of(library), form | {"token": "0" * 40})
    assert page.response.status_code == 403
    assert await balance(library) == 300


async def test_a_fine_is_waived_in_one_click(library: Library, desk: Browser) -> None:
    fine = await library.charge("Ann Reed", 300)
    other = await library.charge("Ann Reed", 100)
    page = await desk.see(path_of(library))
    reason = {f"waive-{fine.id}": "Reader was ill"}
    form = form_of(page, f"waive:{fine.id}", **reason)
    for _ in range(2):
        page = await desk.send(path_of(library), form)
        assert page.response.status_code == 200 and "Waived: Charge" in page.text
    assert "Reader was ill" in page.text and await balance(library) == 100
    empty = await desk.send(path_of(library), form_of(page, f"waive:{other.id}"))
    assert empty.response.status_code == 422 and "Say why" in empty.text
    assert await balance(library) == 100
    late = form_of(page, f"waive:{fine.id}", **reason)
    refused = await desk.send(path_of(library), late)
    assert refused.response.status_code == 409 and "nothing of this charge is owed" in refused.text


async def test_a_wrong_charge_becomes_credit_that_is_paid_back(
    library: Library, desk: Browser
) -> None:
    fine = await library.charge("Ann Reed", 300, "Never lost")
    page = await desk.see(path_of(library))
    page = await desk.send(path_of(library), form_of(page, "pay", **{"pay-amount": "1"}))
    empty = await desk.send(path_of(library), form_of(page, f"cancel:{fine.id}"))
    assert empty.response.status_code == 422 and f'href="#cancel-{fine.id}"' in empty.response.text
    assert await balance(library) == 200
    why = {f"cancel-{fine.id}": "It stood here all the time"}
    page = await desk.send(path_of(library), form_of(page, f"cancel:{fine.id}", **why))
    assert "Charge cancelled:" in page.text and "Has 1.00 EUR of credit" in page.text
    assert page.value("refund-amount") == "1.00"
    back = {"refund-amount": "1.01", "refund-reason": "Credit"}
    refused = await desk.send(path_of(library), form_of(page, "refund", **back))
    assert refused.response.status_code == 409 and "Give 1.00 EUR or less." in refused.text
    form = form_of(refused, "refund", **back | {"refund-amount": "1.00"})
    for _ in range(2):
        page = await desk.send(path_of(library), form)
        assert "Paid back: 1.00 EUR in cash." in page.text
    assert await balance(library) == 0


async def test_something_is_charged_by_hand_once(library: Library, desk: Browser) -> None:
    page = await desk.see(path_of(library))
    given = {"charge-amount": "12,50", "reason": "damaged", "note": "Coffee"}
    form = form_of(page, "charge", **given)
    for _ in range(2):
        page = await desk.send(path_of(library), form)
        assert "Charged: 12.50 EUR. Damaged , Coffee" in page.text
    (fine,) = (await library.account("Ann Reed")).fines
    assert (fine.amount.amount, fine.reason, fine.note) == (1250, "damaged", "Coffee")
    page = await desk.send(path_of(library), form_of(page, "charge", **{"charge-amount": "0"}))
    assert page.response.status_code == 409 and await balance(library) == 1250


async def test_what_was_typed_stays_when_nothing_was_charged(
    library: Library, desk: Browser
) -> None:
    page = await desk.see(path_of(library))
    given = {"reason": "damaged", "note": "Coffee"}
    for typed, status in (("12.345", 422), ("0", 409)):
        form = form_of(page, "charge", **{"charge-amount": typed}, **given)
        page = await desk.send(path_of(library), form)
        assert page.response.status_code == status and await balance(library) == 0
        assert (page.value("charge-amount"), page.value("note")) == (typed, "Coffee")
        chosen = [a["value"] for t, a in page.elements if t == "option" and "selected" in a]
        assert chosen == ["damaged"], "how and what for are chosen once more otherwise"
        assert any(t == "details" and "open" in a for t, a in page.elements)
    page = await desk.send(
        path_of(library), form_of(page, "charge", **{"charge-amount": "3"}, **given)
    )
    assert (page.value("charge-amount"), page.value("note")) == ("", ""), "it is done"


async def test_a_mistyped_payment_or_refund_is_there_to_be_corrected(
    library: Library, desk: Browser
) -> None:
    fine = await library.charge("Ann Reed", 300)
    page = await desk.see(path_of(library))
    page = await desk.send(path_of(library), form_of(page, "pay", **{"pay-amount": "1.2O"}))
    assert page.value("pay-amount") == "1.2O"
    await desk.send(path_of(library), form_of(page, "pay", **{"pay-amount": "1"}))
    why = {f"cancel-{fine.id}": "It stood here"}
    page = await desk.send(path_of(library), form_of(page, f"cancel:{fine.id}", **why))
    wrong = {"refund-amount": "1..", "refund-reason": "Never lost"}
    page = await desk.send(path_of(library), form_of(page, "refund", **wrong))
    assert {name: page.value(name) for name in wrong} == wrong
    assert await balance(library) == -100


async def test_cancelling_says_no_more_than_was_taken_back(library: Library, desk: Browser) -> None:
    fine = await library.charge("Ann Reed", 300)
    forgiven = NewWaiver(amount=Money(amount=120), reason="First time")
    now = datetime.now(UTC)
    await library.wiring.fees.waive(fine_id=fine.id, waiver=forgiven, actor=SYSTEM, now=now)
    page = await desk.see(path_of(library))
    why = {f"cancel-{fine.id}": "It stood here"}
    page = await desk.send(path_of(library), form_of(page, f"cancel:{fine.id}", **why))
    notice = page.text[page.text.index("Charge cancelled:") :].split("recorded.")[0]
    assert "3.00" not in notice, "1.20 of it had been forgiven"
    assert "-1.80 EUR" in page.text and await balance(library) == 0


async def test_a_late_loan_is_not_owed_yet(library: Library, desk: Browser) -> None:
    await library.rule("fine", 20)
    await library.lend("00123", "Ann Reed", days_ago=24)
    page = await desk.see(path_of(library))
    assert "Not owed yet: 0.60 EUR" in page.text and "Owes nothing" in page.text
    assert "Middlemarch" in page.text
    page = await desk.see(path_of(library).removesuffix("/account"))
    assert "0.60 EUR so far, not owed yet" in page.text
    await library.take_back("00123")
    page = await desk.see(path_of(library))
    assert "Owes 0.60 EUR" in page.text and "Returned late: Middlemarch" in page.text


async def test_lines_are_in_pages_newest_first(library: Library, desk: Browser) -> None:
    for number in range(21):
        await library.charge("Ann Reed", 100, f"note {number:02}")
    page = await desk.see(path_of(library))
    lines = page.text[page.text.index("All lines") :]
    assert lines.index("note 20") < lines.index("note 01") and "note 00" not in lines
    older = next(a["href"] for t, a in page.elements if a.get("rel") == "next")
    page = await desk.see(older.split("#")[0])
    lines = page.text[page.text.index("All lines") :]
    assert "note 00" in lines and "note 01" not in lines and "Newest" in lines


async def test_a_fine_of_somebody_else_is_not_touched_here(library: Library, desk: Browser) -> None:
    fine = await library.charge("Cas Berg", 300)
    page = await desk.see(path_of(library))
    for do, field in (("waive", "waive"), ("cancel", "cancel")):
        form = form_of(page, f"{do}:{fine.id}", **{f"{field}-{fine.id}": "Wrong person"})
        answer = await desk.send(path_of(library), form)
        assert answer.response.status_code == 404, do
    assert await balance(library, "Cas Berg") == 300


async def test_readers_stay_away_from_the_till(library: Library, ann: Browser) -> None:
    await library.charge("Ann Reed", 300)
    await library.charge("Cas Berg", 500)
    token = (await ann.see("/my")).token
    for who in ("Ann Reed", "Cas Berg"):
        page = await ann.see(path_of(library, who))
        assert page.response.status_code == 403 and "EUR" not in page.text
        form = {"token": token, "key": "0123456789abcdef", "do": "pay", "pay-amount": "3"}
        page = await ann.send(path_of(library, who), form)
        assert page.response.status_code == 403
    assert (await balance(library), await balance(library, "Cas Berg")) == (300, 500)
    page = await ann.see("/my")
    assert "You owe 3.00 EUR." in page.text and "5.00" not in page.text


async def test_notes_on_an_account_are_only_shown(library: Library, desk: Browser) -> None:
    for text in NASTY:
        await library.charge("Ann Reed", 100, text)
    page = await desk.see(path_of(library))
    assert all(text in "".join(page.words) for text in NASTY)
    assert_harmless(page)


async def test_what_was_undone_and_what_a_lost_copy_cost_has_its_words(
    library: Library, desk: Browser
) -> None:
    now, system = datetime.now(UTC), Actor(id=new_id(), role="admin")
    fine = await library.charge("Ann Reed", 300)
    waiver = NewWaiver(amount=Money(amount=100), reason="First time")
    fees = library.wiring.fees
    waived = await fees.waive(fine_id=fine.id, waiver=waiver, now=now, actor=system)
    assert waived.event_id is not None
    await library.wiring.corrections.undo(event_id=waived.event_id, now=now, actor=system)
    await library.rule("lost_fee", 250)
    await library.lend("00123", "Ann Reed")
    copy = await library.wiring.copies.by_barcode(barcode="00123")
    assert copy is not None
    await library.wiring.copy_states.flag(copy_id=copy.id, flag="lost", now=now, actor=system)
    page = await desk.see(path_of(library))
    assert "Undone" in page.text and "Fee for a lost copy" in page.text
    assert "Written off" not in page.text
    assert await balance(library) == 300 + 250
