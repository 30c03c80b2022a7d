"""What is sent again at the desk: check-outs, returns, renewals, holds."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

from tests.assurance.again_trials import Trial, events_of
from tests.assurance.desks import Ask
from tests.assurance.race import Race
from tests.stories.library import API, Person

A_DAY = timedelta(days=1)


async def lend(race: Race) -> Trial:
    (ben,), (copy, other), key = await race.patrons(1), await race.copies(2), uuid4().hex
    return Trial(
        race.lend(copy, ben, key),
        race.lend(other, ben, key),
        events_of(race, "ItemCheckedOut", copy["id"]),
        events_of(race, "ItemCheckedOut", other["id"]),
        lambda _: race.take_back(copy),
    )


async def lend_what_is_out(race: Race) -> Trial:
    trial, (ann,) = await lend(race), await race.patrons(1)
    copy = {"barcode": (trial.ask.body or {})["barcode"]}
    await race.lent(copy, ann)

    async def effects() -> int:
        return await trial.effects() - 1  # Ann's

    return replace(trial, effects=effects, stir=lambda _: race.take_back(copy))


async def take_back(race: Race) -> Trial:
    (ben,), (copy, other), key = await race.patrons(1), await race.copies(2), uuid4().hex
    for each in (copy, other):
        await race.lent(each, ben)
    return Trial(
        race.take_back(copy, key),
        race.take_back(other, key),
        events_of(race, "ItemCheckedIn", copy["id"]),
        events_of(race, "ItemCheckedIn", other["id"]),
        lambda _: race.lend(copy, ben),
    )


async def take_back_too_early(race: Race) -> Trial:
    """Dated back to before it was lent; when it is back, that is a shelf check like any other."""
    trial = await take_back(race)
    yesterday = (datetime.now(UTC) - A_DAY).isoformat()
    body = (trial.ask.body or {}) | {"returned_at": yesterday}
    copy = {"barcode": body["barcode"]}
    before = await trial.effects()

    async def effects() -> int:
        return await trial.effects() - before - 1  # the one that `stir` took back

    return replace(
        trial,
        ask=replace(trial.ask, body=body),
        effects=effects,
        stir=lambda _: race.take_back(copy),
    )


async def renew(race: Race) -> Trial:
    (ben,), (copy, other), key = await race.patrons(1), await race.copies(2), uuid4().hex
    loan, second = [await race.lent(each, ben) for each in (copy, other)]
    return Trial(
        race.renew(loan, key),
        race.renew(second, key),
        events_of(race, "LoanRenewed", copy["id"]),
        events_of(race, "LoanRenewed", other["id"]),
        lambda _: race.take_back(copy),
    )


async def renew_what_is_wanted(race: Race) -> Trial:
    (ann, ben), (copy, other) = await race.patrons(2), await race.copies(2)
    loan, second = [await race.lent(each, ben) for each in (copy, other)]
    wanted = await race.ask(_hold(race, ann, copy))
    key = uuid4().hex
    return Trial(
        race.renew(loan, key),
        race.renew(second, key),
        events_of(race, "LoanRenewed", copy["id"]),
        events_of(race, "LoanRenewed", other["id"]),
        lambda _: _cancelling(race, wanted.body),
    )


def _hold(race: Race, person: Person, copy: dict[str, Any], key: str = "") -> Ask:
    body = {"book_id": copy["book_id"], "patron_id": person.id}
    return Ask("POST", f"{API}/holds", race.token, body | _here(race), key)


def _here(race: Race) -> dict[str, str]:
    return {"pickup_branch_id": race.library.branch}


def _cancelling(race: Race, hold: dict[str, Any]) -> Ask:
    return Ask("DELETE", f"{API}/holds/{hold['id']}", race.token)


async def place(race: Race) -> Trial:
    (ann,), (copy, other), key = await race.patrons(1), await race.copies(2), uuid4().hex
    return Trial(
        _hold(race, ann, copy, key),
        _hold(race, ann, other, key),
        events_of(race, "HoldPlaced", copy["book_id"]),
        events_of(race, "HoldPlaced", other["book_id"]),
        lambda told: _cancelling(race, told),
    )


async def place_twice(race: Race) -> Trial:
    trial = await place(race)
    first = await race.ask(replace(trial.ask, key=""))

    async def effects() -> int:
        return await trial.effects() - 1

    return replace(trial, effects=effects, stir=lambda _: _cancelling(race, first.body))
