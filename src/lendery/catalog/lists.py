"""Lists in the order of a key, with words or without; and the cursors of all lists."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from lendery.catalog.hits import Prepared
from lendery.catalog.repository.books import BookRow
from lendery.catalog.repository.listing import (
    GREATEST_FIRST,
    KEYS,
    Shape,
    books_listed,
    how_many_listed,
    traits_listed,
)
from lendery.catalog.repository.matching import Match, question_for
from lendery.catalog.searches import Question
from lendery.contracts.base import Invalid
from lendery.platform.db import Session
from lendery.platform.http.answers import make_cursor, read_cursor

WALKED = 0.02  # a list is looked through for words that more of the books have


@dataclass(frozen=True)
class Cursor:
    """Where the next page begins: the keys of the last row shown."""

    order: str
    keys: tuple[Any, ...]
    corrected: str | None = None

    def made(self, corrected: str | None) -> str:
        if self.order == "relevance":
            return make_cursor(self.order, corrected, *self.keys)
        return make_cursor(self.order, *self.keys)


def read_place(text: str, order: str) -> Cursor:
    """Raises Invalid for a cursor of another list."""
    kinds: list[type] = [str]
    if order == "relevance":
        kinds += [str, float, int, int]
    elif order in KEYS:
        kinds += [str if order in ("title", "author") else _kind(order), int]
    else:
        kinds += [int]
    made_for, *keys = read_cursor(text, *kinds)
    corrected = keys.pop(0) if order == "relevance" else None
    needed = keys[1:] if order == "relevance" else keys
    if made_for != order or any(key is None for key in needed):
        says = "This cursor belongs to a list in another order."
        raise Invalid(says, errors=[{"parameter": "cursor", "says": says}])
    return Cursor(order, tuple(keys), corrected)


def _kind(order: str) -> type:
    found: type = KEYS[order].type.python_type
    return found


def _shape(session: Session, asks: Question, known: Prepared | None, after: bool) -> Shape:
    if known is None:
        return Shape(asks.order, asks.filters, None, asks.withdrawn, after)
    match = Match(session.dialect)
    books = known.frequencies.get("\u00b7", 0)
    walks = (
        session.dialect != "sqlite"
        and asks.order in (*KEYS, "newest")
        and known.expected > max(WALKED * books, 1_000)
    )
    return Shape(asks.order, asks.narrowed, match, asks.withdrawn, after, walks)


def given(session: Session, asks: Question, known: Prepared | None) -> dict[str, Any]:
    """What is bound in the statements of a list."""
    if known is None:
        return asks.given
    words = question_for(session.dialect, known.asked, withdrawn=asks.withdrawn)
    return {**asks.given, "words": words}


async def page(
    session: Session,
    asks: Question,
    known: Prepared | None,
    cursor: Cursor | None,
    limit: int,
    skip: int,
) -> tuple[Sequence[BookRow], Cursor | None]:
    bound = given(session, asks, known)
    if cursor:
        *key, number = cursor.keys
        bound = {**bound, "last_number": number} | ({"last_key": key[0]} if key else {})
    shape = _shape(session, asks, known, cursor is not None)
    rows = await books_listed(session, shape, many=limit + 1, skip=skip, given=bound)
    if len(rows) <= limit:
        return rows, None
    rows = rows[:limit]
    return rows, cursor_behind(asks.order, rows[-1])


def cursor_behind(order: str, row: Any) -> Cursor:
    return Cursor(order, (row.key, row.number) if order in KEYS else (row.number,))


def position(order: str, row: Any) -> tuple[Any, ...]:
    """Where a record stands in a list, among those of the same."""
    if order not in KEYS:
        return (-row.number if order == "newest" else row.number,)
    key = row.key if hasattr(row, "key") else getattr(row, KEYS[order].name)
    return (-key if order in GREATEST_FIRST else key, row.number)


async def total(session: Session, asks: Question, *, most: int | None, works: bool) -> int:
    shape = _shape(session, asks, None, False)
    counted = await how_many_listed(session, shape, given=asks.given, most=most, works=works)
    return int(counted.works if works else counted.books)


async def traits(session: Session, asks: Question, *, many: int) -> list[Any]:
    shape = _shape(session, asks, None, False)
    return await traits_listed(session, shape, many=many, given=asks.given)
