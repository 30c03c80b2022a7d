"""What follows for a review and for the stars of its book."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Literal

State = Literal["shown", "reported", "hidden"]
SOONEST, LATEST = timedelta(days=1), timedelta(days=90)
NO_STARS = (0, 0, 0, 0, 0)


def is_public(state: State) -> bool:
    """A report hides nothing: somebody must decide."""
    return state != "hidden"


def after_report(state: State) -> State:
    return "reported" if state == "shown" else state


def after_decision(decision: Literal["approve", "hide"]) -> State:
    return "hidden" if decision == "hide" else "shown"


def counted(
    stars: Sequence[int], *, before: int | None = None, after: int | None = None
) -> tuple[int, ...]:
    """The stars of a book when a review with `before` stars has `after` now; None: is not shown."""
    counts = list(stars)
    if before is not None:
        counts[before - 1] -= 1
    if after is not None:
        counts[after - 1] += 1
    return tuple(counts)


def ask_again_at(written_at: datetime, now: datetime) -> datetime:
    """When to ask next whether the reader has borrowed the book: the older, the more seldom."""
    return now + min(max(now - written_at, SOONEST), LATEST)
