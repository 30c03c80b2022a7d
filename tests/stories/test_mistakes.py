"""Things go wrong: a mistake is undone, a copy is lost and found, a long loan is called back."""

import asyncio
from typing import Any
from uuid import uuid4

from tests.stories.library import API, Library, expect


async def undo(library: Library, event_id: str, status: int = 200) -> Any:
    answer = await library.staff.post(f"{API}/undo", json={"event_id": event_id})
    return expect(answer, status)


async def status(library: Library, copy: dict[str, Any]) -> str:
    found: str = expect(await library.staff.get(f"{API}/copies/{copy['id']}"))["status"]
    return found


async def test_the_desk_undoes_what_was_a_mistake(library: Library) -> None:
    ann, copy = await library.reader("Ann"), await library.copy()
    loan = expect(await library.lend(copy, ann), 201)
    assert (await undo(library, loan["event_id"]))["what"] == "check-out"
    assert await status(library, copy) == "available"
    assert await library.loans_of(ann) == []
    expect(await ann.client.post(f"{API}/undo", json={"event_id": loan["event_id"]}), 403)

    loan = expect(await library.lend(copy, ann), 201)
    taken = expect(await library.take_back(copy))
    assert await undo(library, taken["event_id"]) == await undo(library, taken["event_id"])
    assert await status(library, copy) == "on-loan"
    expect(await library.take_back(copy))
    assert (await undo(library, loan["event_id"], 409))["reason"] == "returned-since"
    missing = await library.staff.post(f"{API}/undo", json={"event_id": str(uuid4())})
    assert expect(missing, 404)["type"] == "/problems/no-such-event"


async def test_a_lost_copy_is_paid_for_and_found(library: Library) -> None:
    await library.rule("lost_fee", 200, category=library.category)
    ann = await library.reader("Ann")
    copy = await library.copy(price={"amount": 1500, "currency": "EUR"})
    expect(await library.lend(copy, ann), 201)
    path = f"{API}/copies/{copy['id']}"
    lost = expect(await library.staff.post(f"{path}/flags", json={"flag": "lost"}))
    assert lost["status"] == "lost"
    account = expect(await library.staff.get(f"{API}/users/{ann.id}/account"))
    assert account["owed"]["amount"] == 1700
    found = expect(await library.take_back(copy))
    assert (found["refunded"]["amount"], found["loan"]) == (1500, None)
    history = expect(await library.staff.get(f"{path}/history"))
    assert [each["ended_as"] for each in history["items"]] == ["lost"]


async def test_who_waits_calls_a_long_loan_back(library: Library) -> None:
    for name, value in (("recall_after", 2), ("recall_due_in", 1)):
        await library.rule(name, value, category=library.category)
    ann, ben = await library.reader("Ann"), await library.reader("Ben")
    copy = await library.copy()
    loan = expect(await library.lend(copy, ann), 201)
    wanted = {"book_id": copy["book_id"], "pickup_branch_id": library.branch}
    held = expect(await ben.client.post(f"{API}/holds", json=wanted), 201)
    why = expect(await ben.client.get(f"{API}/holds/{held['id']}/why"))
    assert (why["code"], why["position"]) == ("all-out", 1)
    for _ in range(200):  # it is called back by what listens to the log
        called = expect(await library.staff.get(f"{API}/loans/{loan['id']}"))
        if called["recalled_at"]:
            break
        await asyncio.sleep(0.02)
    assert called["recalled_at"] and called["due_at"] < loan["due_at"]
    listed = expect(await library.staff.get(f"{API}/recalls?limit=100"))
    assert loan["id"] in [each["id"] for each in listed["items"]]
    refused = expect(await ann.client.post(f"{API}/loans/{loan['id']}/renew"), 409)
    assert refused["reason"] == "recalled"
