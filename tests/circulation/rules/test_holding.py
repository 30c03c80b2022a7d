from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any, get_args
from uuid import UUID

import pytest

from lendery.circulation.rules.holding import HoldableCopy, HoldRequest, hold_blocks, may_serve
from lendery.circulation.rules.policy import Policy
from lendery.circulation.rules.standing import CardBlock, PatronFacts
from lendery.contracts.circulation import HoldBlockCode

ANN = UUID(int=1)
CENTRAL, NORTH, SOUTH = UUID(int=11), UUID(int=12), UUID(int=13)
TODAY, NOW = date(2026, 3, 2), datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
POLICY = Policy(loan_period=21, holds=3, age_from=16)
PATRON = PatronFacts(id=ANN, expires_on=date(2026, 12, 31), born_on=date(1990, 5, 4))
COPY = HoldableCopy(id=UUID(int=21), item_type="book", home_branch_id=CENTRAL)


def facts(*copies: tuple[dict[str, Any], dict[str, Any]], **but: Any) -> HoldRequest:
    """Ann asks for Middlemarch, to be collected at Central. Without copies said there is one."""
    asked: dict[str, Any] = {
        "now": NOW,
        "today": TODAY,
        "patron": PATRON,
        "names_copy": False,
        "pickup_branch_id": CENTRAL,
        "copies": tuple(
            (replace(COPY, **copy), replace(POLICY, **policy))
            for copy, policy in copies or (({}, {}),)
        ),
    }
    return HoldRequest(**(asked | but))


def of_patron(**but: Any) -> HoldRequest:
    return facts(patron=replace(PATRON, **but))


def codes(asked: HoldRequest) -> list[str]:
    return [block.code for block in hold_blocks(asked)]


@pytest.mark.parametrize(
    ("patron", "expected"),
    [
        pytest.param({}, [], id="nothing wrong"),
        pytest.param({"expires_on": None}, [], id="a card that never expires"),
        pytest.param({"expires_on": TODAY}, [], id="the last day of the card"),
        pytest.param({"expires_on": date(2026, 3, 1)}, ["card-expired"], id="the day after"),
        pytest.param(
            {"expires_on": date(2026, 1, 31)}, ["card-expired"], id="the end of the grace"
        ),
        pytest.param({"expires_on": date(2026, 1, 30)}, ["card-long-expired"], id="beyond it"),
        pytest.param({"active": False}, ["patron-blocked"], id="a closed account"),
        pytest.param({"blocks": (CardBlock("stolen-card"),)}, ["card-stolen"], id="stolen"),
        pytest.param({"blocks": (CardBlock("other"),)}, ["patron-blocked"], id="blocked"),
        pytest.param({"blocks": (CardBlock("other", NOW),)}, [], id="a block that has ended"),
        pytest.param({"blocks": (CardBlock("suspended"),)}, [], id="suspended readers may wait"),
        pytest.param({"owed": 10_000, "overdue": 9}, [], id="so may who owes"),
        pytest.param({"born_on": date(2010, 3, 2)}, [], id="sixteen today"),
        pytest.param({"born_on": date(2010, 3, 3)}, ["age"], id="sixteen tomorrow"),
        pytest.param({"born_on": None}, ["age"], id="a date of birth that is not known"),
    ],
)
def test_the_card(patron: dict[str, Any], expected: list[str]) -> None:
    assert codes(of_patron(**patron)) == expected


@pytest.mark.parametrize(
    ("asked", "policy", "expected"),
    [
        pytest.param({"has_on_loan": True}, {}, ["already-on-loan"], id="has it at home"),
        pytest.param(
            {"holds_on_book": 1}, {}, ["already-held"], id="waits for it, one is the most"
        ),
        pytest.param({"holds_on_book": 1}, {"holds_per_book": 2}, [], id="one of two"),
        pytest.param(
            {"holds_on_book": 2}, {"holds_per_book": 2}, ["hold-limit-book"], id="two of two"
        ),
        pytest.param(
            {"holds_on_book": 99}, {"holds_per_book": None}, [], id="no limit on the book"
        ),
        pytest.param({}, {"holds_per_book": 0}, ["hold-limit-book"], id="no holds on this book"),
        pytest.param(
            {"holds_this": True, "holds_on_book": 1},
            {"holds_per_book": None},
            ["already-held"],
            id="waits for this very copy",
        ),
        pytest.param(
            {"holds_this": True, "holds_on_book": 2},
            {"holds_per_book": 2},
            ["already-held", "hold-limit-book"],
            id="waits for this very copy and for another",
        ),
        pytest.param({"holds": 2}, {}, [], id="one below the limit"),
        pytest.param({"holds": 3}, {}, ["hold-limit"], id="at the limit"),
        pytest.param({"holds": 4}, {}, ["hold-limit"], id="above the limit"),
        pytest.param({"holds": 99}, {"holds": None}, [], id="no limit"),
        pytest.param({}, {"holds": 0}, ["hold-limit"], id="no holds at all"),
        pytest.param({"pickup_opens": False}, {}, ["pickup-closed"], id="closed for renovation"),
    ],
)
def test_the_limits_and_the_pickup_branch(
    asked: dict[str, Any], policy: dict[str, Any], expected: list[str]
) -> None:
    assert codes(facts(({}, policy), **asked)) == expected


@pytest.mark.parametrize(
    ("copy", "policy", "expected"),
    [
        pytest.param({"not_for_loan": True}, {}, ["not-holdable"], id="reference"),
        pytest.param({"withdrawn": True}, {}, ["not-holdable"], id="withdrawn"),
        pytest.param({"lost": True}, {}, ["not-holdable"], id="lost"),
        pytest.param({"missing": True}, {}, ["not-holdable"], id="missing"),
        pytest.param({"lost": True, "withdrawn": True}, {}, ["not-holdable"], id="told once"),
        pytest.param({}, {"loan_period": None}, ["not-holdable"], id="no rule lends it"),
        pytest.param({}, {"pickup_branches": "any"}, [], id="collected anywhere"),
        pytest.param({}, {"pickup_branches": "home"}, [], id="collected where it lives"),
        pytest.param(
            {"home_branch_id": NORTH},
            {"pickup_branches": "home"},
            ["pickup-not-allowed"],
            id="collected where it lives, which is elsewhere",
        ),
        pytest.param({}, {"pickup_branches": (NORTH, CENTRAL)}, [], id="one of the list"),
        pytest.param(
            {}, {"pickup_branches": (NORTH, SOUTH)}, ["pickup-not-allowed"], id="not of the list"
        ),
        pytest.param({"on_shelf": True}, {}, [], id="on the shelf, and always may be held"),
        pytest.param({}, {"holds_on_shelf": "all-out"}, [], id="out"),
        pytest.param(
            {"on_shelf": True, "not_for_loan": True, "home_branch_id": NORTH},
            {"holds_on_shelf": "all-out", "pickup_branches": "home"},
            ["not-holdable", "pickup-not-allowed"],
            id="all is told; nobody takes a reference copy from the shelf",
        ),
        pytest.param(
            {"on_shelf": True, "home_branch_id": NORTH},
            {"holds_on_shelf": "all-out", "pickup_branches": "home"},
            ["pickup-not-allowed", "copies-on-shelf"],
            id="on a shelf elsewhere",
        ),
    ],
)
@pytest.mark.parametrize("names_copy", [True, False])
def test_one_copy(
    copy: dict[str, Any], policy: dict[str, Any], expected: list[str], names_copy: bool
) -> None:
    assert codes(facts((copy, policy), names_copy=names_copy)) == expected


IN: dict[str, Any] = {"on_shelf": True}
OUT: dict[str, Any] = {}
LOST: dict[str, Any] = {"lost": True}
REFERENCE: dict[str, Any] = {"on_shelf": True, "not_for_loan": True}


@pytest.mark.parametrize(
    ("copies", "any_out", "all_out"),
    [
        pytest.param((OUT,), True, True, id="out"),
        pytest.param((IN,), False, False, id="in"),
        pytest.param((OUT, OUT), True, True, id="both out"),
        pytest.param((OUT, IN), True, False, id="one of each"),
        pytest.param((IN, IN), False, False, id="both in"),
        pytest.param((IN, LOST), False, False, id="a lost copy is not out"),
        pytest.param((OUT, LOST), True, True, id="a lost copy is not in"),
        pytest.param((OUT, REFERENCE), True, True, id="a reference copy is for nobody to take"),
    ],
)
def test_holds_while_copies_are_on_the_shelf(
    copies: tuple[dict[str, Any], ...], any_out: bool, all_out: bool
) -> None:
    for policy, may in (("always", True), ("any-out", any_out), ("all-out", all_out)):
        asked = facts(*((copy, {"holds_on_shelf": policy}) for copy in copies))
        assert codes(asked) == ([] if may else ["copies-on-shelf"])


def test_a_copy_of_another_kind_on_the_shelf_counts_for_the_rule_of_this_one() -> None:
    all_out, any_out = {"holds_on_shelf": "all-out"}, {"holds_on_shelf": "any-out"}
    assert codes(facts((OUT, all_out), (IN, any_out))) == []  # one is out: enough for any-out
    assert codes(facts((OUT, all_out), (IN, all_out))) == ["copies-on-shelf"]


def test_one_copy_that_can_serve_is_enough() -> None:
    assert codes(facts(({"withdrawn": True}, {}), ({}, {"age_from": 99}), ({}, {}))) == []


def test_where_no_copy_can_serve_the_one_nearest_to_it_is_told_of() -> None:
    hopeless: Any = ({"lost": True, "home_branch_id": NORTH}, {"pickup_branches": "home"})
    for_adults: Any = ({}, {"age_from": 99})
    assert codes(facts(hopeless, for_adults)) == ["age"]
    assert codes(facts(for_adults, hopeless)) == ["age"]
    assert codes(facts(for_adults, ({}, {"loan_period": None}))) == ["age"]  # the first of two


def test_the_widest_limit_of_the_copies_that_can_serve_counts() -> None:
    narrow, wide = {"holds": 1, "holds_per_book": 1}, {"holds": 5, "holds_per_book": 2}
    endless = {"holds": None, "holds_per_book": None}
    asked = {"holds": 4, "holds_on_book": 1}
    assert codes(facts(({}, narrow), **asked)) == ["already-held", "hold-limit"]
    assert codes(facts(({}, narrow), ({}, wide), **asked)) == []
    assert codes(facts(({}, wide), ({}, narrow), **(asked | {"holds": 5}))) == ["hold-limit"]
    assert codes(facts(({}, wide), ({}, endless), holds=99, holds_on_book=9)) == []
    not_lent = ({"not_for_loan": True}, endless)
    assert codes(facts(not_lent, ({}, narrow), **asked)) == ["already-held", "hold-limit"]
    assert codes(facts(not_lent, **asked)) == ["not-holdable"]


def test_a_book_without_copies_cannot_be_held() -> None:
    told = hold_blocks(facts(copies=(), patron=replace(PATRON, active=False), holds_on_book=1))
    assert [block.code for block in told] == ["patron-blocked", "already-held", "not-holdable"]
    assert told[-1].says == "Not placed: the library has no copy of this book that can be lent."


def test_the_card_is_judged_by_the_first_copys_policy() -> None:
    strict: Any = ({}, {"expiry_grace": 0})
    lenient: Any = ({}, {"expiry_grace": None})
    expired = replace(PATRON, expires_on=date(2026, 3, 1))
    assert codes(facts(strict, lenient, patron=expired)) == ["card-long-expired"]
    assert codes(facts(lenient, strict, patron=expired)) == ["card-expired"]


def test_everything_is_told_at_once_and_in_the_order_of_the_rules() -> None:
    patron = replace(
        PATRON,
        expires_on=date(2026, 3, 1),
        blocks=(CardBlock("stolen-card"), CardBlock("other")),
        born_on=date(2020, 1, 1),
    )
    wrong: dict[str, Any] = {"patron": patron, "has_on_loan": True, "holds_this": True, "holds": 3}
    copy = ({"lost": True}, {"pickup_branches": (NORTH,)})
    told = codes(facts(copy, **wrong, pickup_opens=False))
    assert told == [
        "card-stolen",
        "card-expired",
        "patron-blocked",
        "already-on-loan",
        "already-held",
        "hold-limit",
        "not-holdable",
        "age",
        "pickup-not-allowed",
        "pickup-closed",
    ]
    never = {"card-long-expired", "hold-limit-book", "copies-on-shelf"}
    assert set(told) | never == set(get_args(HoldBlockCode))


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        (
            of_patron(expires_on=date(2026, 3, 1)),
            "this card expired on Sunday 1 March 2026. Renew the card.",
        ),
        (
            facts(({}, {"holds_per_book": 2}), holds_on_book=2),
            "this card has 2 holds on this book; the limit is 2. Cancel one.",
        ),
        (
            facts(({}, {"holds": 1}), holds=1),
            "this card has 1 hold in all; the limit is 1. Cancel one.",
        ),
        (facts(({}, {"holds": 0})), "the rules allow this reader no holds here."),
        (
            facts(({"withdrawn": True}, {}), names_copy=True),
            "this copy is lost, missing or withdrawn.",
        ),
        (
            facts(({"not_for_loan": True}, {}), names_copy=True),
            "this copy is for use in the library only.",
        ),
        (
            facts(({"not_for_loan": True}, {})),
            "the library has no copy of this book that can be lent.",
        ),
        (
            facts(({}, {"loan_period": None})),
            "no rule lets this reader borrow this kind of item. Use it in the library.",
        ),
        (of_patron(born_on=date(2015, 1, 1)), "this is for readers from 16 years."),
        (
            of_patron(born_on=None),
            "this is for readers from 16 years, and the date of birth is not known. "
            "Show a proof of age.",
        ),
    ],
)
def test_what_the_reader_is_told(asked: HoldRequest, says: str) -> None:
    assert [block.says for block in hold_blocks(asked)] == [f"Not placed: {says}"]


@pytest.mark.parametrize(
    ("copy", "policy", "age", "serves"),
    [
        pytest.param({}, {}, 16, True, id="old enough"),
        pytest.param({}, {}, 15, False, id="a year too young"),
        pytest.param({}, {}, None, False, id="nobody knows the age"),
        pytest.param({}, {"age_from": None}, None, True, id="for any age"),
        pytest.param({}, {"age_from": 0}, None, True, id="from birth"),
        pytest.param({"not_for_loan": True}, {}, 30, False, id="reference"),
        pytest.param({"withdrawn": True}, {}, 30, False, id="withdrawn"),
        pytest.param({"lost": True, "missing": True}, {}, 30, True, id="it may be found"),
        pytest.param({"on_shelf": True}, {"holds_on_shelf": "all-out"}, 30, True, id="in"),
        pytest.param({}, {"loan_period": None}, 30, False, id="no rule lends it"),
        pytest.param({}, {"pickup_branches": "home"}, 30, True, id="collected where it lives"),
        pytest.param(
            {"home_branch_id": NORTH}, {"pickup_branches": "home"}, 30, False, id="lives elsewhere"
        ),
        pytest.param({}, {"pickup_branches": (CENTRAL,)}, 30, True, id="of the list"),
        pytest.param({}, {"pickup_branches": (NORTH,)}, 30, False, id="not of the list"),
    ],
)
def test_which_copies_may_serve_a_hold(
    copy: dict[str, Any], policy: dict[str, Any], age: int | None, serves: bool
) -> None:
    told = may_serve(
        replace(COPY, **copy), replace(POLICY, **policy), pickup_branch_id=CENTRAL, age=age
    )
    assert told is serves


def test_a_hold_that_may_be_placed_has_a_copy_that_may_serve_it() -> None:
    """The two must agree, or somebody waits for ever."""
    for copy in ({}, {"not_for_loan": True}, {"withdrawn": True}, {"home_branch_id": NORTH}):
        for policy in ({}, {"loan_period": None}, {"pickup_branches": "home"}, {"age_from": 40}):
            asked = facts((copy, policy))
            [(the_copy, its_policy)] = asked.copies
            served = may_serve(the_copy, its_policy, pickup_branch_id=CENTRAL, age=35)
            assert served is (hold_blocks(asked) == [])
