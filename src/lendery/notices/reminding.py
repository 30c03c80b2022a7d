"""Reminders by the clock: of what is due or late, of holds and cards that end.

Each page of the list is one transaction, which takes the steps and writes what follows from them.
So each is told once, however often and in how many processes this runs.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from lendery.contracts.accounts import Patrons
from lendery.contracts.catalog import Books
from lendery.contracts.circulation import DueList, DueLoan, DuePlace
from lendery.contracts.notices import Kind
from lendery.notices.posting import News, Ways, post
from lendery.notices.repository import steps
from lendery.notices.repository.steps import Step
from lendery.notices.rules.steps import Plan, is_last_call, mark, step_of
from lendery.platform.db import Database
from lendery.platform.settings import Settings

PAGE = 500
A_DAY = timedelta(days=1)
Reached = tuple[DueLoan, Kind]


@dataclass(frozen=True)
class Reminders:
    db: Database
    due_list: DueList
    patrons: Patrons
    books: Books
    settings: Settings

    async def write(self, *, now: datetime) -> int:
        """How many notices were written. Before `not before` there are none."""
        first = self.settings.notices_not_before
        if first is not None and now.date() < first:
            return 0
        return await self._loans(now) + await self._holds(now) + await self._cards(now)

    @property
    def plan(self) -> Plan:
        return Plan(
            soon=self.settings.notices_due_soon_days,
            late=self.settings.notices_overdue_days,
            not_before=self.settings.notices_not_before,
        )

    async def _loans(self, now: datetime) -> int:
        written, place, plan = 0, None, self.plan
        until = now + A_DAY * (plan.soon + 2)  # the day is a local one
        while page := await self.due_list.due(until=until, after=place, most=PAGE, now=now):
            place = DuePlace(due_at=page[-1].due_at, loan_id=page[-1].loan_id)
            reached = [(loan, step_of(loan, plan, now)) for loan in page]
            marks: dict[Step, Reached] = {
                (loan.loan_id, mark(kind, loan.due_on)): (loan, kind)
                for loan, kind in reached
                if kind is not None
            }
            written += await self._remind(marks, now)
        return written

    async def _remind(self, marks: dict[Step, Reached], now: datetime) -> int:
        """One notice for all the loans of a reader that reached the same step."""
        async with self.db.read() as session:
            known = await steps.known(session, {about for about, _ in marks})
        fresh = [step for step in marks if step not in known]
        if not fresh:
            return 0
        titles = await self._titles({marks[step][0].book_id for step in fresh})
        async with self.db.begin() as tx:
            taken = [marks[step] for step in await steps.take_all(tx, fresh, now=now)]
            news = _gathered(taken, titles)
            await post(tx, news, Ways.of(self.settings), at=now)
        return len(news)

    async def _holds(self, now: datetime) -> int:
        written, last = 0, None
        days, plan = self.settings.notices_hold_days, self.plan
        until = now.date() + A_DAY * (days + 1)
        while page := await self.due_list.expiring(until=until, after=last, most=PAGE, now=now):
            last = page[-1].hold_id
            ending = [each for each in page if is_last_call(each, days, plan, now)]
            titles = await self._titles({each.book_id for each in ending})
            marks = {}
            for each in ending:
                assert each.expires_on is not None
                facts = {
                    "branch": each.branch,
                    "expires_on": each.expires_on.isoformat(),
                    "title": titles.get(each.book_id),
                }
                step = each.hold_id, mark("hold-expiring", each.expires_on)
                marks[step] = News(each.patron_id, "hold-expiring", facts, each.time_zone)
            written += await self._tell(marks, now)
        return written

    async def _cards(self, now: datetime) -> int:
        written, last, zone = 0, None, self.settings.notices_time_zone
        since = now.date()
        until = since + A_DAY * self.settings.notices_card_days
        while page := await self.patrons.expiring(since=since, until=until, after=last, most=PAGE):
            last = page[-1].patron_id
            marks: dict[Step, News] = {
                (each.patron_id, mark("account-expiring", each.expires_on)): News(
                    each.patron_id,
                    "account-expiring",
                    {"expires_on": each.expires_on.isoformat()},
                    zone,
                )
                for each in page
            }
            written += await self._tell(marks, now)
        return written

    async def _tell(self, marks: dict[Step, News], now: datetime) -> int:
        async with self.db.read() as session:
            known = await steps.known(session, {about for about, _ in marks})
        fresh = [step for step in marks if step not in known]
        if not fresh:
            return 0
        async with self.db.begin() as tx:
            taken = await steps.take_all(tx, fresh, now=now)
            await post(tx, [marks[step] for step in taken], Ways.of(self.settings), at=now)
        return len(taken)

    async def _titles(self, book_ids: set[UUID]) -> dict[UUID, str]:
        if not book_ids or not self.settings.notices_titles:
            return {}
        found = await self.books.by_ids(ids=sorted(book_ids))
        return {each.id: each.title for each in found}


def _gathered(taken: Sequence[Reached], titles: dict[UUID, str]) -> list[News]:
    items: defaultdict[tuple[UUID, Kind, str], list[dict[str, Any]]] = defaultdict(list)
    for loan, kind in taken:
        items[loan.patron_id, kind, loan.time_zone].append(
            {
                "title": titles.get(loan.book_id),
                "branch": loan.branch,
                "due_on": loan.due_on.isoformat(),
            }
        )
    return [
        News(patron_id, kind, {"items": listed, "count": len(listed)}, zone)
        for (patron_id, kind, zone), listed in items.items()
    ]
