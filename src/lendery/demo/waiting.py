"""Who waits for what in the demo library: each hold from the wish to its end, by the holds port."""

import random
from collections import Counter, defaultdict
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import chain
from typing import Literal
from uuid import UUID

from lendery.contracts.circulation import Hold, HoldRefused, NewHold, Suspension
from lendery.contracts.permissions import Actor
from lendery.demo.agenda import Ask, Cancel, Collect, Midnight, Pull, Suspend, TakeIn
from lendery.demo.titles import Audience
from lendery.demo.town import Work
from lendery.demo.wishes import Wishes

WISHES = 0.12  # for each loan; in life 0.14 holds
ASKS_WHEN_MISSED = 0.4  # who does not find a book on the shelf and places a hold
_TRIES = 6
_ELSEWHERE = 0.12  # holds collected at another branch than one's own
_UNSEEN = 0.35  # asks from home, whether or not it stands on the shelf
_MOST_HELD = 8
_LONGEST_QUEUE = 8  # who sees more before them gives up the wish; so with few copies
_CANCELS, _SUSPENDS, _NEVER_COMES = 0.09, 0.05, 0.06
_A_DAY = timedelta(days=1)


@dataclass(eq=False)
class Waiting:
    """One hold. `copy` is the copy it was given, `expires_on` its last day on the hold shelf."""

    number: int
    ask: Ask
    id: UUID
    state: Literal["waiting", "in-transit", "ready", "ended"] = "waiting"
    copy: int | None = None
    expires_on: date | None = None
    until: date | None = None  # suspended


class WaitingList:
    def __init__(self, work: Work) -> None:
        self._work, self._town, self._stock = work, work.town, work.stock
        self._built, self._port = work.built, work.town.wiring.holds
        # One for what is drawn before steps and one for after, so that it is all the same how many
        # go together.
        self._before = random.Random(f"{work.town.seed} wishes")
        self._after = random.Random(f"{work.town.seed} holds")
        self._wishes = Wishes(
            work.town.titles,
            work.stock,
            readers=len(work.town.readers),
            seed=work.town.seed,
            rng=self._before,
        )
        self._holds: list[Waiting] = []
        self._by_id: dict[UUID, Waiting] = {}
        self._asked: set[tuple[int, int]] = set()  # by whom, for which title: placed and open
        self._open: dict[tuple[int, int], Waiting] = {}
        self._held: Counter[int] = Counter()
        self.queues: defaultdict[int, list[Waiting]] = defaultdict(list)
        self._ready: dict[int, Waiting] = {}

    def hold(self, number: int) -> Waiting:
        return self._holds[number]

    # Wishes: what will be asked for, and where it is collected.

    def wish(self, reader: int, audience: Audience, at: datetime) -> None:
        """What a reader who is borrowing would like besides, now and then."""
        if self._before.random() < WISHES:
            for _ in range(_TRIES):
                title = self._wishes.one(audience, at.date())
                if title is not None and self._asks(reader, title, at):
                    return

    def missed(self, reader: int, title: int, at: datetime) -> None:
        """The reader wanted it, and it is not on the shelf."""
        if self._before.random() < ASKS_WHEN_MISSED:
            self._asks(reader, title, at)

    def _asks(self, reader: int, title: int, at: datetime) -> bool:
        """Later that day, if it makes sense."""
        if reader == self._town.ann:
            return False  # her holds are in her story
        pickup = self._town.home_of(reader)
        if self._before.random() < _ELSEWHERE:
            pickup = self._before.randrange(len(self._town.branches))
        later = timedelta(minutes=self._before.randint(2, 240))
        unseen = self._before.random() < _UNSEEN
        ask = Ask(at=at + later, reader=reader, title=title, pickup=pickup, unseen=unseen)
        if not self.makes_sense(ask):
            return False
        self._work.agenda.add(ask)
        return True

    def makes_sense(self, ask: Ask) -> bool:
        """Does anybody place this, seeing the shelf and the queue?"""
        longest = min(_LONGEST_QUEUE, 3 * self._stock.lent_of(ask.title) + 2)
        return (
            not self.has(ask.reader, ask.title)
            and self._held[ask.reader] < _MOST_HELD
            and len(self.queues[ask.title]) < longest
            and self._stock.lent_of(ask.title) > 0
            and (ask.unseen or next(self._stock.standing(ask.title, ask.pickup), None) is None)
        )

    def has(self, reader: int, title: int) -> bool:
        """At home, or asked for."""
        return (reader, title) in self._work.at_home or (reader, title) in self._asked

    # Placing, suspending, cancelling.

    def ask(self, step: Ask) -> Ask | None:
        return self.noted(step) if self.makes_sense(step) else None

    def noted(self, ask: Ask) -> Ask:
        self._asked.add((ask.reader, ask.title))
        return ask

    async def place(self, ask: Ask) -> Hold | None:
        book_id = self._town.books[ask.title]
        pickup = self._town.branches[ask.pickup]
        # no two holds at one instant: their order in the queue must not be left to chance
        now = ask.at.replace(microsecond=ask.reader % 1_000_000)
        try:
            return await self._port.place(
                hold=NewHold(book_id=book_id, pickup_branch_id=pickup),
                actor=self._reader(ask.reader),
                now=now,
            )
        except HoldRefused:
            return None

    def placed(self, ask: Ask, told: Hold | None) -> None:
        """What follows: staff look for it, and some readers change their minds."""
        if told is None:
            self._asked.discard((ask.reader, ask.title))
            self._built.refused += 1
            return
        hold = Waiting(len(self._holds), ask, told.id)
        self._holds.append(hold)
        self._by_id[told.id] = self._open[ask.reader, ask.title] = hold
        self._held[ask.reader] += 1
        self.queues[ask.title].append(hold)
        self._built.holds += 1
        if next(self._stock.standing(ask.title), None) is not None:
            self._work.agenda.add(Pull(at=_morning(ask.at.date() + _A_DAY), title=ask.title))
        if ask.comes:
            self._second_thoughts(hold)

    def _second_thoughts(self, hold: Waiting) -> None:
        chance, at = self._after.random(), hold.ask.at
        if chance < _CANCELS:
            at += timedelta(days=self._after.randint(1, 14))
            self._work.agenda.add(Cancel(at=at, hold=hold.number))
        elif chance < _CANCELS + _SUSPENDS:
            at += timedelta(days=self._after.randint(1, 3))
            until = at.date() + timedelta(days=self._after.randint(10, 40))
            self._work.agenda.add(Suspend(at=at, hold=hold.number, until=until))

    def still_waits(self, step: Suspend) -> Suspend | None:
        return step if self.hold(step.hold).state == "waiting" else None

    async def suspend(self, step: Suspend) -> Hold:
        hold = self.hold(step.hold)
        return await self._port.suspend(
            hold_id=hold.id,
            suspension=Suspension(until=step.until),
            actor=self._reader(hold.ask.reader),
            now=step.at,
        )

    def suspended(self, step: Suspend, told: Hold) -> None:
        """When it counts again, a copy may stand on a shelf."""
        hold = self.hold(step.hold)
        hold.until = step.until
        self._work.agenda.add(Pull(at=_morning(step.until), title=hold.ask.title))

    def is_open(self, step: Cancel) -> Cancel | None:
        return step if self.hold(step.hold).state != "ended" else None

    async def cancel(self, step: Cancel) -> Hold:
        hold = self.hold(step.hold)
        return await self._port.cancel(
            hold_id=hold.id, actor=self._reader(hold.ask.reader), now=step.at
        )

    def cancelled(self, step: Cancel, told: Hold) -> None:
        self._built.cancelled += 1
        self._end(self.hold(step.hold), step.at.date() + _A_DAY)

    # Copies that are found for somebody, and what becomes of them.

    def pull(self, step: Pull) -> TakeIn | None:
        """The copy that staff fetch from its shelf; tomorrow, where they are not in today."""
        day = step.at.date()
        waits = [one for one in self.queues[step.title] if one.until is None or one.until <= day]
        copy = self.nearest(step.title, waits[0].ask.pickup) if waits else None
        if copy is None:
            return None
        home = self._town.shelved[copy].planned.branch_index
        if not self._work.hours.open_on(home, day):
            self._work.agenda.add(Pull(at=step.at + _A_DAY, title=step.title))
            return None
        self._stock.away.add(copy)
        return TakeIn(at=step.at, copy=copy, branch=home)

    def nearest(self, title: int, pickup: int) -> int | None:
        """A copy that stands on its shelf, best where it is collected."""
        here, anywhere = self._stock.standing(title, pickup), self._stock.standing(title)
        return next(chain(here, anywhere), None)

    def found(self, told: Hold, copy: int, at: datetime) -> None:
        """A copy is for this hold: it is on its way, or stands on the hold shelf."""
        hold = self._by_id[told.id]
        if hold in self.queues[hold.ask.title]:
            self.queues[hold.ask.title].remove(hold)
        hold.copy, hold.expires_on = copy, told.expires_on
        hold.state = "ready" if told.state == "ready" else "in-transit"
        if hold.state == "ready":
            self._ready[hold.number] = hold
            if hold.ask.comes and self._after.random() >= _NEVER_COMES:
                self._comes_for(hold, at.date())

    def _comes_for(self, hold: Waiting, today: date) -> None:
        """Within days; who finds it gone by then was too late."""
        pickup, hours = hold.ask.pickup, self._work.hours
        wanted = today + timedelta(days=self._after.randint(1, 4))
        day = hours.open_day(pickup, wanted, after=today)
        if day is not None:
            at = hours.instant(pickup, day, 0.97 * self._after.triangular(0, 1, 0.6))
            self._work.agenda.add(Collect(at=at, hold=hold.number))

    def fulfilled(self, reader: int, copy: int, at: datetime) -> bool:
        """The reader has a copy now: whether it was held. One kept beside it goes on."""
        hold = self._open.get((reader, self._town.title_of(copy)))
        if hold is None:
            return False
        self._built.collected += 1
        if hold.copy == copy:
            hold.copy = None
        self._end(hold, at.date() + _A_DAY)
        return True

    async def expire(self, step: Midnight) -> int:
        return await self._port.expire(now=step.at)

    def expired(self, step: Midnight, ended: int) -> None:
        late = [one for one in self._ready.values() if one.expires_on and one.expires_on < step.day]
        assert len(late) == ended, f"{ended} holds expired where {len(late)} should have"
        self._built.expired += ended
        for hold in late:
            self._end(hold, step.day)

    def _end(self, hold: Waiting, day: date) -> None:
        """A copy that stands on the hold shelf for it is checked in again, from that day on."""
        kept, ask = hold.state == "ready", hold.ask
        hold.state = "ended"
        self._asked.discard((ask.reader, ask.title))
        del self._open[ask.reader, ask.title]
        self._held[ask.reader] -= 1
        self._ready.pop(hold.number, None)
        if hold in self.queues[ask.title]:
            self.queues[ask.title].remove(hold)
        opens = self._work.hours.open_day(ask.pickup, day, after=day - _A_DAY)
        if kept and hold.copy is not None and opens is not None:
            at = self._work.hours.instant(ask.pickup, opens, 0.01)
            self._work.agenda.add(TakeIn(at=at, copy=hold.copy, branch=ask.pickup))

    def _reader(self, reader: int) -> Actor:
        return Actor(id=self._town.readers[reader].id, role="reader")


def _morning(day: date) -> datetime:
    """Before noon, when staff of all branches that open on that day may be at work."""
    return datetime.combine(day, time(10, 30), UTC)
