"""Loans that renew themselves shortly before they are due, as long as nothing objects."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from lendery.circulation.renewals import RenewalDesk
from lendery.circulation.repository import lists
from lendery.contracts.circulation import NoSuchLoan, RenewalRefused
from lendery.contracts.permissions import SYSTEM
from lendery.platform.db import Database

LOOKED_AT = 1_000  # loans that are read at a time
A_DAY, AN_HOUR = timedelta(days=1), timedelta(hours=1)
FIRST = UUID(int=0)


@dataclass(frozen=True)
class AutomaticRenewal:
    """May run several times, also at once: what was renewed is due later, and not looked at."""

    db: Database
    desk: RenewalDesk

    async def run(self, *, now: datetime) -> int:
        """Returns how many were renewed. What is late already does not renew itself."""
        renewed, after = 0, (now, FIRST)
        while True:
            async with self.db.read() as session:
                page = await lists.due_soon(session, until=now + A_DAY, after=after, most=LOOKED_AT)
            for row in page:
                if _renews_itself(row, now):
                    renewed += await self._renew(row.id, now)
            if len(page) < LOOKED_AT:
                return renewed
            after = page[-1].due_at, page[-1].id

    async def _renew(self, loan_id: UUID, now: datetime) -> bool:
        """By the rules of any renewal; the first objection ends it, and nobody waives."""
        try:
            await self.desk.renew(loan_id=loan_id, actor=SYSTEM, now=now, key=None, automatic=True)
        except (RenewalRefused, NoSuchLoan):
            return False
        return True


def _renews_itself(row: Any, now: datetime) -> bool:
    """A day before it is due; what is lent for hours, an hour before."""
    if not row.policy.get("auto_renew"):
        return False
    ahead = AN_HOUR if row.policy.get("loan_unit") == "hours" else A_DAY
    return bool(row.due_at <= now + ahead)
