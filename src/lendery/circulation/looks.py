"""That staff looked at a reader here, noted as long as that reader is known here."""

from collections.abc import Iterable
from uuid import UUID

from lendery.circulation.models import LOOKUPS
from lendery.circulation.repository import remembered
from lendery.contracts.permissions import Actor
from lendery.platform.db import Database
from lendery.platform.lookups import note


async def note_look(db: Database, actor: Actor, people: Iterable[UUID | None], what: str) -> None:
    """Of who was erased nothing is written down any more. None: whose it was is forgotten."""
    known = [each for each in people if each is not None]
    await note(db, LOOKUPS, actor, known, what, remembered.still_known)
