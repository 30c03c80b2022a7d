"""The reviews of a book as finished bytes, for as long as nobody changes one of them.

A book that nobody has reviewed is left to the router: only the catalog knows whether there is
such a book, and its changes are not followed here.
"""

import re
from functools import lru_cache
from urllib.parse import parse_qsl
from uuid import UUID

import lendery
from lendery.contracts.base import Invalid, NotFound, Window
from lendery.contracts.reviews import Order, Rating, Review, ReviewPage
from lendery.platform.http.answers import etag_of, page_body
from lendery.platform.http.kept import Finished, HotPath, next_link
from lendery.reviews.board import ReviewBoard
from lendery.reviews.repository.stars import reviews_key

_ID = "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
_REVIEWS = re.compile(rf"/api/v1/books/({_ID})/reviews")
_PLAIN = {
    "limit": re.compile(r"[1-9][0-9]?|100"),
    "cursor": re.compile(r"[A-Za-z0-9_-]{1,1000}"),
    "sort": re.compile(r"newest|highest|lowest"),
}
# Programs that would write these answers differently do not share them.
_FIELDS = [each for shown in (Review, ReviewPage, Rating) for each in shown.model_fields]
SHAPE = etag_of(",".join([lendery.__version__, *_FIELDS]).encode())[1:9]


def hot_paths(board: ReviewBoard) -> list[HotPath]:
    async def listed(path: str, query: bytes) -> Finished | None:
        named, wanted = _REVIEWS.fullmatch(path), plain_list(query)
        if named is None or wanted is None:
            return None
        order, window = wanted
        try:
            page = await board.reviewed(book_id=UUID(named[1]), order=order, window=window)
        except (Invalid, NotFound):  # merged, say
            return None
        if page is None:
            return None
        body = page_body(page)
        return Finished(body, etag_of(body).encode(), next_link(path, query, page.next_cursor))

    route = "/api/v1/books/{book_id}/reviews"
    return [HotPath(route, "reviews", _key, listed, shape=SHAPE, routed=False)]


def _key(path: str) -> str | None:
    named = _REVIEWS.fullmatch(path)
    return reviews_key(named[1]) if named else None


@lru_cache(maxsize=1024)
def plain_list(query: bytes) -> tuple[Order, Window] | None:
    """What a plain list asks for; None when the query says anything else."""
    try:
        given = parse_qsl(query.decode("ascii"), keep_blank_values=True)
    except ValueError:
        return None
    asked = dict(given)
    if len(asked) != len(given):
        return None
    for name, value in asked.items():
        if name not in _PLAIN or not _PLAIN[name].fullmatch(value):
            return None
    window = Window(limit=int(asked.get("limit", "20")), after=asked.get("cursor"))
    return asked.get("sort", "newest"), window  # type: ignore[return-value]
