"""Authors, and finding them by name."""

from datetime import datetime
from functools import lru_cache
from typing import Any
from uuid import UUID

from sqlalchemy import (
    Text,
    and_,
    bindparam,
    column,
    delete,
    exists,
    func,
    insert,
    literal_column,
    or_,
    select,
    tuple_,
    union,
    update,
)

from lendery.catalog.models import author, book_author, variant
from lendery.catalog.rules.filing import LAST, name_key
from lendery.catalog.rules.fold import folded_name
from lendery.contracts.catalog import Author
from lendery.platform.db import Session, Statement, Tx, any_of
from lendery.platform.db.session import Write

SHOWN = tuple(author.c[name] for name in Author.model_fields)

BY_ID = Statement(select(*SHOWN).where(author.c.id == bindparam("id")))
BY_IDS = Statement(select(*SHOWN).where(any_of(author.c.id, "ids")))
MEANT = Statement(
    select(*SHOWN, author.c.folded)
    .where(or_(any_of(author.c.id, "ids"), any_of(author.c.folded, "names")))
    .order_by(author.c.id)
)
IN_USE = Statement(
    select(book_author.c.book_number).where(book_author.c.author_id == bindparam("id")).limit(1)
)
PUT = Statement(insert(author))
REPLACE = Statement(
    update(author)
    .where(author.c.id == bindparam("at_id"))
    .values(
        {
            column.name: bindparam(f"to_{column.name}", type_=column.type)
            for column in author.c
            if column.name not in ("id", "created_at")
        }
    )
)
DESTROY = Statement(
    delete(author).where(
        author.c.id == bindparam("id"), ~exists().where(book_author.c.author_id == author.c.id)
    )
)


def author_of(row: Any) -> Author:
    return Author.model_validate(row)


async def author_with(session: Session, *, author_id: UUID) -> Author | None:
    row = await session.row(BY_ID, id=author_id)
    return author_of(row) if row else None


async def authors_with(session: Session, *, ids: list[UUID]) -> dict[UUID, Author]:
    if not ids:
        return {}
    return {row.id: author_of(row) for row in await session.rows(BY_IDS, ids=ids)}


async def authors_meant(
    session: Session, *, ids: set[UUID], names: set[str]
) -> tuple[dict[UUID, Author], dict[str, list[Author]]]:
    """Those with these ids, and those with these folded names, known longest first."""
    by_id: dict[UUID, Author] = {}
    by_name: dict[str, list[Author]] = {}
    asked = {"ids": list(ids), "names": list(names)}
    for row in await session.rows(MEANT, **asked) if ids or names else ():
        found = author_of(row)
        if found.id in ids:
            by_id[found.id] = found
        if row.folded in names:
            by_name.setdefault(row.folded, []).append(found)
    return by_id, by_name


async def is_named_by_books(session: Session, *, author_id: UUID) -> bool:
    return await session.row(IN_USE, id=author_id) is not None


def _columns(shown: Author, now: datetime) -> dict[str, Any]:
    return {
        **shown.model_dump(exclude={"id"}),
        "folded": folded_name(shown.name),
        "filed": name_key(shown.sort_name),
        "updated_at": now,
    }


def added(shown: Author, *, now: datetime) -> Write:
    return PUT, {**_columns(shown, now), "id": shown.id, "created_at": now}


def replaced(shown: Author, *, now: datetime) -> Write:
    columns = {f"to_{name}": value for name, value in _columns(shown, now).items()}
    return REPLACE, {"at_id": shown.id, **columns}


async def destroy(tx: Tx, *, author_id: UUID) -> int:
    return await tx.run(DESTROY, id=author_id)


def begins_a_word(dialect: str, column: Any, name: str) -> Any:
    """A word in `column` (words apart by one space) begins with what is bound as `name`."""
    found_at = func.instr if dialect == "sqlite" else func.strpos
    return found_at(literal_column("' '", Text).concat(column), bindparam(name, type_=Text)) > 0


def beginnings(words: list[str]) -> dict[str, str]:
    """What is bound for `begins_a_word`."""
    return {f"w{at}": f" {word}" for at, word in enumerate(words)}


def called(dialect: str, kind: str, heading: tuple[Any, Any], words: int) -> Any:
    """Each of the words bound begins a word of the name (`heading`: id and name), or all of them
    of one other form of it."""

    def each_begins(column: Any) -> Any:
        return and_(True, *(begins_a_word(dialect, column, f"w{at}") for at in range(words)))

    heading_id, name = heading
    if not words:
        return and_(True)
    other = select(variant.c.heading_id).where(
        variant.c.kind == kind, each_begins(variant.c.folded)
    )
    return each_begins(name) | heading_id.in_(other)


@lru_cache(maxsize=64)
def _listed(dialect: str, words: int, after: bool, counted: bool) -> Statement:
    named = called(dialect, "author", (author.c.id, author.c.folded), words)
    if counted:
        return Statement(select(func.count()).select_from(author).where(named))
    found = select(*SHOWN, author.c.filed).where(named)
    if after:
        place = tuple_(bindparam("filed"), bindparam("id", type_=author.c.id.type))
        found = found.where(tuple_(author.c.filed, author.c.id) > place)
    return Statement(found.order_by(author.c.filed, author.c.id).limit(bindparam("many")))


async def listed(
    session: Session, *, words: list[str], after: tuple[str, UUID] | None, many: int
) -> list[Any]:
    """In filing order; each of `words` begins a word of the name."""
    place = {"filed": after[0], "id": after[1]} if after else {}
    statement = _listed(session.dialect, len(words), after is not None, False)
    return await session.rows(statement, many=many, **place, **beginnings(words))


def _first_by(name: Any) -> Any:
    found = select(author.c.id, author.c.name, author.c.filed)
    if name is variant.c.folded:
        found = found.join(variant, variant.c.heading_id == author.c.id)
        found = found.where(variant.c.kind == "author")
    return (
        found.where(name >= bindparam("first"), name < bindparam("past"))
        .order_by(name, author.c.id)
        .limit(bindparam("many"))
        .subquery()
    )


_NAMES = (author.c.filed, author.c.folded, variant.c.folded)
_BEGINNING = union(*(select(each) for each in map(_first_by, _NAMES)))
BEGINNING = Statement(
    select(_BEGINNING.subquery("named"))
    .order_by(column("filed"), column("id"))
    .limit(bindparam("many"))
)


async def authors_beginning(session: Session, *, name: str, many: int) -> list[Any]:
    """(id, name) of authors of whom some name begins with these folded words.

    The family name, the whole one, or another form of it.
    """
    return await session.rows(BEGINNING, first=name, past=name + LAST, many=many)


async def how_many(session: Session, *, words: list[str]) -> int:
    found: int = await session.value(
        _listed(session.dialect, len(words), False, True), **beginnings(words)
    )
    return found
