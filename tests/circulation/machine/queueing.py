"""What the model says to holds: who may wait, who gets which copy, and what becomes of it.

Who is served is found by trying: the books are few. A real library needs the program's way.
"""

from collections.abc import Iterator, Sequence
from datetime import date, datetime
from uuid import UUID

from tests.circulation.machine.model import Copy, Hold, Model, Patron, Refused, Told

Given = dict[UUID, Copy]  # which hold gets which copy


# who gets which copy


def may_serve(model: Model, copy: Copy, hold: Hold, now: datetime) -> bool:
    """Could this copy be given to this hold, today, if it were free?"""
    today = model.week(hold.pickup).today(now)
    if hold.sleeps(today) or hold.only not in (None, copy):
        return False
    return not copy_codes(model, hold.patron, copy, hold.pickup, today, ever=True)


def free_copies(model: Model, book: UUID) -> list[Copy]:
    return [c for c in model.copies if c.book == book and model.on_shelf(c) and not c.flags]


def served(
    model: Model, queue: Sequence[Hold], copies: Sequence[Copy], now: datetime
) -> list[Hold]:
    """In their order, whoever can have a copy beside all who come before."""
    found: list[Hold] = []
    for hold in queue:
        if next(_ways(model, [*found, hold], copies, now), None) is not None:
            found.append(hold)
    return found


def _ways(
    model: Model, holds: Sequence[Hold], copies: Sequence[Copy], now: datetime
) -> Iterator[Given]:
    """Every way to give each of these holds a copy of its own."""
    if not holds:
        yield {}
        return
    first, *rest = holds
    for copy in copies:
        if may_serve(model, copy, first, now):
            others = [each for each in copies if each is not copy]
            for way in _ways(model, rest, others, now):
                yield {first.id: copy, **way}


def best_ways(
    model: Model,
    queue: Sequence[Hold],
    copies: Sequence[Copy],
    now: datetime,
    in_hand: Copy | None = None,
) -> list[Given]:
    """Of the ways to serve as many as can be served in turn, those of least transport.

    Then those that use the copy in hand; and of readers who want just the same, the first gets
    the nearest.
    """
    holds = served(model, queue, copies, now)
    ways = list(_ways(model, holds, copies, now))

    def weight(way: Given) -> tuple[int, int]:
        costs = sum(model.transport(way[hold.id], hold.pickup) for hold in holds)
        return costs, sum(copy is not in_hand for copy in way.values())

    least = min(weight(way) for way in ways)
    best = [way for way in ways if weight(way) == least]
    return [way for way in best if _nearest_first(model, holds, copies, way, now)]


def _nearest_first(
    model: Model, holds: Sequence[Hold], copies: Sequence[Copy], way: Given, now: datetime
) -> bool:
    takes = {h.id: [c for c in copies if may_serve(model, c, h, now)] for h in holds}
    return not any(
        before.pickup == after.pickup
        and takes[before.id] == takes[after.id]
        and model.transport(way[before.id], before.pickup)
        > model.transport(way[after.id], after.pickup)
        for place, before in enumerate(holds)
        for after in holds[place + 1 :]
    )


def takers(model: Model, copy: Copy, now: datetime) -> list[Hold | None]:
    """Whom the copy in hand may go to: more than one where two ways are as good."""
    others = [each for each in free_copies(model, copy.book) if each is not copy]
    queue = model.waiting(copy.book)
    if copy.flags & {"damaged", "withdrawn"}:
        return [None]
    found: list[Hold | None] = []
    for way in best_ways(model, queue, [copy, *others], now, in_hand=copy):
        taker = next((hold for hold in queue if way.get(hold.id) is copy), None)
        if taker not in found:
            found.append(taker)
    return found


def somebody_would_lose(model: Model, copy: Copy, has_it: Patron, now: datetime) -> bool:
    """Would another reader be served if this copy came back now, and not otherwise?"""
    queue = model.waiting(copy.book)
    if copy.flags & {"damaged", "withdrawn"}:
        return False
    free = free_copies(model, copy.book)
    without = served(model, queue, free, now)
    return any(
        hold not in without and hold.patron is not has_it
        for hold in served(model, queue, [*free, copy], now)
    )


# placing


def copy_codes(
    model: Model, patron: Patron, copy: Copy, pickup: str, today: date, *, ever: bool = False
) -> set[str]:
    """What speaks against this copy for this reader. `ever`: one that is lost may be found."""
    found = set()
    gone = copy.flags & ({"withdrawn"} if ever else {"withdrawn", "lost", "missing"})
    no_rule = model.rule("loan_period", copy, patron.category) is None
    if gone or copy.item_type == "reference" or no_rule:
        found.add("not-holdable")
    least, age = model.rule("age_from", copy, patron.category), patron.age(today)
    if least and (age is None or age < least):
        found.add("age")
    where = model.rule("pickup_branches", copy, patron.category)
    if where == "home" and pickup != copy.home:
        found.add("pickup-not-allowed")
    return found


def place(
    model: Model, patron: Patron, book: UUID, only: Copy | None, pickup: str, now: datetime
) -> Hold:
    """The hold, without its id yet."""
    copies = [c for c in model.copies if (c is only if only else c.book == book)]
    copies.sort(key=lambda copy: copy.id)
    today = model.week(pickup).today(now)
    found = _limits(model, patron, copies[0], book, only, today)
    of_copies = _objections_to_copies(model, patron, copies, pickup, today)
    found |= min(of_copies, key=len)
    if found:
        raise Refused(*found)
    hold = Hold(UUID(int=0), patron, book, only, pickup)
    model.holds.append(hold)
    model.tell(
        "HoldPlaced",
        hold_id=hold,
        copy_id=only.id if only else None,
        pickup_branch_id=model.branch_ids[pickup],
    )
    return hold


def _limits(
    model: Model, patron: Patron, copy: Copy, book: UUID, only: Copy | None, today: date
) -> set[str]:
    policy, theirs = model.policy(copy, patron), model.holds_of(patron)
    found = patron.card_codes(policy, today)
    on_book = [hold for hold in theirs if hold.book == book]
    most, in_all = policy["holds_per_book"], policy["holds"]
    if any(loan.copy.book == book for loan in model.loans_of(patron)):
        found.add("already-on-loan")
    if (only and any(hold.only is only for hold in theirs)) or (most == 1 and on_book):
        found.add("already-held")
    if most not in (None, 1) and len(on_book) >= most:
        found.add("hold-limit-book")
    if in_all is not None and len(theirs) >= in_all:
        found.add("hold-limit")
    return found


def _objections_to_copies(
    model: Model, patron: Patron, copies: Sequence[Copy], pickup: str, today: date
) -> list[set[str]]:
    told = [copy_codes(model, patron, copy, pickup, today) for copy in copies]
    lent = [
        (copy, found)
        for copy, found in zip(copies, told, strict=True)
        if found <= {"pickup-not-allowed"}
    ]
    here = [model.on_shelf(copy) and "damaged" not in copy.flags for copy, _ in lent]
    for copy, found in lent:
        when = model.rule("holds_on_shelf", copy, patron.category)
        if (when == "any-out" and all(here)) or (when == "all-out" and any(here)):
            found.add("copies-on-shelf")
    return told


# what becomes of a hold


def hold_it_fulfils(model: Model, patron: Patron, copy: Copy) -> Hold | None:
    """The hold that this very copy is kept for, else the oldest on the book."""
    theirs = [hold for hold in model.holds_of(patron) if hold.book == copy.book]
    return next((hold for hold in theirs if hold.given is copy), theirs[0] if theirs else None)


def put_back(model: Model, hold: Hold) -> None:
    assert hold.given is not None
    model.tell("HoldPutBack", hold_id=hold.id, copy_id=hold.given.id)
    hold.state, hold.given, hold.expires_on = "waiting", None, None


def hand_over(model: Model, hold: Hold, copy: Copy, branch: str, now: datetime) -> list[Told]:
    """The copy is kept for this hold: on the shelf here, or on its way to where it is wanted."""
    hold.given = copy
    says = {"hold_id": hold.id, "copy_id": copy.id}
    if hold.pickup != branch and hold.state != "in-transit":
        hold.state, hold.expires_on = "in-transit", None
        return [("HoldSentOn", {**says, "to_branch_id": model.branch_ids[hold.pickup]})]
    if hold.pickup == branch and hold.state != "ready":
        week, days = model.week(branch), model.rule("pickup_days", copy, hold.patron.category)
        hold.state = "ready"
        hold.expires_on = week.open_days_later(week.today(now), days) if days else None
        says |= {"branch_id": model.branch_ids[branch], "expires_on": hold.expires_on}
        return [("HoldReady", says)]
    return []


def end(model: Model, hold: Hold, state: str) -> None:
    """Cancelled or expired; what stood on the hold shelf for it is free."""
    if not hold.is_open:
        raise Refused("hold-has-ended")
    kept = hold.given if hold.state == "ready" else None
    hold.state, hold.given = state, None
    model.tell(f"Hold{state.capitalize()}", hold_id=hold.id)
    if kept is not None:
        model.tell("CopyReleased", copy_id=kept.id, status=model.status(kept))


def must_wait(hold: Hold) -> None:
    if not hold.is_open:
        raise Refused("hold-has-ended")
    if hold.state != "waiting":
        raise Refused("hold-not-waiting")


def collect_elsewhere(model: Model, hold: Hold, pickup: str) -> None:
    """Where one of the copies that it takes may be collected."""
    must_wait(hold)
    takes = [c for c in model.copies if c is hold.only or (not hold.only and c.book == hold.book)]
    rules = {(model.rule("pickup_branches", c, hold.patron.category), c.home) for c in takes}
    if not any(rule == "any" or home == pickup for rule, home in rules):
        raise Refused("pickup-not-allowed")
    hold.pickup = pickup
    to = model.branch_ids[pickup]
    model.tell("HoldChanged", hold_id=hold.id, pickup_branch_id=to)


def expire(model: Model, now: datetime) -> int:
    past = [
        hold
        for hold in model.holds
        if hold.state == "ready"
        and hold.expires_on is not None
        and model.week(hold.pickup).today(now) > hold.expires_on
    ]
    for hold in sorted(past, key=lambda each: each.expires_on or now.date()):
        end(model, hold, "expired")
    return len(past)
