"""The composition root: one process or many, decided here and nowhere else.

Read `Wiring` to know who calls whom.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import TypeVar

import httpx2

from lendery.accounts.keys import KeyRing
from lendery.accounts.patrons import PatronIndex
from lendery.accounts.people import PeopleDesk
from lendery.accounts.tokens import SignIn
from lendery.catalog.authorities import HeadingFile
from lendery.catalog.authors import AuthorFile
from lendery.catalog.books import BookCatalog
from lendery.catalog.copies import CopyRegister
from lendery.catalog.duplicates import DuplicateList
from lendery.catalog.hot import hot_paths
from lendery.catalog.importing.exporting import ExportDesk
from lendery.catalog.importing.imports import ImportDesk
from lendery.catalog.importing.place import Place
from lendery.catalog.merging import MergeDesk
from lendery.catalog.models import CHANGES as CATALOG_CHANGES
from lendery.catalog.models import JOBS as CATALOG_JOB_TABLE
from lendery.catalog.series import SeriesShelf
from lendery.catalog.works import WorkShelf
from lendery.circulation.borrowings import BorrowingRecord
from lendery.circulation.branches import BranchOffice, CalendarOffice
from lendery.circulation.copy_states import Shelf
from lendery.circulation.desk import LoanDesk
from lendery.circulation.fees import FeeDesk
from lendery.circulation.holds import HoldShelf
from lendery.circulation.memory import Memory
from lendery.circulation.rule_table import RuleBook
from lendery.circulation.suspending import SuspensionDesk
from lendery.circulation.undoing import UndoDesk
from lendery.circulation.waiting import QueueView
from lendery.contracts.accounts import Patrons, Tokens, Users
from lendery.contracts.authorities import AuthorityFile, Duplicates, Merges, SeriesList, Works
from lendery.contracts.catalog import Authors, Books, Copies
from lendery.contracts.circulation import (
    Borrowings,
    Branches,
    Calendars,
    CopyStates,
    Corrections,
    Fees,
    Holds,
    Loans,
    Queues,
    Rules,
    Suspensions,
)
from lendery.contracts.identity import Keys
from lendery.contracts.importing import Exports, Imports
from lendery.contracts.jobs import Jobs
from lendery.contracts.reviews import Reviews
from lendery.parts import JOBS, LONG_JOBS, REACTIONS, TABLES
from lendery.platform.backup.scheduled import backup_job
from lendery.platform.cache.shared import SharedAnswers
from lendery.platform.db import Database
from lendery.platform.events import Deliveries, Fanout, Reaction, Reactions, Relay, outboxes
from lendery.platform.http.hot import JOBS as CACHE_JOBS
from lendery.platform.http.hot import HotAnswers
from lendery.platform.job_list import JobList
from lendery.platform.jobs import JobRunner
from lendery.platform.ports import Breaker, Peer, remote
from lendery.platform.queue import QueueRunner
from lendery.platform.services import ServiceTokens
from lendery.platform.settings import CONTEXTS, Settings
from lendery.reviews import hot as reviews_hot
from lendery.reviews.board import ReviewBoard
from lendery.reviews.models import CHANGES as REVIEWS_CHANGES

P = TypeVar("P")


@dataclass
class Wiring:
    """Who calls whom. Each port is the thing itself, or a stand-in for one elsewhere."""

    settings: Settings
    db: Database
    peers: dict[str, Peer] = field(default_factory=dict)

    @cached_property
    def patrons(self) -> Patrons:
        return self._port(Patrons, "accounts", lambda: PatronIndex(self.db))

    @cached_property
    def users(self) -> Users:
        return self._port(Users, "accounts", lambda: PeopleDesk(self.db))

    @cached_property
    def tokens(self) -> Tokens:
        return self._port(Tokens, "accounts", lambda: SignIn(self.db, self.settings))

    @cached_property
    def keys(self) -> Keys:
        return self._port(Keys, "accounts", lambda: KeyRing(self.db, self.settings))

    @cached_property
    def authors(self) -> Authors:
        return self._port(Authors, "catalog", lambda: AuthorFile(self.db))

    @cached_property
    def books(self) -> Books:
        return self._port(Books, "catalog", lambda: BookCatalog(self.db))

    @cached_property
    def copies(self) -> Copies:
        return self._port(
            Copies, "catalog", lambda: CopyRegister(self.db, self.copy_states, self.branches)
        )

    @cached_property
    def authorities(self) -> AuthorityFile:
        return self._port(AuthorityFile, "catalog", lambda: HeadingFile(self.db))

    @cached_property
    def merges(self) -> Merges:
        return self._port(Merges, "catalog", lambda: MergeDesk(self.db))

    @cached_property
    def duplicates(self) -> Duplicates:
        return self._port(Duplicates, "catalog", lambda: DuplicateList(self.db))

    @cached_property
    def works(self) -> Works:
        return self._port(Works, "catalog", lambda: WorkShelf(self.db))

    @cached_property
    def series(self) -> SeriesList:
        return self._port(SeriesList, "catalog", lambda: SeriesShelf(self.db))

    @cached_property
    def imports(self) -> Imports:
        return self._port(
            Imports,
            "catalog",
            lambda: ImportDesk(
                self.db, self.files, self.branches, self.copy_states, self.queue.wake
            ),
        )

    @cached_property
    def exports(self) -> Exports:
        return self._port(
            Exports, "catalog", lambda: ExportDesk(self.db, self.files, self.queue.wake)
        )

    @cached_property
    def long_jobs(self) -> Jobs:
        return self._port(Jobs, "catalog", lambda: JobList(self.db, CATALOG_JOB_TABLE))

    @property
    def files(self) -> Place:
        return Place(self.settings.import_folder, self.settings.import_limit)

    @cached_property
    def loans(self) -> Loans:
        return self._port(
            Loans, "circulation", lambda: LoanDesk(self.db, self.memory, self.settings.currency)
        )

    @cached_property
    def holds(self) -> Holds:
        return self._port(Holds, "circulation", lambda: HoldShelf(self.db, self.memory))

    @cached_property
    def queues(self) -> Queues:
        return self._port(Queues, "circulation", lambda: QueueView(self.db))

    @cached_property
    def fees(self) -> Fees:
        return self._port(
            Fees, "circulation", lambda: FeeDesk(self.db, self.memory, self.settings.currency)
        )

    @cached_property
    def corrections(self) -> Corrections:
        given = self.settings.currency, self.settings.undo_minutes
        return self._port(Corrections, "circulation", lambda: UndoDesk(self.db, *given))

    @cached_property
    def suspensions(self) -> Suspensions:
        return self._port(Suspensions, "circulation", lambda: SuspensionDesk(self.db))

    @cached_property
    def copy_states(self) -> CopyStates:
        return self._port(
            CopyStates, "circulation", lambda: Shelf(self.db, self.memory, self.settings.currency)
        )

    @cached_property
    def branches(self) -> Branches:
        return self._port(Branches, "circulation", lambda: BranchOffice(self.db))

    @cached_property
    def calendars(self) -> Calendars:
        return self._port(Calendars, "circulation", lambda: CalendarOffice(self.db))

    @cached_property
    def rules(self) -> Rules:
        return self._port(Rules, "circulation", lambda: RuleBook(self.db))

    @cached_property
    def borrowings(self) -> Borrowings:
        return self._port(Borrowings, "circulation", lambda: BorrowingRecord(self.db))

    @cached_property
    def reviews(self) -> Reviews:
        return self._port(
            Reviews, "reviews", lambda: ReviewBoard(self.db, self.books, self.borrowings)
        )

    @cached_property
    def memory(self) -> Memory:
        # Lazily asked: copies asks circulation in turn, and neither may need the other to start.
        return Memory(self.db, lambda: self.patrons, lambda: self.copies)

    @property
    def here(self) -> list[str]:
        """The contexts with tables that run in this process."""
        return [each for each in CONTEXTS if each in self.settings.contexts and each in TABLES]

    def _port(self, port: type[P], context: str, here: Callable[[], P]) -> P:
        if context in self.settings.contexts:
            return here()
        return remote(port, self.peer(context))

    def peer(self, context: str) -> Peer:
        if context not in self.settings.peers:
            raise SystemExit(f"Set LENDERY_PEERS__{context.upper()}: this process calls {context}.")
        if context not in self.peers:
            client = httpx2.AsyncClient(
                base_url=str(self.settings.peers[context]),
                timeout=httpx2.Timeout(5.0, connect=1.0),
                limits=httpx2.Limits(max_connections=100, max_keepalive_connections=50),
            )
            tokens = ServiceTokens(
                self.settings.secret.get_secret_value(), ",".join(sorted(self.settings.contexts))
            )
            self.peers[context] = Peer(context, client, tokens, Breaker(context))
        return self.peers[context]

    @cached_property
    def relay(self) -> Relay:
        here = self.here
        acting = Reactions(self.db, self, {c: REACTIONS[c] for c in here if c in REACTIONS})
        elsewhere = {
            remote(Deliveries, self.peer(context)): frozenset(each.to.name for each in reactions)
            for context, reactions in REACTIONS.items()
            if context not in here and _sources(reactions) & set(here)
        }
        tables = [TABLES[context] for context in here]
        return Relay(self.db, Fanout(acting, elsewhere), outboxes(tables))

    @cached_property
    def jobs(self) -> JobRunner:
        """What this process does by the clock."""
        jobs = [job for context in self.here for job in JOBS.get(context, ())]
        backups = backup_job(self.settings) if self.here else None
        if self.answers.feeds:
            jobs += CACHE_JOBS
        return JobRunner(self, [*jobs, backups] if backups else jobs)

    @cached_property
    def answers(self) -> HotAnswers:
        """The most read answers of the contexts here, kept ready to be sent."""
        paths, changes = [], {}
        if "catalog" in self.settings.contexts:
            paths += hot_paths(HeadingFile(self.db), BookCatalog(self.db))
            changes["catalog"] = CATALOG_CHANGES
        if "reviews" in self.settings.contexts:
            paths += reviews_hot.hot_paths(ReviewBoard(self.db, self.books, self.borrowings))
            changes["reviews"] = REVIEWS_CHANGES
        url, secret = self.settings.redis, self.settings.secret.get_secret_value()
        shared = SharedAnswers(url, secret) if url else None
        return HotAnswers(paths, self.db, changes, self.settings.cache_entries, shared)

    @cached_property
    def queue(self) -> QueueRunner:
        """The long work that was asked for, done here or by another process."""
        kinds = {context: LONG_JOBS[context] for context in self.here if context in LONG_JOBS}
        return QueueRunner(self, self.db, kinds)

    @cached_property
    def deliveries(self) -> Reactions:
        """What other processes deliver to."""
        here = {c: REACTIONS[c] for c in self.settings.contexts if c in REACTIONS}
        return Reactions(self.db, self, here)

    async def close(self) -> None:
        for peer in self.peers.values():
            await peer.client.aclose()
        if self.answers.shared is not None:
            await self.answers.shared.close()
        await self.db.close()


def _sources(reactions: tuple[Reaction, ...]) -> set[str]:
    """The contexts whose events these react to."""
    return {each.to.name.split(".")[0] for each in reactions}


def wire(settings: Settings, *, durable: bool = True) -> Wiring:
    tables = [TABLES[context] for context in settings.contexts if context in TABLES]
    size = settings.database_pool
    return Wiring(settings, Database(settings.database_url, tables, size=size, durable=durable))
