"""Taking back: close the loan if there is one, and say where the copy goes next.

A copy that is not on loan is normal (shelf check), not an error.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from lendery.circulation import rules
from lendery.circulation.charging import Charge, late_charge, price_of
from lendery.circulation.facts import copy_was, hold_was, loan_value, marks
from lendery.circulation.handing_over import handed_over
from lendery.circulation.house import House, HouseKeeper
from lendery.circulation.losing import found
from lendery.circulation.models import TABLES
from lendery.circulation.repository import holds, loans, remembered
from lendery.circulation.suspending import suspension_for
from lendery.circulation.without_neighbours import Memory
from lendery.contracts.base import Event, Invalid, Money, NotAllowed, Problem, RequestKey
from lendery.contracts.catalog import NoSuchCopy
from lendery.contracts.circulation import (
    Before,
    CopyHere,
    Fine,
    Hold,
    ItemCheckedIn,
    Loan,
    Return,
    ReturnRefused,
    ReturnRequest,
    TransferReceived,
    TransferStarted,
)
from lendery.contracts.permissions import Actor, Permission
from lendery.platform import idempotency
from lendery.platform.db import Database, Duplicate, Tx
from lendery.platform.db.session import Write


@dataclass(frozen=True)
class ReturnsDesk:
    db: Database
    met: Memory
    keeper: HouseKeeper
    currency: str

    async def check_in(
        self, *, request: ReturnRequest, actor: Actor, now: datetime, key: RequestKey | None
    ) -> Return:
        actor.must(Permission.BORROW)
        if request.returned_at and request.returned_at > now:
            says = "This lies in the future."
            raise Invalid(says, errors=[{"pointer": "#/returned_at", "says": says}])
        for _ in range(3):
            try:
                async with self.db.begin() as tx:
                    outcome = await self.attempt(tx, request, actor, now, key)
            except Duplicate:
                continue  # the same key came twice at once: the answer is there now
            if isinstance(outcome, Problem):
                raise outcome
            if outcome is not None:
                return outcome
            await self.met.meet_copy(barcode=request.barcode)
        raise NoSuchCopy(f"No copy has barcode {request.barcode}. Scan again or search.")

    async def attempt(
        self,
        tx: Tx,
        request: ReturnRequest,
        actor: Actor,
        now: datetime,
        key: RequestKey | None,
        *,
        seen_at: datetime | None = None,
    ) -> Return | Problem | None:
        """None: circulation has never met this copy. `seen_at`: it was recorded only now."""
        copy = await remembered.lock_copy(tx, barcode=request.barcode)
        if copy is None:
            return None
        row = await loans.open_loan(tx, copy_id=copy.id, key=key)
        if (told := idempotency.told_before(row, key)) is not None:
            return await _as_told(tx, told)
        house = await self.keeper.at(tx, row.house_version, now)
        branch_id = request.branch_id or actor.desk or copy.home_branch_id
        _must_be_allowed(request, copy, row, house, actor)
        at = request.returned_at or now
        if row.id is not None and at < row.lent_at:
            if request.returned_at is not None:
                return await _refused(tx, key, now)
            at = row.lent_at  # the clock was set back; the copy is here all the same
        return await self.take_back(
            tx, copy, row, house, branch_id, at, actor, now, key, seen_at=seen_at
        )

    async def take_back(
        self,
        tx: Tx,
        copy: Any,
        row: Any,
        house: House,
        branch_id: UUID,
        at: datetime,
        actor: Actor,
        now: datetime,
        key: RequestKey | None,
        *,
        seen_at: datetime | None = None,
        leaves: bool = False,
    ) -> Return:
        """`leaves`: it goes out again at once, so it is for nobody and sent nowhere."""
        by = actor.id if actor.staff else None
        find = await found(tx, copy, now=now, by=by)
        waiting = None
        if not leaves:
            waiting = await handed_over(tx, copy, row, here=branch_id, house=house, now=now)
        to = waiting.to if waiting else None
        if waiting is None and not leaves:
            floats = _floats(copy, row, house)
            to = rules.where_next(here=branch_id, home=copy.home_branch_id, floats=floats)
        ready = waiting is not None and to is None
        seen = copy._replace(lost=False, missing=False, claimed_returned=False)
        status = rules.status_of(
            marks(seen, on_loan=False, in_transit=to is not None, on_hold_shelf=ready)
        )
        loan, late, suspended = None, None, None
        if row.id is not None:
            loan = loan_value(row, now).model_copy(
                update={"returned_at": at, "overdue": False, "ended_as": "returned"}
            )
            late = self._late(copy, row, house, branch_id, at, now, by)
            hours = house.hours_of(row.home_branch_id)
            suspended = suspension_for(row, at=at, hours=hours, now=now, by=by)
        step = waiting.step if waiting else None
        in_house = _used_in_house(copy, row, branch_id)
        happened = ItemCheckedIn(
            at=now,
            loan_id=row.id,
            copy_id=copy.id,
            book_id=copy.book_id,
            branch_id=branch_id,
            returned_at=at,
            status=status,
            by=by,
            in_house=in_house,
            before=Before(
                copy_was=copy_was(copy),
                holds_were=(hold_was(step.row),) if step else (),
                lines=(late.id,) if late else (),
                refunds=find.refunds if find else (),
                suspended=suspended.told.suspension_id if suspended else None,
            ),
        )
        writes = [
            remembered.seen(
                copy.id, branch_id=branch_id, to=to, at=seen_at or now, uses=int(in_house)
            ),
            tx.announcement(happened),
            *_moves(tx, copy, here=branch_id, to=to, now=now),
            *(step.writes(tx) if step else ()),
            *(find.writes(tx) if find else ()),
        ]
        if row.id is not None:
            writes.insert(0, loans.taking_back(row.id, at=at, branch_id=branch_id))
        for caused in (late, suspended):
            writes += caused.writes(tx) if caused else []
        answer = Return(
            loan=loan,
            copy_here=CopyHere(
                id=copy.id,
                barcode=copy.barcode,
                book_id=copy.book_id,
                status=status,
                home_branch_id=copy.home_branch_id,
            ),
            next="hold" if ready else "transit" if to else "shelve",
            to_branch=to,
            hold=waiting.value if waiting else None,
            fine=late.fine if late else None,
            refunded=self._money(find.amount) if find and find.amount else None,
            suspended_until=suspended.told.until if suspended else None,
            event_id=happened.id,
        )
        if key is not None:
            writes.append(idempotency.kept(TABLES, key, _told(answer), now=now))
        await tx.write(*writes)
        return answer

    def _money(self, amount: int) -> Money:
        return Money(amount=amount, currency=self.currency)

    def _late(
        self,
        copy: Any,
        row: Any,
        house: House,
        branch_id: UUID,
        at: datetime,
        now: datetime,
        by: UUID | None,
    ) -> Charge | None:
        return late_charge(
            row,
            price=price_of(copy, self.currency),
            charged=row.charged,
            hours=house.hours_of(row.home_branch_id),
            currency=self.currency,
            until=at,
            now=now,
            by=by,
            branch_id=branch_id,
        )


async def _refused(tx: Tx, key: RequestKey | None, now: datetime) -> Problem:
    refusal = ReturnRefused("A copy cannot come back before it was lent. Check the date.")
    if key is not None:
        await tx.write(idempotency.kept_refusal(TABLES, key, refusal, now=now))
    return refusal


def _moves(tx: Tx, copy: Any, *, here: UUID, to: UUID | None, now: datetime) -> list[Write]:
    """What is told of its way between branches."""
    told: list[Event] = []
    if copy.in_transit_to == here:
        told.append(TransferReceived(at=now, copy_id=copy.id, branch_id=here))
    if to is not None:
        moved = TransferStarted(at=now, copy_id=copy.id, from_branch_id=here, to_branch_id=to)
        told.append(moved)
    return [tx.announcement(each) for each in told]


def _used_in_house(copy: Any, row: Any, here: UUID) -> bool:
    """It was not on loan, nor lost, nor on its way or kept for anybody, and it is where it was:
    somebody had it in hand here. (The first time that circulation sees it says nothing.)"""
    idle = row.id is None and row.kept_as is None and copy.in_transit_to is None
    return bool(idle and copy.current_branch_id == here and not (copy.lost or copy.missing))


def _floats(copy: Any, row: Any, house: House) -> bool:
    """As the policy on its loan says; a copy that was not on loan asks the rules of today."""
    if row.id is not None:
        return rules.Policy.from_json(row.policy).floats
    home = copy.home_branch_id
    return house.policy(branch_id=home, category=None, item_type=copy.item_type).floats


def _must_be_allowed(
    request: ReturnRequest, copy: Any, row: Any, house: House, actor: Actor
) -> None:
    """Staff take back anything; a reader one's own loan, now, where the branches let readers."""
    if request.branch_id is not None:
        house.branch(request.branch_id)
    if actor.may(Permission.LEND):
        return
    if request.returned_at is not None:
        raise NotAllowed("Only staff can date a return back.")
    if row.id is None or row.patron_id != actor.id:
        raise NotAllowed("You can return your own loans only. Please go to the desk.")
    if not house.lets_readers(copy.home_branch_id, request.branch_id):
        raise NotAllowed("This branch has no self-service. Please go to the desk.")


def _told(answer: Return) -> dict[str, Any]:
    """The answer as it is kept: it must not lead from a key to a person."""
    person = {"patron_id"}
    return answer.model_dump(
        mode="json", exclude={"loan": person, "hold": person, "fine": {"patron_id", "note"}}
    )


async def _as_told(tx: Tx, told: dict[str, Any]) -> Return:
    if told["loan"] is not None:
        row = await loans.loan_by_id(tx, UUID(told["loan"]["id"]))
        patron_id = row.patron_id if row else None
        told["loan"] = Loan.model_validate({**told["loan"], "patron_id": patron_id})
        if told["fine"] is not None:
            told["fine"] = Fine.model_validate({**told["fine"], "patron_id": patron_id})
    if told["hold"] is not None:
        row = await holds.hold_by_id(tx, UUID(told["hold"]["id"]))
        told["hold"] = Hold.model_validate(
            {**told["hold"], "patron_id": row.patron_id if row else None}
        )
    return Return.model_validate(told)
