"""The patrons and copies circulation has met."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, delete, exists, func, or_, select, update
from sqlalchemy.dialects.postgresql import insert

from lendery.circulation.models import copy, hold, loan, patron
from lendery.contracts.accounts import Patron
from lendery.contracts.catalog import BareCopy
from lendery.platform.db import Session, Statement, Tx, any_of

# The lock on a patron: in a statement of its own and first, so that what is counted after it
# is counted by one desk at a time. NO KEY: nothing refers to this row.
PATRON_BY_ID = Statement(
    select(patron).where(patron.c.id == bindparam("patron_id")).with_for_update(key_share=True)
)
# Lending locks the copy in the same statement: a check-in of it takes its turn.
_taken = (
    select(copy.c.id)
    .where(copy.c.barcode == bindparam("code"))
    .with_for_update(key_share=True)
    .cte("taken")
)
_taken_too = select(func.count(_taken.c.id)).scalar_subquery().label("copies")
BORROWER_BY_CARD = Statement(
    select(patron, _taken_too)
    .where(patron.c.card_number == bindparam("card"))
    .with_for_update(key_share=True, of=patron)
)
BORROWER_BY_ID = Statement(
    select(patron, _taken_too)
    .where(patron.c.id == bindparam("patron_id"))
    .with_for_update(key_share=True, of=patron)
)
COPY_BY_BARCODE = Statement(
    select(copy).where(copy.c.barcode == bindparam("code")).with_for_update(key_share=True)
)
COPY_BY_ID = Statement(
    select(copy).where(copy.c.id == bindparam("copy_id")).with_for_update(key_share=True)
)
COPY_OF_LOAN = Statement(
    select(copy)
    .where(
        copy.c.id
        == select(loan.c.copy_id).where(loan.c.id == bindparam("loan_id")).scalar_subquery()
    )
    .with_for_update(key_share=True)
)
SEEN_PATRON = Statement(
    select(patron).where(
        or_(patron.c.id == bindparam("patron_id"), patron.c.card_number == bindparam("card"))
    )
)
# Of whom more is left than the id that open loans hang on.
IS_KNOWN = or_(patron.c.active, patron.c.card_number.is_not(None), patron.c.born_on.is_not(None))
KNOWN = Statement(select(patron.c.id).where(any_of(patron.c.id, "patron_ids"), IS_KNOWN))
STATES = Statement(
    select(
        copy.c.id,
        copy.c.withdrawn,
        copy.c.lost,
        copy.c.damaged,
        copy.c.missing,
        copy.c.claimed_returned,
        copy.c.in_transit_to,
        copy.c.item_type,
        copy.c.home_branch_id,
        copy.c.current_branch_id,
        loan.c.due_at,
        hold.c.state.label("kept"),
    )
    .select_from(copy)
    .outerjoin(loan, (loan.c.copy_id == copy.c.id) & loan.c.returned_at.is_(None))
    .outerjoin(hold, (hold.c.given_copy_id == copy.c.id) & hold.c.ended_at.is_(None))
    .where(any_of(copy.c.id, "copy_ids"))
)
EVER_LENT = Statement(select(exists(select(loan.c.id).where(any_of(loan.c.copy_id, "copy_ids")))))
BOOK_OF_COPY = Statement(select(copy.c.book_id).where(copy.c.id == bindparam("copy_id")))
KNOWS_COPIES = Statement(select(exists().where(copy.c.book_id == bindparam("book_id"))))
MET = Statement(select(copy.c.id).where(any_of(copy.c.id, "copy_ids")))

_patron = insert(patron)
REMEMBER_PATRON = Statement(
    _patron.values({name: bindparam(name) for name in patron.c.keys()}).on_conflict_do_update(  # noqa: SIM118
        index_elements=["id"],
        set_={name: _patron.excluded[name] for name in patron.c.keys() if name != "id"},  # noqa: SIM118
        where=patron.c.version <= _patron.excluded.version,
    )
)
COPY_FACTS = (
    *("id", "barcode", "book_id", "item_type", "home_branch_id", "version"),
    *("price_amount", "price_currency"),
)
_copy = insert(copy)
REMEMBER_COPY = Statement(
    _copy.values({name: bindparam(name) for name in COPY_FACTS}).on_conflict_do_update(
        index_elements=["id"],
        set_={name: _copy.excluded[name] for name in COPY_FACTS if name != "id"},
        where=copy.c.version <= _copy.excluded.version,
    )
)
RELEASE_CARD = Statement(
    update(patron)
    .where(patron.c.card_number == bindparam("card"), patron.c.id != bindparam("patron_id"))
    .values(card_number=None)
)
RELEASE_BARCODE = Statement(
    update(copy)
    .where(copy.c.barcode == bindparam("code"), copy.c.id != bindparam("copy_id"))
    .values(barcode=None)
)


async def lock_borrower(
    tx: Tx, *, card: str | None, patron_id: UUID | None, barcode: str
) -> Any | None:
    """The patron and the copy, held until the transaction ends.

    Two desks cannot both lend the tenth book, nor one lend what the other just kept for somebody.
    """
    if patron_id is not None:
        return await tx.row(BORROWER_BY_ID, patron_id=patron_id, code=barcode)
    found = await tx.rows(BORROWER_BY_CARD, card=card, code=barcode)
    return found[0] if len(found) == 1 else None  # two think it theirs: accounts is asked again


async def lock_patron(tx: Tx, patron_id: UUID) -> Any | None:
    """The patron, held until the transaction ends: what is counted then is counted by one."""
    return await tx.row(PATRON_BY_ID, patron_id=patron_id)


async def lock_copy(tx: Tx, *, barcode: str) -> Any | None:
    """The copy, held until the transaction ends: one desk takes it back."""
    return await tx.row(COPY_BY_BARCODE, code=barcode)


async def lock_copy_by_id(tx: Tx, copy_id: UUID) -> Any | None:
    return await tx.row(COPY_BY_ID, copy_id=copy_id)


async def lock_copy_of_loan(tx: Tx, loan_id: UUID) -> Any | None:
    return await tx.row(COPY_OF_LOAN, loan_id=loan_id)


async def patron_seen(session: Session, *, card: str | None, patron_id: UUID | None) -> Any | None:
    rows = await session.rows(SEEN_PATRON, card=card, patron_id=patron_id)
    return next((row for row in rows if patron_id in (None, row.id)), None)


async def still_known(session: Session, patron_ids: list[UUID]) -> set[UUID]:
    """Those of them who were met here and not forgotten."""
    return {row.id for row in await session.rows(KNOWN, patron_ids=patron_ids)}


async def remember_patron(tx: Tx, known: Patron) -> None:
    """Keeps what is newer; a card that moved to this patron is taken from whoever had it."""
    facts = known.model_dump(mode="python", exclude={"blocks", "keeps_history"})
    blocks = [block.model_dump(mode="json", include={"reason", "until"}) for block in known.blocks]
    kept = await tx.run(REMEMBER_PATRON, **facts, blocks=blocks)
    if kept and known.card_number:  # old news takes no card from anybody
        await tx.run(RELEASE_CARD, card=known.card_number, patron_id=known.id)


async def remember_copy(tx: Tx, known: BareCopy) -> None:
    kept = await tx.run(
        REMEMBER_COPY,
        id=known.id,
        barcode=known.barcode,
        book_id=known.book_id,
        item_type=known.item_type,
        home_branch_id=known.branch_id,
        version=known.version,
        price_amount=known.price.amount if known.price else None,
        price_currency=known.price.currency if known.price else None,
    )
    if kept:
        await tx.run(RELEASE_BARCODE, code=known.barcode, copy_id=known.id)


async def forget_patron(tx: Tx, patron_id: UUID) -> None:
    """Nothing of the person stays but the id that open loans hang on."""
    await tx.run(
        update(patron)
        .where(patron.c.id == patron_id)
        .values(
            card_number=None,
            born_on=None,
            expires_on=None,
            home_branch_id=None,
            blocks=[],
            active=False,
        )
    )


async def forget_copy(tx: Tx, copy_id: UUID) -> None:
    """Unless it was lent while the catalog removed it: that loan must still be closed.

    Locked first, so that a desk that lends it at this moment has done so, or finds it gone.
    """
    await lock_copy_by_id(tx, copy_id)
    lent = exists().where(loan.c.copy_id == copy_id)
    await tx.run(delete(copy).where(copy.c.id == copy_id, ~lent))


async def book_of_copy(session: Session, copy_id: UUID) -> UUID | None:
    found: UUID | None = await session.value(BOOK_OF_COPY, copy_id=copy_id)
    return found


async def knows_copies_of(session: Session, book_id: UUID) -> bool:
    return bool(await session.value(KNOWS_COPIES, book_id=book_id))


async def unmet(session: Session, copy_ids: list[UUID]) -> set[UUID]:
    """Those of the copies that are not remembered."""
    return set(copy_ids) - {row.id for row in await session.rows(MET, copy_ids=copy_ids)}


async def copy_states(session: Session, copy_ids: list[UUID]) -> list[Any]:
    return await session.rows(STATES, copy_ids=copy_ids)


async def ever_lent(session: Session, copy_ids: list[UUID]) -> bool:
    return bool(await session.value(EVER_LENT, copy_ids=copy_ids))


async def change_copy(tx: Tx, copy_id: UUID, **values: Any) -> None:
    await tx.run(update(copy).where(copy.c.id == copy_id).values(**values))


TOGETHER = Statement(
    select(copy)
    .where(any_of(copy.c.id, "copy_ids"))
    .order_by(copy.c.id)
    .with_for_update(key_share=True)
)
GIVEN_UP = Statement(
    update(copy).where(copy.c.id == bindparam("lost_id")).values(lost=True, claimed_returned=False)
)


async def copy_by_id(session: Session, copy_id: UUID) -> Any | None:
    return await session.row(select(copy).where(copy.c.id == copy_id))


async def lock_copies(tx: Tx, copy_ids: list[UUID]) -> dict[UUID, Any]:
    """Many copies, locked in one order."""
    return {row.id: row for row in await tx.rows(TOGETHER, copy_ids=copy_ids)}


SEEN_HERE = Statement(
    update(copy)
    .where(copy.c.id == bindparam("seen_id"))
    .values(
        current_branch_id=bindparam("seen_branch"),
        in_transit_to=bindparam("seen_to"),
        last_seen_at=bindparam("seen_at", type_=copy.c.last_seen_at.type),
        lost=False,
        missing=False,
        claimed_returned=False,
        in_house_uses=copy.c.in_house_uses
        + bindparam("seen_uses", type_=copy.c.in_house_uses.type),
    )
)


def seen(
    copy_id: UUID, *, branch_id: UUID, to: UUID | None, at: datetime, uses: int = 0
) -> tuple[Statement, dict[str, Any]]:
    """The write that says: this copy is here now, found if it was lost, on its way if `to`.

    `uses`: so many times it was used in the library and not lent.
    """
    given = {"seen_id": copy_id, "seen_branch": branch_id, "seen_to": to, "seen_at": at}
    return SEEN_HERE, given | {"seen_uses": uses}
