"""The pages: the catalogue for readers, the desk for staff.

An edge: it asks the contexts through their ports and holds nothing itself. Every page works
without JavaScript; with it, the desk sends scans without loading the page again.

catalogue.py  home, results, a book          sessions.py      sign in, sign out, join
my.py         a reader's own library         holds.py         placing a hold
desk.py       check out, check in            hold_lists.py    to pull, on the hold shelf, coming
patrons.py    people as staff see them       patron_holds.py  what one of them waits for
registering.py  somebody new                 account.py       what one of them owes; till.py
overdue.py    what is late                   desk_branch.py   where a desk stands
reviewing.py  writing a review               review_queue.py  what staff decide about
headings.py   an author, a subject, a series duplicates.py    what looks the same, merges
imports.py    files of records, in four steps jobs.py         what is done by the clock
inbox.py      what a reader was told         wording.py       how it is worded
cash.py       the drawer: opened, counted
"""

from fastapi import APIRouter, FastAPI

from lendery.platform.http.identity import Identities
from lendery.platform.http.routes_index import add_routes
from lendery.web import (
    account,
    cash,
    catalogue,
    desk,
    desk_branch,
    duplicates,
    headings,
    hold_lists,
    holds,
    imports,
    inbox,
    jobs,
    my,
    overdue,
    patron_holds,
    patrons,
    registering,
    review_queue,
    reviewing,
    sessions,
    wording,
)
from lendery.web.pages import Site, Unknown
from lendery.web.ports import Ports

PAGES = (
    *(catalogue, headings, reviewing, holds, sessions, my, inbox),
    *(desk, desk_branch, hold_lists, cash),
    *(review_queue, patrons, patron_holds, account, registering, overdue),
    *(duplicates, imports, jobs, wording),
)


def mount(app: FastAPI, wiring: Ports, identities: Identities) -> None:
    """Adds the pages to the program. Call it last: it answers what nobody else knows."""
    site = Site.of(wiring, identities)
    files = APIRouter(include_in_schema=False)
    files.add_api_route(
        "/static/{name}", site.look.assets.answer, methods=["GET", "HEAD"], response_model=None
    )
    add_routes(app, files, *(pages.routes(site) for pages in PAGES))
    app.router.routes.append(Unknown(site))


__all__ = ["mount"]
