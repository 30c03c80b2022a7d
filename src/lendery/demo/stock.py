"""Which copies stand on their own shelf while the demo library is at work."""

from collections import defaultdict
from collections.abc import Iterator, Sequence

from .copies import PlannedCopy


class Stock:
    """`away` are the copies that do not: on loan, on their way, on a hold shelf."""

    def __init__(self, copies: Sequence[PlannedCopy]) -> None:
        self._copies = copies
        self._of: defaultdict[int, list[int]] = defaultdict(list)
        for number, copy in enumerate(copies):
            if copy.item_type != "reference":  # nobody waits for what is not lent
                self._of[copy.title_index].append(number)
        self.away: set[int] = set()

    def lent_of(self, title: int) -> int:
        """How many copies of a title are there to be lent at all."""
        return len(self._of[title])

    def standing(self, title: int, branch: int | None = None) -> Iterator[int]:
        """The copies of a title on their shelves, at one branch or at all."""
        for copy in self._of[title]:
            if copy not in self.away and branch in (None, self._copies[copy].branch_index):
                yield copy

    def one_like(self, copy: int) -> int | None:
        """That copy, or another that is like it on the same shelf; None when all are away."""
        planned = self._copies[copy]
        standing = (
            other
            for other in self.standing(planned.title_index, planned.branch_index)
            if self._copies[other].item_type == planned.item_type
        )
        return copy if copy not in self.away else next(standing, None)
