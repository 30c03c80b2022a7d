"""Finding books: searches, lists, suggestions."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any
from uuid import UUID

from lendery.catalog import lists
from lendery.catalog.correcting import other_questions
from lendery.catalog.facets import NONE, facets_of
from lendery.catalog.grouping import FARTHEST, KeyedList, RankedList, first_of_works
from lendery.catalog.hits import FACETED, HEAD, Hits, Place, Prepared, prepare, records
from lendery.catalog.lists import Cursor, read_place
from lendery.catalog.repository.books import BookRow, book_of, uuid_of
from lendery.catalog.repository.copies import copies_of_book
from lendery.catalog.rules.query import ask
from lendery.catalog.rules.spelling import as_written
from lendery.catalog.searches import Question, question
from lendery.catalog.suggesting import similar_books, suggestions
from lendery.contracts.base import Invalid, PeerFailed, PeerUnavailable, Window
from lendery.contracts.catalog import (
    Book,
    BookSearch,
    Explanation,
    Reason,
    SearchPage,
    Suggestion,
)
from lendery.contracts.circulation import BorrowedTogether, Borrowings
from lendery.platform.db import Database, Session

DEEPEST = 10_000
COPIES = 500  # of a book whose readers are asked for
ESTIMATED = 1_000  # counts to there are exact
SHORT = 2_000  # so many matches are found without holding anybody up


@dataclass
class Found:
    """A page of records, and what goes with it."""

    rows: Sequence[BookRow]
    next: Cursor | None
    hits: list[tuple[float, Any]] = field(default_factory=list)
    seen: list[Any] | None = None
    prepared: Prepared | None = None
    did_you_mean: str | None = None
    editions: list[int] | None = None


@dataclass(frozen=True)
class BookFinder:
    """The finding half of contracts.catalog.Books."""

    db: Database
    borrowings: Borrowings | None = None  # who else knows what readers like

    async def search(self, *, wanted: BookSearch, window: Window) -> SearchPage:
        asks, cursor = _placed(wanted, window)
        async with self._session(await self._prepared(asks), wanted, window) as (session, known):
            found = await self._found(session, asks, known, cursor, window, wanted)
            asks = found.prepared.question if found.prepared else asks
            shown = SearchPage(
                items=[book_of(row) for row in found.rows],
                next_cursor=found.next.made(found.did_you_mean) if found.next else None,
                total=await _total(session, asks, found, window, wanted) if window.total else None,
                facets=await _facets(session, asks, found) if wanted.facets else None,
                did_you_mean=found.did_you_mean,
                explanations=_explained(found) if wanted.explain else None,
                editions=found.editions,
            )
        return shown

    async def page(
        self, *, wanted: BookSearch, window: Window
    ) -> tuple[Sequence[BookRow], str | None]:
        """A page of a list as its records stand, and the cursor of the next."""
        asks, cursor = _placed(wanted, window)
        async with self._session(await self._prepared(asks), wanted, window) as (session, known):
            found = await self._found(session, asks, known, cursor, window, wanted)
        return found.rows, found.next.made(None) if found.next else None

    async def suggest(self, *, q: str) -> list[Suggestion]:
        async with self.db.read() as session:
            return await suggestions(session, q)

    async def similar(self, *, book_id: UUID, many: int = 10) -> list[Book]:
        together = await self._borrowed_together(book_id)
        async with self.db.read() as session:
            return await similar_books(session, book_id, together, min(many, 50))

    async def _borrowed_together(self, book_id: UUID) -> list[BorrowedTogether]:
        """Nothing while circulation does not answer."""
        if self.borrowings is None:
            return []
        async with self.db.read() as session:
            copies = await copies_of_book(session, book_id=book_id)
        if not copies:
            return []
        try:
            return await self.borrowings.together(copy_ids=[each.id for each in copies[:COPIES]])
        except (PeerUnavailable, PeerFailed):
            return []

    async def _prepared(self, asks: Question) -> Prepared | None:
        if asks.nothing or not asks.asked:
            return None
        async with self.db.read() as session:
            return await prepare(session, asks)

    @asynccontextmanager
    async def _session(
        self, known: Prepared | None, wanted: BookSearch, window: Window
    ) -> AsyncIterator[tuple[Session, Prepared | None]]:
        """What looks at many records does it where it holds nobody up."""
        counts = window.total and not window.estimate
        long = counts or (known is not None and known.expected > SHORT)
        async with self.db.unhurried() if long else self.db.read() as session:
            yield session, known

    async def _found(
        self,
        session: Session,
        asks: Question,
        known: Prepared | None,
        cursor: Cursor | None,
        window: Window,
        wanted: BookSearch,
    ) -> Found:
        if asks.nothing:
            return Found([], None, editions=[] if wanted.group_by else None)
        if known is None or asks.order != "relevance":
            return await _listed(session, asks, known, cursor, window, wanted)
        found = await _ranked(session, known, cursor, window, wanted)
        found.did_you_mean = cursor.corrected if cursor else None
        corrects = asks.similarity != 0 and cursor is None and not window.offset
        if found.rows or not corrects:
            return found
        return await _corrected(session, known, window, wanted) or found


async def _corrected(
    session: Session, known: Prepared, window: Window, wanted: BookSearch
) -> Found | None:
    """The hits of the likeliest other words that have any."""
    async for text, asked, frequencies in other_questions(session, known):
        other = known.question.with_words(asked, text)
        prepared = await prepare(session, other, frequencies)
        found = await _ranked(session, prepared, None, window, wanted)
        if found.rows:
            shown = [value for row in found.rows[:5] for value in (row.title, row.authors)]
            return replace(found, did_you_mean=as_written(text, shown))
    return None


@lru_cache(maxsize=1024)  # it depends on nothing else, and many ask the same
def _placed(wanted: BookSearch, window: Window) -> tuple[Question, Cursor | None]:
    """What is asked, and where in the list the page begins."""
    asks = question(wanted)
    deepest = FARTHEST if wanted.group_by else DEEPEST
    if window.offset > deepest or (window.offset and window.after):
        says = f"An offset goes to {deepest} and not with a cursor; follow `next_cursor` instead."
        raise Invalid(says, errors=[{"parameter": "offset", "says": says}])
    if window.after is None:
        return asks, None
    cursor = read_place(window.after, asks.order)
    if cursor.corrected:
        asks = asks.with_words(ask(cursor.corrected), cursor.corrected)
    return asks, cursor


async def _ranked(
    session: Session, known: Prepared, cursor: Cursor | None, window: Window, wanted: BookSearch
) -> Found:
    begins = Place(*cursor.keys) if cursor else None
    wide = wanted.facets and begins is None
    if wanted.group_by:
        return await _ranked_works(session, known, cursor, window, facets=wide)
    hits, further, head = await Hits(session, known).page(
        begins,
        limit=window.limit,
        skip=max(0, window.offset),
        many=FACETED if wide else HEAD,
    )
    following = Cursor("relevance", (further.rank, further.place, further.head_ends)) if (
        further
    ) else None  # fmt: skip
    return Found(await records(session, hits), following, hits, head.seen if wide else None, known)


async def _ranked_works(
    session: Session, known: Prepared, cursor: Cursor | None, window: Window, *, facets: bool
) -> Found:
    ranked = RankedList(session, known, facets=facets)
    skip = max(0, window.offset)
    page, following = await first_of_works(ranked, cursor, limit=window.limit, skip=skip)
    hits = [(hit.rank, hit.row) for hit in page]
    rows = await records(session, hits)
    many = {hit.row.number: hit.editions for hit in page}
    editions = [many[row.number] for row in rows]
    return Found(rows, following, hits, ranked.seen if facets else None, known, editions=editions)


async def _listed(
    session: Session,
    asks: Question,
    known: Prepared | None,
    cursor: Cursor | None,
    window: Window,
    wanted: BookSearch,
) -> Found:
    skip = max(0, window.offset)
    if wanted.group_by:
        keyed = KeyedList(session, asks, known)
        page, after = await first_of_works(keyed, cursor, limit=window.limit, skip=skip)
        editions = [hit.editions for hit in page]
        return Found([hit.row for hit in page], after, prepared=known, editions=editions)
    rows, following = await lists.page(session, asks, known, cursor, window.limit, skip)
    return Found(rows, following, prepared=known)


async def _total(
    session: Session, asks: Question, found: Found, window: Window, wanted: BookSearch
) -> int:
    if asks.nothing:
        return 0
    most = ESTIMATED if window.estimate else None
    works = wanted.group_by is not None
    if found.prepared is not None:
        return await Hits(session, found.prepared).total(most=most, works=works)
    return await lists.total(session, asks, most=most, works=works)


async def _facets(session: Session, asks: Question, found: Found) -> Any:
    """Counted among the first FACETED that match: exact where there are no more."""
    if asks.nothing:
        return NONE
    seen = found.seen
    if seen is None and found.prepared is not None:
        seen = (await Hits(session, found.prepared).head(many=FACETED)).seen
    elif seen is None:
        seen = await lists.traits(session, asks, many=FACETED)
    return await facets_of(session, seen)


def _explained(found: Found) -> list[Explanation]:
    if found.prepared is None or not found.hits:
        return [Explanation(book_id=uuid_of(r.id), rank=None, reasons=()) for r in found.rows]
    explained = []
    for rank, hit in found.hits:
        parts = found.prepared.ranking.parts(hit) if rank else []
        reasons = [
            Reason(what=what, words=words, adds=round(adds, 3)) for what, words, adds in parts
        ]
        explained.append(
            Explanation(book_id=uuid_of(hit.id), rank=rank or None, reasons=tuple(reasons))
        )
    return explained
