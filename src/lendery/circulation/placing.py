"""Placing a hold: ask, decide, record, announce."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from lendery.circulation import rules
from lendery.circulation.facts import REFERENCE, patron_facts
from lendery.circulation.house import House, HouseKeeper
from lendery.circulation.models import TABLES
from lendery.circulation.repository import holds, remembered
from lendery.circulation.without_neighbours import Memory
from lendery.contracts.base import Invalid, NotAllowed, Problem, RequestKey, new_id
from lendery.contracts.circulation import (
    CalendarHasRunOut,
    Hold,
    HoldBlock,
    HoldPlaced,
    HoldRefused,
    InvalidCalendar,
    NewHold,
)
from lendery.contracts.permissions import Actor, Permission
from lendery.platform import idempotency
from lendery.platform.db import Database, Duplicate, Tx

AN_INSTANT = timedelta(microseconds=1)
OPENS_WITHIN = timedelta(days=28)  # a branch that stays closed for longer is no place to collect


@dataclass(frozen=True)
class HoldDesk:
    db: Database
    met: Memory
    keeper: HouseKeeper

    async def place(
        self, *, wanted: NewHold, actor: Actor, now: datetime, key: RequestKey | None
    ) -> Hold:
        patron_id = await self._patron(wanted, actor)
        book_id = await self._book(wanted)
        for _ in range(2):
            try:
                async with self.db.begin() as tx:
                    outcome = await self._attempt(tx, wanted, patron_id, book_id, actor, now, key)
            except Duplicate:
                continue  # the same key came twice at once: the answer is there now
            if isinstance(outcome, Problem):
                raise outcome
            return outcome
        raise HoldRefused("Not placed: too many requests at once. Try again.", blocks=[])

    async def _patron(self, wanted: NewHold, actor: Actor) -> UUID:
        """Whose hold it is to be; met before, or met now."""
        card, patron_id = _whose(wanted, actor)
        for _ in range(2):
            async with self.db.read() as session:
                row = await remembered.patron_seen(session, card=card, patron_id=patron_id)
            if row is not None:
                found: UUID = row.id
                return found
            await self.met.meet_patron(card=card, patron_id=patron_id)
        raise _unknown("card_number" if card else "patron_id", "Nobody has this card.")

    async def _book(self, wanted: NewHold) -> UUID:
        """The book it is for, all its copies met: those nobody ever lent could serve it too."""
        if (wanted.book_id is None) == (wanted.copy_id is None):
            raise _unknown("book_id", "Say what is wanted: book_id or copy_id, one of them.")
        book_id = wanted.book_id
        if wanted.copy_id is not None:
            book_id = await self.met.book_of_copy(wanted.copy_id)
            if book_id is None:
                raise _unknown("copy_id", "There is no such copy.")
        assert book_id is not None
        if not await self.met.meet_copies_of(book_id):
            raise _unknown("book_id", "There is no such book, or the library has no copy of it.")
        return book_id

    async def _attempt(
        self,
        tx: Tx,
        wanted: NewHold,
        patron_id: UUID,
        book_id: UUID,
        actor: Actor,
        now: datetime,
        key: RequestKey | None,
    ) -> Hold | Problem:
        patron = await remembered.lock_patron(tx, patron_id)
        await holds.lock_queue(tx, book_id)
        facts = await holds.placing_facts(
            tx, patron_id=patron_id, book_id=book_id, copy_id=wanted.copy_id, key=key
        )
        if (told := idempotency.told_before(facts, key)) is not None:
            return await _as_told(tx, told)
        house = await self.keeper.at(tx, facts.house_version, now)
        house.branch(wanted.pickup_branch_id, field="pickup_branch_id")
        copies = await holds.copies_of_book(tx, book_id)
        request = _request(wanted, patron, facts, copies, house, now)
        if blocks := rules.hold_blocks(request):
            refusal = _refusal(blocks)
            if key is not None:
                await tx.write(idempotency.kept_refusal(TABLES, key, refusal, now=now))
            return refusal
        return await self._record(tx, wanted, patron_id, book_id, facts, actor, now, key)

    async def _record(
        self,
        tx: Tx,
        wanted: NewHold,
        patron_id: UUID,
        book_id: UUID,
        facts: Any,
        actor: Actor,
        now: datetime,
        key: RequestKey | None,
    ) -> Hold:
        hold = Hold(
            id=new_id(),
            book_id=book_id,
            copy_id=wanted.copy_id,
            patron_id=patron_id,
            pickup_branch_id=wanted.pickup_branch_id,
            state="waiting",
            position=facts.waiting + 1,
            placed_at=_last_in_the_queue(facts, now),
        )
        borrower = new_id()
        happened = HoldPlaced(
            at=hold.placed_at,
            hold_id=hold.id,
            book_id=book_id,
            copy_id=hold.copy_id,
            pickup_branch_id=hold.pickup_branch_id,
            borrower=borrower,
            by=actor.id if actor.staff else None,
        )
        row = hold.model_dump(exclude={"position"})
        placed = holds.placing(**row, borrower=borrower, asked_for=None)
        writes = [placed, tx.announcement(happened)]
        if key is not None:
            told = hold.model_dump(mode="json", exclude={"patron_id"})
            writes.append(idempotency.kept(TABLES, key, told, now=now))
        await tx.write(*writes)
        return hold


async def must_be_collectable(
    tx: Tx, row: Any, branch_id: UUID, *, house: House, now: datetime
) -> None:
    """Raises what speaks against collecting a hold that waits at this branch."""
    house.branch(branch_id, field="pickup_branch_id")
    patron = await remembered.patron_seen(tx, card=None, patron_id=row.patron_id)
    category = patron.category if patron is not None else None
    copies = await holds.copies_of_book(tx, row.book_id)
    blocks = rules.pickup_blocks(
        [
            (_holdable(c), _policy(c, category, house))
            for c in copies
            if row.copy_id in (None, c.id)
        ],
        pickup_branch_id=branch_id,
        pickup_opens=_opens(branch_id, house, now),
    )
    if blocks:
        raise _refusal(blocks)


def _refusal(blocks: list[HoldBlock]) -> HoldRefused:
    says = " ".join(block.says for block in blocks)
    return HoldRefused(says, blocks=[block.model_dump() for block in blocks])


def _last_in_the_queue(facts: Any, now: datetime) -> datetime:
    """Now, or just after whoever came before: clocks are set back, and places must not change."""
    before: list[datetime] = [at for at in (facts.last_waiting, facts.last_given) if at is not None]
    return max([now, *(at + AN_INSTANT for at in before)])


def _whose(wanted: NewHold, actor: Actor) -> tuple[str | None, UUID | None]:
    """Card and id. A reader places holds for oneself."""
    actor.must(Permission.PLACE_HOLDS)
    if wanted.card_number is not None:
        if wanted.patron_id is not None:
            raise _unknown("patron_id", "Say who waits by card_number or by patron_id, not both.")
        actor.must(Permission.MANAGE_HOLDS)
        return wanted.card_number.strip().upper(), None
    patron_id = wanted.patron_id or (None if actor.staff else actor.id)
    if patron_id is None:
        raise _unknown("patron_id", "Say who waits: patron_id or card_number.")
    if patron_id != actor.id and not actor.may(Permission.MANAGE_HOLDS):
        raise NotAllowed("You can place holds for yourself only.")
    return None, patron_id


def _unknown(field: str, says: str) -> Invalid:
    return Invalid(says, errors=[{"pointer": f"#/{field}", "says": says}])


def _request(
    wanted: NewHold, patron: Any, facts: Any, copies: list[Any], house: House, now: datetime
) -> rules.HoldRequest:
    serving = [row for row in copies if wanted.copy_id in (None, row.id)]
    return rules.HoldRequest(
        now=now,
        today=house.hours_of(wanted.pickup_branch_id).local_date(now),
        patron=patron_facts(patron),
        copies=tuple((_holdable(row), _policy(row, patron.category, house)) for row in serving),
        names_copy=wanted.copy_id is not None,
        has_on_loan=facts.on_loan > 0,
        holds=facts.holds,
        holds_on_book=facts.on_book,
        holds_this=facts.on_copy > 0,
        pickup_branch_id=wanted.pickup_branch_id,
        pickup_opens=_opens(wanted.pickup_branch_id, house, now),
    )


def _holdable(row: Any) -> rules.HoldableCopy:
    return rules.HoldableCopy(
        id=row.id,
        item_type=row.item_type,
        home_branch_id=row.home_branch_id,
        not_for_loan=row.item_type == REFERENCE,
        withdrawn=row.withdrawn,
        lost=row.lost,
        missing=row.missing,
        on_shelf=bool(row.on_shelf) and not row.damaged,
    )


def _policy(row: Any, category: str | None, house: House) -> rules.Policy:
    return house.policy(branch_id=row.home_branch_id, category=category, item_type=row.item_type)


def _opens(branch_id: UUID, house: House, now: datetime) -> bool:
    """Will the branch open its doors in the next weeks?"""
    hours = house.hours_of(branch_id)
    today = hours.local_date(now)
    try:
        return hours.next_open_day(today) <= today + OPENS_WITHIN
    except (CalendarHasRunOut, InvalidCalendar):
        return False


async def _as_told(tx: Tx, told: dict[str, Any]) -> Hold:
    row = await holds.hold_by_id(tx, UUID(told["id"]))
    return Hold.model_validate({**told, "patron_id": row.patron_id if row else None})
