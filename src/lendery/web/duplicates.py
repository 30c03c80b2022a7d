"""What looks the same: merged, or said to be two; and merges, to be undone."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import cast, get_args

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from lendery.contracts.authorities import DuplicateKind
from lendery.contracts.base import Invalid, Problem, Window
from lendery.contracts.permissions import Actor, Permission
from lendery.web.pages import Site, asked, field, identity, show, take, visit_of

SHOWN = 25
LAST_MERGES = 10


@dataclass(frozen=True)
class Told:
    """What became of what was pressed; `wrong` says why nothing did."""

    what: str = ""
    name: str = ""
    wrong: str = ""


@dataclass(frozen=True)
class DuplicatePages:
    site: Site

    async def listed(self, request: Request) -> Response:
        return await self._page(request, visit_of(request).must(Permission.CATALOGUE))

    async def decide(self, request: Request) -> Response:
        actor = visit_of(request).must(Permission.CATALOGUE)
        try:
            told = await self._decided(request, actor, datetime.now(UTC))
        except Problem as problem:
            return await self._page(request, actor, Told(wrong=problem.detail), problem.status)
        return await self._page(request, actor, told)

    async def _decided(self, request: Request, actor: Actor, now: datetime) -> Told:
        """What a button says: `look`, or what is done and with which."""
        duplicates, merges = self.site.ports.duplicates, self.site.ports.merges
        what, _, which = (await field(request, "do", 120)).partition(":")
        if what == "look":
            found = await duplicates.look(actor=actor, now=now)
            return Told("looked", str(found))
        named, _, winner = which.partition(":")
        thing, stays = identity(named), identity(winner)
        if thing is not None and what == "dismiss":
            await duplicates.dismiss(duplicate_id=thing, actor=actor, now=now)
            return Told("dismissed")
        if thing is not None and what == "undo":
            undone = await merges.undo(merge_id=thing, actor=actor, now=now)
            return Told("undone", undone.loser_name)
        if thing is not None and stays is not None and what == "merge":
            done = await duplicates.merge(duplicate_id=thing, winner_id=stays, actor=actor, now=now)
            return Told("merged", done.winner_name)
        raise Invalid("Press one of the buttons of the page. Nothing was changed.")

    async def _page(
        self, request: Request, actor: Actor, told: Told | None = None, status: int = 200
    ) -> Response:
        kind = asked(request, "kind", 10)
        if kind not in get_args(DuplicateKind):
            kind = ""
        found = await self.site.ports.duplicates.find(
            kind=cast(DuplicateKind, kind) if kind else None,
            window=Window(limit=SHOWN, after=asked(request, "cursor", 1000) or None),
            actor=actor,
        )
        merges = await self.site.ports.merges.find(window=Window(limit=LAST_MERGES), actor=actor)
        return self.site.page(
            request,
            "duplicates.html",
            status,
            kind=kind,
            found=found,
            merges=merges.items,
            told=told,
        )


def routes(site: Site) -> APIRouter:
    pages, router = DuplicatePages(site), site.router()
    show(router, "/staff/duplicates", pages.listed)
    take(router, "/staff/duplicates", pages.decide)
    return router
