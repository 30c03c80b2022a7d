"""One request sent many times under one key: it happens once, and everyone hears the same."""

from collections.abc import Sequence
from typing import Any
from uuid import uuid4

from lendery.contracts.circulation import ItemCheckedIn, ItemCheckedOut, LoanRenewed
from tests.assurance.desks import Ask, Told
from tests.assurance.places import Place
from tests.assurance.race import Race, Tally

MIXED = (0, 1, 1, 0)  # so that both sorts come to both workers
FROM_DUE_DATE = {"renewals": 9, "renew_from": "due-date"}


async def same_lending(place: Place, *, rounds: int, repeats: int = 20) -> Tally:
    async with Race.open(place, repeats) as race:
        tally, (ben,), kim = race.tally, await race.patrons(1), await race.colleague()
        copy, other = await race.copies(2)
        lent: list[str] = []
        for _ in range(rounds):
            key = uuid4().hex
            answers = await race.desks.at_once([race.lend(copy, ben, key)] * repeats)
            loan = the_one_answer(tally, answers, 201)
            out = await race.out(copy_id=copy["id"])
            tally.at_most(1, len(out))
            tally.round(attempts=repeats + 2, expected=1, winners=len(out))
            tally.must([each["id"] for each in out] == [loan.get("id")], "not the loan told of")
            must_be_reused(tally, await race.ask(race.lend(other, ben, key)))
            tally.must(await race.out(copy_id=other["id"]) == [], "lent under a key that was used")
            theirs = await race.ask(race.lend(copy, ben, key, by=kim))
            tally.must(theirs.blocks == ["already-yours"], f"a colleague's key: {theirs}")
            lent += [loan["id"]] if loan else []
            await race.clear(copy)
        await race.no_other_loans([copy, other], lent)
        await race.settle(ItemCheckedOut, [copy, other], lent)
    return tally


async def same_return(place: Place, *, rounds: int, repeats: int = 20) -> Tally:
    async with Race.open(place, repeats) as race:
        tally, (ben,), kim = race.tally, await race.patrons(1), await race.colleague()
        copy, other = await race.copies(2)
        lent = []
        kept = await race.lent(other, ben)
        for _ in range(rounds):
            key, loan = uuid4().hex, await race.lent(copy, ben)
            answers = await race.desks.at_once([race.take_back(copy, key)] * repeats)
            taken = the_one_answer(tally, answers, 200)
            tally.round(attempts=repeats + 2, expected=1, winners=len(_loans_in(answers)))
            tally.must(_loans_in(answers) == {loan}, "not the loan that was out")
            tally.must(taken.get("next") == "shelve", "not told where it goes")
            tally.must(await race.out(copy_id=copy["id"]) == [], "still out")
            must_be_reused(tally, await race.ask(race.take_back(other, key)))
            theirs = await race.ask(race.take_back(copy, key, by=kim))
            tally.must(theirs.body.get("loan", 0) is None, f"a colleague's key: {theirs}")
            lent.append(loan)
        tally.must(len(await race.out(copy_id=other["id"])) == 1, "came back under a used key")
        told = await race.evidence.told(ItemCheckedIn, [copy["id"]])
        tally.at_most(rounds, told[None])  # each round a colleague's, under their own key
        await race.no_other_loans([copy, other], [kept, *lent])
        await race.settle(ItemCheckedIn, [copy, other], lent)
    return tally


async def same_renewal(place: Place, *, rounds: int, repeats: int = 20) -> Tally:
    """Two members of staff chose the same key: to each their own, and each acts once."""
    async with Race.open(place, repeats, **FROM_DUE_DATE) as race:
        tally, (ben,), kim = race.tally, await race.patrons(1), await race.colleague()
        copy, other = await race.copies(2)
        lent = []
        kept = await race.lent(other, ben)
        for _ in range(rounds):
            key, loan = uuid4().hex, await race.lent(copy, ben)
            both = [race.renew(loan, key), race.renew(loan, key, by=kim)]
            answers = await _mixed(race, both, repeats)
            ours, theirs = (the_one_answer(tally, each, 200) for each in answers)
            (after,) = await race.out(copy_id=copy["id"])
            tally.round(attempts=repeats + 1, expected=2, winners=after["renewals"])
            seen = {ours.get("renewals"), theirs.get("renewals")}
            tally.must(seen == {1, 2}, f"told of renewals {seen}")
            must_be_reused(tally, await race.ask(race.renew(kept, key)))
            lent.append(loan)
            await race.clear(copy)
        (still,) = await race.out(copy_id=other["id"])
        tally.must(still["renewals"] == 0, "renewed under a key that was used")
        await race.settle(LoanRenewed, [copy, other], lent, times=2)
    return tally


async def two_requests_with_one_key(place: Place, *, rounds: int, repeats: int = 20) -> Tally:
    """Two copies for two patrons under one key: one is lent, the other request hears why not."""
    async with Race.open(place, repeats) as race:
        tally, people, shelf = race.tally, await race.patrons(2), await race.copies(2)
        lent: list[str] = []
        for _ in range(rounds):
            key = uuid4().hex
            pair = [race.lend(*each, key) for each in zip(shelf, people, strict=True)]
            winners, others = await _mixed(race, pair, repeats)
            if others[0].status == 201:
                winners, others = others, winners
            loan = the_one_answer(tally, winners, 201)
            for told in others:
                must_be_reused(tally, told)
            out = [each for copy in shelf for each in await race.out(copy_id=copy["id"])]
            tally.at_most(1, len(out))
            tally.round(attempts=repeats, expected=1, winners=len(out))
            tally.must([each["id"] for each in out] == [loan.get("id")], "not the loan told of")
            lent += [loan["id"]] if loan else []
            for copy in shelf:
                await race.clear(copy)
        await race.no_other_loans(shelf, lent)
        await race.settle(ItemCheckedOut, shelf, lent)
    return tally


async def _mixed(race: Race, both: Sequence[Ask], repeats: int) -> tuple[list[Told], list[Told]]:
    """Sends both many times at once; the answers to the one and to the other."""
    order = (MIXED * repeats)[:repeats]
    answers = list(zip(order, await race.desks.at_once([both[n] for n in order]), strict=True))
    return [told for n, told in answers if n == 0], [told for n, told in answers if n == 1]


def the_one_answer(tally: Tally, answers: Sequence[Told], status: int) -> dict[str, Any]:
    """What everyone was told; empty when they were not told the same."""
    for told in answers:
        tally.must(told.status == status, told)
    same = all(told.body == answers[0].body for told in answers)
    tally.must(same, "unequal answers to one request")
    return answers[0].body if same and answers[0].status == status else {}


def must_be_reused(tally: Tally, told: Told) -> None:
    tally.must((told.status, told.problem) == (422, "key-reused"), f"a used key: {told}")


def _loans_in(answers: Sequence[Told]) -> set[str]:
    return {told.body["loan"]["id"] for told in answers if told.body.get("loan")}
