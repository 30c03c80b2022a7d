"""Fills a database with the demo library, through the same ports that people use.

Every loan of the two years is a real check-out, renewal or check-in at its own time, so the
log, the policies on the loans and the state of each copy are what they would be.
"""

import asyncio
import heapq
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from typing import Protocol, TypeVar
from uuid import UUID

from lendery.contracts.accounts import NewUser
from lendery.contracts.base import Money
from lendery.contracts.catalog import NamedAuthor, NewBook, NewCopy
from lendery.contracts.circulation import (
    CheckOutRefused,
    LoanRequest,
    RenewalRefused,
    ReturnRequest,
)
from lendery.contracts.permissions import SYSTEM
from lendery.demo import house, people, plan
from lendery.demo.log_ins import LOG_INS, PASSWORD
from lendery.demo.titles import Title, titles
from lendery.main import Wiring

T = TypeVar("T")
SEED = 20261122
PRICES = {"book": 1800, "reference": 6500, "audiobook": 2400, "dvd": 1500, "magazine": 600}
CHUNK = 2_000
AT_ONCE = 64
ON_ITS_WAY = timedelta(days=2)  # between branches


class Progress(Protocol):
    """How far it has come: a bar on a terminal, nothing in a test."""

    def start(self, what: str, total: int) -> None: ...
    def advance(self, steps: int) -> None: ...


@dataclass
class Built:
    """What stands at the end."""

    books: int = 0
    copies: int = 0
    readers: int = 0
    loans: int = 0
    renewals: int = 0
    returns: int = 0
    refused: int = 0


@dataclass
class DemoLibrary:
    """`today` and `seed` decide everything; `books` None means all there are."""

    wiring: Wiring
    progress: Progress
    today: date
    seed: int = SEED
    books: int | None = None
    copies: int | None = None
    readers: int = 800
    days: int = 730
    built: Built = field(default_factory=Built)

    async def build(self) -> Built:
        began = datetime.combine(self.today, datetime.min.time(), UTC) - timedelta(days=self.days)
        branches = await house.open_branches(self.wiring, began)
        readers = await self._people(branches, began)
        listed, planned = await self._collection(branches, began)
        await self._lend(listed, planned, readers, branches)
        await self._deliver()
        return self.built

    async def _people(self, branches: list[UUID], began: datetime) -> "list[Enrolled]":
        planned = people.readers(count=self.readers, seed=self.seed, today=self.today)
        self.progress.start("Readers", len(planned) + 2)
        grown_ups = [i for i, person in enumerate(planned) if person.guarantor is None]
        first = next(i for i in grown_ups if _lasts(planned[i], self.today))
        planned[first] = replace(planned[first], email=LOG_INS[0], name="Ann Reed")
        ids: dict[int, UUID] = {}
        children = [i for i in range(len(planned)) if i not in set(grown_ups)]
        for wave in (grown_ups, children):  # a guarantor first
            for chunk in _chunks(wave, CHUNK):
                wanted = [_person(planned[i], ids, branches, i == first) for i in chunk]
                made = await self.wiring.users.add_many(people=wanted, actor=SYSTEM, now=began)
                ids.update(zip(chunk, (user.id for user in made), strict=True))
                self.progress.advance(len(chunk))
        staff = [_staff(branches[0], "librarian"), _staff(branches[0], "admin")]
        await self.wiring.users.add_many(people=staff, actor=SYSTEM, now=began)
        self.progress.advance(2)
        enrolled = [Enrolled(person, ids[i]) for i, person in enumerate(planned)]
        await self.wiring.memory.meet_many(patrons=list(ids.values()), copies=[])
        self.built.readers = len(enrolled)
        return enrolled

    async def _collection(
        self, branches: list[UUID], began: datetime
    ) -> "tuple[list[Title], list[Shelved]]":
        listed = list(titles(self.books))
        self.progress.start("Books", len(listed))
        book_ids: list[UUID] = []
        for chunk in _chunks(listed, CHUNK):
            wanted = [_book(title) for title in chunk]
            book_ids += await self.wiring.books.add_many(books=wanted, actor=SYSTEM, now=began)
            self.progress.advance(len(chunk))
        planned = plan.copies(listed, count=self._copies(len(listed)), seed=self.seed)
        self.progress.start("Copies", len(planned))
        shelved: list[Shelved] = []
        for numbered in _chunks(list(enumerate(planned)), CHUNK):
            wanted_copies = [
                _copy(number, each, book_ids[each.title_index], branches, listed)
                for number, each in numbered
            ]
            ids = await self.wiring.copies.add_many(copies=wanted_copies, actor=SYSTEM, now=began)
            shelved += [
                Shelved(planned_copy, copy_id, wanted.barcode)
                for (_, planned_copy), copy_id, wanted in zip(
                    numbered, ids, wanted_copies, strict=True
                )
            ]
            self.progress.advance(len(numbered))
        self.built.books, self.built.copies = len(listed), len(shelved)
        return listed, shelved

    def _copies(self, titles: int) -> int:
        wanted = self.copies or min(45_000, 2 * titles)
        return min(max(wanted, titles), 20 * titles)

    async def _lend(
        self,
        listed: list[Title],
        shelved: "list[Shelved]",
        readers: "list[Enrolled]",
        branches: list[UUID],
    ) -> None:
        steps = list(
            plan.lending(
                titles=listed,
                copies=[each.planned for each in shelved],
                readers=[each.reader for each in readers],
                opening=house.opening,
                loan_days=house.loan_days,
                today=self.today,
                seed=self.seed,
                days=self.days,
            )
        )
        used = sorted({step.copy for step in steps if isinstance(step, plan.Lend)})
        for chunk in _chunks(used, CHUNK):
            await self.wiring.memory.meet_many(patrons=[], copies=[shelved[i].id for i in chunk])
        self.progress.start("Two years of lending", len(steps))
        desk = Desk(self.wiring, shelved, readers, branches, self.built)
        for together in _independent(steps, AT_ONCE):
            await asyncio.gather(*[desk.carry_out(step) for step in together])
            await desk.receive_until(together[-1].at)
            self.progress.advance(len(together))

    async def _deliver(self) -> None:
        """What was announced is delivered, as it would have been all along."""
        async with self.wiring.db.read() as session:
            backlogs = [await session.row(each.backlog) for each in self.wiring.relay.outboxes]
        self.progress.start("Telling the catalogue", sum(row.waiting for row in backlogs if row))
        while sent := await self.wiring.relay.flush():
            self.progress.advance(sent)


@dataclass(frozen=True)
class Enrolled:
    reader: people.Reader
    id: UUID


@dataclass(frozen=True)
class Shelved:
    planned: plan.PlannedCopy
    id: UUID
    barcode: str


@dataclass
class Desk:
    """Carries the plan out at the branches' desks, and receives what was sent between them."""

    wiring: Wiring
    shelved: list[Shelved]
    readers: list[Enrolled]
    branches: list[UUID]
    built: Built
    loans: dict[int, tuple[UUID, int]] = field(default_factory=dict)
    on_the_way: list[tuple[datetime, int]] = field(default_factory=list)

    async def carry_out(self, step: plan.Event) -> None:
        if isinstance(step, plan.Lend):
            await self._lend(step)
        elif step.loan not in self.loans:
            return  # the house refused that loan
        elif isinstance(step, plan.Renew):
            await self._renew(step)
        else:
            await self._take_back(step)

    async def _lend(self, step: plan.Lend) -> None:
        request = LoanRequest(
            barcode=self.shelved[step.copy].barcode,
            patron_id=self.readers[step.reader].id,
            branch_id=self.branches[step.branch],
        )
        try:
            loan = await self.wiring.loans.check_out(request=request, actor=SYSTEM, now=step.at)
        except CheckOutRefused:
            self.built.refused += 1
            return
        self.loans[step.loan] = (loan.id, step.copy)
        self.built.loans += 1

    async def _renew(self, step: plan.Renew) -> None:
        try:
            loan_id = self.loans[step.loan][0]
            await self.wiring.loans.renew(loan_id=loan_id, actor=SYSTEM, now=step.at)
            self.built.renewals += 1
        except RenewalRefused:
            self.built.refused += 1

    async def _take_back(self, step: plan.Return) -> None:
        copy = self.loans[step.loan][1]
        request = ReturnRequest(
            barcode=self.shelved[copy].barcode, branch_id=self.branches[step.branch]
        )
        taken = await self.wiring.loans.check_in(request=request, actor=SYSTEM, now=step.at)
        self.built.returns += 1
        if taken.next == "transit":
            heapq.heappush(self.on_the_way, (step.at + ON_ITS_WAY, copy))

    async def receive_until(self, now: datetime) -> None:
        """What has arrived at home by now is checked in there."""
        while self.on_the_way and self.on_the_way[0][0] <= now:
            at, copy = heapq.heappop(self.on_the_way)
            home = self.branches[self.shelved[copy].planned.branch_index]
            request = ReturnRequest(barcode=self.shelved[copy].barcode, branch_id=home)
            await self.wiring.loans.check_in(request=request, actor=SYSTEM, now=at)


def _independent(steps: Sequence[plan.Event], most: int) -> Iterator[list[plan.Event]]:
    """Runs of steps of which none needs an earlier one's outcome, so they may go together."""
    run: list[plan.Event] = []
    touched: set[tuple[str, int]] = set()
    copy_of: dict[int, int] = {}
    for step in steps:
        marks = {("loan", step.loan)}
        if isinstance(step, plan.Lend):
            copy_of[step.loan] = step.copy
            marks.add(("reader", step.reader))
        marks.add(("copy", copy_of[step.loan]))
        if run and (len(run) >= most or marks & touched or _days(run[0], step)):
            yield run
            run, touched = [], set()
        run.append(step)
        touched |= marks
    if run:
        yield run


def _days(first: plan.Event, step: plan.Event) -> bool:
    return step.at - first.at > timedelta(hours=12)


def _chunks(items: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    for start in range(0, len(items), size):
        yield items[start : start + size]


def _lasts(reader: people.Reader, today: date) -> bool:
    return reader.category == "adult" and reader.expires_on > today + timedelta(days=120)


def _person(
    reader: people.Reader, ids: dict[int, UUID], branches: list[UUID], may_sign_in: bool
) -> NewUser:
    return NewUser(
        name=reader.name,
        email=reader.email,
        password=PASSWORD if may_sign_in else None,
        category=reader.category,
        home_branch_id=branches[reader.home_branch],
        born_on=reader.born_on,
        expires_on=reader.expires_on,
        guarantor_id=ids[reader.guarantor] if reader.guarantor is not None else None,
    )


def _staff(branch: UUID, role: str) -> NewUser:
    return NewUser(
        name="Lea Brandt" if role == "librarian" else "Tomás Ruiz",
        email=f"{role}@example.org",
        password=PASSWORD,
        role=role,  # type: ignore[arg-type]
        category="staff",
        home_branch_id=branch,
    )


def _book(title: Title) -> NewBook:
    authors = [
        NamedAuthor(name=a.name, sort_name=a.sort_name, born=a.born, died=a.died)
        for a in title.authors
    ]
    return NewBook(
        title=title.title,
        subtitle=title.subtitle,
        authors=list(authors),
        isbn=title.isbn,
        published_year=title.published_year,
        language=title.language,
        subjects=list(title.subjects),
        series=title.series,
        call_number=title.call_number,
    )


def _copy(
    number: int,
    planned: plan.PlannedCopy,
    book_id: UUID,
    branches: list[UUID],
    listed: list[Title],
) -> NewCopy:
    return NewCopy(
        barcode=house.barcode(number),
        book_id=book_id,
        branch_id=branches[planned.branch_index],
        item_type=planned.item_type,
        call_number=listed[planned.title_index].call_number,
        price=Money(amount=PRICES[planned.item_type], currency="EUR"),
    )
