"""The text form of a rule table, read: every row with its place, every fault with line and column.

The form is told in `writing.py`. A fault costs its rule, and the reader goes on behind it, so that
all of them are told at once.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any
from uuid import UUID

from lendery.circulation.rules import words
from lendery.circulation.rules.parameters import PARAMETERS, parse
from lendery.circulation.rules.values import Form, as_json
from lendery.circulation.rules.writing import EMPTY, WITH_UNIT
from lendery.contracts.circulation import InvalidRule, NewRule

MOST_FAULTS = 100
_CODE = re.compile(r'"([^"]*)"|@([0-9A-Za-z-]+)|([A-Za-z0-9][A-Za-z0-9._:-]*)')
_KEY = re.compile(r"([a-z_]+)\s*=\s*")
_NAME = re.compile(r"[A-Za-z0-9_.-]+")
_COMMENT = re.compile(r'"[^"]*"|(#.*)')
_UNIT = re.compile(r"([0-9]+)\s*(days?|hours?)")
_SCOPE_KEYS = {"branch": "branch", "category": "category", "item": "item", "item_type": "item"}
_SAYS_CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,63}")


@dataclass(frozen=True, slots=True)
class Fault:
    """Line and column count from 1."""

    line: int
    column: int
    says: str


@dataclass(frozen=True, slots=True)
class Placed:
    rule: NewRule
    line: int
    column: int


@dataclass
class Text:
    """What was read: the rules in their order, and what could not be."""

    rules: list[Placed] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)


class _Wrong(Exception):
    def __init__(self, column: int, says: str) -> None:
        super().__init__(says)
        self.column, self.says = column, says


def read_text(text: str, *, branches: Mapping[str, UUID], currency: str) -> Text:
    """`branches` by code. What is told twice, or makes no sense, is a fault."""
    reader = _Reader(branches, currency)
    for number, line in enumerate(text.removeprefix("\ufeff").split("\n"), 1):
        reader.line(number, line.rstrip("\r"))
        if len(reader.read.faults) >= MOST_FAULTS:
            break
    return reader.read


class _Reader:
    def __init__(self, branches: Mapping[str, UUID], currency: str) -> None:
        self.branches, self.currency = branches, currency
        self.read = Text()
        self.scope: dict[str, Any] | None = None
        self._seen: dict[tuple[Any, ...], int] = {}
        self._number = 0

    def line(self, number: int, line: str) -> None:
        self._number = number
        text = _without_comment(line)
        if not text.strip():
            return
        start = 0
        if not line[0].isspace():
            try:
                self.scope, start = self._scope(text)
            except _Wrong as wrong:
                self.scope = None
                self._fault(wrong)
                return
            if not text[start:].strip():
                return
        elif self.scope is None:
            at = len(text) - len(text.lstrip())
            if not self.read.faults:  # else what it belongs to was told to be wrong
                self._fault(_Wrong(at, "This rule stands below no scope. Begin with `any:`."))
            return
        for at, entry in _entries(text, start):
            if len(self.read.faults) >= MOST_FAULTS:
                return
            try:
                self._entry(at, entry)
            except _Wrong as wrong:
                self._fault(wrong)

    def _fault(self, wrong: _Wrong) -> None:
        self.read.faults.append(Fault(self._number, wrong.column + 1, wrong.says))

    def _scope(self, text: str) -> tuple[dict[str, Any], int]:
        """What the rules are for, and where they begin."""
        scope: dict[str, Any] = {}
        at = 0
        if found := re.compile(r"any\s*:").match(text):
            return scope, found.end()
        while True:
            key = _KEY.match(text, at)
            if key is None or key[1] not in _SCOPE_KEYS:
                says = "Expected `any`, `branch=`, `category=` or `item=`."
                raise _Wrong(at, says)
            name = _SCOPE_KEYS[key[1]]
            if name in scope:
                raise _Wrong(at, f"`{key[1]}=` is said twice.")
            word, end = self._word(text, key.end(), name)
            scope[name] = word
            at = end + len(text[end:]) - len(text[end:].lstrip())
            if text[at : at + 1] == ":":
                return scope, at + 1
            if at == len(text):
                raise _Wrong(at, "Expected `:` after the scope.")
            if at == end:
                raise _Wrong(at, "Expected a space or `:`.")

    def _word(self, text: str, at: int, name: str) -> tuple[Any, int]:
        found = _CODE.match(text, at)
        if found is None:
            raise _Wrong(at, f"Expected the code of a {_SPOKEN[name]}.")
        quoted, branch_id, plain = found.groups()
        end = found.end()
        if plain is not None and plain.endswith(":"):  # it ends the scope
            plain, end = plain[:-1], end - 1
        if name == "branch":
            return self._branch(at, quoted if plain is None else plain, branch_id), end
        word = plain if plain is not None else quoted
        if word is None or not _SAYS_CODE.fullmatch(word):
            raise _Wrong(at, f"Expected the code of a {_SPOKEN[name]}.")
        return word, end

    def _branch(self, at: int, code: str | None, branch_id: str | None) -> UUID:
        if branch_id is not None:
            try:
                return UUID(branch_id)
            except ValueError:
                raise _Wrong(at, "Expected the id of a branch after `@`.") from None
        if code is None or code not in self.branches:
            asked = (code or "")[:64]
            near = get_close_matches(asked, self.branches, n=1)
            hint = f" Did you mean {near[0]}?" if near else ""
            raise _Wrong(at, f"There is no branch with the code {asked}.{hint}")
        return self.branches[code]

    def _entry(self, at: int, entry: str) -> None:
        name = _NAME.match(entry)
        if name is None:
            raise _Wrong(at, "Expected a parameter, as in `loan_period = 21 days`.")
        rest = entry[name.end() :]
        if not rest.lstrip().startswith("="):
            where = at + name.end() + len(rest) - len(rest.lstrip())
            raise _Wrong(where, f"Expected `=` after {name[0]}.")
        value = rest.lstrip()[1:]
        where = at + len(entry) - len(value.lstrip())
        if name[0] not in PARAMETERS:
            where = at
        for parameter, meant in self._values(name[0], value.strip(), where):
            self._add(at, where, parameter, meant)

    def _values(self, name: str, text: str, at: int) -> Iterator[tuple[str, Any]]:
        unit = _UNIT.fullmatch(text) if name in WITH_UNIT else None
        if unit is not None:
            yield WITH_UNIT[name], unit[2] if unit[2].endswith("s") else unit[2] + "s"
            text = unit[1]
        if name not in PARAMETERS:
            yield name, None  # to be told which there are
            return
        if text == EMPTY:
            yield name, None
            return
        yield name, self._value(PARAMETERS[name].kind.form, name, text, at)

    def _value(self, form: Form, name: str, text: str, at: int) -> Any:
        if form == "number" and re.fullmatch(r"[0-9]{1,15}", text):
            return int(text)
        if form == "amount":
            try:
                return words.read_amount(text, self.currency)
            except words.NotAnAmount as wrong:
                raise _Wrong(at, f"{name}: expected {wrong}.") from None
        if form == "branches" and text.startswith("["):
            return self._listed(text, at)
        return text

    def _listed(self, text: str, at: int) -> list[str]:
        found: list[str] = []
        place = 1
        while True:
            place += len(text[place:]) - len(text[place:].lstrip())
            if text[place:] == "]":
                return found
            word = _CODE.match(text, place)
            if word is None:
                raise _Wrong(at + place, "Expected the code of a branch, or `]`.")
            quoted, branch_id, plain = word.groups()
            code = plain if plain is not None else quoted
            found.append(str(self._branch(at + place, code, branch_id)))
            place = word.end()

    def _add(self, at: int, where: int, parameter: str, value: Any) -> None:
        assert self.scope is not None
        try:
            meant = as_json(parse(parameter, value))
        except InvalidRule as problem:
            raise _Wrong(where, problem.detail) from None
        said = self.scope
        key = (said.get("branch"), said.get("category"), said.get("item"), parameter)
        if before := self._seen.get(key):
            raise _Wrong(at, f"{parameter} is said for this scope in line {before} already.")
        self._seen[key] = self._number
        rule = NewRule(
            branch_id=key[0], category=key[1], item_type=key[2], parameter=parameter, value=meant
        )
        self.read.rules.append(Placed(rule, self._number, at + 1))


_SPOKEN = {"branch": "branch", "category": "patron category", "item": "item type"}


def _without_comment(line: str) -> str:
    for found in _COMMENT.finditer(line):
        if found[1] is not None:
            return line[: found.start()]
    return line


def _entries(text: str, start: int) -> Iterator[tuple[int, str]]:
    """Each rule of a line with where it begins: what stands between commas."""
    for part in text[start:].split(","):
        lead = len(part) - len(part.lstrip())
        yield start + lead, part.strip()
        start += len(part) + 1
