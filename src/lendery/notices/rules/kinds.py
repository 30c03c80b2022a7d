"""What each kind of notice is.

A *courtesy* can be done without: its mails carry a one-click way out (RFC 8058). The others are
the service itself, which somebody asked for (a hold, a payment) or owes (a loan that is late): a
click by a mail program's robot must not end them, and the overdue ones cannot be switched off.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import get_args

from lendery.contracts.notices import Kind
from lendery.contracts.permissions import Actor, Permission

KINDS: tuple[Kind, ...] = get_args(Kind)


@dataclass(frozen=True)
class Traits:
    """`may_wait`: a digest may hold it. `wanted`: sent by e-mail unless the reader says no.

    `needs`: only for those who have this permission when it is sent.
    """

    may_wait: bool = False
    courtesy: bool = False
    required: bool = False
    wanted: bool = True
    needs: Permission | None = None


TRAITS: Mapping[Kind, Traits] = {
    "hold-ready": Traits(),
    "hold-expiring": Traits(courtesy=True),
    "hold-expired": Traits(may_wait=True),
    "hold-cancelled": Traits(may_wait=True),
    "due-soon": Traits(may_wait=True, courtesy=True),
    "overdue-1": Traits(required=True),
    "overdue-2": Traits(required=True),
    "overdue-3": Traits(required=True),
    "loan-renewed": Traits(may_wait=True, courtesy=True),
    "account-expiring": Traits(may_wait=True, courtesy=True),
    "payment-received": Traits(may_wait=True, wanted=False),
    "charge-added": Traits(may_wait=True),
    "report": Traits(needs=Permission.READ_REPORTS),
}
REQUIRED: tuple[Kind, ...] = tuple(kind for kind in KINDS if TRAITS[kind].required)
COURTESIES: tuple[Kind, ...] = tuple(kind for kind in KINDS if TRAITS[kind].courtesy)


@dataclass(frozen=True)
class Wishes:
    """What a reader said, or nothing. `quiet`: from and until, as HH:MM."""

    email: Mapping[str, bool] = field(default_factory=dict)
    digest: bool = False
    quiet: tuple[str, str] | None = None
    language: str | None = None


def by_email(kind: Kind, wishes: Wishes) -> bool:
    """Does it come by e-mail too?"""
    traits = TRAITS[kind]
    return traits.required or wishes.email.get(kind, traits.wanted)


def is_for(kind: Kind, actor: Actor) -> bool:
    """May this person be told it?"""
    needs = TRAITS[kind].needs
    return needs is None or actor.may(needs)


def waits(kind: Kind, wishes: Wishes) -> bool:
    """Does it wait for the digest of the day?"""
    return wishes.digest and TRAITS[kind].may_wait


def way_out(kinds: Sequence[Kind]) -> tuple[Kind, ...]:
    """What one click in a mail about these switches off; nothing: the mail offers none."""
    return tuple(kind for kind in COURTESIES if kind in kinds)
