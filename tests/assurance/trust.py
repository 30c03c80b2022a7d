"""What people quarrel about at a desk: the last place in a queue, a turn, a fine paid twice."""

from collections.abc import Sequence
from typing import Any

from lendery.contracts.circulation import FinePaid, HoldPlaced, LoanRenewed
from tests.assurance.desks import Ask, Told
from tests.assurance.places import Place
from tests.assurance.race import Race, Tally
from tests.stories.library import API, Person

HOLDS = 5
OFTEN = {"renewals": 500, "renew_from": "due-date"}


async def last_hold_slot(place: Place, *, rounds: int, desks: int = 14) -> Tally:
    """Ben holds four of five and is at many desks at once, wanting another book at each."""
    async with Race.open(place, desks, holds=HOLDS) as race:
        tally, (ben,) = race.tally, await race.patrons(1)
        kept, wanted = await race.copies(HOLDS - 1), await race.copies(desks)
        had = {(await _placed(race, ben, copy)).body["id"] for copy in kept}
        for _ in range(rounds):
            answers = await race.desks.at_once([_hold(race, ben, copy) for copy in wanted])
            won = [told.body["id"] for told in answers if told.status == 201]
            tally.round(attempts=desks, expected=1, winners=len(won))
            for told in answers:
                refused = told.status == 409 and told.blocks == ["hold-limit"]
                tally.must(told.status == 201 or refused, told)
            now = await _open_holds(race, ben)
            tally.at_most(HOLDS, len(now))
            tally.must(now == had | set(won), "not the holds that were told")
            for each in now - had:
                await race.desks.at_once([Ask("DELETE", f"{API}/holds/{each}", race.token)])
    return tally


async def renewal_against_hold(place: Place, *, rounds: int, desks: int = 12) -> Tally:
    """Ann begins to wait while Ben renews at many desks: once she waits, nobody renews."""
    async with Race.open(place, desks, **OFTEN) as race:
        tally, (ann, ben), (copy,) = race.tally, await race.patrons(2), await race.copies(1)
        for _ in range(rounds):
            loan = await race.lent(copy, ben)
            asks = [race.renew(loan)] * desks
            asks[desks // 2] = _hold(race, ann, copy)
            answers = await race.desks.at_once(asks)
            placed = answers.pop(desks // 2)
            tally.round(attempts=desks, expected=1, winners=int(placed.status == 201))
            for told in answers:
                refused = told.status == 409 and told.body["reason"] == "on-hold"
                tally.must(told.status == 200 or refused, told)
            late = await _renewed_after_the_hold(race, copy, placed)
            tally.at_most(0, late)
            ended = f"{API}/holds/{placed.body.get('id')}"
            await race.desks.at_once([Ask("DELETE", ended, race.token)])
            await race.clear(copy)
    return tally


async def one_fine_paid(place: Place, *, rounds: int, desks: int = 64) -> Tally:
    """One fine is paid at every desk at once: one of them takes the money."""
    async with Race.open(place, desks) as race:
        tally, (ben,) = race.tally, await race.patrons(1)
        for _ in range(rounds):
            fine = {"patron_id": ben.id, "amount": _euros(500), "reason": "card"}
            charged = await race.ask(Ask("POST", f"{API}/fines", race.token, fine))
            pay = {"patron_id": ben.id, "amount": _euros(500)}
            answers = await race.desks.at_once(
                [Ask("POST", f"{API}/payments", race.token, pay)] * desks
            )
            won = [told.body for told in answers if told.status == 201]
            tally.round(attempts=desks, expected=1, winners=len(won))
            for told in answers:
                refused = told.status == 409 and told.body["reason"] == "more-than-owed"
                tally.must(told.status == 201 or refused, told)
            lines = await race.evidence.lines(ben.id)
            paid = [line for line in lines if str(line.fine_id) == charged.body["id"]]
            tally.at_most(1, len(paid))
            tally.must(sum(line.amount for line in lines) == 0, "the ledger is not even")
        told_of = await race.evidence.events([str(line.id) for line in await _payments(race, ben)])
        tally.must(
            [each.name for each in told_of] == [FinePaid.name] * rounds, "events of payments"
        )
    return tally


async def _payments(race: Race, person: Person) -> list[Any]:
    return [line for line in await race.evidence.lines(person.id) if line.kind == "payment"]


async def _renewed_after_the_hold(race: Race, copy: dict[str, Any], placed: Told) -> int:
    """How often, as the log has it."""
    events = await race.evidence.events([copy["id"], copy["book_id"]])
    names = [each.name for each in events]
    hold = next(
        (
            index
            for index, each in enumerate(events)
            if each.name == HoldPlaced.name and each.body["hold_id"] == placed.body.get("id")
        ),
        len(names),
    )
    return names[hold:].count(LoanRenewed.name)


def _hold(race: Race, person: Person, copy: dict[str, Any]) -> Ask:
    body = {
        "book_id": copy["book_id"],
        "patron_id": person.id,
        "pickup_branch_id": race.library.branch,
    }
    return Ask("POST", f"{API}/holds", race.token, body)


async def _placed(race: Race, person: Person, copy: dict[str, Any]) -> Told:
    told = await race.ask(_hold(race, person, copy))
    assert told.status == 201, told
    return told


async def _open_holds(race: Race, person: Person) -> set[str]:
    path = f"{API}/users/{person.id}/holds?state=open&limit=100"
    found: Sequence[Any] = (await race.ask(Ask("GET", path, race.token))).body["items"]
    return {each["id"] for each in found}


def _euros(amount: int) -> dict[str, Any]:
    return {"amount": amount, "currency": "EUR"}
