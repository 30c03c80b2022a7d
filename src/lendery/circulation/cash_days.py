"""What was settled on one day, desk by desk and branch by branch, each by its own clock."""

from collections import Counter, defaultdict
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from lendery.circulation.drawers import must_be_a_branch, sums, told, whole
from lendery.circulation.repository import cash, house
from lendery.circulation.rules import cash as rules
from lendery.circulation.rules.local_time import start_of_day
from lendery.contracts.base import Invalid, Money
from lendery.contracts.circulation import BranchDay, CashDay, CashSession, DeskDay
from lendery.platform.db import Session

DAY = timedelta(days=1)
FIRST, LAST = date(1900, 1, 1), date(9000, 1, 1)
# A line may have been asked for a moment before its session began, by another clock.
SLACK = timedelta(days=1)
Desk = tuple[UUID, str]


async def cash_day(
    session: Session, on: date | None, branch_id: UUID | None, *, currency: str, now: datetime
) -> CashDay:
    """Raises Invalid for a branch there is not, and for a day of no calendar."""
    zones = await _zones(session, branch_id)
    day = on or now.astimezone(zones[branch_id] if branch_id else UTC).date()
    if not FIRST <= day <= LAST:
        says = f"Give a day between {FIRST} and {LAST}."
        raise Invalid(says, errors=[{"parameter": "on", "says": says}])
    whole_day = _Day(session, day, currency, now)
    for zone, places in _by_zone(zones).items():
        await whole_day.read(zone, places)
    between = start_of_day(day, ZoneInfo("UTC")), start_of_day(day + DAY, ZoneInfo("UTC"))
    outside = [] if branch_id else sums(await cash.outside(session, *between))
    return CashDay(
        on=day,
        branch_id=branch_id,
        desks=whole_day.desks(),
        branches=whole_day.branches(),
        outside=told(outside, currency),
    )


async def _zones(session: Session, branch_id: UUID | None) -> dict[UUID, ZoneInfo]:
    if branch_id is not None:
        rows = [await must_be_a_branch(session, branch_id)]
    else:
        rows, _ = await house.everything(session)
    return {row.id: ZoneInfo(row.time_zone) for row in rows}


def _by_zone(zones: dict[UUID, ZoneInfo]) -> dict[ZoneInfo, set[UUID]]:
    found: dict[ZoneInfo, set[UUID]] = defaultdict(set)
    for branch_id, zone in zones.items():
        found[zone].add(branch_id)
    return found


class _Day:
    """One date, read zone by zone: it begins at another moment in each."""

    def __init__(self, session: Session, day: date, currency: str, now: datetime) -> None:
        self.session, self.day, self.currency, self.now = session, day, currency, now
        self._sums: dict[Desk, list[rules.Sum]] = {}
        self._sessions: dict[Desk, list[CashSession]] = {}

    async def read(self, zone: ZoneInfo, places: set[UUID]) -> None:
        since, until = start_of_day(self.day, zone), start_of_day(self.day + DAY, zone)
        around = await cash.around(self.session, since - SLACK, until + SLACK)
        rows = [row for row in around if row.branch_id in places]
        ids = [row.id for row in rows]
        settled = await cash.totals_between(self.session, ids, since, until)
        rows = [row for row in rows if row.id in settled or self._was_open(row, since, until)]
        for row, each in zip(rows, await whole(self.session, rows), strict=True):
            desk = row.branch_id, row.desk
            self._sums.setdefault(desk, []).extend(sums(settled.get(row.id, ())))
            self._sessions.setdefault(desk, []).append(each)

    def _was_open(self, row: Any, since: datetime, until: datetime) -> bool:
        ended = row.closed_at or max(self.now, row.opened_at)
        return bool(row.opened_at < until and ended >= since)

    def desks(self) -> list[DeskDay]:
        return [
            DeskDay(
                branch_id=branch_id,
                desk=desk,
                totals=told(_added(found), self.currency),
                cash=self._cash(found),
                sessions=self._sessions[branch_id, desk],
            )
            for (branch_id, desk), found in sorted(self._sums.items())
        ]

    def branches(self) -> list[BranchDay]:
        found: dict[UUID, list[rules.Sum]] = defaultdict(list)
        for (branch_id, _), theirs in sorted(self._sums.items()):
            found[branch_id] += theirs
        return [
            BranchDay(
                branch_id=branch_id,
                totals=told(_added(theirs), self.currency),
                cash=self._cash(theirs),
            )
            for branch_id, theirs in found.items()
        ]

    def _cash(self, found: Iterable[rules.Sum]) -> Money:
        return Money(amount=rules.in_cash(found), currency=self.currency)


def _added(found: Iterable[rules.Sum]) -> list[rules.Sum]:
    """One for each kind and method."""
    lines, amounts = Counter[Any](), Counter[Any]()
    for each in found:
        lines[each.kind, each.method] += each.count
        amounts[each.kind, each.method] += each.amount
    return [
        rules.Sum(kind=kind, method=method, count=lines[kind, method], amount=amounts[kind, method])
        for kind, method in lines
    ]
