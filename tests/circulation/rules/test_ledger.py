from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lendery.circulation.rules.ledger import (
    ChargeSum,
    Part,
    Standing,
    allocate,
    giving_up_objection,
    payment_objection,
    refund_objection,
    standing,
)

LATE, LOST, CARD = UUID(int=1), UUID(int=2), UUID(int=3)  # from the oldest to the newest
NOBODYS = UUID(int=9)
NAMES = {"late": LATE, "lost": LOST, "card": CARD}


def account(free: int, **charges: tuple[int, int]) -> Standing:
    told = [
        ChargeSum(id=NAMES[name], amount=amount, settled=settled)
        for name, (amount, settled) in charges.items()
    ]
    return standing(told, free)


def open_of(told: Standing) -> dict[str, int]:
    names = {charge_id: name for name, charge_id in NAMES.items()}
    return {names[charge_id]: left for charge_id, left in told.outstanding.items()}


@pytest.mark.parametrize(
    ("free", "charges", "balance", "still_open"),
    [
        pytest.param(0, {}, 0, {}, id="a clean account"),
        pytest.param(0, {"late": (100, 0)}, 100, {"late": 100}, id="a charge"),
        pytest.param(0, {"late": (100, 99)}, 1, {"late": 1}, id="all but a cent is settled"),
        pytest.param(0, {"late": (100, 100)}, 0, {}, id="settled"),
        pytest.param(
            0,
            {"late": (100, 0), "lost": (2000, 2000), "card": (300, 50)},
            350,
            {"late": 100, "card": 250},
            id="a later one was named and paid",
        ),
        pytest.param(
            60, {"late": (100, 0), "lost": (50, 0)}, 90, {"late": 40, "lost": 50}, id="the oldest"
        ),
        pytest.param(100, {"late": (100, 0), "lost": (50, 0)}, 50, {"lost": 50}, id="just one"),
        pytest.param(149, {"late": (100, 0), "lost": (50, 0)}, 1, {"lost": 1}, id="one and a part"),
        pytest.param(150, {"late": (100, 0), "lost": (50, 0)}, 0, {}, id="all"),
        pytest.param(151, {"late": (100, 0), "lost": (50, 0)}, -1, {}, id="a cent of credit"),
        pytest.param(70, {}, -70, {}, id="credit of one who was never charged"),
        pytest.param(
            0,
            {"late": (100, 0), "lost": (2000, 3950)},
            -1850,
            {},
            id="cancelled after it was paid: credit settles what is older",
        ),
        pytest.param(
            0,
            {"late": (100, 200), "lost": (50, 0), "card": (80, 0)},
            30,
            {"card": 30},
            id="cancelled after it was paid: credit settles what is newer",
        ),
        pytest.param(
            -100, {"late": (100, 200), "lost": (50, 0)}, 50, {"lost": 50}, id="that credit paid out"
        ),
        pytest.param(
            -60,
            {"late": (100, 200), "lost": (50, 0)},
            10,
            {"lost": 10},
            id="a part of that credit paid out",
        ),
        pytest.param(
            -30,
            {"late": (100, 100), "lost": (50, 50)},
            30,
            {"lost": 30},
            id="more paid out than was left: the newest is owed again",
        ),
        pytest.param(
            -70,
            {"late": (100, 100), "lost": (50, 40), "card": (10, 0)},
            90,
            {"late": 30, "lost": 50, "card": 10},
            id="more paid out than the newest was",
        ),
    ],
)
def test_how_an_account_stands(
    free: int, charges: dict[str, tuple[int, int]], balance: int, still_open: dict[str, int]
) -> None:
    told = account(free, **charges)
    assert open_of(told) == still_open
    assert list(open_of(told)) == [name for name in charges if name in still_open]
    assert (told.balance, told.owed, told.credit) == (balance, max(balance, 0), max(-balance, 0))


def test_what_was_paid_out_and_never_came_in_is_owed_without_a_charge() -> None:
    told = account(-500, late=(100, 20))
    assert (told.balance, told.owed, open_of(told)) == (580, 580, {"late": 100})
    assert payment_objection(amount=101, currency="EUR", account=told, library_currency="EUR") == (
        "more-than-owed",
        "Not paid: 1.01 EUR is more than what is owed. Give 1.00 EUR or less.",
    )


THREE = account(30, late=(100, 0), lost=(2000, 500), card=(300, 0))  # owes 70, 1500 and 300


@pytest.mark.parametrize(
    ("amount", "named", "parts"),
    [
        pytest.param(1, (), {LATE: 1}, id="a cent"),
        pytest.param(70, (), {LATE: 70}, id="just the oldest"),
        pytest.param(71, (), {LATE: 70, LOST: 1}, id="a cent of the next"),
        pytest.param(1870, (), {LATE: 70, LOST: 1500, CARD: 300}, id="all"),
        pytest.param(300, (CARD,), {CARD: 300}, id="the one named"),
        pytest.param(301, (CARD, LATE), {CARD: 300, LATE: 1}, id="in the order named"),
        pytest.param(299, (CARD, LATE), {CARD: 299}, id="a part of the first named"),
        pytest.param(370, (CARD, CARD, LATE), {CARD: 300, LATE: 70}, id="named twice counts once"),
    ],
)
def test_which_charges_a_payment_settles(
    amount: int, named: tuple[UUID, ...], parts: dict[UUID, int]
) -> None:
    told = allocate(amount, THREE, named)
    assert told == tuple(Part(charge_id=each, amount=part) for each, part in parts.items())


@pytest.mark.parametrize(
    ("amount", "named"),
    [(1871, ()), (71, (LATE,)), (1, (NOBODYS,))],
    ids=["all", "one", "nobody's"],
)
def test_money_that_settles_no_charge_is_not_lost_in_silence(
    amount: int, named: tuple[UUID, ...]
) -> None:
    with pytest.raises(ValueError, match="settles no charge"):
        allocate(amount, THREE, named)


@pytest.mark.parametrize(
    ("asked", "code", "says"),
    [
        pytest.param({}, None, "", id="all that is owed"),
        pytest.param({"amount": 1}, None, "", id="a cent"),
        pytest.param(
            {"amount": 1871},
            "more-than-owed",
            "18.71 EUR is more than what is owed. Give 18.70 EUR or less.",
            id="a cent more than is owed",
        ),
        pytest.param(
            {"amount": 0},
            "not-positive",
            "the amount must be above zero. Type it again.",
            id="nothing",
        ),
        pytest.param(
            {"amount": -5},
            "not-positive",
            "the amount must be above zero. Type it again.",
            id="less than nothing",
        ),
        pytest.param(
            {"currency": "USD"},
            "wrong-currency",
            "this library's money is EUR. Give the amount in that.",
            id="dollars",
        ),
        pytest.param({"amount": 300, "named": (CARD,)}, None, "", id="all of the one named"),
        pytest.param(
            {"amount": 301, "named": (CARD,)},
            "more-than-owed",
            "3.01 EUR is more than what is owed. Give 3.00 EUR or less.",
            id="a cent more than the one named",
        ),
        pytest.param({"amount": 370, "named": (CARD, LATE)}, None, "", id="all of two"),
        pytest.param(
            {"amount": 371, "named": (CARD, LATE, CARD)},
            "more-than-owed",
            "3.71 EUR is more than what is owed. Give 3.70 EUR or less.",
            id="named twice is owed once",
        ),
        pytest.param(
            {"amount": 1, "named": (CARD, NOBODYS)},
            "unknown-fine",
            "one of the charges named is not open on this account. Look again.",
            id="a charge of nobody",
        ),
        pytest.param(
            {"account": account(0, late=(100, 100)), "amount": 1, "named": (LATE,)},
            "unknown-fine",
            "one of the charges named is not open on this account. Look again.",
            id="a charge that is settled",
        ),
        pytest.param(
            {"account": account(500), "amount": 1},
            "more-than-owed",
            "nothing is owed.",
            id="one who has credit",
        ),
    ],
)
def test_nobody_pays_more_than_is_owed(asked: Any, code: str | None, says: str) -> None:
    good = {"amount": 1870, "currency": "EUR", "account": THREE, "library_currency": "EUR"}
    told = payment_objection(**(good | asked))
    assert told == ((code, f"Not paid: {says}") if code else None)


@pytest.mark.parametrize(
    ("asked", "code", "says"),
    [
        pytest.param({}, None, "", id="all of it, with the amount"),
        pytest.param({"amount": None}, None, "", id="all of it"),
        pytest.param(
            {"amount": None, "currency": None}, None, "", id="all of it, no word of money"
        ),
        pytest.param({"amount": 1}, None, "", id="a part"),
        pytest.param(
            {"amount": 71},
            "more-than-owed",
            "71 JPY is more than what is owed. Give 70 JPY or less.",
            id="one more",
        ),
        pytest.param(
            {"amount": 0},
            "not-positive",
            "the amount must be above zero. Type it again.",
            id="nothing",
        ),
        pytest.param(
            {"currency": "EUR"},
            "wrong-currency",
            "this library's money is JPY. Give the amount in that.",
            id="euros",
        ),
        pytest.param(
            {"outstanding": 0},
            "nothing-owed",
            "nothing of this charge is owed any more.",
            id="it is settled",
        ),
        pytest.param(
            {"outstanding": 0, "amount": None},
            "nothing-owed",
            "nothing of this charge is owed any more.",
            id="all of it, and it is settled",
        ),
    ],
)
def test_only_what_is_owed_is_waived(asked: Any, code: str | None, says: str) -> None:
    good = {"amount": 70, "currency": "JPY", "outstanding": 70, "library_currency": "JPY"}
    told = giving_up_objection("Not waived", **(good | asked))
    assert told == ((code, f"Not waived: {says}") if code else None)


@pytest.mark.parametrize(
    ("asked", "code", "says"),
    [
        pytest.param({}, None, "", id="all the credit"),
        pytest.param({"amount": 1}, None, "", id="a part"),
        pytest.param(
            {"amount": 251},
            "more-than-credit",
            "2.51 EUR is more than the credit. Give 2.50 EUR or less.",
            id="a cent more",
        ),
        pytest.param(
            {"amount": 0},
            "not-positive",
            "the amount must be above zero. Type it again.",
            id="nothing",
        ),
        pytest.param(
            {"currency": "CHF"},
            "wrong-currency",
            "this library's money is EUR. Give the amount in that.",
            id="francs",
        ),
        pytest.param(
            {"account": THREE, "amount": 1},
            "more-than-credit",
            "there is no credit on this account.",
            id="one who owes",
        ),
    ],
)
def test_only_credit_is_paid_out(asked: Any, code: str | None, says: str) -> None:
    good = {
        "amount": 250,
        "currency": "EUR",
        "account": account(350, late=(100, 0)),
        "library_currency": "EUR",
    }
    told = refund_objection(**(good | asked))
    assert told == ((code, f"Not refunded: {says}") if code else None)


charges = st.lists(st.tuples(st.integers(1, 50), st.integers(0, 120)), max_size=6)


def sums(told: list[tuple[int, int]]) -> list[ChargeSum]:
    return [
        ChargeSum(id=UUID(int=n), amount=amount, settled=settled)
        for n, (amount, settled) in enumerate(told)
    ]


@given(charges=charges, free=st.integers(-300, 300))
def test_what_is_outstanding_adds_up_and_is_never_more_than_the_charge(
    charges: list[tuple[int, int]], free: int
) -> None:
    told = standing(sums(charges), free)
    lines = [amount for amount, _ in charges] + [-settled for _, settled in charges] + [-free]
    assert told.balance == sum(lines) == told.owed - told.credit
    assert min(told.owed, told.credit) == 0 <= max(told.owed, told.credit)
    for charge in sums(charges):
        assert 0 <= told.outstanding.get(charge.id, 0) <= charge.amount
    assert 0 not in told.outstanding.values()
    came_in = sum(settled for _, settled in charges) + free
    if came_in >= 0:
        assert sum(told.outstanding.values()) == told.owed


@given(charges=charges, free=st.integers(0, 300))
def test_money_without_a_name_settles_the_oldest_first(
    charges: list[tuple[int, int]], free: int
) -> None:
    told = standing(sums(charges), free)
    lefts = [told.outstanding.get(charge.id, 0) for charge in sums(charges)]
    by_name = [max(0, amount - settled) for amount, settled in charges]
    touched = [left < own for left, own in zip(lefts, by_name, strict=True)]
    for n, left in enumerate(lefts):
        assert not (left and any(touched[n + 1 :]))


@given(charges=charges, free=st.integers(0, 100), data=st.data())
def test_a_payment_is_allocated_to_the_cent_and_settles_what_it_says(
    charges: list[tuple[int, int]], free: int, data: st.DataObject
) -> None:
    before = standing(sums(charges), free)
    named = data.draw(st.permutations(list(before.outstanding)).map(lambda ids: ids[:3]))
    order = named or list(before.outstanding)
    owed = sum(before.outstanding[each] for each in order)
    amount = data.draw(st.integers(1, max(1, owed)))
    objection = payment_objection(
        amount=amount, currency="EUR", account=before, library_currency="EUR", named=named
    )
    assert (objection is None) == (0 < amount <= owed)
    if objection:
        return
    parts = {part.charge_id: part.amount for part in allocate(amount, before, named)}
    assert sum(parts.values()) == amount
    assert list(parts) == order[: len(parts)]
    assert all(parts[each] == before.outstanding[each] for each in list(parts)[:-1])
    assert all(0 < part <= before.outstanding[each] for each, part in parts.items())
    paid = [
        ChargeSum(id=each.id, amount=each.amount, settled=each.settled + parts.get(each.id, 0))
        for each in sums(charges)
    ]
    assert standing(paid, free).owed == before.owed - amount


LINES = ("charge", "payment", "named payment", "waiver", "cancellation", "refund")


@given(lines=st.lists(st.tuples(st.sampled_from(LINES), st.integers(1, 60)), max_size=25))
def test_through_any_history_the_sum_of_the_lines_is_the_balance(
    lines: list[tuple[str, int]],
) -> None:
    """Only what the objections let pass is posted, and then no charge is owed beyond its amount."""
    ledger: list[tuple[int, UUID | None]] = []
    amounts: dict[UUID, int] = {}

    def stands() -> Standing:
        settled = {each: -sum(a for a, named in ledger if named == each) for each in amounts}
        told = [ChargeSum(id=c, amount=a, settled=settled[c]) for c, a in amounts.items()]
        return standing(told, -sum(a for a, named in ledger if named is None))

    money: dict[str, Any] = {"currency": "EUR", "library_currency": "EUR"}
    for kind, amount in lines:
        now = stands()
        newest = list(now.outstanding)[-1:]
        named = newest if kind == "named payment" else ()
        if kind == "charge":
            amounts[UUID(int=len(amounts) + 1)] = amount
        elif "payment" in kind and not payment_objection(
            amount=amount, account=now, named=named, **money
        ):
            ledger += [(-part.amount, part.charge_id) for part in allocate(amount, now, named)]
        elif kind == "payment" and not amounts:
            ledger.append((-amount, None))  # settled late, when nothing was owed any more
        elif kind == "waiver" and newest:
            ledger.append((-now.outstanding[newest[0]], newest[0]))
        elif kind == "cancellation" and amounts:
            ledger.append((-list(amounts.values())[-1], list(amounts)[-1]))
        elif kind == "refund" and not refund_objection(amount=amount, account=now, **money):
            ledger.append((amount, None))
        told = stands()
        assert told.balance == sum(amounts.values()) + sum(a for a, _ in ledger)
        assert sum(told.outstanding.values()) == told.owed
        assert all(0 < left <= amounts[each] for each, left in told.outstanding.items())
