"""What circulation does when something happens elsewhere: it keeps its memory fresh.

Who or what has left is forgotten, and no hold goes on without them.
"""

from typing import Any, Protocol

from lendery.circulation.forgetting import erase_links
from lendery.circulation.leaving import copy_left, person_left
from lendery.circulation.merging import follow_merge, follow_undo
from lendery.circulation.recalling import recall_for
from lendery.circulation.repository import offline, remembered
from lendery.contracts.accounts import Patron, PatronChanged, PatronRemoved, Patrons
from lendery.contracts.catalog import (
    BareCopy,
    BookMerged,
    BookUnmerged,
    Copies,
    CopyChanged,
    CopyRemoved,
)
from lendery.contracts.circulation import HoldPlaced
from lendery.platform.db import Tx
from lendery.platform.events import Reaction


class Neighbours(Protocol):
    @property
    def patrons(self) -> Patrons: ...
    @property
    def copies(self) -> Copies: ...


async def ask_patron(ports: Neighbours, event: PatronChanged | PatronRemoved) -> Patron | None:
    return next(iter(await ports.patrons.by_ids(ids=[event.patron_id])), None)


async def refresh_patron(tx: Tx, event: PatronChanged, told: Patron | None) -> None:
    if told is not None:
        await remembered.remember_patron(tx, told)


async def forget_patron(tx: Tx, event: PatronRemoved, told: Patron | None) -> None:
    """What is remembered first says that it is newer than anything still on its way."""
    known = await remembered.patron_seen(tx, card=None, patron_id=event.patron_id)
    if told is not None:
        await remembered.remember_patron(tx, told)
    card = known.card_number if known is not None else None
    await offline.forget_patron(tx, event.patron_id, card=card)  # while their loans are known
    await person_left(tx, event.patron_id, now=event.at)
    await erase_links(tx, event.patron_id, now=event.at)
    await remembered.forget_patron(tx, event.patron_id)


async def ask_copy(ports: Neighbours, event: CopyChanged) -> BareCopy | None:
    return next(iter(await ports.copies.by_ids(ids=[event.copy_id])), None)


async def refresh_copy(tx: Tx, event: CopyChanged, told: BareCopy | None) -> None:
    if told is not None:
        await remembered.remember_copy(tx, told)


async def forget_copy(tx: Tx, event: CopyRemoved, told: Any) -> None:
    await copy_left(tx, event.copy_id, now=event.at)
    await remembered.forget_copy(tx, event.copy_id)


async def ask_copies(ports: Neighbours, event: BookMerged | BookUnmerged) -> list[BareCopy]:
    return await ports.copies.by_ids(ids=list(event.copy_ids)) if event.copy_ids else []


async def call_a_loan_back(tx: Tx, event: HoldPlaced, told: Any) -> None:
    await recall_for(tx, event)


REACTIONS = (
    Reaction(HoldPlaced, call_a_loan_back),
    Reaction(PatronChanged, refresh_patron, ask_patron),
    Reaction(PatronRemoved, forget_patron, ask_patron),
    Reaction(CopyChanged, refresh_copy, ask_copy),
    Reaction(CopyRemoved, forget_copy),
    Reaction(BookMerged, follow_merge, ask_copies),
    Reaction(BookUnmerged, follow_undo, ask_copies),
)
