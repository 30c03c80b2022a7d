from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any, get_args
from uuid import UUID

import pytest

from lendery.circulation.rules.checkout import (
    CHECK_OUT_RULES,
    CheckOut,
    CopyFacts,
    age_on,
    check_out_blocks,
)
from lendery.circulation.rules.policy import Policy
from lendery.circulation.rules.standing import CardBlock, LoanCount, PatronFacts
from lendery.contracts.circulation import Block, BlockCode

ANN, BEN, EMMA = UUID(int=1), UUID(int=2), UUID(int=3)
CENTRAL, NORTH = UUID(int=11), UUID(int=12)
TODAY, NOW = date(2026, 3, 2), datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
SECOND = timedelta(seconds=1)
POLICY = Policy(
    loan_period=21, max_loans=3, max_loans_total=5, owed_limit=1000, overdue_block=2, age_from=16
)
PATRON = PatronFacts(id=ANN, expires_on=date(2026, 12, 31), born_on=date(1990, 5, 4))
COPY = CopyFacts(id=EMMA, item_type="book")


def facts(patron: dict[str, Any], copy: dict[str, Any], /, **but: Any) -> CheckOut:
    asked: dict[str, Any] = {
        "now": NOW,
        "today": TODAY,
        "patron": replace(PATRON, **patron),
        "copy": replace(COPY, **copy),
    }
    return CheckOut(**(asked | but))


def codes(blocks: list[Block]) -> list[str]:
    return [f"{block.code}{'*' if block.waivable else ''}" for block in blocks]


@pytest.mark.parametrize(
    ("patron", "expected"),
    [
        pytest.param({}, [], id="nothing wrong"),
        pytest.param({"expires_on": None}, [], id="a card that never expires"),
        pytest.param({"expires_on": TODAY}, [], id="the last day of the card"),
        pytest.param({"expires_on": date(2026, 3, 1)}, ["card-expired*"], id="the day after"),
        pytest.param(
            {"expires_on": date(2026, 1, 31)}, ["card-expired*"], id="the last day of the grace"
        ),
        pytest.param(
            {"expires_on": date(2026, 1, 30)}, ["card-long-expired"], id="a day beyond the grace"
        ),
        pytest.param({"active": False}, ["patron-blocked"], id="a closed account"),
        pytest.param({"blocks": (CardBlock("stolen-card"),)}, ["card-stolen"], id="stolen"),
        pytest.param({"blocks": (CardBlock("suspended"),)}, ["suspended*"], id="suspended"),
        pytest.param({"blocks": (CardBlock("other"),)}, ["patron-blocked"], id="blocked"),
        pytest.param(
            {"blocks": (CardBlock("of tomorrow"),)},
            ["patron-blocked"],
            id="blocked for a reason not known here",
        ),
        pytest.param(
            {"blocks": (CardBlock("other"), CardBlock("other"))},
            ["patron-blocked"],
            id="blocked twice is told once",
        ),
        pytest.param(
            {"active": False, "blocks": (CardBlock("other"),)},
            ["patron-blocked"],
            id="closed and blocked is told once",
        ),
        pytest.param(
            {"blocks": (CardBlock("suspended", NOW + SECOND),)},
            ["suspended*"],
            id="suspended for a second more",
        ),
        pytest.param({"blocks": (CardBlock("suspended", NOW),)}, [], id="suspended until now"),
        pytest.param(
            {"blocks": (CardBlock("stolen-card", NOW - SECOND),)}, [], id="a block that has ended"
        ),
        pytest.param(
            {"blocks": (CardBlock("other", NOW - SECOND), CardBlock("suspended"))},
            ["suspended*"],
            id="one has ended, one has not",
        ),
        pytest.param({"owed": 1000}, [], id="owes exactly the limit"),
        pytest.param({"owed": 1001}, ["fines-owed*"], id="owes one cent more"),
        pytest.param({"owed": -500}, [], id="has credit"),
        pytest.param({"overdue": 1}, [], id="one late loan"),
        pytest.param({"overdue": 2}, ["overdue-loans*"], id="two late loans"),
        pytest.param(
            {"open_loans": (LoanCount("book", CENTRAL, 2),)}, [], id="one below the limit"
        ),
        pytest.param(
            {"open_loans": (LoanCount("book", CENTRAL, 3),)}, ["loan-limit*"], id="at the limit"
        ),
        pytest.param(
            {"open_loans": (LoanCount("book", CENTRAL, 3), LoanCount("dvd", NORTH, 2))},
            ["loan-limit*", "loan-limit-total*"],
            id="at both limits",
        ),
        pytest.param({"born_on": date(2010, 3, 2)}, [], id="the birthday itself"),
        pytest.param({"born_on": date(2010, 3, 3)}, ["age*"], id="the day before the birthday"),
        pytest.param({"born_on": None}, ["age*"], id="a date of birth that is not known"),
    ],
)
def test_what_the_rules_say_of_a_patron(patron: dict[str, Any], expected: list[str]) -> None:
    assert codes(check_out_blocks(facts(patron, {}), POLICY)) == expected


@pytest.mark.parametrize(
    ("copy", "more", "expected"),
    [
        pytest.param({"on_loan_to": BEN}, {}, ["on-loan"], id="on loan to Ben"),
        pytest.param({"on_loan_to": ANN}, {}, ["already-yours"], id="on loan to Ann herself"),
        pytest.param({"withdrawn": True}, {}, ["withdrawn"], id="withdrawn"),
        pytest.param({"not_for_loan": True}, {}, ["reference-only*"], id="reference"),
        pytest.param({"damaged": True}, {}, ["damaged*"], id="damaged"),
        pytest.param({"held_for": ANN}, {}, [], id="held for Ann"),
        pytest.param({"held_for": BEN}, {}, ["on-hold*"], id="held for Ben"),
        pytest.param({}, {"same_title_on_loan": True}, ["same-title*"], id="another copy of it"),
        pytest.param(
            {"withdrawn": True, "damaged": True, "held_for": BEN},
            {},
            ["withdrawn", "damaged*", "on-hold*"],
            id="every reason at once",
        ),
    ],
)
def test_what_the_rules_say_of_a_copy(
    copy: dict[str, Any], more: dict[str, Any], expected: list[str]
) -> None:
    assert codes(check_out_blocks(facts({}, copy, **more), POLICY)) == expected


@pytest.mark.parametrize(
    ("change", "patron", "expected"),
    [
        pytest.param(
            {"expiry_grace": None},
            {"expires_on": date(1999, 1, 1)},
            ["card-expired*"],
            id="an empty grace: always waivable",
        ),
        pytest.param(
            {"expiry_grace": 0},
            {"expires_on": date(2026, 3, 1)},
            ["card-long-expired"],
            id="no grace: never waivable",
        ),
        pytest.param({"expiry_grace": 0}, {"expires_on": TODAY}, [], id="no grace, last day"),
        pytest.param({"owed_limit": None}, {"owed": 10**9}, [], id="no limit of money"),
        pytest.param({"owed_limit": 0}, {"owed": 1}, ["fines-owed*"], id="nothing may be owed"),
        pytest.param({"owed_limit": 0}, {"owed": 0}, [], id="nothing is owed"),
        pytest.param({"overdue_block": None}, {"overdue": 99}, [], id="late loans do not block"),
        pytest.param({"age_from": None}, {"born_on": None}, [], id="for any age"),
        pytest.param({"age_from": 0}, {"born_on": None}, [], id="from birth"),
        pytest.param({"loan_period": None}, {}, ["no-rule"], id="no rule"),
        pytest.param({"max_loans": 0}, {}, ["loan-limit*"], id="none of this kind"),
        pytest.param({"max_loans_total": 0}, {}, ["loan-limit-total*"], id="nothing at all"),
    ],
)
def test_what_the_rules_say_under_other_policies(
    change: dict[str, Any], patron: dict[str, Any], expected: list[str]
) -> None:
    assert codes(check_out_blocks(facts(patron, {}), replace(POLICY, **change))) == expected


MIXED = (
    LoanCount("book", CENTRAL, 2),
    LoanCount("book", NORTH, 3),
    LoanCount("dvd", CENTRAL, 4),
)


@pytest.mark.parametrize(
    ("branch", "item_type", "counts"),
    [
        pytest.param(None, None, 9, id="a row for anything counts everything"),
        pytest.param(None, "book", 5, id="a row for books"),
        pytest.param(CENTRAL, None, 6, id="a row for Central"),
        pytest.param(NORTH, "book", 3, id="a row for books of North"),
        pytest.param(NORTH, "dvd", 0, id="a row for dvds of North"),
    ],
)
def test_the_loan_limit_counts_the_loans_its_row_speaks_of(
    branch: UUID | None, item_type: str | None, counts: int
) -> None:
    asked = facts({"open_loans": MIXED}, {})
    policy = Policy(loan_period=21, max_loans_branch=branch, max_loans_item_type=item_type)
    assert codes(check_out_blocks(asked, replace(policy, max_loans=counts + 1))) == []
    assert codes(check_out_blocks(asked, replace(policy, max_loans=counts))) == ["loan-limit*"]


BAD_PATRON: dict[str, Any] = {
    "expires_on": date(2020, 1, 1),
    "owed": 9999,
    "overdue": 9,
    "born_on": TODAY,
    "active": False,
    "blocks": (CardBlock("stolen-card"), CardBlock("suspended")),
    "open_loans": (LoanCount("book", CENTRAL, 9),),
}
BAD_COPY: dict[str, Any] = {
    "withdrawn": True,
    "not_for_loan": True,
    "damaged": True,
    "held_for": BEN,
    "on_loan_to": BEN,
}
OF_PATRON = [
    "card-stolen",
    "card-long-expired",
    "patron-blocked",
    "suspended*",
    "fines-owed*",
    "overdue-loans*",
    "loan-limit*",
    "loan-limit-total*",
]
OF_COPY = ["withdrawn", "reference-only*", "damaged*", "on-hold*"]


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        pytest.param(
            {},
            [*OF_PATRON, "on-loan", "withdrawn", "no-rule", *OF_COPY[1:], "age*", "same-title*"],
            id="both known",
        ),
        pytest.param(
            {"patron": None},
            ["unknown-card", "on-loan", *OF_COPY],
            id="an unknown card: the copy's rules only",
        ),
        pytest.param(
            {"copy": None},
            ["unknown-copy", *OF_PATRON, "age*"],
            id="an unknown copy: the patron's rules only",
        ),
        pytest.param(
            {"copy": None, "patron": None}, ["unknown-copy", "unknown-card"], id="neither known"
        ),
    ],
)
def test_all_objections_are_told_at_once_in_order(
    more: dict[str, Any], expected: list[str]
) -> None:
    asked = facts(BAD_PATRON, BAD_COPY, same_title_on_loan=True, **more)
    assert codes(check_out_blocks(asked, replace(POLICY, loan_period=None))) == expected


def test_every_code_has_one_rule_in_the_order_of_the_codes() -> None:
    asked = [
        facts(BAD_PATRON, BAD_COPY, same_title_on_loan=True),
        facts({"expires_on": date(2026, 3, 1)}, {"on_loan_to": ANN}),
        facts({}, {}, patron=None, copy=None),
    ]
    policy = replace(POLICY, loan_period=None)
    by_rule = [
        {block.code for each in asked if (block := rule(each, policy))} for rule in CHECK_OUT_RULES
    ]
    assert by_rule == [{code} for code in get_args(BlockCode)]


def test_sentences_say_what_happened_why_and_what_next() -> None:
    asked = facts(
        {
            "expires_on": date(2026, 3, 1),
            "owed": 1240,
            "overdue": 2,
            "open_loans": (LoanCount("book", CENTRAL, 6),),
        },
        {"held_for": BEN},
    )
    assert [block.says for block in check_out_blocks(asked, POLICY)] == [
        "Not lent: this card expired on Sunday 1 March 2026. Renew the card or waive.",
        "Not lent: 12.40 EUR is owed; the limit is 10.00 EUR. Take a payment or waive.",
        "Not lent: 2 loans are late. Check in what is late, or waive.",
        "Not lent: this card has 6 loans of this kind; the limit is 3. Check one in or waive.",
        "Not lent: this card has 6 loans; the limit is 5 in all. Check one in or waive.",
        "Not lent: held for another reader. Put it on the hold shelf, or waive.",
    ]


def test_every_sentence_begins_alike_and_offers_a_waiver_only_where_there_is_one() -> None:
    asked = [
        facts(BAD_PATRON, BAD_COPY, same_title_on_loan=True),
        facts({"expires_on": date(2026, 3, 1), "born_on": None}, {"on_loan_to": ANN}),
        facts({}, {}, patron=None, copy=None),
    ]
    for block in (
        b for each in asked for b in check_out_blocks(each, replace(POLICY, loan_period=None))
    ):
        assert block.says.startswith("Not lent: ") and block.says.endswith(".")
        assert ("waive" in block.says) is block.waivable


@pytest.mark.parametrize(
    ("day", "born_on", "age"),
    [
        pytest.param(date(2026, 3, 1), date(2010, 3, 2), 15, id="the day before"),
        pytest.param(date(2026, 3, 2), date(2010, 3, 2), 16, id="the birthday"),
        pytest.param(
            date(2026, 2, 28), date(2008, 2, 29), 17, id="born on a leap day, 28 February"
        ),
        pytest.param(date(2026, 3, 1), date(2008, 2, 29), 18, id="born on a leap day, 1 March"),
        pytest.param(date(2028, 2, 29), date(2008, 2, 29), 20, id="born on a leap day, on one"),
        pytest.param(date(2026, 12, 31), date(2026, 12, 31), 0, id="born today"),
        pytest.param(date(2027, 1, 1), date(2026, 12, 31), 0, id="born last year, yesterday"),
    ],
)
def test_age_in_years(day: date, born_on: date, age: int) -> None:
    assert age_on(day, born_on) == age
