"""The kinds of value a rule row may hold: what each takes, and how JSON becomes that value.

`read` is strict, for what somebody types now. `load` trusts what was read once before: a
running loan keeps its policy even where the bounds have been drawn closer since.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal
from uuid import UUID

Form = Literal["number", "amount", "yes-no", "word", "day", "branches"]


class NotThat(ValueError):
    """The value is not of this kind. The parameter says what it takes."""


@dataclass(frozen=True, slots=True)
class Kind:
    """`takes` completes the sentence "loan_period takes ..."; `form` is how text writes it."""

    form: Form
    takes: str
    read: Callable[[Any], Any]
    load: Callable[[Any], Any] = lambda value: value


def whole(least: int, most: int, of: str = "", form: Form = "number") -> Kind:
    """A whole number within bounds; true and false are not numbers, nor is "21"."""

    def read(value: Any) -> int:
        if type(value) is not int or not least <= value <= most:
            raise NotThat
        return value

    return Kind(form, f"a whole number{of} from {least} to {most}", read)


def amount() -> Kind:
    """Money in minor units, in the library's currency."""
    return whole(0, 100_000_000, " of minor units (cents)", "amount")


def yes_no() -> Kind:
    words = {"yes": True, "no": False}

    def read(value: Any) -> bool:
        if isinstance(value, bool):
            return value
        if isinstance(value, str) and value in words:
            return words[value]
        raise NotThat

    return Kind("yes-no", "yes or no (true or false)", read)


def one_of(*choices: str) -> Kind:
    def read(value: Any) -> str:
        if not isinstance(value, str) or value not in choices:
            raise NotThat
        return value

    return Kind("word", f"one of {', '.join(choices)}", read)


def day() -> Kind:
    """A date of the common ISO 8601 form only: 20261218 and 2026-W51-5 are refused."""

    def read(value: Any) -> date:
        try:
            found = date.fromisoformat(value)
        except (TypeError, ValueError):
            raise NotThat from None
        if found.isoformat() != value or not 2000 <= found.year <= 2200:
            raise NotThat
        return found

    return Kind("day", "a date like 2026-12-18", read, date.fromisoformat)


def branches(*words: str) -> Kind:
    """One of some words, or a list of branch ids (order kept, doubles dropped)."""

    def load(value: Any) -> str | tuple[UUID, ...]:
        if isinstance(value, str):
            return value
        return tuple(dict.fromkeys(UUID(each) for each in value))

    def read(value: Any) -> str | tuple[UUID, ...]:
        if isinstance(value, str) and value in words:
            return value
        if not isinstance(value, list) or not 0 < len(value) <= 500:
            raise NotThat
        if not all(isinstance(each, str) for each in value):
            raise NotThat
        try:
            return load(value)
        except ValueError:
            raise NotThat from None

    return Kind("branches", f"{', '.join(words)}, or a list of 1 to 500 branch ids", read, load)


def as_json(value: Any) -> Any:
    """A value as JSON says it: what `read` and `load` take back."""
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, tuple):
        return [str(each) for each in value]
    return value
