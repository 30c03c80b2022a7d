"""Titles by how they begin."""

from typing import Any

from sqlalchemy import bindparam, select

from lendery.catalog.models import book
from lendery.catalog.rules.filing import LAST
from lendery.platform.db import Session, Statement

LOOKED_AT, SUGGESTED = 200, 10
_FIRST = (
    select(book.c.id, book.c.title, book.c.sort_title, book.c.popularity, book.c.number)
    .where(
        book.c.sort_title >= bindparam("first"),
        book.c.sort_title < bindparam("past"),
        book.c.withdrawn.is_(False),
    )
    .order_by(book.c.sort_title, book.c.number)
    .limit(LOOKED_AT)
    .subquery("first")
)
BEGINNING = Statement(
    select(_FIRST.c.id, _FIRST.c.title)
    .order_by(
        (_FIRST.c.sort_title == bindparam("first")).desc(),
        _FIRST.c.popularity.desc(),
        _FIRST.c.sort_title,
        _FIRST.c.number,
    )
    .limit(SUGGESTED)
)


async def titles_beginning(session: Session, *, key: str) -> list[Any]:
    """(id, title) of books whose filing title begins with `key`: it alone, then the most lent."""
    return await session.rows(BEGINNING, first=key, past=key + LAST)
