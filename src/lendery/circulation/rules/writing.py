"""A rule table as text, for review and version control. `reading.py` reads it back exactly.

    any:
      loan_period = 21 days
      fine = 0.20 EUR
    branch=main category=child item=dvd:
      loan_period = 7 days

A line begins with what its rules are for: `any`, or `branch=`, `category=`, `item=`, and a colon.
Its rules follow, after commas on the same line or indented on lines of their own. `#` begins a
comment. An empty value is written `empty`, a branch by its code; one that is gone, `@` and its id.
The widest scope comes first, parameters in the order of the reference, so that two tables differ
in their text only where they differ.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID

from lendery.circulation.rules.parameters import PARAMETERS
from lendery.circulation.rules.words import plain_amount
from lendery.contracts.circulation import NewRule, Rule

EMPTY = "empty"
WITH_UNIT = {"loan_period": "loan_unit"}  # said in one breath where a scope says both
_PLAIN = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._:-]*[A-Za-z0-9._-])?")
_ORDER = {name: place for place, name in enumerate(PARAMETERS)}


def write_text(
    rows: Iterable[Rule | NewRule],
    *,
    branches: Mapping[UUID, str],
    currency: str,
    heading: str = "",
) -> str:
    """`branches` gives their codes. Rows of parameters unknown here become comments."""
    scopes: dict[tuple[Any, ...], dict[str, Any]] = {}
    for row in rows:
        scope = (row.branch_id, row.category, row.item_type)
        scopes.setdefault(scope, {})[row.parameter] = row.value
    writer = _Writer(branches, currency)
    blocks = [writer.block(scope, scopes[scope]) for scope in sorted(scopes, key=writer.place)]
    top = "".join(f"# {line}\n" for line in heading.splitlines())
    return "\n".join([*([top] if top else []), *blocks])


class _Writer:
    def __init__(self, branches: Mapping[UUID, str], currency: str) -> None:
        self.branches, self.currency = branches, currency

    def place(self, scope: tuple[Any, ...]) -> tuple[Any, ...]:
        """Wide before narrow: by item type, by category, by branch, each by name."""
        branch_id, category, item_type = scope
        branch = self.branch(branch_id) if branch_id else ""
        return bool(branch), branch, bool(category), category or "", item_type or ""

    def block(self, scope: tuple[Any, ...], said: dict[str, Any]) -> str:
        units = {unit for name, unit in WITH_UNIT.items() if said.get(name) and said.get(unit)}
        lines = [f"{self.scope(scope)}:"]
        for name in sorted(said, key=lambda name: (_ORDER.get(name, len(_ORDER)), name)):
            if name not in PARAMETERS:
                lines.append(f"  # not known here: {name} = {said[name]!r}")
            elif name not in units:
                lines.append(f"  {name} = {self.value(name, said)}")
        return "\n".join(lines) + "\n"

    def scope(self, scope: tuple[Any, ...]) -> str:
        branch_id, category, item_type = scope
        said = {
            "branch": self.branch(branch_id) if branch_id else None,
            "category": category and code(category),
            "item": item_type and code(item_type),
        }
        return " ".join(f"{key}={word}" for key, word in said.items() if word) or "any"

    def branch(self, branch_id: UUID) -> str:
        known = self.branches.get(branch_id)
        return code(known) if known else f"@{branch_id}"

    def value(self, name: str, said: dict[str, Any]) -> str:
        value, form = said[name], PARAMETERS[name].kind.form
        if value is None:
            return EMPTY
        if form == "amount":
            return plain_amount(value, self.currency)
        if form == "yes-no":
            return "yes" if value else "no"
        if form == "branches" and not isinstance(value, str):
            return f"[{' '.join(self.branch(UUID(each)) for each in value)}]"
        unit = said.get(WITH_UNIT.get(name, ""))
        return f"{value} {unit if value != 1 else unit.removesuffix('s')}" if unit else str(value)


def code(word: str) -> str:
    """A code as it is; in quotes where its last colon would seem to end the scope."""
    return word if _PLAIN.fullmatch(word) else f'"{word}"'
