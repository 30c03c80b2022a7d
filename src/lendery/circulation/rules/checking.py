"""What is odd about a whole rule table, told before it is saved.

An error refuses the table: a value its parameter does not take, two values for one scope, and in
a row that is new, a branch there is not or a due date that has passed. A warning is told, and the
table saved: a row that decides nothing, a word that nobody's card and no copy carries, a patron
category and item type without a loan period. Categories and item types are words that anybody may
begin to use; so only branches, which are known, make a row that can never decide.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from difflib import get_close_matches
from itertools import islice, product
from typing import Any, Literal
from uuid import UUID

from lendery.circulation.rules.parameters import PARAMETERS, parse
from lendery.circulation.rules.policy import STEPS
from lendery.circulation.rules.versions import Key, key_of, same_value
from lendery.circulation.rules.words import spoken_day
from lendery.contracts.circulation import InvalidRule, NewRule, Rule

MOST_GAPS = 100
MOST_WORDS = 100  # unknown ones that are told
MOST_QUESTIONS = 50_000  # a table of more words than any library has is not asked them all
OTHER: Any = object()  # a branch, category or item type that no row names


@dataclass(frozen=True, slots=True)
class Known:
    """What there is: branches by id with their codes; the words on cards and copies."""

    branches: Mapping[UUID, str]
    categories: frozenset[str] = frozenset()
    item_types: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Finding:
    """`row` counts from 0; None: it is no single row. `member` is the part of the row."""

    severity: Literal["error", "warning"]
    code: str
    says: str
    row: int | None = None
    member: str = ""


@dataclass
class _Check:
    rows: Sequence[NewRule]
    known: Known
    on: date
    before: Mapping[Key, Any]
    found: list[Finding] = field(default_factory=list)

    def say(self, severity: Any, code: str, says: str, row: int, member: str = "") -> None:
        self.found.append(Finding(severity, code, says, row, member))

    def stood(self, row: NewRule) -> bool:
        """Is it in the table before as well? Then it refuses nothing for what time did to it."""
        key = key_of(row)
        return key in self.before and same_value(self.before[key], row.value)


def check_table(
    rows: Sequence[NewRule], known: Known, *, on: date, before: Iterable[Rule | NewRule] = ()
) -> list[Finding]:
    """What is odd about a table that begins on a day and replaces another, errors first."""
    check = _Check(rows, known, on, {key_of(row): row.value for row in before})
    _values(check)
    _doubles(check)
    _branches(check)
    _words(check)
    _beaten(check)
    found = sorted(check.found, key=lambda each: (each.severity, each.row))
    return found + _without_period(rows, known)


def _values(check: _Check) -> None:
    for at, row in enumerate(check.rows):
        try:
            meant = parse(row.parameter, row.value)
        except InvalidRule as problem:
            member = "value" if row.parameter in PARAMETERS else "parameter"
            check.say("error", "wrong-value", problem.detail, at, member)
            continue
        if row.parameter == "fixed_due_on" and meant is not None and meant < check.on:
            says = f"fixed_due_on: {spoken_day(meant)} has passed when this table begins."
            severity = "warning" if check.stood(row) else "error"
            check.say(severity, "due-date-passed", says, at, "value")


def _doubles(check: _Check) -> None:
    first: dict[Key, int] = {}
    for at, row in enumerate(check.rows):
        if first.setdefault(key_of(row), at) != at:
            says = f"{row.parameter} is said twice for {_spoken(row, check.known)}."
            check.say("error", "said-twice", says, at)


def _branches(check: _Check) -> None:
    for at, row in enumerate(check.rows):
        severity = "warning" if check.stood(row) else "error"
        if row.branch_id is not None and row.branch_id not in check.known.branches:
            says = f"There is no branch {row.branch_id}, so this row can never match."
            check.say(severity, "no-such-branch", says, at, "branch_id")
        if row.parameter == "pickup_branches" and isinstance(row.value, list):
            ids = {str(each) for each in check.known.branches}
            gone = [each for each in row.value if str(each) not in ids]
            if gone:
                says = f"pickup_branches: there is no branch {gone[0]}."
                check.say(severity, "no-such-branch", says, at, "value")


def _words(check: _Check) -> None:
    for member, spoken, met in (
        ("category", "patron category", check.known.categories),
        ("item_type", "item type", check.known.item_types),
    ):
        told: set[str] = set()
        for at, row in enumerate(check.rows):
            word = getattr(row, member)
            if not met or word is None or word in met or word in told:
                continue
            if len(told) == MOST_WORDS:
                break
            told.add(word)
            near = get_close_matches(word, met, n=1)
            hint = f" Did you mean {near[0]}?" if near else ""
            says = f"Nobody and nothing here has the {spoken} {word} yet.{hint}"
            check.say("warning", f"unknown-{member.replace('_', '-')}", says, at, member)


def _beaten(check: _Check) -> None:
    """Rows that lose to a more specific one at every branch there is."""
    by_parameter: dict[str, dict[tuple[Any, ...], int]] = {}
    for at, row in enumerate(check.rows):
        scope = (row.branch_id, row.category, row.item_type)
        by_parameter.setdefault(row.parameter, {}).setdefault(scope, at)
    for parameter, scopes in by_parameter.items():
        branches = list(check.known.branches)
        if not branches or len(scopes) < 2:
            continue
        asked = islice(_askable(branches, scopes), MOST_QUESTIONS + 1)
        answers = [_winner(each, scopes) for each in asked]
        if len(answers) > MOST_QUESTIONS:
            continue
        won = set(answers)
        for scope, at in scopes.items():
            if at not in won and scope[0] is None:
                row = check.rows[at]
                says = f"{parameter} for {_spoken(row, check.known)} decides nothing: "
                says += "at every branch another row is more specific."
                check.say("warning", "never-decides", says, at)


def _askable(branches: list[UUID], scopes: Iterable[tuple[Any, ...]]) -> Iterator[tuple[Any, ...]]:
    """Every question that rows of these scopes may answer differently."""
    named = list(scopes)
    some = [each for each in branches if any(scope[0] == each for scope in named)]
    if len(some) < len(branches):
        some.append(next(each for each in branches if each not in some))
    categories = [OTHER, *{scope[1] for scope in named if scope[1]}]
    item_types = [OTHER, *{scope[2] for scope in named if scope[2]}]
    return product(some, categories, item_types)


def _winner(asked: tuple[Any, ...], scopes: Mapping[tuple[Any, ...], int]) -> int | None:
    for step in STEPS:
        at = scopes.get(
            tuple(part if kept else None for part, kept in zip(asked, step, strict=True))
        )
        if at is not None:
            return at
    return None


def _without_period(rows: Sequence[NewRule], known: Known) -> list[Finding]:
    """Patron categories and item types that may borrow nowhere, or not everywhere."""
    scopes = {
        (row.branch_id, row.category, row.item_type): at
        for at, row in enumerate(rows)
        if row.parameter == "loan_period"
    }
    categories = known.categories | {row.category for row in rows if row.category}
    item_types = known.item_types | {row.item_type for row in rows if row.item_type}
    places = sorted(known.branches.items(), key=lambda each: each[1]) or [(OTHER, "")]
    found = []
    nameless: list[Any] = [None]
    pairs = product(sorted(categories) or nameless, sorted(item_types) or nameless)
    for category, item_type in islice(pairs, MOST_QUESTIONS // len(places)):
        where = [
            code
            for branch_id, code in places
            if _winner((branch_id, category, item_type), scopes) is None
        ]
        if where:
            says = f"{category or 'any patron'}, {item_type or 'any item'}: no loan_period"
            says += "" if len(where) == len(places) else f" at {', '.join(where)}"
            found.append(Finding("warning", "no-loan-period", f"{says}, so nothing is lent."))
    return found[:MOST_GAPS]


def _spoken(row: NewRule, known: Known) -> str:
    branch = row.branch_id and known.branches.get(row.branch_id, str(row.branch_id))
    named = [str(each) for each in (branch, row.category, row.item_type) if each]
    return ", ".join(named) or "anybody and anything"
