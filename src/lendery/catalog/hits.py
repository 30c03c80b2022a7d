"""The hits of words, best first: the head of the list ranked, the rest as it was lent.

The head are the matches with the first places (so many that ranking them takes a millisecond)
and whatever is called just what was typed. Behind it the others follow by their places. A cursor
carries the place where the head ends: who reads on while books are added misses and repeats none.
"""

from dataclasses import dataclass
from typing import Any

from lendery.catalog.repository.books import BookRow, books_numbered
from lendery.catalog.repository.matching import (
    Match,
    first_matching,
    how_many_match,
    question_for,
    titled,
)
from lendery.catalog.repository.words import frequencies, words_alike, words_beginning
from lendery.catalog.rules.estimates import expected, ways, words_of
from lendery.catalog.rules.popularity import LAST_PLACE
from lendery.catalog.rules.query import Asked, Term
from lendery.catalog.rules.ranking import Ranking, after, best_first
from lendery.catalog.rules.spelling import is_spelled, near
from lendery.catalog.searches import Question
from lendery.platform.db import Session

HEAD = 100
FACETED = 300
COMPLETED = 20  # words that one beginning may stand for
Ranked = list[tuple[float, Any]]


@dataclass(frozen=True)
class Prepared:
    """A question with what the dictionary says of its words."""

    question: Question
    asked: Asked
    frequencies: dict[str, int]
    ranking: Ranking

    @property
    def expected(self) -> float:
        return expected(self.asked, self.frequencies)


async def prepare(
    session: Session, question: Question, known: dict[str, int] | None = None
) -> Prepared:
    asked = question.marked
    found = known if known is not None else await frequencies(session, words=words_of(asked))
    completed: dict[str, dict[str, int]] = {}
    for term in asked.terms:
        if term.begun and len(term.words) == 1:
            word = term.words[0]
            completed[word] = await words_beginning(session, word=word, many=COMPLETED)
            found |= completed[word]
    alike: dict[str, int] = {}
    if question.similarity:
        alike = await words_alike(session, words=filter(is_spelled, asked.words))
        found |= {word: books for word, books in alike.items() if word not in found}

    def widened(term: Term) -> Term:
        return _widened(term, completed, alike, question.similarity or 0)

    asked = asked.each(widened)
    return Prepared(question, asked, found, Ranking.of(asked, found, question.whole_title))


def _widened(
    term: Term, completed: dict[str, dict[str, int]], alike: dict[str, int], similarity: float
) -> Term:
    if len(term.words) > 1:
        return term
    word = term.words[0]
    if term.begun:
        return Term(term.field, term.words, True, tuple(completed[word]) or (word,))
    instead = tuple(near(word, alike, similarity)) if similarity and is_spelled(word) else ()
    return Term(term.field, term.words, instead=instead)


@dataclass(frozen=True)
class Place:
    """Where a page of hits begins: behind a rank and place in the head, or behind a place."""

    rank: float | None
    place: int
    head_ends: int


@dataclass(frozen=True)
class Head:
    """The ranked hits; `ends` at a place, behind which the rest is, apart from those `named`."""

    ranked: Ranked
    ends: int
    named: list[Any]
    seen: list[Any]

    @property
    def apart(self) -> list[int]:
        return [row.number for row in self.named]

    def has(self, row: Any) -> bool:
        return row.place <= self.ends or row.number in self.apart

    def behind(self, rank: float, row: Any) -> Place:
        """Where the list goes on after a hit."""
        return Place(rank if self.has(row) else None, row.place, self.ends)


@dataclass(frozen=True)
class Hits:
    """Looks for the hits of one question."""

    session: Session
    prepared: Prepared

    async def _first(self, many: int, **where: Any) -> list[Any]:
        question, prepared = self.prepared.question, self.prepared
        tried = ways(
            prepared.asked,
            prepared.frequencies,
            many=many,
            filters=len(question.narrowed),
            after=where.get("after"),
        )
        if self.session.dialect == "sqlite":
            tried = tried[-1:]  # the words stand in order of places there
        return await first_matching(
            self.session,
            Match(self.session.dialect, filters=question.narrowed),
            tried,
            prepared.asked,
            withdrawn=question.withdrawn,
            given=question.given,
            many=many,
            **where,
        )

    async def head(self, ends: int | None = None, *, many: int = HEAD) -> Head:
        """The best; `ends`: where an earlier page found its end. `many` are `seen` for facets."""
        again = ends is not None
        seen = await self._first(2 * HEAD if again else many, upto=ends if again else None)
        rows = seen if again else seen[:HEAD]
        if ends is None:
            ends = rows[-1].place if len(rows) == HEAD else LAST_PLACE
        named = await self._named() if ends != LAST_PLACE else []
        known = {row.number for row in rows}
        ranked = best_first(
            self.prepared.ranking, [*rows, *(row for row in named if row.number not in known)]
        )
        return Head(ranked, ends, named, seen)

    async def _named(self) -> list[Any]:
        question = self.prepared.question
        if not question.whole_title:
            return []
        return await titled(
            self.session,
            whole_title=question.whole_title,
            filters=question.filters,
            withdrawn=question.withdrawn,
            given=question.given,
        )

    async def page(
        self,
        begins: Place | None,
        *,
        limit: int,
        skip: int = 0,
        many: int = HEAD,
        before: Head | None = None,
    ) -> tuple[Ranked, Place | None, Head]:
        """One page, where the next begins, and the head it was cut from.

        `before`: the head of the page before, when that was read just now.
        """
        if before is not None and begins is not None:
            head = before
            ranked = [] if begins.rank is None else head.ranked
            shown = after(ranked, begins.rank or 0, begins.place)[: limit + 1]
        elif begins is None:
            head = await self.head(many=many)
            shown = head.ranked[skip:][: limit + 1]
        elif begins.rank is None:
            head = Head([], begins.head_ends, await self._named(), [])
            shown = []
        else:
            head = await self.head(begins.head_ends)
            shown = after(head.ranked, begins.rank, begins.place)[: limit + 1]
        if len(shown) <= limit and head.ends != LAST_PLACE:
            rest = await self._first(
                limit + 1 - len(shown),
                after=begins.place if begins and begins.rank is None else head.ends,
                apart=head.apart,
                skip=max(0, skip - len(head.ranked)),
            )
            shown = [*shown, *((0.0, row) for row in rest)]
        if len(shown) <= limit:
            return shown, None, head
        shown = shown[:limit]
        return shown, head.behind(*shown[-1]), head

    async def total(self, *, most: int | None, works: bool) -> int:
        question, prepared = self.prepared.question, self.prepared
        counted = await how_many_match(
            self.session,
            Match(self.session.dialect, filters=question.narrowed),
            words=question_for(self.session.dialect, prepared.asked, withdrawn=question.withdrawn),
            given=question.given,
            most=most,
            works=works,
        )
        many = int(counted.works if works else counted.books)
        if most is None or counted.books < most or question.narrowed:
            return many
        return max(many, int(prepared.expected * many / counted.books))


async def records(session: Session, hits: Ranked) -> list[BookRow]:
    """The records of some hits, in their order."""
    rows = await books_numbered(session, numbers=[hit.number for _, hit in hits])
    return [rows[hit.number] for _, hit in hits if hit.number in rows]


__all__ = ["FACETED", "HEAD", "Head", "Hits", "Place", "Prepared", "prepare", "records"]
