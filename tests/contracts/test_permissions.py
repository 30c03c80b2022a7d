"""Who may do what, row by row, as the table of the documentation says it."""

import pytest

from lendery.contracts.base import NotAllowed, SignInNeeded, new_id
from lendery.contracts.permissions import GRANTED, STRANGER, SYSTEM, Actor, Permission

P = Permission
# what is done, stranger, reader, librarian, admin
TABLE: list[tuple[str, Permission, bool, bool, bool, bool]] = [
    ("one's own account, loans, history", P.OWN_ACCOUNT, False, True, True, True),
    ("borrow and return for oneself", P.BORROW, False, True, True, True),
    ("borrow and return for anyone", P.LEND, False, False, True, True),
    ("waive what is waivable", P.WAIVE, False, False, True, True),
    ("undo what was a mistake at the desk", P.UNDO, False, False, True, True),
    ("take over what a desk did offline", P.OFFLINE, False, False, True, True),
    ("register and revoke such desks", P.OFFLINE_REGISTER, False, False, False, True),
    ("wait for books oneself", P.PLACE_HOLDS, False, True, True, True),
    ("let anyone wait, serve the queues", P.MANAGE_HOLDS, False, False, True, True),
    ("charge, take payments, pay back", P.SETTLE, False, False, True, True),
    ("write the catalogue", P.CATALOGUE, False, False, True, True),
    ("review books oneself, report reviews", P.REVIEW, False, True, True, True),
    ("decide about reviews", P.MODERATE, False, False, True, True),
    ("see people", P.SEE_PEOPLE, False, False, True, True),
    ("register, edit and block people", P.EDIT_PEOPLE, False, False, True, True),
    ("give roles", P.GRANT_ROLES, False, False, False, True),
    ("export others, see who looked at them", P.PRIVACY, False, False, False, True),
    ("read rules, branches, calendars", P.READ_RULES, False, False, True, True),
    ("write rules, branches, calendars", P.WRITE_RULES, False, False, False, True),
    ("import, export, undo", P.RUN_IMPORTS, False, False, True, True),
    ("see what jobs do", P.READ_JOBS, False, False, True, True),
    ("run jobs out of turn", P.RUN_JOBS, False, False, False, True),
    ("see notices' words and mails", P.READ_NOTICES, False, False, True, True),
    ("word notices", P.WRITE_NOTICES, False, False, False, True),
    ("read reports", P.READ_REPORTS, False, False, True, True),
]
ROLES = ("reader", "librarian", "admin")


@pytest.mark.parametrize("row", TABLE, ids=[row[0] for row in TABLE])
def test_who_may(row: tuple[str, Permission, bool, bool, bool, bool]) -> None:
    _, permission, stranger, *by_role = row
    assert STRANGER.may(permission) == stranger
    with pytest.raises(SignInNeeded):
        STRANGER.must(permission)
    for role, may in zip(ROLES, by_role, strict=True):
        actor = Actor(id=new_id(), role=role)  # type: ignore[arg-type]
        assert actor.may(permission) == may
        if may:
            actor.must(permission)
        else:
            with pytest.raises(NotAllowed) as told:
                actor.must(permission)
            assert told.value.extra["permission"] == permission
            assert permission in told.value.detail


def test_every_permission_is_in_the_table() -> None:
    assert [row[1] for row in TABLE] == list(Permission)
    assert set(GRANTED) == set(ROLES)


def test_each_role_may_what_the_one_below_may() -> None:
    assert GRANTED["reader"] < GRANTED["librarian"] < GRANTED["admin"]


@pytest.mark.parametrize(
    ("role", "staff"), [("reader", False), ("librarian", True), ("admin", True)]
)
def test_who_is_staff(role: str, staff: bool) -> None:
    assert Actor(id=new_id(), role=role).staff == staff  # type: ignore[arg-type]
    assert not STRANGER.staff


def test_ones_own_affairs_and_those_of_others() -> None:
    ann, ben = (Actor(id=new_id(), role="reader") for _ in range(2))
    desk = Actor(id=new_id(), role="librarian")
    ann.must_be(ann.id, P.LEND)
    desk.must_be(ann.id, P.LEND)
    SYSTEM.must_be(ann.id, P.LEND)
    for somebody in (ben.id, None):
        with pytest.raises(NotAllowed):
            ann.must_be(somebody, P.LEND)
    for whoever in (ann.id, None):
        with pytest.raises(SignInNeeded):
            STRANGER.must_be(whoever, P.LEND)


def test_the_system_itself_may_everything_and_is_nobody() -> None:
    assert SYSTEM.id is None
    for permission in Permission:
        SYSTEM.must(permission)


def test_a_role_that_is_none_is_no_actor() -> None:
    with pytest.raises(ValueError, match="role"):
        Actor(id=new_id(), role="root")  # type: ignore[arg-type]
