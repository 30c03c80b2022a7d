"""Steps at the till: charge, pay, waive, cancel, pay back; and amounts that cannot be."""

from typing import Any

from hypothesis import strategies as st
from tests.circulation.machine import paying
from tests.circulation.machine.model import Charge
from tests.circulation.machine.play import ONE_OF, WHO, Play, newest, step

from lendery.contracts.base import Money
from lendery.contracts.circulation import (
    Cancellation,
    NewCharge,
    NewPayment,
    NewRefund,
    NewWaiver,
    NewWriteOff,
)

AMOUNT = st.sampled_from(
    (
        *("all", "all", "all", "some", "some", "one"),
        "too much",
        "nothing",
        "below nothing",
        "dollars",
    )
)


def money(how: str, most: int) -> Money:
    """So much of what there is, in words."""
    amounts = {"all": most, "some": most // 2, "one": 1, "too much": most + 1, "nothing": 0}
    amount = {"below nothing": -5, "dollars": most or 1, **amounts}[how]
    return Money(amount=amount, currency="USD" if how == "dollars" else "EUR")


class TillRules(Play):
    @step(2, who=WHO, how=AMOUNT)
    def charge(self, who: int, how: str) -> None:
        patron, amount = self.patron(who), money(how, 100)
        charge = NewCharge(patron_id=patron.id, amount=amount, reason="other")

        def model(told: Any) -> Charge:
            paid = (amount.amount, amount.currency)
            return paying.charge_by_hand(self.model, patron, *paid, self.now)

        if both := self.both(self.town.fees.charge, model, charge=charge):
            told, expected = both
            expected.id = told.id
            assert (told.amount, told.reason) == (amount, "other")

    @step(6, who=WHO, how=AMOUNT, named=st.lists(ONE_OF, max_size=2, unique=True))
    def pay(self, who: int, how: str, named: list[int]) -> None:
        debtors = [each for each in self.model.patrons if self.model.balance(each) > 0]
        patron = newest(debtors, who) or self.patron(who)
        theirs = [charge for charge in self.model.charges if charge.patron is patron]
        chosen = [newest(theirs if one < 9 else self.model.charges, one) for one in named]
        ids = [each.id for each in chosen if each and each.id]  # one may be named twice
        open_ = self.model.outstanding(patron)
        most = sum(open_.get(each, 0) for each in set(ids)) if ids else sum(open_.values())
        amount = money(how, most)
        payment = NewPayment(patron_id=patron.id, amount=amount, fine_ids=ids or None)

        def model(told: Any) -> list[Any]:
            return paying.pay(self.model, patron, amount.amount, amount.currency, ids)

        was = self.model.as_it_is()
        if both := self.both(self.town.fees.pay, model, payment=payment):
            told, parts = both
            self.may_be_undone("payment", told, was)
            assert [(part.fine_id, part.amount.amount) for part in told.allocated] == parts
            assert told.balance.amount == self.model.balance(patron)

    @step(2, one=ONE_OF, how=st.one_of(st.none(), AMOUNT))
    def waive(self, one: int, how: str | None) -> None:
        if (charge := newest(self.model.charges, one)) is None or charge.id is None:
            return
        open_ = self.model.outstanding(charge.patron).get(charge.id, 0)
        amount = None if how is None else money(how, open_)

        def model(told: Any) -> None:
            if amount is None:
                return paying.waive(self.model, charge, None, "EUR")
            return paying.waive(self.model, charge, amount.amount, amount.currency)

        waiver = NewWaiver(amount=amount, reason="First time")
        was = self.model.as_it_is()
        if both := self.both(self.town.fees.waive, model, fine_id=charge.id, waiver=waiver):
            self._must_be_fine(both[0], charge)
            self.may_be_undone("waiver", both[0], was)

    @step(1, one=ONE_OF, how=st.one_of(st.none(), AMOUNT))
    def write_off(self, one: int, how: str | None) -> None:
        if (charge := newest(self.model.charges, one)) is None or charge.id is None:
            return
        open_ = self.model.outstanding(charge.patron).get(charge.id, 0)
        amount = None if how is None else money(how, open_)

        def model(told: Any) -> None:
            given = (None, "EUR") if amount is None else (amount.amount, amount.currency)
            paying.waive(self.model, charge, *given, event="FineWrittenOff")

        wanted = NewWriteOff(amount=amount, reason="Moved away")
        if both := self.both(self.town.fees.write_off, model, fine_id=charge.id, write_off=wanted):
            self._must_be_fine(both[0], charge)

    @step(2, one=ONE_OF)
    def cancel_charge(self, one: int) -> None:
        paid = [charge for charge in self.model.charges if charge.paid]
        if (charge := newest(paid if one % 2 else self.model.charges, one)) is None:
            return

        def model(told: Any) -> None:
            paying.cancel(self.model, charge)

        wrong = Cancellation(reason="It was on the shelf")
        if both := self.both(self.town.fees.cancel, model, fine_id=charge.id, cancellation=wrong):
            self._must_be_fine(both[0], charge)

    def _must_be_fine(self, told: Any, charge: Charge) -> None:
        assert charge.id is not None
        left = self.model.outstanding(charge.patron).get(charge.id, 0)
        assert (told.id, told.amount.amount) == (charge.id, charge.amount)
        assert told.outstanding.amount == left

    @step(2, who=WHO, how=AMOUNT)
    def refund(self, who: int, how: str) -> None:
        in_credit = [each for each in self.model.patrons if self.model.balance(each) < 0]
        patron = newest(in_credit, who) or self.patron(who)
        amount = money(how, max(0, -self.model.balance(patron)))
        wanted = NewRefund(patron_id=patron.id, amount=amount, reason="Credit")

        def model(told: Any) -> None:
            paying.refund(self.model, patron, amount.amount, amount.currency)

        if both := self.both(self.town.fees.refund, model, refund=wanted):
            assert both[0].balance.amount == self.model.balance(patron)
