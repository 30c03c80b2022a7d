"""A small demo library, built once and read whole: what the tests look at."""

import asyncio
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Any

from sqlalchemy import select

from lendery.catalog.models import book, rating
from lendery.circulation.models import TABLES as CIRCULATION
from lendery.circulation.models import branch, copy, hold, ledger_line, loan, patron
from lendery.contracts.accounts import UserFilter
from lendery.contracts.base import Window
from lendery.contracts.circulation import Account, CopyState, Hold, HoldFilter, Loan, LoanFilter
from lendery.contracts.permissions import SYSTEM
from lendery.demo import house
from lendery.demo.build import SEED, Built, DemoLibrary
from lendery.demo.log_ins import LOG_INS
from lendery.main import TABLES, Wiring, wire
from lendery.platform import migrate
from lendery.platform.settings import CONTEXTS, Settings
from lendery.reports.models import lending
from lendery.reviews.models import review

TODAY = date(2026, 3, 5)
NOW = datetime.combine(TODAY, time(8), UTC)
SIZE: dict[str, Any] = {"books": 300, "copies": 700, "readers": 130, "days": 120}


@dataclass
class Progress:
    """Notes what was shown."""

    parts: dict[str, list[int]]

    def start(self, what: str, total: int) -> None:
        self.parts[what] = [total, 0]

    def advance(self, steps: int) -> None:
        list(self.parts.values())[-1][1] += steps


@dataclass(frozen=True)
class Standing:
    """What is in the database when the demo library is built."""

    url: str  # of its database
    built: Built
    parts: dict[str, list[int]]
    loans: Sequence[Any]
    holds: Sequence[Any]
    lines: Sequence[Any]
    copies: dict[Any, Any]
    branches: dict[Any, int]  # in the order of the house
    transfers: Sequence[Any]  # events, oldest first
    states: dict[Any, CopyState]
    popularity: dict[Any, int]
    categories: dict[Any, str]  # of the patrons that circulation has met
    ann: "AnnsAccount"
    reviews: Sequence[Any]
    ratings: Sequence[Any]  # as the catalogue knows them
    counted: Sequence[Any]  # by reports: loans of each day, branch and category

    def holds_that_are(self, state: str) -> list[Any]:
        return [each for each in self.holds if each.state == state]

    @property
    def out(self) -> dict[Any, Any]:
        return {each.copy_id: each for each in self.loans if each.returned_at is None}


@dataclass(frozen=True)
class AnnsAccount:
    loans: list[Loan]
    holds: list[Hold]
    money: Account


def build(folder: Path, *, seed: int = SEED) -> Standing:
    url = f"sqlite:///{folder}/library.db"
    migrate.run(url, [context for context in CONTEXTS if context in TABLES])

    async def run() -> Standing:
        wiring = wire(Settings(database_url=url), durable=False)
        progress = Progress({})
        library = DemoLibrary(wiring, progress, TODAY, seed=seed, **SIZE)
        standing = await _read(wiring, await library.build(), progress.parts)
        await wiring.close()
        return standing

    return asyncio.run(run())


async def _read(wiring: Wiring, built: Built, parts: dict[str, list[int]]) -> Standing:
    async with wiring.db.read() as session:
        loans, holds, lines, copies, branches, books = [
            await session.rows(select(table))
            for table in (loan, hold, ledger_line, copy, branch, book)
        ]
        event = CIRCULATION.event
        moved = event.c.name.like("circulation.Transfer%")
        transfers = await session.rows(select(event).where(moved).order_by(event.c.seq))
        patrons = await session.rows(select(patron.c.id, patron.c.category))
        counted = await session.rows(select(lending))
        reviews, ratings = [await session.rows(select(table)) for table in (review, rating)]
    codes = [each["code"] for each in house.BRANCHES]
    states = await wiring.copy_states.states(copy_ids=[each.id for each in copies])
    return Standing(
        url=wiring.settings.database_url,
        built=built,
        parts=parts,
        loans=loans,
        holds=holds,
        lines=lines,
        copies={each.id: each for each in copies},
        transfers=transfers,
        branches={each.id: codes.index(each.code) for each in branches},
        popularity={each.id: each.popularity for each in books},
        categories={each.id: each.category for each in patrons},
        states={each.copy_id: each for each in states},
        ann=await _anns(wiring),
        reviews=reviews,
        ratings=ratings,
        counted=counted,
    )


async def _anns(wiring: Wiring) -> AnnsAccount:
    like, window = UserFilter(q=LOG_INS[0]), Window(limit=100)
    (ann,) = (await wiring.users.find(like=like, window=window, actor=SYSTEM)).items
    asked = {"window": window, "actor": SYSTEM, "now": NOW}
    return AnnsAccount(
        loans=list((await wiring.loans.find(like=LoanFilter(patron_id=ann.id), **asked)).items),
        holds=list((await wiring.holds.find(like=HoldFilter(patron_id=ann.id), **asked)).items),
        money=await wiring.fees.account(patron_id=ann.id, **asked),
    )


def outline(town: Standing) -> list[Any]:
    """All that follows from seed and day: everything but the ids."""
    return [
        asdict(town.built),
        sorted((one.lent_at, one.due_at, str(one.returned_at)) for one in town.loans),
        sorted((one.placed_at, one.state, str(one.ended_at)) for one in town.holds),
        sorted((one.at, one.kind, one.amount, str(one.method)) for one in town.lines),
        sorted((e.created_at, e.rating, str(e.text), str(e.display_name)) for e in town.reviews),
    ]
