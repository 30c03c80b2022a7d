"""The rule table as a file: sent, refused with line and column, planned, explained, rolled back."""

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
