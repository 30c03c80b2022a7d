"""One's own inbox, preferences, and the link that ends mails of a kind."""

from datetime import UTC, datetime
from html import escape
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Body, Depends, Query, Request, Response
from fastapi.responses import HTMLResponse

from lendery.contracts.notices import (
    Kind,
    Notice,
    NoticePage,
    NoticePreferences,
    Notices,
    PreferenceChanges,
    ReadAll,
)
from lendery.contracts.permissions import Actor, Permission
from lendery.platform.http.answers import (
    ExpectedVersion,
    PageWindow,
    answer,
    etag_of,
    page_answer,
    version_tag,
)
from lendery.platform.http.identity import Needs

Self = Annotated[Actor, Depends(Needs(Permission.OWN_ACCOUNT))]
PRIVATE = {"cache-control": "no-store", "referrer-policy": "no-referrer"}
PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{title}</title>
<meta name="viewport" content="width=device-width, initial-scale=1"></head>
<body><main><h1>{title}</h1><p>{says}</p>{form}</main></body></html>
"""
FORM = '<form method="post"><button type="submit">Stop these mails</button></form>'


def add(router: APIRouter, notices: Notices) -> None:
    @router.get("/me/notices", summary="One's inbox", response_model=NoticePage)
    async def list_own_notices(
        request: Request,
        actor: Self,
        window: PageWindow,
        unread: Annotated[bool, Query(description="Only those that are new.")] = False,
    ) -> Response:
        """Newest first; `unread` counts all that are new, on this page or not."""
        return page_answer(await notices.inbox(unread=unread, window=window, actor=actor), request)

    @router.post("/me/notices/read", summary="Mark all as read", response_model=ReadAll)
    async def read_own_notices(request: Request, actor: Self) -> Response:
        return answer(await notices.read_all(actor=actor, now=datetime.now(UTC)), request)

    @router.post("/me/notices/{notice_id}/read", summary="Mark as read", response_model=Notice)
    async def read_own_notice(request: Request, notice_id: UUID, actor: Self) -> Response:
        """One that was read before keeps the time of the first."""
        now = datetime.now(UTC)
        return answer(await notices.read(notice_id=notice_id, actor=actor, now=now), request)

    @router.get(
        "/me/notices/preferences", summary="How one is told", response_model=NoticePreferences
    )
    async def read_own_notice_preferences(request: Request, actor: Self) -> Response:
        return _preferences(await notices.preferences(actor=actor), request)

    @router.patch(
        "/me/notices/preferences",
        summary="Change how one is told",
        response_model=NoticePreferences,
    )
    async def change_own_notice_preferences(
        request: Request,
        actor: Self,
        version: ExpectedVersion,
        changes: Annotated[
            PreferenceChanges, Body(examples=[{"email": {"due-soon": False}, "digest": True}])
        ],
    ) -> Response:
        """What is left out stays; null is as the library has it."""
        after = await notices.prefer(
            changes=changes,
            given=frozenset(changes.model_fields_set),
            actor=actor,
            now=datetime.now(UTC),
            version=version,
        )
        return _preferences(after, request)


def add_way_out(router: APIRouter, notices: Notices) -> None:
    """Nobody is signed in here: the token is all there is."""

    @router.get(
        "/notices/unsubscribe/{token}",
        summary="What a mail's link would end",
        response_class=HTMLResponse,
    )
    async def show_unsubscribing(token: str) -> Response:
        """Changes nothing: mail programs follow links by themselves."""
        kinds = await notices.unsubscribing(token=token)
        says = (
            f"You will get no more mails about: {_named(kinds)}. Your inbox here still shows them."
        )
        return _page("Stop these mails?", says, FORM)

    @router.post(
        "/notices/unsubscribe/{token}",
        summary="End mails of a kind",
        response_class=HTMLResponse,
    )
    async def unsubscribe(token: str) -> Response:
        """One click (RFC 8058): whatever the body says, and as often as it comes."""
        kinds = await notices.unsubscribe(token=token, now=datetime.now(UTC))
        return _page("Done", f"You get no more mails about: {_named(kinds)}.", "")


def _preferences(found: NoticePreferences, request: Request) -> Response:
    digest = etag_of(found.model_dump_json().encode()).strip('"')
    return answer(found, request, etag=version_tag(found.version, digest))


def _named(kinds: list[Kind]) -> str:
    return ", ".join(kind.replace("-", " ") for kind in kinds)


def _page(title: str, says: str, form: str) -> Response:
    body = PAGE.format(title=escape(title), says=escape(says), form=form)
    return HTMLResponse(body, headers=PRIVATE)
