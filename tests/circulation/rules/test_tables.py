"""Due dates, renewals and fines, a line each, in the tables beside this file.

The rules of a line are read as a rule table is, so a line says what a library would write.
"""

from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest

from lendery.circulation.rules import (
    OpeningHours,
    Policy,
    RuleTable,
    due_at,
    fine_due,
    read_text,
    renewed_due_at,
)
from lendery.contracts.circulation import Calendar, CalendarException, InvalidRule, Rule

TABLES = Path(__file__).parent / "tables"
CLOSED = (
    *("2026-04-03", "2026-04-06", "2026-12-24", "2026-12-25", "2026-12-26", "2026-12-31"),
    "2027-01-01",
)
WEEKLY: Any = {day: [("09:00", "18:00")] for day in ("mon", "tue", "wed", "thu", "fri")}
TOWN = Calendar(
    id=UUID(int=1),
    name="Town",
    weekly=WEEKLY | {"sat": [("10:00", "14:00")]},
    exceptions=tuple(CalendarException(on=date.fromisoformat(day)) for day in CLOSED),
    valid_until=None,
    version=1,
)
PLACES = {
    "town": (OpeningHours(TOWN, "Europe/Berlin"), ZoneInfo("Europe/Berlin")),
    "always": (OpeningHours(None, "UTC"), ZoneInfo("UTC")),
}


def lines(name: str) -> list[Any]:
    return [
        pytest.param(*[cell.strip() for cell in line.split("|")], id=line)
        for line in (TABLES / name).read_text().splitlines()
        if line and not line.startswith("#")
    ]


def policy(text: str) -> Policy:
    read = read_text(f"any: {text}", branches={}, currency="EUR")
    assert read.faults == []
    rows = [
        Rule(
            id=UUID(int=n),
            **each.rule.model_dump(),
            changed_at=datetime(2026, 1, 1, tzinfo=UTC),
            changed_by=None,
            version=1,
        )
        for n, each in enumerate(read.rules)
    ]
    return RuleTable(rows).resolve(branch_id=None, category=None, item_type=None)


def on_the_wall(text: str, zone: ZoneInfo) -> datetime:
    """A day alone is its last second."""
    if len(text) == len("2026-03-02"):
        return datetime.combine(date.fromisoformat(text), time(23, 59, 59), zone).astimezone(UTC)
    return datetime.fromisoformat(text).replace(tzinfo=zone).astimezone(UTC)


def card(text: str) -> dict[str, Any]:
    expires_on = None if text == "-" else date.fromisoformat(text)
    return {"card_expires_on": expires_on, "cap_at_expiry": True}


@pytest.mark.parametrize(("place", "lent", "rules", "until", "due"), lines("due_dates.txt"))
def test_due_dates(place: str, lent: str, rules: str, until: str, due: str) -> None:
    hours, zone = PLACES[place]
    lent_at = on_the_wall(lent, zone)
    if due == "refused":
        with pytest.raises(InvalidRule):
            due_at(lent_at, policy(rules), hours, **card(until))
    else:
        assert due_at(lent_at, policy(rules), hours, **card(until)) == on_the_wall(due, zone)


@pytest.mark.parametrize(
    ("place", "due", "renewed", "rules", "until", "new_due"), lines("renewals.txt")
)
def test_renewals(place: str, due: str, renewed: str, rules: str, until: str, new_due: str) -> None:
    hours, zone = PLACES[place]
    found = renewed_due_at(
        on_the_wall(due, zone),
        policy(rules),
        hours,
        now=on_the_wall(renewed, zone),
        **card(until),
    )
    assert found == on_the_wall(new_due, zone)


@pytest.mark.parametrize(
    ("place", "due", "back", "rules", "price", "charged", "fine"), lines("fines.txt")
)
def test_fines(
    place: str, due: str, back: str, rules: str, price: str, charged: str, fine: str
) -> None:
    hours, zone = PLACES[place]
    found = fine_due(
        due_at=on_the_wall(due, zone),
        at=on_the_wall(back, zone),
        policy=policy(rules),
        hours=hours,
        price=None if price == "-" else int(price),
        charged=int(charged),
    )
    assert found == int(fine)
