"""What each context brings along: its tables, reactions and jobs."""

from collections.abc import Awaitable, Callable

from lendery.accounts.jobs import JOBS as ACCOUNTS_JOBS
from lendery.accounts.models import TABLES as ACCOUNTS_TABLES
from lendery.accounts.privacy import LIMITS as ACCOUNTS_LIMITS
from lendery.accounts.privacy import PERSONAL as ACCOUNTS_PERSONAL
from lendery.catalog.jobs import JOBS as CATALOG_JOBS
from lendery.catalog.jobs import LONG_JOBS as CATALOG_LONG_JOBS
from lendery.catalog.models import JOBS as CATALOG_JOB_TABLE
from lendery.catalog.models import TABLES as CATALOG_TABLES
from lendery.catalog.reactions import REACTIONS as CATALOG_REACTIONS
from lendery.catalog.repository.books import make_findable
from lendery.circulation.jobs import JOBS as CIRCULATION_JOBS
from lendery.circulation.jobs import LONG_JOBS as CIRCULATION_LONG_JOBS
from lendery.circulation.models import JOBS as CIRCULATION_JOB_TABLE
from lendery.circulation.models import TABLES as CIRCULATION_TABLES
from lendery.circulation.privacy import LIMITS as CIRCULATION_LIMITS
from lendery.circulation.privacy import PERSONAL as CIRCULATION_PERSONAL
from lendery.circulation.reactions import REACTIONS as CIRCULATION_REACTIONS
from lendery.contracts.accounts import PatronRemoved
from lendery.notices.jobs import JOBS as NOTICES_JOBS
from lendery.notices.jobs import OWN_JOBS as NOTICES_OWN_JOBS
from lendery.notices.models import TABLES as NOTICES_TABLES
from lendery.notices.privacy import LIMITS as NOTICES_LIMITS
from lendery.notices.privacy import PERSONAL as NOTICES_PERSONAL
from lendery.notices.reactions import REACTIONS as NOTICES_REACTIONS
from lendery.platform.db import Tx
from lendery.platform.db.jobs import JobTable
from lendery.platform.db.log import ContextTables
from lendery.platform.events import Reaction
from lendery.platform.jobs import Job
from lendery.platform.personal import Personal
from lendery.platform.queue import LongJob
from lendery.platform.retention import Limit, kept_answers
from lendery.reports.jobs import JOBS as REPORTS_JOBS
from lendery.reports.models import TABLES as REPORTS_TABLES
from lendery.reports.privacy import PERSONAL as REPORTS_PERSONAL
from lendery.reports.reactions import REACTIONS as REPORTS_REACTIONS
from lendery.reviews.jobs import JOBS as REVIEWS_JOBS
from lendery.reviews.models import TABLES as REVIEWS_TABLES
from lendery.reviews.privacy import PERSONAL as REVIEWS_PERSONAL
from lendery.reviews.reactions import REACTIONS as REVIEWS_REACTIONS

TABLES: dict[str, ContextTables] = {
    each.context: each
    for each in (
        ACCOUNTS_TABLES,
        CATALOG_TABLES,
        CIRCULATION_TABLES,
        NOTICES_TABLES,
        REPORTS_TABLES,
        REVIEWS_TABLES,
    )
}
REACTIONS: dict[str, tuple[Reaction, ...]] = {
    "catalog": CATALOG_REACTIONS,
    "circulation": CIRCULATION_REACTIONS,
    "notices": NOTICES_REACTIONS,
    "reviews": REVIEWS_REACTIONS,
    "reports": REPORTS_REACTIONS,
}
JOBS: dict[str, tuple[Job, ...]] = {
    "accounts": ACCOUNTS_JOBS,
    "catalog": CATALOG_JOBS,
    "circulation": CIRCULATION_JOBS,
    "notices": NOTICES_JOBS,
    "reviews": REVIEWS_JOBS,
    "reports": REPORTS_JOBS,
}
# What each process does for itself, as often as it can.
OWN_JOBS: dict[str, tuple[Job, ...]] = {"notices": NOTICES_OWN_JOBS}
LONG_JOBS: dict[str, tuple[JobTable, dict[str, LongJob]]] = {
    "catalog": (CATALOG_JOB_TABLE, CATALOG_LONG_JOBS),
    "circulation": (CIRCULATION_JOB_TABLE, CIRCULATION_LONG_JOBS),
}
# What is held about people, and how long what ends by itself is kept.
PERSONAL: dict[str, Personal] = {
    "accounts": ACCOUNTS_PERSONAL,
    "circulation": CIRCULATION_PERSONAL,
    "notices": NOTICES_PERSONAL,
    "reports": REPORTS_PERSONAL,
    "reviews": REVIEWS_PERSONAL,
}
_OWN_LIMITS: dict[str, tuple[Limit, ...]] = {
    "accounts": ACCOUNTS_LIMITS,
    "circulation": CIRCULATION_LIMITS,
    "notices": NOTICES_LIMITS,
}
LIMITS: dict[str, tuple[Limit, ...]] = {
    context: (*_OWN_LIMITS.get(context, ()), kept_answers(tables.request))
    for context, tables in TABLES.items()
}
# The event by which accounts erases a person, and the reactions by which the others do.
ERASING: dict[str, frozenset[str]] = {"accounts": frozenset({PatronRemoved.name})} | {
    context: frozenset(each.name for each in reactions if each.to is PatronRemoved)
    for context, reactions in REACTIONS.items()
}
# What a backup does not carry, because it follows from the rest.
DERIVED: dict[str, tuple[Callable[[Tx], Awaitable[None]], ...]] = {"catalog": (make_findable,)}
