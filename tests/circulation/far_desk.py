"""A desk of a town that was offline, and what becomes of what it wrote down."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from tests.circulation.town import ADMIN, LIBRARIAN, Town
from tests.notebook import Notebook

from lendery.circulation.offline.conflicts import ConflictDesk
from lendery.circulation.offline.register import DeskRegister
from lendery.circulation.offline.uploads import UploadDesk
from lendery.contracts.base import Window
from lendery.contracts.circulation import (
    NewOfflineBatch,
    NewOfflineDesk,
    OfflineBatchResult,
    OfflineConflict,
    OfflineConflictFilter,
    OfflineDesk,
    OfflineTransaction,
    SettleConflict,
)

SECRET = "a secret of these tests, long enough"
ALL = Window(limit=100, total=True)


@dataclass
class FarDesk:
    """A desk of a town, registered, and what happens when it is online again."""

    town: Town
    desk: OfflineDesk
    notes: Notebook

    @classmethod
    async def open(
        cls, town: Town, branch_id: UUID | None, at: datetime, *, replaces: UUID | None = None
    ) -> "FarDesk":
        wanted = NewOfflineDesk(name="Book bus", branch_id=branch_id, replaces=replaces)
        made = await DeskRegister(town.db, SECRET).register(desk=wanted, actor=ADMIN, now=at)
        return cls(town, made, Notebook(str(made.id), bytes.fromhex(made.key)))

    def lend(self, barcode: str, card: str, at: datetime) -> Any:
        return self.notes.write("check-out", barcode, card, at=at)

    def bring(self, barcode: str, at: datetime) -> Any:
        return self.notes.write("check-in", barcode, at=at)

    def renew(self, barcode: str, at: datetime) -> Any:
        return self.notes.write("renewal", barcode, at=at)

    def batch(self, *pages: Any, id: UUID | None = None) -> NewOfflineBatch:
        done = [OfflineTransaction.model_validate(page) for page in pages or self.notes.pages]
        return NewOfflineBatch(id=id or uuid4(), desk_id=self.desk.id, transactions=tuple(done))

    async def send(self, batch: NewOfflineBatch | None = None, *, now: datetime) -> Any:
        """Everything written since the last time, or this batch again."""
        if batch is None:
            batch = self.batch()
            self.notes.tear_out()
        return await self.uploads.upload(batch=batch, actor=LIBRARIAN, now=now)

    async def sent(self, *, now: datetime) -> list[tuple[bool, tuple[str, ...]]]:
        """What became of each: was it recorded, and what is in conflict."""
        answer: OfflineBatchResult = await self.send(now=now)
        assert answer.complete
        return [(each.recorded, each.conflicts) for each in answer.results]

    @property
    def uploads(self) -> UploadDesk:
        return UploadDesk(self.town.db, self.town.memory, SECRET)

    @property
    def register(self) -> DeskRegister:
        return DeskRegister(self.town.db, SECRET)

    @property
    def desks(self) -> ConflictDesk:
        return ConflictDesk(self.town.db, self.town.memory)

    async def conflicts(self, state: Any = "open") -> list[OfflineConflict]:
        like = OfflineConflictFilter(state=state)
        found = await self.desks.conflicts(like=like, window=ALL, actor=LIBRARIAN)
        assert found.total == len(found.items)
        return list(found.items)

    async def settle(self, conflict: Any, how: Any, *, now: datetime, **but: Any) -> Any:
        return await self.desks.settle(
            conflict_id=conflict.id,
            settle=SettleConflict(how=how, **but),
            actor=LIBRARIAN,
            now=now,
        )

    async def state(self) -> OfflineDesk:
        return await self.register.desk(desk_id=self.desk.id, actor=LIBRARIAN)


def hours(number: float) -> timedelta:
    return timedelta(hours=number)
