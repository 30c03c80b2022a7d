"""The pages: the catalogue for readers, the desk for staff.

An edge: it asks the contexts through their ports and holds nothing itself. Every page works
without JavaScript; with it, the desk sends scans without loading the page again.

catalogue.py  home, results, a book          sessions.py  sign in, sign out, join
my.py         a reader's own loans           desk.py      check out, check in
patrons.py    people as staff see them
"""

from fastapi import APIRouter, FastAPI

from lendery.platform.http.identity import Identities
from lendery.web import catalogue, desk, my, patrons, sessions
from lendery.web.pages import Site, Unknown
from lendery.web.ports import Ports


def mount(app: FastAPI, wiring: Ports, identities: Identities) -> None:
    """Adds the pages to the program. Call it last: it answers what nobody else knows."""
    site = Site.of(wiring, identities)
    files = APIRouter(include_in_schema=False)
    files.add_api_route(
        "/static/{name}", site.look.assets.answer, methods=["GET", "HEAD"], response_model=None
    )
    for router in (
        files,
        catalogue.routes(site),
        sessions.routes(site),
        my.routes(site),
        desk.routes(site),
        patrons.routes(site),
    ):
        app.include_router(router)
    app.router.routes.append(Unknown(site))


__all__ = ["mount"]
