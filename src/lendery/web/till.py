"""The till: taking money, waiving, cancelling, paying back, charging.

Each form carries a key of its own, so that a double click pays once; without one nothing is done.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

from starlette.requests import Request

from lendery.contracts.base import Invalid, Money, NotFound, RequestKey
from lendery.contracts.circulation import (
    Cancellation,
    Fine,
    NewCharge,
    NewPayment,
    NewRefund,
    NewWaiver,
    NoSuchFine,
)
from lendery.contracts.permissions import Actor
from lendery.web import amounts
from lendery.web.pages import field, identity
from lendery.web.ports import Ports
from lendery.web.renewing import request_key

WRITE = "Write the amount like 4.20."
WHY = "Say why, in a few words."
FIELDS = {
    "pay": ("pay-amount", "method", "desk"),
    "refund": ("refund-amount", "method", "refund-reason", "desk"),
    "charge": ("charge-amount", "reason", "note"),
}


@dataclass(frozen=True)
class Told:
    """What was done, for the line above the account.

    Without an `amount` the account says how much: what was forgiven is not taken back again.
    """

    what: Literal["paid", "waived", "cancelled", "refunded", "charged"]
    amount: Money | None = None
    method: str = ""
    balance: Money | None = None
    fine: Fine | None = None
    title: str = ""


class Unfinished(Exception):
    """A field that has to be filled in first: its id, and what to write there."""

    def __init__(self, field_id: str, says: str) -> None:
        super().__init__(says)
        self.wrong = {field_id: says}


@dataclass(frozen=True)
class Form:
    """One form that was sent for one patron."""

    request: Request
    patron_id: UUID
    fine_id: UUID | None
    actor: Actor
    now: datetime
    currency: str
    branch_id: UUID | None = None  # where this desk stands

    async def place(self) -> dict[str, object]:
        """At which desk the money comes or goes, where there are drawers to choose from."""
        return {"branch_id": self.branch_id, "desk": await field(self.request, "desk", 64) or None}

    async def amount(self, name: str) -> Money:
        found = amounts.typed(await field(self.request, name, 40), self.currency)
        if found is None:
            raise Unfinished(name, WRITE)
        return found

    async def reason(self, name: str) -> str:
        text = await field(self.request, name, 300)
        if not text:
            raise Unfinished(name, WHY)
        return text

    async def typed(self, what: str) -> dict[str, str]:
        """What stood in the fields, for whoever has to correct one of them."""
        return {name: await field(self.request, name, 300) for name in FIELDS.get(what, ())}

    async def ticked(self) -> list[UUID]:
        sent = (await self.request.form()).getlist("fine")
        return [one for each in sent if isinstance(each, str) and (one := identity(each))]

    async def key(self, *said: object) -> RequestKey:
        """Of this form and no other on the page: fine by fine, deed by deed."""
        what = (await field(self.request, "do", 80)).partition(":")[0]
        which = self.fine_id.hex if self.fine_id else "account"
        key = await field(self.request, "key", 64)
        found = request_key(f"{key[:24]}-{what[:6]}-{which}", self.actor, self.patron_id, *said)
        if len(key) < 8 or found is None:
            raise Invalid("This form is not complete. Nothing was done: load the page again.")
        return found


@dataclass(frozen=True)
class Till:
    ports: Ports

    async def pay(self, form: Form) -> Told:
        amount, ticked = await form.amount("pay-amount"), await form.ticked()
        payment = NewPayment.model_validate(
            {
                "patron_id": form.patron_id,
                "amount": amount.model_dump(),
                "method": await field(form.request, "method", 20) or "cash",
                "fine_ids": ticked or None,
                **await form.place(),
            }
        )
        key = await form.key("pay", payment.model_dump_json())
        made = await self.ports.fees.pay(payment=payment, actor=form.actor, now=form.now, key=key)
        return Told("paid", made.amount, made.method, made.balance)

    async def waive(self, form: Form) -> Told:
        fine = await self._fine(form)
        waiver = NewWaiver(reason=await form.reason(f"waive-{fine.id}"))
        key = await form.key("waive", fine.id, waiver.reason)
        await self.ports.fees.waive(
            fine_id=fine.id, waiver=waiver, actor=form.actor, now=form.now, key=key
        )
        return Told("waived", fine=fine, title=await self._title(fine))

    async def cancel(self, form: Form) -> Told:
        fine = await self._fine(form)
        wrong = Cancellation(reason=await form.reason(f"cancel-{fine.id}"))
        key = await form.key("cancel", fine.id, wrong.reason)
        await self.ports.fees.cancel(
            fine_id=fine.id, cancellation=wrong, actor=form.actor, now=form.now, key=key
        )
        return Told("cancelled", fine=fine, title=await self._title(fine))

    async def refund(self, form: Form) -> Told:
        refund = NewRefund.model_validate(
            {
                "patron_id": form.patron_id,
                "amount": (await form.amount("refund-amount")).model_dump(),
                "method": await field(form.request, "method", 20) or "cash",
                "reason": await form.reason("refund-reason"),
                **await form.place(),
            }
        )
        key = await form.key("refund", refund.model_dump_json())
        made = await self.ports.fees.refund(refund=refund, actor=form.actor, now=form.now, key=key)
        return Told("refunded", made.amount, made.method, made.balance)

    async def charge(self, form: Form) -> Told:
        charge = NewCharge.model_validate(
            {
                "patron_id": form.patron_id,
                "amount": (await form.amount("charge-amount")).model_dump(),
                "reason": await field(form.request, "reason", 20) or "other",
                "note": await field(form.request, "note", 300) or None,
            }
        )
        key = await form.key("charge", charge.model_dump_json())
        made = await self.ports.fees.charge(charge=charge, actor=form.actor, now=form.now, key=key)
        return Told("charged", made.amount, fine=made)

    async def _fine(self, form: Form) -> Fine:
        """The fine that the button was beside; only one of this patron."""
        if form.fine_id is None:
            raise NotFound("There is no such fine.")
        fine = await self.ports.fees.fine(fine_id=form.fine_id, actor=form.actor)
        if fine.patron_id != form.patron_id:
            raise NoSuchFine("There is no such fine on this account.")
        return fine

    async def _title(self, fine: Fine) -> str:
        books = await self.ports.books.by_ids(ids=[fine.book_id]) if fine.book_id else []
        return books[0].title if books else ""
