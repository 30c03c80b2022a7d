"""A desk's day: opened with a float, money comes and goes, counted; and the totals of the day."""

import csv
import io
from typing import Any
from uuid import uuid4

from tests.stories.library import API, Library, expect
from tests.stories.test_fees import charged, euros

SESSIONS = f"{API}/cash-sessions"


async def opened(library: Library, desk: str, amount: int = 5_000) -> Any:
    body = {"branch_id": library.branch, "desk": desk, "opening_float": euros(amount)}
    return expect(await library.staff.post(SESSIONS, json=body), 201)


async def pay(library: Library, patron_id: str, amount: int, **but: Any) -> Any:
    body = {"patron_id": patron_id, "amount": euros(amount), "branch_id": library.branch, **but}
    return expect(await library.staff.post(f"{API}/payments", json=body), 201)


async def count(library: Library, session: dict[str, Any], amount: int) -> Any:
    path = f"{SESSIONS}/{session['id']}/close"
    return expect(await library.staff.post(path, json={"counted": euros(amount)}))


async def test_a_day_at_the_cash_desk(library: Library) -> None:
    ann = await library.reader("Ann")
    await charged(library, ann, 2_000)
    front = await opened(library, "front")
    body = {"branch_id": library.branch, "desk": "Front", "opening_float": euros(0)}
    twice = expect(await library.staff.post(SESSIONS, json=body), 409)
    assert (twice["type"], twice["reason"]) == ("/problems/cash-session-refused", "open-already")

    paid = await pay(library, ann.id, 700, desk="front")
    assert paid["cash_session_id"] == front["id"]
    mistake = await pay(library, ann.id, 100)
    back = {"event_id": mistake["event_id"]}
    expect(await library.staff.post(f"{API}/undo", json=back))
    await pay(library, ann.id, 300, method="card")
    late = await pay(library, ann.id, 50)
    found = await count(library, front, 5_740)
    assert (found["expected"], found["difference"]) == (euros(5_750), euros(-10))
    assert [(t["kind"], t["method"], t["count"], t["amount"]) for t in found["totals"]] == [
        ("payment", "cash", 3, euros(850)),
        ("payment", "card", 1, euros(300)),
        ("reversal", "cash", 1, euros(-100)),
    ]
    path = f"{SESSIONS}/{front['id']}"
    again = await library.staff.post(f"{path}/close", json={"counted": euros(1)})
    assert expect(again, 409)["reason"] == "closed-before"

    refused = {"patron_id": ann.id, "amount": euros(1), "branch_id": library.branch}
    refused |= {"desk": "front"}
    answer = await library.staff.post(f"{API}/payments", json=refused)
    assert expect(answer, 409)["reason"] == "desk-closed"
    evening = await opened(library, "front", 100)
    expect(await library.staff.post(f"{API}/undo", json={"event_id": late["event_id"]}))
    assert expect(await library.staff.get(path)) == found, "what was counted stays"
    assert (await count(library, evening, 50))["difference"] == euros(0)
    lines = expect(await library.staff.get(f"{path}/lines?limit=100&total=exact"))
    assert lines["total"] == 5 and ann.id not in str(lines)
    listed = expect(await library.staff.get(f"{SESSIONS}?branch_id={library.branch}&open=false"))
    assert [each["id"] for each in listed["items"]] == [evening["id"], front["id"]]

    totals = f"{SESSIONS}/totals?branch_id={library.branch}"
    day = expect(await library.staff.get(totals))
    (desk,) = day["desks"]
    assert (desk["desk"], desk["cash"]) == ("front", euros(850 - 100 - 50))
    assert len(desk["sessions"]) == 2 and day["branches"][0]["cash"] == desk["cash"]
    as_csv = await library.staff.get(totals, headers={"accept": "text/csv"})
    assert as_csv.headers["content-type"] == "text/csv; charset=utf-8"
    rows = list(csv.DictReader(io.StringIO(as_csv.text)))
    assert [(r["desk"], r["kind"], r["method"], r["count"], r["amount"]) for r in rows] == [
        ("front", "payment", "cash", "3", "8.50"),
        ("front", "payment", "card", "1", "3.00"),
        ("front", "reversal", "cash", "2", "-1.50"),
    ]
    assert {(r["on"], r["branch_id"], r["currency"]) for r in rows} == {
        (day["on"], library.branch, "EUR")
    }
    assert (await library.staff.get(f"{totals}&format=csv")).text == as_csv.text


async def test_sent_twice_a_desk_is_opened_and_closed_once(library: Library) -> None:
    body = {"branch_id": library.branch, "desk": "stall", "opening_float": euros(10)}
    key = {"idempotency-key": uuid4().hex}
    first, second = [
        expect(await library.staff.post(SESSIONS, json=body, headers=key), 201) for _ in range(2)
    ]
    assert first == second
    path, key = f"{SESSIONS}/{first['id']}/close", {"idempotency-key": uuid4().hex}
    counted = {"counted": euros(10)}
    closed, again = [
        expect(await library.staff.post(path, json=counted, headers=key)) for _ in range(2)
    ]
    assert closed == again and closed["difference"] == euros(0)


async def test_what_makes_no_sense_is_refused(library: Library) -> None:
    where = {"branch_id": library.branch, "opening_float": euros(0)}
    for desk in ("", "two words", "-", "a" * 65, "Café"):
        expect(await library.staff.post(SESSIONS, json=where | {"desk": desk}), 422)
    nowhere = where | {"desk": "front", "branch_id": str(uuid4())}
    expect(await library.staff.post(SESSIONS, json=nowhere), 422)
    missing = await library.staff.get(f"{SESSIONS}/{uuid4()}")
    assert expect(missing, 404)["type"] == "/problems/no-such-cash-session"
    for query in ("on=9999-12-31", "on=0001-01-01", "on=tomorrow", "format=pdf"):
        expect(await library.staff.get(f"{SESSIONS}/totals?{query}"), 422)
    expect(await library.staff.get(f"{SESSIONS}/totals?branch_id={uuid4()}"), 422)


async def test_what_is_taken_at_most_can_be_shown(library: Library) -> None:
    """The most that can be typed in, many times over: all of it adds up and is told."""
    most, ann = 10**9, await library.reader("Ann")
    front = await opened(library, "front", most)
    for _ in range(3):
        await charged(library, ann, most)
    account = expect(await library.staff.get(f"{API}/users/{ann.id}/account"))
    assert (account["balance"], account["owed"]) == (euros(3 * most), euros(3 * most))
    for method in ("cash", "card", "card"):
        paid = await pay(library, ann.id, most, method=method, desk="front")
    assert paid["balance"] == euros(0)
    path = f"{SESSIONS}/{front['id']}"
    assert expect(await library.staff.get(path))["expected"] == euros(2 * most)
    listed = expect(await library.staff.get(f"{SESSIONS}?branch_id={library.branch}"))["items"]
    assert [each["expected"] for each in listed] == [euros(2 * most)]
    day = expect(await library.staff.get(f"{SESSIONS}/totals?branch_id={library.branch}"))
    assert day["branches"][0]["cash"] == euros(most)
    assert (await count(library, front, most))["difference"] == euros(-most)


async def test_more_than_can_be_added_up_is_refused(library: Library) -> None:
    ann, more = await library.reader("Ann"), euros(10**9 + 1)
    to_ann = {"patron_id": ann.id, "amount": more}
    opening = {"branch_id": library.branch, "desk": "x", "opening_float": more}
    for path, body, field in (
        (SESSIONS, opening, "opening_float"),
        (f"{API}/payments", to_ann, "amount"),
        (f"{API}/fines", to_ann, "amount"),
        (f"{API}/refunds", to_ann | {"reason": "Credit"}, "amount"),
    ):
        told = expect(await library.staff.post(path, json=body), 422)
        says = "At most 1000000000 minor units (cents) at once."
        assert [(e["pointer"], e["says"]) for e in told["errors"]] == [(f"#/{field}", says)]
    assert expect(await library.staff.get(f"{API}/users/{ann.id}/account"))["items"] == []
