"""Does the log tell all? Loans, holds and ledger lines made again from the log alone.

Everything is read in one snapshot, so the library may lend meanwhile: an event and what it tells
of are committed together, and a snapshot has both or neither. The log is read in the order of
`seq`. That numbers are drawn before the commit, and commits follow in another order, does no
harm, because an event changes one row, and for each row the order of `seq` is the order in which
it happened:

- A ledger line has one event, and a transaction tells at most one of each loan and each hold.
- Who tells more of a row than its beginning has read the row as committed, so draws later.
- Renewing and taking back a loan both hold the lock on its copy until their commit, and draw
  their numbers under it; likewise every step of a hold under the lock on the queue of its book.
  What undoes one of them holds the same locks. Where books are merged, both queues and the
  copies that change their book are locked. Who comes next draws a higher number.
- A cash session is locked by whoever closes it, and read as open then.
- On SQLite there is one writer, and the sequence on PostgreSQL caches no numbers.

Between rows nothing is ordered: a payment may be numbered before its fine, as the parts of one
PostgreSQL statement run in any order. So nothing here looks from one row at another.
"""

import json
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from uuid import UUID

from pydantic import ValidationError

from lendery.circulation.history import History
from lendery.circulation.repository import rebuilt
from lendery.circulation.telling import GOES_ON, SILENT, TELLING
from lendery.circulation.telling_money import LINE
from lendery.contracts.base import Event
from lendery.platform.backup.progress import Progress, Quiet
from lendery.platform.db import Database, Session

NAMED = 20  # differences that are told; the others are counted
NO_ID = UUID(int=0)
KNOWN = {kind.name for kind in TELLING}
SAY_NOTHING = {kind.name for kind in SILENT}


@dataclass(frozen=True)
class Difference:
    """`column` is empty where a whole row, or the event itself, is what differs."""

    table: str
    id: Any
    column: str
    log: Any
    kept: Any

    def __str__(self) -> str:
        what = f"{self.table} {self.id}"
        if not self.column:
            return f"{what}: {self.log or self.kept}"
        return f"{what}, {self.column}: {self.log} in the log, {self.kept} in the table"


@dataclass
class Report:
    """What a replay has found. `rows` were made from the log, `compared` are in both."""

    events: int = 0
    rows: dict[str, int] = field(default_factory=lambda: dict.fromkeys(rebuilt.REAL, 0))
    compared: Counter[str] = field(default_factory=Counter)
    untold: Counter[str] = field(default_factory=Counter)  # by table.column
    unknown: Counter[str] = field(default_factory=Counter)  # events, by kind
    balances: int = 0  # so many patrons' were compared
    found: int = 0
    named: list[Difference] = field(default_factory=list)

    def differs(self, table: str, id: Any, column: str = "", log: Any = "", kept: Any = "") -> None:
        self.found += 1
        if len(self.named) < NAMED:
            self.named.append(Difference(table, id, column, log, kept))


async def replay(
    db: Database,
    *,
    verify: bool = True,
    into: Path | None = None,
    progress: Progress | None = None,
) -> Report:
    """Reads the log from its beginning. Raises FileExistsError rather than overwrite `into`."""
    if into is not None and into.exists():
        raise FileExistsError(f"There is a file {into} already. Nothing was replayed.")
    with TemporaryDirectory(prefix="replay-", dir=into and into.parent) as folder:
        file = Path(folder) / "rebuilt.db"
        rebuilt.make(file)
        scratch = Database(f"sqlite:///{file}", durable=False)
        try:
            work = Replay(scratch, progress or Quiet())
            async with db.snapshot() as session:
                await work.rebuild(session)
                if verify:
                    await work.compare(session)
        finally:
            await scratch.close()
        if into is not None:
            file.rename(into)
    return work.report


class Replay:
    """One replay, from the log of a library into `scratch`."""

    def __init__(self, scratch: Database, progress: Progress) -> None:
        self.scratch, self.progress, self.report = scratch, progress, Report()
        self._history = History()
        # What each patron owes, by the table and by the log, in each currency.
        self._kept: Counter[tuple[UUID, str]] = Counter()
        self._told: Counter[tuple[UUID, str]] = Counter()

    async def rebuild(self, session: Session) -> None:
        self.progress.start("Reading the log", await rebuilt.size(session))
        async for rows in rebuilt.events(session):
            for row in rows:
                event = self._read(row)
                if event is not None:
                    await self._hear(row.seq, event)
            await self._write()
            self.report.events += len(rows)
            self.progress.advance(len(rows))
        await self._write(last=True)

    def _read(self, row: Any) -> Event | None:
        if row.name in SAY_NOTHING:
            return None
        if row.name not in KNOWN:
            self.report.unknown[row.name] += 1
            return None
        try:
            return Event.load(row.name, {**json.loads(row.body), "id": NO_ID, "at": row.at})
        except (ValueError, TypeError, ValidationError):
            self.report.differs("event", row.seq, log=f"{row.name} cannot be read")
            return None

    async def _hear(self, seq: int, event: Event) -> None:
        if type(event) in GOES_ON and (gone := self._history.lacks(event)) is not None:
            await self._take_back(*gone)
        if says := self._history.hear(event):
            self.report.differs("event", seq, log=says)

    async def _take_back(self, name: str, row_id: UUID) -> None:
        """What had ended goes on: its end was undone."""
        async with self.scratch.begin() as tx:
            row = await rebuilt.take_out(tx, name, row_id)
        if row is not None:
            self.report.rows[name] -= 1
            self._history.takes_back(name, row)

    async def _write(self, *, last: bool = False) -> None:
        async with self.scratch.begin() as tx:
            for name, rows in self._history.over(last=last):
                await rebuilt.keep(tx, name, rows)
                self.report.rows[name] += len(rows)

    async def compare(self, session: Session) -> None:
        async with self.scratch.snapshot() as made:
            for name in rebuilt.REAL:
                self.progress.start(f"Comparing {name}", self.report.rows[name])
                told, kept = rebuilt.rows_told(made, name), rebuilt.rows_kept(session, name)
                async for mine, theirs in _side_by_side(told, kept):
                    self._compare(name, mine, theirs)
                    if name == LINE:
                        self._sum(mine, theirs)
        self._compare_balances()

    def _compare(self, name: str, told: Any | None, kept: Any | None) -> None:
        if kept is None:
            self.report.differs(name, told.id, log="only in the log")  # type: ignore[union-attr]
        elif told is None:
            self.report.differs(name, kept.id, kept="only in the table")
        else:
            self.report.compared[name] += 1
            if told[:-1] != kept[:-1]:
                self._name_columns(name, told, kept)
        if told is not None:
            self.progress.advance(1)

    def _name_columns(self, name: str, told: Any, kept: Any) -> None:
        for column, mine, theirs in zip(rebuilt.COLUMNS[name], told, kept, strict=False):
            if column in (told.untold or ()):
                self.report.untold[f"{name}.{column}"] += 1
            elif mine != theirs:
                self.report.differs(name, kept.id, column, mine, theirs)

    def _sum(self, told: Any | None, kept: Any | None) -> None:
        """A line of the log belongs to whom its token stands for in the table."""
        if kept is None or kept.patron_id is None:
            return
        self._kept[kept.patron_id, kept.currency] += kept.amount
        if told is not None and told.borrower == kept.borrower:
            self._told[kept.patron_id, told.currency] += told.amount

    def _compare_balances(self) -> None:
        accounts = self._kept.keys() | self._told.keys()
        self.report.balances = len({patron_id for patron_id, _ in accounts})
        for patron_id, currency in sorted(accounts):
            account = patron_id, currency
            if self._told[account] != self._kept[account]:
                balance = f"balance in {currency}"
                told, kept = self._told[account], self._kept[account]
                self.report.differs("patron", patron_id, balance, told, kept)


async def _side_by_side(
    told: AsyncIterator[Any], kept: AsyncIterator[Any]
) -> AsyncIterator[tuple[Any | None, Any | None]]:
    """Both are in the order of their ids; None stands where one of them lacks a row."""
    mine, theirs = await anext(told, None), await anext(kept, None)
    while mine is not None or theirs is not None:
        if theirs is None or (mine is not None and mine.id < theirs.id):
            yield mine, None
            mine = await anext(told, None)
        elif mine is None or theirs.id < mine.id:
            yield None, theirs
            theirs = await anext(kept, None)
        else:
            yield mine, theirs
            mine, theirs = await anext(told, None), await anext(kept, None)
