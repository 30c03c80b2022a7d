"""What is sent again at the till: charges, payments, refunds, waivers, cancellations."""

from dataclasses import replace
from typing import Any
from uuid import uuid4

from tests.assurance.again_trials import Trial, lines_of
from tests.assurance.desks import Ask
from tests.assurance.race import Race
from tests.stories.library import API, Person


def _euros(amount: int) -> dict[str, Any]:
    return {"amount": amount, "currency": "EUR"}


def _charging(race: Race, person: Person, amount: int, key: str = "") -> Ask:
    body = {"patron_id": person.id, "amount": _euros(amount), "reason": "card"}
    return Ask("POST", f"{API}/fines", race.token, body, key)


def _paying(race: Race, person: Person, amount: int, key: str = "") -> Ask:
    body = {"patron_id": person.id, "amount": _euros(amount)}
    return Ask("POST", f"{API}/payments", race.token, body, key)


def _refunding(race: Race, person: Person, amount: int, key: str = "") -> Ask:
    body = {"patron_id": person.id, "amount": _euros(amount), "reason": "Credit"}
    return Ask("POST", f"{API}/refunds", race.token, body, key)


def _of_fine(race: Race, fine: str, what: str, body: dict[str, Any], key: str = "") -> Ask:
    return Ask("POST", f"{API}/fines/{fine}/{what}", race.token, body, key)


async def _charged(race: Race, person: Person, amount: int = 1000) -> str:
    told = await race.ask(_charging(race, person, amount))
    assert told.status == 201, told
    return str(told.body["id"])


async def charge(race: Race, amount: int = 300) -> Trial:
    (ann,), key = await race.patrons(1), uuid4().hex
    return Trial(
        _charging(race, ann, amount, key),
        _charging(race, ann, 400, key),
        lines_of(race, ann, "charge", amount),
        lines_of(race, ann, "charge", 400),
        lambda _: _paying(race, ann, 100),
    )


async def charge_nothing(race: Race) -> Trial:
    return replace(await charge(race, 0), stir=lambda _: None)


async def pay(race: Race, amount: int = 200) -> Trial:
    (ann,), key = await race.patrons(1), uuid4().hex
    await _charged(race, ann)
    return Trial(
        _paying(race, ann, amount, key),
        _paying(race, ann, 300, key),
        lines_of(race, ann, "payment", amount),
        lines_of(race, ann, "payment", 300),
        lambda _: _charging(race, ann, 5000),
    )


async def pay_too_much(race: Race) -> Trial:
    return await pay(race, 1001)


async def refund(race: Race, amount: int = 200) -> Trial:
    (ann,), key = await race.patrons(1), uuid4().hex
    await _credited(race, ann, 1000)
    return Trial(
        _refunding(race, ann, amount, key),
        _refunding(race, ann, 300, key),
        lines_of(race, ann, "refund", amount),
        lines_of(race, ann, "refund", 300),
        lambda _: _charging(race, ann, 100),
    )


async def _credited(race: Race, person: Person, amount: int) -> None:
    """Paid for a charge that was a mistake."""
    fine = await _charged(race, person, amount)
    assert (await race.ask(_paying(race, person, amount))).status == 201
    wrong = _of_fine(race, fine, "cancel", {"reason": "A mistake"})
    assert (await race.ask(wrong)).status == 200


async def refund_too_much(race: Race) -> Trial:
    return replace(await refund(race, 1001), stir=lambda _: None)


async def waive(race: Race, amount: int = 200) -> Trial:
    (ann,), key = await race.patrons(1), uuid4().hex
    fine = await _charged(race, ann)

    def waiving(amount: int) -> Ask:
        body = {"amount": _euros(amount), "reason": "First time"}
        return _of_fine(race, fine, "waive", body, key)

    return Trial(
        waiving(amount),
        waiving(300),
        lines_of(race, ann, "waiver", amount),
        lines_of(race, ann, "waiver", 300),
        lambda _: _paying(race, ann, 100),
    )


async def waive_too_much(race: Race) -> Trial:
    return replace(await waive(race, 1001), stir=lambda _: None)


async def cancel(race: Race) -> Trial:
    """There is one charge to be cancelled, so the other request is about a second one."""
    (ann,), key = await race.patrons(1), uuid4().hex
    fine, other = await _charged(race, ann, 700), await _charged(race, ann, 900)
    wrong = {"reason": "The book was here all the time"}
    return Trial(
        _of_fine(race, fine, "cancel", wrong, key),
        _of_fine(race, other, "cancel", wrong, key),
        lines_of(race, ann, "cancellation", 700),
        lines_of(race, ann, "cancellation", 900),
        lambda _: _charging(race, ann, 100),
    )


async def cancel_twice(race: Race) -> Trial:
    trial = await cancel(race)
    await race.ask(replace(trial.ask, key=""))

    async def effects() -> int:
        return await trial.effects() - 1

    return replace(trial, effects=effects, stir=lambda _: None)
