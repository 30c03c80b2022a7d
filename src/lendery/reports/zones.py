"""The time zones of branches: a loan at half past midnight is of another day elsewhere."""

from dataclasses import dataclass, field
from datetime import UTC, tzinfo
from uuid import UUID
from zoneinfo import ZoneInfo

from lendery.contracts.base import Window
from lendery.contracts.circulation import Branches, NoSuchBranch


@dataclass
class Zones:
    """Remembered, so that an event need not ask. A branch that is moved to another zone counts by
    it from the next `refresh` on; what was counted before stays until a rebuild."""

    branches: Branches
    _known: dict[UUID, tzinfo] = field(default_factory=dict)

    async def of(self, branch_id: UUID | None) -> tzinfo:
        """UTC where there is no such branch (any more)."""
        if branch_id is None:
            return UTC
        if branch_id not in self._known:
            try:
                branch = await self.branches.get(branch_id=branch_id)
            except NoSuchBranch:
                self._known[branch_id] = UTC
            else:
                self._known[branch_id] = ZoneInfo(branch.time_zone)
        return self._known[branch_id]

    async def refresh(self) -> None:
        """Branches that were removed keep the zone they had."""
        window = Window(limit=100)
        while True:
            page = await self.branches.find(window=window)
            self._known.update({each.id: ZoneInfo(each.time_zone) for each in page.items})
            if page.next_cursor is None:
                return
            window = Window(limit=100, after=page.next_cursor)
