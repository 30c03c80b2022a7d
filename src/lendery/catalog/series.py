"""Series: books in the order of their numbers."""

from dataclasses import dataclass

from lendery.catalog.repository import books as books_kept
from lendery.catalog.repository import series as kept
from lendery.catalog.rules.fold import words
from lendery.catalog.rules.works import series_key
from lendery.contracts.authorities import NoSuchSeries, Series
from lendery.contracts.base import Page, Window
from lendery.contracts.catalog import Book
from lendery.platform.db import Database
from lendery.platform.http.answers import make_cursor, read_cursor

MOST_WORDS = 8


@dataclass(frozen=True)
class SeriesShelf:
    """Implements contracts.authorities.SeriesList."""

    db: Database

    async def find(self, *, q: str | None, window: Window) -> Page[Series]:
        """In alphabetical order; each word of `q` begins a word of the name."""
        typed = words(q or "")[:MOST_WORDS]
        after = read_cursor(window.after, str)[0] if window.after else None
        async with self.db.read() as session:
            rows = await kept.listed(session, words=typed, after=after, many=window.limit + 1)
        shown = rows[: window.limit]
        more = len(rows) > window.limit
        return Page(
            items=[Series(id=row.id, name=row.name, books=row.books) for row in shown],
            next_cursor=make_cursor(shown[-1].id) if more else None,
        )

    async def get(self, *, series: str) -> Series:
        async with self.db.read() as session:
            row = await kept.one_series(session, key=series_key(series) or "")
        if row is None:
            raise NoSuchSeries("There is no such series.")
        return Series(id=row.id, name=row.name, books=row.books)

    async def books(self, *, series: str, window: Window) -> Page[Book]:
        await self.get(series=series)
        after = None
        if window.after:
            place, number = read_cursor(window.after, int, int)
            after = (place or 0, number or 0)
        async with self.db.read() as session:
            key = series_key(series) or ""
            rows = await kept.rows_in_series(session, key=key, after=after, many=window.limit + 1)
        shown = rows[: window.limit]
        last = shown[-1] if len(rows) > window.limit else None
        return Page(
            items=[books_kept.book_of(row) for row in shown],
            next_cursor=make_cursor(last.series_place, last.number) if last else None,
        )
