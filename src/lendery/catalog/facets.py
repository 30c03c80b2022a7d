"""What the hits have in common: counts for each filter there is."""

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from heapq import nsmallest
from typing import Any

from lendery.catalog.repository.copies import branches_holding
from lendery.contracts.catalog import Facet
from lendery.platform.db import Session

MOST_FACETS = 10
NONE: dict[str, list[Facet]] = {
    name: []
    for name in ("language", "material", "subject", "author", "branch", "available", "year")
}


async def facets_of(session: Session, hits: Sequence[Any]) -> dict[str, list[Facet]]:
    """Of some hits (rows of matching.TRAITS), the most frequent first.

    `branch` by id; `available`: `true`, on a shelf anywhere; `year` by decades, 1990..1999.
    """
    if not hits:
        return NONE
    holding = await branches_holding(session, book_ids=[hit.id for hit in hits])
    on_the_shelf = sum(1 for hit in hits if hit.on_the_shelf)
    authors = (each["name"] for listed in _parsed(hits, "authors") for each in listed)
    return {
        "language": _most(hit.language for hit in hits if hit.language),
        "material": _most(hit.material for hit in hits),
        "subject": _most(name for listed in _parsed(hits, "subjects") for name in listed),
        "author": _most(authors),
        "branch": _first(Counter({str(branch): books for branch, books in holding.items()})),
        "available": [Facet(value="true", count=on_the_shelf)] if on_the_shelf else [],
        "year": _most(_decade(hit.published_year) for hit in hits if hit.published_year),
    }


def _decade(year: int) -> str:
    first = year // 10 * 10
    return f"{first}..{first + 9}"


def _parsed(hits: Sequence[Any], name: str) -> list[list[Any]]:
    """The lists of all hits, read as one text: many small ones take thrice as long."""
    found: list[list[Any]] = json.loads(f"[{','.join(getattr(hit, name) for hit in hits)}]")
    return found


def _most(values: Iterable[str]) -> list[Facet]:
    return _first(Counter(values))


def _first(counted: Counter[str]) -> list[Facet]:
    first = nsmallest(MOST_FACETS, counted.items(), key=lambda each: (-each[1], each[0]))
    return [Facet(value=value, count=count) for value, count in first]
