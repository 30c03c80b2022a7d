"""Loans out of the ordinary: claimed returned, or called back before they are due."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from lendery.contracts.base import Event, Input, Problem


class ClaimResolution(Input):
    """`paid`: it is lost, and the patron pays for it. `forgiven`: it is missing, nobody pays."""

    how: Literal["paid", "forgiven"]


class NotClaimed(Problem):
    """Nobody says of this loan that it was returned."""

    status = 409


class ReturnClaimed(Event):
    """The patron says that the copy was returned; the library looks for it."""

    about = "copy_id"
    loan_id: UUID
    copy_id: UUID
    by: UUID | None = None


class ClaimDropped(Event):
    """The claim was a mistake: the loan goes on, and its fines run as if nobody had claimed."""

    about = "copy_id"
    loan_id: UUID
    copy_id: UUID
    by: UUID | None = None


class ClaimForgiven(Event):
    """The claim is believed: the loan has ended, nothing is charged, the copy is missing."""

    about = "copy_id"
    loan_id: UUID
    copy_id: UUID
    by: UUID | None = None


class Recall(Input):
    """A loan to be called back, although nobody waits for it."""

    loan_id: UUID


class RecallRefused(Problem):
    """`reason` says why as a code."""

    status = 409


class LoanRecalled(Event):
    """The loan is due sooner, since somebody waits (`hold_id`) or staff need it."""

    about = "copy_id"
    loan_id: UUID
    copy_id: UUID
    due_at: datetime
    hold_id: UUID | None = None
    by: UUID | None = None
