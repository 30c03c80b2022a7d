"""One rule table against another: what stays the same row, and what differs."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from lendery.contracts.base import new_id
from lendery.contracts.circulation import NewRule, Rule, RuleDifference

Key = tuple[UUID | None, str | None, str | None, str]


def key_of(row: Rule | NewRule) -> Key:
    """What a table may say only once: branch, category, item type and parameter."""
    return row.branch_id, row.category, row.item_type, row.parameter


def carried_over(
    rows: Iterable[NewRule], before: Sequence[Rule], *, now: datetime, by: UUID | None
) -> list[Rule]:
    """The rows of a new table; whoever says what a row said before is that row still."""
    known = {key_of(row): row for row in before}
    return [_carried(row, known.get(key_of(row)), now, by) for row in rows]


def _carried(row: NewRule, was: Rule | None, now: datetime, by: UUID | None) -> Rule:
    if was is not None and same_value(was.value, row.value):
        return was
    return Rule(
        id=was.id if was else new_id(),
        **row.model_dump(),
        changed_at=now,
        changed_by=by,
        version=was.version + 1 if was else 1,
    )


def differences(was: Iterable[Rule], becomes: Iterable[Rule]) -> list[RuleDifference]:
    """What is added, changed and removed, in the order of the new table, then of the old."""
    old = {key_of(row): row for row in was}
    new = {key_of(row): row for row in becomes}
    found = []
    for key, row in new.items():
        if key not in old:
            found.append(_difference("added", row, becomes=row.value))
        elif not same_value(old[key].value, row.value):
            found.append(_difference("changed", row, was=old[key].value, becomes=row.value))
    gone = [
        _difference("removed", row, was=row.value) for key, row in old.items() if key not in new
    ]
    return found + gone


def _difference(kind: Any, row: Rule, **values: Any) -> RuleDifference:
    scope = row.model_dump(include={"branch_id", "category", "item_type", "parameter"})
    return RuleDifference(kind=kind, **scope, **values)


def same_value(one: Any, other: Any) -> bool:
    """1 and True are not the same value here, though Python has them equal."""
    return type(one) is type(other) and bool(one == other)
