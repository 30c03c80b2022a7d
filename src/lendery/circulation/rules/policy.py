"""Which rules hold for a branch, a patron category and an item type, and why.

Every parameter is resolved on its own. Of the rows that match, the most specific wins: branch
counts more than category, category more than item type. No row falls through to the next; a row
with an empty value is an answer.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date
from functools import cached_property
from typing import Any, Literal
from uuid import UUID

from lendery.circulation.rules.parameters import PARAMETERS, parse
from lendery.circulation.rules.values import as_json
from lendery.contracts.circulation import Explanation, Rule

Unit = Literal["days", "hours"]
Scope = tuple[UUID | None, str | None, str | None]  # branch, category, item type

STEPS = (  # which of branch, category and item type a row must name, most specific first
    (True, True, True),
    (True, True, False),
    (True, False, True),
    (True, False, False),
    (False, True, True),
    (False, True, False),
    (False, False, True),
    (False, False, False),
)
_JSON_VERSION = 1  # names the set of defaults that `to_json` leaves out


@dataclass(frozen=True, kw_only=True)
class Policy:
    """What the rule table says for one loan: a field for each parameter, which defines it."""

    loan_period: int | None = None
    loan_unit: Unit = "days"
    closed_due: Literal["keep", "next-open", "previous-open", "same-weekday", "count-open-days"] = (
        "next-open"
    )
    fixed_due_on: date | None = None
    fixed_due_rule: Literal["latest", "exactly", "earliest"] = "latest"
    renewals: int | None = 2
    renewal_period: int | None = None
    renew_from: Literal["today", "due-date"] = "today"
    renew_not_before: int | None = None
    auto_renew: bool = False
    max_loans: int | None = None
    max_loans_total: int | None = None
    fine: int = 0
    fine_interval: int = 1
    fine_unit: Unit = "days"
    fine_closed_days: bool = False
    grace: int = 0
    grace_mode: Literal["threshold", "deduct"] = "threshold"
    fine_cap: int | None = None
    cap_at_price: bool = False
    suspend_days: int = 0
    owed_limit: int | None = None
    overdue_block: int | None = None
    age_from: int | None = None
    expiry_grace: int | None = 30
    floats: bool = False
    hold_fee: int = 0
    holds: int | None = None
    holds_per_book: int | None = 1
    holds_on_shelf: Literal["always", "any-out", "all-out"] = "always"
    pickup_branches: Literal["any", "home"] | tuple[UUID, ...] = "any"
    pickup_days: int | None = 7
    lost_after: int | None = None
    lost_fee: int = 0
    lost_refund: Literal["none", "price", "price-and-fee"] = "price"
    recall_after: int | None = None
    recall_due_in: int = 7

    max_loans_branch: UUID | None = None  # the scope of the row that set max_loans
    max_loans_category: str | None = None
    max_loans_item_type: str | None = None

    @property
    def has_rule(self) -> bool:
        """May this be lent at all? Not without a loan_period."""
        return self.loan_period is not None

    @cached_property
    def as_json(self) -> dict[str, Any]:
        """What differs from the defaults, for the copy that a loan keeps. Not to be changed."""
        told: dict[str, Any] = {"v": _JSON_VERSION}
        for field in fields(self):
            value = getattr(self, field.name)
            if value != field.default:
                told[field.name] = str(value) if isinstance(value, UUID) else as_json(value)
        return told

    def to_json(self) -> dict[str, Any]:
        return dict(self.as_json)

    @classmethod
    def from_json(cls, told: Mapping[str, Any]) -> "Policy":
        """The policy as a loan kept it: unknown keys are ignored, missing ones are default."""
        known: dict[str, Any] = {}
        for field in fields(cls):
            if field.name not in told:
                continue
            value = told[field.name]
            if value is not None and field.name in PARAMETERS:
                value = PARAMETERS[field.name].kind.load(value)
            elif value is not None and field.name == "max_loans_branch":
                value = UUID(value)
            known[field.name] = value
        return cls(**known)


class RuleTable:
    """The rows, indexed once. A second question about the same scope is a dict lookup.

    Rows of parameters unknown here (written by a newer version) are passed over. Where two rows
    say the same parameter for the same scope, the one changed last counts.
    """

    def __init__(self, rows: Iterable[Rule]) -> None:
        self._rows: dict[tuple[str, Scope], list[Rule]] = {}
        self._resolved: dict[Scope, Policy] = {}
        for row in sorted(rows, key=lambda row: (row.changed_at, row.id), reverse=True):
            scope = (row.branch_id, row.category, row.item_type)
            self._rows.setdefault((row.parameter, scope), []).append(row)

    def resolve(
        self, *, branch_id: UUID | None, category: str | None, item_type: str | None
    ) -> Policy:
        """The policy of that scope. Raises InvalidRule when a row that wins makes no sense."""
        scope = (branch_id, category, item_type)
        policy = self._resolved.get(scope)
        if policy is None:
            policy = self._resolved[scope] = self._decided(scope)
        return policy

    def explain(
        self, *, branch_id: UUID | None, category: str | None, item_type: str | None
    ) -> list[Explanation]:
        """For each parameter its value, the row that set it, and the rows that one beat.

        A scope left None asks about any: only rows that leave it empty match.
        """
        told = []
        for name, parameter in PARAMETERS.items():
            rows = self._matching(name, (branch_id, category, item_type))
            value = as_json(parse(name, rows[0].value) if rows else parameter.default)
            winner = rows[0] if rows else None
            told.append(Explanation(parameter=name, value=value, winner=winner, beaten=rows[1:]))
        return told

    def _decided(self, scope: Scope) -> Policy:
        decided: dict[str, Any] = {}
        for name in PARAMETERS:
            matching = self._matching(name, scope)
            if matching:
                decided[name] = parse(name, matching[0].value)
            if matching and name == "max_loans":
                decided["max_loans_branch"] = matching[0].branch_id
                decided["max_loans_category"] = matching[0].category
                decided["max_loans_item_type"] = matching[0].item_type
        return Policy(**decided)

    def _matching(self, parameter: str, scope: Scope) -> list[Rule]:
        """The rows that match, most specific first."""
        return [
            row
            for asked in dict.fromkeys(_asked(scope, step) for step in STEPS)
            for row in self._rows.get((parameter, asked), ())
        ]


def _asked(scope: Scope, step: tuple[bool, bool, bool]) -> Scope:
    branch_id, category, item_type = scope
    return (
        branch_id if step[0] else None,
        category if step[1] else None,
        item_type if step[2] else None,
    )


def resolve(
    rows: Sequence[Rule], *, branch_id: UUID | None, category: str | None, item_type: str | None
) -> Policy:
    """The policy of that scope, from rows asked once. See `RuleTable.resolve`."""
    return RuleTable(rows).resolve(branch_id=branch_id, category=category, item_type=item_type)


def explain(
    rows: Sequence[Rule], *, branch_id: UUID | None, category: str | None, item_type: str | None
) -> list[Explanation]:
    """Where each parameter's value comes from. See `RuleTable.explain`."""
    return RuleTable(rows).explain(branch_id=branch_id, category=category, item_type=item_type)
