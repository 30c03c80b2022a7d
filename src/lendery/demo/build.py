"""Fills a database with the demo library, through the same ports that people use.

Everything in the two years is done at its own time: lending and taking back, holds, fines and
what is paid of them. So the log, the policies on the loans, the queues and the ledger are what
they would be.
"""

import gc
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import Protocol, TypeVar
from uuid import UUID

from lendery.contracts.accounts import NewUser
from lendery.contracts.base import Money
from lendery.contracts.catalog import NamedAuthor, NewBook, NewCopy
from lendery.contracts.permissions import SYSTEM, Actor
from lendery.demo import ann, house, people, plan
from lendery.demo.agenda import Agenda, Midnight
from lendery.demo.critics import Critics
from lendery.demo.desk import Desk
from lendery.demo.hours import Hours
from lendery.demo.log_ins import LOG_INS, PASSWORD
from lendery.demo.stock import Stock
from lendery.demo.titles import Title, titles
from lendery.demo.town import Built, Enrolled, Shelved, Town, Work
from lendery.main import Wiring

T = TypeVar("T")
SEED = 20261122
PRICES = {"book": 1800, "reference": 6500, "audiobook": 2400, "dvd": 1500, "magazine": 600}
CHUNK = 2_000


class Progress(Protocol):
    """How far it has come: a bar on a terminal, nothing in a test."""

    def start(self, what: str, total: int) -> None: ...
    def advance(self, steps: int) -> None: ...


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
        began = house.day_begins(self.today - timedelta(days=self.days))
        branches = await house.open_branches(self.wiring, began)
        readers = await self._people(branches, began)
        till = await self._staff(branches[0], began)
        listed = list(titles(self.books))
        books = await self._books(listed, began)
        shelved = await self._copies(listed, books, branches, began)
        town = Town(
            wiring=self.wiring,
            titles=listed,
            books=books,
            shelved=shelved,
            readers=readers,
            branches=branches,
            till=till,
            ann=next(i for i, each in enumerate(readers) if each.reader.name == ann.NAME),
            seed=self.seed,
        )
        await self._two_years(town)
        await self._reviews(town)
        await self._deliver()
        return self.built

    async def _people(self, branches: list[UUID], began: datetime) -> list[Enrolled]:
        planned = people.readers(count=self.readers, seed=self.seed, today=self.today)
        self.progress.start("Readers", len(planned) + 2)
        grown_ups = [i for i, person in enumerate(planned) if person.guarantor is None]
        first = next(i for i in grown_ups if _lasts(planned[i], self.today))
        planned[first] = replace(planned[first], email=LOG_INS[0], name=ann.NAME)
        ids: dict[int, UUID] = {}
        children = [i for i in range(len(planned)) if i not in set(grown_ups)]
        for wave in (grown_ups, children):  # a guarantor first
            for chunk in _chunks(wave, CHUNK):
                wanted = [_person(planned[i], ids, branches, i == first) for i in chunk]
                made = await self.wiring.users.add_many(people=wanted, actor=SYSTEM, now=began)
                ids.update(zip(chunk, (user.id for user in made), strict=True))
                self.progress.advance(len(chunk))
        await self.wiring.memory.meet_many(patrons=list(ids.values()), copies=[])
        self.built.readers = len(planned)
        return [Enrolled(person, ids[i]) for i, person in enumerate(planned)]

    async def _staff(self, branch: UUID, began: datetime) -> Actor:
        """Both of them; the librarian is at the till."""
        staff = [_staff(branch, "librarian"), _staff(branch, "admin")]
        made = await self.wiring.users.add_many(people=staff, actor=SYSTEM, now=began)
        self.progress.advance(len(staff))
        return Actor(id=made[0].id, role="librarian", desk=branch)

    async def _books(self, listed: list[Title], began: datetime) -> list[UUID]:
        self.progress.start("Books", len(listed))
        book_ids: list[UUID] = []
        for chunk in _chunks(listed, CHUNK):
            wanted = [_book(title) for title in chunk]
            book_ids += await self.wiring.books.add_many(books=wanted, actor=SYSTEM, now=began)
            self.progress.advance(len(chunk))
        self.built.books = len(listed)
        return book_ids

    async def _copies(
        self, listed: list[Title], book_ids: list[UUID], branches: list[UUID], began: datetime
    ) -> list[Shelved]:
        planned = plan.copies(listed, count=self._how_many(len(listed)), seed=self.seed)
        self.progress.start("Copies", len(planned))
        shelved: list[Shelved] = []
        for numbered in _chunks(list(enumerate(planned)), CHUNK):
            wanted = [
                _copy(number, each, book_ids[each.title_index], branches, listed)
                for number, each in numbered
            ]
            ids = await self.wiring.copies.add_many(copies=wanted, actor=SYSTEM, now=began)
            shelved += [
                Shelved(each, copy_id, new.barcode)
                for (_, each), copy_id, new in zip(numbered, ids, wanted, strict=True)
            ]
            self.progress.advance(len(numbered))
        self.built.copies = len(shelved)
        return shelved

    def _how_many(self, titles: int) -> int:
        wanted = self.copies or min(45_000, 2 * titles)
        return min(max(wanted, titles), 20 * titles)

    async def _two_years(self, town: Town) -> None:
        planned = self._planned(town)
        used = sorted({step.copy for step in planned if isinstance(step, plan.Lend)})
        for chunk in _chunks([town.shelved[copy].id for copy in used], CHUNK):
            await self.wiring.memory.meet_many(patrons=[], copies=list(chunk))
        hours = Hours(house.opening, days=self.days, today=self.today)
        days = [*hours.days, self.today]  # of today only the first minutes
        nights = [Midnight(at=house.day_begins(day), day=day) for day in days]
        agenda = Agenda(planned, until=nights[-1].at)
        agenda.add(*nights)
        stock = Stock([each.planned for each in town.shelved])
        desk = Desk(Work(town=town, agenda=agenda, hours=hours, stock=stock, built=self.built))
        gc.freeze()  # the plan stays to the end: a million things that need not be looked at again
        self.progress.start("Two years of lending", len(days))
        await desk.work(a_day_begins=lambda: self.progress.advance(1))

    def _planned(self, town: Town) -> list[plan.Event]:
        readers = [each.reader for each in town.readers]
        readers[town.ann] = ann.by_plan(readers[town.ann], self.today)
        steps = plan.lending(
            titles=town.titles,
            copies=[each.planned for each in town.shelved],
            readers=readers,
            opening=house.opening,
            loan_days=house.loan_days,
            today=self.today,
            seed=self.seed,
            days=self.days,
        )
        return ann.nothing_kept(list(steps), town.ann)

    async def _reviews(self, town: Town) -> None:
        self.progress.start("Reviews", 1)
        self.built.reviews = await Critics(town, house.day_begins(self.today)).write()
        self.progress.advance(1)

    async def _deliver(self) -> None:
        """What was announced is delivered, as it would have been all along.

        Readers are told of the last week only: of what was before they have heard. Reports follow
        from the log in one go: counting two years event by event takes longer.
        """
        told_since = self.today - timedelta(days=7)
        settings = self.wiring.settings.model_copy(update={"notices_not_before": told_since})
        self.wiring.settings = settings
        relay = self.wiring.relay_but("reports")
        async with self.wiring.db.read() as session:
            backlogs = [await session.row(each.backlog) for each in relay.outboxes]
        self.progress.start("Telling the catalogue", sum(row.waiting for row in backlogs if row))
        while sent := await relay.flush():
            self.progress.advance(sent)
        if "reports" in self.wiring.here:
            now = house.day_begins(self.today)
            await self.wiring.rebuilding(self.progress).run(now=now)


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
        series_number=title.series_number,
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
