"""The words of records, in FTS5 or tsvector: how they are kept.

On SQLite a row stands at its place (rules/popularity.py), so what is lent most is found first. On
PostgreSQL the place is a column with an index, and words for how often a book was lent let the
word index find the often lent ones among many.
"""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import (
    BigInteger,
    Integer,
    Text,
    bindparam,
    case,
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

from lendery.catalog.models import book as kept
from lendery.catalog.rules.fold import GAP, MOST_BYTES, MOST_WORDS, field_words
from lendery.catalog.rules.popularity import LEVELS, level_words
from lendery.catalog.rules.query import WITHDRAWN, mark
from lendery.contracts.catalog import Book
from lendery.platform.db import Statement, Tx
from lendery.platform.db.session import Write

FTS = table(
    "catalog_search",
    column("rowid", Integer),  # the place
    column("catalog_search", Text),
    column("rank", Integer),
    column("title", Text),
    column("author", Text),
    column("subject", Text),
    column("other", Text),
)
VECTORS = table(
    "catalog_search",
    column("number", BigInteger),
    column("words", postgresql.TSVECTOR),
    column("place", BigInteger),
)
AT_ONCE = 100  # records, or pages of the index that are merged: a few milliseconds
FIELDS = ("title", "author", "subject", "other")
_NUMBER = bindparam("number", type_=kept.c.number.type)
_PLACE = select(kept.c.place).where(kept.c.number == _NUMBER).scalar_subquery()
_ITS_PLACE = func.coalesce(_PLACE, _NUMBER)  # in one trip with a new record it is not there yet


def _vector(text: Any) -> Any:
    return cast(text, postgresql.TSVECTOR)


def _lent_words() -> Any:
    """The words for how often the record with the number was lent."""
    by_level = [
        (kept.c.popularity >= level, literal(_quoted(level_words(level)), Text))
        for level in reversed(LEVELS)
    ]
    found = select(case(*by_level, else_="")).where(kept.c.number == _NUMBER).scalar_subquery()
    return func.coalesce(found, "")


def _quoted(words: Iterable[str]) -> str:
    return " ".join(f"'{word}'" for word in words)


_WORDS = _vector(bindparam("words", type_=Text)).op("||")(_vector(_lent_words()))

PUT_FTS = Statement(
    insert(FTS)
    .prefix_with("OR REPLACE")
    .values({name: bindparam(name, type_=Text) for name in FIELDS} | {"rowid": _ITS_PLACE})
)
PUT_VECTOR = Statement(
    postgresql.insert(VECTORS)
    .values(number=_NUMBER, words=_WORDS, place=_ITS_PLACE)
    .on_conflict_do_update(index_elements=["number"], set_={"words": _WORDS, "place": _ITS_PLACE})
)
# Of books that were never there: no place, and not lent.
PUT_NEW_FTS = Statement(
    insert(FTS).values({name: bindparam(name, type_=Text) for name in FIELDS} | {"rowid": _NUMBER})
)
_NEW = (
    func.unnest(
        bindparam("numbers", type_=postgresql.ARRAY(BigInteger)),
        bindparam("texts", type_=postgresql.ARRAY(Text)),
    )
    .table_valued("number", "words")
    .render_derived()
)
PUT_NEW_VECTORS = Statement(
    insert(VECTORS).from_select(
        ["number", "words", "place"], select(_NEW.c.number, _vector(_NEW.c.words), _NEW.c.number)
    )
)
_PAGES = bindparam("pages", type_=Integer)
DROP_FTS = Statement(delete(FTS).where(FTS.c.rowid.in_([_NUMBER, _PLACE])))
DROP_VECTOR = Statement(delete(VECTORS).where(VECTORS.c.number == _NUMBER))
TIDY_FTS = Statement(insert(FTS).values(catalog_search=literal_column("'optimize'")))
TIDY_SOME = Statement(insert(FTS).values(catalog_search=literal_column("'merge'"), rank=_PAGES))
CHANGES_SO_FAR = Statement(select(func.total_changes()))
EMPTY_FTS = Statement(delete(FTS))
EMPTY_VECTORS = Statement(delete(VECTORS))


def indexed(
    dialect: str,
    number: int,
    book: Book,
    forms: tuple[str | None, ...],
    variants: Iterable[str] = (),
    *,
    new: bool = False,
) -> Write:
    """The write that makes a record findable; `forms` are the ways to write its ISBN.

    `variants` are other forms of its authors' names. `known` in the write are its words, for the
    dictionary (words.py), and `new` says to count them.
    """
    other = field_words((*forms, book.publisher, book.series, book.call_number, book.description))
    fields = (
        field_words((book.title, book.subtitle)),
        field_words([*(each.name for each in book.authors), *variants]),
        field_words(book.subjects),
        [*marks_of(book), *other],
    )
    cut = _cut(fields)
    about = {"number": number, "known": {GAP}.union(*cut), "new": new}
    if dialect == "sqlite":
        texts = {name: " ".join(words) for name, words in zip(FIELDS, cut, strict=True)}
        return PUT_FTS, {**about, **texts}
    return PUT_VECTOR, {**about, "words": _placed(cut)}


def marks_of(book: Book) -> list[str]:
    """The words that nobody can type: out of search or not, language, material."""
    found = [WITHDRAWN] if book.withdrawn else []
    if book.language:
        found.append(mark("language", book.language))
    return [*found, mark("material", book.material)]


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


def _placed(fields: list[list[str]]) -> str:
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


async def index_new(tx: Tx, given: Sequence[Mapping[str, Any]]) -> None:
    """Makes new records findable: `given` are what `indexed` says of them."""
    if tx.dialect == "sqlite":
        for start in range(0, len(given), AT_ONCE):
            await tx.many(PUT_NEW_FTS, given[start : start + AT_ONCE])
            await asyncio.sleep(0)  # readers get their turn
    elif given:
        numbers, texts = zip(*((each["number"], each["words"]) for each in given), strict=True)
        await tx.run(PUT_NEW_VECTORS, numbers=list(numbers), texts=list(texts))


async def forget_all(tx: Tx) -> None:
    await tx.run(EMPTY_FTS if tx.dialect == "sqlite" else EMPTY_VECTORS)


async def tidy(tx: Tx) -> None:
    """After a bulk load: merges what many inserts left in pieces."""
    if tx.dialect == "sqlite":
        await tx.run(TIDY_FTS)


async def tidy_some(tx: Tx, *, first: bool) -> bool:
    """A part of `tidy` that holds nobody up, the `first` of many; False when nothing is left."""
    if tx.dialect != "sqlite":
        return False
    before = await tx.value(CHANGES_SO_FAR)
    await tx.run(TIDY_SOME, pages=-AT_ONCE if first else AT_ONCE)
    return bool(await tx.value(CHANGES_SO_FAR) - before >= 2)
