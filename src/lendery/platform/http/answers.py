"""Finished answers: JSON bytes, pages with cursors and links, ETags, conditions, keys."""

import hashlib
from collections.abc import Sequence
from typing import Annotated, Any, Literal

from fastapi import Depends, Header, Query, Request, Response
from pydantic import BaseModel

from lendery.contracts.base import Page, RequestKey, Stale, Window
from lendery.contracts.permissions import STRANGER, Actor
from lendery.platform.paging import make_cursor, read_cursor

JSON = "application/json"


def answer(
    value: BaseModel,
    request: Request,
    *,
    status: int = 200,
    etag: str | None = None,
    location: str | None = None,
) -> Response:
    """One thing; 304 when the client has it already."""
    headers = {}
    if location:
        headers["location"] = location
    if etag:
        headers["etag"] = etag
        if request.method == "GET" and matches(request.headers.get("if-none-match"), etag):
            return Response(None, 304, headers)
    return Response(value.model_dump_json(), status, headers, JSON)


def page_answer(page: Page[Any], request: Request) -> Response:
    """A list with its links (RFC 8288); `total` only when it was asked for."""
    headers = {}
    if page.next_cursor:
        target = request.url.include_query_params(cursor=page.next_cursor).remove_query_params(
            "offset"
        )
        headers["link"] = f'<{target.path}?{target.query}>; rel="next"'
    body = page_body(page)
    etag = etag_of(body)
    headers["etag"] = etag
    if matches(request.headers.get("if-none-match"), etag):
        return Response(None, 304, headers)
    return Response(body, 200, headers, JSON)


def page_body(page: Page[Any]) -> bytes:
    """Its JSON, without what was not asked for."""
    without = {
        name
        for name in ("total", "facets", "did_you_mean", "explanations", "editions")
        if getattr(page, name, 0) is None
    }
    return page.model_dump_json(exclude=without).encode()


def items_answer(items: Sequence[BaseModel], request: Request) -> Response:
    return page_answer(Page[Any](items=items), request)


def etag_of(body: bytes) -> str:
    return f'"{hashlib.sha256(body, usedforsecurity=False).hexdigest()[:18]}"'


def version_tag(version: int, extra: str = "") -> str:
    """The strong ETag of a thing with a version; `extra` for what it shows beside its own."""
    return f'"{version}{extra and "-" + extra}"'


def matches(if_none_match: str | None, etag: str) -> bool:
    """Does the client have it already? (RFC 9110, 13.1.2)"""
    if not if_none_match:
        return False
    named = [each.strip().removeprefix("W/") for each in if_none_match.split(",")]
    return "*" in named or etag in named


async def expected_version(if_match: Annotated[str | None, Header()] = None) -> int | None:
    """The version that `If-Match` names; None when it is absent or `*`."""
    if if_match is None or if_match.strip() == "*":
        return None
    digits = if_match.strip().removeprefix('"').removesuffix('"').split("-")[0]
    if not (digits.isascii() and digits.isdigit()) or len(digits) > 15:
        raise Stale("This has changed since you read it: `If-Match` names no version of it.")
    return int(digits)


ExpectedVersion = Annotated[int | None, Depends(expected_version)]


async def window(
    limit: Annotated[int, Query(ge=1, le=100, description="How many at most.")] = 20,
    cursor: Annotated[
        str | None,
        Query(min_length=1, max_length=1000, description="`next_cursor` of the page before."),
    ] = None,
    total: Annotated[
        Literal["exact", "estimate", "none"], Query(description="Count all that match.")
    ] = "none",
) -> Window:
    return Window(limit=limit, after=cursor, total=total != "none", estimate=total == "estimate")


PageWindow = Annotated[Window, Depends(window)]


async def request_key(
    request: Request,
    idempotency_key: Annotated[
        str | None,
        Header(
            min_length=1,
            max_length=255,
            pattern=r"^[\x21-\x7e]+$",
            description="Repeat the request with the same key and it happens once.",
        ),
    ] = None,
) -> RequestKey | None:
    """The Idempotency-Key, with who sent it and a digest of what was asked."""
    if idempotency_key is None:
        return None
    actor: Actor = request.scope["state"].get("actor", STRANGER)
    asked = request.method.encode() + request.url.path.encode() + b"\n" + await request.body()
    return RequestKey.of(idempotency_key, sender=actor.id, asked=asked)


RequestKeyed = Annotated[RequestKey | None, Depends(request_key)]

__all__ = [
    "JSON",
    "ExpectedVersion",
    "PageWindow",
    "RequestKeyed",
    "answer",
    "etag_of",
    "items_answer",
    "make_cursor",
    "matches",
    "page_answer",
    "page_body",
    "read_cursor",
    "version_tag",
]
