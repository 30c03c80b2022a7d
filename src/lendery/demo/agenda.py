"""What is going to happen in the demo library: the plan, and what follows from it."""

import heapq
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from lendery.demo import plan


@dataclass(frozen=True, kw_only=True, slots=True)
class Browse:
    """A reader takes home something that stands on the shelf, whatever it is."""

    at: datetime
    loan: int
    reader: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Ask:
    """A reader places a hold. `unseen`: not knowing, or not minding, that it is on the shelf there.

    `comes`: to collect it, like everybody.
    """

    at: datetime
    reader: int
    title: int
    pickup: int
    unseen: bool = False
    comes: bool = True


@dataclass(frozen=True, kw_only=True, slots=True)
class AskForStanding:
    """A reader holds some book that stands on the shelf of one branch, to collect it at another."""

    at: datetime
    reader: int
    stands_at: int
    pickup: int


@dataclass(frozen=True, kw_only=True, slots=True)
class AskForOut:
    """A reader holds some book that is out and that so many others wait for."""

    at: datetime
    reader: int
    others: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Suspend:
    """A reader lets others pass until a day."""

    at: datetime
    hold: int
    until: date


@dataclass(frozen=True, kw_only=True, slots=True)
class Cancel:
    """A reader does not want it any more."""

    at: datetime
    hold: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Collect:
    """A reader comes for what stands on the hold shelf."""

    at: datetime
    hold: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Pull:
    """Staff look for a copy on the shelves for whoever waits."""

    at: datetime
    title: int


@dataclass(frozen=True, kw_only=True, slots=True)
class TakeIn:
    """A copy that is not on loan is checked in: it arrived, was pulled, or was not collected."""

    at: datetime
    copy: int
    branch: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Charge:
    """Staff charge by hand: a wet book, a lost card."""

    at: datetime
    reader: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Pay:
    """A reader pays all that is owed."""

    at: datetime
    reader: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Midnight:
    """A day begins: what nobody collected by its last day is ended."""

    at: datetime
    day: date


OfHold = Suspend | Cancel | Collect
Money = Charge | Pay
AskForAny = AskForStanding | AskForOut
Step = plan.Event | Browse | Ask | AskForAny | OfHold | Pull | TakeIn | Money | Midnight
# These look at all there is before they say what they touch, so nothing goes beside them.
ALONE = (Browse, AskForStanding, AskForOut, Midnight)


class Agenda:
    """What is to be done up to an instant, in the order of time.

    Of one instant what was put down first comes first.
    """

    def __init__(self, planned: Sequence[plan.Event], *, until: datetime) -> None:
        self._until = until
        self._to_do: list[tuple[datetime, int, Step]] = [
            (step.at, number, step) for number, step in enumerate(planned)
        ]
        self._numbers = len(planned)

    @property
    def next(self) -> Step | None:
        return self._to_do[0][2] if self._to_do else None

    def take(self) -> Step:
        return heapq.heappop(self._to_do)[2]

    def add(self, *steps: Step) -> None:
        for step in steps:
            if step.at <= self._until:
                heapq.heappush(self._to_do, (step.at, self._numbers, step))
                self._numbers += 1
