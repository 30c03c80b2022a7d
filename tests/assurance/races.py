"""Many want the same thing at the same moment, round after round."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from lendery.contracts.circulation import ItemCheckedIn, ItemCheckedOut, LoanRenewed
from tests.assurance.desks import Told
from tests.assurance.places import Place
from tests.assurance.race import Race, Tally

LIMIT = 10
RENEWALS = 2


async def last_copy(place: Place, *, rounds: int, borrowers: int = 50, copies: int = 1) -> Tally:
    """Everybody wants one of the last copies: as many get one as there are."""
    async with Race.open(place, borrowers) as race:
        tally, people, shelf = race.tally, await race.patrons(borrowers), await race.copies(copies)
        lent: list[str] = []
        for _ in range(rounds):
            pairs = [(shelf[n % copies], person) for n, person in enumerate(people)]
            answers = await race.desks.at_once([race.lend(*pair) for pair in pairs])
            won = {t.body["id"]: t.body["patron_id"] for t in answers if t.status == 201}
            tally.round(
                attempts=borrowers, expected=min(copies, borrowers), winners=_count(answers, 201)
            )
            for told in answers:
                refused = told.status == 409 and told.blocks == ["on-loan"]
                tally.must(told.status == 201 or refused, told)
            out: dict[str, str] = {}
            for copy in shelf:
                open_loans = await race.out(copy_id=copy["id"])
                tally.at_most(1, len(open_loans))
                out |= {each["id"]: each["patron_id"] for each in open_loans}
            tally.must(out == won, "the open loans are not those of the winners")
            lent += won
            for copy in shelf:
                await race.clear(copy)
        await race.no_other_loans(shelf, lent)
        await race.settle(ItemCheckedOut, shelf, lent)
    return tally


async def one_more_than_allowed(place: Place, *, rounds: int, desks: int = 14) -> Tally:
    """Ben has nine of ten and is at many desks at once, with another copy at each."""
    async with Race.open(place, desks, max_loans_total=LIMIT) as race:
        tally, (ben,) = race.tally, await race.patrons(1)
        kept, wanted = await race.copies(LIMIT - 1), await race.copies(desks)
        lent = [await race.lent(copy, ben) for copy in kept]
        had = set(lent)
        for _ in range(rounds):
            answers = await race.desks.at_once([race.lend(copy, ben) for copy in wanted])
            won = {told.body["id"] for told in answers if told.status == 201}
            tally.round(attempts=desks, expected=1, winners=_count(answers, 201))
            for told in answers:
                refused = told.status == 409 and told.blocks == ["loan-limit-total"]
                tally.must(told.status == 201 or refused, told)
            out = await race.out(patron_id=ben.id)
            tally.at_most(LIMIT, len(out))
            tally.must({each["id"] for each in out} == had | won, "not the loans that were told")
            lent += won
            for copy in wanted:
                if copy["id"] in {each["copy_id"] for each in out}:
                    await race.clear(copy)
        await race.no_other_loans([*kept, *wanted], lent)
        await race.settle(ItemCheckedOut, [*kept, *wanted], lent)
    return tally


async def one_return(place: Place, *, rounds: int, desks: int = 50) -> Tally:
    """One copy comes in at every desk at once: one of them takes it back."""
    async with Race.open(place, desks) as race:
        tally, (ben,), (copy,) = race.tally, await race.patrons(1), await race.copies(1)
        back: dict[str, str] = {}
        for _ in range(rounds):
            loan = await race.lent(copy, ben)
            answers = await race.desks.at_once([race.take_back(copy)] * desks)
            took = [told.body["loan"] for told in answers if told.body.get("loan")]
            tally.round(attempts=desks, expected=1, winners=len(took))
            for told in answers:
                tally.must(told.status == 200 and told.body["next"] == "shelve", told)
            for each in took:
                tally.must(each["id"] == loan, "a loan that was not out")
                back[loan] = each["returned_at"]
            tally.must(await race.out(copy_id=copy["id"]) == [], "still out")
        told_back = await race.evidence.told(ItemCheckedIn, [copy["id"]])
        tally.must(told_back[None] == rounds * (desks - 1), "a desk without its shelf check")
        for row in await race.evidence.loans([copy["id"]]):
            same = row.returned_at == datetime.fromisoformat(back.get(str(row.id), "0001-01-01"))
            tally.must(same, "not closed when the answer says")
        await race.settle(ItemCheckedIn, [copy], list(back))
    return tally


async def renewals(place: Place, *, rounds: int, desks: int = 20) -> Tally:
    """One loan is renewed at every desk at once: as often as it may be."""
    rules = {"renewals": RENEWALS, "renew_from": "due-date"}
    async with Race.open(place, desks, **rules) as race:
        tally, (ben,), (copy,) = race.tally, await race.patrons(1), await race.copies(1)
        lent: list[str] = []
        for _ in range(rounds):
            loan = await race.lent(copy, ben)
            before = (await race.out(copy_id=copy["id"]))[0]
            answers = await race.desks.at_once([race.renew(loan)] * desks)
            won = [told.body for told in answers if told.status == 200]
            tally.round(attempts=desks, expected=RENEWALS, winners=len(won))
            for told in answers:
                refused = told.status == 409 and told.body["reason"] == "too-many-renewals"
                tally.must(told.status == 200 or refused, told)
            told_of = sorted(each["renewals"] for each in won)
            tally.must(told_of == [1, 2], "not the first and second")
            (after,) = await race.out(copy_id=copy["id"])
            tally.must(after["renewals"] == RENEWALS, f"renewed {after['renewals']} times")
            later = _at(after["due_at"]) - _at(before["due_at"])
            tally.must(later == RENEWALS * timedelta(days=21), f"due {later} later")
            lent.append(loan)
            await race.clear(copy)
        await race.settle(LoanRenewed, [copy], lent, times=RENEWALS)
    return tally


def _count(answers: Sequence[Told], status: int) -> int:
    return sum(told.status == status for told in answers)


def _at(instant: str) -> datetime:
    return datetime.fromisoformat(instant)
