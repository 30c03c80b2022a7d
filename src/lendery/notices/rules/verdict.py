"""Whether a mail goes out now, later, or not at all; decided at the moment of sending."""

from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from typing import Literal

from lendery.contracts.notices import Kind
from lendery.notices.rules.kinds import Wishes, by_email
from lendery.notices.rules.timing import after_quiet

TOO_OLD = timedelta(days=7)
Why = Literal["no-server", "nothing-left", "no-person", "not-allowed", "no-address", "bounced",
              "opted-out", "too-old"]  # fmt: skip


@dataclass(frozen=True)
class Case:
    """A mail that is due, and what is known of whom it is for. `active` None: nobody is there.

    `allowed`: may this person know what it tells?
    """

    kinds: tuple[Kind, ...]
    wishes: Wishes
    active: bool | None
    email: str | None
    bounced: bool
    created_at: datetime
    now: datetime
    zone: tzinfo
    allowed: bool = True


@dataclass(frozen=True)
class Send:
    """Those of the kinds that the reader still wants."""

    kinds: frozenset[Kind]


@dataclass(frozen=True)
class Postpone:
    until: datetime


@dataclass(frozen=True)
class Suppress:
    why: Why


def verdict(case: Case) -> Send | Postpone | Suppress:
    wanted = frozenset(kind for kind in case.kinds if by_email(kind, case.wishes))
    objections: tuple[tuple[bool, Why], ...] = (
        (not case.kinds, "nothing-left"),
        (not case.active, "no-person"),
        (not case.allowed, "not-allowed"),
        (not case.email, "no-address"),
        (case.bounced, "bounced"),
        (not wanted, "opted-out"),
        (case.now - case.created_at > TOO_OLD, "too-old"),
    )
    for objects, why in objections:
        if objects:
            return Suppress(why)
    until = after_quiet(case.now, case.wishes.quiet, case.zone)
    return Postpone(until) if until > case.now else Send(wanted)
