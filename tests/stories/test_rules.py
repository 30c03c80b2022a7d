"""The rule table as a file: sent, refused with line and column, planned, explained, rolled back."""

import asyncio
from datetime import UTC, datetime, timedelta
from uuid import uuid4

from tests.stories.library import API, Library, expect

RULES = f"{API}/rules"


async def test_a_table_goes_through_its_text_form_and_back(library: Library) -> None:
    staff, word = library.staff, f"c-{uuid4().hex[:8]}"
    before = await staff.get(f"{RULES}/text")
    number = int(before.headers["etag"].strip('"').split("-")[0])
    draft = f"{before.text}\ncategory={word}:\n  loan_period = 5 days\n  fine = 0.205 EUR\n"
    refused = expect(await staff.request("PUT", f"{RULES}/text", content=draft), 422)
    (error,) = refused["errors"]
    line = before.text.count("\n") + 4
    assert (refused["type"], error["line"], error["column"]) == (
        *("/problems/invalid-rule-table", line, 10),
    )

    draft = draft.replace("0.205", "0.20")
    match = {"if-match": before.headers["etag"]}
    saved = expect(await staff.request("PUT", f"{RULES}/text", content=draft, headers=match))
    assert (saved["version"]["number"], saved["version"]["state"]) == (number + 1, "in-force")
    stale = await staff.request("PUT", f"{RULES}/text", content=before.text, headers=match)
    assert expect(stale, 412)["type"] == "/problems/stale"
    changed = expect(await staff.get(f"{RULES}/versions/{number + 1}/differences"))["items"]
    assert {(each["kind"], each["parameter"], each["becomes"]) for each in changed} == {
        ("added", "loan_unit", "days"),
        ("added", "loan_period", 5),
        ("added", "fine", 20),
    }

    path = f"{RULES}/explain?category={word}"
    told = {each["parameter"]: each for each in expect(await staff.get(path))["items"]}
    assert (told["loan_period"]["value"], told["loan_period"]["number"]) == (5, number + 1)
    planned = await staff.request(
        "PUT",
        f"{RULES}/text?valid_from=2099-01-01T00:00:00Z",
        content=draft.replace("5 days", "6 days"),
    )
    assert expect(planned)["version"]["state"] == "planned"
    for at, period in (("2098-12-31T23:59:59Z", 5), ("2099-01-01T00:00:00Z", 6)):
        told = {e["parameter"]: e for e in expect(await staff.get(f"{path}&at={at}"))["items"]}
        assert told["loan_period"]["value"] == period

    path = f"{RULES}/versions/{number}/restore"
    back = expect(await staff.post(path, json={"comment": "Not yet"}), 201)["version"]
    assert (back["restored_from"], back["state"]) == (number, "in-force")
    again = expect(await staff.request("PUT", f"{RULES}/text", content=before.text))["version"]
    assert again["number"] == back["number"], "what says the same saves nothing"
    newest = expect(await staff.get(f"{RULES}/versions?limit=2"))["items"]
    assert [each["state"] for each in newest] == ["in-force", "planned"]


async def test_a_draft_is_tried_out_while_the_library_goes_on(library: Library) -> None:
    staff, since = library.staff, datetime.now(UTC) - timedelta(minutes=1)
    copy, ann = await library.copy(), await library.patron("Ann")
    lent = {"barcode": copy["barcode"], "patron_id": ann.id}
    loan = expect(await staff.post(f"{API}/loans", json=lent), 201)
    rows = [{"category": library.category, "parameter": "loan_period", "value": 1}]
    draft = {"rows": rows, "since": since.isoformat()}
    asked = await staff.post(f"{RULES}/simulate", json=draft)
    path = asked.headers["location"]
    assert expect(asked, 202)["state"] in ("queued", "running", "done")
    for _ in range(500):
        told = expect(await staff.get(path))
        if told["state"] not in ("queued", "running"):
            break
        await asyncio.sleep(0.02)
    assert (told["state"], told["progress"]) == ("done", 1.0)

    found = expect(await staff.get(f"{path}/differences?kind=due-date&limit=100"))["items"]
    (mine,) = [each for each in found if each["loan_id"] == loan["id"]]
    assert mine["was"]["due_at"] == loan["due_at"] > mine["would_be"]["due_at"]
    assert (mine["event"], mine["certain"]) == ("check-out", True)
    file = await staff.get(f"{path}/file?kind=due-date")
    assert file.headers["content-type"].startswith("text/csv")
    assert len(file.text.splitlines()) == len(found) + 1
    again = expect(await staff.get(f"{API}/loans/{loan['id']}"))
    assert again["due_at"] == loan["due_at"], "nothing was changed"
