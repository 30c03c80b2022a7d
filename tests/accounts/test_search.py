from datetime import datetime
from uuid import uuid4

import pytest

from lendery.accounts.people import PeopleDesk
from lendery.contracts.accounts import NewUser, UserFilter
from lendery.contracts.base import Invalid, NotAllowed, Window
from lendery.contracts.permissions import SYSTEM, Actor

LIBRARIAN = Actor(id=uuid4(), role="librarian")
PEOPLE = [
    NewUser(name="Zoë O'Brien", email="zoe@example.org", card_number="AB-100"),
    NewUser(name="Ben Smith-Jones", email="ben_s@example.net", category="child"),
    NewUser(name="Annabel Łącka", email="100%@example.org", role="librarian"),
    NewUser(name="Ann Benson"),
    NewUser(name="Di Bann", role="admin"),
]


@pytest.fixture(autouse=True)
async def _people(desk: PeopleDesk, now: datetime) -> None:
    await desk.add_many(people=PEOPLE, actor=SYSTEM, now=now)


async def found(desk: PeopleDesk, **like: object) -> list[str]:
    page = await desk.find(
        like=UserFilter.model_validate(like), window=Window(total=True), actor=LIBRARIAN
    )
    assert page.total == len(page.items)
    return [each.name.split()[0] for each in page.items]


@pytest.mark.parametrize(
    ("q", "names"),
    [
        ("ann", ["Annabel", "Ann"]),
        ("ANN BEN", ["Ann"]),
        ("ben", ["Ben", "Ann"]),
        ("zoe", ["Zoë"]),
        ("ZOË", ["Zoë"]),
        ("obrien", ["Zoë"]),
        ("brien", ["Zoë"]),
        ("o'br", ["Zoë"]),
        ("smith-j", ["Ben"]),
        ("jones", ["Ben"]),
        ("lack", ["Annabel"]),
        ("zoe@ex", ["Zoë"]),
        ("ab-1", ["Zoë"]),
        ("ben_", ["Ben"]),
        ("100%", ["Annabel"]),
        ("%", []),
        ("_", []),
        ("\\", []),
        ("\x00", ["Zoë", "Ben", "Annabel", "Ann", "Di"]),
        ("example", []),
        ("' OR 1=1 --", []),
        ("nobody", []),
    ],
)
async def test_words_begin_with_what_was_typed(desk: PeopleDesk, q: str, names: list[str]) -> None:
    assert await found(desk, q=q) == names


@pytest.mark.parametrize(
    ("like", "names"),
    [
        ({"role": "librarian"}, ["Annabel"]),
        ({"category": "child"}, ["Ben"]),
        ({"category": "adult", "q": "ann", "role": "reader"}, ["Ann"]),
        ({"card_number": "ab-100 "}, ["Zoë"]),
        ({"card_number": "AB-10"}, []),
        ({"card_number": "\x00"}, []),
        ({"active": True}, ["Zoë", "Ben", "Annabel", "Ann", "Di"]),
        ({"active": False}, []),
    ],
)
async def test_filters_narrow(desk: PeopleDesk, like: dict[str, object], names: list[str]) -> None:
    assert await found(desk, **like) == names


async def test_a_changed_name_is_found_at_once(desk: PeopleDesk, now: datetime) -> None:
    (ann,) = (await desk.find(like=UserFilter(q="benson"), window=Window(), actor=SYSTEM)).items
    changes = {"name": "Ann Ash", "email": "new@example.org"}
    await desk.change(user_id=ann.id, changes=changes, actor=SYSTEM, now=now)
    assert await found(desk, q="ash") == await found(desk, q="new@") == ["Ann"]
    assert await found(desk, q="benson") == []


async def test_pages_show_everyone_once(desk: PeopleDesk) -> None:
    seen: list[str] = []
    after = None
    for expected in (2, 2, 1):
        window = Window(limit=2, after=after)
        page = await desk.find(like=UserFilter(), window=window, actor=LIBRARIAN)
        assert len(page.items) == expected and page.total is None
        seen += [each.name for each in page.items]
        after = page.next_cursor
    assert after is None
    assert seen == [each.name for each in PEOPLE]


async def test_a_full_last_page_has_no_next(desk: PeopleDesk) -> None:
    page = await desk.find(like=UserFilter(), window=Window(limit=5), actor=LIBRARIAN)
    assert len(page.items) == 5 and page.next_cursor is None


@pytest.mark.parametrize("cursor", ["x", "WzFd", "WyJhIl0", "W10", "bnVsbA", "é", "WyIxIiwiMiJd"])
async def test_a_cursor_of_something_else_is_refused(desk: PeopleDesk, cursor: str) -> None:
    with pytest.raises(Invalid):
        await desk.find(like=UserFilter(), window=Window(after=cursor), actor=LIBRARIAN)


async def test_readers_do_not_look_for_people(desk: PeopleDesk) -> None:
    with pytest.raises(NotAllowed):
        await desk.find(like=UserFilter(), window=Window(), actor=Actor(id=uuid4(), role="reader"))
