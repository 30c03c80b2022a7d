"""Branches, calendars and the rule table: edited, refused, explained."""

import asyncio
from datetime import date
from typing import Any
from uuid import uuid4

import pytest
from tests.circulation.town import ADMIN, ALL_WEEK, LIBRARIAN, NOW, READER, Town

from lendery.circulation.models import branch as branch_table
from lendery.contracts.base import AlreadyTaken, Invalid, NotAllowed, Stale, Window
from lendery.contracts.circulation import (
    BranchInUse,
    InvalidCalendar,
    InvalidRule,
    LoanRequest,
    NewBranch,
    NewCalendar,
    NewHold,
    NewRule,
    NoSuchBranch,
    NoSuchCalendar,
    NoSuchRule,
    ReturnRequest,
)
from lendery.contracts.permissions import STRANGER
from lendery.platform.db import Database

GRANT: Any = {"actor": ADMIN, "now": NOW}
WEEK: Any = {"mon": [["09:00", "12:30"], ["14:00", "18:00"]], "sat": [["10:00", "13:00"]]}
NEW = NewCalendar(
    name="Town hours",
    weekly=WEEK,
    exceptions=({"on": date(2026, 12, 25), "note": "Christmas"},),  # type: ignore[arg-type]
    valid_until=date(2027, 12, 31),
)


async def test_a_branch_is_made_read_changed_and_removed(town: Town) -> None:
    hours = await town.calendars.add(calendar=NEW, **GRANT)
    new = NewBranch(
        code="main", name="Main", time_zone="Europe/Berlin", address="1 Main St", self_service=True
    )
    made = await town.branches.add(branch=new, **GRANT)
    assert await town.branches.get(branch_id=made.id) == made
    assert {**new.model_dump(), "id": made.id, "version": 1} == made.model_dump()
    changes = {"name": "Town hall", "calendar_id": hours.id, "address": None}
    changed = await town.branches.change(branch_id=made.id, changes=changes, version=1, **GRANT)
    assert changed == made.model_copy(update={**changes, "version": 2})
    assert await town.branches.get(branch_id=made.id) == changed
    await town.branches.remove(branch_id=made.id, version=2, **GRANT)
    with pytest.raises(NoSuchBranch):
        await town.branches.get(branch_id=made.id)


async def test_changes_may_come_over_a_wire(town: Town) -> None:
    """Between services a change is JSON: an id arrives as its text."""
    hours = await town.calendars.add(calendar=NEW, **GRANT)
    made = await town.branch()
    changes = {"calendar_id": str(hours.id)}
    changed = await town.branches.change(branch_id=made.id, changes=changes, **GRANT)
    assert changed.calendar_id == hours.id
    assert await town.branches.get(branch_id=made.id) == changed
    until = {"valid_until": "2028-01-01"}
    later = await town.calendars.change(calendar_id=hours.id, changes=until, **GRANT)
    assert later.valid_until == date(2028, 1, 1)


async def test_two_branches_cannot_have_one_code(town: Town) -> None:
    await town.branch("main")
    other = await town.branch("east")
    with pytest.raises(AlreadyTaken) as told:
        await town.branch("main")
    assert told.value.extra["field"] == "code" and "main" in told.value.detail
    with pytest.raises(AlreadyTaken) as told:
        await town.branches.change(branch_id=other.id, changes={"code": "main"}, **GRANT)
    assert told.value.extra["field"] == "code"
    assert (await town.branches.get(branch_id=other.id)).code == "east"


@pytest.mark.parametrize("name", ["Europe/Atlantis", "", "../../etc/passwd", "UTC\x00", "a" * 64])
async def test_an_unknown_time_zone_is_refused(town: Town, name: str) -> None:
    with pytest.raises(InvalidCalendar, match="There is no time zone"):
        await town.branch(time_zone=name)
    made = await town.branch()
    with pytest.raises(InvalidCalendar):
        await town.branches.change(branch_id=made.id, changes={"time_zone": name}, **GRANT)
    assert (await town.branches.find(window=Window())).items == [made]


async def test_what_a_branch_may_not_say(town: Town) -> None:
    made = await town.branch()
    with pytest.raises(Invalid) as told:
        await town.branch("east", calendar_id=uuid4())
    assert told.value.extra["errors"][0]["pointer"] == "#/calendar_id"
    for name in ("code", "name", "time_zone", "self_service"):
        with pytest.raises(Invalid) as told:
            await town.branches.change(branch_id=made.id, changes={name: None}, **GRANT)
        assert told.value.extra["errors"][0]["pointer"] == f"#/{name}"
    with pytest.raises(Stale):
        await town.branches.change(branch_id=made.id, changes={}, version=7, **GRANT)
    with pytest.raises(Stale):
        await town.branches.remove(branch_id=made.id, version=7, **GRANT)
    for call in (town.branches.change(branch_id=uuid4(), changes={}, **GRANT),):
        with pytest.raises(NoSuchBranch):
            await call
    assert await town.branches.get(branch_id=made.id) == made


async def test_a_branch_with_a_past_stays(town: Town) -> None:
    home, lent_at, empty = [await town.branch(code) for code in ("home", "lends", "empty")]
    await town.rule("loan_period", 21)
    patron = town.patrons.add("1000000008")
    copy = town.copies.add("b1", home.id)
    request = LoanRequest(barcode="b1", card_number="1000000008", branch_id=lent_at.id)
    await town.desk.check_out(request=request, actor=LIBRARIAN, now=NOW)
    for branch in (home, lent_at):
        with pytest.raises(BranchInUse):
            await town.branches.remove(branch_id=branch.id, **GRANT)
    await town.branches.remove(branch_id=empty.id, **GRANT)
    assert patron.id and copy.id


async def test_a_branch_where_somebody_collects_stays(town: Town) -> None:
    home, kiosk = await town.branch("home"), await town.branch("kiosk")
    await town.rule("loan_period", 21)
    town.patrons.add("1000000008")
    copy = town.copies.add("b1", home.id)
    wanted = NewHold(book_id=copy.book_id, card_number="1000000008", pickup_branch_id=kiosk.id)
    held = await town.holds.place(hold=wanted, actor=LIBRARIAN, now=NOW)
    with pytest.raises(BranchInUse):
        await town.branches.remove(branch_id=kiosk.id, **GRANT)
    request = ReturnRequest(barcode="b1", branch_id=home.id)
    sent = await town.desk.check_in(request=request, actor=LIBRARIAN, now=NOW)
    assert sent.to_branch == kiosk.id
    await town.holds.cancel(hold_id=held.id, actor=LIBRARIAN, now=NOW)
    with pytest.raises(BranchInUse):  # the copy is still on its way there
        await town.branches.remove(branch_id=kiosk.id, **GRANT)
    assert await town.branches.get(branch_id=kiosk.id) == kiosk
    await town.desk.check_in(request=request, actor=LIBRARIAN, now=NOW)
    await town.branches.remove(branch_id=kiosk.id, **GRANT)


async def test_of_two_changes_at_once_none_is_lost_silently(town: Town) -> None:
    made, other = await town.branch(), Database(town.db.url)
    desks = [town, Town(other)]
    changes = [{"name": "From the desk"}, {"address": "From the office"}] * 5

    async def change(number: int) -> bool:
        try:
            await desks[number % 2].branches.change(
                branch_id=made.id, changes=changes[number], **GRANT
            )
        except Stale:
            return False
        return True

    done = await asyncio.gather(*[change(number) for number in range(10)])
    row = await town.row(branch_table, made.id)
    assert row.version == 1 + sum(done), "who was told yes has changed it"
    await other.close()


async def test_a_calendar_is_made_read_changed_and_removed(town: Town) -> None:
    made = await town.calendars.add(calendar=NEW, **GRANT)
    assert await town.calendars.get(calendar_id=made.id) == made
    assert made.weekly["mon"] == (("09:00", "12:30"), ("14:00", "18:00"))
    changes = {"name": "Summer", "weekly": ALL_WEEK, "exceptions": [], "valid_until": None}
    changed = await town.calendars.change(calendar_id=made.id, changes=changes, **GRANT)
    assert (changed.name, changed.exceptions, changed.valid_until) == ("Summer", (), None)
    assert await town.calendars.get(calendar_id=made.id) == changed
    await town.calendars.remove(calendar_id=made.id, version=2, **GRANT)
    with pytest.raises(NoSuchCalendar):
        await town.calendars.get(calendar_id=made.id)


BAD_HOURS: list[Any] = [
    {"mon": [["09:00", "12:30"], ["12:00", "18:00"]]},
    {"mon": [["14:00", "18:00"], ["09:00", "12:00"]]},
    {"mon": [["18:00", "09:00"]]},
    {"mon": [["09:00", "09:00"]]},
]


async def test_hours_that_make_no_sense_are_refused_and_pointed_at(town: Town) -> None:
    made = await town.calendars.add(calendar=NEW, **GRANT)
    for weekly in [BAD_HOURS[0], BAD_HOURS[2], BAD_HOURS[3]]:
        with pytest.raises(InvalidCalendar) as told:
            new = NewCalendar(name="x", weekly=weekly)
            await town.calendars.add(calendar=new, **GRANT)
        assert told.value.extra["errors"][0]["pointer"] == "#/weekly"
        assert told.value.detail
        with pytest.raises(InvalidCalendar):
            changes = {"weekly": weekly}
            await town.calendars.change(calendar_id=made.id, changes=changes, **GRANT)
    for name in ("name", "weekly", "exceptions"):
        with pytest.raises(Invalid):
            await town.calendars.change(calendar_id=made.id, changes={name: None}, **GRANT)
    assert (await town.calendars.find(window=Window(total=True))).total == 1
    assert await town.calendars.get(calendar_id=made.id) == made


async def test_a_calendar_that_a_branch_keeps_stays(town: Town) -> None:
    hours = await town.calendars.add(calendar=NEW, **GRANT)
    kept = await town.branch(calendar_id=hours.id)
    with pytest.raises(BranchInUse):
        await town.calendars.remove(calendar_id=hours.id, **GRANT)
    await town.branches.change(branch_id=kept.id, changes={"calendar_id": None}, **GRANT)
    await town.calendars.remove(calendar_id=hours.id, **GRANT)


async def test_a_rule_is_made_read_changed_and_removed(town: Town) -> None:
    branch = await town.branch()
    new = NewRule(
        branch_id=branch.id, category="child", item_type="dvd", parameter="loan_period", value=3
    )
    made = await town.rules.add(rule=new, **GRANT)
    assert await town.rules.get(rule_id=made.id, actor=LIBRARIAN, at=NOW) == made
    assert (made.changed_at, made.changed_by, made.version) == (NOW, ADMIN.id, 1)
    changed = await town.rules.change(rule_id=made.id, changes={"value": 5}, version=1, **GRANT)
    assert (changed.value, changed.version) == (5, 2)
    assert await town.rules.get(rule_id=made.id, actor=ADMIN, at=NOW) == changed
    with pytest.raises(Stale):
        await town.rules.change(rule_id=made.id, changes={"value": 6}, version=1, **GRANT)
    await town.rules.remove(rule_id=made.id, **GRANT)
    with pytest.raises(NoSuchRule):
        await town.rules.get(rule_id=made.id, actor=ADMIN, at=NOW)


async def test_one_scope_has_one_row_for_each_parameter(town: Town) -> None:
    await town.rule("loan_period", 21)
    await town.rule("loan_period", 14, category="child")
    await town.rule("renewals", 1)
    for scope in ({}, {"category": "child"}):
        with pytest.raises(AlreadyTaken) as told:
            await town.rule("loan_period", 7, **scope)
        assert told.value.extra["field"] == "parameter"
    found = await town.rules.find(parameter="loan_period", window=Window(), actor=LIBRARIAN, at=NOW)
    assert sorted(each.value for each in found.items) == [14, 21]


WRONG_RULES: list[tuple[dict[str, Any], str, type[Exception]]] = [
    ({"parameter": "loan_period", "value": 0}, "#/value", InvalidRule),
    ({"parameter": "loan_period", "value": "21"}, "#/value", InvalidRule),
    ({"parameter": "loan_period", "value": True}, "#/value", InvalidRule),
    ({"parameter": "loan_unit", "value": None}, "#/value", InvalidRule),
    ({"parameter": "loan_unit", "value": "weeks"}, "#/value", InvalidRule),
    ({"parameter": "fixed_due_on", "value": "20261218"}, "#/value", InvalidRule),
    ({"parameter": "pickup_branches", "value": []}, "#/value", InvalidRule),
    ({"parameter": "fine", "value": -1}, "#/value", InvalidRule),
    ({"parameter": "fine", "value": {"amount": 1}}, "#/value", InvalidRule),
    ({"parameter": "fixed_due_on", "value": "2026-03-01"}, "#/value", InvalidRule),
    ({"parameter": "loan_periods", "value": 21}, "#/parameter", InvalidRule),
    ({"parameter": "loan_period", "value": 21, "branch_id": uuid4()}, "#/branch_id", Invalid),
]


async def test_a_wrong_rule_is_refused_and_pointed_at(town: Town) -> None:
    kept = await town.rule("loan_period", 21)
    for given, pointer, problem in WRONG_RULES:
        with pytest.raises(problem) as told:
            await town.rules.add(rule=NewRule(**given), **GRANT)
        assert told.value.extra["errors"][0]["pointer"] == pointer  # type: ignore[attr-defined]
    with pytest.raises(InvalidRule) as refused:
        await town.rules.change(rule_id=kept, changes={"value": "long"}, **GRANT)
    assert refused.value.extra["errors"][0]["pointer"] == "#/value"
    found = await town.rules.find(parameter=None, window=Window(total=True), actor=ADMIN, at=NOW)
    assert (found.total, found.items[0].value) == (1, 21)


async def test_values_are_kept_as_they_were_meant(town: Town) -> None:
    branch = await town.branch()
    meant: list[tuple[str, Any, Any]] = [
        ("renewals", None, None),
        ("auto_renew", "yes", True),
        ("fixed_due_on", "2026-12-18", "2026-12-18"),
        ("pickup_branches", [str(branch.id)], [str(branch.id)]),
        ("closed_due", "keep", "keep"),
    ]
    for parameter, value, kept in meant:
        rule_id = await town.rule(parameter, value)
        assert (await town.rules.get(rule_id=rule_id, actor=ADMIN, at=NOW)).value == kept


async def test_the_rules_are_explained_as_they_stand_now(town: Town) -> None:
    wide = await town.rule("loan_period", 21)

    async def says() -> tuple[Any, Any, list[Any]]:
        told = await town.rules.explain(
            branch_id=None, category="child", item_type="dvd", actor=LIBRARIAN, at=NOW
        )
        (found,) = [each for each in told if each.parameter == "loan_period"]
        return found.value, found.winner and found.winner.id, [each.id for each in found.beaten]

    assert await says() == (21, wide, [])
    narrow = await town.rule("loan_period", 3, category="child", item_type="dvd")
    assert await says() == (3, narrow, [wide])
    await town.rules.remove(rule_id=narrow, **GRANT)
    assert await says() == (21, wide, [])


async def test_lists_are_read_page_by_page(town: Town) -> None:
    for number in range(5):
        await town.branch(f"b{number}")
    seen, cursor = [], None
    for _ in range(3):
        page = await town.branches.find(window=Window(limit=2, after=cursor, total=True))
        assert page.total == 5
        seen += [branch.code for branch in page.items]
        cursor = page.next_cursor
    assert sorted(seen) == [f"b{number}" for number in range(5)] and cursor is None
    with pytest.raises(Invalid):
        await town.branches.find(window=Window(after="nonsense"))


async def test_only_administrators_write_and_only_staff_read_rules(town: Town) -> None:
    made = await town.branch()
    hours = await town.calendars.add(calendar=NEW, **GRANT)
    rule_id = await town.rule("loan_period", 21)
    for actor in (LIBRARIAN, READER):
        who: Any = {"actor": actor, "now": NOW}
        for call in (
            town.branches.add(branch=NewBranch(code="x", name="x"), **who),
            town.branches.change(branch_id=made.id, changes={"name": "x"}, **who),
            town.branches.remove(branch_id=made.id, **who),
            town.calendars.add(calendar=NEW, **who),
            town.calendars.change(calendar_id=hours.id, changes={"name": "x"}, **who),
            town.calendars.remove(calendar_id=hours.id, **who),
            town.rules.add(rule=NewRule(parameter="renewals", value=1), **who),
            town.rules.change(rule_id=rule_id, changes={"value": 1}, **who),
            town.rules.remove(rule_id=rule_id, **who),
        ):
            with pytest.raises(NotAllowed):
                await call
    with pytest.raises(NotAllowed):
        await town.rules.find(parameter=None, window=Window(), actor=READER, at=NOW)
    with pytest.raises(Exception, match="Sign in"):
        await town.rules.get(rule_id=rule_id, actor=STRANGER, at=NOW)
    assert await town.branches.get(branch_id=made.id) == made
