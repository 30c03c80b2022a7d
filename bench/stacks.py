"""A library of many books for measuring searches, with words as frequent as words are.

The records are those that `lendery generate` makes: the words, names, subjects and languages of
Project Gutenberg's catalogue, drawn as often as they stand there. The rows are those that the
catalog writes, in bulk, into the tables and indexes of the migrations.
"""

import random
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import islice
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Text, bindparam, cast, func, insert, select
from sqlalchemy.dialects import postgresql

from lendery.catalog.models import author as author_table
from lendery.catalog.models import book as book_table
from lendery.catalog.models import change
from lendery.catalog.models import copy as copy_table
from lendery.catalog.repository import authors
from lendery.catalog.repository.books import added
from lendery.catalog.repository.search import FIELDS, FTS, VECTORS, tidy
from lendery.catalog.repository.words import count_words
from lendery.catalog.rules.popularity import level_words, place
from lendery.catalog.rules.works import work_of
from lendery.contracts.base import new_id
from lendery.contracts.catalog import Author, AuthorRef, Book
from lendery.generating import records
from lendery.platform.db import Database, Statement, Tx

AT_ONCE = 5_000
WORDS = 50_000  # of the dictionary, counted at once
NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
BRANCHES = [UUID(int=number) for number in (1, 2, 3)]
EMPTY: dict[str, Any] = {name: None for name in Book.model_fields} | {"subjects": ()}

PUT_FTS = Statement(
    insert(FTS).values(
        {name: bindparam(name, type_=Text) for name in FIELDS}
        | {"rowid": bindparam("place", type_=BigInteger)}
    )
)
_ROWS = (
    func.unnest(
        bindparam("numbers", type_=postgresql.ARRAY(BigInteger)),
        bindparam("words", type_=postgresql.ARRAY(Text)),
        bindparam("places", type_=postgresql.ARRAY(BigInteger)),
    )
    .table_valued("number", "words", "place")
    .render_derived()
)
PUT_VECTORS = Statement(
    insert(VECTORS).from_select(
        ["number", "words", "place"],
        select(_ROWS.c.number, cast(_ROWS.c.words, postgresql.TSVECTOR), _ROWS.c.place),
    )
)


@dataclass
class Shelf:
    """The rows of some books, by table; `words` as they are found by."""

    books: list[dict[str, Any]] = field(default_factory=list)
    authors: list[dict[str, Any]] = field(default_factory=list)
    copies: list[dict[str, Any]] = field(default_factory=list)
    words: list[dict[str, Any]] = field(default_factory=list)


@dataclass
class Stack:
    """Books as rows. The same seed makes the same books."""

    size: int
    seed: int = 1

    def __post_init__(self) -> None:
        self.chance = random.Random(self.seed)
        self.known: dict[str, tuple[AuthorRef, str]] = {}
        self.counted: Counter[str] = Counter()

    def shelves(self, dialect: str) -> Iterator[Shelf]:
        numbered = enumerate(records(self.size, self.seed), 1)
        while some := list(islice(numbered, AT_ONCE)):
            shelf = Shelf()
            for number, record in some:
                self._put(shelf, dialect, number, record)
            yield shelf

    def _put(self, shelf: Shelf, dialect: str, number: int, record: dict[str, Any]) -> None:
        named = [self._author(shelf, each) for each in record["authors"]]
        book = self._book(record, [ref for ref, _ in named])
        lent = self._lent()
        sort_author = named[0][1] if named else None
        (_, row), (_, words) = added(dialect, number, book, sort_author=sort_author, now=NOW)
        moved = {"popularity": lent, "place": place(number, lent)}
        shelf.books.append({**row, **moved})
        self.counted.update(words["known"])
        if dialect != "sqlite":
            levels = level_words(lent)
            self.counted.update(levels)
            words = {"words": " ".join([words["words"], *(f"'{level}'" for level in levels)])}
        shelf.words.append({**words, "number": number, "place": moved["place"]})
        if lent:
            shelf.copies.append(self._copy(number, book.id))

    def _author(self, shelf: Shelf, entry: Mapping[str, Any]) -> tuple[AuthorRef, str]:
        found = self.known.get(entry["name"])
        if found is None:
            author = Author(
                id=new_id(),
                name=entry["name"],
                sort_name=entry["sort_name"],
                born=entry.get("born"),
                died=entry.get("died"),
                biography=None,
                version=1,
            )
            shelf.authors.append(dict(authors.added(author, now=NOW)[1]))
            found = AuthorRef(id=author.id, name=author.name), author.sort_name
            self.known[author.name] = found
        return found

    def _book(self, record: dict[str, Any], named: list[AuthorRef]) -> Book:
        book_id = new_id()
        author_id = named[0].id if named else None
        whole = {
            **EMPTY,
            **record,
            **{"id": book_id, "authors": tuple(named), "withdrawn": False, "version": 1},
            "work_id": work_of(book_id, record["title"], record["language"], author_id),
        }
        return Book.model_construct(**whole)

    def _lent(self) -> int:
        """Half were never lent; one in a thousand a thousand times."""
        return max(0, int(self.chance.paretovariate(1.0)) - 1)

    def _copy(self, number: int, book_id: UUID) -> dict[str, Any]:
        status = "available" if self.chance.random() < 0.9 else "on-loan"
        return {
            **{"id": new_id(), "barcode": f"B{number}", "book_id": book_id},
            **{"branch_id": self.chance.choice(BRANCHES), "item_type": "book"},
            **{"location": None, "call_number": None},
            **{"price_amount": None, "price_currency": None},
            **{"version": 1, "status": status, "created_at": NOW, "updated_at": NOW},
        }


async def fill(db: Database, stack: Stack) -> None:
    """All its books, findable, in the catalog of a fresh database."""
    for shelf in stack.shelves(db.dialect):
        async with db.begin() as tx:
            await tx.load(author_table, shelf.authors)
            await tx.load(book_table, shelf.books)
            await tx.load(copy_table, shelf.copies)
            await _make_findable(tx, shelf.words)
    counted = sorted(stack.counted.items())
    for start in range(0, len(counted), WORDS):
        async with db.begin() as tx:
            await count_words(tx, dict(counted[start : start + WORDS]))
    async with db.begin() as tx:
        await tx.run(change.update().values(last_number=stack.size))
        await tidy(tx)
    await db.tidy()


async def _make_findable(tx: Tx, words: list[dict[str, Any]]) -> None:
    if tx.dialect == "sqlite":
        await tx.many(PUT_FTS, words)
        return
    given = ((each["number"], each["words"], each["place"]) for each in words)
    numbers, texts, places = zip(*given, strict=True)
    await tx.run(PUT_VECTORS, numbers=list(numbers), words=list(texts), places=list(places))
