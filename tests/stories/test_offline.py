"""The line is cut for an afternoon: the desk lends on, and sends later what it did."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

from tests.notebook import Notebook
from tests.stories.library import API, Library, expect

OFFLINE = f"{API}/offline"


async def registered(library: Library) -> Notebook:
    body = {"name": "Book bus", "branch_id": library.branch}
    answer = await library.staff.post(f"{OFFLINE}/desks", json=body)
    assert answer.headers["cache-control"] == "no-store"
    made = expect(answer, 201)
    shown = expect(await library.staff.get(answer.headers["location"]))
    assert shown == {name: value for name, value in made.items() if name != "key"}
    return Notebook.of(made)


def batch_of(notes: Notebook) -> dict[str, Any]:
    return {"id": str(uuid4()), "desk_id": notes.desk_id, "transactions": notes.tear_out()}


async def send(library: Library, batch: dict[str, Any], status: int = 200) -> Any:
    return expect(await library.staff.post(f"{OFFLINE}/transactions", json=batch), status)


async def test_an_afternoon_without_a_line(library: Library) -> None:
    ann, ben = await library.reader("Ann"), await library.patron("Ben")
    middlemarch, emma = await library.copy(), await library.copy()
    expect(await library.lend(emma, ben), 201)
    notes, began = await registered(library), datetime.now(UTC)
    notes.write("check-out", middlemarch["barcode"], ann.card, at=began)
    notes.write("check-in", emma["barcode"], at=began)
    notes.write("check-out", emma["barcode"], ann.card, at=began + timedelta(milliseconds=1))
    notes.write("check-out", "999-not-there", ann.card, at=began + timedelta(milliseconds=2))
    batch = batch_of(notes)

    first = await send(library, batch)
    assert [each["recorded"] for each in first["results"]] == [True, True, True, False]
    assert first["complete"] and await send(library, batch) == first
    loans = {each["copy_id"]: each for each in await library.loans_of(ann)}
    assert set(loans) == {middlemarch["id"], emma["id"]}
    lent_at = datetime.fromisoformat(loans[middlemarch["id"]]["lent_at"])
    assert abs(lent_at - began) < timedelta(milliseconds=2)
    assert await library.loans_of(ben) == []

    path = f"{OFFLINE}/conflicts?desk_id={notes.desk_id}"
    (conflict,) = expect(await library.staff.get(f"{path}&state=open"))["items"]
    assert (
        conflict["reasons"] == [{"code": "unknown-copy", "says": "No copy has this barcode."}]
        and conflict["patron_id"] == ann.id
    )
    late = await library.copy(barcode=f"late-{uuid4().hex[:8]}")
    settle = {"how": "record", "barcode": late["barcode"]}
    place = f"{OFFLINE}/conflicts/{conflict['id']}"
    settled = expect(await library.staff.post(f"{place}/settle", json=settle))
    assert settled["settled_as"] == "record" and len(await library.loans_of(ann)) == 3
    assert expect(await library.staff.get(place)) == settled
    assert expect(await library.staff.get(f"{path}&state=open"))["items"] == []

    listed = expect(await library.staff.get(f"{OFFLINE}/batches?desk_id={notes.desk_id}"))
    assert [each["id"] for each in listed["items"]] == [batch["id"]]
    assert expect(await library.staff.get(f"{OFFLINE}/batches/{batch['id']}")) == first
    expect(await ann.client.get(f"{OFFLINE}/conflicts"), 403)


async def test_ten_browsers_send_the_same_at_once(library: Library) -> None:
    ann, copies = await library.reader("Ann"), [await library.copy() for _ in range(3)]
    notes = await registered(library)
    for copy in copies:
        notes.write("check-out", copy["barcode"], ann.card, at=datetime.now(UTC))
    batch = batch_of(notes)
    answers = await asyncio.gather(*(send(library, batch) for _ in range(10)))
    assert all(each == answers[0] for each in answers)
    assert len(await library.loans_of(ann)) == 3


async def test_what_is_wrong_is_refused_and_changes_nothing(library: Library) -> None:
    ann, copy = await library.reader("Ann"), await library.copy()
    notes, began = await registered(library), datetime.now(UTC)
    notes.write("check-out", copy["barcode"], ann.card, at=began)
    batch = batch_of(notes)
    forged = {**batch["transactions"][0], "card_number": "1000000008"}
    told = await send(library, batch | {"transactions": [forged]}, 409)
    assert (told["type"], told["reason"]) == ("/problems/offline-refused", "bad-signature")
    notes.write("check-in", copy["barcode"], at=datetime.now(UTC))
    told = await send(library, batch_of(notes), 409)
    assert (told["reason"], told["sequence"], told["expected"]) == ("gap", 2, 1)
    await send(library, batch | {"desk_id": str(uuid4())}, 404)
    await send(library, batch | {"transactions": []}, 422)
    state = expect(await library.staff.get(f"{OFFLINE}/desks/{notes.desk_id}"))
    assert (state["next_sequence"], state["head"]) == (1, None)
    assert await library.loans_of(ann) == []
    expect(await library.staff.post(f"{OFFLINE}/desks/{notes.desk_id}/revoke"))
    assert (await send(library, batch, 409))["reason"] == "revoked"
    nothing = {"name": "New", "replaces": str(uuid4())}
    answer = await library.staff.post(f"{OFFLINE}/desks", json=nothing)
    assert expect(answer, 422)["errors"][0]["pointer"] == "#/replaces"
    replacing = {"name": "New bus", "replaces": notes.desk_id}
    new = Notebook.of(expect(await library.staff.post(f"{OFFLINE}/desks", json=replacing), 201))
    new.write("check-out", copy["barcode"], ann.card, at=began)
    assert (await send(library, batch_of(new)))["results"][0]["recorded"]
    assert len(await library.loans_of(ann)) == 1
    listed = expect(await library.staff.get(f"{OFFLINE}/desks?limit=100"))["items"]
    (mine,) = [each for each in listed if each["id"] == notes.desk_id]
    assert mine["revoked_at"] is not None
