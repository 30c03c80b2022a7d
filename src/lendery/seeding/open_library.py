"""Live samples of Open Library: https://openlibrary.org/dev/docs/api/search

Asked as its rules want it: with a name and an address to complain to, never more than once a
second, waiting when told to. The data of Open Library is free of rights (CC0).
"""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import httpx2
from stdnum import isbn as standard

import lendery
from lendery.demo.cleaning import clean, isbn13
from lendery.demo.languages import language_code
from lendery.seeding.library import Stopped

PUBLIC = "https://openlibrary.org"
FIELDS = (
    "key,title,subtitle,author_name,first_publish_year,language,subject,isbn,publisher,"
    "first_sentence"
)
BETWEEN = 1.0  # seconds between two requests
TRIES = 4
LONGEST_WAIT = 60.0
TIMEOUT = httpx2.Timeout(30.0, connect=10.0)
MOST_SUBJECTS = 12
MOST_AUTHORS = 10


@dataclass
class OpenLibrary:
    """`contact` is the address Open Library writes to when something is wrong.

    `a_page` is how many works are asked for at once.
    """

    http: httpx2.AsyncClient
    contact: str = ""
    a_page: int = 100
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    _asked_at: float = float("-inf")

    async def sample(self, query: str, limit: int) -> AsyncIterator[dict[str, Any]]:
        """Up to `limit` records with the fields of NewBook, the best matches first.

        Raises Stopped when there is no network, or no answer that can be used.
        """
        seen: set[str] = set()
        page, given = 1, 0
        while given < limit:
            docs, found = await self._page(query, page)
            for doc in docs:
                book = book_of(doc)
                if book is None or doc.get("key") in seen:
                    continue
                seen.add(str(doc.get("key")))
                yield book
                given += 1
                if given == limit:
                    return
            if len(docs) < self.a_page or page * self.a_page >= found:
                return
            page += 1

    async def _page(self, query: str, page: int) -> tuple[list[dict[str, Any]], int]:
        asked = {"q": query, "fields": FIELDS, "limit": str(self.a_page), "page": str(page)}
        answer = await self._asked(asked)
        try:
            told = answer.json()
            docs = [each for each in told["docs"] if isinstance(each, dict)]
            return docs, int(told.get("numFound", told.get("num_found", 0)))
        except (ValueError, KeyError, TypeError):
            where = self.http.base_url
            raise Stopped(f"{where} answers, but not as Open Library does.") from None

    async def _asked(self, parameters: dict[str, str]) -> httpx2.Response:
        why = ""
        for tried in range(TRIES):
            await self._our_turn()
            wait = BETWEEN * 2**tried
            try:
                answer = await self.http.get(
                    "/search.json", params=parameters, headers=self._headers(), timeout=TIMEOUT
                )
            except httpx2.TransportError as error:
                why = str(error) or type(error).__name__
            else:
                if answer.status_code == 200:
                    return answer
                why = f"it says HTTP {answer.status_code}"
                if answer.status_code != 429 and answer.status_code < 500:
                    break
                asked = answer.headers.get("retry-after", "")
                wait = max(wait, float(asked)) if asked.isdigit() else wait
            if wait > LONGEST_WAIT:
                why += f" and asks to wait {wait:,.0f} seconds"
                break
            if tried < TRIES - 1:
                await self.sleep(wait)
        where = self.http.base_url
        raise Stopped(f"No sample could be taken from {where}: {why}. Is there a network?")

    async def _our_turn(self) -> None:
        left = self._asked_at + BETWEEN - self.clock()
        if left > 0:
            await self.sleep(left)
        self._asked_at = self.clock()

    def _headers(self) -> dict[str, str]:
        contact = f"; {self.contact}" if self.contact else ""
        return {"user-agent": f"Lendery/{lendery.__version__} (library catalogue{contact})"}


def book_of(doc: dict[str, Any]) -> dict[str, Any] | None:
    """A work with the first of its editions that has an ISBN; None without a title."""
    title = clean(str(doc.get("title") or ""))
    if not title:
        return None
    codes = [language_code(each) for each in _texts(doc, "language")]
    book: dict[str, Any] = {
        "title": title[:500],
        "subtitle": next((each[:500] for each in _texts(doc, "subtitle")), None),
        "authors": _once(_texts(doc, "author_name"))[:MOST_AUTHORS],
        "isbn": next(filter(None, map(_isbn, _texts(doc, "isbn"))), None),
        "publisher": next(iter(_texts(doc, "publisher")), None),
        "published_year": _year(doc.get("first_publish_year")),
        "language": next((each for each in codes if each and 2 <= len(each) <= 3), None),
        "subjects": _once(_texts(doc, "subject"))[:MOST_SUBJECTS],
        "description": next(iter(_texts(doc, "first_sentence")), None),
    }
    return {name: value for name, value in book.items() if value not in (None, [])}


def _texts(doc: dict[str, Any], name: str) -> list[str]:
    """Open Library tells one value or several; those too long for a line are left out."""
    told = doc.get(name) or []
    several = told if isinstance(told, list) else [told]
    texts = (clean(each) for each in several if isinstance(each, str))
    return [each for each in texts if 0 < len(each) <= 500]


def _once(texts: list[str]) -> list[str]:
    return list({each.casefold(): each for each in reversed(texts)}.values())[::-1]


def _isbn(text: str) -> str | None:
    bare = standard.compact(text)
    if len(bare) == 13:
        return bare if standard.is_valid(bare) else None
    return isbn13(bare) if len(bare) == 10 else None


def _year(told: Any) -> int | None:
    return told if isinstance(told, int) and -3000 <= told <= 2200 else None
