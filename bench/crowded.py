"""P4: what lending costs a patron with 1,000 loans and a book with 500 copies and 300 holds.

Each operation is timed through its port, alone and as durable as the product is, in turn for an
empty patron and book and for crowded ones; the figure is how many times the empty case it costs.
A check-in of the crowded book hands the copy to the first in the queue.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any
from uuid import UUID

from bench import crowds
from bench.figures import Cost
from bench.library import Library
from lendery.circulation.repository.holds import PLACE
from lendery.circulation.repository.loans import LEND
from lendery.circulation.repository.remembered import REMEMBER_COPY, REMEMBER_PATRON
from lendery.contracts.base import Problem, new_id
from lendery.contracts.circulation import LoanRequest, ReturnRequest
from lendery.contracts.permissions import Actor
from lendery.main import Wiring, wire
from lendery.platform.settings import Settings

LOANS, COPIES, HOLDS = 1_000, 500, 300
TIMES = 60  # each operation in a round
WAIVED = frozenset({"loan-limit", "loan-limit-total", "same-title", "overdue-loans"})
NAMES = ("check-out", "renewal, refused where others wait", "check-in, handed over")


@dataclass(frozen=True)
class Case:
    """A patron, and copies of one book: some to lend, some that are out and come back."""

    patron_id: UUID
    on_shelf: list[str]
    out: list[str]
    loans: list[UUID]


def measure(libraries: list[Library], folder: Path, rounds: int) -> list[Cost]:
    found = []
    for library in libraries:
        url = library.url
        if library.database == "SQLite":
            url = library.at(folder / "crowded.db")
        times = asyncio.run(_measure(url, library, rounds))
        for name, ratios in times.items():
            what = f"{name}, {LOANS:,} loans, {COPIES} copies, {HOLDS} holds, {library.database}"
            found.append(Cost("P4", f"{what}; times the empty case", "times", 1.5, seen=ratios))
    return found


async def _measure(url: str, library: Library, rounds: int) -> dict[str, list[float]]:
    wiring = wire(Settings(database_url=url))
    lea = Actor(id=new_id(), role="librarian", session_id=new_id(), desk=library.branches[0])
    ratios: dict[str, list[float]] = {name: [] for name in NAMES}
    for number in range(rounds + 1):
        cases = [await _case(wiring, library, number, crowded) for crowded in (False, True)]
        await wiring.db.tidy()
        spent = [[await _timed(wiring, lea, case, turn) for turn in range(3)] for case in cases]
        if number:  # the first round warms caches and statements
            for name, empty, crowded in zip(NAMES, *spent, strict=True):
                ratios[name].append(crowded / empty)
    await wiring.close()
    return ratios


async def _timed(wiring: Wiring, lea: Actor, case: Case, turn: int) -> float:
    """The median of so many times one operation, in seconds."""
    now = datetime.now(UTC)

    def lend(n: int) -> Awaitable[Any]:
        request = LoanRequest(barcode=case.on_shelf[n], patron_id=case.patron_id, waive=WAIVED)
        return wiring.loans.check_out(request=request, actor=lea, now=now)

    def renew(n: int) -> Awaitable[Any]:
        return wiring.loans.renew(loan_id=case.loans[n], actor=lea, now=now)

    def take_back(n: int) -> Awaitable[Any]:
        return wiring.loans.check_in(request=ReturnRequest(barcode=case.out[n]), actor=lea, now=now)

    act: Callable[[int], Awaitable[Any]] = (lend, renew, take_back)[turn]
    seen = []
    for n in range(TIMES):
        began = time.perf_counter()
        try:
            await act(n)
        except Problem as problem:
            assert getattr(problem, "extra", {}).get("reason") == "on-hold", problem.detail
        seen.append(time.perf_counter() - began)
    return median(seen)


async def _case(wiring: Wiring, library: Library, number: int, crowded: bool) -> Case:
    """Written as the desk would have, but in bulk."""
    mark = f"{'c' if crowded else 'e'}{number}"
    now, branch = datetime.now(UTC), library.branches[0]
    people = [crowds.patron(f"{mark}-{n}", branch) for n in range(HOLDS + 2 if crowded else 2)]
    ann, others = people[0], people[1:]
    copies = COPIES if crowded else 2 * TIMES
    one_book = new_id()
    shelf = [crowds.copy(f"{mark}-{n}", one_book, branch) for n in range(copies)]
    elsewhere = [
        crowds.copy(f"{mark}-x{n}", new_id(), branch) for n in range(LOANS if crowded else 0)
    ]
    out = [crowds.loan(copy, others[0], now) for copy in shelf[TIMES:]]
    hers = [crowds.loan(copy, ann, now) for copy in elsewhere]
    waiting = [
        crowds.hold(one_book, each["id"], branch, now, n) for n, each in enumerate(others[1:])
    ]
    async with wiring.db.begin() as tx:
        await tx.many(REMEMBER_PATRON, people)
        await tx.many(REMEMBER_COPY, [*shelf, *elsewhere])
        await tx.many(LEND, [*out, *hers])
        if crowded:
            await tx.many(PLACE, waiting)
    return Case(
        ann["id"],
        [copy["barcode"] for copy in shelf[:TIMES]],
        [copy["barcode"] for copy in shelf[TIMES : 2 * TIMES]],
        [loan["id"] for loan in out[-TIMES:]],
    )
