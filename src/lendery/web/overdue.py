"""What is late, and who has it."""

from dataclasses import dataclass
from datetime import UTC, datetime

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from lendery.contracts.base import Window
from lendery.contracts.circulation import LoanFilter
from lendery.contracts.permissions import Permission
from lendery.web import shelves
from lendery.web.pages import Site, asked, show, visit_of
from lendery.web.words import zone


@dataclass(frozen=True)
class OverdueList:
    site: Site

    async def late(self, request: Request) -> Response:
        actor, now = visit_of(request).must(Permission.LEND), datetime.now(UTC)
        ports, places = self.site.ports, await shelves.places(self.site.ports)
        branch = places.named(asked(request, "branch", 40))
        found = await ports.loans.find(
            like=LoanFilter(status="overdue", branch_id=branch.id if branch else None),
            window=Window(limit=50, after=asked(request, "cursor", 1000) or None, total=True),
            actor=actor,
            now=now,
        )
        loans = await shelves.held(ports, found.items)
        ids = list({each.loan.patron_id for each in loans if each.loan.patron_id})
        users = await ports.users.by_ids(ids=ids, actor=actor) if ids else []
        return self.site.page(
            request,
            "overdue.html",
            loans=loans,
            names={user.id: user for user in users},
            places=places,
            branch=branch,
            found=found,
            days={each.loan.id: _days_late(each, places, now) for each in loans},
        )


def _days_late(late: shelves.Held, places: shelves.Places, now: datetime) -> int:
    """Dates after the one it was due on, where the copy lives: as fines count, open or not."""
    where = zone(places.zone(late.branch_id))
    return (now.astimezone(where).date() - late.loan.due_at.astimezone(where).date()).days


def routes(site: Site) -> APIRouter:
    router = site.router()
    show(router, "/staff/overdue", OverdueList(site).late)
    return router
