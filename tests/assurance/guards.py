"""Each guard of lending, and how it is taken out: the race that it wins must then be lost.

A race that is clean without the guard would prove nothing about it. The guard is taken out of
the running code (or of the database), never out of a copy of it, and the race is the same.
"""

import sqlite3
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any
from uuid import UUID, uuid4

from pytest import MonkeyPatch
from sqlalchemy import bindparam, literal, select, text

from lendery.catalog import merging
from lendery.circulation.models import copy, loan, patron
from lendery.circulation.repository import holds, remembered
from lendery.contracts.base import RequestKey
from lendery.platform import idempotency
from lendery.platform.db import Statement, Tx
from lendery.platform.db.log import ContextTables
from lendery.platform.db.session import Write
from lendery.platform.db.sqlite import SqliteDriver
from lendery.reviews.repository import stars
from tests.assurance import races, records, repeats, trust
from tests.assurance.places import Place, SameProcess
from tests.assurance.race import Tally

Remove = Callable[[MonkeyPatch, SameProcess], Awaitable[None]]


@dataclass(frozen=True)
class Guard:
    """`doubles`: without it something happens twice; else it is refused with an error."""

    name: str
    database: str
    race: Callable[[Place], Awaitable[Tally]]
    remove: Remove
    doubles: bool = True

    @property
    def id(self) -> str:
        return f"{self.name.replace(' ', '-')}-{self.database}"

    def missed(self, tally: Tally) -> bool:
        """Has the race noticed that this guard was gone?"""
        return tally.doubled > 0 if self.doubles else tally.odd.total() > 0


async def drop_index_and_lock(patch: MonkeyPatch, place: SameProcess) -> None:
    """Either of the two alone keeps a copy from being lent twice."""
    async with place.evidence() as evidence, evidence.db.begin() as tx:
        await tx.run(text("DROP INDEX one_open_loan_per_copy"))
    locks_nothing = literal(1).label("copies")
    by_card = select(patron, locks_nothing).where(patron.c.card_number == bindparam("card"))
    by_id = select(patron, locks_nothing).where(patron.c.id == bindparam("patron_id"))
    patch.setattr(
        remembered, "BORROWER_BY_CARD", Statement(by_card.with_for_update(key_share=True))
    )
    patch.setattr(remembered, "BORROWER_BY_ID", Statement(by_id.with_for_update(key_share=True)))


async def read_the_patron_without_a_lock(patch: MonkeyPatch, place: SameProcess) -> None:
    by_id = select(patron, literal(1).label("copies")).where(patron.c.id == bindparam("patron_id"))
    by_card = select(patron, literal(1).label("copies")).where(
        patron.c.card_number == bindparam("card")
    )
    patch.setattr(remembered, "BORROWER_BY_CARD", Statement(by_card))
    patch.setattr(remembered, "BORROWER_BY_ID", Statement(by_id))
    patch.setattr(remembered, "PATRON_BY_ID", Statement(by_id))


async def renew_without_a_lock(patch: MonkeyPatch, place: SameProcess) -> None:
    """The lock on the copy and that on the queue each keep renewals in turn."""
    await read_the_copy_without_a_lock(patch, place)
    await let_the_queue_move(patch, place)


async def let_the_queue_move(patch: MonkeyPatch, place: SameProcess) -> None:
    async def unlocked(tx: Tx, book_id: UUID) -> None: ...

    patch.setattr(holds, "lock_queue", unlocked)


async def read_the_copy_without_a_lock(patch: MonkeyPatch, place: SameProcess) -> None:
    lent = select(loan.c.copy_id).where(loan.c.id == bindparam("loan_id")).scalar_subquery()
    by_barcode = select(copy).where(copy.c.barcode == bindparam("code"))
    patch.setattr(remembered, "COPY_BY_BARCODE", Statement(by_barcode))
    patch.setattr(remembered, "COPY_OF_LOAN", Statement(select(copy).where(copy.c.id == lent)))


async def review_without_a_turn(patch: MonkeyPatch, place: SameProcess) -> None:
    async def looked(tx: Tx, *, book_id: UUID) -> stars.Turn:
        return await stars.stars_of(tx, book_id=book_id) or stars.Turn((0,) * 5, 0, False)

    patch.setattr(stars, "take_turn", looked)


async def merge_without_a_turn(patch: MonkeyPatch, place: SameProcess) -> None:
    async def none(tx: Tx) -> None: ...

    patch.setattr(merging, "next_turn", none)


async def forget_the_answer(patch: MonkeyPatch, place: SameProcess) -> None:
    """The answer is kept, but under a key that nobody will send again."""

    def kept(tables: ContextTables, key: RequestKey, answer: Any, *, now: datetime) -> Write:
        other = key.model_copy(update={"key": uuid4().hex})
        return tables.answered(other, status=200, answer={}, now=now)

    patch.setattr(idempotency, "kept", kept)
    patch.setattr(idempotency, "kept_refusal", kept)


async def begin_without_the_write_lock(patch: MonkeyPatch, place: SameProcess) -> None:
    async def begin(driver: SqliteDriver, *_: float) -> None:
        driver.writer.raw.execute("BEGIN DEFERRED")

    patch.setattr(SqliteDriver, "_begin_immediate", begin)


LAST_COPY = partial(races.last_copy, rounds=3, borrowers=12)
GUARDS = (
    Guard("index on open loans and lock", "postgres", LAST_COPY, drop_index_and_lock),
    Guard(
        "lock on the patron",
        "postgres",
        partial(races.one_more_than_allowed, rounds=3),
        read_the_patron_without_a_lock,
    ),
    Guard(
        "lock on the copy at its return",
        "postgres",
        partial(races.one_return, rounds=3, desks=20),
        read_the_copy_without_a_lock,
    ),
    Guard(
        "lock on the copy at a renewal",
        "postgres",
        partial(races.renewals, rounds=3),
        renew_without_a_lock,
    ),
    Guard(
        "lock on the patron who holds",
        "postgres",
        partial(trust.last_hold_slot, rounds=3),
        read_the_patron_without_a_lock,
    ),
    Guard(
        "lock on the patron who pays",
        "postgres",
        partial(trust.one_fine_paid, rounds=2, desks=20),
        read_the_patron_without_a_lock,
    ),
    Guard(
        "turns on the stars of a book",
        "postgres",
        partial(records.one_review, rounds=3),
        review_without_a_turn,
        doubles=False,  # the index on reader and book still keeps a second one away
    ),
    Guard(
        "turn on the catalogue",
        "postgres",
        partial(records.one_merge, rounds=3),
        merge_without_a_turn,
    ),
    Guard(
        "lock on the queue",
        "postgres",
        partial(trust.renewal_against_hold, rounds=20),
        let_the_queue_move,
    ),
    *(
        Guard(f"kept answer to {what}", database, partial(race, rounds=3), forget_the_answer)
        for database in ("sqlite", "postgres")
        for what, race in (
            ("one request", repeats.same_renewal),
            ("two requests", repeats.two_requests_with_one_key),
        )
    ),
    Guard("write lock at begin", "sqlite", LAST_COPY, begin_without_the_write_lock, doubles=False),
)


async def tried(guard: Guard, place: SameProcess) -> Tally:
    """The guard's race; one that cannot go on counts as lost."""
    try:
        return await guard.race(place)
    except (AssertionError, sqlite3.OperationalError) as error:
        tally = Tally()
        tally.must(False, error)
        return tally
