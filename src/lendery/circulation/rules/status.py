"""The one status of a copy that is shown. It is derived, so nothing can disagree with it."""

from dataclasses import dataclass

from lendery.contracts.catalog import CopyStatus


@dataclass(frozen=True, kw_only=True, slots=True)
class CopyMarks:
    """What is true of a copy; several may be. `not_for_loan` is for use in the library only."""

    withdrawn: bool = False
    lost: bool = False
    claimed_returned: bool = False
    missing: bool = False
    on_loan: bool = False
    in_transit: bool = False
    on_hold_shelf: bool = False
    damaged: bool = False
    on_order: bool = False
    in_process: bool = False
    not_for_loan: bool = False


STATUS_ORDER: tuple[tuple[str, CopyStatus], ...] = (
    ("withdrawn", "withdrawn"),
    ("lost", "lost"),
    ("claimed_returned", "claimed-returned"),
    ("missing", "missing"),
    ("on_loan", "on-loan"),
    ("in_transit", "in-transit"),
    ("on_hold_shelf", "on-hold-shelf"),
    ("damaged", "damaged"),
    ("on_order", "on-order"),
    ("in_process", "in-process"),
    ("not_for_loan", "reference"),
)


def status_of(marks: CopyMarks) -> CopyStatus:
    """The first of the order that is true; `available` when nothing is."""
    return next((status for mark, status in STATUS_ORDER if getattr(marks, mark)), "available")
