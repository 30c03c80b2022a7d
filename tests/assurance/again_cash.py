"""What is sent again at the cash desk: a drawer is opened, and counted."""

from typing import Any
from uuid import uuid4

from tests.assurance.again_trials import Trial, events_of
from tests.assurance.desks import Ask
from tests.assurance.race import Race
from tests.stories.library import API

PATH = f"{API}/cash-sessions"


def _opening(race: Race, by: str, desk: str, key: str = "") -> Ask:
    opening_float = {"amount": 5000, "currency": "EUR"}
    body = {"branch_id": race.library.branch, "desk": desk, "opening_float": opening_float}
    return Ask("POST", PATH, by, body, key)


def _counting(session: str, by: str, amount: int, key: str = "") -> Ask:
    body = {"counted": {"amount": amount, "currency": "EUR"}}
    return Ask("POST", f"{PATH}/{session}/close", by, body, key)


async def _opened(race: Race, by: str) -> str:
    told = await race.ask(_opening(race, by, _desk()))
    assert told.status == 201, told
    return str(told.body["id"])


def _desk() -> str:
    return f"desk-{uuid4().hex[:12]}"


def _sessions(race: Race, desk: str) -> Any:
    """How many were opened at that desk, each of them told in the log."""

    async def count() -> int:
        rows = await race.evidence.cash_sessions(desk)
        found = [str(row.id) for row in rows]
        events = await race.evidence.events(found)
        begun = sum(row.name == "circulation.CashSessionOpened" for row in events)
        race.tally.must(begun == len(found), f"{begun} events of {len(found)} sessions")
        return len(found)

    return count


async def open_desk(race: Race) -> Trial:
    by, key, (this, that) = await race.colleague(), uuid4().hex, (_desk(), _desk())
    return Trial(
        _opening(race, by, this, key),
        _opening(race, by, that, key),
        _sessions(race, this),
        _sessions(race, that),
        lambda told: _counting(told["id"], by, 5000),
    )


async def open_what_is_open(race: Race) -> Trial:
    by, key, (this, that) = await race.colleague(), uuid4().hex, (_desk(), _desk())
    told = await race.ask(_opening(race, by, this))
    opened = _sessions(race, this)

    async def more() -> int:
        return int(await opened()) - 1

    return Trial(
        _opening(race, by, this, key),
        _opening(race, by, that, key),
        more,
        _sessions(race, that),
        lambda _: _counting(told.body["id"], by, 5000),
    )


async def count(race: Race) -> Trial:
    by, key = await race.colleague(), uuid4().hex
    this, that = await _opened(race, by), await _opened(race, by)
    return Trial(
        _counting(this, by, 4990, key),
        _counting(that, by, 5000, key),
        events_of(race, "CashSessionClosed", this),
        events_of(race, "CashSessionClosed", that),
    )


async def count_again(race: Race) -> Trial:
    trial, key = await count(race), uuid4().hex
    counted = await race.ask(trial.other)
    assert counted.status == 200, counted
    by, session = trial.ask.token, trial.other.path.split("/")[-2]
    other = await _opened(race, by)
    closed = events_of(race, "CashSessionClosed", session)

    async def more() -> int:
        return await closed() - 1

    return Trial(
        _counting(session, by, 4000, key),
        _counting(other, by, 5000, key),
        more,
        events_of(race, "CashSessionClosed", other),
    )
