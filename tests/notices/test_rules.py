"""What is sent when: tables with a row on both sides of every boundary."""

from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest

from lendery.contracts.circulation import DueLoan, HeldFor
from lendery.contracts.notices import Kind
from lendery.contracts.permissions import Actor
from lendery.notices.rules import timing
from lendery.notices.rules.kinds import KINDS, TRAITS, Wishes, by_email, is_for, waits, way_out
from lendery.notices.rules.steps import Plan, is_last_call, mark, step_of
from lendery.notices.rules.verdict import TOO_OLD, Case, Postpone, Send, Suppress, verdict

BERLIN, UTC_ZONE = ZoneInfo("Europe/Berlin"), ZoneInfo("UTC")
SOMEBODY = UUID(int=1)
PLAN = Plan(soon=3, late=(1, 14, 28))


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


# -- Steps -----------------------------------------------------------------------------------------


def loan(due_on: str, due_at: str = "", zone: str = "Europe/Berlin") -> DueLoan:
    at = utc(due_at) if due_at else utc(f"{due_on}T22:59:59")
    return DueLoan(loan_id=SOMEBODY, patron_id=SOMEBODY, book_id=SOMEBODY, branch="Central",
                   time_zone=zone, due_at=at, due_on=date.fromisoformat(due_on))  # fmt: skip


@pytest.mark.parametrize(
    ("now", "step"),
    [
        ("2026-03-06T22:59", None),  # four days before, in Berlin
        ("2026-03-06T23:00", "due-soon"),
        ("2026-03-10T22:59", "due-soon"),  # the day itself
        ("2026-03-10T23:00", "overdue-1"),
        ("2026-03-23T22:59", "overdue-1"),
        ("2026-03-23T23:00", "overdue-2"),
        ("2026-04-06T21:59", "overdue-2"),  # summer time by now
        ("2026-04-06T22:00", "overdue-3"),
        ("2028-01-01T00:00", "overdue-3"),
    ],
)
def test_the_step_of_a_loan_goes_by_the_branchs_clock(now: str, step: Kind | None) -> None:
    assert step_of(loan("2026-03-10"), PLAN, utc(now)) == step


@pytest.mark.parametrize(
    ("now", "step"),
    [
        ("2026-03-10T11:59", "due-soon"),
        ("2026-03-10T12:01", None),
        ("2026-03-11T00:00", "overdue-1"),
    ],
)
def test_a_loan_of_hours_is_not_due_soon_when_it_is_late(now: str, step: Kind | None) -> None:
    hours = loan("2026-03-10", "2026-03-10T12:00", "UTC")
    assert step_of(hours, PLAN, utc(now)) == step


@pytest.mark.parametrize(
    ("plan", "days", "step"),
    [
        (Plan(soon=0, late=(7,)), -1, None),
        (Plan(soon=0, late=(7,)), 0, "due-soon"),
        (Plan(soon=0, late=(7,)), 6, None),
        (Plan(soon=0, late=(7,)), 7, "overdue-1"),
        (Plan(soon=3, late=(1, 14, 28), not_before=date(2026, 3, 11)), -1, None),
        (Plan(soon=3, late=(1, 14, 28), not_before=date(2026, 3, 10)), -1, "due-soon"),
        (Plan(soon=3, late=(1, 14, 28), not_before=date(2026, 3, 12)), 1, None),
        (Plan(soon=3, late=(1, 14, 28), not_before=date(2026, 3, 11)), 1, "overdue-1"),
        (Plan(soon=3, late=(1, 14, 28), not_before=date(2026, 3, 24)), 20, "overdue-2"),
        (Plan(soon=3, late=(1, 14, 28), not_before=date(2026, 3, 25)), 20, None),
        (Plan(soon=3, late=(1, 14, 28), not_before=date(2026, 3, 25)), 28, "overdue-3"),
    ],
)
def test_steps_are_set_and_what_became_so_before_is_left_alone(
    plan: Plan, days: int, step: Kind | None
) -> None:
    now = utc("2026-03-10T12:00") + timedelta(days=days)
    assert step_of(loan("2026-03-10", zone="UTC"), plan, now) == step


def test_a_step_is_marked_with_the_due_date() -> None:
    assert mark("overdue-1", date(2026, 3, 10)) == "overdue-1 2026-03-10"
    assert max(len(mark(kind, date(2026, 3, 10))) for kind in KINDS) <= 40


@pytest.mark.parametrize(
    ("now", "before", "last"),
    [
        ("2026-03-08T22:59", None, False),
        ("2026-03-08T23:00", None, True),  # the day before, in Berlin
        ("2026-03-10T22:59", None, True),
        ("2026-03-10T23:00", None, False),
        ("2026-03-10T12:00", date(2026, 3, 10), True),
        ("2026-03-10T12:00", date(2026, 3, 11), False),
    ],
)
def test_a_hold_has_a_last_call(now: str, before: date | None, last: bool) -> None:
    held = HeldFor(
        hold_id=SOMEBODY, patron_id=SOMEBODY, book_id=SOMEBODY, branch="Central",
        time_zone="Europe/Berlin", state="ready", expires_on=date(2026, 3, 10),
    )  # fmt: skip
    assert is_last_call(held, 1, Plan(3, (1,), before), utc(now)) is last
    endless = held.model_copy(update={"expires_on": None})
    assert not is_last_call(endless, 1, Plan(3, (1,)), utc(now))


# -- Hours -----------------------------------------------------------------------------------------

NIGHT, NOON, SPRING, AUTUMN = (
    ("21:00", "07:00"),
    ("12:00", "14:00"),
    ("22:00", "02:30"),
    ("22:00", "02:30"),
)


@pytest.mark.parametrize(
    ("now", "quiet", "goes_at"),
    [
        ("2026-03-02T19:59", NIGHT, "2026-03-02T19:59"),  # 20:59 in Berlin
        ("2026-03-02T20:00", NIGHT, "2026-03-03T06:00"),
        ("2026-03-03T05:59", NIGHT, "2026-03-03T06:00"),
        ("2026-03-03T06:00", NIGHT, "2026-03-03T06:00"),
        ("2026-03-02T10:59", NOON, "2026-03-02T10:59"),
        ("2026-03-02T11:00", NOON, "2026-03-02T13:00"),
        ("2026-03-02T12:59", NOON, "2026-03-02T13:00"),
        ("2026-03-02T13:00", NOON, "2026-03-02T13:00"),
        ("2026-03-29T00:30", SPRING, "2026-03-29T01:30"),  # 02:30 is jumped over: 03:30
        ("2026-10-24T23:00", AUTUMN, "2026-10-25T00:30"),  # 02:30 comes twice: the first
        ("2026-10-25T00:45", AUTUMN, "2026-10-25T00:45"),
        ("2026-10-25T01:15", AUTUMN, "2026-10-25T01:30"),  # 02:15 again: until the second
        ("2026-03-02T22:00", None, "2026-03-02T22:00"),
    ],
)
def test_quiet_hours_go_by_the_wall_clock(now: str, quiet: Any, goes_at: str) -> None:
    assert timing.after_quiet(utc(now), quiet, BERLIN) == utc(goes_at)


@pytest.mark.parametrize(
    ("now", "day", "goes_at"),
    [
        ("2026-03-02T06:59", "2026-03-02", "2026-03-02T07:00"),
        ("2026-03-02T07:00", "2026-03-03", "2026-03-03T07:00"),
        ("2026-03-28T07:00", "2026-03-29", "2026-03-29T06:00"),  # the night the clocks go on
        ("2026-10-24T06:00", "2026-10-25", "2026-10-25T07:00"),
    ],
)
def test_the_digest_goes_out_at_eight_on_the_wall(now: str, day: str, goes_at: str) -> None:
    found = timing.digest_of(utc(now), "08:00", BERLIN)
    assert found == (date.fromisoformat(day), utc(goes_at))


def test_pauses_grow_and_end_after_three_days() -> None:
    now = since = utc("2026-03-02T09:00")
    pauses, tries = [], 0
    while (again := timing.next_try(tries := tries + 1, since=since, now=now)) is not None:
        pauses.append(int((again - now).total_seconds() // 60))
        now = again
    assert pauses[:8] == [1, 5, 15, 60, 120, 240, 240, 240]
    assert timedelta(days=3) - timedelta(hours=4) < now - since <= timedelta(days=3)


# -- Wishes ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
def test_what_each_kind_is_by_itself(kind: Kind) -> None:
    nothing_said, no = Wishes(), Wishes(email=dict.fromkeys(KINDS, False))
    assert by_email(kind, nothing_said) is (kind != "payment-received")
    assert by_email(kind, no) is kind.startswith("overdue")
    assert by_email(kind, Wishes(email={kind: True}))
    assert not waits(kind, nothing_said)
    now = ("hold-ready", "hold-expiring", "overdue-1", "overdue-2", "overdue-3", "report")
    assert waits(kind, Wishes(digest=True)) is (kind not in now)
    courtesies = ("hold-expiring", "due-soon", "loan-renewed", "account-expiring")
    assert way_out([kind]) == ((kind,) if kind in courtesies else ())
    assert not (TRAITS[kind].required and TRAITS[kind].courtesy)


@pytest.mark.parametrize("role", ["reader", "librarian", "admin", None])
def test_reports_are_for_those_who_may_read_them(role: Any) -> None:
    person = Actor(id=SOMEBODY, role=role)
    kinds = {kind for kind in KINDS if not is_for(kind, person)}
    assert kinds == (set() if role in ("librarian", "admin") else {"report"})


def test_the_way_out_of_a_digest_leads_out_of_its_courtesies_only() -> None:
    assert way_out(["charge-added", "account-expiring", "due-soon", "due-soon"]) == (
        "due-soon", "account-expiring",
    )  # fmt: skip


# -- The verdict -----------------------------------------------------------------------------------

NOW = utc("2026-03-02T09:00")
GOOD: dict[str, Any] = {
    "kinds": ("due-soon", "hold-ready"), "wishes": Wishes(), "active": True,
    "email": "ann@readers.test", "bounced": False, "created_at": NOW, "now": NOW,
    "zone": UTC_ZONE,
}  # fmt: skip
NO_SOON, NOTHING = (
    Wishes(email={"due-soon": False}),
    Wishes(email={"due-soon": False, "hold-ready": False}),
)


@pytest.mark.parametrize(
    ("but", "said"),
    [
        ({}, Send(frozenset({"due-soon", "hold-ready"}))),
        ({"wishes": NO_SOON}, Send(frozenset({"hold-ready"}))),
        ({"wishes": NOTHING}, Suppress("opted-out")),
        ({"wishes": NOTHING, "kinds": ("overdue-1",)}, Send(frozenset({"overdue-1"}))),
        ({"kinds": ()}, Suppress("nothing-left")),
        ({"active": None}, Suppress("no-person")),
        ({"active": False}, Suppress("no-person")),
        ({"allowed": False}, Suppress("not-allowed")),
        ({"allowed": False, "active": False}, Suppress("no-person")),
        ({"email": None}, Suppress("no-address")),
        ({"bounced": True}, Suppress("bounced")),
        ({"created_at": NOW - TOO_OLD}, Send(frozenset({"due-soon", "hold-ready"}))),
        ({"created_at": NOW - TOO_OLD - timedelta(seconds=1)}, Suppress("too-old")),
        ({"wishes": Wishes(quiet=("08:00", "10:00"))}, Postpone(utc("2026-03-02T10:00"))),
        (
            {"wishes": Wishes(quiet=("08:00", "09:00"))},
            Send(frozenset({"due-soon", "hold-ready"})),
        ),
        ({"wishes": Wishes(quiet=("08:00", "10:00")), "email": None}, Suppress("no-address")),
    ],
)
def test_a_mail_goes_now_later_or_not_at_all(but: dict[str, Any], said: object) -> None:
    assert verdict(Case(**GOOD | but)) == said
