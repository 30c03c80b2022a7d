"""Lists with one hit for each work: the first of its editions, where that stands.

A page is read from the list itself, so its cursors are those of the list, and are as stable. A
hit is left out when another edition that the list has stands before it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol
from uuid import UUID

from lendery.catalog import lists
from lendery.catalog.hits import FACETED, HEAD, Head, Hits, Place, Prepared
from lendery.catalog.lists import Cursor
from lendery.catalog.repository.books import work_id_of
from lendery.catalog.repository.editions import editions_of, standing, works_of
from lendery.catalog.repository.matching import question_for
from lendery.catalog.searches import Question
from lendery.platform.db import Session

MOST_AT_ONCE = 300
FARTHEST = 2_000  # works that a page with a number may have before it


@dataclass(frozen=True)
class Hit:
    """A record as it stands in a list: before those whose position is greater."""

    row: Any
    position: tuple[Any, ...]
    cursor: Cursor
    rank: float = 0
    editions: int = 1


class List(Protocol):
    """A list of records that can be read on from a cursor."""

    async def read(self, begins: Cursor | None, many: int) -> tuple[list[Hit], Cursor | None]: ...

    async def works(self, hits: Sequence[Hit]) -> dict[int, UUID]:
        """The works of some hits, by their numbers."""

    async def positions(self, numbers: list[int]) -> dict[int, tuple[Any, ...]]:
        """Where those of these records stand that are on the list."""


async def first_of_works(
    session: Session, of: List, begins: Cursor | None, *, limit: int, skip: int
) -> tuple[list[Hit], Cursor | None]:
    """One page, and where the next begins. `skip` counts works."""
    kept: list[Hit] = []
    wanted = skip + limit + 1
    while len(kept) < wanted:
        many = min(MOST_AT_ONCE, max(2 * limit, wanted - len(kept)))
        hits, begins = await of.read(begins, many)
        kept += await _first(session, of, hits)
        if begins is None:
            break
    shown = kept[skip:][:limit]
    return shown, shown[-1].cursor if shown and len(kept) >= wanted else None


async def _first(session: Session, of: List, hits: list[Hit]) -> list[Hit]:
    """Those before which no other edition stands."""
    works = await of.works(hits)
    editions = await editions_of(session, works=works.values())
    others = [number for listed in editions.values() if len(listed) > 1 for number in listed]
    positions = await of.positions(others) if others else {}
    found = []
    for hit in hits:
        listed = editions.get(works[hit.row.number], []) if hit.row.number in works else []
        at = [positions[number] for number in listed if number in positions]
        if all(position >= hit.position for position in at):
            found.append(replace(hit, editions=max(1, len(at))))
    return found


class RankedList:
    """The hits of words, best first."""

    def __init__(self, session: Session, known: Prepared, *, facets: bool) -> None:
        self.session, self.known = session, known
        self.hits = Hits(session, known)
        self.many = FACETED if facets else HEAD
        self.head: Head | None = None
        self.seen: list[Any] = []

    async def read(self, begins: Cursor | None, many: int) -> tuple[list[Hit], Cursor | None]:
        place = Place(*begins.keys) if begins else None
        ranked, further, self.head = await self.hits.page(
            place, limit=many, many=self.many, before=self.head
        )
        if begins is None:
            self.seen = self.head.seen
        following = _cursor(further) if further else None
        return [self._hit(self.head, *each) for each in ranked], following

    def _hit(self, head: Head, rank: float, row: Any) -> Hit:
        position = _position(head, rank, row)
        return Hit(row, position, _cursor(head.behind(rank, row)), rank)

    async def works(self, hits: Sequence[Hit]) -> dict[int, UUID]:
        return await works_of(self.session, numbers=[hit.row.number for hit in hits])

    async def positions(self, numbers: list[int]) -> dict[int, tuple[Any, ...]]:
        assert self.head is not None
        asks = self.known.question
        rows = await standing(
            self.session,
            numbers=numbers,
            words=question_for(self.session.dialect, self.known.asked, withdrawn=asks.withdrawn),
            filters=asks.narrowed,
            withdrawn=asks.withdrawn,
            given=asks.given,
        )
        rank = self.known.ranking.rank
        return {row.number: _position(self.head, rank(row), row) for row in rows}


def _position(head: Head, rank: float, row: Any) -> tuple[Any, ...]:
    return (0, -rank, row.place) if head.has(row) else (1, row.place)


def _cursor(place: Place) -> Cursor:
    return Cursor("relevance", (place.rank, place.place, place.head_ends))


class KeyedList:
    """A list in the order of a key, with words or without."""

    def __init__(self, session: Session, asks: Question, known: Prepared | None) -> None:
        self.session, self.asks, self.known = session, asks, known

    async def read(self, begins: Cursor | None, many: int) -> tuple[list[Hit], Cursor | None]:
        rows, further = await lists.page(self.session, self.asks, self.known, begins, many, 0)
        order = self.asks.order
        return [
            Hit(row, lists.position(order, row), lists.cursor_behind(order, row)) for row in rows
        ], further

    async def works(self, hits: Sequence[Hit]) -> dict[int, UUID]:
        return {hit.row.number: work_id_of(hit.row) for hit in hits}

    async def positions(self, numbers: list[int]) -> dict[int, tuple[Any, ...]]:
        given = dict(lists.given(self.session, self.asks, self.known))
        rows = await standing(
            self.session,
            numbers=numbers,
            words=given.pop("words", None),
            filters=self.asks.filters if self.known is None else self.asks.narrowed,
            withdrawn=self.asks.withdrawn,
            given=given,
        )
        return {row.number: lists.position(self.asks.order, row) for row in rows}
