"""The desk: one scan box for check-out and check-in.

Where the desk stands is in the address (mode, patron, book-drop date); the rows of this visit
travel in the form, sealed. So it works without JavaScript, and two windows are two desks. With
JavaScript each scan is one request that answers with its row.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from uuid import UUID

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from lendery.contracts.base import NotFound
from lendery.contracts.circulation import Branch
from lendery.contracts.permissions import Actor, Permission
from lendery.web import shelves
from lendery.web.desk_branch import desk_branch
from lendery.web.pages import Site, by_htmx, field, go, identity, show, take, visit_of
from lendery.web.people import Affairs, Person, affairs, person
from lendery.web.rendering import query
from lendery.web.renewing import KEY, new_key
from lendery.web.rows import Mode, Row, packed, unpacked
from lendery.web.scans import Scan, Scanner, decided
from lendery.web.shelves import Places

COMMANDS = ("/end", "/in", "/out")


@dataclass(frozen=True, kw_only=True)
class Standing:
    """Where the desk stands."""

    mode: Mode = "out"
    patron_id: UUID | None = None
    on: date | None = None
    branch: Branch | None = None

    @property
    def address(self) -> str:
        values = {
            "mode": "in" if self.mode == "in" else "",
            "patron": self.patron_id or "",
            "on": self.on or "",
        }
        text = query(values)
        return f"/staff?{text}" if text else "/staff"

    @property
    def check_out(self) -> str:
        return replace(self, mode="out", on=None).address

    @property
    def check_in(self) -> str:
        return replace(self, mode="in", patron_id=None).address


@dataclass(frozen=True)
class Desk:
    site: Site

    async def show(self, request: Request) -> Response:
        actor = visit_of(request).must(Permission.LEND)
        places = await shelves.places(self.site.ports)
        return await self._page(request, actor, self._standing(request, places), places, ())

    async def scan(self, request: Request) -> Response:
        """A scan, or a decision about a row that was refused."""
        visit, now = visit_of(request), datetime.now(UTC)
        actor = visit.must(Permission.LEND)
        places = await shelves.places(self.site.ports)
        standing = self._standing(request, places)
        rows = unpacked(visit.unseal("rows", await field(request, "rows", 60_000)))
        do, code = await field(request, "do", 80), await field(request, "code", 80)
        if code in COMMANDS:
            return go(self._commanded(standing, code).address)
        if do:
            row = await self._decided(request, standing, rows, places, actor, now)
        elif code:
            key = await field(request, "key", 64)
            scan = Scan(
                mode=standing.mode,
                code=code,
                key=key if KEY.match(key) else new_key(),
                patron_id=standing.patron_id,
                branch=standing.branch,
                on=standing.on,
            )
            row = await Scanner(self.site.ports, places).read(scan, actor, now)
        else:
            return await self._page(request, actor, standing, places, rows)
        if row.kind == "card":
            standing = replace(standing, patron_id=row.patron_id)
        if by_htmx(request):
            return await self._row(request, actor, standing, places, row)
        return await self._page(request, actor, standing, places, _with(row, rows))

    async def _decided(
        self,
        request: Request,
        standing: Standing,
        rows: tuple[Row, ...],
        places: Places,
        actor: Actor,
        now: datetime,
    ) -> Row:
        what, _, key = (await field(request, "do", 80)).partition(":")
        row = next((each for each in rows if each.key == key and each.kind == "refused"), None)
        if row is None:
            raise NotFound("This row was decided already. Scan the copy again.")
        if what not in ("waive", "renew"):
            return row.model_copy(update={"kind": "left"})
        reason = await field(request, f"reason-{key}", 200)
        renews = what == "renew"
        asked = Scan(
            mode="out", code=row.code, key=key, branch=standing.branch, reason=reason, renew=renews
        )
        done = await Scanner(self.site.ports, places).read(decided(row, asked), actor, now)
        return done.model_copy(update={"key": key})

    def _standing(self, request: Request, places: Places) -> Standing:
        asked = request.query_params
        return Standing(
            mode="in" if asked.get("mode") == "in" else "out",
            patron_id=identity(asked.get("patron")) if asked.get("mode") != "in" else None,
            on=_date(asked.get("on")) if asked.get("mode") == "in" else None,
            branch=desk_branch(self.site, request, places),
        )

    def _commanded(self, standing: Standing, code: str) -> Standing:
        if code == "/in":
            return Standing(mode="in")
        patron_id = None if code == "/end" else standing.patron_id
        return replace(standing, mode="out", patron_id=patron_id)

    async def _page(
        self,
        request: Request,
        actor: Actor,
        standing: Standing,
        places: Places,
        rows: tuple[Row, ...],
    ) -> Response:
        return self.site.page(
            request,
            "desk.html",
            standing=standing,
            places=places,
            rows=rows,
            said=rows[0] if rows else None,
            sealed=visit_of(request).seal("rows", packed(rows)),
            seal=self._seal(request),
            key=new_key(),
            patron=await self._patron(standing, actor),
        )

    async def _row(
        self, request: Request, actor: Actor, standing: Standing, places: Places, row: Row
    ) -> Response:
        """One row; with a card, also whose it is."""
        opened = row.kind == "card"
        page = self.site.page(
            request,
            "desk/scanned.html",
            standing=standing,
            places=places,
            row=row,
            said=row,
            seal=self._seal(request),
            patron=await self._patron(standing, actor) if opened else None,
            affairs=await self._affairs(row, actor),
        )
        if opened:
            page.headers["hx-replace-url"] = standing.address
        return page

    def _seal(self, request: Request) -> Callable[[Row], str]:
        """A row that must be decided carries itself, for the answer."""
        return lambda row: visit_of(request).seal("rows", packed([row]))

    async def _patron(self, standing: Standing, actor: Actor) -> Person | None:
        if standing.patron_id is None:
            return None
        return await person(self.site.ports, standing.patron_id, actor, datetime.now(UTC))

    async def _affairs(self, row: Row, actor: Actor) -> Affairs | None:
        """How the reader stands after a loan: a hold may be fulfilled by it, and cost something."""
        if row.kind not in ("lent", "waived", "renewed") or row.patron_id is None:
            return None
        return await affairs(self.site.ports, row.patron_id, actor, datetime.now(UTC))


def _with(row: Row, rows: tuple[Row, ...]) -> tuple[Row, ...]:
    """A decided row stays in its place; a new one comes first."""
    if any(each.key == row.key for each in rows):
        return tuple(row if each.key == row.key else each for each in rows)
    return (row, *rows)


def _date(text: str | None) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        return None


def routes(site: Site) -> APIRouter:
    pages, router = Desk(site), site.router()
    show(router, "/staff", pages.show)
    take(router, "/staff", pages.scan)
    return router
