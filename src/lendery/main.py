"""The whole program: what the wiring gives, behind one ASGI callable.

Who calls whom is in wiring.py, what each context brings along in parts.py.
"""

import asyncio
import contextlib
import gc
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

from fastapi import APIRouter, FastAPI, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.types import ASGIApp

import lendery
from lendery.accounts import routes as accounts_routes
from lendery.accounts.routes import privacy as accounts_privacy
from lendery.catalog import routes as catalog_routes
from lendery.circulation import routes as circulation_routes
from lendery.contracts.accounts import Patrons, Tokens, Users
from lendery.contracts.authorities import AuthorityFile, Duplicates, Merges, SeriesList, Works
from lendery.contracts.base import Busy
from lendery.contracts.catalog import Authors, Books, Copies
from lendery.contracts.circulation import (
    Borrowings,
    Branches,
    Calendars,
    CashSessions,
    CopyStates,
    Corrections,
    DueList,
    Fees,
    Holds,
    Loans,
    OfflineBatches,
    OfflineConflicts,
    OfflineDesks,
    Queues,
    Rules,
    RuleVersions,
    Simulations,
    Suspensions,
    TransportCosts,
)
from lendery.contracts.identity import Keys
from lendery.contracts.importing import Exports, Imports
from lendery.contracts.jobs import Jobs, Timetable
from lendery.contracts.notices import MOST_ATTACHED, Documents, MailLog, Notices, NoticeTemplates
from lendery.contracts.privacy import PersonalData, Privacy
from lendery.contracts.reports import Reports
from lendery.contracts.reviews import Reviews
from lendery.contracts.subscriptions import Subscriptions
from lendery.notices import routes as notices_routes
from lendery.parts import DERIVED, JOBS, LONG_JOBS, REACTIONS, TABLES
from lendery.platform import logging
from lendery.platform.events import Deliveries
from lendery.platform.http.edge import (
    AnsweredWhenTold,
    BodyLimit,
    HeadAsGet,
    Identified,
    Observed,
)
from lendery.platform.http.fast import FastPath
from lendery.platform.http.front import FrontDoor
from lendery.platform.http.identity import Identities
from lendery.platform.http.limits import RateLimited
from lendery.platform.http.openapi import document
from lendery.platform.http.problems import add_problem_handlers
from lendery.platform.http.routes_index import IndexedRouter, add_routes
from lendery.platform.http.timetable import timetable_routes
from lendery.platform.jobs import Runner
from lendery.platform.logbook import Logbook
from lendery.platform.ports import expose
from lendery.platform.schema import states
from lendery.platform.services import ServiceTokens
from lendery.platform.settings import CONTEXTS, Settings
from lendery.platform.timetable_list import measure
from lendery.reports import routes as reports_routes
from lendery.reviews import routes as reviews_routes
from lendery.wiring import Wiring, wire

__all__ = [
    "DERIVED",
    "JOBS",
    "LONG_JOBS",
    "REACTIONS",
    "TABLES",
    "Wiring",
    "app_from_environment",
    "create_app",
    "is_new",
    "objections",
    "wire",
]
# Bodies that may be as large as LENDERY_IMPORT_LIMIT.
UPLOADS = ("/api/v1/imports", "/staff/imports")
# Between services: an attachment in Base64, and what is said beside it.
MAILED = {"/internal/Documents/send": MOST_ATTACHED * 4 // 3 + 100_000}
HOT_WRITES = frozenset(
    {
        "/api/v1/loans",
        "/api/v1/returns",
        "/api/v1/holds",
        "/api/v1/payments",
        "/api/v1/auth/token",
        "/api/v1/imports",
        "/staff",
        "/my",
    }
)
UNLIMITED_TELEMETRY = {"tracing": False, "metrics": False, "logs": False}


def create_app(settings: Settings, wiring: Wiring | None = None) -> ASGIApp:
    """The whole program behind one ASGI callable: edge layers, fast path, routers."""
    wiring = wiring or wire(settings)
    identities = Identities(wiring.keys, settings.public_url)
    app = FastAPI(
        title="Lendery",
        version=lendery.__version__,
        description="A library: catalogue, people and lending.",
        telemetry=UNLIMITED_TELEMETRY,  # type: ignore[arg-type]
        lifespan=_lifespan(wiring, identities),
        redirect_slashes=False,
        swagger_ui_parameters={"persistAuthorization": True},
    )
    add_problem_handlers(app)
    add_routes(app, _health(wiring), *_routers(wiring))
    if settings.contexts != frozenset(CONTEXTS):
        add_routes(app, *_internal(wiring))
    if "web" in settings.contexts:
        from lendery.web import mount

        mount(app, wiring, identities)
    document(app)
    app.state.wiring = wiring
    IndexedRouter.before(app.router)
    return _edge(app, wiring, identities)


def _edge(app: ASGIApp, wiring: Wiring, identities: Identities) -> ASGIApp:
    settings = wiring.settings
    services = ServiceTokens(settings.secret.get_secret_value(), "check")
    app = AnsweredWhenTold(app, wiring.relay.caught_up, HOT_WRITES)
    wiring.answers.behind = app
    app = FastPath(app, wiring.answers)
    app = limits = RateLimited(app, settings.requests_per_minute, settings.trusted_proxies)
    app = Identified(app, identities, services, settings.contexts)
    larger = dict.fromkeys(UPLOADS, settings.import_limit) | MAILED
    app = BodyLimit(app, settings.body_limit, larger)
    app = Observed(HeadAsGet(app))
    return FrontDoor(app, wiring.answers, identities, limits)


def _routers(wiring: Wiring) -> list[APIRouter]:
    here, found = wiring.settings.contexts, []
    if wiring.here:
        found.append(timetable_routes(wiring.timetables))  # before /jobs/{job_id}
    if "circulation" in here:
        found.append(
            circulation_routes.routes(
                loans=wiring.loans,
                states=wiring.copy_states,
                holds=wiring.holds,
                queues=wiring.queues,
                fees=wiring.fees,
                cash_sessions=wiring.cash_sessions,
                corrections=wiring.corrections,
                suspensions=wiring.suspensions,
                offline_desks=wiring.offline_desks,
                offline_batches=wiring.offline_batches,
                offline_conflicts=wiring.offline_conflicts,
                branches=wiring.branches,
                calendars=wiring.calendars,
                rules=wiring.rules,
                rule_versions=wiring.rule_versions,
                simulations=wiring.simulations,
                transport_costs=wiring.transport_costs,
            )
        )
    if "catalog" in here:
        found.append(
            catalog_routes.routes(wiring.authors, wiring.books, wiring.copies, wiring.copy_states)
        )
        found.append(
            catalog_routes.authority_routes(
                authorities=wiring.authorities,
                merges=wiring.merges,
                duplicates=wiring.duplicates,
                works=wiring.works,
                series=wiring.series,
            )
        )
        found.append(catalog_routes.bulk_routes(wiring.imports, wiring.exports, wiring.long_jobs))
    if "accounts" in here:
        found.append(
            accounts_routes.routes(
                wiring.users, wiring.tokens, wiring.keys, trusted=wiring.settings.trusted_proxies
            )
        )
        found.append(accounts_privacy.routes(wiring.privacy, wiring.relay.caught_up))
    if "notices" in here:
        found.append(
            notices_routes.routes(wiring.notices, wiring.notice_templates, wiring.mail_log)
        )
    if "reviews" in here:
        found.append(reviews_routes.routes(wiring.reviews))
    if "reports" in here:
        found.append(reports_routes.routes(wiring.reports, wiring.subscriptions))
    return found


def _internal(wiring: Wiring) -> list[APIRouter]:
    """The ports of the contexts that run here, for the processes where they do not."""
    here = wiring.settings.contexts
    found = [
        expose(Deliveries, wiring.deliveries),
        expose(Logbook, wiring.logs),
        expose(Timetable, wiring.background.timetable),
        expose(PersonalData, wiring.personal),
    ]
    if "accounts" in here:
        found += [
            expose(Patrons, wiring.patrons),
            expose(Users, wiring.users),
            expose(Tokens, wiring.tokens),
            expose(Keys, wiring.keys),
            expose(Privacy, wiring.privacy),
        ]
    if "catalog" in here:
        found += [
            expose(Authors, wiring.authors),
            expose(Books, wiring.books),
            expose(Copies, wiring.copies),
            expose(AuthorityFile, wiring.authorities),
            expose(Merges, wiring.merges),
            expose(Duplicates, wiring.duplicates),
            expose(Works, wiring.works),
            expose(SeriesList, wiring.series),
            expose(Imports, wiring.imports),
            expose(Exports, wiring.exports),
            expose(Jobs, wiring.long_jobs),
        ]
    if "circulation" in here:
        found += [
            expose(Loans, wiring.loans),
            expose(Holds, wiring.holds),
            expose(Queues, wiring.queues),
            expose(Fees, wiring.fees),
            expose(CashSessions, wiring.cash_sessions),
            expose(Corrections, wiring.corrections),
            expose(Suspensions, wiring.suspensions),
            expose(OfflineDesks, wiring.offline_desks),
            expose(OfflineBatches, wiring.offline_batches),
            expose(OfflineConflicts, wiring.offline_conflicts),
            expose(CopyStates, wiring.copy_states),
            expose(Branches, wiring.branches),
            expose(Calendars, wiring.calendars),
            expose(Rules, wiring.rules),
            expose(RuleVersions, wiring.rule_versions),
            expose(Simulations, wiring.simulations),
            expose(TransportCosts, wiring.transport_costs),
            expose(Borrowings, wiring.borrowings),
            expose(DueList, wiring.due_list),
        ]
    if "notices" in here:
        found += [
            expose(Notices, wiring.notices),
            expose(NoticeTemplates, wiring.notice_templates),
            expose(MailLog, wiring.mail_log),
            expose(Documents, wiring.documents),
        ]
    if "reviews" in here:
        found.append(expose(Reviews, wiring.reviews))
    if "reports" in here:
        found += [
            expose(Reports, wiring.reports),
            expose(Subscriptions, wiring.subscriptions),
        ]
    return found


def _lifespan(
    wiring: Wiring, identities: Identities
) -> Callable[[FastAPI], AbstractAsyncContextManager[None]]:
    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        leases = asyncio.create_task(wiring.answers.run())
        runners: list[Runner] = [wiring.relay, wiring.jobs, *wiring.background.runners]
        running = [asyncio.create_task(each.run()) for each in runners]
        identities.start()
        gc.collect()
        gc.freeze()  # what lives as long as the process is never looked at again
        yield
        for each in runners:
            each.stop()
        # what is unsent then is sent after the start
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(5):
                await asyncio.gather(*running)
        leases.cancel()
        await asyncio.wait([leases], timeout=2)
        await identities.stop()
        await wiring.close()

    return lifespan


def _health(wiring: Wiring) -> APIRouter:
    router = APIRouter(tags=["health"], include_in_schema=False)

    @router.get("/healthz")
    async def alive() -> dict[str, str]:
        return {"status": "ok"}

    @router.get("/readyz")
    async def ready() -> Response:
        async with wiring.db.read() as session:
            for outbox in wiring.relay.outboxes:
                await session.row(outbox.backlog)
        return Response(b'{"status":"ready"}', media_type="application/json")

    @router.get("/metrics")
    async def metrics() -> Response:
        with contextlib.suppress(Busy):
            await measure(wiring.background.slots)
        return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)

    return router


async def objections(wiring: Wiring) -> list[str]:
    """Why this program cannot serve on this database as it stands."""
    found = await states(wiring.db, wiring.here)
    return [state.objection for state in found if state.objection]


async def is_new(wiring: Wiring) -> bool:
    """Has no context any tables here yet?"""
    return not any(state.revision for state in await states(wiring.db, wiring.here))


def app_from_environment() -> ASGIApp:
    """What uvicorn's worker processes call."""
    settings = Settings()
    logging.set_up(settings)
    return create_app(settings)
