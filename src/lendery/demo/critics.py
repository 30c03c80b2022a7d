"""What the readers of the demo library think of what they borrowed: invented, in short sentences.

Most are content, as most who write reviews are; some books please more than others. Half of those
who write give themselves a name. A few who write have not borrowed the book, and a few reviews
were reported.
"""

import random
from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from lendery.contracts.base import Window
from lendery.contracts.circulation import LoanFilter
from lendery.contracts.permissions import SYSTEM, Actor
from lendery.contracts.reviews import Decision, NewReport, PastReview, Review, ReviewFilter
from lendery.demo.town import Town

_WRITES = 0.35  # of the readers
_MOST = 4  # of one reader
_NEVER_BORROWED = 0.1
_IN_WORDS, _WITH_TITLE, _NAMED = 0.7, 0.5, 0.5
# Of a hundred reviews, so many with one star, two, three, four, five: of a book that is liked
# less, and of one that is liked more.
_PLAIN, _LOVED = (9, 14, 29, 30, 18), (2, 4, 12, 34, 48)
_TITLES = (
    ("Not for me", "Gave up", "A pity"),
    ("Hard going", "Too long", "Expected more"),
    ("Good in parts", "All right", "A slow start"),
    ("Well told", "A good week", "Worth the wait"),
    ("Wonderful", "Could not stop", "A new favourite"),
)
_OPENINGS = (
    ("I stopped after fifty pages.", "Nobody in it became real to me.", "I lost the thread early."),
    ("It took me three attempts.", "Half of it would have been enough.", "The middle drags."),
    ("It begins slowly and then it moves.", "Some chapters are very fine.", "I was of two minds."),
    ("I read it in a week.", "The people in it stayed with me.", "Clear, and never dull."),
    ("I read it in two nights.", "I laughed, and then I did not.", "Every page earns its place."),
)
_CLOSINGS = (
    ("Perhaps another time.", "My neighbour liked it, though.", "I brought it back early."),
    ("The end makes up for some of it.", "The print is small, too.", "I would not renew it."),
    ("I am glad that I finished it.", "Good for a train journey.", "The second half is better."),
    ("I asked for the next one at once.", "Our reading circle agreed.", "Good to read aloud."),
    ("I have bought my own copy since.", "Everybody at home had to hear of it.", "Read it!"),
)
_NAMES = (
    *("Night owl", "Tea and pages", "A reader by the river", "Slow reader", "Bookworm"),
    *("Grandpa of six", "On the 7.40 train", "Page turner", "The lighthouse keeper"),
    *("Between two shelves", "Miss Marginalia", "Rainy Sundays"),
)
_REPORTED = (("spoiler", False), ("off-topic", False), ("offensive", True))


class Critics:
    """Writes what readers think, when the two years are over."""

    def __init__(self, town: Town, now: datetime) -> None:
        self._town, self._now = town, now
        self._rng = random.Random(f"{town.seed} critics")
        self._title_of = {book_id: at for at, book_id in enumerate(town.books)}

    async def write(self) -> int:
        """How many reviews there are."""
        written: list[PastReview] = []
        for reader, enrolled in enumerate(self._town.readers):
            if self._rng.random() < _WRITES and reader != self._town.ann:
                written += await self._of_one(enrolled.id)
        if written:
            reviews = self._town.wiring.reviews
            await reviews.add_many(reviews=written, actor=SYSTEM, now=self._now)
            await self._report()
        return len(written)

    async def _of_one(self, patron_id: UUID) -> list[PastReview]:
        found = await self._town.wiring.loans.find(
            like=LoanFilter(patron_id=patron_id, status="returned"),
            window=Window(limit=40),
            actor=SYSTEM,
            now=self._now,
        )
        read = {self._title_of[each.book_id]: each.returned_at for each in found.items}
        chosen = sorted(read)
        self._rng.shuffle(chosen)
        past = []
        for title in chosen[: self._rng.randint(1, _MOST)]:
            returned_at = read[title] or self._now
            days = self._rng.uniform(0, 12)
            if self._rng.random() < _NEVER_BORROWED:
                title = self._rng.randrange(len(self._town.books))
                if title in read:
                    continue
                read[title] = returned_at
            at = min(returned_at + timedelta(days=days), self._now)
            past.append(self._review(patron_id, title, at))
        return past

    def _review(self, patron_id: UUID, title: int, at: datetime) -> PastReview:
        rng = self._rng
        loved = random.Random(f"{self._town.seed} liked {title}").random()
        weights = [p + (q - p) * loved for p, q in zip(_PLAIN, _LOVED, strict=True)]
        (rating,) = rng.choices((1, 2, 3, 4, 5), weights)
        words = f"{_one(rng, _OPENINGS[rating - 1])} {_one(rng, _CLOSINGS[rating - 1])}"
        heading, name = _one(rng, _TITLES[rating - 1]), _one(rng, _NAMES)
        in_words = rng.random() < _IN_WORDS
        return PastReview(
            book_id=self._town.books[title],
            patron_id=patron_id,
            at=at,
            rating=rating,
            text=words if in_words else None,
            title=heading if in_words and rng.random() < _WITH_TITLE else None,
            display_name=name if rng.random() < _NAMED else None,
        )

    async def _report(self) -> None:
        """Something for staff to look at, and something they have decided."""
        reviews, ann = self._town.wiring.reviews, self._town.readers[self._town.ann].id
        newest = await reviews.find(like=ReviewFilter(), window=Window(limit=60), actor=SYSTEM)
        low = [each for each in newest.items if each.text and each.rating < 4]
        for review, (reason, hide) in zip(low, _REPORTED, strict=False):
            report = NewReport.model_validate({"reason": reason})
            reader = Actor(id=ann, role="reader")
            await reviews.report(review_id=review.id, report=report, actor=reader, now=self._now)
            if hide:
                await self._hide(review)

    async def _hide(self, review: Review) -> None:
        why = Decision(decision="hide", reason="It speaks of a neighbour, not of the book.")
        await self._town.wiring.reviews.moderate(
            review_id=review.id, decision=why, actor=self._town.till, now=self._now
        )


def _one(rng: random.Random, words: Sequence[str]) -> str:
    return rng.choice(words)
