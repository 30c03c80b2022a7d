"""Copies: what stands on a shelf and what is announced of it."""

from typing import Annotated, Literal
from uuid import UUID

from pydantic import StringConstraints

from lendery.contracts.base import (
    Amount,
    Code,
    Event,
    Input,
    Line,
    Money,
    NotFound,
    Problem,
    Value,
)

Barcode = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9._-]{1,64}$")]
CopyStatus = Literal[
    "withdrawn",
    "lost",
    "claimed-returned",
    "missing",
    "on-loan",
    "in-transit",
    "on-hold-shelf",
    "damaged",
    "on-order",
    "in-process",
    "reference",
    "available",
]


class BareCopy(Value):
    """A copy as the catalog knows it: what it is, not whether it is in."""

    id: UUID
    barcode: str
    book_id: UUID
    branch_id: UUID
    item_type: str
    location: str | None
    call_number: str | None
    price: Money | None
    version: int


class Copy(BareCopy):
    """A copy with its status, asked of circulation at this moment."""

    status: CopyStatus


class NewCopy(Input):
    barcode: Barcode
    book_id: UUID
    branch_id: UUID
    item_type: Code = "book"
    location: Line | None = None
    call_number: Line | None = None
    price: Amount | None = None


class CopyChanges(Input):
    barcode: Barcode | None = None
    branch_id: UUID | None = None
    item_type: Code | None = None
    location: Line | None = None
    call_number: Line | None = None
    price: Amount | None = None


class CopyFilter(Value):
    book_id: UUID | None = None
    branch_id: UUID | None = None
    item_type: str | None = None
    status: CopyStatus | None = None  # from the projection: milliseconds behind


class NoSuchCopy(NotFound):
    status = 404


class CopyHasPast(Problem):
    """A copy that was ever lent is flagged withdrawn, not destroyed."""

    status = 409


class CopyAdded(Event):
    about = "copy_id"
    copy_id: UUID
    book_id: UUID


class CopyChanged(Event):
    about = "copy_id"
    copy_id: UUID
    book_id: UUID


class CopyRemoved(Event):
    about = "copy_id"
    copy_id: UUID
    book_id: UUID
