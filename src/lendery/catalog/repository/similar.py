"""Records that share authors and subjects with one."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import bindparam, literal, select, union_all

from lendery.catalog.models import book, book_author, book_subject
from lendery.platform.db import Session, Statement, any_of

Kind = Literal["author", "subject"]
MOST_HEADS = 12

NUMBER = Statement(select(book.c.number).where(book.c.id == bindparam("id")))
_AT = bindparam("number", type_=book.c.number.type)
HEADS = Statement(
    union_all(
        select(literal("author").label("kind"), book_author.c.author_id.label("id")).where(
            book_author.c.book_number == _AT
        ),
        select(literal("subject"), book_subject.c.subject_id).where(
            book_subject.c.book_number == _AT
        ),
    ).limit(MOST_HEADS)
)
POPULARITY = Statement(
    select(book.c.number, book.c.popularity)
    .where(any_of(book.c.number, "numbers"))
    .where(book.c.withdrawn.is_(False))
)

NUMBERS = Statement(select(book.c.id, book.c.number).where(any_of(book.c.id, "ids")))


@dataclass(frozen=True)
class Heads:
    """A record, and the ids of its authors and subjects."""

    number: int
    listed: list[tuple[Kind, UUID]]


async def heads_of(session: Session, *, book_id: UUID) -> Heads | None:
    row = await session.row(NUMBER, id=book_id)
    if row is None:
        return None
    rows = await session.rows(HEADS, number=row.number)
    return Heads(row.number, [(each.kind, each.id) for each in rows])


@lru_cache(maxsize=MOST_HEADS + 1)
def _sharing(kinds: tuple[Kind, ...]) -> Statement:
    parts: list[Any] = []
    for at, kind in enumerate(kinds):
        links = book_author if kind == "author" else book_subject
        named = links.c.author_id if kind == "author" else links.c.subject_id
        some = (
            select(literal(at).label("at"), links.c.book_number)
            .where(named == bindparam(f"id{at}", type_=named.type))
            .order_by(links.c.book_number)
            .limit(bindparam("most"))
            .subquery(f"some{at}")
        )
        parts.append(select(some.c.at, some.c.book_number))
    return Statement(union_all(*parts))


async def sharing(session: Session, heads: Heads, *, most: int) -> list[tuple[Kind, list[int]]]:
    """For each author and subject the numbers of so many of its books."""
    if not heads.listed:
        return []
    kinds = tuple(kind for kind, _ in heads.listed)
    ids = {f"id{at}": each for at, (_, each) in enumerate(heads.listed)}
    found: list[tuple[Kind, list[int]]] = [(kind, []) for kind in kinds]
    for row in await session.rows(_sharing(kinds), most=most, **ids):
        found[row.at][1].append(row.book_number)
    return found


async def popularity_of(session: Session, *, numbers: list[int]) -> dict[int, int]:
    """How often these were lent; those out of search are left out."""
    rows = await session.rows(POPULARITY, numbers=numbers) if numbers else []
    return {row.number: row.popularity for row in rows}


async def numbers_of(session: Session, *, ids: list[UUID]) -> dict[UUID, int]:
    rows = await session.rows(NUMBERS, ids=ids) if ids else []
    return {row.id: row.number for row in rows}
