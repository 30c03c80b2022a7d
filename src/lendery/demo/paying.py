"""The till of the demo library: what readers owe is paid, forgiven, or goes on being owed.

The shares are those of seven English library services: of 97 bills that are closed 33 are paid in
cash, 23 by card, 24 are cancelled and 17 forgiven.
"""

import random
from collections.abc import Sequence
from datetime import datetime

from lendery.contracts.base import Money, Window
from lendery.contracts.circulation import (
    Cancellation,
    Fine,
    NewCharge,
    NewPayment,
    NewWaiver,
)
from lendery.demo.agenda import Charge, Pay
from lendery.demo.town import Work

_PAID, _CANCELLED, _FORGIVEN = 33 + 23, 24, 17
_CASH, _CARD = 33, 23
# How likely a reader settles at the next visit: most do, a few never think of it.
_WILLING = ((0.85, 0.5, 0.02), (83, 13, 4))
_IN_PART = 0.1
# At the desk with more owed than the limit: some settle, some are let off for once.
_SETTLES_THEN, _LET_OFF = 0.45, 0.25
_FORGIVEN_FOR = ("Was ill", "Late for the first time", "Bus strike", "Family matter")
_CANCELLED_FOR = ("Was on the shelf in time", "The book drop was full", "Renewed by phone in time")
_DAMAGES = (("Rain got at it", 400), ("Pages torn", 250), ("Coffee on the cover", 300))
_LET_OFF_FOR = "Pays at the end of the month"


class Cashier:
    """Takes money at the desk. `owing`: who may owe something."""

    def __init__(self, work: Work) -> None:
        self._town, self._built = work.town, work.built
        self._fees = work.town.wiring.fees
        rng = random.Random(f"{work.town.seed} willing")
        self._willing = rng.choices(*_WILLING, k=len(work.town.readers))
        self._willing[work.town.ann] = 0  # she pays when her story says so
        self._owing: set[int] = set()

    def charged(self, reader: int) -> None:
        self._owing.add(reader)
        self._built.fines += 1

    async def at_a_visit(self, reader: int, at: datetime) -> None:
        """Before anything is lent, a reader who owes something settles it, or does not."""
        if reader in self._owing:
            rng = self._chance(reader, at)
            if rng.random() < self._willing[reader]:
                await self._settle(reader, at, rng, part=rng.random() < _IN_PART)

    async def over_the_limit(self, reader: int, at: datetime) -> str | None:
        """The desk refused. A reason to lend all the same; "" when all is settled now."""
        rng = self._chance(reader, at)
        chance = rng.random()
        if chance < _SETTLES_THEN:
            await self._settle(reader, at, rng)
            return ""
        return _LET_OFF_FOR if chance < _SETTLES_THEN + _LET_OFF else None

    async def pay_all(self, step: Pay) -> None:
        if step.reader in self._owing:
            open_fines = await self._open(step.reader, step.at)
            await self._pay(step.reader, open_fines, step.at, self._chance(step.reader, step.at))
            self._owing.discard(step.reader)

    async def charge(self, step: Charge) -> Fine:
        """By hand, for what came back damaged."""
        note, amount = self._chance(step.reader, step.at).choice(_DAMAGES)
        charge = NewCharge(
            patron_id=self._town.readers[step.reader].id,
            amount=Money(amount=amount),
            reason="damaged",
            note=note,
        )
        return await self._fees.charge(charge=charge, actor=self._town.till, now=step.at)

    def charged_by_hand(self, step: Charge, fine: Fine) -> None:
        self.charged(step.reader)

    async def _settle(
        self, reader: int, at: datetime, rng: random.Random, *, part: bool = False
    ) -> None:
        to_pay = []
        for fine in await self._open(reader, at):
            if fine.outstanding == fine.amount and await self._forgiven(fine, at, rng):
                self._built.forgiven += 1
            else:
                to_pay.append(fine)
        if await self._pay(reader, to_pay, at, rng, part=part):
            self._owing.discard(reader)

    async def _open(self, reader: int, at: datetime) -> Sequence[Fine]:
        account = await self._fees.account(
            patron_id=self._town.readers[reader].id,
            window=Window(limit=1),
            actor=self._town.till,
            now=at,
        )
        return account.fines

    async def _forgiven(self, fine: Fine, at: datetime, rng: random.Random) -> bool:
        """Waived or cancelled; what was paid in part is paid to the end."""
        (how,) = rng.choices(("pay", "cancel", "waive"), (_PAID, _CANCELLED, _FORGIVEN))
        if how == "cancel":
            reason = Cancellation(reason=rng.choice(_CANCELLED_FOR))
            await self._fees.cancel(
                fine_id=fine.id, cancellation=reason, actor=self._town.till, now=at
            )
        elif how == "waive":
            waiver = NewWaiver(reason=rng.choice(_FORGIVEN_FOR))
            await self._fees.waive(fine_id=fine.id, waiver=waiver, actor=self._town.till, now=at)
        return how != "pay"

    async def _pay(
        self,
        reader: int,
        fines: Sequence[Fine],
        at: datetime,
        rng: random.Random,
        *,
        part: bool = False,
    ) -> bool:
        """Whether all is paid now; in part: about half of it, in whole coins."""
        owed = sum(fine.outstanding.amount for fine in fines)
        amount = owed // 200 * 100 if part and owed >= 200 else owed
        if amount:
            payment = NewPayment(
                patron_id=self._town.readers[reader].id,
                amount=Money(amount=amount),
                method="cash" if rng.random() < _CASH / (_CASH + _CARD) else "card",
                fine_ids=[fine.id for fine in fines],
            )
            await self._fees.pay(payment=payment, actor=self._town.till, now=at)
            self._built.payments += 1
        return amount == owed

    def _chance(self, reader: int, at: datetime) -> random.Random:
        """The same for the same occasion, whoever is served first."""
        return random.Random(f"{self._town.seed} {reader} {at}")
