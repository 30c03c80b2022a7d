"""The state of copies: flags, statuses, and the numbers that limits are checked against."""

from datetime import timedelta
from types import SimpleNamespace
from typing import Any, Literal
from uuid import UUID, uuid4

import pytest
from tests.circulation.town import LIBRARIAN, NOW, READER, Town

from lendery.circulation.facts import CUT, copy_facts, loan_counts, loan_value, marks, patron_facts
from lendery.circulation.rules import LoanCount
from lendery.contracts.base import NotAllowed
from lendery.contracts.catalog import BareCopy, NoSuchCopy
from lendery.contracts.circulation import (
    CopyFlagged,
    Flag,
    Loan,
    LoanRequest,
    NotOnLoan,
    ReturnRequest,
)

DESK: Any = {"actor": LIBRARIAN, "now": NOW}


async def shelved(town: Town, **but: Any) -> BareCopy:
    home = await town.branch()
    await town.rule("loan_period", 21)
    town.patrons.add("1000000008")
    return town.copies.add("b1", home.id, **but)


async def lend(town: Town) -> Loan:
    request = LoanRequest(barcode="b1", card_number="1000000008")
    return await town.desk.check_out(request=request, **DESK)


async def status(town: Town, copy: BareCopy) -> str:
    (state,) = await town.shelf.states(copy_ids=[copy.id])
    return state.status


@pytest.mark.parametrize("flag", ["lost", "missing", "damaged", "withdrawn"])
async def test_a_flag_is_raised_told_and_lowered(
    town: Town, flag: Literal["lost", "missing", "damaged", "withdrawn"]
) -> None:
    copy = await shelved(town)
    state = await town.shelf.flag(copy_id=copy.id, flag=flag, **DESK)
    assert (state.status, state.branch_id, state.due_at) == (flag, copy.branch_id, None)
    assert await status(town, copy) == flag
    state = await town.shelf.flag(copy_id=copy.id, flag=flag, raised=False, **DESK)
    assert state.status == await status(town, copy) == "available"
    told = [event for event in await town.events() if isinstance(event, CopyFlagged)]
    assert [(e.flag, e.status, e.by, e.copy_id, e.book_id) for e in told] == [
        (flag, flag, LIBRARIAN.id, copy.id, copy.book_id),
        (f"not-{flag}", "available", LIBRARIAN.id, copy.id, copy.book_id),
    ]


async def test_a_copy_found_is_neither_lost_nor_missing_nor_claimed(town: Town) -> None:
    copy = await shelved(town)
    await lend(town)
    flags: list[Flag] = ["missing", "claimed-returned", "damaged"]
    for flag in flags:
        await town.shelf.flag(copy_id=copy.id, flag=flag, **DESK)
    assert await status(town, copy) == "claimed-returned"
    state = await town.shelf.flag(copy_id=copy.id, flag="found", **DESK)
    assert state.status == "on-loan"
    assert state.due_at is not None
    await town.desk.check_in(request=ReturnRequest(barcode="b1"), **DESK)
    assert await status(town, copy) == "damaged", "found, and damaged all the same"


async def test_only_a_copy_on_loan_can_be_claimed_returned(town: Town) -> None:
    copy = await shelved(town)
    with pytest.raises(NotOnLoan):
        await town.shelf.flag(copy_id=copy.id, flag="claimed-returned", **DESK)
    assert await town.events(of_rules=False) == []
    await lend(town)
    state = await town.shelf.flag(copy_id=copy.id, flag="claimed-returned", **DESK)
    assert state.status == "claimed-returned"


async def test_flags_are_for_staff_and_for_copies_there_are(town: Town) -> None:
    copy = await shelved(town)
    with pytest.raises(NotAllowed):
        await town.shelf.flag(copy_id=copy.id, flag="lost", actor=READER, now=NOW)
    with pytest.raises(NoSuchCopy):
        await town.shelf.flag(copy_id=uuid4(), flag="lost", **DESK)
    assert await town.events(of_rules=False) == []


async def test_the_state_of_a_copy_follows_it(town: Town) -> None:
    copy = await shelved(town)
    away = await town.branch("away")
    assert await town.shelf.states(copy_ids=[copy.id]) == [], "never met: as the catalog made it"
    assert not await town.shelf.has_past(copy_ids=[copy.id])
    loan = await lend(town)
    (state,) = await town.shelf.states(copy_ids=[copy.id, uuid4()])
    assert (state.copy_id, state.status, state.due_at) == (copy.id, "on-loan", loan.due_at)
    back = await town.desk.check_in(request=ReturnRequest(barcode="b1", branch_id=away.id), **DESK)
    assert (back.next, back.to_branch) == ("transit", copy.branch_id)
    (state,) = await town.shelf.states(copy_ids=[copy.id])
    assert (state.status, state.branch_id, state.due_at) == ("in-transit", away.id, None)
    await town.desk.check_in(request=ReturnRequest(barcode="b1", branch_id=copy.branch_id), **DESK)
    assert await status(town, copy) == "available"
    assert await town.shelf.has_past(copy_ids=[uuid4(), copy.id])
    assert await town.shelf.states(copy_ids=[]) == []
    assert not await town.shelf.has_past(copy_ids=[])


async def test_a_reference_copy_shows_as_one(town: Town) -> None:
    copy = await shelved(town, item_type="reference")
    await town.memory.meet_copy(copy_id=copy.id)
    assert await status(town, copy) == "reference"


async def test_the_states_of_very_many_copies_are_one_question(town: Town) -> None:
    home = uuid4()
    copies = [town.copies.add(f"b{number}", home) for number in range(300)]
    await town.memory.meet_many(patrons=[], copies=[copy.id for copy in copies])
    asked = [copy.id for copy in copies] + [uuid4() for _ in range(2000)]
    states = await town.shelf.states(copy_ids=asked)
    assert {state.copy_id for state in states} == {copy.id for copy in copies}


BRANCH, TYPE, OTHER, NOT_TYPE = UUID(int=9), "dvd", UUID(int=0), "not dvd"
# open loans of the patron: all, of this type, of this branch, of both
COUNTS = [
    ((0, 0, 0, 0), (0, 0, 0, 0)),
    ((0, None, None, None), (0, 0, 0, 0)),
    ((1, 1, 1, 1), (1, 0, 0, 0)),
    ((1, 1, 0, 0), (0, 1, 0, 0)),
    ((1, 0, 1, 0), (0, 0, 1, 0)),
    ((1, 0, 0, 0), (0, 0, 0, 1)),
    ((10, 6, 5, 3), (3, 3, 2, 2)),
    ((10, 10, 10, 10), (10, 0, 0, 0)),
]


@pytest.mark.parametrize(("given", "split"), COUNTS)
def test_open_loans_are_split_so_that_every_limit_can_be_counted(
    given: tuple[Any, ...], split: tuple[int, ...]
) -> None:
    loans, of_type, of_branch, of_both = given
    row = SimpleNamespace(
        item_type=TYPE,
        home_branch_id=BRANCH,
        loans=loans,
        loans_of_type=of_type,
        loans_of_branch=of_branch,
        loans_of_both=of_both,
    )
    counted = loan_counts(row)
    both, type_only, branch_only, neither = split
    assert counted == (
        LoanCount(TYPE, BRANCH, both),
        LoanCount(TYPE, OTHER, type_only),
        LoanCount(NOT_TYPE, BRANCH, branch_only),
        LoanCount(NOT_TYPE, OTHER, neither),
    )
    assert sum(split) == loans


def a_copy(**but: Any) -> Any:
    flags = dict.fromkeys(("withdrawn", "lost", "damaged", "missing", "claimed_returned"), False)
    facts: dict[str, Any] = {"id": UUID(int=5), "item_type": "book"}
    facts |= dict.fromkeys(("out_to", "out_as", "kept_for", "kept_as"))
    return SimpleNamespace(**{**flags, **facts, **but})


def test_a_loan_whose_patron_was_cut_off_is_still_a_loan() -> None:
    ann = uuid4()
    assert copy_facts(a_copy()).on_loan_to is None
    assert copy_facts(a_copy(out_to=ann, out_as=uuid4())).on_loan_to == ann
    assert copy_facts(a_copy(out_as=uuid4())).on_loan_to == CUT


def test_the_marks_of_a_copy_are_what_its_row_says() -> None:
    for name in ("withdrawn", "lost", "damaged", "missing", "claimed_returned"):
        found = marks(a_copy(**{name: True}), on_loan=False, in_transit=False)
        assert getattr(found, name) and not found.on_loan and not found.not_for_loan
    assert marks(a_copy(item_type="reference"), on_loan=False, in_transit=False).not_for_loan
    assert marks(a_copy(), on_loan=True, in_transit=True).on_loan


def test_a_patron_is_what_the_row_says_blocks_with_their_time() -> None:
    blocks = [{"reason": "suspended", "until": NOW.isoformat()}, {"reason": "other"}]
    row = SimpleNamespace(id=uuid4(), expires_on=None, born_on=None, active=True, blocks=blocks)
    found = patron_facts(row, overdue=2)
    assert [(b.reason, b.until) for b in found.blocks] == [("suspended", NOW), ("other", None)]
    assert found.overdue == 2


@pytest.mark.parametrize(
    ("due_in", "returned", "overdue"),
    [(1, False, False), (0, False, False), (-1, False, True), (-1, True, False)],
)
def test_a_loan_is_overdue_from_the_moment_after_it_was_due(
    due_in: int, returned: bool, overdue: bool
) -> None:
    row = SimpleNamespace(
        id=uuid4(),
        copy_id=uuid4(),
        book_id=uuid4(),
        patron_id=None,
        branch_id=uuid4(),
        lent_at=NOW,
        due_at=NOW + timedelta(seconds=due_in),
        returned_at=NOW if returned else None,
        renewals=0,
        claimed_at=None,
        recalled_at=None,
        ended_as=None,
    )
    assert loan_value(row, NOW).overdue == overdue
