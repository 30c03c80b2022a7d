"""Why a hold has no copy yet. Of several reasons the first in this order is told."""

from dataclasses import dataclass

from lendery.contracts.circulation import WhyCode


@dataclass(frozen=True, kw_only=True, slots=True)
class Wait:
    """What a hold that waits depends on. `gets_one`: the filling of the queue gives it a copy.

    `free` copies stand on shelves, `suitable` of them would do for it. Of the copies that would do
    so many are `on_loan`, and so many `elsewhere`: on their way, or kept for others.
    """

    suspended: bool = False
    gets_one: bool = False
    free: int = 0
    suitable: int = 0
    on_loan: int = 0
    elsewhere: int = 0


def why_not_yet(wait: Wait) -> tuple[WhyCode, str]:
    """The reason as a code, and the sentence for people."""
    if wait.suspended:
        return "suspended", "This hold is suspended. It keeps its place, and others go first."
    if wait.gets_one:
        return "on-the-list", "A copy is on the shelf for it, and is yet to be fetched."
    if wait.suitable:
        return "others-first", "The copies on the shelf go to readers who have waited longer."
    if wait.on_loan:
        if wait.free:
            says = "The copies on the shelf cannot be lent to this reader or sent to this branch."
            return "does-not-suit", f"{says} The others are out."
        return "all-out", "All copies are out, or go to readers who have waited longer."
    if wait.elsewhere:
        return "on-its-way", "The copies are between branches or kept for other readers."
    if wait.free:
        says = "No copy can be lent to this reader or sent to this branch. Choose another branch."
        return "does-not-suit", says
    return "none-left", "No copy is left that could be lent: they are lost, damaged or withdrawn."
