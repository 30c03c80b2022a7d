"""Readers wait for a book, are served in turn, and collect it."""

from typing import Any

from tests.stories.library import API, Library, Person, blocks, expect


async def hold(
    library: Library, person: Person, wanted: dict[str, Any], *, by: Any = None, **but: Any
) -> Any:
    body = {"book_id": wanted["id"], "patron_id": person.id, "pickup_branch_id": library.branch}
    return await (by or library.staff).post(f"{API}/holds", json=body | but)


async def test_a_hold_is_placed_waited_for_and_collected(library: Library) -> None:
    ann, ben = await library.reader("Ann"), await library.reader("Ben")
    book = await library.book("Middlemarch")
    copy = await library.copy(book)
    expect(await library.lend(copy, ben), 201)

    placed = expect(await hold(library, ann, book, by=ann.client), 201)
    assert (placed["state"], placed["position"]) == ("waiting", 1)
    mine = expect(await ann.client.get(f"{API}/users/{ann.id}/holds?state=open"))["items"]
    assert [each["id"] for each in mine] == [placed["id"]]

    taken = expect(await library.take_back(copy))
    assert (taken["next"], taken["hold"]["id"]) == ("hold", placed["id"])
    assert taken["copy"]["status"] == "on-hold-shelf"
    ready = expect(await ann.client.get(f"{API}/holds/{placed['id']}"))
    assert (ready["state"], ready["position"]) == ("ready", None)
    assert ready["given_copy_id"] == copy["id"] and ready["expires_on"]

    assert blocks(await library.lend(copy, ben)) == ["on-hold"]
    expect(await library.lend(copy, ann), 201)
    done = expect(await ann.client.get(f"{API}/holds/{placed['id']}"))
    assert (done["state"], done["given_copy_id"]) == ("fulfilled", copy["id"])


async def test_the_queue_is_served_in_turn_and_a_waived_hold_keeps_its_place(
    library: Library,
) -> None:
    ann, ben, cas = [await library.patron(name) for name in ("Ann", "Ben", "Cas")]
    book = await library.book()
    copy = await library.copy(book)
    expect(await library.lend(copy, cas), 201)
    first = expect(await hold(library, ann, book), 201)
    second = expect(await hold(library, ben, book), 201)
    assert [first["position"], second["position"]] == [1, 2]

    assert expect(await library.take_back(copy))["hold"]["id"] == first["id"]
    expect(await library.lend(copy, cas, waive=["on-hold"], reason="Agreed"), 201)
    queue = expect(await library.staff.get(f"{API}/books/{book['id']}/holds"))["items"]
    assert [(each["id"], each["position"]) for each in queue] == [
        (first["id"], 1),
        (second["id"], 2),
    ]


async def test_who_waits_hears_why_and_how_long(library: Library) -> None:
    ann, ben, cas = [await library.reader(name) for name in ("Ann", "Ben", "Cas")]
    book = await library.book()
    copy = await library.copy(book)
    loan = expect(await library.lend(copy, cas), 201)
    await hold(library, ben, book)
    placed = expect(await hold(library, ann, book, by=ann.client), 201)
    why = expect(await ann.client.get(f"{API}/holds/{placed['id']}/why"))
    assert (why["position"], why["code"]) == (2, "all-out")
    assert why["next_due_at"] == loan["due_at"]
    expected = why["expected"]  # null, unless other stories were experience enough
    assert expected is None or expected["from"] <= expected["until"]
    expect(await ben.client.get(f"{API}/holds/{placed['id']}/why"), 403)
    expect(await library.take_back(copy))
    expect(await ben.client.delete(f"{API}/holds/{placed['id']}"), 403)
    expect(await ann.client.get(f"{API}/holds/{placed['id']}/why"))


async def test_a_copy_goes_to_where_it_is_collected(library: Library) -> None:
    ann, copy = await library.patron("Ann"), await library.copy()
    async with Library.open(library.system) as north:
        placed = expect(
            await hold(library, ann, {"id": copy["book_id"]}, pickup_branch_id=north.branch), 201
        )
        pulls = expect(await library.staff.get(f"{API}/pulls?branch_id={library.branch}"))["items"]
        assert [(each["copy_id"], each["hold_id"]) for each in pulls] == [
            (copy["id"], placed["id"])
        ]
        sent = expect(await library.take_back(copy, branch_id=library.branch))
        assert (sent["next"], sent["to_branch"]) == ("transit", north.branch)
        assert sent["hold"]["state"] == "in-transit"
        path = f"{API}/transfers?to_branch_id={north.branch}"
        on_its_way = expect(await library.staff.get(path))["items"]
        assert [each["hold_id"] for each in on_its_way] == [placed["id"]]
        there = expect(await north.take_back(copy, branch_id=north.branch))
        assert (there["next"], there["hold"]["state"]) == ("hold", "ready")


async def test_a_renewal_may_not_take_another_readers_turn(library: Library) -> None:
    await library.rule("renew_from", "due-date")
    ann, ben = await library.reader("Ann"), await library.patron("Ben")
    book = await library.book()
    copy, other = await library.copy(book), await library.copy(book)
    loan = expect(await library.lend(copy, ann), 201)
    expect(await hold(library, ben, book), 201)
    renewed = await ann.client.post(f"{API}/loans/{loan['id']}/renew")
    assert expect(renewed)["renewals"] == 1, "the other copy serves Ben"

    await library.staff.post(f"{API}/copies/{other['id']}/flags", json={"flag": "missing"})
    refused = expect(await ann.client.post(f"{API}/loans/{loan['id']}/renew"), 409)
    assert refused["reason"] == "on-hold"


async def test_every_reason_against_a_hold_is_told_and_nothing_is_placed(library: Library) -> None:
    await library.rule("holds", 1)
    ann = await library.reader("Ann")
    mine, other = await library.copy(), await library.copy()
    expect(await library.lend(mine, ann), 201)
    expect(await hold(library, ann, {"id": other["book_id"]}), 201)

    async def codes(answer: Any) -> list[str]:
        return [each["code"] for each in expect(answer, 409)["blocks"]]

    wanted = await hold(library, ann, {"id": mine["book_id"]})
    assert await codes(wanted) == ["already-on-loan", "hold-limit"]
    again = await hold(library, ann, {"id": other["book_id"]})
    assert set(await codes(again)) == {"already-held", "hold-limit"}
    path = f"{API}/users/{ann.id}/holds?state=open"
    assert len(expect(await library.staff.get(path))["items"]) == 1


async def test_suspended_cancelled_and_resumed(library: Library) -> None:
    ann, ben, cas = [await library.reader(name) for name in ("Ann", "Ben", "Cas")]
    book = await library.book()
    copy = await library.copy(book)
    expect(await library.lend(copy, cas), 201)
    first = expect(await hold(library, ann, book, by=ann.client), 201)
    second = expect(await hold(library, ben, book, by=ben.client), 201)
    later = {"until": "2099-01-01"}
    suspended = await ann.client.post(f"{API}/holds/{first['id']}/suspend", json=later)
    assert expect(suspended)["suspended"] is True
    expect(await ben.client.delete(f"{API}/holds/{first['id']}"), 403)

    assert expect(await library.take_back(copy))["hold"]["id"] == second["id"]
    assert (await ben.client.delete(f"{API}/holds/{second['id']}")).status_code == 204
    gone = expect(await ben.client.delete(f"{API}/holds/{second['id']}"), 409)
    assert gone["type"] == "/problems/hold-has-ended"
    status = expect(await library.staff.get(f"{API}/copies/{copy['id']}"))["status"]
    assert status == "available"
    expect(await ann.client.post(f"{API}/holds/{first['id']}/resume"))
    assert expect(await library.take_back(copy))["hold"]["id"] == first["id"]
