"""Cash sessions: into which one money goes, and what ought to lie in the drawer."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from uuid import UUID

from lendery.circulation.rules.ledger import MoneyObjection
from lendery.contracts.circulation import CashKind, Method


@dataclass(frozen=True, kw_only=True, slots=True)
class OpenSession:
    """`by` opened it."""

    id: UUID
    branch_id: UUID
    desk: str
    by: UUID | None


@dataclass(frozen=True, kw_only=True, slots=True)
class AtTheDesk:
    """Who settles something, where they usually work, and what they said of branch and desk.

    `was` is the desk over which money came that now goes back.
    """

    by: UUID | None
    works_at: UUID | None = None
    branch_id: UUID | None = None
    desk: str | None = None
    was: tuple[UUID, str] | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Sum:
    """The lines of a session of one kind and method; `amount` as it comes into the drawer."""

    kind: CashKind
    method: Method
    count: int
    amount: int


def drawer_for(
    open_: Sequence[OpenSession], at: AtTheDesk, method: Method, *, refusal: str
) -> OpenSession | MoneyObjection | None:
    """The session that it belongs to; None: to none. Or why it cannot be taken there.

    What is named counts; else what is given back goes over the desk where it came; else it is the
    session that this person opened at the branch, or the only one there. Who works at no branch
    and names none is at what they opened. Cash that could be in either of two drawers is refused:
    both would be counted wrong.
    """
    branch_id = at.branch_id or at.works_at
    if at.desk is not None:
        found = [each for each in open_ if _is_at(each, branch_id, at.desk)]
        if not found:
            says = f"{refusal}: no cash session is open at the desk {at.desk}. Open one first."
            return "desk-closed", says
        return _the_only(found, refusal)
    if at.was and (same := [each for each in open_ if _is_at(each, *at.was)]):
        return same[0]
    here = [each for each in open_ if branch_id in (None, each.branch_id)]
    own = [each for each in here if at.by is not None and each.by == at.by]
    found = own or (here if branch_id else [])
    if not found or (len(found) > 1 and method != "cash"):
        return None
    return _the_only(found, refusal)


def _is_at(session: OpenSession, branch_id: UUID | None, desk: str) -> bool:
    return session.desk == desk and branch_id in (None, session.branch_id)


def _the_only(found: Sequence[OpenSession], refusal: str) -> OpenSession | MoneyObjection:
    if len(found) == 1:
        return found[0]
    says = f"{refusal}: several cash sessions are open here. Say at which branch and desk you are."
    return "which-desk", says


def in_cash(sums: Iterable[Sum]) -> int:
    """What came in cash and did not go out again."""
    return sum(each.amount for each in sums if each.method == "cash")


def counted_objection(
    refusal: str, *, amount: int, currency: str, library_currency: str
) -> MoneyObjection | None:
    """Why this cannot be what lies in a drawer. None: it can; an empty drawer too."""
    if amount < 0:
        return "below-zero", f"{refusal}: the amount must be zero or more. Count again."
    if currency != library_currency:
        says = f"{refusal}: this library's money is {library_currency}. Give the amount in that."
        return "wrong-currency", says
    return None
