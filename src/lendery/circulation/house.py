"""The house as it stands: branches, hours, ways between them and rules, ready to decide with.

Kept in memory with the version it was read at. Every decision compares that version inside its
own transaction, so nothing is decided on a rule that was changed before. A planned rule table
begins without a change: the house knows from when to when it stands.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from lendery.circulation.repository import house as rows
from lendery.circulation.repository import rule_tables, transport
from lendery.circulation.rules import (
    OpeningHours,
    Policy,
    RuleTable,
    TransportCost,
    listed_or_one,
)
from lendery.contracts.base import Invalid
from lendery.contracts.circulation import Branch, Calendar
from lendery.platform.db import Session


@dataclass(frozen=True)
class House:
    version: int
    branches: Mapping[UUID, Branch]
    hours: Mapping[UUID, OpeningHours]
    rules: RuleTable
    transport: TransportCost
    begins: datetime | None  # its rule table was planned for then; None: it stood at once
    ends: datetime | None  # when the next planned table begins

    def stands(self, now: datetime) -> bool:
        begun = self.begins is None or self.begins <= now
        return begun and (self.ends is None or now < self.ends)

    def branch(self, branch_id: UUID, *, field: str = "branch_id") -> Branch:
        """Raises Invalid for a branch there is not; `field` is what named it."""
        found = self.branches.get(branch_id)
        if found is None:
            says = "There is no such branch."
            raise Invalid(says, errors=[{"pointer": f"#/{field}", "says": says}])
        return found

    def lets_readers(self, *branch_ids: UUID | None) -> bool:
        """May readers serve themselves at all of these branches? (None: not named.)"""
        named = [self.branches.get(each) for each in branch_ids if each is not None]
        return all(branch is not None and branch.self_service for branch in named)

    def hours_of(self, branch_id: UUID) -> OpeningHours:
        return self.hours.get(branch_id) or ALWAYS_OPEN

    def policy(self, *, branch_id: UUID | None, category: str | None, item_type: str) -> Policy:
        return self.rules.resolve(branch_id=branch_id, category=category, item_type=item_type)


ALWAYS_OPEN = OpeningHours(None, "UTC")


class HouseKeeper:
    """Keeps the house, and reads it anew when its version has moved or its time is over."""

    def __init__(self) -> None:
        self._house: House | None = None

    async def at(self, session: Session, version: int, now: datetime) -> House:
        house = self._house
        if house is None or house.version != version or not house.stands(now):
            house = self._house = await _read(session, now)
        return house

    async def now(self, session: Session, now: datetime) -> House:
        return await self.at(session, await rows.version(session), now)


async def _read(session: Session, now: datetime) -> House:
    version = await rows.version(session)  # before the rest: a change meanwhile is read again
    branches, calendars = await rows.everything(session)
    table = await rule_tables.in_force(session, now)
    costs = await transport.costs(session)
    known = {row.id: Calendar.model_validate(row) for row in calendars}
    listed = [Branch.model_validate(row) for row in branches]
    return House(
        version=version,
        branches={branch.id: branch for branch in listed},
        hours={
            b.id: OpeningHours(known.get(b.calendar_id) if b.calendar_id else None, b.time_zone)
            for b in listed
        },
        rules=RuleTable(rule_tables.rules_of(table)),
        transport=listed_or_one({(c.from_branch_id, c.to_branch_id): c.cost for c in costs}),
        begins=table.valid_from if table is not None and table.planned else None,
        ends=await rule_tables.next_begins(session, now),
    )
