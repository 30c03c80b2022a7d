"""What a reader was told, and how the reader wants to be told."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from fastapi import APIRouter
from pydantic import ValidationError
from starlette.requests import Request
from starlette.responses import Response

from lendery.contracts.base import Invalid, Window
from lendery.contracts.notices import PreferenceChanges
from lendery.contracts.permissions import Permission
from lendery.web.pages import Site, asked, field, go, show, take, visit_of

SHOWN = 20
PATH, SETTINGS = "/my/notices", "/my/notices/settings"
LANGUAGES = {"": "As in my account", "en": "English", "de": "Deutsch"}


@dataclass(frozen=True)
class Inbox:
    site: Site

    async def show(self, request: Request) -> Response:
        actor = visit_of(request).must(Permission.OWN_ACCOUNT)
        window = Window(limit=SHOWN, after=asked(request, "after", 1000) or None)
        page = await self.site.ports.notices.inbox(unread=False, window=window, actor=actor)
        return self.site.page(request, "inbox.html", page=page)

    async def read_all(self, request: Request) -> Response:
        actor = visit_of(request).must(Permission.OWN_ACCOUNT)
        await self.site.ports.notices.read_all(actor=actor, now=datetime.now(UTC))
        return go(PATH)

    async def settings(self, request: Request) -> Response:
        return await self._settings(request)

    async def change(self, request: Request) -> Response:
        """All the form says: a box that is not ticked is a no."""
        actor, now = visit_of(request).must(Permission.OWN_ACCOUNT), datetime.now(UTC)
        ports, form = self.site.ports, await request.form()
        before = await ports.notices.preferences(actor=actor)
        ticked = {value for value in form.getlist("email") if isinstance(value, str)}
        wishes: dict[str, Any] = {
            "email": {k: k in ticked for k in before.email if k not in before.required},
            "digest": await field(request, "digest") == "yes",
            "quiet_from": await field(request, "quiet_from", 5) or None,
            "quiet_until": await field(request, "quiet_until", 5) or None,
            "language": await field(request, "language", 6) or None,
        }
        try:
            await ports.notices.prefer(
                changes=PreferenceChanges.model_validate(wishes),
                given=frozenset(wishes),
                actor=actor,
                now=now,
            )
        except (Invalid, ValidationError) as error:
            says = error.detail if isinstance(error, Invalid) else "Give times like 21:00."
            return await self._settings(request, says)
        return go(f"{SETTINGS}?told=kept#told")

    async def _settings(self, request: Request, wrong: str = "") -> Response:
        actor = visit_of(request).must(Permission.OWN_ACCOUNT)
        wishes = await self.site.ports.notices.preferences(actor=actor)
        return self.site.page(
            request,
            "inbox_settings.html",
            422 if wrong else 200,
            wishes=wishes,
            languages=LANGUAGES,
            wrong=wrong,
            kept=asked(request, "told", 10) == "kept",
        )


def routes(site: Site) -> APIRouter:
    pages, router = Inbox(site), site.router()
    show(router, PATH, pages.show)
    take(router, PATH, pages.read_all)
    show(router, SETTINGS, pages.settings)
    take(router, SETTINGS, pages.change)
    return router
