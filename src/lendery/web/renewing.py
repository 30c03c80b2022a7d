"""Renewing some loans of one person, one after the other, and telling what became of each."""

import re
import secrets
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from lendery.contracts.base import Problem, RequestKey
from lendery.contracts.circulation import Loan, RenewalRefused
from lendery.contracts.permissions import Actor
from lendery.web.ports import Ports

KEY = re.compile(r"^[A-Za-z0-9-]{8,64}$")


@dataclass(frozen=True)
class Renewal:
    """`loan` when it was renewed, else why not."""

    loan_id: UUID
    loan: Loan | None = None
    says: str = ""


def new_key() -> str:
    return secrets.token_hex(12)


def request_key(key: str, actor: Actor, *asked: object) -> RequestKey | None:
    """The idempotency key that a form carries; None when it carries none we gave."""
    if not KEY.match(key):
        return None
    return RequestKey.of(key, sender=actor.id, asked=repr(asked).encode())


async def renew(
    ports: Ports, loan_ids: list[UUID], *, actor: Actor, now: datetime, key: str
) -> list[Renewal]:
    done = []
    for loan_id in loan_ids:
        one = request_key(f"{key[:27]}-{loan_id}", actor, "renew", loan_id) if key else None
        try:
            loan = await ports.loans.renew(loan_id=loan_id, actor=actor, now=now, key=one)
            done.append(Renewal(loan_id, loan))
        except RenewalRefused as refusal:
            done.append(Renewal(loan_id, None, refusal.detail))
        except Problem as problem:
            if problem.status >= 500 and not done:
                raise
            done.append(Renewal(loan_id, None, problem.detail))
    return done
