from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any, get_args
from uuid import UUID

import pytest

from lendery.circulation.rules.policy import Policy
from lendery.circulation.rules.renewal import (
    WAIVABLE_AT_RENEWAL,
    Renewal,
    RenewalCode,
    renewal_objection,
)
from lendery.circulation.rules.standing import CardBlock, PatronFacts

ANN, BEN = UUID(int=1), UUID(int=2)
NOW, DUE = datetime(2026, 12, 1, 10, tzinfo=UTC), datetime(2026, 12, 4, 23, 59, 59, tzinfo=UTC)
SECOND = timedelta(seconds=1)
POLICY = Policy(loan_period=14, renewals=2, owed_limit=1000)
PATRON = PatronFacts(id=ANN, expires_on=date(2027, 12, 31))


def facts(**but: Any) -> Renewal:
    good: dict[str, Any] = {
        "now": NOW,
        "today": NOW.date(),
        "patron": PATRON,
        "on_loan_to": ANN,
        "renewals": 0,
        "due_at": DUE,
        "due_on": DUE.date(),
        "new_due_at": DUE + timedelta(days=11),
    }
    return Renewal(**(good | but))


def of_patron(**but: Any) -> dict[str, Any]:
    return {"patron": replace(PATRON, **but)}


LATE: dict[str, Any] = {"now": DUE + SECOND, "today": date(2026, 12, 5)}


@pytest.mark.parametrize(
    ("but", "policy", "code"),
    [
        pytest.param({}, {}, None, id="nothing wrong"),
        pytest.param({"on_loan_to": None}, {}, "not-on-loan", id="returned"),
        pytest.param({"on_loan_to": BEN}, {}, "not-yours", id="it is Ben's"),
        pytest.param({"renewals": 1}, {}, None, id="one renewal left"),
        pytest.param({"renewals": 2}, {}, "too-many-renewals", id="no renewal left"),
        pytest.param({}, {"renewals": 0}, "too-many-renewals", id="never renewable"),
        pytest.param({"renewals": 99}, {"renewals": None}, None, id="no limit"),
        pytest.param({}, {"renew_not_before": 3}, None, id="the first day to renew"),
        pytest.param({}, {"renew_not_before": 2}, "too-early", id="the day before that"),
        pytest.param({"today": date(2026, 12, 4)}, {"renew_not_before": 0}, None, id="the due day"),
        pytest.param(
            {"today": date(2026, 12, 3)},
            {"renew_not_before": 0},
            "too-early",
            id="the day before the due day",
        ),
        pytest.param(LATE, {"renew_not_before": 0}, None, id="late is never too early"),
        pytest.param(
            {"now": DUE - timedelta(hours=3)},
            {"renew_not_before": 3, "loan_unit": "hours"},
            None,
            id="three hours before",
        ),
        pytest.param(
            {"now": DUE - timedelta(hours=3) - SECOND},
            {"renew_not_before": 3, "loan_unit": "hours"},
            "too-early",
            id="a second earlier",
        ),
        pytest.param(of_patron(blocks=(CardBlock("stolen-card"),)), {}, "card-stolen", id="stolen"),
        pytest.param(of_patron(blocks=(CardBlock("other"),)), {}, "patron-blocked", id="blocked"),
        pytest.param(of_patron(blocks=(CardBlock("other", NOW),)), {}, None, id="a block ended"),
        pytest.param(of_patron(active=False), {}, "patron-blocked", id="a closed account"),
        pytest.param(of_patron(blocks=(CardBlock("suspended"),)), {}, "suspended", id="suspended"),
        pytest.param(of_patron(owed=1000), {}, None, id="owes exactly the limit"),
        pytest.param(of_patron(owed=1001), {}, "fines-owed", id="owes one cent more"),
        pytest.param(of_patron(expires_on=date(2026, 12, 1)), {}, None, id="the card's last day"),
        pytest.param(of_patron(expires_on=date(2026, 11, 30)), {}, "card-expired", id="expired"),
        pytest.param(
            of_patron(expires_on=date(2026, 10, 31)),
            {},
            "card-long-expired",
            id="expired beyond the grace",
        ),
        pytest.param(LATE, {}, None, id="late, and late loans may be renewed"),
        pytest.param(
            LATE | {"overdue_may_renew": False}, {}, "overdue", id="late, and they may not"
        ),
        pytest.param({"now": DUE, "overdue_may_renew": False}, {}, None, id="the last second"),
        pytest.param({"recalled": True}, {}, "recalled", id="recalled"),
        pytest.param({"wanted_by_others": True}, {}, "on-hold", id="another reader waits"),
        pytest.param({"new_due_at": DUE + SECOND}, {}, None, id="a second later"),
        pytest.param({"new_due_at": DUE}, {}, "not-later", id="as late as now"),
        pytest.param({"new_due_at": DUE - SECOND}, {}, "not-later", id="a renewal never shortens"),
    ],
)
def test_a_renewal_is_refused(but: Any, policy: Any, code: str | None) -> None:
    found = renewal_objection(facts(**but), replace(POLICY, **policy))
    assert (found[0] if found else None) == code
    assert found is None or found[1].startswith("Not renewed: ")


EVERYTHING: dict[str, Any] = LATE | {
    "overdue_may_renew": False,
    "recalled": True,
    "wanted_by_others": True,
    "new_due_at": DUE,
}


@pytest.mark.parametrize(
    ("but", "policy", "code"),
    [
        ({"on_loan_to": None, "renewals": 2}, {}, "not-on-loan"),
        ({"on_loan_to": BEN, "renewals": 2}, {}, "not-yours"),
        ({"renewals": 2} | of_patron(active=False), {"renew_not_before": 0}, "too-many-renewals"),
        (
            {"today": NOW.date(), "now": NOW} | of_patron(active=False),
            {"renew_not_before": 0},
            "too-early",
        ),
        (
            of_patron(blocks=(CardBlock("stolen-card"), CardBlock("other")), owed=9999),
            {},
            "card-stolen",
        ),
        (of_patron(active=False, owed=9999), {}, "patron-blocked"),
        (of_patron(owed=9999, expires_on=date(2020, 1, 1)), {}, "fines-owed"),
        (of_patron(expires_on=date(2020, 1, 1)), {}, "card-long-expired"),
        ({}, {}, "overdue"),
        ({"overdue_may_renew": True}, {}, "recalled"),
        ({"overdue_may_renew": True, "recalled": False}, {}, "on-hold"),
        (
            {"overdue_may_renew": True, "recalled": False, "wanted_by_others": False},
            {},
            "not-later",
        ),
    ],
    ids=str,
)
def test_the_first_objection_is_told(but: Any, policy: Any, code: str) -> None:
    found = renewal_objection(facts(**(EVERYTHING | but)), replace(POLICY, **policy))
    assert found and found[0] == code


@pytest.mark.parametrize(
    ("but", "waive", "code"),
    [
        ({"renewals": 2}, {"too-many-renewals"}, None),
        ({"renewals": 2, "wanted_by_others": True}, {"too-many-renewals"}, "on-hold"),
        ({"wanted_by_others": True}, {"on-hold"}, "on-hold"),
        ({"recalled": True}, {"recalled"}, "recalled"),
        ({"new_due_at": DUE}, {"not-later"}, "not-later"),
        ({"on_loan_to": BEN}, {"not-yours"}, "not-yours"),
        (of_patron(owed=1001, expires_on=date(2026, 11, 30)), {"fines-owed"}, "card-expired"),
        (of_patron(owed=1001, expires_on=date(2026, 11, 30)), {"fines-owed", "card-expired"}, None),
        (of_patron(active=False), {"patron-blocked"}, "patron-blocked"),
        (of_patron(expires_on=date(2020, 1, 1)), {"card-long-expired"}, "card-long-expired"),
    ],
    ids=[
        "a limit",
        "a limit, but not another reader's turn behind it",
        "never another reader's turn",
        "never a recall",
        "never to shorten a loan",
        "never another reader's loan",
        "one of two reasons",
        "both reasons",
        "not a block",
        "not a card expired long ago",
    ],
)
def test_staff_waive_limits_and_nothing_else(but: Any, waive: set[str], code: str | None) -> None:
    found = renewal_objection(facts(**but), POLICY, waive=frozenset(waive))
    assert (found[0] if found else None) == code


def test_what_may_be_waived_are_codes() -> None:
    assert set(get_args(RenewalCode)) >= WAIVABLE_AT_RENEWAL


@pytest.mark.parametrize(
    ("but", "policy", "says"),
    [
        (
            {"wanted_by_others": True},
            {},
            "another reader waits for it. Return it by Friday 4 December 2026.",
        ),
        (
            LATE | {"wanted_by_others": True},
            {},
            "another reader waits for it. It was due on Friday 4 December 2026: return it now.",
        ),
        ({}, {"renew_not_before": 2}, "it is too early. Try again from Wednesday 2 December 2026."),
        (
            {},
            {"renew_not_before": 1, "loan_unit": "hours"},
            "it is too early. Try again 1 hour before it is due.",
        ),
        (
            {"renewals": 2},
            {},
            "it may be renewed 2 times, and was. Return it by Friday 4 December 2026.",
        ),
        ({}, {"renewals": 0}, "this cannot be renewed. Return it by Friday 4 December 2026."),
        (
            of_patron(owed=1240),
            {},
            "12.40 EUR is owed; the limit is 10.00 EUR. Pay at the desk first.",
        ),
        (
            of_patron(expires_on=date(2026, 11, 30)),
            {},
            "this card expired on Monday 30 November 2026. Renew the card first.",
        ),
        (
            of_patron(blocks=(CardBlock("suspended"),)),
            {},
            "borrowing is suspended for this card. Wait until it ends.",
        ),
        (of_patron(blocks=(CardBlock("other"),)), {}, "this card is blocked. Ask at the desk."),
        (of_patron(active=False), {}, "this account is closed. Ask at the desk."),
    ],
)
def test_a_refusal_says_why_and_what_next(but: Any, policy: Any, says: str) -> None:
    found = renewal_objection(facts(**but), replace(POLICY, **policy))
    assert found and found[1] == f"Not renewed: {says}"
