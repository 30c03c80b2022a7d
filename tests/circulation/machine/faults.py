"""Faults to plant in the running code, each off by one or forgetting one thing.

The machine must see every one of them: what does not fail on a fault proves nothing without it.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

from pytest import MonkeyPatch
from sqlalchemy import bindparam, select
from tests.circulation.machine.world import ANY, Scope

from lendery.circulation import handing_over, house, restoring, rules, settling
from lendery.circulation.hold_steps import Step
from lendery.circulation.models import hold, patron
from lendery.circulation.repository import holds as hold_rows
from lendery.circulation.rules import OpeningHours, checkout, due, holding, late_fines, ledger
from lendery.circulation.rules import renewal as renewing
from lendery.platform.db import Statement

Plant = Callable[[MonkeyPatch], None]


@dataclass(frozen=True)
class Fault:
    name: str
    plant: Plant
    within: int = 3000  # steps
    given: dict[tuple[str, Scope], Any] = field(default_factory=dict)  # where it matters


def instead(owner: Any, name: str, wrong: Callable[..., Any]) -> Plant:
    """`wrong` gets the real function first."""

    def plant(patch: MonkeyPatch) -> None:
        real = getattr(owner, name)
        patch.setattr(owner, name, lambda *given, **named: wrong(real, *given, **named))

    return plant


def in_rules(owner: Any, rules: str, name: str, wrong: Callable[..., Any]) -> Plant:
    """One of a tuple of rules."""

    def plant(patch: MonkeyPatch) -> None:
        real = getattr(owner, name)
        found = getattr(owner, rules)
        assert real in found
        changed = [
            each if each is not real else lambda *given: wrong(real, *given) for each in found
        ]
        patch.setattr(owner, rules, tuple(changed))

    return plant


def newest_first(patch: MonkeyPatch) -> None:
    query = (
        select(hold, patron.c.category, patron.c.born_on)
        .select_from(hold.outerjoin(patron, patron.c.id == hold.c.patron_id))
        .where(hold.c.book_id == bindparam("book_id"), hold.c.state == "waiting")
        .order_by(hold.c.placed_at.desc())
        .limit(bindparam("most"))
        .offset(bindparam("skip"))
    )
    patch.setattr(hold_rows, "QUEUE", Statement(query))


def one_more(limit: str) -> Callable[..., Any]:
    """As if the limit were compared with > and not with >=."""

    def wrong(real: Any, facts: Any, policy: Any) -> Any:
        most = getattr(policy, limit)
        return real(facts, policy if most is None else replace(policy, **{limit: most + 1}))

    return wrong


def without_the_line(real: Any, till: Any, told: Any, **columns: Any) -> Any:
    writes = real(till, told, **columns)
    return writes[1:] if columns["kind"] == "payment" else writes


def with_costs(other: Callable[..., int]) -> Callable[..., Any]:
    def fill(real: Any, queue: Any, shelves: Any, cost: Any, **named: Any) -> Any:
        return real(queue, shelves, lambda *way: other(cost, *way), **named)

    return fill


def greedy(_: Any, queue: Any, shelves: Any, cost: Any, prefer: int | None = None) -> Any:
    left, given = [shelf.copies for shelf in shelves], {}
    for waiting in queue:
        suits = [shelf for shelf in sorted(waiting.takes) if left[shelf]]
        if suits:
            given[waiting.id] = suits[0]
            left[suits[0]] -= 1
    return given


FAULTS = (
    Fault("a day more late", instead(late_fines, "late_units", lambda real, **of: real(**of) + 1)),
    Fault(
        "grace ends a day early",
        instead(
            late_fines,
            "_past_grace",
            lambda real, late, policy: real(late, replace(policy, grace=max(0, policy.grace - 1))),
        ),
        given={("grace", ANY): 1},
    ),
    Fault(
        "the cap counts each charge alone",
        instead(rules, "fine_due", lambda real, **of: real(**{**of, "charged": 0})),
        given={("fine_cap", ANY): 30, ("renewals", ANY): None, ("owed_limit", ANY): None},
    ),
    Fault("the queue turned round", newest_first),
    Fault(
        "one hold too many",
        in_rules(holding, "LIMIT_RULES", "too_many_holds", one_more("holds")),
        given={("holds", ANY): 1},
    ),
    Fault(
        "one loan too many",
        in_rules(
            checkout, "CHECK_OUT_RULES", "too_many_loans_in_total", one_more("max_loans_total")
        ),
    ),
    Fault(
        "owing the limit blocks",
        in_rules(
            checkout,
            "CHECK_OUT_RULES",
            "owes_too_much",
            lambda real, facts, policy: real(
                facts,
                policy
                if not policy.owed_limit
                else replace(policy, owed_limit=policy.owed_limit - 1),
            ),
        ),
        given={("owed_limit", ANY): 50},
    ),
    Fault(
        "a day more on the hold shelf",
        instead(
            handing_over,
            "_last_day",
            lambda real, *of, **named: (day := real(*of, **named)) and day + timedelta(days=1),
        ),
    ),
    Fault(
        "days are counted in Greenwich",
        instead(house.House, "hours_of", lambda real, *_: OpeningHours(None, "UTC")),
    ),
    Fault(
        "hours are added by the wall",
        instead(
            due,
            "_hourly",
            lambda real, start, period, limits, policy, hours: real(
                start.astimezone(hours._zone), period, limits, policy, hours
            ),
        ),
    ),
    Fault(
        "renewed to an earlier day",
        in_rules(renewing, "RENEWAL_RULES", "not_later", lambda real, *_: None),
    ),
    Fault("a payment is not written", instead(settling.Till, "_line", without_the_line)),
    Fault(
        "credit is kept from what is owed",
        instead(
            ledger,
            "standing",
            lambda real, charges, free: real(
                [replace(c, settled=min(c.settled, c.amount)) for c in charges], 0
            ),
        ),
    ),
    Fault("a step is not told", instead(Step, "writes", lambda real, *of: real(*of)[:1])),
    Fault(
        "transport costs nothing",
        instead(rules, "filled", with_costs(lambda cost, *way: 0)),
    ),
    Fault(
        "the way there costs what the way back costs",
        instead(rules, "filled", with_costs(lambda cost, away, to: cost(to, away))),
    ),
    Fault("each takes the first copy that is left", instead(rules, "filled", greedy)),
    Fault(
        "sent home though it floats",
        instead(rules, "where_next", lambda real, **of: real(**{**of, "floats": False})),
    ),
    Fault(
        "an undo forgets the hold",
        instead(restoring, "_still_where_it_was_taken", lambda real, *_: False),
    ),
    Fault(
        "what was found is not given back",
        instead(rules, "given_back", lambda real, policy: frozenset()),
        given={("lost_refund", ANY): "price-and-fee", ("lost_fee", ANY): 25},
    ),
    Fault(
        "suspended a day longer",
        instead(
            rules,
            "suspended_until",
            lambda real, **of: (until := real(**of)) and until + timedelta(days=1),
        ),
        given={("suspend_days", ANY): 2},
    ),
)
