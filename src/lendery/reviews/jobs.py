"""What reviews does by the clock."""

from datetime import datetime, timedelta
from typing import Protocol

from lendery.contracts.reviews import Reviews
from lendery.platform.jobs import Job


class Board(Protocol):
    @property
    def reviews(self) -> Reviews: ...


async def verify_borrowers(board: Board, now: datetime) -> None:
    """Whoever has borrowed the book by now, or could not be asked about before."""
    await board.reviews.verify(now=now)


JOBS = (Job("verify borrowers", timedelta(minutes=10), verify_borrowers),)
