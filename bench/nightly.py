"""P4: the nightly work over 200,000 open loans, and 10,000 holds over 50 branches.

Of the loans a fifth are late and one in a hundred of all is given up; every one in a hundred renews
itself. The jobs run as the clock runs them. The limit is the same statements, in the same portions,
by the driver alone: nothing decided, nothing announced. Renewal takes a transaction for each loan,
so that it waits for nobody; its limit is not set.
"""

import asyncio
import time
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any
from uuid import UUID

from bench import crowds
from bench.figures import Cost, Figure, Rate
from bench.library import Library
from lendery.circulation.ageing import AT_ONCE, BEGINNING, LOOKED_AT
from lendery.circulation.repository import lists, remembered, undone
from lendery.circulation.repository.loans import LEND
from lendery.circulation.repository.remembered import REMEMBER_COPY, REMEMBER_PATRON
from lendery.circulation.rules.filling import Shelf, Waiting, filled
from lendery.contracts.base import new_id
from lendery.main import Wiring, wire
from lendery.platform.db import Session
from lendery.platform.settings import Settings

LOANS, QUICK = 200_000, 4_000
LATE, GIVEN_UP, RENEWED = 20, 1, 1  # percent
CHUNK = 2_000
HOLDS, BRANCHES, CATEGORIES = 10_000, 50, 5


def measure(libraries: list[Library], folder: Path, rounds: int, quick: bool) -> list[Figure]:
    found: list[Figure] = []
    for library in libraries:
        url = library.url
        if library.database == "SQLite":
            url = library.at(folder / "nightly.db")
        found += asyncio.run(_nightly(url, library, QUICK if quick else LOANS))
    return [*found, *assigned(HOLDS // (10 if quick else 1), rounds)]


async def _nightly(url: str, library: Library, many: int) -> list[Figure]:
    wiring = wire(Settings(database_url=url))
    now = datetime.now(UTC)
    await _lend(wiring, library.branches[0], many, now)
    await wiring.db.tidy()
    what = f"{many:,} open loans, {library.database}"
    bare = await _bare(wiring, now)
    began = time.perf_counter()
    lost = await wiring.loans.declare_lost(now=now)
    ours = time.perf_counter() - began
    ageing = Rate("P4", f"ageing to lost, late ones of {what}, loans looked at")
    ageing.add(many * LATE / 100 / ours, many * LATE / 100 / bare)
    ageing.remarks = [f"{lost:,} loans given up and charged in {ours:.1f} s"]
    began = time.perf_counter()
    renewed = await wiring.loans.renew_by_themselves(now=now)
    spent = time.perf_counter() - began
    renewing = Cost("P4", f"renewed by itself, of {what}", "ms a loan")
    renewing.seen = [spent / max(renewed, 1) * 1000]
    renewing.remarks = [f"{renewed:,} loans in {spent:.1f} s"]
    await wiring.close()
    assert (lost, renewed) == (many * GIVEN_UP // 100, many * RENEWED // 100), (lost, renewed)
    return [ageing, renewing]


async def _lend(wiring: Wiring, branch: UUID, many: int, now: datetime) -> None:
    """Written as the desk would have, but in bulk."""
    people = [crowds.patron(f"night-{n}", branch) for n in range(CHUNK)]
    async with wiring.db.begin() as tx:
        await tx.many(REMEMBER_PATRON, people)
    for start in range(0, many, CHUNK):
        copies = [crowds.copy(f"N{start + n}", new_id(), branch) for n in range(CHUNK)]
        loans = []
        for n, copy in enumerate(copies):
            loan = crowds.loan(copy, people[n], now)
            loans.append(loan | _kind((start + n) * 100 // many, now))
        async with wiring.db.begin() as tx:
            await tx.many(REMEMBER_COPY, copies)
            await tx.many(LEND, loans)


def _kind(share: int, now: datetime) -> dict[str, Any]:
    """What becomes of the loan that stands at this hundredth of all."""
    policy: dict[str, Any] = {"v": 1, "loan_period": 21, "lost_after": 40}
    if share < GIVEN_UP:
        return {"due_at": now - timedelta(days=60), "policy": policy}
    if share < LATE:
        return {"due_at": now - timedelta(days=9), "policy": policy}
    if share < LATE + RENEWED:
        itself = policy | {"auto_renew": True, "renewals": 3, "renew_from": "due-date"}
        return {"due_at": now + timedelta(hours=9), "policy": itself}
    return {"due_at": now + timedelta(days=12), "policy": policy}


class _Undone(Exception):
    """So that what the limit wrote is not kept."""


async def _bare(wiring: Wiring, now: datetime) -> float:
    """Seconds of the same reading, and of ending as many loans."""
    long_ago = now - timedelta(days=50)
    began, after = time.perf_counter(), BEGINNING
    late: list[Any] = []
    while True:
        async with wiring.db.read() as session:
            page = await _page(session, now, after)
        late += [row for row in page if row.due_at < long_ago]
        if len(page) < LOOKED_AT:
            break
        after = page[-1].due_at, page[-1].id
    for start in range(0, len(late), AT_ONCE):
        rows = late[start : start + AT_ONCE]
        with suppress(_Undone):
            async with wiring.db.begin() as tx:
                ends = [undone.ending(row.id, at=now, ended_as="lost")[1] for row in rows]
                await tx.many(undone.END, ends)
                await tx.many(remembered.GIVEN_UP, [{"lost_id": row.copy_id} for row in rows])
                raise _Undone
    return time.perf_counter() - began


async def _page(session: Session, now: datetime, after: tuple[datetime, UUID]) -> list[Any]:
    return await lists.late_now(session, now=now, after=after, most=LOOKED_AT)


def assigned(holds: int, rounds: int) -> list[Figure]:
    """One book that so many wait for at 50 branches, with a copy for every second of them."""
    return [_assigned(many, rounds) for many in (holds // 4, holds // 2, holds)]


def _assigned(many: int, rounds: int) -> Cost:
    """Readers of five categories; which copies each may have hangs on category and branch."""
    random, shelves = Random(many), range(BRANCHES)
    branches = [new_id() for _ in shelves]
    far = {
        (one, other): 0 if one == other else random.randint(1, 9)
        for one in branches
        for other in branches
    }
    kinds = [
        (branch, frozenset(random.sample(shelves, BRANCHES * 4 // 5)))
        for branch in branches
        for _ in range(CATEGORIES)
    ]
    drawn = random.choices(kinds, k=many)
    queue = [Waiting(id=new_id(), pickup_branch_id=at, takes=takes) for at, takes in drawn]
    stock = [Shelf(branch_id=each, copies=many // 2 // BRANCHES) for each in branches]
    cost = Cost("P4", f"assigning copies to {many:,} holds over {BRANCHES} branches", "s")
    for _ in range(rounds):
        began = time.perf_counter()
        given = filled(queue, stock, lambda one, other: far[one, other])
        cost.seen.append(time.perf_counter() - began)
    cost.remarks = [f"{len(given):,} served"]
    return cost
