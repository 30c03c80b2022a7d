"""The numbers of the reports are those that circulation's own tables give."""

from collections import Counter
from collections.abc import Iterable
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import select

from lendery.circulation.models import LOOKUPS, copy, hold, ledger_line, loan
from lendery.circulation.models import TABLES as CIRCULATION
from lendery.contracts.base import Window
from lendery.contracts.permissions import Actor
from lendery.contracts.reports import Asked
from lendery.platform.db import Session
from tests.reports.town import OPENED, Town

DONE = {"since": OPENED.date() - timedelta(days=1)}


async def told(town: Town) -> dict[str, list[Any]]:
    """What circulation has in its own tables."""
    renewed = CIRCULATION.event.c.name == "circulation.LoanRenewed"
    async with town.wiring.db.read() as session:
        rows = {each.name: await _all(session, each) for each in (loan, hold, ledger_line, copy)}
        rows["renewals"] = await session.rows(select(CIRCULATION.event).where(renewed))
    return rows


async def _all(session: Session, table: Any) -> list[Any]:
    return await session.rows(select(table))


def per(values: Iterable[Any]) -> dict[Any, int]:
    return dict(Counter(values))


async def test_a_story_is_counted_as_circulation_has_it(town: Town) -> None:
    await town.settle(readers=9, books=8, copies=3)
    await town.live(seed=1, steps=240)
    known = await told(town)
    loans = [each for each in known["circulation_loan"] if each.ended_as != "undone"]
    zones = town.zones
    assert len(loans) < len(known["circulation_loan"])
    assert min(len(loans), len(known["renewals"]), len(known["circulation_hold"])) > 5

    def local(at: Any, branch: UUID) -> str:
        return at.astimezone(zones[branch]).date().isoformat()

    by_id = {each.id: each for each in loans}
    days = {
        "lent": per(local(each.lent_at, each.branch_id) for each in loans),
        "renewed": per(
            local(each.at, by_id[UUID(each.body["loan_id"])].branch_id)
            for each in known["renewals"]
        ),
        "returned": per(
            local(each.returned_at, each.returned_branch_id)
            for each in loans
            if each.returned_at and not each.ended_as
        ),
    }
    for key, counted in days.items():
        rows = await town.rows("loans-by-day", "day", key, **DONE)
        assert {day: count for day, count in rows if count} == counted, key
    lent_at = per(str(each.branch_id) for each in loans)
    branches = dict(await town.rows("loans-by-branch", "branch_id", "lent", **DONE))
    assert {branch: many for branch, many in branches.items() if many} == lent_at
    categories = per(town.readers[each.patron_id] for each in loans)
    assert dict(await town.rows("loans-by-category", "category", "lent", **DONE)) == categories
    titles = per(str(each.book_id) for each in loans)
    assert dict(await town.rows("top-titles", "book_id", "lent", **DONE)) == titles
    subjects = per(name for each in loans for name in town.books[each.book_id].subjects)
    assert dict(await town.rows("loans-by-subject", "subject", "lent", **DONE)) == subjects
    await _same_money(town, known)
    await _same_stock(town, known)


async def _same_money(town: Town, known: dict[str, list[Any]]) -> None:
    lines = known["circulation_ledger_line"]
    assert {each.kind for each in lines} >= {"charge", "payment", "waiver", "cancellation"}
    amounts: Counter[str] = Counter()
    kinds = {each.id: each.kind for each in lines}
    undone = {"payment": "payment-undone", "waiver": "waiver-undone", "cancellation": "charge"}
    told = {e.id: undone[kinds[e.reverses]] if e.kind == "reversal" else e.kind for e in lines}
    for each in lines:
        amounts[told[each.id]] += abs(each.amount)
    rows = await town.rows("money-by-kind", "kind", "currency", "lines", "amount", **DONE)
    counts = per(told.values())
    assert rows == [(kind, "EUR", counts[kind], amounts[kind]) for kind in sorted(counts)]
    daily = await town.rows("money", "kind", "amount", **DONE)
    assert sum(amount for _, amount in daily) == sum(amounts.values())


async def _same_stock(town: Town, known: dict[str, list[Any]]) -> None:
    loans = [each for each in known["circulation_loan"] if each.ended_as != "undone"]
    gone = {
        each.id
        for each in known["circulation_copy"]
        if each.withdrawn or each.lost or each.missing or each.claimed_returned
    }
    assert gone
    there = {id: each for id, each in town.copies.items() if id not in gone}
    lent = per(each.copy_id for each in loans)
    for name, key, of in (
        ("turnover-by-branch", "branch_id", lambda each: str(each.branch_id)),
        ("turnover-by-item-type", "item_type", lambda each: each.item_type),
    ):
        copies = per(of(each) for each in there.values())
        used: Counter[str] = Counter()
        for id, each in there.items():
            used[of(each)] += lent.get(id, 0)
        rows = await town.rows(name, key, "copies", "lent", "turnover", **DONE)
        expected = {k: (n, used[k], round(used[k] / n, 2)) for k, n in copies.items()}
        assert {k: tuple(rest) for k, *rest in rows} == expected
    waiting = per(e.book_id for e in known["circulation_hold"] if e.state == "waiting")
    owned = per(each.book_id for each in there.values())
    short = {
        str(id): (n, owned.get(id, 0), n - owned.get(id, 0))
        for id, n in waiting.items()
        if n > owned.get(id, 0)
    }
    rows = await town.rows("hold-ratios", "book_id", "waiting", "copies", "to_buy", threshold=1)
    assert {id: tuple(rest) for id, *rest in rows} == short
    late = per(
        str(each.branch_id) for each in loans if not each.returned_at and each.due_at < town.now
    )
    overdue = await town.rows("overdue", "branch_id", "overdue")
    assert {id: count for id, count in overdue if count} == late
    assert len(overdue) == 3
    librarian = Actor(id=uuid4(), role="librarian")
    counted = {"asked": Asked(name="overdue"), "window": Window(), "as_of": town.now}
    await town.wiring.reports.read(**counted, actor=librarian)
    async with town.wiring.db.read() as session:
        assert late and await session.rows(select(LOOKUPS)) == [], "a number is no look"
    used_ids = {each.copy_id for each in loans}
    town.now += timedelta(days=800)
    dead = await town.rows("dead-stock", "copy_id", "last_lent_on", months=24)
    assert {id for id, _ in dead} == {str(id) for id in there}
    assert {id for id, last in dead if last} == {str(id) for id in used_ids - gone}
    aged: Counter[Any] = Counter()
    for each in there.values():
        year = town.books[each.book_id].published_year
        aged[str(year // 10 * 10) if year else None, str(each.branch_id)] += 1
    rows = await town.rows("collection-age", "published", "branch_id", "copies")
    assert {(published, branch): count for published, branch, count in rows} == dict(aged)


async def test_a_rebuild_gives_the_same_numbers(town: Town) -> None:
    await town.settle(readers=9, books=8, copies=3)
    await town.live(seed=3, steps=120)
    await town.read("top-titles")  # all was heard, and all is learnt
    before = await town.kept()
    assert all(before[name] for name in ("lending", "use", "money", "copy", "book", "subject"))

    done = await town.rebuild()

    assert await town.kept() == before
    assert done.rows == sum(
        len(before[n]) for n in ("lending", "use", "money", "hold", "copy", "book")
    )
    assert done.learnt == len(before["copy"]) + len(before["book"])
    assert await town.wiring.relay.flush() == 0
