"""A person as the desk sees them at a glance."""

import asyncio
from collections import Counter
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from lendery.contracts.accounts import PatronBlock, User
from lendery.contracts.base import Money, Window
from lendery.contracts.circulation import Hold, HoldFilter, Loan, LoanFilter
from lendery.contracts.permissions import Actor
from lendery.web.ports import Ports

MOST = 100


@dataclass(frozen=True)
class Affairs:
    """What changes while somebody stands at the desk. `owed` is None where nothing is."""

    patron_id: UUID
    loans: int
    holds: list[Hold]
    owed: Money | None

    @property
    def ready(self) -> dict[UUID, int]:
        """How many copies wait on the hold shelf of each branch."""
        return Counter(h.pickup_branch_id for h in self.holds if h.state == "ready")


@dataclass(frozen=True)
class Person:
    """`late`: how many of the loans are overdue."""

    user: User
    blocks: list[PatronBlock]
    loans: list[Loan]
    affairs: Affairs
    today: date

    @property
    def late(self) -> int:
        return sum(loan.overdue for loan in self.loans)

    @property
    def expired(self) -> bool:
        return self.user.expires_on is not None and self.user.expires_on < self.today

    @property
    def warned(self) -> bool:
        return bool(self.blocks or self.late or self.expired or not self.user.active)

    @property
    def troubled(self) -> bool:
        return self.warned or self.affairs.owed is not None


async def person(ports: Ports, user_id: UUID, actor: Actor, now: datetime) -> Person:
    user, blocks, loans, holds, owed = await asyncio.gather(
        ports.users.get(user_id=user_id, actor=actor),
        ports.users.blocks(user_id=user_id, actor=actor),
        ports.loans.find(
            like=LoanFilter(patron_id=user_id, status="open"),
            window=Window(limit=MOST),
            actor=actor,
            now=now,
        ),
        _holds(ports, user_id, actor, now),
        _owed(ports, user_id, actor),
    )
    standing = [block for block in blocks if block.until is None or block.until > now]
    affairs = Affairs(user_id, len(loans.items), holds, owed)
    return Person(user, standing, list(loans.items), affairs, now.date())


async def affairs(ports: Ports, user_id: UUID, actor: Actor, now: datetime) -> Affairs:
    """The same without asking who it is: after each loan, for the header."""
    loans, holds, owed = await asyncio.gather(
        ports.loans.find(
            like=LoanFilter(patron_id=user_id, status="open"),
            window=Window(limit=1, total=True),
            actor=actor,
            now=now,
        ),
        _holds(ports, user_id, actor, now),
        _owed(ports, user_id, actor),
    )
    return Affairs(user_id, loans.total or 0, holds, owed)


async def _holds(ports: Ports, user_id: UUID, actor: Actor, now: datetime) -> list[Hold]:
    like = HoldFilter(patron_id=user_id, state="open")
    found = await ports.holds.find(like=like, window=Window(limit=MOST), actor=actor, now=now)
    return list(found.items)


async def _owed(ports: Ports, user_id: UUID, actor: Actor) -> Money | None:
    found = await ports.fees.owed(patron_ids=[user_id], actor=actor)
    return found[0].amount if found else None
