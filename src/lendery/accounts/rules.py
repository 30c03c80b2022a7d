"""Pure decisions about people: who may change whom, which fields say something wrong."""

import unicodedata
from collections.abc import Mapping
from datetime import date
from typing import Any
from uuid import UUID

from pydantic import ValidationError

from lendery.contracts.accounts import User, UserChanges
from lendery.contracts.base import Invalid
from lendery.contracts.permissions import Actor, Permission

OWN_FIELDS = frozenset({"name", "email", "language", "keeps_history"})
NEVER_EMPTY = ("name", "role", "category", "keeps_history", "active")
ENDS_SESSIONS = ("role", "active")  # what a token says about a person, or that it may speak
UNDECOMPOSED = str.maketrans(
    {"ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "æ": "ae", "œ": "oe", "ı": "i"}
)
QUERY_WORDS = 8


def must_be_allowed_to_add(actor: Actor, role: str) -> None:
    """Staff register readers; whoever grants roles registers staff."""
    actor.must(Permission.EDIT_PEOPLE)
    if role != "reader":
        actor.must(Permission.GRANT_ROLES)


def must_be_allowed_to_ask(actor: Actor, user_id: UUID, fields: frozenset[str]) -> None:
    """Before anything is looked up, so that a reader never learns who exists."""
    if actor.id is not None and actor.id == user_id and fields <= OWN_FIELDS:
        actor.must(Permission.OWN_ACCOUNT)
        return
    actor.must(Permission.EDIT_PEOPLE)
    if "role" in fields:
        actor.must(Permission.GRANT_ROLES)


def must_be_allowed_to_touch(
    actor: Actor, person: User, fields: frozenset[str] | None = None
) -> None:
    """Readers' records are every librarian's work; staff are changed by whoever grants roles.

    `fields` are those to change; None for all else (a block, a removal).
    """
    own = actor.id is not None and actor.id == person.id
    if person.role != "reader" and not (own and fields is not None and fields <= OWN_FIELDS):
        actor.must(Permission.GRANT_ROLES)


def stops_being_admin(person: User, changes: Mapping[str, Any]) -> bool:
    if person.role != "admin" or not person.active:
        return False
    return changes.get("role", "admin") != "admin" or changes.get("active") is False


def read_changes(changes: Mapping[str, Any]) -> dict[str, Any]:
    """What was sent (over a port, dates are text), as fields keep it. Raises Invalid."""
    try:
        return UserChanges.model_validate(changes).model_dump(exclude_unset=True)
    except ValidationError as error:
        wrong = [
            {"pointer": "#/" + "/".join(map(str, each["loc"])), "says": each["msg"]}
            for each in error.errors()
        ]
        says = "; ".join(f"{each['pointer']}: {each['says']}" for each in wrong[:3])
        raise Invalid(says, errors=wrong) from error


def must_not_be_empty(changes: Mapping[str, Any]) -> None:
    """Null empties a field only where it may be empty. Raises Invalid."""
    wrong = [name for name in NEVER_EMPTY if name in changes and changes[name] is None]
    if wrong:
        says = "This must not be empty."
        raise Invalid(
            f"{', '.join(wrong)}: {says}",
            errors=[{"pointer": f"#/{name}", "says": says} for name in wrong],
        )


def must_be_past(born_on: date | None, today: date) -> None:
    if born_on is not None and born_on > today:
        raise refused_field("born_on", "A date of birth lies in the past.")


def refused_field(field: str, says: str) -> Invalid:
    return Invalid(f"{field}: {says}", errors=[{"pointer": f"#/{field}", "says": says}])


def a_year_after(day: date) -> date:
    """The same day next year; 28 February for the 29th."""
    try:
        return day.replace(year=day.year + 1)
    except ValueError:
        return day.replace(year=day.year + 1, day=28)


def folded(text: str) -> str:
    """Without case and accents: Zoë, ZOE and zoe are found alike."""
    parts = unicodedata.normalize("NFKD", text.casefold())
    bare = "".join(letter for letter in parts if not unicodedata.combining(letter))
    return bare.translate(UNDECOMPOSED)


def search_words(name: str, email: str | None, card_number: str | None) -> str:
    """Every word a person is found by, a blank before each: `O'Brien` is `o'brien obrien brien`."""
    words: dict[str, None] = {}
    for word in folded(name).split():
        pieces = "".join(letter if letter.isalnum() else " " for letter in word).split()
        words |= dict.fromkeys([word, "".join(pieces), *pieces])
    words |= dict.fromkeys(folded(each) for each in (email, card_number) if each)
    return "".join(f" {word}" for word in words if word)


def query_words(q: str) -> list[str]:
    return folded(q.replace("\x00", " ")).split()[:QUERY_WORDS]
