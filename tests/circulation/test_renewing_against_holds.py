"""A renewal is refused only where some reader who waits would lose by it."""

from typing import Any
from uuid import UUID

import pytest
from tests.circulation.town import LIBRARIAN, NOW, Town

from lendery.contracts.catalog import BareCopy
from lendery.contracts.circulation import (
    Flag,
    Loan,
    LoanRenewed,
    LoanRequest,
    NewHold,
    RenewalRefused,
    ReturnRequest,
)

DESK: Any = {"actor": LIBRARIAN, "now": NOW}


async def opened(town: Town, **rules: Any) -> UUID:
    """A branch where loans may be renewed and made longer at once."""
    home = await town.branch()
    given: dict[str, Any] = {"loan_period": 21, "renew_from": "due-date", "holds_per_book": None}
    for parameter, value in (given | rules).items():
        await town.rule(parameter, value)
    for card in ("ANN", "BEN", "CLEO"):
        town.patrons.add(card)
    return home.id


async def lent(town: Town, copy: BareCopy, card: str = "ANN") -> Loan:
    request = LoanRequest(barcode=copy.barcode, card_number=card, waive=frozenset(["same-title"]))
    return await town.desk.check_out(request=request, **DESK)


async def waits(town: Town, card: str, where: UUID, **what: UUID) -> None:
    wanted = NewHold(card_number=card, pickup_branch_id=where, **what)
    await town.holds.place(hold=wanted, **DESK)


async def refused(town: Town, loan: Loan) -> bool:
    """And if so, for the waiting reader's sake, and nothing changed."""
    before = await town.events()
    try:
        renewed = await town.desk.renew(loan_id=loan.id, **DESK)
    except RenewalRefused as refusal:
        assert refusal.extra == {"reason": "on-hold"}
        assert await town.events() == before
        assert (await town.desk.get(loan_id=loan.id, **DESK)).due_at == loan.due_at
        return True
    told = (await town.events())[len(before) :]
    assert [type(event) for event in told] == [LoanRenewed]
    assert (renewed.renewals, renewed.due_at > loan.due_at) == (1, True)
    return False


async def test_somebody_waits_and_there_is_no_other_copy(town: Town) -> None:
    home = await opened(town)
    copy = town.copies.add("b1", home)
    loan = await lent(town, copy)
    await waits(town, "BEN", home, book_id=copy.book_id)
    assert await refused(town, loan)


@pytest.mark.parametrize(("waiting", "loses"), [(["BEN"], False), (["BEN", "CLEO"], True)])
async def test_one_free_copy_serves_one_reader_and_not_two(
    town: Town, waiting: list[str], loses: bool
) -> None:
    home = await opened(town)
    copy = town.copies.add("b1", home)
    town.copies.add("b2", home, book_id=copy.book_id)
    loan = await lent(town, copy)
    for card in waiting:
        await waits(town, card, home, book_id=copy.book_id)
    assert await refused(town, loan) == loses


@pytest.mark.parametrize(("where", "loses"), [("any", False), ("home", True)])
async def test_a_free_copy_counts_where_it_may_be_collected(
    town: Town, where: str, loses: bool
) -> None:
    home = await opened(town, pickup_branches=where)
    away = (await town.branch("away")).id
    copy = town.copies.add("b1", home)
    town.copies.add("b2", away, book_id=copy.book_id)
    loan = await lent(town, copy)
    await waits(town, "BEN", home, book_id=copy.book_id)
    assert await refused(town, loan) == loses


@pytest.mark.parametrize(("wanted", "loses"), [("b1", True), ("b2", False), ("b3", False)])
async def test_a_hold_on_one_copy_matters_to_that_copy(
    town: Town, wanted: str, loses: bool
) -> None:
    home = await opened(town)
    copies = {"b1": town.copies.add("b1", home)}
    for barcode in ("b2", "b3"):
        copies[barcode] = town.copies.add(barcode, home, book_id=copies["b1"].book_id)
    loan = await lent(town, copies["b1"])
    await lent(town, copies["b2"], "CLEO")  # whoever waits for that one waits for Cleo
    await waits(town, "BEN", home, copy_id=copies[wanted].id)
    assert await refused(town, loan) == loses


async def test_the_free_copy_is_given_so_that_both_are_served(town: Town) -> None:
    """Not greedily: Ben takes any copy, Cleo only the one that is free."""
    home = await opened(town)
    copy = town.copies.add("b1", home)
    free = town.copies.add("b2", home, book_id=copy.book_id)
    third = town.copies.add("b3", home, book_id=copy.book_id)
    loan = await lent(town, copy)
    await waits(town, "BEN", home, book_id=copy.book_id)
    await waits(town, "CLEO", home, copy_id=free.id)
    assert not await refused(town, loan)
    await town.shelf.flag(copy_id=third.id, flag="missing", **DESK)
    assert await refused(town, await town.desk.get(loan_id=loan.id, **DESK))


@pytest.mark.parametrize(
    ("flag", "loses"), [("damaged", False), ("withdrawn", False), (None, True)]
)
async def test_a_copy_that_would_go_to_nobody_may_stay(
    town: Town, flag: Flag | None, loses: bool
) -> None:
    home = await opened(town)
    copy = town.copies.add("b1", home)
    loan = await lent(town, copy)
    await waits(town, "BEN", home, book_id=copy.book_id)
    if flag is not None:
        await town.shelf.flag(copy_id=copy.id, flag=flag, **DESK)
    assert await refused(town, loan) == loses
    back = await town.desk.check_in(request=ReturnRequest(barcode="b1"), **DESK)
    assert (back.hold is not None) == loses, "what was feared is what happens"


@pytest.mark.parametrize(
    ("queue", "loses"), [(["ANN"], False), (["ANN", "BEN"], False), (["BEN", "ANN"], True)]
)
async def test_nobody_stands_in_their_own_way(town: Town, queue: list[str], loses: bool) -> None:
    """Ann has a copy and waits for a second: that one turn more is hers, and not Ben's."""
    home = await opened(town)
    copy = town.copies.add("b1", home)
    await waits(town, "ANN", home, copy_id=copy.id)
    for card in queue:
        await waits(town, card, home, book_id=copy.book_id)
    loan = await lent(town, copy)  # fulfils her first hold
    assert await refused(town, loan) == loses
