"""The van costs something: a copy comes from where the way is cheaper."""

from typing import Any

from tests.stories.library import API, Library, expect

PATH = f"{API}/transport-costs"


def way(away: Library, to: Library, cost: Any) -> dict[str, Any]:
    return {"from_branch_id": away.branch, "to_branch_id": to.branch, "cost": cost}


async def test_a_copy_comes_from_the_nearer_of_two_branches(library: Library) -> None:
    ann, staff = await library.reader("Ann"), library.staff
    async with Library.open(library.system) as north, Library.open(library.system) as south:
        book = await library.book()
        far = await north.copy(book)
        near = await south.copy(book)
        rows = [way(north, library, 12), way(south, library, 3)]
        told = expect(await staff.put(PATH, json={"rows": rows}))["items"]
        assert sorted(told, key=lambda row: row["cost"], reverse=True) == rows
        assert expect(await ann.client.get(PATH))["items"] == told

        wanted = {"book_id": book["id"], "pickup_branch_id": library.branch}
        placed = expect(await ann.client.post(f"{API}/holds", json=wanted), 201)
        fetched = [
            (each["copy_id"], each["hold_id"])
            for branch in (north, south)
            for each in expect(await staff.get(f"{API}/pulls?branch_id={branch.branch}"))["items"]
        ]
        assert fetched == [(near["id"], placed["id"])]
        stays = expect(await library.take_back(far, branch_id=north.branch))
        assert (stays["next"], stays["hold"]) == ("shelve", None)
        sent = expect(await library.take_back(near, branch_id=south.branch))
        assert (sent["next"], sent["to_branch"]) == ("transit", library.branch)

        for row, pointer in (
            (way(north, library, 1001), "#/rows/0/cost"),
            (way(north, library, -1), "#/rows/0/cost"),
            (way(north, library, 1.5), "#/rows/0/cost"),
            (way(north, north, 1), "#/rows/0/to_branch_id"),
            (way(north, library, 1) | {"to_branch_id": book["id"]}, "#/rows/0/to_branch_id"),
        ):
            refused = expect(await staff.put(PATH, json={"rows": [row]}), 422)
            assert [each["pointer"] for each in refused["errors"]] == [pointer]
        expect(await ann.client.put(PATH, json={"rows": []}), 403)
        assert expect(await staff.get(PATH))["items"] == told
        assert expect(await staff.put(PATH, json={"rows": []}))["items"] == []
