"""Two records of one book become one, with the readers who wait, and can become two again."""

import asyncio
from typing import Any

from tests.stories.library import API, Library, Person, blocks, expect
from tests.stories.test_holds import hold


async def queue(library: Library, book: dict[str, Any]) -> list[str]:
    listed = expect(await library.staff.get(f"{API}/books/{book['id']}/holds"))["items"]
    return [each["patron_id"] for each in listed]


async def merged(library: Library, loser: Any, winner: Any) -> dict[str, Any]:
    body = {"kind": "book", "loser_id": loser["id"], "winner_id": winner["id"]}
    done: dict[str, Any] = expect(await library.staff.post(f"{API}/merges", json=body), 201)
    return done


async def test_who_waits_for_either_waits_in_one_queue(library: Library) -> None:
    ann, ben, cas, dora = [await library.reader(name) for name in ("Ann", "Ben", "Cas", "Dora")]
    loser, winner = await library.book("Middlemarch."), await library.book("Middlemarch")
    theirs, ours = await library.copy(loser), await library.copy(winner)
    expect(await library.lend(theirs, cas), 201)
    expect(await library.lend(ours, dora), 201)
    first = expect(await hold(library, ann, loser, by=ann.client), 201)
    expect(await hold(library, ben, winner, by=ben.client), 201)

    done = await merged(library, loser, winner)
    assert (done["books"], done["copies"]) == (1, 1)
    assert await queue(library, winner) == [ann.id, ben.id]
    gone = await library.staff.get(f"{API}/books/{loser['id']}")
    assert gone.status_code == 410 and gone.json()["type"] == "/problems/book-was-merged"
    assert gone.json()["into"] == winner["id"]
    mine = expect(await ann.client.get(f"{API}/holds/{first['id']}"))
    assert (mine["book_id"], mine["position"]) == (winner["id"], 1)
    again = await hold(library, ann, loser, by=ann.client)
    assert again.status_code == 422 and again.json()["errors"][0]["pointer"] == "#/book_id"

    taken = expect(await library.take_back(ours))
    assert taken["hold"]["id"] == first["id"]
    renewed = await library.staff.post(
        f"{API}/loans/{(await library.loans_of(cas))[0]['id']}/renew"
    )
    assert renewed.status_code == 409
    assert blocks(await library.lend(ours, dora)) == ["on-hold"]
    expect(await library.lend(ours, ann), 201)


async def test_undone_everybody_waits_where_they_did(library: Library) -> None:
    ann, ben, cas = [await library.patron(name) for name in ("Ann", "Ben", "Cas")]
    loser, winner = await library.book("Middlemarch."), await library.book("Middlemarch")
    theirs, ours = await library.copy(loser), await library.copy(winner)
    expect(await library.lend(theirs, cas), 201)
    expect(await library.lend(ours, await library.patron("Dora")), 201)
    expect(await hold(library, ann, loser), 201)
    expect(await hold(library, ben, winner), 201)

    done = await merged(library, loser, winner)
    undone = expect(await library.staff.post(f"{API}/merges/{done['id']}/undo"))
    assert undone["undone_at"]
    assert await queue(library, loser) == [ann.id]
    assert await queue(library, winner) == [ben.id]
    book = expect(await library.staff.get(f"{API}/books/{loser['id']}"))
    assert (book["title"], book["withdrawn"]) == ("Middlemarch.", False)
    assert expect(await library.take_back(theirs))["hold"]["patron_id"] == ann.id
    second = await library.staff.post(f"{API}/merges/{done['id']}/undo")
    assert second.status_code == 409 and second.json()["type"] == "/problems/cannot-undo"


async def reviewed(reader: Person, book: dict[str, Any], rating: int) -> str:
    path, body = f"{API}/books/{book['id']}/reviews", {"rating": rating}
    return str(expect(await reader.client.post(path, json=body), 201)["id"])


async def stars(library: Library, book: dict[str, Any]) -> tuple[list[str], list[int]]:
    """The reviews of a book, newest first, and its stars, as everybody reads them."""
    async with library.system.client() as stranger:
        page = expect(await stranger.get(f"{API}/books/{book['id']}/reviews"))
    return [each["id"] for each in page["items"]], page["rating"]["histogram"]


async def catalogue_says(library: Library, book: dict[str, Any], expected: list[int]) -> None:
    for _ in range(200):
        told = expect(await library.staff.get(f"{API}/books/{book['id']}/rating"))["histogram"]
        if told == expected:
            return
        await asyncio.sleep(0.05)
    raise AssertionError(f"{told}, not {expected}")


async def test_what_readers_wrote_of_either_is_read_together_and_apart_again(
    library: Library,
) -> None:
    ann, ben = await library.reader("Ann"), await library.reader("Ben")
    loser, winner = await library.book("Middlemarch."), await library.book("Middlemarch")
    older = await reviewed(ann, winner, 1)
    newer, bens = await reviewed(ann, loser, 5), await reviewed(ben, loser, 4)

    done = await merged(library, loser, winner)
    assert await stars(library, winner) == ([bens, newer], [0, 0, 0, 1, 1])
    await catalogue_says(library, winner, [0, 0, 0, 1, 1])
    gone = await ben.client.get(f"{API}/books/{loser['id']}/reviews")
    assert (gone.status_code, gone.json()["into"]) == (410, winner["id"])
    assert gone.json()["type"] == "/problems/book-was-merged"
    again = await ann.client.post(f"{API}/books/{winner['id']}/reviews", json={"rating": 3})
    assert (again.status_code, again.json()["review_id"]) == (409, newer)
    expect(await ann.client.get(f"{API}/reviews/{older}"), 404)

    expect(await library.staff.post(f"{API}/merges/{done['id']}/undo"))
    assert await stars(library, winner) == ([older], [1, 0, 0, 0, 0])
    assert await stars(library, loser) == ([bens, newer], [0, 0, 0, 1, 1])
    await catalogue_says(library, winner, [1, 0, 0, 0, 0])
    await catalogue_says(library, loser, [0, 0, 0, 1, 1])
