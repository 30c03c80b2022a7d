"""What readers think of a book, told to both shapes."""

import asyncio
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.stories.library import API, Library, Person, expect
from tests.system import System

HIDE = {"decision": "hide", "reason": "It is about a neighbour."}


async def _review(
    reader: Person, book: dict[str, Any], rating: int, status: int = 201, **more: Any
) -> Any:
    path = f"{API}/books/{book['id']}/reviews"
    return expect(await reader.client.post(path, json={"rating": rating} | more), status)


async def _of(library: Library, book: dict[str, Any], query: str = "") -> Any:
    async with library.system.client() as stranger:
        return expect(await stranger.get(f"{API}/books/{book['id']}/reviews{query}"))


async def _soon(library: Library, path: str, told: Callable[[Any], bool], status: int = 200) -> Any:
    """What is told there, once the parts have heard of each other's changes."""
    async with library.system.client(await library.system.admin()) as staff:
        for _ in range(200):
            answer = await staff.get(path)
            if answer.status_code == status and told(answer.json()):
                return answer.json()
            await asyncio.sleep(0.05)
    raise AssertionError(f"{path}: {answer.status_code} {answer.text}")


async def _catalogue_says(library: Library, book: dict[str, Any], *stars: int) -> None:
    path = f"{API}/books/{book['id']}/rating"
    await _soon(library, path, lambda told: told["histogram"] == list(stars))


async def test_a_book_is_reviewed_and_the_catalogue_knows_its_stars(library: Library) -> None:
    ann, ben, book = await library.reader("Ann"), await library.reader("Ben"), await library.book()
    lent = expect(await library.lend(await library.copy(book), ann), 201)
    assert lent["patron_id"] == ann.id

    first = await _review(ann, book, 5, title="Wise", text="Slow.", display_name="A. of the hill")
    second = await _review(ben, book, 2)

    shown = await _of(library, book, "?total=exact")
    assert [each["id"] for each in shown["items"]] == [second["id"], first["id"]]
    assert shown["total"] == 2
    assert shown["rating"] == {
        "book_id": book["id"],
        "count": 2,
        "average": 3.5,
        "histogram": [0, 1, 0, 0, 1],
    }
    assert [each["verified"] for each in shown["items"]] == [False, True]
    assert [each["display_name"] for each in shown["items"]] == [None, "A. of the hill"]
    assert [ann.id in str(each) or ann.email in str(each) for each in shown["items"]] == [False] * 2
    await _catalogue_says(library, book, *shown["rating"]["histogram"])

    again = await _review(ann, book, 1, 409)
    assert (again["type"], again["review_id"]) == ("/problems/already-reviewed", first["id"])
    mine = f"{API}/reviews?mine=true&book_id={book['id']}"
    assert [e["id"] for e in expect(await ann.client.get(mine))["items"]] == [first["id"]]


async def test_a_review_is_changed_by_who_wrote_it_and_has_seen_it(library: Library) -> None:
    ann, book = await library.reader("Ann"), await library.book()
    made = await _review(ann, book, 5)
    path = f"{API}/reviews/{made['id']}"
    etag = (await ann.client.get(path)).headers["etag"]

    changed = await ann.client.patch(path, json={"rating": 3}, headers={"if-match": etag})
    assert expect(changed)["version"] == 2
    late = await ann.client.patch(path, json={"rating": 1}, headers={"if-match": etag})
    assert expect(late, 412)["type"] == "/problems/stale"
    await _catalogue_says(library, book, 0, 0, 1, 0, 0)

    now = (await ann.client.get(path)).headers["etag"]
    not_again = await ann.client.get(path, headers={"if-none-match": now})
    assert (not_again.status_code, now != etag) == (304, True)
    assert (await ann.client.delete(path, headers={"if-match": now})).status_code == 204
    await _catalogue_says(library, book, 0, 0, 0, 0, 0)
    expect(await ann.client.get(path), 404)


async def test_staff_decide_about_what_readers_report(library: Library) -> None:
    ann, ben, book = await library.reader("Ann"), await library.reader("Ben"), await library.book()
    made = await _review(ann, book, 1, text="My neighbour is a fool.")
    path = f"{API}/reviews/{made['id']}"
    report = await ben.client.post(f"{path}/report", json={"reason": "personal"})
    assert report.status_code == 204
    again = await ben.client.post(f"{path}/report", json={"reason": "personal"})
    assert expect(again, 409)["type"] == "/problems/already-reported"
    queue = expect(await library.staff.get(f"{API}/reviews?state=reported&book_id={book['id']}"))[
        "items"
    ]
    assert [(each["id"], each["reports"]) for each in queue] == [(made["id"], {"personal": 1})]
    assert len((await _of(library, book))["items"]) == 1

    hidden = expect(await library.staff.post(f"{path}/moderate", json=HIDE))
    assert hidden["hidden"] is True
    assert (await _of(library, book))["items"] == []
    await _catalogue_says(library, book, 0, 0, 0, 0, 0)
    expect(await ben.client.get(path), 404)
    assert expect(await ann.client.get(path))["hidden_because"] == HIDE["reason"]

    expect(await library.staff.post(f"{path}/moderate", json={"decision": "approve"}))
    await _catalogue_says(library, book, 1, 0, 0, 0, 0)


async def test_fifty_posts_of_one_reader_at_once_make_one_review(library: Library) -> None:
    ann, book = await library.reader("Ann"), await library.book()
    path = f"{API}/books/{book['id']}/reviews"
    answers = await asyncio.gather(
        *(ann.client.post(path, json={"rating": 1 + n % 5}) for n in range(50))
    )
    assert Counter(each.status_code for each in answers) == {201: 1, 409: 49}
    shown = await _of(library, book)
    assert (len(shown["items"]), shown["rating"]["count"]) == (1, 1)
    await _catalogue_says(library, book, *shown["rating"]["histogram"])


async def test_stars_are_those_of_the_reviews_after_many_changes_at_once(library: Library) -> None:
    book = await library.book()
    first = [await library.reader(f"Reader{n}") for n in range(4)]
    made = await asyncio.gather(*(_review(each, book, 5) for each in first))
    await asyncio.gather(
        *(
            reader.client.patch(f"{API}/reviews/{review['id']}", json={"rating": rating})
            for reader, review in zip(first, made, strict=True)
            for rating in (1, 2, 3, 4)
        )
    )
    shown = await _of(library, book)
    counted = Counter(each["rating"] for each in shown["items"])
    assert [counted[number] for number in range(1, 6)] == shown["rating"]["histogram"]
    await _catalogue_says(library, book, *shown["rating"]["histogram"])


async def test_a_removed_reader_leaves_no_name(library: Library) -> None:
    ann, book = await library.reader("Ann"), await library.book()
    made = await _review(ann, book, 4, text="Slow.", display_name="A. of the hill")
    assert (await library.staff.delete(f"{API}/users/{ann.id}")).status_code == 204
    path = f"{API}/reviews/{made['id']}"
    shown = await _soon(library, path, lambda told: told["display_name"] is None)
    assert (shown["text"], shown["rating"]) == ("Slow.", 4)


async def test_books_come_by_their_stars(library: Library) -> None:
    ann, ben = await library.reader("Ann"), await library.reader("Ben")
    word = f"zq{ann.id[:8]}"
    books = [await library.book(f"{title} {word}") for title in ("One", "Two", "Three")]
    await _review(ann, books[0], 2)
    for reader in (ann, ben):
        await _review(reader, books[2], 5)
    best_first = [books[n]["id"] for n in (2, 0, 1)]
    path = f"{API}/books/search?q={word}&sort=rating"
    await _soon(library, path, lambda told: [e["id"] for e in told["items"]] == best_first)


async def test_a_withdrawn_book_takes_no_reviews_and_a_destroyed_one_has_none(
    library: Library,
) -> None:
    ann, kept, gone = await library.reader("Ann"), await library.book(), await library.book()
    await library.copy(kept)
    made = [await _review(ann, book, 3) for book in (kept, gone)]
    for book in (kept, gone):
        answer = await library.staff.delete(f"{API}/books/{book['id']}")
        assert answer.status_code == 204
    ben = await library.reader("Ben")
    assert (await _review(ben, kept, 3, 409))["type"] == "/problems/book-is-withdrawn"
    assert (await _review(ben, gone, 3, 404))["type"] == "/problems/no-such-book"
    assert [each["id"] for each in (await _of(library, kept))["items"]] == [made[0]["id"]]
    await _soon(library, f"{API}/reviews/{made[1]['id']}", lambda told: True, 404)


@pytest.mark.xdist_group("services")
async def test_reviews_are_read_and_written_while_circulation_is_down(tmp_path: Path) -> None:
    with System.start("services", "sqlite", tmp_path) as system:
        async with Library.open(system) as library:
            ann, book = await library.reader("Ann"), await library.book()
            copy, other = await library.copy(book), await library.book("Emma")
            expect(await library.lend(copy, ann), 201)
            await _review(await library.reader("Ben"), book, 1)

            system.kill("circulation")
            made = await _review(ann, book, 5)
            assert made["verified"] is False
            assert len((await _of(library, book))["items"]) == 2

            system.kill("catalog")
            answer = await _review(ann, other, 5, 503)
            assert answer["type"] == "/problems/peer-unavailable"
            assert len((await _of(library, book))["items"]) == 2

            system.launch("circulation")
            system.wait_until_ready("circulation")
            async with system.client(await system.admin()) as ada:  # out of turn
                job = f"{API}/jobs/periodic/reviews/verify-borrowers/run"
                expect(await ada.post(job), 202)
            for _ in range(100):
                shown = expect(await ann.client.get(f"{API}/reviews/{made['id']}"))
                if shown["verified"]:
                    break
                await asyncio.sleep(0.1)
            assert shown["verified"] is True
