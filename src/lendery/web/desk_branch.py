"""Which branch a desk stands in: what its browser chose, else where the person works."""

from dataclasses import dataclass
from uuid import UUID

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from lendery.contracts.base import NotFound
from lendery.contracts.circulation import Branch
from lendery.contracts.permissions import Permission
from lendery.web import shelves
from lendery.web.pages import Site, field, go, take, visit_of
from lendery.web.shelves import Places
from lendery.web.visits import Cookie

YEAR = 365 * 86_400
BACK_TO = {"in": "/staff?mode=in", "holds": "/staff/holds", "cash": "/staff/cash"}


def desk_branch(site: Site, request: Request, places: Places) -> Branch | None:
    """What this browser chose; else where the person works; else the only one there is."""
    chosen = request.cookies.get(site.sessions.cookie("desk"), "")
    works = places.by_id.get(visit_of(request).actor.desk or UUID(int=0))
    only = places.all[0] if len(places.by_id) == 1 else None
    return places.named(chosen) or works or only


@dataclass(frozen=True)
class BranchChoice:
    site: Site

    async def choose(self, request: Request) -> Response:
        visit = visit_of(request)
        visit.must(Permission.LEND)
        places = await shelves.places(self.site.ports)
        branch = places.named(await field(request, "branch", 40))
        if branch is None:
            raise NotFound("There is no such branch.")
        visit.cookies.append(Cookie("desk", str(branch.id), YEAR))
        return go(BACK_TO.get(await field(request, "mode"), "/staff"))


def routes(site: Site) -> APIRouter:
    router = site.router()
    take(router, "/staff/branch", BranchChoice(site).choose)
    return router
