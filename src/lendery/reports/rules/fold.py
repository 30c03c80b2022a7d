"""The read model made in one go: effects gathered in memory, then written as rows.

What counts may come in any order. What is said of a hold or a copy counts by the number of its
event in the log, so that an event that is decided about late changes nothing that came after it.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from lendery.reports.rules.effects import (
    CopyDropped,
    CopyMarked,
    CopyMet,
    CopySeen,
    Effect,
    HoldClosed,
    HoldIs,
    HoldOpened,
    Lending,
    Posted,
    Used,
)

Row = dict[str, Any]
Facts = dict[UUID, dict[str, tuple[int, Any]]]  # of each: what is said, and by which event


@dataclass
class Fold:
    """Takes effects, gives rows."""

    _lending: dict[tuple[Any, ...], list[int]] = field(default_factory=dict)
    _uses: Counter[tuple[Any, ...]] = field(default_factory=Counter)
    _money: dict[tuple[Any, ...], list[int]] = field(default_factory=dict)
    _holds: Facts = field(default_factory=dict)
    _copies: Facts = field(default_factory=dict)
    _opened: dict[UUID, int] = field(default_factory=dict)  # holds, when they were last
    _gone: dict[UUID, int] = field(default_factory=dict)  # closed holds, dropped copies, and when

    def take(self, effects: Iterable[Effect], seq: int) -> None:
        for effect in effects:
            self._take(effect, seq)

    def _take(self, effect: Effect, seq: int) -> None:
        match effect:
            case Lending(day, branch_id, category, lent, renewed, returned):
                _add(self._lending, (day, branch_id, category), (lent, renewed, returned))
            case Used(copy_id, day, branch_id, lent):
                self._uses[copy_id, day, branch_id] += lent
            case Posted(day, branch_id, kind, currency, amount):
                _add(self._money, (day, branch_id, kind, currency), (1, amount))
            case HoldOpened(id, book_id, branch_id, waiting):
                said = {"open": True, "waiting": waiting, "book_id": book_id}
                _say(self._holds, id, seq, said | {"branch_id": branch_id})
                self._opened[id] = max(seq, self._opened.get(id, seq))
            case HoldIs(id, waiting, branch_id, book_id):
                said = {"waiting": waiting, "branch_id": branch_id, "book_id": book_id}
                _say(self._holds, id, seq, said)
            case CopyMet(id, book_id, added_on):
                _say(self._copies, id, seq, {"book_id": book_id, "added_on": added_on})
            case CopyMarked(id, book_id, gone):
                _say(self._copies, id, seq, {"marked_of": book_id, "gone": gone})
            case CopySeen(id, gone):
                _say(self._copies, id, seq, {"gone": gone})
            case HoldClosed(id) | CopyDropped(id):
                self._gone[id] = max(seq, self._gone.get(id, seq))

    def lending(self) -> Iterator[Row]:
        for (day, branch_id, category), (lent, renewed, returned) in self._lending.items():
            key = {"day": day, "branch_id": branch_id, "category": category}
            yield key | {"lent": lent, "renewed": renewed, "returned": returned}

    def uses(self) -> Iterator[Row]:
        for (copy_id, day, branch_id), lent in self._uses.items():
            yield {"copy_id": copy_id, "day": day, "branch_id": branch_id, "lent": lent}

    def money(self) -> Iterator[Row]:
        for (day, branch_id, kind, currency), (lines, amount) in self._money.items():
            key = {"day": day, "branch_id": branch_id, "kind": kind, "currency": currency}
            yield key | {"lines": lines, "amount": amount}

    def holds(self) -> Iterator[Row]:
        for id, said in self._said(self._holds):
            if "open" in said:
                yield {"id": id} | {key: said[key] for key in ("book_id", "branch_id", "waiting")}

    def copies(self) -> Iterator[Row]:
        """To be learnt, all of them."""
        for id, said in self._said(self._copies):
            book_id = said.get("book_id", said.get("marked_of"))
            if book_id is not None:
                told = {"added_on": said.get("added_on"), "gone": said.get("gone", False)}
                yield {"id": id, "book_id": book_id, **told, "changed": 1, "learnt": 0}

    def books(self) -> Iterator[Row]:
        """Those of the copies and holds, to be learnt."""
        ids = {row["book_id"] for rows in (self.copies(), self.holds()) for row in rows}
        for id in ids:
            yield {"id": id, "title": "", "authors": "", "changed": 1, "learnt": 0}

    def _said(self, facts: Facts) -> Iterator[tuple[UUID, Row]]:
        for id, said in facts.items():
            if self._gone.get(id, -1) <= self._opened.get(id, -1):
                yield id, {key: value for key, (_, value) in said.items()}


def _add(counts: dict[tuple[Any, ...], list[int]], key: tuple[Any, ...], more: Any) -> None:
    found = counts.setdefault(key, [0] * len(more))
    for at, each in enumerate(more):
        found[at] += each


def _say(facts: Facts, id: UUID, seq: int, said: dict[str, Any]) -> None:
    known = facts.setdefault(id, {})
    for key, value in said.items():
        if value is not None and (key not in known or known[key][0] < seq):
            known[key] = seq, value
