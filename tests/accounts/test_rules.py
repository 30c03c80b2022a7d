from datetime import UTC, date, datetime
from uuid import uuid4

import pytest

from lendery.accounts import cards, rules
from lendery.contracts.accounts import User
from lendery.contracts.base import Invalid, NotAllowed, SignInNeeded
from lendery.contracts.permissions import STRANGER, SYSTEM, Actor, Role

ANN, BEN = uuid4(), uuid4()
OWN, CARD, ROLE = frozenset({"name", "email"}), frozenset({"card_number"}), frozenset({"role"})


def person(role: Role, active: bool = True) -> User:
    return User(
        id=ANN, email=None, name="Ann", role=role, card_number=None, category="adult",
        home_branch_id=None, born_on=None, expires_on=None, guarantor_id=None, language=None,
        keeps_history=False, active=active, created_at=datetime(2026, 1, 5, tzinfo=UTC), version=1,
    )  # fmt: skip


def outcome(check: object, *given: object) -> str:
    try:
        check(*given)  # type: ignore[operator]
    except SignInNeeded:
        return "sign in"
    except NotAllowed:
        return "refused"
    return "allowed"


ACTORS = {
    "stranger": STRANGER,
    "ann": Actor(id=ANN, role="reader"),
    "ben, a reader": Actor(id=BEN, role="reader"),
    "ann, a librarian": Actor(id=ANN, role="librarian"),
    "ben, a librarian": Actor(id=BEN, role="librarian"),
    "ben, an admin": Actor(id=BEN, role="admin"),
    "the system": SYSTEM,
}
ASKS = [
    # who asks to change Ann       own fields   card number  role
    ("stranger",                   "sign in",   "sign in",   "sign in"),
    ("ann",                        "allowed",   "refused",   "refused"),
    ("ben, a reader",              "refused",   "refused",   "refused"),
    ("ann, a librarian",           "allowed",   "allowed",   "refused"),
    ("ben, a librarian",           "allowed",   "allowed",   "refused"),
    ("ben, an admin",              "allowed",   "allowed",   "allowed"),
    ("the system",                 "allowed",   "allowed",   "allowed"),
]  # fmt: skip


@pytest.mark.parametrize(("who", "own", "card", "role"), ASKS)
def test_who_may_ask_for_a_change(who: str, own: str, card: str, role: str) -> None:
    asked = [outcome(rules.must_be_allowed_to_ask, ACTORS[who], ANN, f) for f in (OWN, CARD, ROLE)]
    assert asked == [own, card, role]


TOUCHES = [
    # who touches Ann        reader's own  librarian's own  librarian's card  librarian, a block
    ("ann, a librarian",     "allowed",    "allowed",       "refused",        "refused"),
    ("ben, a librarian",     "allowed",    "refused",       "refused",        "refused"),
    ("ben, an admin",        "allowed",    "allowed",       "allowed",        "allowed"),
    ("the system",           "allowed",    "allowed",       "allowed",        "allowed"),
]  # fmt: skip


@pytest.mark.parametrize(("who", "reader", "own", "card", "block"), TOUCHES)
def test_who_may_touch_whom(who: str, reader: str, own: str, card: str, block: str) -> None:
    check, actor, staff = rules.must_be_allowed_to_touch, ACTORS[who], person("librarian")
    assert outcome(check, actor, person("reader"), OWN) == reader
    assert outcome(check, actor, staff, OWN) == own
    assert outcome(check, actor, staff, CARD) == card
    assert outcome(check, actor, staff, None) == block
    assert outcome(check, actor, person("admin"), None) == block


@pytest.mark.parametrize(
    ("role", "active", "changes", "stops"),
    [
        ("admin", True, {"role": "reader"}, True),
        ("admin", True, {"active": False}, True),
        ("admin", True, {"role": "admin", "active": True}, False),
        ("admin", True, {"name": "Anna"}, False),
        ("admin", False, {"role": "reader"}, False),
        ("librarian", True, {"active": False}, False),
    ],
)
def test_who_stops_being_an_admin(
    role: Role, active: bool, changes: dict[str, object], stops: bool
) -> None:
    assert rules.stops_being_admin(person(role, active), changes) is stops


def test_null_empties_only_what_may_be_empty() -> None:
    rules.must_not_be_empty({"email": None, "card_number": None, "name": "Ann"})
    with pytest.raises(Invalid) as refused:
        rules.must_not_be_empty({"name": None, "active": None})
    assert [e["pointer"] for e in refused.value.extra["errors"]] == ["#/name", "#/active"]


@pytest.mark.parametrize(
    ("today", "then"),
    [
        (date(2026, 3, 1), date(2027, 3, 1)),
        (date(2028, 2, 29), date(2029, 2, 28)),
        (date(2027, 2, 28), date(2028, 2, 28)),
    ],
)
def test_a_card_is_good_for_a_year(today: date, then: date) -> None:
    assert rules.a_year_after(today) == then


def test_a_date_of_birth_may_be_today_but_not_tomorrow() -> None:
    rules.must_be_past(date(2026, 3, 1), date(2026, 3, 1))
    with pytest.raises(Invalid):
        rules.must_be_past(date(2026, 3, 2), date(2026, 3, 1))


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("Zoë O'Brien", " zoe o'brien obrien o brien"),
        ("Smith-Jones", " smith-jones smithjones smith jones"),
        ("Søren ŁĄCKI", " soren lacki"),
        ("Straße", " strasse"),
        ("李 小龍", " 李 小龍"),
        ("- %", " - %"),
    ],
)
def test_names_are_found_without_case_and_accents(name: str, words: str) -> None:
    assert rules.search_words(name, None, None) == words


def test_e_mail_and_card_are_words_too() -> None:
    assert rules.search_words("Ann", "ann@example.org", "AB-1") == " ann ann@example.org ab-1"


def test_a_question_has_at_most_eight_words_and_no_nul() -> None:
    assert rules.query_words("Ä\x00b  C") == ["a", "b", "c"]
    assert len(rules.query_words("a " * 1000)) == 8


@pytest.mark.parametrize(
    ("number", "mistyped"),
    [
        ("2000000014", False),
        ("2000000015", True),
        ("2000000041", True),
        ("200000001", False),
        ("20000000150", False),
        ("AB-0000001", False),
    ],
)
def test_a_wrong_check_digit_is_noticed_in_ten_digits_only(number: str, mistyped: bool) -> None:
    assert cards.is_mistyped(number) is mistyped


def test_numbers_made_here_pass_their_own_check() -> None:
    made = [cards.numbered(count) for count in range(200_000_001, 200_001_001)]
    assert not any(cards.is_mistyped(number) for number in made)
    assert len({len(number) for number in made}) == 1 == len({type(n) for n in made})
    assert len(set(made)) == 1000


@pytest.mark.parametrize(
    ("typed", "kept"),
    [(" ab-12 ", "AB-12"), ("2000000014\n", "2000000014"), ("ab", None), ("a\x00bc", None),
     ("ab_12", None), ("A" * 33, None), ("", None)],
)  # fmt: skip
def test_a_card_is_read_as_a_desk_types_it(typed: str, kept: str | None) -> None:
    assert cards.as_typed(typed) == kept
