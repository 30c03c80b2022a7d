"""Lists with one hit for each work: the first of its editions, where that stands.

A page is read from the list itself, so its cursors are those of the list, and are as stable. A
hit is left out when another edition that the list has stands before it.
"""

from collections import defaultdict
from dataclasses import dataclass, replace
from typing import Any, Protocol
from uuid import UUID

from lendery.catalog import lists
from lendery.catalog.hits import FACETED, HEAD, Head, Hits, Place, Prepared
from lendery.catalog.lists import Cursor
from lendery.catalog.repository.books import work_id_of
from lendery.catalog.repository.editions import First, Listed, firsts_of, those_listed
from lendery.catalog.searches import Question
from lendery.platform.db import Session

MOST_AT_ONCE = 300
FARTHEST = 2_000  # works that a page with a number may have before it


@dataclass(frozen=True)
class Hit:
    """A record where it stands in a list, and of how many editions it is the first."""

    row: Any
    work_id: UUID
    cursor: Cursor
    rank: float = 0
    editions: int = 1


class List(Protocol):
    """A list of records that can be read on from a cursor."""

    async def read(self, begins: Cursor | None, many: int) -> tuple[list[Hit], Cursor | None]: ...

    async def first(self, hits: list[Hit]) -> list[Hit]:
        """Those of the hits before which no other edition stands."""


async def first_of_works(
    of: List, begins: Cursor | None, *, limit: int, skip: int
) -> tuple[list[Hit], Cursor | None]:
    """One page, and where the next begins. `skip` counts works."""
    kept: list[Hit] = []
    wanted = skip + limit + 1
    many = max(2 * limit, wanted)
    while len(kept) < wanted:
        hits, begins = await of.read(begins, min(MOST_AT_ONCE, many))
        many *= 2  # works with many editions need a longer look
        kept += await of.first(hits)
        if begins is None:
            break
    shown = kept[skip:][:limit]
    return shown, shown[-1].cursor if shown and len(kept) >= wanted else None


class KeyedList:
    """A list in the order of a key, with words or without."""

    def __init__(self, session: Session, asks: Question, known: Prepared | None) -> None:
        self.session, self.asks, self.known = session, asks, known
        self.listed = Listed(
            session.dialect,
            asks.order,
            asks.filters if known is None else asks.narrowed,
            known is not None,
            asks.withdrawn,
        )
        self.known_firsts: dict[UUID, First] = {}

    async def read(self, begins: Cursor | None, many: int) -> tuple[list[Hit], Cursor | None]:
        rows, further = await lists.page(self.session, self.asks, self.known, begins, many, 0)
        order = self.asks.order
        hits = [Hit(row, work_id_of(row), lists.cursor_behind(order, row)) for row in rows]
        return hits, further

    async def first(self, hits: list[Hit]) -> list[Hit]:
        return _kept(hits, {}, await self.firsts(hits))

    async def firsts(self, hits: list[Hit]) -> dict[UUID, First]:
        """The first edition of the work of each."""
        works = {hit.work_id for hit in hits} - self.known_firsts.keys()
        if works:
            self.known_firsts |= await self._firsts(works)
        return self.known_firsts

    async def _firsts(self, works: set[UUID]) -> dict[UUID, First]:
        given = lists.given(self.session, self.asks, self.known)
        found, untold = await firsts_of(self.session, self.listed, works=works, given=given)
        if not untold:
            return found
        numbers = [*untold, *(first.number for first in found.values())]
        rows = await those_listed(self.session, self.listed, numbers=numbers, given=given)
        editions: defaultdict[UUID, list[Any]] = defaultdict(list)
        for row in rows:
            editions[work_id_of(row)].append(row)
        for work, some in editions.items():
            told = found[work].many - 1 if work in found else 0
            found[work] = First(min(some, key=self.position).number, told + len(some))
        return found

    def position(self, row: Any) -> tuple[Any, ...]:
        return lists.position(self.asks.order, row)


class RankedList(KeyedList):
    """The hits of words, best first."""

    def __init__(self, session: Session, known: Prepared, *, facets: bool) -> None:
        super().__init__(session, known.question, known)
        self.hits = Hits(session, known)
        self.many = FACETED if facets else HEAD
        self.head: Head | None = None
        self.seen: list[Any] = []

    async def read(self, begins: Cursor | None, many: int) -> tuple[list[Hit], Cursor | None]:
        place = Place(*begins.keys) if begins else None
        ranked, further, head = await self.hits.page(
            place, limit=many, many=self.many, before=self.head
        )
        self.head = head
        if begins is None:
            self.seen = head.seen
        hits = [
            Hit(row, work_id_of(row), _cursor(head.behind(rank, row)), rank) for rank, row in ranked
        ]
        return hits, _cursor(further) if further else None

    async def first(self, hits: list[Hit]) -> list[Hit]:
        """What stands in the head stands before the rest, whatever its place is."""
        assert self.head is not None
        in_head: dict[UUID, int] = {}
        for row in (*(row for _, row in self.head.ranked), *self.head.named):
            in_head.setdefault(work_id_of(row), row.number)
        return _kept(hits, in_head, await self.firsts(hits))

    def position(self, row: Any) -> tuple[Any, ...]:
        return (row.place,)


def _kept(hits: list[Hit], in_head: dict[UUID, int], firsts: dict[UUID, First]) -> list[Hit]:
    found = []
    for hit in hits:
        number, work = hit.row.number, hit.work_id
        first = firsts.get(work, First(number, 1))
        if in_head.get(work, first.number) == number:
            found.append(replace(hit, editions=first.many))
    return found


def _cursor(place: Place) -> Cursor:
    return Cursor("relevance", (place.rank, place.place, place.head_ends))
