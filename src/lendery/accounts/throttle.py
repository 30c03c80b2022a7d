"""Holds off whoever tries passwords: failures are counted in the database, for all processes.

An attempt takes its place before the password is looked at. Were it counted only afterwards,
a hundred sent at once would all be looked at. While others of the same kind are being looked
at and there is no room beside them, it waits for them; success gives the place back.
"""

import asyncio
import hashlib
import hmac
import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from lendery.accounts.repository import failures as rows
from lendery.contracts.base import TooManyRequests, new_id
from lendery.platform.db import Database, Tx
from lendery.platform.settings import Settings

WINDOW = timedelta(minutes=15)
PATIENCE = timedelta(seconds=30)  # after which an attempt nobody settled counts as a failure
PER_PLACE = 10  # times as many as for one e-mail: a school may have one address
PAUSE, PAUSES = 0.05, 100


class Attempt(NamedTuple):
    id: UUID
    who: str
    place: str
    at: datetime


@dataclass(frozen=True)
class Throttle:
    """So many failures in 15 minutes for an e-mail at one address, ten times that for all."""

    db: Database
    settings: Settings

    async def admit(self, *, email: str, address: str, now: datetime) -> Attempt:
        """Raises TooManyRequests with `retry_after` in seconds."""
        attempt = Attempt(new_id(), self._digest("who", email), self._digest("place", address), now)
        for _ in range(PAUSES):
            if await self._took_place(attempt):
                return attempt
            await asyncio.sleep(PAUSE)
        raise TooManyRequests("Too many log-ins at once. Try again.", retry_after=1)

    async def _took_place(self, attempt: Attempt) -> bool:
        now = attempt.at
        async with self.db.begin() as tx:
            recent = await rows.recent(tx, place=attempt.place, since=now - WINDOW)
            own = [row for row in recent if row.who == attempt.who]
            limit = self.settings.failed_logins
            if not (_has_room(own, limit, now) and _has_room(recent, limit * PER_PLACE, now)):
                return False
            await rows.begin(
                tx,
                id=attempt.id,
                who=attempt.who,
                place=attempt.place,
                now=now,
                until=now + PATIENCE,
            )
        return True

    async def failed(self, attempt: Attempt) -> None:
        async with self.db.begin() as tx:
            await rows.settle(tx, id=attempt.id, forget_before=attempt.at - WINDOW)

    async def succeeded(self, tx: Tx, attempt: Attempt) -> None:
        """Forgets the failures of this person at this address."""
        await rows.clear(tx, who=attempt.who, place=attempt.place)

    def _digest(self, kind: str, text: str) -> str:
        secret = self.settings.secret.get_secret_value().encode()
        said = f"lendery throttle {kind}:{text}".encode("utf-8", "surrogatepass")
        return hmac.new(secret, said, hashlib.sha256).hexdigest()


def _has_room(recent: Sequence[Any], limit: int, now: datetime) -> bool:
    """False: wait for those in progress. Raises TooManyRequests when failures fill it."""
    failed = [row.at for row in recent if row.pending_until is None or row.pending_until <= now]
    if len(failed) >= limit:
        wait = max(1, math.ceil((failed[-limit] + WINDOW - now).total_seconds()))
        raise TooManyRequests(
            f"Too many failed log-ins. Wait {math.ceil(wait / 60)} minutes.", retry_after=wait
        )
    return len(recent) < limit
