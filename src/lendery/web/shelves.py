"""Where books are now: copies from the catalogue, their state from circulation, put together."""

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from uuid import UUID

from lendery.contracts.base import Window
from lendery.contracts.catalog import BareCopy, Book, CopyStatus
from lendery.contracts.circulation import Branch, Calendar, CopyState, Loan
from lendery.web.ports import Ports
from lendery.web.words import zone

AT_ONCE = 8
GONE = ("withdrawn", "lost", "missing")
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


@dataclass(frozen=True)
class Places:
    """The branches by id."""

    by_id: dict[UUID, Branch]

    def name(self, branch_id: UUID | None) -> str:
        found = self.by_id.get(branch_id) if branch_id else None
        return found.name if found else ""

    def zone(self, branch_id: UUID | None) -> str:
        found = self.by_id.get(branch_id) if branch_id else None
        return found.time_zone if found else "UTC"

    @property
    def all(self) -> list[Branch]:
        return sorted(self.by_id.values(), key=lambda branch: branch.name)

    def named(self, text: str) -> Branch | None:
        """The branch whose id this is."""
        return next((each for each in self.by_id.values() if str(each.id) == text), None)


@dataclass(frozen=True)
class Placed:
    """A copy and where it is."""

    copy: BareCopy
    status: CopyStatus
    branch_id: UUID
    call_number: str | None
    due_at: datetime | None = None


@dataclass(frozen=True)
class Availability:
    """What can be had of one book."""

    copies: list[Placed] = field(default_factory=list)

    @property
    def standing(self) -> list[Placed]:
        return [each for each in self.copies if each.status == "available"]

    @property
    def kept(self) -> list[Placed]:
        """All that the library has and may lend or show."""
        return [each for each in self.copies if each.status not in GONE]

    @property
    def out(self) -> list[Placed]:
        return [each for each in self.copies if each.status == "on-loan"]

    @property
    def reference(self) -> list[Placed]:
        return [each for each in self.copies if each.status == "reference"]

    @property
    def back(self) -> Placed | None:
        """The one that is due first."""
        due = [each for each in self.out if each.due_at]
        return min(due, key=lambda each: each.due_at or datetime.max) if due else None

    def first(self, branch_id: UUID | None = None) -> Placed | None:
        """One on the shelf, at this branch if there is one."""
        here = [each for each in self.standing if each.branch_id == branch_id]
        return next(iter(here or self.standing), None)


@dataclass(frozen=True)
class Held:
    """A loan with the words people know it by."""

    loan: Loan
    book: Book | None
    copy: BareCopy | None

    @property
    def title(self) -> str:
        return self.book.title if self.book else ""

    @property
    def branch_id(self) -> UUID:
        """Whose clock its due date goes by."""
        return self.copy.branch_id if self.copy else self.loan.branch_id


@dataclass(frozen=True)
class Hours:
    """One branch and when it is open today. None: nobody has said."""

    branch: Branch
    open: tuple[tuple[str, str], ...] | None
    note: str | None = None


async def places(ports: Ports) -> Places:
    found = await ports.branches.find(window=Window(limit=100))
    return Places({branch.id: branch for branch in found.items})


async def availability(ports: Ports, books: Sequence[Book]) -> dict[UUID, Availability]:
    """One call for each book shown, a few at a time, and one for all their states."""
    gate = asyncio.Semaphore(AT_ONCE)

    async def copies_of(book: Book) -> list[BareCopy]:
        async with gate:
            return await ports.copies.of_book(book_id=book.id)

    copies = await asyncio.gather(*[copies_of(book) for book in books])
    ids = [copy.id for each in copies for copy in each]
    states = {s.copy_id: s for s in await ports.copy_states.states(copy_ids=ids)} if ids else {}
    return {
        book.id: Availability([_placed(copy, book, states.get(copy.id)) for copy in each])
        for book, each in zip(books, copies, strict=True)
    }


def _placed(copy: BareCopy, book: Book, state: CopyState | None) -> Placed:
    never_met: CopyStatus = "reference" if copy.item_type == "reference" else "available"
    return Placed(
        copy=copy,
        status=state.status if state else never_met,
        branch_id=(state.branch_id if state else None) or copy.branch_id,
        call_number=copy.call_number or book.call_number,
        due_at=state.due_at if state else None,
    )


async def held(ports: Ports, loans: Iterable[Loan]) -> list[Held]:
    """Loans with titles and barcodes, the most urgent first: two calls, however many."""
    loans = sorted(loans, key=lambda loan: (loan.due_at, loan.id))
    if not loans:
        return []
    books, copies = await asyncio.gather(
        ports.books.by_ids(ids=list({loan.book_id for loan in loans})),
        ports.copies.by_ids(ids=list({loan.copy_id for loan in loans})),
    )
    by_book, by_copy = {b.id: b for b in books}, {c.id: c for c in copies}
    return [Held(loan, by_book.get(loan.book_id), by_copy.get(loan.copy_id)) for loan in loans]


async def hours_today(ports: Ports, known: Places, now: datetime) -> list[Hours]:
    """Each branch with its opening hours of this day, as its own clock has it."""
    calendars = {c.id: c for c in (await ports.calendars.find(window=Window(limit=100))).items}
    found = []
    for branch in known.all:
        calendar = calendars.get(branch.calendar_id) if branch.calendar_id else None
        today = now.astimezone(zone(branch.time_zone)).date()
        found.append(_hours(branch, calendar, today))
    return found


def _hours(branch: Branch, calendar: Calendar | None, today: date) -> Hours:
    if calendar is None or (calendar.valid_until and today > calendar.valid_until):
        return Hours(branch, None)
    for exception in calendar.exceptions:
        if exception.on == today:
            return Hours(branch, exception.hours, exception.note)
    weekly = {str(day): hours for day, hours in calendar.weekly.items()}
    return Hours(branch, weekly.get(DAYS[today.weekday()], ()))
