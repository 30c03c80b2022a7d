"""What notices does when something happens elsewhere: it tells the reader whom it is about.

The events carry no patron. Circulation is asked whose hold, loan or payment it is, outside any
transaction; of what is not theirs any more, or happened before `not before`, nothing is told.
"""

from dataclasses import dataclass
from typing import Any, Protocol
from uuid import UUID

from lendery.contracts.accounts import PatronRemoved, Users
from lendery.contracts.base import Event
from lendery.contracts.catalog import Books
from lendery.contracts.circulation import (
    DueList,
    FineCharged,
    FinePaid,
    HoldCancelled,
    HoldExpired,
    HoldReady,
    LoanRenewed,
    Posted,
)
from lendery.contracts.notices import Kind
from lendery.contracts.permissions import SYSTEM
from lendery.notices.posting import News, Ways, post
from lendery.notices.repository import people, steps
from lendery.platform.db import Tx
from lendery.platform.events import Reaction
from lendery.platform.settings import Settings


class Neighbours(Protocol):
    @property
    def due_list(self) -> DueList: ...
    @property
    def books(self) -> Books: ...
    @property
    def users(self) -> Users: ...
    @property
    def settings(self) -> Settings: ...


@dataclass(frozen=True)
class Told:
    """What is to be written; `once` names what must not be told of a second time."""

    news: News
    ways: Ways
    once: tuple[UUID, str] | None = None


HOLDS: dict[type[Event], tuple[Kind, str]] = {
    HoldReady: ("hold-ready", "ready"),
    HoldExpired: ("hold-expired", "expired"),
    HoldCancelled: ("hold-cancelled", "cancelled"),
}


async def ask_hold(
    ports: Neighbours, event: HoldReady | HoldExpired | HoldCancelled
) -> Told | None:
    """None where the hold has gone on since."""
    if _is_before(ports, event):
        return None
    held = await ports.due_list.hold(hold_id=event.hold_id, now=event.at)
    kind, state = HOLDS[type(event)]
    if held is None or held.state != state:
        return None
    if await _is_gone(ports, held.patron_id):
        return None
    facts = {
        "branch": held.branch,
        "expires_on": held.expires_on.isoformat() if held.expires_on else None,
        "title": await title_of(ports, held.book_id),
    }
    return _told(ports, News(held.patron_id, kind, facts, held.time_zone))


async def ask_renewed(ports: Neighbours, event: LoanRenewed) -> Told | None:
    """Who renewed knows it; told is what the clock renewed."""
    if not event.automatic or _is_before(ports, event):
        return None
    loan = await ports.due_list.loan(loan_id=event.loan_id, now=event.at)
    if loan is None or await _is_gone(ports, loan.patron_id):
        return None
    facts = {
        "branch": loan.branch,
        "due_on": loan.due_on.isoformat(),
        "title": await title_of(ports, loan.book_id),
    }
    return _told(ports, News(loan.patron_id, "loan-renewed", facts, loan.time_zone))


async def ask_charge(ports: Neighbours, event: FineCharged) -> Told | None:
    if _is_before(ports, event):
        return None
    posted = await ports.due_list.charge(fine_id=event.fine_id)
    if posted is None or await _is_gone(ports, posted.patron_id):
        return None
    return _told(ports, _money(ports, posted, "charge-added", {"reason": posted.reason}))


async def ask_payment(ports: Neighbours, event: FinePaid) -> Told | None:
    """One receipt for a payment, however many charges it settles."""
    if _is_before(ports, event):
        return None
    posted = await ports.due_list.payment(settlement_id=event.settlement_id)
    if posted is None or await _is_gone(ports, posted.patron_id):
        return None
    news = _money(ports, posted, "payment-received", {"method": posted.method})
    return _told(ports, news, (event.settlement_id, "payment-received"))


async def tell(tx: Tx, event: Event, told: Told | None) -> None:
    if told is None:
        return
    if told.once is None or await steps.take(tx, told.once, now=event.at):
        await post(tx, [told.news], told.ways, at=event.at)


async def forget_person(tx: Tx, event: PatronRemoved, told: None) -> None:
    await people.forget(tx, patron_id=event.patron_id)


async def title_of(ports: Neighbours, book_id: UUID) -> str | None:
    """None where the library does not want titles in notices, as is the default."""
    if not ports.settings.notices_titles:
        return None
    return next((each.title for each in await ports.books.by_ids(ids=[book_id])), None)


def _is_before(ports: Neighbours, event: Event) -> bool:
    first = ports.settings.notices_not_before
    return first is not None and event.at.date() < first


async def _is_gone(ports: Neighbours, patron_id: UUID) -> bool:
    """Was this person removed? What happened before may be heard of after it."""
    return not await ports.users.by_ids(ids=[patron_id], actor=SYSTEM)


def _told(ports: Neighbours, news: News, once: tuple[UUID, str] | None = None) -> Told:
    return Told(news, Ways.of(ports.settings), once)


def _money(ports: Neighbours, posted: Posted, kind: Kind, more: dict[str, Any]) -> News:
    facts = {
        "amount": posted.amount.model_dump(),
        "balance": posted.balance.model_dump(),
        **more,
    }
    return News(posted.patron_id, kind, facts, ports.settings.notices_time_zone)


REACTIONS: tuple[Reaction, ...] = (
    Reaction(HoldReady, tell, ask_hold),
    Reaction(HoldExpired, tell, ask_hold),
    Reaction(HoldCancelled, tell, ask_hold),
    Reaction(LoanRenewed, tell, ask_renewed),
    Reaction(FineCharged, tell, ask_charge),
    Reaction(FinePaid, tell, ask_payment),
    Reaction(PatronRemoved, forget_person),
)
