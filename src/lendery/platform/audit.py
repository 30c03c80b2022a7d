"""Is the log untouched? Every seal is made again from what lies in the log, and compared.

The log is read once, in the order of its seals, a page at a time. What does not fit is named:
the event or the seal. How the chain is made is told in chain.py.
"""

from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Text, bindparam, func, select, tuple_, type_coerce

from lendery.platform.chain import GENESIS, Seal, facts, fingerprint, moment
from lendery.platform.db import Database, Session, Statement
from lendery.platform.db.log import ContextTables

EVENTS, SEALS = 500, 25  # rows to a page
LOWEST = -(2**62)
NAMED = 20  # findings that are told; the others are counted


@dataclass(frozen=True)
class Head:
    """The newest seal of a chain, to be noted where nobody who can write here can write."""

    context: str
    no: int
    hash: str

    def __str__(self) -> str:
        return f"{self.context}:{self.no}:{self.hash}"

    @classmethod
    def read(cls, text: str) -> "Head":
        """As it was printed. Raises ValueError."""
        context, no, digest = text.strip().split(":")
        if len(digest) != 64:
            raise ValueError(text)
        return cls(context, int(no), digest)


@dataclass
class Report:
    """What became known of one context's log."""

    context: str
    events: int = 0  # in seals
    seals: int = 0
    head: Head | None = None
    waiting: int = 0
    parked: int = 0
    unsealed: int = 0  # delivered, by a Lendery that does not seal
    late: int = 0
    late_at: str = ""  # when the newest late seal was set
    found: int = 0
    named: list[str] = field(default_factory=list)

    @property
    def intact(self) -> bool:
        return not self.found

    def add(self, finding: str) -> None:
        self.found += 1
        if len(self.named) < NAMED:
            self.named.append(finding)


class _Questions:
    """What is asked of one context's log and seals."""

    def __init__(self, tables: ContextTables) -> None:
        event, seal = tables.event, tables.seal
        newest = select(func.coalesce(func.max(seal.c.no), 0)).scalar_subquery()
        self.size = Statement(
            select(
                func.coalesce(func.max(seal.c.no), 0).label("last"),
                func.coalesce(func.sum(seal.c.events), 0).label("events"),
            )
        )
        self.seals = Statement(
            select(
                seal.c.no,
                seal.c.prev,
                seal.c.hash,
                seal.c.events,
                type_coerce(seal.c.at, Text).label("at"),
                seal.c.late,
                seal.c.contents,
            )
            .where(seal.c.no > bindparam("after"), seal.c.no <= bindparam("last"))
            .order_by(seal.c.no)
            .limit(SEALS)
        )
        place = tuple_(event.c.seal_no, event.c.seq)
        self.events = Statement(
            select(event.c.seal_no, *facts(tables))
            .where(
                event.c.seal_no.is_not(None),
                place > tuple_(bindparam("seal"), bindparam("seq")),
            )
            .order_by(event.c.seal_no, event.c.seq)
            .limit(EVENTS)
        )
        self.beyond = Statement(
            select(func.count().label("events"), func.min(event.c.seq).label("first")).where(
                event.c.seal_no > newest
            )
        )
        delivered, parked = event.c.published_at.is_not(None), event.c.parked_at.is_not(None)
        self.rest = Statement(
            select(
                func.count().filter(delivered).label("unsealed"),
                func.count().filter(~delivered, parked).label("parked"),
                func.count().filter(~delivered, ~parked).label("waiting"),
            ).where(event.c.seal_no.is_(None))
        )


class _SealedEvents:
    """The sealed events in the order of their seals, taken seal by seal."""

    def __init__(self, rows: AsyncIterator[Any]) -> None:
        self._rows = rows
        self._next: Any = None

    async def before(self, no: int) -> AsyncIterator[Any]:
        """Those not taken yet that name a seal before this one."""
        while (row := self._next or await anext(self._rows, None)) and row.seal_no < no:
            self._next = None
            yield row
        self._next = row


class Audit:
    """One context's log, checked from its first seal to its last."""

    def __init__(self, tables: ContextTables, noted: Iterable[Head] = ()) -> None:
        self.context = tables.context
        self._questions = _Questions(tables)
        self._noted = {head.no: head for head in noted if head.context == tables.context}
        self._report = Report(tables.context)
        self._before: Seal | None = None  # the seal checked last, when it is sound

    async def size(self, db: Database) -> int:
        """How many events the seals say they hold."""
        async with db.read() as session:
            return int((await session.row(self._questions.size)).events)  # type: ignore[union-attr]

    async def run(
        self, db: Database, *, advance: Callable[[int], None] = lambda events: None
    ) -> Report:
        async with db.read() as session:
            last = await session.value(self._questions.size)
            events = _SealedEvents(self._events(session))
            reached = 0
            async for row in self._seals(session, last):
                if row.no < 1:
                    self._report.add(f"seal {row.no} was put in before the first")
                    continue
                await self._gap(events, reached + 1, row.no - 1)
                await self._seal(row)
                await self._contents(row, events)
                reached = row.no
                advance(row.events)
            await self._gap(events, reached + 1, last)
            await self._beyond(session)
            rest = await session.row(self._questions.rest)
        assert rest is not None
        report = self._report
        report.unsealed, report.parked, report.waiting = rest.unsealed, rest.parked, rest.waiting
        self._gone(reached)
        return report

    async def _seals(self, session: Session, last: int) -> AsyncIterator[Any]:
        after = LOWEST
        while rows := await session.rows(self._questions.seals, after=after, last=last):
            for row in rows:
                yield row
            after = rows[-1].no

    async def _events(self, session: Session) -> AsyncIterator[Any]:
        place = {"seal": LOWEST, "seq": 0}
        while rows := await session.rows(self._questions.events, **place):
            for row in rows:
                yield row
            place = {"seal": rows[-1].seal_no, "seq": rows[-1].seq}

    async def _gap(self, events: _SealedEvents, first: int, last: int) -> None:
        """Seals that ought to lie between two others, and do not."""
        left = 0
        async for row in events.before(first):
            self._report.add(f"{_named(row)} was put in: it names seal {row.seal_no}")
        async for _ in events.before(last + 1):
            left += 1
        if first > last:
            return
        self._before = None
        gone = f"seal {first} was" if first == last else f"seals {first} to {last} were"
        still = f"; {left} events still name {'it' if first == last else 'them'}" if left else ""
        self._report.add(f"{gone} removed{still}")

    async def _seal(self, row: Any) -> None:
        """Is the seal whole, and does it follow the one before it?"""
        report = self._report
        seal = Seal(row.no, row.prev, moment(row.at), row.late, row.contents)
        sound = seal.hash == row.hash and row.events == row.contents.count("\n")
        if not sound or (row.no == 1 and row.prev != GENESIS):
            report.add(f"seal {row.no} was changed")
        elif self._before and row.prev != self._before.hash:
            report.add(f"seal {row.no} does not follow seal {row.no - 1}: one was written anew")
        self._before = seal if sound else None
        report.seals += 1
        report.head = Head(self.context, row.no, row.hash)
        if row.late:
            report.late += row.events
            report.late_at = seal.at
        if (noted := self._noted.pop(row.no, None)) and noted.hash != row.hash:
            report.add(f"seal {row.no} is not the one that was noted: the log was written anew")

    async def _contents(self, row: Any, events: _SealedEvents) -> None:
        """Are the events in the log the ones that were sealed?"""
        report, listed = self._report, _listed(row.contents)
        async for event in events.before(row.no + 1):
            mark = listed.pop(event.seq, None)
            if mark is None:
                report.add(f"{_named(event)} was put into seal {row.no} afterwards")
            elif mark != _fingerprint(event):
                report.add(f"{_named(event)} was changed after it was sealed: seal {row.no}")
            report.events += 1
        for seq in listed:
            report.add(f"event {seq} was removed from seal {row.no}, of {moment(row.at)[:16]}")

    async def _beyond(self, session: Session) -> None:
        """Asked in one statement, for meanwhile the relay goes on sealing."""
        found = await session.row(self._questions.beyond)
        if found is not None and found.events:
            self._report.add(
                f"the end was cut off: {found.events} events, the first of them {found.first}, "
                "name seals that are gone"
            )

    def _gone(self, reached: int) -> None:
        """Heads that were noted, and that no seal in the chain is."""
        for noted in self._noted.values():
            cut = f"the end was cut off: the chain ends with seal {reached}, "
            self._report.add(
                f"{cut if noted.no > reached else ''}seal {noted.no}, which was noted, is gone"
            )


def _listed(contents: str) -> dict[int, str]:
    """What a seal says it holds: fingerprints by seq. Lines that say nothing are left out."""
    lines = (line.partition(" ") for line in contents.splitlines())
    return {int(seq): mark for seq, _, mark in lines if seq.lstrip("-").isdecimal()}


def _named(event: Any) -> str:
    return f"event {event.seq} ({event.name}, {str(event.at)[:16]})"


def _fingerprint(event: Any) -> str | None:
    try:
        return fingerprint(event)
    except (TypeError, AttributeError):  # SQLite takes anything into a column
        return None


async def audit(
    db: Database,
    tables: Sequence[ContextTables],
    *,
    noted: Sequence[Head] = (),
    watch: Callable[[str, int], Callable[[int], None]] = lambda context, events: lambda more: None,
) -> list[Report]:
    """Every context's log. `watch(context, events)` is asked how to tell of progress."""
    reports = []
    for each in tables:
        check = Audit(each, noted)
        reports.append(await check.run(db, advance=watch(each.context, await check.size(db))))
    return reports
