"""A person as the desk sees them at a glance."""

import asyncio
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from lendery.contracts.accounts import PatronBlock, User
from lendery.contracts.base import Window
from lendery.contracts.circulation import Loan, LoanFilter
from lendery.contracts.permissions import Actor
from lendery.web.ports import Ports


@dataclass(frozen=True)
class Person:
    """`late`: how many of the loans are overdue."""

    user: User
    blocks: list[PatronBlock]
    loans: list[Loan]
    today: date

    @property
    def late(self) -> int:
        return sum(loan.overdue for loan in self.loans)

    @property
    def expired(self) -> bool:
        return self.user.expires_on is not None and self.user.expires_on < self.today

    @property
    def troubled(self) -> bool:
        return bool(self.blocks or self.late or self.expired or not self.user.active)


async def person(ports: Ports, user_id: UUID, actor: Actor, now: datetime) -> Person:
    user, blocks, loans = await asyncio.gather(
        ports.users.get(user_id=user_id, actor=actor),
        ports.users.blocks(user_id=user_id, actor=actor),
        ports.loans.find(
            like=LoanFilter(patron_id=user_id, status="open"),
            window=Window(limit=100),
            actor=actor,
            now=now,
        ),
    )
    standing = [block for block in blocks if block.until is None or block.until > now]
    return Person(user, standing, list(loans.items), now.date())
