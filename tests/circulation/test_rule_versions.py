"""The rule table in versions: which is in force when, who saved what, and the way back."""

import asyncio
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import func, select
from tests.circulation.town import ADMIN, LIBRARIAN, NOW, READER, Town

from lendery.circulation.models import rule as old_table
from lendery.circulation.models import rule_table
from lendery.circulation.rule_saving import digest_of
from lendery.circulation.rule_versions import RuleRegister
from lendery.contracts.base import Invalid, NotAllowed, Stale, Window
from lendery.contracts.circulation import (
    InvalidRuleTable,
    LoanRequest,
    NewRule,
    NewRuleTable,
    NoSuchRuleVersion,
    Restoring,
    RuleTableSaved,
    RuleVersion,
    SavedRules,
)
from lendery.platform.db import Database

DAY = timedelta(days=1)
SUMMER = NOW + 10 * DAY


class Rules:
    """What these tests ask of the rules, at a time of their choice."""

    def __init__(self, town: Town) -> None:
        self.town, self.register = town, RuleRegister(town.db)
        self.branch = UUID(int=0)

    async def save(self, *rows: NewRule, now: datetime = NOW, **how: Any) -> SavedRules:
        table = NewRuleTable(rows=list(rows), **{k: how.pop(k) for k in list(how) if k in PLAN})
        return await self.register.save(table=table, actor=ADMIN, now=now, **how)

    async def text(self, text: str, now: datetime = NOW, **how: Any) -> SavedRules:
        return await self.register.save_text(text=text, actor=ADMIN, now=now, **how)

    async def restore(self, number: int, now: datetime = NOW, **how: Any) -> RuleVersion:
        wanted = Restoring(**how)
        saved = await self.register.restore(number=number, wanted=wanted, actor=ADMIN, now=now)
        assert saved.version is not None
        return saved.version

    async def history(self, at: datetime = NOW) -> list[tuple[int, str]]:
        page = await self.register.find(window=Window(), actor=LIBRARIAN, at=at)
        return [(each.number, each.state) for each in page.items]

    async def period(self, at: datetime = NOW) -> Any:
        told = await self.town.rules.explain(
            branch_id=None, category=None, item_type=None, actor=LIBRARIAN, at=at
        )
        return next((each.value, each.number) for each in told if each.parameter == "loan_period")

    async def lent(self, at: datetime) -> int:
        """For how many days a copy is lent then."""
        barcode = f"b-{uuid4()}"
        self.town.copies.add(barcode, self.branch)
        request = LoanRequest(barcode=barcode, card_number="ANN")
        loan = await self.town.desk.check_out(request=request, actor=LIBRARIAN, now=at)
        return (loan.due_at.date() - at.date()).days


PLAN = ("valid_from", "comment")


@pytest.fixture
async def rules(town: Town) -> Rules:
    made = Rules(town)
    made.branch = (await town.branch("main")).id
    town.patrons.add("ANN", expires_on=date(2030, 1, 1))
    return made


def period(days: int | None, **scope: Any) -> NewRule:
    return NewRule(parameter="loan_period", value=days, **scope)


async def test_a_planned_table_begins_by_itself_at_its_instant(rules: Rules) -> None:
    await rules.save(period(21))
    saved = await rules.save(period(42), valid_from=SUMMER, comment="Summer")
    assert saved.version is not None and saved.version.state == "planned"
    before = SUMMER - timedelta(microseconds=1)
    assert [await rules.lent(at) for at in (NOW, before, SUMMER, before, SUMMER)] == [
        *(21, 21, 42, 21, 42)
    ], "the desk's house is not read anew by a change, but because its time is over"
    assert await rules.history() == [(2, "planned"), (1, "in-force")]
    assert await rules.history(SUMMER) == [(2, "in-force"), (1, "past")]
    assert [await rules.period(at) for at in (NOW, before, SUMMER)] == [(21, 1), (21, 1), (42, 2)]


async def test_a_change_before_a_planned_table_does_not_put_it_off(rules: Rules) -> None:
    await rules.save(period(21))
    await rules.save(period(42), valid_from=SUMMER)
    await rules.save(period(14), now=NOW + DAY)
    assert [await rules.lent(NOW + n * DAY) for n in (1, 9, 10, 11)] == [14, 14, 42, 42]
    again = await rules.save(period(35), valid_from=SUMMER, now=NOW + 2 * DAY)
    assert again.version is not None
    assert await rules.lent(SUMMER) == 35, "of two for one instant the later one counts"
    row = (
        await rules.town.rules.find(parameter=None, window=Window(), actor=ADMIN, at=SUMMER)
    ).items
    await rules.town.rules.change(rule_id=row[0].id, changes={"value": 30}, actor=ADMIN, now=SUMMER)
    assert await rules.lent(SUMMER) == 30, "a row changed then is one of the table that began"


async def test_a_desk_whose_clock_is_behind_loses_no_change(rules: Rules) -> None:
    await rules.save(period(21), now=NOW + DAY)
    assert await rules.lent(NOW) == 21, "in force from its commit on, whatever the clock says"
    saved = await rules.save(period(14), now=NOW)
    assert saved.version is not None and saved.version.valid_from == NOW + DAY
    assert [await rules.lent(at) for at in (NOW, NOW + DAY)] == [14, 14]


async def test_rows_that_say_the_same_stay_the_same_rows(rules: Rules) -> None:
    await rules.save(period(21), period(7, item_type="dvd"), now=NOW)
    first = (await rules.register.get(number=1, actor=LIBRARIAN, at=NOW)).rows
    later = NOW + DAY
    table = [period(21), period(3, item_type="dvd"), period(5, category="child")]
    await rules.save(*table, now=later)
    rows = (await rules.register.get(number=None, actor=LIBRARIAN, at=later)).rows
    assert rows[0] == first[0]
    assert (rows[1].id, rows[1].version, rows[1].changed_at) == (first[1].id, 2, later)
    assert (rows[2].version, rows[2].changed_by) == (1, ADMIN.id)
    told = await rules.register.differences(number=2, since=None, actor=LIBRARIAN)
    assert [(d.kind, d.item_type, d.category, d.was, d.becomes) for d in told] == [
        ("changed", "dvd", None, 7, 3),
        ("added", None, "child", None, 5),
    ]
    back = await rules.register.differences(number=1, since=2, actor=LIBRARIAN)
    assert [(d.kind, d.was, d.becomes) for d in back] == [("changed", 3, 7), ("removed", 5, None)]


async def test_rolling_back_is_a_new_version_with_the_old_rows(rules: Rules) -> None:
    old = NewRule(parameter="fixed_due_on", value="2026-03-02")
    await rules.save(period(21), old)
    await rules.save(period(3))
    later = NOW + 5 * DAY
    with pytest.raises(InvalidRuleTable):
        await rules.save(period(21), old, now=later)
    made = await rules.restore(1, now=later, comment="Too short")
    assert (made.number, made.restored_from, made.comment) == (3, 1, "Too short")
    first, third = [await rules.register.get(number=n, actor=ADMIN, at=later) for n in (1, 3)]
    assert [(r.parameter, r.value) for r in third.rows] == [
        (r.parameter, r.value) for r in first.rows
    ]
    assert await rules.period(later) == (21, 3)
    for number in (0, 4, 2**40):
        with pytest.raises(NoSuchRuleVersion):
            await rules.restore(number, now=later)
    assert len(await rules.history(later)) == 3


async def test_text_that_was_exported_saves_nothing_new(rules: Rules) -> None:
    await rules.save(period(21), NewRule(parameter="fine", value=20, branch_id=rules.branch))
    told = await rules.register.text(number=None, actor=LIBRARIAN, at=NOW)
    assert told.number == 1 and "branch=main:\n  fine = 0.20 EUR\n" in told.text
    same = await rules.text(told.text)
    assert same.version is not None and same.version.number == 1
    saved = await rules.text(told.text.replace("0.20", "0.30"))
    assert saved.version is not None and saved.version.number == 2
    assert await rules.history() == [(2, "in-force"), (1, "past")]
    old = await rules.register.text(number=1, actor=LIBRARIAN, at=NOW)
    assert old == told


async def test_what_is_wrong_is_told_where_it_stands_and_nothing_is_saved(rules: Rules) -> None:
    await rules.save(period(21))
    gone = uuid4()
    bad = [period(21), period(7, branch_id=gone), NewRule(parameter="fine", value=-1)]
    with pytest.raises(InvalidRuleTable) as refused:
        await rules.save(*bad)
    assert [each["pointer"] for each in refused.value.extra["errors"]] == [
        "#/rows/1/branch_id",
        "#/rows/2/value",
    ]
    with pytest.raises(InvalidRuleTable) as refused:
        await rules.text("any: loan_period = 21\n  fine = 0.205 EUR")
    (error,) = refused.value.extra["errors"]
    assert (error["line"], error["column"]) == (2, 10)
    with pytest.raises(InvalidRuleTable) as refused:
        await rules.text("any: loan_period = 21\nitem=dvd: fixed_due_on = 2020-01-01")
    (error,) = refused.value.extra["errors"]
    assert (error["line"], error["column"], error["code"]) == (2, 11, "due-date-passed")
    for at in (NOW, NOW - DAY):
        with pytest.raises(Invalid) as invalid:
            await rules.save(period(1), valid_from=at)
        assert invalid.value.extra["errors"][0]["pointer"] == "#/valid_from"
    assert await rules.history() == [(1, "in-force")]


async def test_what_is_only_odd_is_told_and_saved(rules: Rules) -> None:
    await rules.town.memory.meet_patron(card="ANN", patron_id=None)
    rows = [period(21, item_type="dvd"), period(3, category="chlid", item_type="dvd")]
    tried = await rules.save(
        *rows, NewRule(parameter="fine", value=1, item_type="cd"), dry_run=True
    )
    assert tried.version is None and await rules.history() == []
    assert [(f.code, f.pointer) for f in tried.findings] == [
        ("unknown-category", "#/rows/1/category"),
        ("no-loan-period", None),
        ("no-loan-period", None),
    ]
    assert [f.says.split(":")[0] for f in tried.findings[1:]] == ["adult, cd", "chlid, cd"]
    saved = await rules.text("item=dvd: loan_period = 21\ncategory=chlid item=dvd:\n  fine=1 EUR")
    assert saved.version is not None
    assert [(f.code, f.line, f.column) for f in saved.findings] == [("unknown-category", 3, 3)]


async def test_who_read_an_older_table_does_not_overwrite_a_newer_one(rules: Rules) -> None:
    await rules.save(period(21), number=0)
    await rules.save(period(14), number=1)
    for number in (0, 1):
        with pytest.raises(Stale):
            await rules.save(period(7), number=number)
    assert await rules.period() == (14, 2)


async def test_of_changes_at_once_none_is_lost(rules: Rules) -> None:
    other = Database(rules.town.db.url)
    books = [rules.town.rules, type(rules.town.rules)(other)]
    names = ["fine", "grace", "renewals", "holds", "lost_fee", "max_loans"]
    new = [NewRule(parameter=name, value=1) for name in names]
    other.tables = rules.town.db.tables
    calls = [books[n % 2].add(rule=each, actor=ADMIN, now=NOW) for n, each in enumerate(new)]
    await asyncio.gather(*calls)
    await other.close()
    rows = (await rules.register.get(number=None, actor=ADMIN, at=NOW)).rows
    assert sorted(row.parameter for row in rows) == sorted(names)
    assert [number for number, _ in await rules.history()] == [6, 5, 4, 3, 2, 1]


async def test_the_log_tells_who_saved_what_with_a_digest_of_the_rows(rules: Rules) -> None:
    await rules.save(period(21), valid_from=SUMMER)
    (told,) = [e for e in await rules.town.events() if isinstance(e, RuleTableSaved)]
    async with rules.town.db.read() as session:
        row = await session.row(select(rule_table))
    assert row is not None
    assert (told.version_id, told.number, told.size, told.by) == (row.id, 1, 1, ADMIN.id)
    assert told.valid_from == SUMMER and told.digest == digest_of(row.rows)


async def test_a_program_of_before_reads_what_is_in_force(rules: Rules) -> None:
    await rules.save(period(21), NewRule(parameter="fine", value=1))
    await rules.save(period(14))
    await rules.save(period(99), valid_from=SUMMER)
    async with rules.town.db.read() as session:
        rows = await session.rows(select(old_table))
        assert await session.value(select(func.count()).select_from(rule_table)) == 3
    assert [(row.parameter, row.value) for row in rows] == [("loan_period", 14)]


async def test_only_administrators_save_and_only_staff_read(rules: Rules) -> None:
    await rules.save(period(21))
    who: Any = {"actor": LIBRARIAN, "now": NOW}
    for call in (
        rules.register.save(table=NewRuleTable(rows=[]), **who),
        rules.register.save_text(text="", dry_run=True, **who),
        rules.register.restore(number=1, wanted=Restoring(), **who),
        rules.register.find(window=Window(), actor=READER, at=NOW),
        rules.register.get(number=1, actor=READER, at=NOW),
        rules.register.text(number=1, actor=READER, at=NOW),
        rules.register.differences(number=1, since=None, actor=READER),
    ):
        with pytest.raises(NotAllowed):
            await call
    assert await rules.history() == [(1, "in-force")]


async def test_the_history_is_read_page_by_page(rules: Rules) -> None:
    for days in range(1, 6):
        await rules.save(period(days))
    seen: list[int] = []
    cursor = None
    for _ in range(3):
        page = await rules.register.find(
            window=Window(limit=2, after=cursor, total=True), actor=LIBRARIAN, at=NOW
        )
        assert page.total == 5
        seen += [each.number for each in page.items]
        cursor = page.next_cursor
    assert seen == [5, 4, 3, 2, 1] and cursor is None
    with pytest.raises(NoSuchRuleVersion):
        await rules.register.get(number=6, actor=LIBRARIAN, at=datetime.now(UTC))
