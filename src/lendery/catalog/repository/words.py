"""The dictionary: every word of the records, in how many it is, and what is spelled alike.

Counts grow with each new record, and are made anew with the index (`make_findable`): an edit
adds the words that nobody had and takes none away. So a count is a good guess, and a word may be
known that no record has any more.
"""

import asyncio
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    Integer,
    MetaData,
    Table,
    bindparam,
    cast,
    column,
    delete,
    func,
    select,
    table,
    true,
)
from sqlalchemy.dialects import postgresql, sqlite

from lendery.catalog.models import FILED
from lendery.catalog.repository.search import index_new
from lendery.catalog.rules.filing import LAST
from lendery.catalog.rules.fold import GAP
from lendery.catalog.rules.spelling import is_spelled, spelling_keys
from lendery.platform.db import Session, Statement, Tx, any_of
from lendery.platform.db.session import Write
from lendery.platform.db.types import Json

WORD = table("catalog_search_word", column("word", FILED), column("books", BigInteger))
SPELLING = Table(
    "catalog_search_spelling", MetaData(), Column("key", Integer), Column("word", FILED)
)

FREQUENCIES = Statement(select(WORD.c.word, WORD.c.books).where(any_of(WORD.c.word, "words")))
BEGINNING = Statement(
    select(WORD.c.word, WORD.c.books)
    .where(WORD.c.word >= bindparam("first", type_=FILED))
    .where(WORD.c.word < bindparam("past", type_=FILED))
    .order_by(WORD.c.books.desc(), WORD.c.word)
    .limit(bindparam("many"))
)
ALIKE = Statement(
    select(WORD.c.word, WORD.c.books)
    .join(SPELLING, SPELLING.c.word == WORD.c.word)
    .where(any_of(SPELLING.c.key, "keys"))
    .distinct()
)
FORGET = (Statement(delete(WORD)), Statement(delete(SPELLING)))


def _counted(dialect: str) -> Any:
    """The words and counts bound as `counted`, as rows."""
    if dialect == "sqlite":
        each = func.json_each(bindparam("counted", type_=Json())).table_valued("key", "value").c
        return select(each.key, each.value).where(true())
    bound = cast(bindparam("counted", type_=Json()), postgresql.JSON)
    each = func.json_each_text(bound).table_valued("key", "value").c
    return select(each.key, cast(each.value, BigInteger))


@lru_cache(maxsize=4)
def _count(dialect: str, *, more: bool) -> Statement:
    kind = sqlite.insert if dialect == "sqlite" else postgresql.insert
    put = kind(WORD).from_select(["word", "books"], _counted(dialect))
    if more:
        put = put.on_conflict_do_update(
            index_elements=["word"], set_={"books": WORD.c.books + put.excluded.books}
        )
    else:
        put = put.on_conflict_do_nothing(index_elements=["word"])
    return Statement(put.returning(WORD.c.word, WORD.c.books))


async def count_words(tx: Tx, words: Mapping[str, int], *, more: bool = True) -> None:
    """So many more books have these words; not `more`: only words that nobody had are noted."""
    if words:
        await tx.load(SPELLING, spelled(await _counted_new(tx, words, more=more)))


async def _counted_new(tx: Tx, words: Mapping[str, int], *, more: bool = True) -> list[str]:
    rows = await tx.rows(_count(tx.dialect, more=more), counted=dict(sorted(words.items())))
    return [row.word for row in rows if row.books == words[row.word] and is_spelled(row.word)]


def spelled(words: Iterable[str]) -> list[dict[str, Any]]:
    return [{"key": key, "word": word} for word in words for key in spelling_keys(word)]


async def note_words(tx: Tx, writes: Sequence[Write]) -> None:
    """What these writes (of search.indexed among them) bring into the dictionary."""
    new: Counter[str] = Counter()
    edited: set[str] = set()
    for _, given in writes:
        known = given.get("known")
        if known and given["new"]:
            new.update(known)
        elif known:
            edited |= known
    await count_words(tx, new)
    await count_words(tx, dict.fromkeys(edited - {GAP}, 1), more=False)


async def note_new(tx: Tx, given: Sequence[Mapping[str, Any]]) -> None:
    """Indexes new records and counts their words: `given` are what search.indexed says of them."""
    if not given:
        return
    new: Counter[str] = Counter()
    for each in given:
        new.update(each["known"])
    fresh = await _counted_new(tx, new)
    indexing = asyncio.ensure_future(index_new(tx, given))
    try:
        await asyncio.sleep(0)  # PostgreSQL is at work on them while their spelling is worked out
        found = spelled(fresh)
    finally:
        await indexing
    await tx.load(SPELLING, found)


async def forget_all(tx: Tx) -> None:
    for each in FORGET:
        await tx.run(each)


async def frequencies(session: Session, *, words: Iterable[str]) -> dict[str, int]:
    """In how many books each word is; those in none are left out. GAP: how many books."""
    rows = await session.rows(FREQUENCIES, words=list(words))
    return {row.word: row.books for row in rows}


async def words_beginning(session: Session, *, word: str, many: int) -> dict[str, int]:
    """The most frequent words that begin so."""
    rows = await session.rows(BEGINNING, first=word, past=word + LAST, many=many)
    return {row.word: row.books for row in rows}


async def words_alike(session: Session, *, words: Iterable[str]) -> dict[str, int]:
    """The known words that may be spelled like one of these."""
    keys = {key for word in words for key in spelling_keys(word)}
    return {row.word: row.books for row in await session.rows(ALIKE, keys=list(keys))}
