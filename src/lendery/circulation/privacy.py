"""What circulation holds about a person, and for how long."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import select

from lendery.circulation.forgetting import forget_links
from lendery.circulation.models import (
    LOOKUPS,
    TABLES,
    hold,
    ledger_line,
    loan,
    offline_conflict,
    offline_transaction,
    patron,
    suspension,
)
from lendery.circulation.repository import links, remembered, suspensions
from lendery.circulation.rules.words import plain_amount
from lendery.contracts.base import RequestKey
from lendery.contracts.privacy import Obstacle
from lendery.platform.db import Database
from lendery.platform.personal import Personal, Place
from lendery.platform.retention import Limit, aged, emptied

STATISTICS = "What was lent, when and where is counted, without who."
LAW = "The law of accounts wants the amounts kept; they name nobody."
THEIRS = frozenset({"patron_id", "borrower"})
CONFLICT = frozenset({"patron_id", "card_number", "reason"})
TAKEN_AT = (
    select(offline_transaction.c.taken_at)
    .where(offline_transaction.c.id == offline_conflict.c.id)
    .scalar_subquery()
)


async def obstacles(db: Database, patron_id: UUID, now: datetime) -> list[Obstacle]:
    """Things and money are given back first, and nobody ends a suspension by going."""
    async with db.read() as session:
        stands = await links.stands(session, patron_id)
        balances = await links.balances(session, patron_id)
        suspended = await suspensions.running(session, patron_id, now)
    found = []
    if stands.loans:
        says = f"{stands.loans} on loan: they must come back first."
        found.append(Obstacle(code="open-loans", says=says))
    if stands.holds:
        says = f"{stands.holds} kept on the hold shelf or on the way there: cancel or collect."
        found.append(Obstacle(code="ready-holds", says=says))
    for row in balances:
        amount = plain_amount(abs(int(row.balance)), row.currency)
        if row.balance > 0:
            says = f"{amount} is owed: it must be paid or waived first."
            found.append(Obstacle(code="owes-money", says=says))
        elif row.balance < 0:
            says = f"{amount} is theirs: pay the credit out first."
            found.append(Obstacle(code="credit", says=says))
    if suspended:
        says = f"Suspended until {suspended[0].until:%Y-%m-%d}: only staff can erase you before."
        found.append(Obstacle(code="suspended", says=says, staff_may=True))
    return found


PERSONAL = Personal(
    places=(
        Place("patron", patron.c.id, "erased", where=(remembered.IS_KNOWN,)),
        Place("loans", loan.c.patron_id, "unlinked", why=STATISTICS, hidden=THEIRS | {"policy"}),
        Place("holds", hold.c.patron_id, "unlinked", why=STATISTICS, hidden=THEIRS),
        Place("charges and payments", ledger_line.c.patron_id, "unlinked", why=LAW, hidden=THEIRS),
        Place("suspensions", suspension.c.patron_id, "unlinked", why=STATISTICS, hidden=THEIRS),
        Place(
            "open conflicts of offline desks",
            offline_conflict.c.patron_id,
            "unlinked",
            why="Staff must still decide what became of the copy.",
            hidden=CONFLICT,
        ),
        Place(
            "cards typed at offline desks",
            patron.c.id,
            "erased",
            hidden=CONFLICT - {"card_number"},
            by_way_of=(offline_conflict.c.card_number, patron.c.card_number),
        ),
        Place(
            "reasons for settled conflicts",
            loan.c.patron_id,
            "erased",
            hidden=CONFLICT - {"reason"},
            where=(offline_conflict.c.reason.is_not(None),),
            by_way_of=(offline_conflict.c.loan_id, loan.c.id),
        ),
        Place("look-ups by staff", LOOKUPS.c.patron_id, "erased"),
        Place(
            "kept answers",
            TABLES.request.c.scope,
            "erased",
            hidden=frozenset({"scope", "fingerprint"}),
            key=RequestKey.scope_of,
        ),
    ),
    lookup=LOOKUPS,
    obstacles=obstacles,
)
LIMITS = (
    Limit(tuple(links.CUTS), "unlinked", lambda settings: settings.history_days, forget_links),
    emptied(
        "cards typed at offline desks",
        offline_conflict.c.card_number,
        TAKEN_AT,
        lambda settings: settings.history_days,
    ),
    emptied(
        "reasons for settled conflicts",
        offline_conflict.c.reason,
        offline_conflict.c.settled_at,
        lambda settings: settings.history_days,
    ),
    aged("look-ups by staff", LOOKUPS, LOOKUPS.c.at, lambda settings: settings.lookups_days),
)
