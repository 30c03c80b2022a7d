"""When a job's time comes round, and whether it is to be run now. Pure: `now` is an argument.

A job's times are its slots. A slot is an instant, and the same for everybody: of a job that runs
every so often it is counted from 1970, by UTC; of one that runs at a time of the day there is one
for each date of the library's calendar, also when that time does not exist on it (then as much
later as the clocks were put on) or exists twice (then the first).

What was done about a slot is a row (db/slots.py). `decide` looks at the newest one:

- a slot that has a row is never claimed again, also when the clock was set back since;
- slots that were missed, because nobody ran or the clock was put on, are made up for by the newest
  of them alone, unless each counts: then one after the other, the oldest first;
- what a clock that ran ahead has claimed for later than tomorrow does not stop today's work;
- a runner whose lease has run out is doubted before it is given up: it may live, and it was the
  clock that moved. It has until the end of `grace` to speak up.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
FIRST_DAY = EPOCH.date().toordinal()
DAY = timedelta(days=1)
TRUST = DAY  # so far may a clock have been ahead of ours, and still be believed
OLDEST = timedelta(days=366)  # a slot that counts is made up for within that time
FIRST_REST = timedelta(minutes=5)  # between the first failure and the second attempt
LONGEST_REST = timedelta(hours=1)
MOST_ATTEMPTS = 20

SlotState = Literal["waiting", "running", "done", "failed"]


@dataclass(frozen=True)
class Times:
    """`at` is a time of the day in `zone`; then `every` is a whole number of days."""

    every: timedelta
    at: time | None = None
    zone: str = "UTC"

    def __post_init__(self) -> None:
        if self.every <= timedelta(0) or (self.at is not None and self.every % DAY):
            raise ValueError("a job runs every so often, or at a time of every so many days")

    def latest(self, now: datetime) -> datetime:
        """The newest slot that is not later than now."""
        if self.at is None:
            return now - (now - EPOCH) % self.every
        day = now.astimezone(ZoneInfo(self.zone)).date() + 2 * DAY
        while (slot := self._on(day)) is None or slot > now:
            day -= DAY
        return slot

    def following(self, after: datetime) -> datetime:
        """The first slot that is later."""
        if self.at is None:
            return self.latest(after) + self.every
        day = after.astimezone(ZoneInfo(self.zone)).date() - 2 * DAY
        while (slot := self._on(day)) is None or slot <= after:
            day += DAY
        return slot

    def _on(self, day: date) -> datetime | None:
        """The slot of a date. Without `fold` Python takes the first of two, and for a time that
        was left out what the clocks would have shown had they not been put on."""
        if self.at is None or (day.toordinal() - FIRST_DAY) % self.every.days:
            return None
        return datetime.combine(day, self.at, ZoneInfo(self.zone)).astimezone(UTC)


@dataclass(frozen=True)
class Slot:
    """What is known of a slot that somebody has claimed or asked for."""

    at: datetime
    state: SlotState
    attempts: int = 1
    lease_until: datetime | None = None
    doubted: bool = False
    again_at: datetime | None = None  # of a failed one: when it is tried again


@dataclass(frozen=True)
class Claim:
    """Run this slot. `again`: it has a row already."""

    at: datetime
    again: bool = False


@dataclass(frozen=True)
class Doubt:
    """Ask whoever has this slot to speak up."""

    at: datetime


@dataclass(frozen=True)
class GiveUp:
    """This slot was begun too often and never came to its end."""

    at: datetime


@dataclass(frozen=True)
class Wait:
    """Nothing is to be done before this time."""

    until: datetime


Decision = Claim | Doubt | GiveUp | Wait


def horizon(now: datetime) -> datetime:
    """Rows of slots beyond this are not looked at."""
    return now + TRUST


def decide(
    times: Times, newest: Slot | None, now: datetime, *, lease: timedelta, each: bool = False
) -> Decision:
    """What to do about a job; `newest` is its newest slot up to the horizon.

    `lease` is how long a runner may be silent; `each` says that every missed slot counts.
    """
    this = times.latest(now)
    if newest is None:
        return Claim(this)
    if newest.state == "running":
        if newest.lease_until is not None and now < newest.lease_until <= now + 2 * lease:
            return Wait(newest.lease_until)
        if not newest.doubted or (newest.lease_until or now) > now:
            return Doubt(newest.at)
        if newest.attempts >= MOST_ATTEMPTS:
            return GiveUp(newest.at)
    if not is_over(newest) and (each or newest.at >= this):
        again_at = _again_at(newest, now)
        return Wait(again_at) if again_at > now else Claim(newest.at, again=True)
    if newest.at >= this:
        return Wait(times.following(max(newest.at, now)))
    return Claim(_oldest_missed(times, newest.at, now) if each else this)


def is_over(slot: Slot) -> bool:
    """Done, or given up."""
    return slot.state == "done" or (slot.state == "failed" and slot.again_at is None)


def _again_at(slot: Slot, now: datetime) -> datetime:
    """When a slot that is not over is tried again; at once if the clock was set back since."""
    if slot.again_at is None or slot.again_at - now > LONGEST_REST:
        return now
    return slot.again_at


def _oldest_missed(times: Times, last: datetime, now: datetime) -> datetime:
    return times.following(max(last, now - OLDEST))


def rest_after(attempts: int, every: timedelta) -> timedelta | None:
    """How long to wait after so many attempts have failed; None: it is given up.

    Five minutes, then twice as long each time up to an hour, and never longer than until the
    job's next time.
    """
    if attempts >= MOST_ATTEMPTS:
        return None
    doubled: timedelta = FIRST_REST * 2 ** min(attempts - 1, 10)
    return min(every, LONGEST_REST, doubled)
