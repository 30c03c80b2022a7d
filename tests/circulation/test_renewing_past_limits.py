"""Staff pass over what only limits a renewal, and never what protects another reader."""

from datetime import timedelta
from typing import Any

import pytest
from tests.circulation.desk import Desk
from tests.circulation.town import NOW, Town

from lendery.contracts.base import NotAllowed
from lendery.contracts.circulation import LoanRenewed, RenewalRefused, RenewalRequest
from lendery.contracts.permissions import Actor


@pytest.fixture
def desk(town: Town) -> Desk:
    return Desk(town)


@pytest.mark.parametrize(
    ("rules", "code"),
    [
        ({"renewals": 0}, "too-many-renewals"),
        ({"renew_not_before": 3}, "too-early"),
        ({"owed_limit": 0}, "fines-owed"),
    ],
)
async def test_a_limit_is_passed_over_and_that_is_told(desk: Desk, rules: Any, code: str) -> None:
    home = await desk.town.branch()
    ann = desk.town.patrons.add("ANN")
    await desk.rules(loan_period=21, renew_from="due-date", **rules)
    thing = desk.town.copies.add("b1", home.id)
    loan = await desk.lend("b1", "ANN")
    await desk.charge(ann.id, 5)
    async with desk.refuses(RenewalRefused, code):
        await desk.renew(loan)
    herself = Actor(id=ann.id, role="reader")
    async with desk.nothing_changes():
        with pytest.raises(NotAllowed):
            await desk.town.desk.renew(
                loan_id=loan.id,
                actor=herself,
                now=NOW,
                request=RenewalRequest(waive=frozenset({code})),  # type: ignore[arg-type]
            )
    again = await desk.renew(loan, waive=(code, "suspended"))
    assert again.due_at == loan.due_at + timedelta(days=21)
    told = (await desk.told())[-1]
    assert isinstance(told, LoanRenewed) and told.waived == (code,), "and no more than objected"
    desk.town.patrons.add("BEN")
    await desk.wait("BEN", home.id, book_id=thing.book_id)
    async with desk.refuses(RenewalRefused, "on-hold"):
        await desk.renew(again, waive=(code,))


async def test_who_waives_an_expired_card_renews_past_its_end(desk: Desk) -> None:
    home = await desk.town.branch()
    today = NOW.date()
    desk.town.patrons.add("ANN", expires_on=today + timedelta(days=2))
    await desk.rules(loan_period=2)
    desk.town.copies.add("b1", home.id)
    loan = await desk.lend("b1", "ANN")
    later = desk.at(NOW + timedelta(days=3))
    async with desk.refuses(RenewalRefused, "card-expired"):
        await later.renew(loan)
    assert (await later.renew(loan, waive=("card-expired",))).due_at.date() == today + timedelta(5)
