"""While it is written the library goes on lending, and the backup is of one moment.

A second thread, with connections of its own, lends and takes back all the time. Between two
tables the backup waits until something was lent: so it sees many moments, if it looks at more
than one. The control takes the snapshot away and must find loans without their events.
"""

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select

from lendery.circulation.models import TABLES as CIRCULATION
from lendery.circulation.models import copy, loan
from lendery.contracts.base import new_id
from lendery.contracts.circulation import LoanRequest, ReturnRequest
from lendery.contracts.permissions import SYSTEM
from lendery.main import Wiring, wire
from lendery.platform.backup.dump import back_up
from lendery.platform.db import Database
from lendery.platform.settings import Settings
from tests.databases import KINDS, Shelter

from .backups import NOW, bring_back, everything, keep

PATIENCE = 20.0


@pytest.fixture(params=KINDS)
def library(request: pytest.FixtureRequest, libraries: Shelter) -> Iterator[str]:
    with libraries.url(request.param) as url:
        yield url


@pytest.fixture
def target(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/restored.db"


@dataclass
class BusyDesk:
    """Lends free copies and takes them back, again and again."""

    url: str
    done: int = 0
    slowest: float = 0.0
    failed: list[BaseException] = field(default_factory=list)
    _stop: threading.Event = field(default_factory=threading.Event)

    @contextmanager
    def open(self) -> Iterator["BusyDesk"]:
        thread = threading.Thread(target=lambda: asyncio.run(self._work()))
        thread.start()
        try:
            self.wait_for(2)
            yield self
        finally:
            self._stop.set()
            thread.join(PATIENCE)
        assert not self.failed, self.failed

    def wait_for(self, more: int) -> None:
        """Until so much more was done."""
        enough, give_up = self.done + more, time.monotonic() + PATIENCE
        while self.done < enough:
            assert not self.failed and time.monotonic() < give_up, (self.done, self.failed)
            time.sleep(0.001)

    async def _work(self) -> None:
        wiring = wire(Settings(database_url=self.url))
        try:
            reader = await self._reader(wiring)
            shelved = await self._free(wiring)
            while not self._stop.is_set():
                for row in shelved:
                    began = time.monotonic()
                    await self._lend_and_take_back(wiring, row, reader)
                    self.slowest = max(self.slowest, time.monotonic() - began)
                    self.done += 1
                    if self._stop.is_set():
                        break
        except BaseException as error:
            self.failed.append(error)
        finally:
            await wiring.close()

    async def _lend_and_take_back(self, wiring: Wiring, row: Any, reader: UUID) -> None:
        where = {"barcode": row.barcode, "branch_id": row.home_branch_id}
        lent = LoanRequest(**where, patron_id=reader)
        await wiring.loans.check_out(request=lent, actor=SYSTEM, now=NOW)
        await wiring.loans.check_in(request=ReturnRequest(**where), actor=SYSTEM, now=NOW)

    async def _reader(self, wiring: Wiring) -> UUID:
        from lendery.accounts.models import user

        async with wiring.db.read() as session:
            found: UUID = await session.value(select(user.c.id).where(user.c.name == "Ann Reed"))
        return found

    async def _free(self, wiring: Wiring) -> list[Any]:
        out = select(loan.c.copy_id).where(loan.c.returned_at.is_(None))
        async with wiring.db.read() as session:
            return await session.rows(
                select(copy.c.barcode, copy.c.home_branch_id).where(
                    copy.c.id.not_in(out), copy.c.in_transit_to.is_(None),
                    copy.c.item_type == "book", copy.c.barcode.is_not(None),
                ).limit(5)
            )  # fmt: skip


@dataclass
class WaitsBetweenTables:
    """A slow disk: the desk gets on between two tables."""

    desk: BusyDesk
    done_before: int = -1

    def start(self, what: str, total: int) -> None:
        if self.done_before < 0:  # the snapshot has been taken
            self.done_before = self.desk.done

    def advance(self, steps: int) -> None:
        self.desk.wait_for(2)


def quarrels(url: str) -> set[UUID]:
    """Loans that the log does not tell of as they are, and loans of which only the log tells."""
    rows = everything(url)
    event, lent = CIRCULATION.event.c.keys(), loan.c.keys()
    log = [dict(zip(event, row, strict=True)) for row in rows["circulation_event"]]
    loans = [dict(zip(lent, row, strict=True)) for row in rows["circulation_loan"]]

    def told(name: str) -> set[UUID]:
        of_it = [each["body"]["loan_id"] for each in log if each["name"] == name]
        ids = [UUID(each) for each in of_it if each]  # a copy may come in that was not out
        assert len(ids) == len(set(ids))
        return set(ids)

    begun = {each["id"] for each in loans}
    ended = {each["id"] for each in loans if each["returned_at"]}
    told_of = told("circulation.ItemCheckedOut"), told("circulation.ItemCheckedIn")
    return (begun ^ told_of[0]) | (ended ^ told_of[1])


def test_a_backup_of_a_busy_library_is_of_one_moment(
    library: str, target: str, tmp_path: Path
) -> None:
    assert quarrels(library) == set()
    desk = BusyDesk(library)
    slow = WaitsBetweenTables(desk)
    with desk.open():
        asyncio.run(keep(library, tmp_path / "busy.lendery", progress=slow))
        lent_meanwhile = desk.done - slow.done_before
    assert lent_meanwhile > 20, "the desk went on"
    assert desk.slowest < 5, "and nobody waited for the backup"
    asyncio.run(bring_back(tmp_path / "busy.lendery", target))
    assert quarrels(target) == set()
    now, then = (len(everything(url)["circulation_loan"]) for url in (library, target))
    assert now - then >= lent_meanwhile - 1, "what was lent after its moment is not in it"


def test_without_a_snapshot_the_backup_would_be_of_many_moments(
    library: str, target: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control: each table in a transaction of its own."""

    @dataclass
    class ManyMoments:
        db: Database

        @property
        def dialect(self) -> str:
            return self.db.dialect

        async def chunks(self, query: Any, *, most: int = 1_000) -> AsyncIterator[list[Any]]:
            async with snapshot(self.db) as session:
                async for rows in session.chunks(query, most=most):
                    yield rows

        async def rows(self, query: Any, **given: Any) -> list[Any]:
            async with self.db.read() as session:
                return await session.rows(query, **given)

        async def row(self, query: Any, **given: Any) -> Any:
            return (await self.rows(query, **given) or [None])[0]

        async def value(self, query: Any, **given: Any) -> Any:
            return (await self.rows(query, **given) or [[None]])[0][0]

    snapshot = Database.snapshot

    @asynccontextmanager
    async def none(db: Database) -> AsyncIterator[Any]:
        yield ManyMoments(db)

    monkeypatch.setattr(Database, "snapshot", none)
    desk = BusyDesk(library)
    with desk.open():
        asyncio.run(keep(library, tmp_path / "torn.lendery", progress=WaitsBetweenTables(desk)))
    asyncio.run(bring_back(tmp_path / "torn.lendery", target))
    assert len(quarrels(target)) > 2


def test_a_backup_that_is_stopped_leaves_nothing(library: str, tmp_path: Path) -> None:
    class StopsSoon:
        def start(self, what: str, total: int) -> None: ...

        def advance(self, steps: int) -> None:
            writing.cancel()

    async def begin() -> None:
        nonlocal writing
        wiring = wire(Settings(database_url=library))
        making = back_up(wiring.db, tmp_path / "a.lendery", now=NOW, progress=StopsSoon())
        writing = asyncio.ensure_future(making)
        with pytest.raises(asyncio.CancelledError):
            await writing
        await wiring.close()

    writing: asyncio.Future[Any]
    asyncio.run(begin())
    assert list(tmp_path.iterdir()) == []


async def test_a_snapshot_stands_still_while_others_write(db: Database) -> None:
    """Also for what is read after the writing."""
    from .toy import COUNT, write

    async with db.begin() as tx:
        await write(tx, "before")
    async with db.snapshot() as session:
        assert await session.value(COUNT) == 1
        async with db.begin() as tx:
            await write(tx, "meanwhile")
        assert await session.value(COUNT) == 1
        async with db.read() as other:
            assert await other.value(COUNT) == 2
    async with db.snapshot() as session:
        assert await session.value(COUNT) == 2


async def test_a_snapshot_only_reads(db: Database) -> None:
    from .toy import COUNT, WRITE

    async with db.snapshot() as session:
        with pytest.raises(Exception, match=r"read-?only"):
            await session._connection.run(
                WRITE, {"id": new_id(), "shelf": None, "place": None, "text": "planted"}
            )
    async with db.read() as after:
        assert await after.value(COUNT) == 0


async def test_rows_come_in_chunks_and_none_is_left_out(db: Database) -> None:
    from .toy import TEXTS, write

    async with db.begin() as tx:
        for number in range(10):
            await write(tx, f"note {number}")
        inside = [[row.text for row in rows] async for rows in tx.chunks(TEXTS, most=4)]
    async with db.snapshot() as session:
        outside = [[row.text for row in rows] async for rows in session.chunks(TEXTS, most=4)]
    assert inside == outside
    assert [len(each) for each in inside] == [4, 4, 2]
    listed = [text for chunk in inside for text in chunk]
    assert listed == [f"note {number}" for number in range(10)]
