"""Every POST that moves a book or money."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from tests.assurance import again_cash as cash
from tests.assurance import again_desk as desk
from tests.assurance import again_till as till
from tests.assurance.again_trials import Trial
from tests.assurance.race import Race


@dataclass(frozen=True)
class Kind:
    """`ready` makes one that will be done, `refused` one that will not."""

    name: str
    status: int
    ready: Callable[[Race], Awaitable[Trial]]
    refused: Callable[[Race], Awaitable[Trial]]
    code: str


KINDS = {
    kind.name: kind
    for kind in (
        Kind("check-out", 201, desk.lend, desk.lend_what_is_out, "check-out-refused"),
        Kind("return", 200, desk.take_back, desk.take_back_too_early, "return-refused"),
        Kind("renewal", 200, desk.renew, desk.renew_what_is_wanted, "renewal-refused"),
        Kind("hold", 201, desk.place, desk.place_twice, "hold-refused"),
        Kind("charge", 201, till.charge, till.charge_nothing, "charge-refused"),
        Kind("payment", 201, till.pay, till.pay_too_much, "payment-refused"),
        Kind("refund", 201, till.refund, till.refund_too_much, "refund-refused"),
        Kind("waiver", 200, till.waive, till.waive_too_much, "waiver-refused"),
        Kind("opening", 201, cash.open_desk, cash.open_what_is_open, "cash-session-refused"),
        Kind("count", 200, cash.count, cash.count_again, "cash-session-refused"),
        Kind("cancellation", 200, till.cancel, till.cancel_twice, "waiver-refused"),
    )
}
