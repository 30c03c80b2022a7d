"""The cash desk: a drawer is opened, money goes through it, and it is counted."""

import asyncio
from datetime import UTC, datetime
from typing import Any

import pytest

from lendery.contracts.base import Money, Window
from lendery.contracts.circulation import CashSession, CashSessionFilter, NewCashSession
from lendery.contracts.permissions import SYSTEM

from .conftest import Browser, Library, Page

PATH = "/staff/cash"


def form_of(page: Page, do: str, **more: Any) -> dict[str, Any]:
    return {"token": page.token, "key": page.value("key"), "do": do} | more


async def sessions(library: Library) -> list[CashSession]:
    """The newest first."""
    cash = library.wiring.cash_sessions
    like = CashSessionFilter()
    return list((await cash.find(like=like, window=Window(limit=100), actor=SYSTEM)).items)


async def begin(library: Library, name: str, *, north: bool = False) -> CashSession:
    """Somebody else opens a desk."""
    branch = library.north if north else library.central
    opening = NewCashSession(branch_id=branch.id, desk=name, opening_float=Money(amount=1_000))
    now = datetime.now(UTC)
    return await library.wiring.cash_sessions.open(opening=opening, actor=SYSTEM, now=now)


async def test_a_day_at_the_cash_desk(library: Library, desk: Browser) -> None:
    page = await desk.see(PATH)
    assert "Cash desk: Central" in page.text and "No cash desk is open here." in page.text
    opened = await desk.send(PATH, form_of(page, "open", desk="Front", float="50"))
    assert "front is open, with 50.00 EUR." in opened.text and "Lea Moss" in opened.text
    (session,) = await sessions(library)
    await library.charge("Ann Reed", 700)
    account = f"/staff/patrons/{library.people['Ann Reed'].id}/account"
    page = await desk.see(account)
    paid = form_of(page, "pay", **{"pay-amount": "4.20", "method": "cash", "desk": "front"})
    assert "Payment taken: 4.20 EUR in cash." in (await desk.send(account, paid)).text
    page = await desk.see(PATH)
    assert "Float: 50.00 EUR. Now expected: 54.20 EUR." in page.text
    assert "Payments, cash" in page.text
    counted = f"counted-{session.id}"
    form = form_of(page, f"close:{session.id}", **{counted: "54"})
    for closed in await asyncio.gather(*[desk.send(PATH, form) for _ in range(2)]):
        assert closed.response.status_code == 200, "a double click closes once"
        assert "front is closed: 54.00 EUR counted, 54.20 EUR expected." in closed.text
        assert "Missing: 0.20 EUR." in closed.text
    page = await desk.see(PATH)
    assert "front: 4.20 EUR in cash" in page.text and "No cash desk is open here." in page.text
    (found,) = await sessions(library)
    assert found.difference == Money(amount=-20)


@pytest.mark.parametrize(
    ("typed", "says"),
    [
        ({"desk": "front", "float": "some"}, "Write the amount like 4.20."),
        ({"desk": "front", "float": ""}, "Write the amount like 4.20."),
        ({"desk": "two words", "float": "1"}, "Give the desk a name"),
        ({"desk": "", "float": "1"}, "Give the desk a name"),
    ],
)
async def test_what_is_missing_is_said_and_kept(
    library: Library, desk: Browser, typed: dict[str, str], says: str
) -> None:
    page = await desk.see(PATH)
    answer = await desk.send(PATH, form_of(page, "open", **typed))
    assert answer.response.status_code == 422 and says in answer.text
    assert answer.value("desk") == typed["desk"] and await sessions(library) == []


async def test_what_cannot_be_is_refused(library: Library, desk: Browser) -> None:
    session = await begin(library, "front")
    page = await desk.see(PATH)
    again = await desk.send(PATH, form_of(page, "open", desk="front", float="1"))
    assert again.response.status_code == 409 and "Close it first." in again.text
    counted = f"counted-{session.id}"
    wrong = await desk.send(PATH, form_of(again, f"close:{session.id}", **{counted: "x"}))
    assert wrong.response.status_code == 422 and wrong.value(counted) == "x"
    form = form_of(wrong, f"close:{session.id}", **{counted: "10"})
    assert "Nothing is missing." in (await desk.send(PATH, form)).text
    late = await desk.send(PATH, form_of(page, f"close:{session.id}", **{counted: "9"}))
    assert late.response.status_code == 409 and "was closed before" in late.text
    for which in ("", "nothing", str(library.central.id)):
        form = form_of(late, f"close:{which}", **{f"counted-{library.central.id}": "1"})
        assert (await desk.send(PATH, form)).response.status_code == 409
    assert len(await sessions(library)) == 1


async def test_with_two_drawers_the_account_asks_which(library: Library, desk: Browser) -> None:
    await library.charge("Ann Reed", 700)
    account = f"/staff/patrons/{library.people['Ann Reed'].id}/account"
    assert "Cash desk</label>" not in (await desk.see(account)).response.text
    front, back = await begin(library, "front"), await begin(library, "back")
    await begin(library, "north", north=True)
    page = await desk.see(account)
    options = [each.get("value") for tag, each in page.elements if tag == "option"]
    assert "" in options and "north" not in page.response.text
    amount = {"pay-amount": "1", "method": "cash"}
    asked = await desk.send(account, form_of(page, "pay", desk="", **amount))
    assert asked.response.status_code == 409 and "Say at which branch and desk" in asked.text
    await desk.send(account, form_of(asked, "pay", desk="back", **amount))
    totals = {each.id: each.expected.amount for each in await sessions(library)}
    assert (totals[front.id], totals[back.id]) == (1_000, 1_100)


async def test_another_branch_has_its_own_drawers(library: Library, desk: Browser) -> None:
    await begin(library, "front", north=True)
    page = await desk.see(PATH)
    assert "No cash desk is open here." in page.text
    moved = {"token": page.token, "branch": str(library.north.id), "mode": "cash"}
    await desk.send("/staff/branch", moved)
    page = await desk.see(PATH)
    assert "Cash desk: North" in page.text and "Float: 10.00 EUR." in page.text


async def test_readers_and_strangers_see_no_drawers(library: Library, ann: Browser) -> None:
    assert (await ann.see(PATH)).response.status_code == 403
    page = await ann.see("/my")
    form = {"token": page.token, "key": "k" * 24, "do": "open", "desk": "front", "float": "1"}
    assert (await ann.send(PATH, form)).response.status_code == 403
    assert await sessions(library) == []
