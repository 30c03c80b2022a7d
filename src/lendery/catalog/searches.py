"""Searching and listing books: from what is wanted to a page of records."""

import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from heapq import nsmallest
from typing import Any

from lendery.catalog.repository.books import BookRow
from lendery.catalog.repository.listing import (
    KEYS,
    Filter,
    Order,
    Shape,
    books_listed,
    how_many_books,
    traits_of_books,
)
from lendery.catalog.repository.search import CANDIDATES, asked_words
from lendery.catalog.rules import isbn
from lendery.catalog.rules.filing import title_key
from lendery.catalog.rules.query import LONGEST, Asked, ask
from lendery.contracts.base import Invalid, Window
from lendery.contracts.catalog import BookSearch, Facet
from lendery.platform.db import Session
from lendery.platform.http.answers import make_cursor, read_cursor

DEEPEST = 10_000
MOST_FACETS = 10


@dataclass(frozen=True)
class Plan:
    """The statement a search needs and what is bound in it. `nothing`: no book can match."""

    shape: Shape
    given: dict[str, Any]
    skip: int = 0
    nothing: bool = False


def plan(dialect: str, wanted: BookSearch, window: Window) -> Plan:
    """Raises Invalid for what cannot be asked."""
    asked, nothing = _asked(wanted)
    number = isbn.thirteen(wanted.isbn) if wanted.isbn else None
    order: Order = "number" if wanted.sort == "relevance" else wanted.sort
    if wanted.sort == "relevance" and _typed(wanted.q):
        order = "relevance"
    filters, given = _filters(wanted, number)
    if asked:
        given["words"] = asked_words(dialect, asked, withdrawn=wanted.withdrawn)
    if order == "relevance":
        given["whole_title"] = title_key(wanted.q or "", wanted.language)
    shape = Shape(dialect, order, bool(asked), filters, wanted.withdrawn)
    nothing = nothing or (wanted.isbn is not None and number is None)
    return _placed(Plan(shape, given, 0, nothing), window)


def _typed(text: str | None) -> bool:
    return bool(text and text.strip())


def _asked(wanted: BookSearch) -> tuple[Asked, bool]:
    """The words, and whether something was typed that holds no word at all."""
    asked, nothing = Asked(()), False
    for name, field in (("q", ""), ("author", "author"), ("subject", "subject")):
        text = getattr(wanted, name)
        if text is None or not text.strip():
            continue
        if len(text) > LONGEST:
            says = f"A search may have {LONGEST} characters at most."
            raise Invalid(says, errors=[{"parameter": name, "says": says}])
        terms = ask(text, field)
        nothing = nothing or not terms
        asked = asked.and_(terms)
    return asked, nothing


def _filters(wanted: BookSearch, number: str | None) -> tuple[frozenset[Filter], dict[str, Any]]:
    values: dict[Filter, Any] = {
        "language": wanted.language,
        "material": wanted.material,
        "isbn": number,
        "year_from": _year(wanted.year_from),
        "year_to": _year(wanted.year_to),
        "author_id": wanted.author_id,
        "branch_id": wanted.branch_id,
    }
    given: dict[str, Any] = {name: each for name, each in values.items() if each is not None}
    filters: set[Filter] = {name for name, each in values.items() if each is not None}
    if wanted.available is not None:
        filters.add("available" if wanted.available else "unavailable")
    return frozenset(filters), given


def _year(year: int | None) -> int | None:
    return None if year is None else max(-9999, min(9999, year))


def _placed(planned: Plan, window: Window) -> Plan:
    """With the place in the list where the page begins."""
    if window.offset > DEEPEST or (window.offset and window.after):
        says = f"An offset goes to {DEEPEST} and not with a cursor; follow `next_cursor` instead."
        raise Invalid(says, errors=[{"parameter": "offset", "says": says}])
    if window.after is None:
        return replace(planned, skip=max(0, window.offset))
    order = planned.shape.order
    if order == "relevance":
        skip = _keys(window.after, order, int)[0]
        return replace(planned, skip=max(0, skip))
    kinds = [int] if order not in KEYS else [int if order in ("year", "rating") else str, int]
    *key, number = _keys(window.after, order, *kinds)
    place = {"last_number": number} | ({"last_key": key[0]} if key else {})
    return replace(
        planned, shape=replace(planned.shape, after=True), given={**planned.given, **place}
    )


def _keys(cursor: str, order: str, *kinds: type) -> list[Any]:
    made_for, *keys = read_cursor(cursor, str, *kinds)
    if made_for != order or any(key is None for key in keys):
        says = "This cursor belongs to a list in another order."
        raise Invalid(says, errors=[{"parameter": "cursor", "says": says}])
    return keys


async def page(session: Session, planned: Plan, limit: int) -> tuple[list[BookRow], str | None]:
    """The records of one page, and the cursor of the next."""
    order, skip = planned.shape.order, planned.skip
    if order == "relevance":
        limit = max(0, min(limit, CANDIDATES - skip))
    if planned.nothing or not limit:
        return [], None
    rows = await books_listed(
        session, shape=planned.shape, many=limit + 1, skip=skip, given=planned.given
    )
    if len(rows) <= limit:
        return rows, None
    rows = rows[:limit]
    if order == "relevance":
        deeper = skip + limit
        return rows, make_cursor(order, deeper) if deeper < CANDIDATES else None
    last = rows[-1]
    keys = (last.key, last.number) if order in KEYS else (last.number,)
    return rows, make_cursor(order, *keys)


async def total(session: Session, planned: Plan) -> int:
    if planned.nothing:
        return 0
    return await how_many_books(session, shape=planned.shape, given=planned.given)


async def facets(session: Session, planned: Plan) -> dict[str, list[Facet]]:
    """What the first 1,000 that match have in common, the most frequent first."""
    rows: list[Any] = []
    if not planned.nothing:
        rows = await traits_of_books(session, shape=planned.shape, given=planned.given)
    return {
        "language": _most(row.language for row in rows if row.language),
        "material": _most(row.material for row in rows),
        "subject": _most(name for listed in _parsed(rows) for name in listed),
    }


def _parsed(rows: list[Any]) -> list[list[str]]:
    """The subjects of each row, read as one text: a thousand small ones take thrice as long."""
    found: list[list[str]] = json.loads(f"[{','.join(row.subjects for row in rows)}]")
    return found


def _most(values: Iterable[str]) -> list[Facet]:
    counted = Counter(values).items()
    first = nsmallest(MOST_FACETS, counted, key=lambda each: (-each[1], each[0]))
    return [Facet(value=value, count=count) for value, count in first]
