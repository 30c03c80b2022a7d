"""What follows for a review and for the stars of its book."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Literal, Protocol
from uuid import UUID

State = Literal["shown", "reported", "hidden"]
SOONEST, LATEST = timedelta(days=1), timedelta(days=90)
NO_STARS: tuple[int, ...] = (0, 0, 0, 0, 0)


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


class Written(Protocol):
    """A review, as far as it decides where it stands. `patron_id` is None of who was removed."""

    @property
    def id(self) -> UUID: ...
    @property
    def written_of(self) -> UUID: ...
    @property
    def patron_id(self) -> UUID | None: ...
    @property
    def created_at(self) -> datetime: ...


def ends(into: Mapping[UUID, UUID | None]) -> dict[UUID, UUID]:
    """What each book is now: where it leads by what was merged into what.

    Two that lead to each other were heard of out of order; the next news sets them right.
    """
    found = {}
    for book_id in into:
        passed = [book_id]
        while (further := into.get(passed[-1])) is not None and further not in passed:
            passed.append(further)
        found[book_id] = passed[-1]
    return found


def places(written: Sequence[Written], ends: Mapping[UUID, UUID]) -> dict[UUID, tuple[UUID, bool]]:
    """Where each review is to stand: with which book, and whether aside.

    A reader has one review of a book. Of several the newest counts; the others stand aside, each
    under another of the books that were merged.
    """
    found: dict[UUID, tuple[UUID, bool]] = {}
    theirs: defaultdict[tuple[UUID, UUID], list[Written]] = defaultdict(list)
    for each in written:
        end = ends[each.written_of]
        found[each.id] = (end, False)
        if each.patron_id is not None:
            theirs[end, each.patron_id].append(each)
    for (end, _), several in theirs.items():
        newest = max(several, key=lambda each: (each.created_at, each.id))
        for each in several:
            if each is not newest:
                free = newest.written_of if each.written_of == end else each.written_of
                found[each.id] = (free, True)
    return found
