"""The desk where reports are asked for."""

from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

from lendery.contracts.base import Window
from lendery.contracts.circulation import Branch, Branches, LoanFilter, Loans
from lendery.contracts.permissions import Actor, Permission
from lendery.contracts.reports import Asked, Cell, NoSuchReport, Report, ReportInfo
from lendery.platform.db import Database
from lendery.platform.paging import make_cursor, read_cursor
from lendery.reports.learning import Learner
from lendery.reports.repository import asking
from lendery.reports.repository.asking import MILLION, QUESTIONS, Wanted
from lendery.reports.rules.kinds import BY_NAME, LISTED
from lendery.reports.rules.period import Order, Period, months_before, order_of, period_of
from lendery.reports.zones import Zones


@dataclass(frozen=True)
class ReportDesk:
    db: Database
    learner: Learner
    zones: Zones
    branches: Branches
    loans: Loans

    async def listed(self, *, actor: Actor) -> list[ReportInfo]:
        actor.must(Permission.READ_REPORTS)
        return list(LISTED)

    async def read(self, *, asked: Asked, window: Window, actor: Actor, as_of: datetime) -> Report:
        """Raises NoSuchReport, and Invalid for a period or an order that makes no sense."""
        actor.must(Permission.READ_REPORTS)
        info = BY_NAME.get(asked.name)
        if info is None:
            raise NoSuchReport(f"There is no such report. There are: {', '.join(BY_NAME)}.")
        today = as_of.astimezone(await self.zones.of(asked.branch_id)).date()
        period = period_of(asked, today)
        order = order_of(asked, info)
        offset = max(0, read_cursor(window.after, int)[0]) if window.after else 0
        branches = await self._branches()
        if info.name == "overdue":
            late = await self._overdue(asked, branches, actor, as_of)
            late.sort(key=lambda row: row[order.key], reverse=order.largest_first)
            rows, total = late[offset : offset + window.limit + 1], len(late)
        else:
            wanted = _wanted(asked, period, today)
            rows, total = await self._counted(info, wanted, order, offset, window)
        dated = "from" in info.parameters
        here = branches.get(asked.branch_id) if asked.branch_id else None
        return Report(
            name=info.name,
            title=info.title,
            says=info.says,
            since=period.since if dated else None,
            until=period.until if dated else None,
            branch_id=asked.branch_id,
            branch=here.name if here else None,
            as_of=as_of.astimezone(UTC),
            columns=info.columns,
            items=[_cells(info, row, branches) for row in rows[: window.limit]],
            next_cursor=make_cursor(offset + window.limit) if len(rows) > window.limit else None,
            total=total if window.total else None,
        )

    async def _counted(
        self, info: ReportInfo, wanted: Wanted, order: Order, offset: int, window: Window
    ) -> tuple[list[dict[str, Any]], int]:
        """One row more than fits, and how many there are if that was asked."""
        await self.learner.catch_up()
        query = QUESTIONS[info.name](wanted)
        async with self.db.unhurried() as session:
            rows = await asking.rows(session, query, order, offset=offset, limit=window.limit + 1)
            return rows, await asking.count(session, query) if window.total else 0

    async def _branches(self) -> dict[UUID, Branch]:
        found: dict[UUID, Branch] = {}
        window = Window(limit=100)
        while True:
            page = await self.branches.find(window=window)
            found |= {each.id: each for each in page.items}
            if page.next_cursor is None:
                return found
            window = Window(limit=100, after=page.next_cursor)

    async def _overdue(
        self, asked: Asked, branches: dict[UUID, Branch], actor: Actor, now: datetime
    ) -> list[dict[str, Any]]:
        """Of circulation: what is late changes with the clock, and no event says so."""
        found = []
        nobody = actor.model_copy(update={"id": None})  # who counts looks at no reader
        for branch_id in sorted(branches):
            if asked.branch_id not in (None, branch_id):
                continue
            like = LoanFilter(branch_id=branch_id, status="overdue")
            window = Window(limit=1, total=True)
            page = await self.loans.find(like=like, window=window, actor=nobody, now=now)
            found.append({"branch_id": branch_id, "overdue": page.total or 0})
        return found


def _wanted(asked: Asked, period: Period, today: date) -> Wanted:
    return Wanted(
        since=period.since,
        until=period.until,
        branch_id=asked.branch_id,
        threshold=asked.threshold,
        before=months_before(today, asked.months),
        per_decade=asked.per == "decade",
    )


def _cells(info: ReportInfo, row: dict[str, Any], branches: dict[UUID, Branch]) -> dict[str, Cell]:
    if "branch_id" in row:
        branch = branches.get(row["branch_id"])
        row = row | {"branch": branch.name if branch else None}
    return {column.key: _cell(row[column.key], column.kind) for column in info.columns}


def _cell(value: Any, kind: str) -> Cell:
    if value is None:
        return None
    match kind:
        case "count" | "money":
            return int(value)
        case "ratio":
            return round(int(value) / MILLION, 2)
    return value.isoformat() if isinstance(value, date) else str(value)
