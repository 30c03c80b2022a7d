"""What a desk could not know while it was offline: what is said of it, and what seems best."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from lendery.contracts.circulation.offline import OfflineCode, OfflineKind, Proposal

SAYS: Mapping[OfflineCode, str] = {
    "unknown-copy": "No copy has this barcode.",
    "unknown-card": "Nobody has this card.",
    "card-stolen": "The card was reported stolen.",
    "card-expired": "The card had expired.",
    "card-long-expired": "The card had expired long before.",
    "patron-blocked": "The card is blocked, or the account is closed.",
    "suspended": "The reader may not borrow for some days, because something came back late.",
    "fines-owed": "The reader owes more than the limit.",
    "overdue-loans": "The reader has too many late loans.",
    "loan-limit": "The reader has more loans of this kind than the limit.",
    "loan-limit-total": "The reader has more loans than the limit.",
    "on-loan": "The copy was on loan to another reader. It had come back, so that loan was ended.",
    "already-yours": "The reader had this copy on loan already. That loan goes on as it was.",
    "withdrawn": "The copy was withdrawn.",
    "no-rule": "No rule lets this reader borrow this kind of item.",
    "reference-only": "The copy is for use in the library only.",
    "damaged": "The copy is marked damaged.",
    "on-hold": "The copy was kept for another reader, who waits again.",
    "age": "The item is for older readers, or the date of birth is not known.",
    "same-title": "The reader has another copy of this book.",
    "no-due-date": "The rules and the calendar give no due date.",
    "lent-since": "The copy was lent again after this, so it had come back.",
    "seen-since": "The copy was checked in after this, so it is known where it is.",
    "kept-for-hold": "A reader waits for the copy, and it is shown as kept for them.",
    "to-send": "The copy belongs at another branch, and is shown as on its way.",
    "not-on-loan": "The copy was not on loan.",
    "claimed-returned": "The reader says that it was returned.",
    "too-many-renewals": "It was renewed as often as the rules allow.",
    "too-early": "It was too early to renew.",
    "overdue": "It was late already.",
    "recalled": "The library has called it back.",
    "not-later": "It would not have been due any later.",
}
WANTED = "Another reader waits for it."  # what `on-hold` is at a renewal

NOT_RECORDED: Mapping[OfflineCode, tuple[Proposal, str]] = {  # the first that fits
    "unknown-copy": (
        "correct",
        "Find the copy, or catalogue it, and record this with its barcode. If nobody can say which "
        "it was, dismiss it.",
    ),
    "unknown-card": (
        "correct",
        "Find the reader, or register the card, and record this with the right card. If nobody can "
        "say who it was, dismiss it.",
    ),
    "lent-since": ("dismiss", "Look whether a reader was charged for it wrongly, and dismiss it."),
    "seen-since": ("dismiss", "Look whether a reader was charged for it wrongly, and dismiss it."),
    "already-yours": ("renew", "Renew that loan if it should last longer, and dismiss this."),
    "no-rule": (
        "correct",
        "Change the rules or the card and record it, or ask for the copy back and dismiss it.",
    ),
    "no-due-date": ("correct", "Put the calendar or the rules right, and record it."),
    "not-on-loan": ("look", "Look where the copy is, and dismiss it."),
}
NOT_RENEWED: tuple[Proposal, str] = (
    "renew",
    "Renew it and waive what may be waived, or tell the reader when it is due; then dismiss this.",
)
# What no desk with a line could have passed over.
NEVER_WAIVED: frozenset[OfflineCode] = frozenset(
    {"card-stolen", "card-long-expired", "patron-blocked", "on-loan", "withdrawn"}
)
SPEAK = "It is lent. Speak to the reader, and accept this with a reason."
RECORDED: Mapping[OfflineCode, tuple[Proposal, str]] = {
    "kept-for-hold": ("fetch", "Fetch it, put it on the hold shelf, and accept this."),
    "to-send": ("fetch", "Fetch it, send it where it belongs, and accept this."),
    "card-stolen": (
        "look",
        "Speak to the reader whose card it is, mark the copy, and accept this with a reason.",
    ),
    "patron-blocked": ("look", SPEAK),
    "card-long-expired": ("look", SPEAK),
    "withdrawn": (
        "look",
        "Ask for the copy back or take it into stock again, and accept this with a reason.",
    ),
    "on-loan": (
        "look",
        "Look whether the earlier reader was charged rightly, and accept this with a reason.",
    ),
    "on-hold": ("look", "Ask for the copy back if the other reader cannot wait, and accept this."),
}
LENT: tuple[Proposal, str] = (
    "look",
    "It is lent. Speak to the reader if need be, and accept this.",
)


def says(kind: OfflineKind, code: OfflineCode) -> str:
    """What stood in the way, in a sentence."""
    return WANTED if (kind, code) == ("renewal", "on-hold") else SAYS[code]


def proposed(
    kind: OfflineKind, codes: Sequence[OfflineCode], *, recorded: bool
) -> tuple[Proposal, str]:
    """What seems best, as a code and as a sentence for staff."""
    table = RECORDED if recorded else NOT_RECORDED
    fitting = (found for code, found in table.items() if code in codes)
    return next(fitting, LENT if recorded else NOT_RENEWED)


def overtaken(
    at: datetime, *, lent_at: datetime | None, seen_at: datetime | None
) -> OfflineCode | None:
    """Is something newer known of the copy? `lent_at`: of its open loan, if it has one."""
    if lent_at is not None:
        return "lent-since" if lent_at > at else None
    return "seen-since" if seen_at is not None and seen_at > at else None
