"""The demo's readers: invented people in the mixture of names a town's library sees.

Every reader follows from the seed and the day; nobody in it is real. Names are in
`data/names.toml`, in the scripts their bearers would write them in.
"""

import random
import re
import tomllib
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from importlib import resources
from typing import Any, Literal

from .cleaning import plain

Category = Literal["adult", "child", "student", "staff"]
Spelled = tuple[str, str]  # a name as it is written, and in plain Latin letters

# How readers spread over the main library and its two branches.
BRANCH_SHARES = (0.5, 0.3, 0.2)
# Of all readers; the rest are adults.
_SHARES: dict[Category, float] = {"student": 0.15, "staff": 0.03, "child": 0.24}
# Youngest, oldest and most frequent age. A child's sixteenth birthday is still to come.
_AGES: dict[Category, tuple[float, float, float]] = {
    "adult": (18.02, 90, 41),
    "student": (16.02, 27, 20),
    "staff": (23, 64, 44),
    "child": (5, 15.9, 9),
}
_DAYS_IN_A_YEAR = 365.2425
_OLDER_THAN_CHILD = (19, 46)  # years, of a parent


@dataclass(frozen=True, kw_only=True)
class Reader:
    """A person with a library card.

    `name` is in the order the person writes it. `guarantor` is the place in the list of the adult
    who answers for a child, and None for everybody else.
    """

    name: str
    given_name: str
    family_name: str
    category: Category
    born_on: date
    email: str
    home_branch: int
    expires_on: date
    guarantor: int | None


@dataclass(frozen=True, kw_only=True)
class _Tradition:
    """Names of one language; the family names of women and men stand in the same order."""

    women: tuple[Spelled, ...]
    men: tuple[Spelled, ...]
    family_women: tuple[Spelled, ...]
    family_men: tuple[Spelled, ...]
    family_first: bool
    between: str
    share: int


@dataclass(frozen=True, kw_only=True)
class _Person:
    """Who somebody is, before they get a card."""

    category: Category
    born_on: date
    home_branch: int
    tradition: _Tradition
    given: Spelled
    family: Spelled
    family_place: int
    guarantor: int | None


def readers(*, count: int, seed: int, today: date) -> list[Reader]:
    """So many readers, adults first and children last; the same for the same seed and day.

    Most cards are valid, some have lately run out, a few long ago.
    """
    rng = random.Random(seed)
    people: list[_Person] = []
    names: set[tuple[Spelled, Spelled]] = set()
    for category in _categories(count):
        person = _person(category, people, today, rng)
        if (person.given, person.family) in names:
            person = _person(category, people, today, rng)  # some namesakes remain, as in any town
        names.add((person.given, person.family))
        people.append(person)
    taken: set[str] = set()
    return [_with_card(person, taken, today, rng) for person in people]


def _categories(count: int) -> list[Category]:
    others: list[Category] = []
    for category, share in _SHARES.items():
        others += [category] * round(share * count)
    adults: list[Category] = ["adult"] * (count - len(others))
    return adults + others


def _person(category: Category, people: list[_Person], today: date, rng: random.Random) -> _Person:
    if category == "child":
        return _child(people, today, rng)
    return _grown_up(category, today, rng)


def _grown_up(category: Category, today: date, rng: random.Random) -> _Person:
    traditions = _traditions()
    tradition = rng.choices(traditions, [one.share for one in traditions])[0]
    given, families = _given_and_families(tradition, rng)
    place = rng.randrange(len(families))
    return _Person(
        category=category,
        born_on=_born_on(category, today, rng),
        home_branch=rng.choices(range(len(BRANCH_SHARES)), BRANCH_SHARES)[0],
        tradition=tradition,
        given=given,
        family=families[place],
        family_place=place,
        guarantor=None,
    )


def _child(people: list[_Person], today: date, rng: random.Random) -> _Person:
    """A child of one of the adults: with that family's name, at that adult's branch."""
    born_on = _born_on("child", today, rng)
    youngest, oldest = (timedelta(days=years * _DAYS_IN_A_YEAR) for years in _OLDER_THAN_CHILD)
    adults = [place for place, person in enumerate(people) if person.category == "adult"]
    parents = [place for place in adults if youngest <= born_on - people[place].born_on <= oldest]
    oldest_adult = min(adults, key=lambda place: people[place].born_on)
    guarantor = rng.choice(parents or [oldest_adult])
    parent = people[guarantor]
    given, families = _given_and_families(parent.tradition, rng)
    return _Person(
        category="child",
        born_on=born_on,
        home_branch=parent.home_branch,
        tradition=parent.tradition,
        given=given,
        family=families[parent.family_place],
        family_place=parent.family_place,
        guarantor=guarantor,
    )


def _given_and_families(
    tradition: _Tradition, rng: random.Random
) -> tuple[Spelled, tuple[Spelled, ...]]:
    if rng.random() < 0.54:  # a little over half of a library's readers are women
        return rng.choice(tradition.women), tradition.family_women
    return rng.choice(tradition.men), tradition.family_men


def _born_on(category: Category, today: date, rng: random.Random) -> date:
    youngest, oldest, usual = _AGES[category]
    return today - timedelta(days=int(rng.triangular(youngest, oldest, usual) * _DAYS_IN_A_YEAR))


def _with_card(person: _Person, taken: set[str], today: date, rng: random.Random) -> Reader:
    given, family = person.given[0], person.family[0]
    in_order = (family, given) if person.tradition.family_first else (given, family)
    return Reader(
        name=person.tradition.between.join(in_order),
        given_name=given,
        family_name=family,
        category=person.category,
        born_on=person.born_on,
        email=_email(person.given[1], person.family[1], taken),
        home_branch=person.home_branch,
        expires_on=_expires_on(today, rng),
        guarantor=person.guarantor,
    )


def _email(given: str, family: str, taken: set[str]) -> str:
    """An address nobody has yet, in a domain that is reserved for examples."""
    names = (re.sub(r"[^a-z]+", "", plain(name)) for name in (given, family))
    address = ".".join(names)
    number = 1
    while (unique := address + (str(number) if number > 1 else "")) in taken:
        number += 1
    taken.add(unique)
    return f"{unique}@example.org"


def _expires_on(today: date, rng: random.Random) -> date:
    chance = rng.random()
    if chance < 0.92:
        return today + timedelta(days=rng.randint(1, 365))
    if chance < 0.975:
        return today - timedelta(days=rng.randint(1, 60))
    return today - timedelta(days=rng.randint(61, 700))


@cache
def _traditions() -> tuple[_Tradition, ...]:
    file = resources.files(__package__).joinpath("data", "names.toml")
    return tuple(map(_tradition, tomllib.loads(file.read_text("utf-8"))["tradition"]))


def _tradition(entry: dict[str, Any]) -> _Tradition:
    return _Tradition(
        women=_spelled(entry["women"]),
        men=_spelled(entry["men"]),
        family_women=_spelled(entry.get("family_women") or entry["family"]),
        family_men=_spelled(entry.get("family_men") or entry["family"]),
        family_first=entry.get("family_first", False),
        between="" if entry.get("joined") else " ",
        share=entry["share"],
    )


def _spelled(names: list[str]) -> tuple[Spelled, ...]:
    both = (name.partition("=") for name in names)
    return tuple((native, latin or native) for native, _, latin in both)
