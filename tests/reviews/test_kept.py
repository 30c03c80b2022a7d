"""The reviews of a book as they are kept ready: never older than a change that was answered,
whichever of two processes is asked, on each database."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from lendery.contracts.accounts import PatronRemoved
from lendery.contracts.base import Window
from lendery.contracts.catalog import BookWithdrawn
from lendery.contracts.permissions import SYSTEM, Actor
from lendery.contracts.reviews import PastReview, Review
from lendery.platform.db import Database
from lendery.platform.http.answers import page_body
from lendery.platform.http.hot import HotAnswers
from lendery.reviews.hot import hot_paths
from lendery.reviews.models import CHANGES, TABLES
from lendery.reviews.reactions import forget_book, forget_person
from lendery.reviews.repository import stars

from .conftest import ANN, BEN, CAS, EMMA, LATER, MIDDLEMARCH, NOW, Library


def place(book_id: UUID) -> str:
    return f"/api/v1/books/{book_id}/reviews"


class Process(Library):
    """One process with reviews in it, as far as keeping answers goes."""

    def __init__(self, url: str) -> None:
        super().__init__(Database(url, [TABLES], size=6))
        self.answers = HotAnswers(hot_paths(self.reviews), self.db, {"reviews": CHANGES}, 50)

    async def kept(self, book_id: UUID, query: bytes = b"") -> Any:
        found = await self.answers.find(place(book_id), query)
        return found and found.finished

    async def is_old(self, book_id: UUID, query: bytes = b"", **window: Any) -> bool:
        """Is what it shows other than what it would find by looking?"""
        shown = await self.kept(book_id, query)
        return bool(shown.body != page_body(await self.page(book_id, **window)))


@asynccontextmanager
async def processes(url: str) -> AsyncIterator[list[Process]]:
    both = [Process(url) for _ in range(2)]
    leases = [asyncio.create_task(each.answers.run()) for each in both]
    try:
        if both[0].db.dialect != "sqlite":
            while not all(each.answers.feeds["reviews"].good_until for each in both):
                await asyncio.sleep(0.005)
        yield both
    finally:
        for lease in leases:
            lease.cancel()
        await asyncio.gather(*leases, return_exceptions=True)
        for each in both:
            await each.db.close()


async def in_one(library: Library, act: Callable[..., Awaitable[None]], *given: Any) -> None:
    async with library.db.begin() as tx:
        await act(tx, *given)


async def everything_that_changes_reviews(at: Process, review: Review, here: Any) -> Any:
    """Each act after the other, all through one process; `here` looks at every list in between."""

    async def did(what: str, act: Awaitable[Any]) -> Any:
        done = await act
        await here(what)
        return done

    mine = await did("a first review", at.post(BEN, 2, display_name="Ben"))
    await did("other stars", at.change(mine, BEN, rating=3, title="Better the second time"))
    await did("a report", at.report(mine, CAS))
    await did("hidden", at.decide(mine, "hide", "It names a neighbour."))
    await did("shown again", at.decide(mine, "approve"))
    past = [
        PastReview(book_id=book, patron_id=uuid4(), rating=4, at=NOW)
        for book in (MIDDLEMARCH, EMMA)
    ]
    await did("many at once", at.reviews.add_many(reviews=past, actor=SYSTEM, now=NOW))
    at.neighbours.borrowed.add((ANN.id, MIDDLEMARCH))
    await did("a mark", at.reviews.verify(now=LATER.replace(year=2027)))
    gone = PatronRemoved(patron_id=BEN.id, at=LATER)
    await did("a person forgotten", in_one(at, forget_person, gone, None))
    await did("taken down", at.remove(review))
    destroyed = BookWithdrawn(book_id=EMMA, at=LATER)
    await did("a book that is no more", in_one(at, forget_book, destroyed, True))


async def what_was_old(url: str) -> list[str]:
    async with processes(url) as (one, other):
        review = await one.post(ANN, 5, display_name="Ann")
        await one.post(CAS, 1, book_id=EMMA)
        old: list[str] = []

        async def look(what: str) -> None:
            for name, process in (("there", other), ("here", one)):
                for book in (MIDDLEMARCH, EMMA):
                    if await process.is_old(book):
                        old.append(f"{what}: {name}")
            if await other.is_old(MIDDLEMARCH, b"sort=lowest&limit=1", order="lowest", limit=1):
                old.append(f"{what}: the lowest")

        await look("before")
        await everything_that_changes_reviews(one, review, look)
        return old


async def test_whatever_changes_a_review_is_seen_by_the_very_next_read_of_each_process(
    url: str,
) -> None:
    assert await what_was_old(url) == []


async def test_a_change_that_notes_another_book_is_missed(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stars, "reviews_key", lambda book_id: "reviews:another")
    assert "other stars: there" in await what_was_old(url)


ACTS = st.lists(
    st.tuples(
        st.sampled_from(("change", "read", "read")), st.integers(0, 1), st.integers(0, 1),
        st.integers(0, 2),
    ),
    min_size=10,
    max_size=40,
)  # fmt: skip


async def play(url: str, steps: list[tuple[str, int, int, int]]) -> list[str]:
    """Each step begins a while after the one before, and does not wait for it."""
    old: list[str] = []
    async with processes(url) as both:
        books = MIDDLEMARCH, EMMA
        reader = Actor(id=uuid4(), role="reader")
        reviews = [await both[0].post(reader, book_id=each, title="0") for each in books]
        told, queue = [0, 0], [asyncio.Lock(), asyncio.Lock()]

        async def change(process: Process, n: int) -> None:
            async with queue[n]:
                await process.change(reviews[n], reader, title=str(told[n] + 1))
                told[n] += 1

        async def read(process: Process, n: int) -> None:
            least = told[n]
            shown = json.loads((await process.kept(books[n])).body)["items"][0]["title"]
            if int(shown) < least:
                old.append(f"{shown} older than {least}")

        under_way = []
        for act, process, n, pause in steps:
            doing = change if act == "change" else read
            under_way.append(asyncio.create_task(doing(both[process], n)))
            await asyncio.sleep((0, 0.0005, 0.003)[pause])
        await asyncio.gather(*under_way)
        for each in both:
            await read(each, 0)
            await read(each, 1)
    return old


def test_no_read_is_older_than_what_was_answered_before_it(url: str) -> None:
    @settings(
        max_examples=10,
        deadline=None,
        phases=[Phase.explicit, Phase.reuse, Phase.generate],
        suppress_health_check=list(HealthCheck),
        derandomize=True,
        database=None,
    )
    @given(ACTS)
    def told(steps: list[tuple[str, int, int, int]]) -> None:
        assert asyncio.run(play(url, steps)) == []

    told()


async def test_a_change_of_one_book_leaves_the_answers_of_the_others(url: str) -> None:
    async with processes(url) as (one, other):
        await one.post(ANN)
        await one.post(ANN, book_id=EMMA)
        emma = await other.answers.find(place(EMMA), b"")
        middlemarch = await other.answers.find(place(MIDDLEMARCH), b"")
        await one.post(BEN)
        assert await other.answers.find(place(EMMA), b"") is emma
        assert await other.answers.find(place(MIDDLEMARCH), b"") is not middlemarch


async def test_what_depends_on_the_catalog_or_is_asked_oddly_is_left_to_the_router(
    library: Library,
) -> None:
    """Nobody reviewed Emma: whether there is such a book, only the catalog knows."""
    await library.post(ANN)
    answers = HotAnswers(hot_paths(library.reviews), library.db, {"reviews": CHANGES}, 50)
    assert await answers.find(place(EMMA), b"") is None
    for odd in (b"total=exact", b"limit=0", b"sort=longest", b"limit=1&limit=2", b"cursor=none"):
        assert await answers.find(place(MIDDLEMARCH), odd) is None, odd
    assert await answers.find(place(MIDDLEMARCH).upper(), b"") is None
    assert not any(query for _, query in answers.kept)


async def test_a_page_leads_to_the_next(library: Library) -> None:
    for who in (ANN, BEN, CAS):
        await library.post(who)
    answers = HotAnswers(hot_paths(library.reviews), library.db, {"reviews": CHANGES}, 50)
    found = await answers.find(place(MIDDLEMARCH), b"limit=2&sort=highest")
    assert found is not None
    page = await library.reviews.of_book(
        book_id=MIDDLEMARCH, order="highest", window=Window(limit=2)
    )
    assert found.finished.body == page_body(page)
    there = f"{place(MIDDLEMARCH)}?limit=2&sort=highest&cursor={page.next_cursor}"
    assert dict(found.finished.headers) == {b"link": f'<{there}>; rel="next"'.encode()}
