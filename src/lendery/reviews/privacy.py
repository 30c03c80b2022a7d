"""What reviews holds about a person. It is kept until they take it back, or are erased."""

from lendery.platform.personal import Personal, Place
from lendery.reviews.models import report, review

STANDS = "What was written stays, without the name and without who wrote it."
THEIRS = frozenset({"patron_id", "ask_again_at", "aside"})

PERSONAL = Personal(
    places=(
        Place("reviews", review.c.patron_id, "unlinked", why=STANDS, hidden=THEIRS),
        Place(
            "reports of reviews",
            report.c.patron_id,
            "unlinked",
            why="Staff decide about the review, not about who reported it.",
            hidden=frozenset({"patron_id"}),
        ),
    ),
)
