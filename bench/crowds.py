"""Rows as the desk writes them, for writing many at once."""

from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from lendery.circulation.models import ledger_line
from lendery.contracts.base import new_id


def patron(card: str, branch: UUID) -> dict[str, Any]:
    return {
        "id": new_id(),
        "card_number": card.upper(),
        "category": "adult",
        "home_branch_id": branch,
        "expires_on": date.today() + timedelta(days=300),
        "born_on": date(1980, 1, 1),
        "blocks": [],
        "active": True,
        "version": 1,
    }


def copy(barcode: str, book_id: UUID, branch: UUID) -> dict[str, Any]:
    return {
        "id": new_id(),
        "barcode": barcode,
        "book_id": book_id,
        "item_type": "book",
        "home_branch_id": branch,
        "version": 1,
        "price_amount": 1800,
        "price_currency": "EUR",
    }


def loan(copy: dict[str, Any], patron: dict[str, Any], now: datetime) -> dict[str, Any]:
    return {
        "id": new_id(),
        "copy_id": copy["id"],
        "book_id": copy["book_id"],
        "item_type": copy["item_type"],
        "home_branch_id": copy["home_branch_id"],
        "patron_id": patron["id"],
        "borrower": new_id(),
        "branch_id": copy["home_branch_id"],
        "lent_at": now - timedelta(days=5),
        "due_at": now + timedelta(days=2),
        "returned_at": None,
        "returned_branch_id": None,
        "renewals": 0,
        "policy": {"v": 1, "loan_period": 21},
        "waived": None,
        "waived_by": None,
        "waive_reason": None,
    }


def hold(book_id: UUID, patron_id: UUID, branch: UUID, now: datetime, place: int) -> dict[str, Any]:
    """One that waits, at its place in the queue."""
    return {
        "id": new_id(),
        "book_id": book_id,
        "copy_id": None,
        "patron_id": patron_id,
        "borrower": new_id(),
        "pickup_branch_id": branch,
        "state": "waiting",
        "suspended": False,
        "suspended_until": None,
        "given_copy_id": None,
        "placed_at": now - timedelta(hours=1) + timedelta(seconds=place),
        "ready_at": None,
        "expires_on": None,
        "ended_at": None,
    }


def fine_paid(patron_id: UUID, now: datetime) -> list[dict[str, Any]]:
    """A charge and its payment."""
    empty: dict[str, Any] = dict.fromkeys(column.name for column in ledger_line.c)
    line = empty | {"patron_id": patron_id, "currency": "EUR", "at": now - timedelta(days=9)}
    fine_id = new_id()
    charge = {"id": fine_id, "borrower": new_id(), "kind": "charge", "amount": 120}
    paid = {"id": new_id(), "borrower": new_id(), "kind": "payment", "amount": -120}
    return [
        line | charge | {"reason": "late"},
        line | paid | {"method": "cash", "fine_id": fine_id, "settlement_id": new_id()},
    ]
