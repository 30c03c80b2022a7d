"""Who borrows, and whether whoever asks may lend to them."""

from typing import Any
from uuid import UUID

from lendery.contracts.base import Invalid, NotAllowed
from lendery.contracts.circulation import LoanRequest
from lendery.contracts.permissions import Actor, Permission


def known_id(patron: Any | None) -> UUID | None:
    return patron.id if patron is not None else None


def borrower(request: LoanRequest, actor: Actor) -> tuple[str | None, UUID | None]:
    """Who is to have it: card and id. A reader borrows for oneself only."""
    actor.must(Permission.BORROW)
    if request.waive:
        actor.must(Permission.WAIVE)
    if request.card_number is not None:
        if request.patron_id is not None:
            says = "Say who borrows by card_number or by patron_id, not by both."
            raise Invalid(says, errors=[{"pointer": "#/patron_id", "says": says}])
        return request.card_number.strip().upper(), None
    patron_id = request.patron_id or (None if actor.staff else actor.id)
    if patron_id is None:
        says = "Say who borrows: card_number or patron_id."
        raise Invalid(says, errors=[{"pointer": "#/card_number", "says": says}])
    return None, patron_id


def must_be_allowed(case: Any, request: LoanRequest, actor: Actor) -> None:
    """Staff lend to anyone; a reader to oneself, where the branches let readers."""
    if request.branch_id is not None:
        case.house.branch(request.branch_id)
    if actor.may(Permission.LEND):
        return
    if known_id(case.patron) != actor.id:
        raise NotAllowed("You can borrow for yourself only.")
    homes = [case.copy.home_branch_id] if case.copy else []
    if not case.house.lets_readers(*homes, request.branch_id):
        raise NotAllowed("This branch has no self-service. Please go to the desk.")
