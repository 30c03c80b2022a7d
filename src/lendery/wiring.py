"""The composition root: one process or many, decided here and nowhere else.

Read `Wiring` to know who calls whom.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import TypeVar

from lendery.accounts.erasing import PrivacyDesk
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
from lendery.circulation.cash_sessions import CashDesk
from lendery.circulation.copy_states import Shelf
from lendery.circulation.desk import LoanDesk
from lendery.circulation.due_list import DueBook
from lendery.circulation.fees import FeeDesk
from lendery.circulation.holds import HoldShelf
from lendery.circulation.offline.conflicts import ConflictDesk
from lendery.circulation.offline.register import DeskRegister
from lendery.circulation.offline.uploads import UploadDesk
from lendery.circulation.queue_view import QueueView
from lendery.circulation.rule_table import RuleBook
from lendery.circulation.rule_versions import RuleRegister
from lendery.circulation.simulations import SimulationDesk
from lendery.circulation.suspending import SuspensionDesk
from lendery.circulation.transport import TransportOffice
from lendery.circulation.undoing import UndoDesk
from lendery.circulation.waiting_times import WaitingTimes
from lendery.circulation.without_neighbours import Memory
from lendery.contracts.accounts import Patrons, Tokens, Users
from lendery.contracts.authorities import AuthorityFile, Duplicates, Merges, SeriesList, Works
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
from lendery.contracts.notices import Documents, MailLog, Notices, NoticeTemplates
from lendery.contracts.privacy import PersonalData, Privacy
from lendery.contracts.reports import Reports
from lendery.contracts.reviews import Reviews
from lendery.contracts.subscriptions import Subscriptions
from lendery.notices.documents import DocumentDesk
from lendery.notices.inbox import Inbox
from lendery.notices.mail_log import MailBook
from lendery.notices.template_desk import TemplateDesk
from lendery.parts import (
    ERASING,
    JOBS,
    LIMITS,
    LONG_JOBS,
    OWN_JOBS,
    PERSONAL,
    REACTIONS,
    TABLES,
)
from lendery.platform.background import Background
from lendery.platform.backup.progress import Progress
from lendery.platform.cache.shared import SharedAnswers
from lendery.platform.db import Database
from lendery.platform.events import Deliveries, Fanout, Reactions, Relay, outboxes, sources
from lendery.platform.http.hot import JOBS as CACHE_JOBS
from lendery.platform.http.hot import HotAnswers
from lendery.platform.job_list import JobList
from lendery.platform.jobs import JobRunner
from lendery.platform.logbook import Logbook, Logs
from lendery.platform.personal import PersonalFiles
from lendery.platform.ports import Peer, remote
from lendery.platform.queue import QueueRunner
from lendery.platform.settings import CONTEXTS, Settings
from lendery.platform.timetable_list import Timetables
from lendery.reports.learning import Learner
from lendery.reports.mailing import Mailer
from lendery.reports.rebuilding import Rebuilding
from lendery.reports.rules.effects import MEANINGS
from lendery.reports.statistics import ReportDesk
from lendery.reports.subscriptions import SubscriptionDesk
from lendery.reports.zones import Zones
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
    def privacy(self) -> Privacy:
        peers = self.settings.peers
        asked = [each for each in PERSONAL if each in self.here or each in peers]
        holders = {c: self._port(PersonalData, c, lambda: self.personal) for c in asked}
        return self._port(
            Privacy, "accounts", lambda: PrivacyDesk(self.db, holders, lambda: self.books)
        )

    @cached_property
    def personal(self) -> PersonalFiles:
        """What the contexts here hold about people."""
        return PersonalFiles(self.db, {c: PERSONAL[c] for c in self.here if c in PERSONAL})

    @cached_property
    def keys(self) -> Keys:
        return self._port(Keys, "accounts", lambda: KeyRing(self.db, self.settings))

    @cached_property
    def authors(self) -> Authors:
        return self._port(Authors, "catalog", lambda: AuthorFile(self.db))

    @cached_property
    def books(self) -> Books:
        return self._port(Books, "catalog", lambda: BookCatalog(self.db, self.borrowings))

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
        return self._port(Queues, "circulation", lambda: QueueView(self.db, self.waiting_times))

    @cached_property
    def waiting_times(self) -> WaitingTimes:
        return WaitingTimes(self.db)

    @cached_property
    def fees(self) -> Fees:
        return self._port(
            Fees, "circulation", lambda: FeeDesk(self.db, self.memory, self.settings.currency)
        )

    @cached_property
    def cash_sessions(self) -> CashSessions:
        return self._port(
            CashSessions, "circulation", lambda: CashDesk(self.db, self.settings.currency)
        )

    @cached_property
    def corrections(self) -> Corrections:
        given = self.settings.currency, self.settings.undo_minutes
        return self._port(Corrections, "circulation", lambda: UndoDesk(self.db, *given))

    @cached_property
    def suspensions(self) -> Suspensions:
        return self._port(Suspensions, "circulation", lambda: SuspensionDesk(self.db))

    @cached_property
    def offline_desks(self) -> OfflineDesks:
        return self._port(OfflineDesks, "circulation", lambda: DeskRegister(self.db, self._secret))

    @cached_property
    def offline_batches(self) -> OfflineBatches:
        given = self._secret, self.settings.currency
        return self._port(
            OfflineBatches, "circulation", lambda: UploadDesk(self.db, self.memory, *given)
        )

    @cached_property
    def offline_conflicts(self) -> OfflineConflicts:
        currency = self.settings.currency
        return self._port(
            OfflineConflicts, "circulation", lambda: ConflictDesk(self.db, self.memory, currency)
        )

    @property
    def _secret(self) -> str:
        return self.settings.secret.get_secret_value()

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
    def transport_costs(self) -> TransportCosts:
        return self._port(TransportCosts, "circulation", lambda: TransportOffice(self.db))

    @cached_property
    def rules(self) -> Rules:
        return self._port(Rules, "circulation", lambda: RuleBook(self.db))

    @cached_property
    def rule_versions(self) -> RuleVersions:
        return self._port(
            RuleVersions, "circulation", lambda: RuleRegister(self.db, self.settings.currency)
        )

    @cached_property
    def simulations(self) -> Simulations:
        return self._port(
            Simulations,
            "circulation",
            lambda: SimulationDesk(self.db, self.settings.currency, self.queue.wake),
        )

    @cached_property
    def borrowings(self) -> Borrowings:
        return self._port(Borrowings, "circulation", lambda: BorrowingRecord(self.db))

    @cached_property
    def due_list(self) -> DueList:
        return self._port(DueList, "circulation", lambda: DueBook(self.db))

    @cached_property
    def notices(self) -> Notices:
        return self._port(Notices, "notices", lambda: Inbox(self.db, self.users, self.settings))

    @cached_property
    def notice_templates(self) -> NoticeTemplates:
        return self._port(NoticeTemplates, "notices", lambda: TemplateDesk(self.db))

    @cached_property
    def mail_log(self) -> MailLog:
        return self._port(MailLog, "notices", lambda: MailBook(self.db, self.settings))

    @cached_property
    def documents(self) -> Documents:
        return self._port(
            Documents, "notices", lambda: DocumentDesk(self.db, self.users, self.settings)
        )

    @cached_property
    def reviews(self) -> Reviews:
        return self._port(
            Reviews, "reviews", lambda: ReviewBoard(self.db, self.books, self.borrowings)
        )

    @cached_property
    def reports(self) -> Reports:
        return self._port(
            Reports,
            "reports",
            lambda: ReportDesk(self.db, self.learner, self.zones, self.branches, self.loans),
        )

    @cached_property
    def subscriptions(self) -> Subscriptions:
        return self._port(Subscriptions, "reports", lambda: SubscriptionDesk(self.db, self.mailer))

    @cached_property
    def mailer(self) -> Mailer:
        neighbours = self.reports, self.users, self.documents, self.zones
        return Mailer(self.db, *neighbours, self.settings.time_zone)

    @cached_property
    def learner(self) -> Learner:
        return Learner(self.db, self.copies, self.books)

    @cached_property
    def zones(self) -> Zones:
        return Zones(self.branches)

    def rebuilding(self, progress: Progress) -> Rebuilding:
        """The read model of reports from empty; only where it lives."""
        sources = sorted({kind.name.split(".")[0] for kind in MEANINGS})
        logs = {context: self.logbook(context) for context in sources}
        return Rebuilding(self.db, logs, self.zones, self.learner, progress)

    def logbook(self, context: str) -> Logbook:
        return self._port(Logbook, context, lambda: self.logs)

    @cached_property
    def logs(self) -> Logs:
        return Logs(self.db, {context: TABLES[context] for context in self.here})

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
            self.peers[context] = Peer.of(context, self.settings)
        return self.peers[context]

    @cached_property
    def relay(self) -> Relay:
        return self.relay_but()

    def relay_but(self, *deaf: str) -> Relay:
        """To whom it may concern, but for those who will read the log instead."""
        here = self.here
        hearing = {c: REACTIONS[c] for c in here if c in REACTIONS and c not in deaf}
        acting = Reactions(self.db, self, hearing)
        elsewhere = {
            remote(Deliveries, self.peer(context)): frozenset(each.to.name for each in reactions)
            for context, reactions in REACTIONS.items()
            if context not in here and sources(reactions) & set(here)
        }
        tables = [TABLES[context] for context in here]
        return Relay(self.db, Fanout(acting, elsewhere), outboxes(tables))

    @cached_property
    def jobs(self) -> JobRunner:
        """What every process does by the clock for itself."""
        own = [job for each in self.here for job in OWN_JOBS.get(each, ())]
        return JobRunner(self, [*own, *(CACHE_JOBS if self.answers.feeds else ())])

    @cached_property
    def background(self) -> Background:
        """What the contexts here do by the clock, and long work: here, or by workers."""
        here = [TABLES[context] for context in self.here]
        given = JOBS, LONG_JOBS, self.answers.feeds, LIMITS, ERASING
        return Background(self, self.settings, self.db, here, *given)

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
    def timetables(self) -> Timetables:
        """What is done by the clock: of the parts here, and of those that can be asked."""
        peers = self.settings.peers
        asked = [each for each in TABLES if each in self.here or each in peers]
        return Timetables(
            {each: self._port(Timetable, each, lambda: self.background.timetable) for each in asked}
        )

    @property
    def queue(self) -> QueueRunner:
        return self.background.queue

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


def wire(settings: Settings, *, durable: bool = True) -> Wiring:
    tables = [TABLES[context] for context in settings.contexts if context in TABLES]
    size = settings.database_pool
    return Wiring(settings, Database(settings.database_url, tables, size=size, durable=durable))
