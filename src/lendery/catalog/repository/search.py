"""The words of records, in FTS5 or tsvector, and the questions put to them."""

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Integer,
    Select,
    Text,
    bindparam,
    cast,
    column,
    delete,
    func,
    insert,
    literal,
    literal_column,
    select,
    table,
)
from sqlalchemy.dialects import postgresql

from lendery.catalog.rules.fold import GAP, MOST_BYTES, MOST_WORDS, field_words
from lendery.catalog.rules.query import WITHDRAWN, Asked
from lendery.contracts.catalog import Book
from lendery.platform.db import Statement, Tx
from lendery.platform.db.session import Write

CANDIDATES = 1_000
FTS = table(
    "catalog_search",
    column("rowid", Integer),
    column("catalog_search", Text),
    column("title", Text),
    column("author", Text),
    column("subject", Text),
    column("other", Text),
)
VECTORS = table(
    "catalog_search", column("number", BigInteger), column("words", postgresql.TSVECTOR)
)
FIELDS = ("title", "author", "subject", "other")
_RANK_FTS: ColumnElement[Any] = literal_column("bm25(catalog_search, 10.0, 6.0, 3.0, 1.0)")
_WEIGHTS: ColumnElement[Any] = literal_column("'{0.1, 0.3, 0.6, 1.0}'::float4[]")
_VECTOR = cast(bindparam("words", type_=Text), postgresql.TSVECTOR)
_QUERY = cast(bindparam("words", type_=Text), postgresql.TSQUERY)
_OUT_OF_SEARCH = cast(literal(f"'{WITHDRAWN}'", Text), postgresql.TSQUERY)

PUT_FTS = Statement(
    insert(FTS)
    .prefix_with("OR REPLACE")
    .values(
        {name: bindparam(name, type_=Text) for name in ("title", "author", "subject", "other")}
        | {"rowid": bindparam("number", type_=Integer)}
    )
)
PUT_VECTOR = Statement(
    postgresql.insert(VECTORS)
    .values(number=bindparam("number", type_=BigInteger), words=_VECTOR)
    .on_conflict_do_update(index_elements=["number"], set_={"words": _VECTOR})
)
DROP_FTS = Statement(delete(FTS).where(FTS.c.rowid == bindparam("number", type_=Integer)))
DROP_VECTOR = Statement(
    delete(VECTORS).where(VECTORS.c.number == bindparam("number", type_=BigInteger))
)
TIDY_FTS = Statement(insert(FTS).values(catalog_search=literal_column("'optimize'")))


def indexed(
    dialect: str,
    number: int,
    book: Book,
    forms: tuple[str | None, ...],
    variants: Iterable[str] = (),
) -> Write:
    """The write that makes a record findable; `forms` are the ways to write its ISBN.

    `variants` are other forms of its authors' names.
    """
    other = field_words((*forms, book.publisher, book.series, book.call_number, book.description))
    if book.withdrawn:
        other = [WITHDRAWN, *other]
    fields = (
        field_words((book.title, book.subtitle)),
        field_words([*(each.name for each in book.authors), *variants]),
        field_words(book.subjects),
        other,
    )
    kept = _cut(fields)
    if dialect == "sqlite":
        texts = {name: " ".join(words) for name, words in zip(FIELDS, kept, strict=True)}
        return PUT_FTS, {"number": number, **texts}
    return PUT_VECTOR, {"number": number, "words": _vector(kept)}


def _cut(fields: Sequence[list[str]]) -> list[list[str]]:
    """No more than a tsvector holds: 1 MB of words (2,000 of the longest are half of that)."""
    if sum(map(len, fields)) <= 2_000:
        return list(fields)
    left, room, kept = MOST_WORDS, MOST_BYTES, []
    for words in fields:
        part = []
        for word in words[:left]:
            room -= len(word.encode())
            if room < 0:
                break
            part.append(word)
        left -= len(part)
        kept.append(part)
    return kept


def _vector(fields: list[list[str]]) -> str:
    """A tsvector literal: each word with its places and their weight."""
    places: dict[str, list[str]] = {}
    at = 0
    for words, weight in zip(fields, "ABCD", strict=True):
        for word in words:
            at += 1
            if word != GAP:
                places.setdefault(word, []).append(f"{at}{weight}")
        at += 1
    return " ".join(f"'{word}':{','.join(listed[:255])}" for word, listed in places.items())


def unindexed(dialect: str, number: int) -> Write:
    return (DROP_FTS if dialect == "sqlite" else DROP_VECTOR), {"number": number}


async def tidy(tx: Tx) -> None:
    """After a bulk load: merges what many inserts left in pieces."""
    if tx.dialect == "sqlite":
        await tx.run(TIDY_FTS)


def asked_words(dialect: str, asked: Asked, *, withdrawn: bool) -> str:
    """What is bound as `words` in the questions below."""
    return asked.fts5(withdrawn=withdrawn) if dialect == "sqlite" else asked.tsquery()


def matching(dialect: str, *, withdrawn: bool) -> Select[Any]:
    """The numbers of the records in which the words bound as `words` stand."""
    if dialect == "sqlite":
        return select(FTS.c.rowid.label("number")).where(
            FTS.c.catalog_search.op("MATCH")(bindparam("words", type_=Text))
        )
    query = _QUERY.op("&&")(_OUT_OF_SEARCH if withdrawn else func.tsquery_not(_OUT_OF_SEARCH))
    return select(VECTORS.c.number).where(VECTORS.c.words.op("@@")(query))


def number_of(dialect: str) -> ColumnElement[Any]:
    return FTS.c.rowid if dialect == "sqlite" else VECTORS.c.number


def first_found(dialect: str, found: Select[Any], *, many: int = CANDIDATES) -> Select[Any]:
    """The first so many of `matching`. SQLite finds in order of number anyway; PostgreSQL takes
    them as they lie, because to order them first would mean to fetch them all."""
    return (found.order_by(FTS.c.rowid) if dialect == "sqlite" else found).limit(many)


def ranked(dialect: str, found: Select[Any]) -> Select[Any]:
    """`found` (of `matching`) cut to the first CANDIDATES, each with its rank: least is best."""
    if dialect == "sqlite":
        cut = first_found(dialect, found.add_columns(_RANK_FTS.label("rank"))).subquery("cut")
        return select(cut.c.number, cut.c.rank)
    cut = first_found(dialect, found.add_columns(VECTORS.c.words)).subquery("cut")
    rank = -func.ts_rank_cd(_WEIGHTS, cut.c.words, _QUERY, 1)
    return select(cut.c.number, rank.label("rank"))
