import asyncio
from datetime import date, datetime, timedelta
from uuid import uuid4

import pytest

from lendery.accounts import cards
from lendery.accounts.people import PeopleDesk
from lendery.accounts.tokens import SignIn
from lendery.contracts.accounts import (
    LastAdmin,
    NewBlock,
    NewUser,
    NoSuchUser,
    Registration,
    User,
    UserFilter,
)
from lendery.contracts.base import (
    AlreadyTaken,
    Invalid,
    NotAllowed,
    NotFound,
    Problem,
    SignInNeeded,
    Stale,
    Window,
)
from lendery.contracts.permissions import STRANGER, SYSTEM, Actor
from lendery.platform.db import Database

from .conftest import PASSWORD, Joins, as_actor, count, events_of

LIBRARIAN = Actor(id=uuid4(), role="librarian")
ADMIN = Actor(id=uuid4(), role="admin")


async def test_ann_joins_by_herself_and_has_a_card_for_a_year(
    desk: PeopleDesk, db: Database, now: datetime
) -> None:
    ann = await desk.register(
        person=Registration(email=" Ann@Example.ORG ", password=PASSWORD, name="Ann Lee"), now=now
    )
    assert (ann.email, ann.role, ann.category) == ("ann@example.org", "reader", "adult")
    assert ann.card_number and not cards.is_mistyped(ann.card_number)
    assert ann.expires_on and (ann.expires_on - now.date()).days in (365, 366)
    assert (ann.active, ann.version, ann.keeps_history) == (True, 1, False)
    assert await desk.get(user_id=ann.id, actor=as_actor(ann)) == ann
    assert await events_of(db) == [f"PatronRegistered {ann.id}"]


async def test_one_e_mail_registered_twenty_times_at_once_is_one_person(
    desk: PeopleDesk, db: Database, now: datetime
) -> None:
    ann = Registration(email="ann@example.org", password=PASSWORD, name="Ann")
    tries = [desk.register(person=ann, now=now) for _ in range(20)]
    outcomes = await asyncio.gather(*tries, return_exceptions=True)
    assert sum(isinstance(each, User) for each in outcomes) == 1
    refused = [each for each in outcomes if isinstance(each, AlreadyTaken)]
    assert len(refused) == 19 and {each.extra["field"] for each in refused} == {"email"}
    assert await count(db, "accounts_user") == 1
    assert len(await events_of(db)) == 1


async def test_cards_given_out_at_once_are_all_different(desk: PeopleDesk, now: datetime) -> None:
    people = [NewUser(name=f"Reader {n}") for n in range(30)]
    added = await asyncio.gather(*[desk.add(person=p, actor=LIBRARIAN, now=now) for p in people])
    numbers = {each.card_number for each in added}
    assert len(numbers) == 30
    assert all(number and not cards.is_mistyped(number) for number in numbers)


async def test_the_counter_passes_over_a_number_that_was_typed_in(
    desk: PeopleDesk, now: datetime
) -> None:
    first = await desk.add(person=NewUser(name="Ann"), actor=LIBRARIAN, now=now)
    assert first.card_number
    coming = cards.numbered(int(first.card_number[:-1]) + 1)
    by_hand = NewUser(name="Ben", card_number=coming)
    await desk.add(person=by_hand, actor=LIBRARIAN, now=now)
    more = [NewUser(name="Cy"), NewUser(name="Di")]
    added = await desk.add_many(people=more, actor=LIBRARIAN, now=now)
    count = int(first.card_number[:-1])
    assert [u.card_number for u in added] == [cards.numbered(count + 2), cards.numbered(count + 3)]


@pytest.mark.parametrize(
    ("field", "value"), [("email", "ann@example.org"), ("card_number", "AB-100")]
)
async def test_what_ann_has_is_taken(
    desk: PeopleDesk, joins: Joins, db: Database, now: datetime, field: str, value: str
) -> None:
    await joins("Ann", card_number="AB-100")
    ben = await joins("Ben")
    second = NewUser.model_validate({"name": "Di", field: value})
    for attempt in (
        desk.add(
            person=NewUser.model_validate({"name": "Cy", field: value.upper()}),
            actor=LIBRARIAN,
            now=now,
        ),
        desk.change(user_id=ben.id, changes={field: value}, actor=LIBRARIAN, now=now),
        desk.add_many(
            people=[NewUser(name="Cy"), second],
            actor=LIBRARIAN,
            now=now,
        ),
    ):
        with pytest.raises(AlreadyTaken) as refused:
            await attempt
        assert refused.value.extra["field"] == field
    assert await count(db, "accounts_user") == 2


async def test_two_new_people_with_one_card_are_refused_together(
    desk: PeopleDesk, db: Database, now: datetime
) -> None:
    twins = [NewUser(name="Ann", card_number="AB-1"), NewUser(name="Ben", card_number="AB-1")]
    with pytest.raises(AlreadyTaken) as refused:
        await desk.add_many(people=twins, actor=LIBRARIAN, now=now)
    assert refused.value.extra["field"] == "card_number"
    assert await count(db, "accounts_user") == 0 and await events_of(db) == []


@pytest.mark.parametrize(
    ("given", "pointer"),
    [
        ({"card_number": "2000000015"}, "#/card_number"),
        ({"born_on": date(2999, 1, 1)}, "#/born_on"),
        ({"guarantor_id": uuid4()}, "#/guarantor_id"),
    ],
)
async def test_a_wrong_field_is_named(
    desk: PeopleDesk, joins: Joins, now: datetime, given: dict[str, object], pointer: str
) -> None:
    ann = await joins("Ann")
    with pytest.raises(Invalid) as added:
        person = NewUser.model_validate({"name": "Ben", **given})
        await desk.add(person=person, actor=LIBRARIAN, now=now)
    with pytest.raises(Invalid) as changed:
        await desk.change(user_id=ann.id, changes=given, actor=LIBRARIAN, now=now)
    for refused in (added, changed):
        assert [each["pointer"] for each in refused.value.extra["errors"]] == [pointer]


async def test_nobody_answers_for_themselves(desk: PeopleDesk, joins: Joins, now: datetime) -> None:
    ann, ben = await joins("Ann"), await joins("Ben", category="child")
    changed = await desk.change(
        user_id=ben.id, changes={"guarantor_id": ann.id}, actor=LIBRARIAN, now=now
    )
    assert changed.guarantor_id == ann.id
    with pytest.raises(Invalid):
        await desk.change(
            user_id=ben.id, changes={"guarantor_id": ben.id}, actor=LIBRARIAN, now=now
        )


async def test_a_change_is_told_and_seen(
    desk: PeopleDesk, joins: Joins, db: Database, now: datetime
) -> None:
    ann = await joins("Ann")
    changed = await desk.change(
        user_id=ann.id,
        changes={"name": "Anna Lee", "expires_on": "2031-05-06", "card_number": None},
        actor=LIBRARIAN,
        now=now,
        version=1,
    )
    assert (changed.name, changed.expires_on, changed.card_number, changed.version) == (
        "Anna Lee", date(2031, 5, 6), None, 2,
    )  # fmt: skip
    assert await desk.get(user_id=ann.id, actor=LIBRARIAN) == changed
    assert (await events_of(db))[1:] == [f"PatronChanged {ann.id}"]


async def test_a_change_of_nothing_is_not_told(
    desk: PeopleDesk, joins: Joins, db: Database, now: datetime
) -> None:
    ann = await joins("Ann")
    for changes in ({}, {"name": "Ann"}):
        same = await desk.change(user_id=ann.id, changes=changes, actor=LIBRARIAN, now=now)
        assert same == ann
    assert await events_of(db) == [f"PatronRegistered {ann.id}"]


async def test_an_older_version_is_stale(desk: PeopleDesk, joins: Joins, now: datetime) -> None:
    ann = await joins("Ann")
    tries = [
        desk.change(
            user_id=ann.id, changes={"name": f"Ann {n}"}, actor=LIBRARIAN, now=now, version=1
        )
        for n in range(5)
    ]
    outcomes = await asyncio.gather(*tries, return_exceptions=True)
    assert sorted(type(each).__name__ for each in outcomes) == ["Stale"] * 4 + ["User"]
    with pytest.raises(Stale):
        await desk.remove(user_id=ann.id, actor=LIBRARIAN, now=now, version=1)


async def test_a_reader_changes_what_is_theirs_and_nothing_else(
    desk: PeopleDesk, joins: Joins, now: datetime
) -> None:
    ann = await joins("Ann")
    own = {"name": "Anna", "email": "anna@example.org", "language": "fr", "keeps_history": True}
    changed = await desk.change(user_id=ann.id, changes=own, actor=as_actor(ann), now=now)
    assert changed.keeps_history and changed.language == "fr"
    for name, value in {
        "role": "admin", "card_number": "AB-1", "category": "staff", "active": True,
        "expires_on": date(2099, 1, 1), "born_on": date(2000, 1, 1), "home_branch_id": None,
        "guarantor_id": None,
    }.items():  # fmt: skip
        with pytest.raises(NotAllowed):
            await desk.change(
                user_id=ann.id, changes={"name": "X", name: value}, actor=as_actor(ann), now=now
            )
    assert await desk.get(user_id=ann.id, actor=as_actor(ann)) == changed


async def test_a_reader_never_learns_who_exists(
    desk: PeopleDesk, joins: Joins, now: datetime
) -> None:
    ann, ben = as_actor(await joins("Ann")), await joins("Ben")
    for other in (ben.id, uuid4()):
        for attempt in (
            desk.get(user_id=other, actor=ann),
            desk.by_ids(ids=[other], actor=ann),
            desk.change(user_id=other, changes={"name": "X"}, actor=ann, now=now),
            desk.change(user_id=other, changes={}, actor=ann, now=now),
            desk.remove(user_id=other, actor=ann, now=now),
            desk.blocks(user_id=other, actor=ann),
            desk.block(user_id=other, block=NewBlock(), actor=ann, now=now),
            desk.unblock(user_id=other, block_id=uuid4(), actor=ann, now=now),
        ):
            with pytest.raises(NotAllowed):
                await attempt


async def test_strangers_sign_in_first(desk: PeopleDesk, joins: Joins, now: datetime) -> None:
    ann = await joins("Ann")
    for attempt in (
        desk.get(user_id=ann.id, actor=STRANGER),
        desk.by_ids(ids=[], actor=STRANGER),
        desk.by_card(card_number="AB-1", actor=STRANGER),
        desk.find(like=UserFilter(), window=Window(), actor=STRANGER),
        desk.add(person=NewUser(name="Ben"), actor=STRANGER, now=now),
        desk.change(user_id=ann.id, changes={}, actor=STRANGER, now=now),
        desk.remove(user_id=ann.id, actor=STRANGER, now=now),
    ):
        with pytest.raises(SignInNeeded):
            await attempt


ROLE_RULES = [
    # what is done                      by a librarian   by an admin
    ("add a reader",                    "done",          "done"),
    ("add a librarian",                 "NotAllowed",    "done"),
    ("add an admin",                    "NotAllowed",    "done"),
    ("rename a reader",                 "done",          "done"),
    ("rename a librarian",              "NotAllowed",    "done"),
    ("rename an admin",                 "NotAllowed",    "done"),
    ("make a reader a librarian",       "NotAllowed",    "done"),
    ("repeat a reader's role",          "NotAllowed",    "done"),
    ("switch a reader off",             "done",          "done"),
    ("switch a librarian off",          "NotAllowed",    "done"),
    ("block a reader",                  "done",          "done"),
    ("block a librarian",               "NotAllowed",    "done"),
    ("remove a reader",                 "done",          "done"),
    ("remove a librarian",              "NotAllowed",    "done"),
    ("remove an admin",                 "NotAllowed",    "done"),
]  # fmt: skip


@pytest.mark.parametrize(("what", "librarian", "admin"), ROLE_RULES)
async def test_roles(
    desk: PeopleDesk, joins: Joins, now: datetime, what: str, librarian: str, admin: str
) -> None:
    await joins("Root", "admin")  # so that nobody else is the last one

    async def attempt(actor: Actor, n: int) -> str:
        verb, *_, noun = what.split()
        role = next(
            (r for r in ("librarian", "admin") if f"a {r}" in what or f"an {r}" in what), ""
        )
        target = "reader" if "reader" in what else role
        try:
            if verb == "add":
                person = NewUser.model_validate({"name": f"New {n}", "role": noun})
                await desk.add(person=person, actor=actor, now=now)
                return "done"
            whom = (await joins(f"Target{n}", target)).id
            changes: dict[str, dict[str, object]] = {
                "rename": {"name": "Other"},
                "make": {"role": "librarian"},
                "repeat": {"role": "reader"},
                "switch": {"active": False},
            }
            if verb == "block":
                await desk.block(user_id=whom, block=NewBlock(), actor=actor, now=now)
            elif verb == "remove":
                await desk.remove(user_id=whom, actor=actor, now=now)
            else:
                await desk.change(user_id=whom, changes=changes[verb], actor=actor, now=now)
        except Problem as problem:
            return type(problem).__name__
        return "done"

    assert [await attempt(LIBRARIAN, 1), await attempt(ADMIN, 2)] == [librarian, admin]


async def test_a_librarian_keeps_the_own_name_but_not_the_own_role(
    desk: PeopleDesk, joins: Joins, now: datetime
) -> None:
    lou = await joins("Lou", "librarian")
    changed = await desk.change(
        user_id=lou.id, changes={"name": "Louise"}, actor=as_actor(lou), now=now
    )
    assert changed.name == "Louise"
    for changes in ({"role": "admin"}, {"category": "child"}, {"active": False}):
        with pytest.raises(NotAllowed):
            await desk.change(user_id=lou.id, changes=changes, actor=as_actor(lou), now=now)


async def test_the_last_admin_stays(desk: PeopleDesk, joins: Joins, now: datetime) -> None:
    root = await joins("Root", "admin")
    off = await joins("Off", "admin")
    await desk.change(user_id=off.id, changes={"active": False}, actor=SYSTEM, now=now)
    for attempt in (
        desk.change(user_id=root.id, changes={"role": "reader"}, actor=ADMIN, now=now),
        desk.change(user_id=root.id, changes={"active": False}, actor=SYSTEM, now=now),
        desk.remove(user_id=root.id, actor=as_actor(root), now=now),
    ):
        with pytest.raises(LastAdmin):
            await attempt
    assert (await desk.get(user_id=root.id, actor=ADMIN)).role == "admin"


async def test_two_admins_who_demote_each_other_leave_one(
    desk: PeopleDesk, joins: Joins, now: datetime
) -> None:
    one, two = await joins("One", "admin"), await joins("Two", "admin")
    for _ in range(10):
        tries = [
            desk.change(user_id=two.id, changes={"role": "reader"}, actor=as_actor(one), now=now),
            desk.change(user_id=one.id, changes={"active": False}, actor=as_actor(two), now=now),
        ]
        outcomes = await asyncio.gather(*tries, return_exceptions=True)
        assert sorted(type(each).__name__ for each in outcomes) == ["LastAdmin", "User"]
        for each in (one, two):
            again = {"role": "admin", "active": True}
            await desk.change(user_id=each.id, changes=again, actor=SYSTEM, now=now)


async def test_a_removed_person_is_gone_but_the_place_stays(
    desk: PeopleDesk, joins: Joins, db: Database, now: datetime
) -> None:
    ann = await joins("Ann Lee", born_on=date(1990, 1, 2), card_number="AB-1")
    await desk.block(user_id=ann.id, block=NewBlock(note="Told us"), actor=LIBRARIAN, now=now)
    await desk.remove(user_id=ann.id, actor=LIBRARIAN, now=now)
    for attempt in (
        desk.get(user_id=ann.id, actor=LIBRARIAN),
        desk.by_card(card_number="AB-1", actor=LIBRARIAN),
        desk.change(user_id=ann.id, changes={"name": "Ann"}, actor=LIBRARIAN, now=now),
        desk.remove(user_id=ann.id, actor=LIBRARIAN, now=now),
        desk.blocks(user_id=ann.id, actor=LIBRARIAN),
    ):
        with pytest.raises(NoSuchUser):
            await attempt
    assert (await desk.find(like=UserFilter(q="ann"), window=Window(), actor=LIBRARIAN)).items == []
    assert (await events_of(db))[-1] == f"PatronRemoved {ann.id}"
    assert await count(db, "accounts_user") == 1 and await count(db, "accounts_block") == 0
    again = await joins("Ann Lee", card_number="AB-1")  # her address and card are free again
    assert again.id != ann.id


@pytest.mark.parametrize("how", ["role", "active", "remove"])
async def test_what_a_token_says_ends_with_it(
    desk: PeopleDesk, sign_in: SignIn, joins: Joins, now: datetime, how: str
) -> None:
    ann = await joins("Ann")
    await sign_in.log_in(email="ann@example.org", password=PASSWORD, address="a", now=now)
    later = now + timedelta(seconds=2)
    await desk.change(user_id=ann.id, changes={"name": "Anna"}, actor=ADMIN, now=later)
    assert await sign_in.keys.revoked_since(since=now) == []
    if how == "remove":
        await desk.remove(user_id=ann.id, actor=ADMIN, now=later)
    else:
        changes = {"role": "librarian"} if how == "role" else {"active": False}
        await desk.change(user_id=ann.id, changes=changes, actor=ADMIN, now=later)
    (ended,) = await sign_in.keys.revoked_since(since=now)
    assert ended.at == later


async def test_blocks_are_placed_read_and_lifted(
    desk: PeopleDesk, joins: Joins, db: Database, now: datetime
) -> None:
    ann, ben = await joins("Ann"), await joins("Ben")
    until = now + timedelta(days=3)
    stolen = await desk.block(
        user_id=ann.id, block=NewBlock(reason="stolen-card"), actor=LIBRARIAN, now=now
    )
    paused = await desk.block(
        user_id=ann.id, block=NewBlock(note="Late", until=until), actor=LIBRARIAN, now=now
    )
    assert (stolen.placed_by, paused.until) == (LIBRARIAN.id, until)
    assert await desk.blocks(user_id=ann.id, actor=as_actor(ann)) == [stolen, paused]
    with pytest.raises(NotFound):
        await desk.unblock(user_id=ben.id, block_id=stolen.id, actor=LIBRARIAN, now=now)
    await desk.unblock(user_id=ann.id, block_id=stolen.id, actor=LIBRARIAN, now=now)
    assert await desk.blocks(user_id=ann.id, actor=LIBRARIAN) == [paused]
    assert (await events_of(db))[2:] == [f"PatronChanged {ann.id}"] * 3
    assert (await desk.get(user_id=ann.id, actor=LIBRARIAN)).version == 4


async def test_a_block_in_the_past_is_refused(
    desk: PeopleDesk, joins: Joins, now: datetime
) -> None:
    ann = await joins("Ann")
    for until in (now, now - timedelta(days=1)):
        with pytest.raises(Invalid):
            block = NewBlock(until=until)
            await desk.block(user_id=ann.id, block=block, actor=LIBRARIAN, now=now)
    with pytest.raises(NoSuchUser):
        await desk.block(user_id=uuid4(), block=NewBlock(), actor=LIBRARIAN, now=now)


async def test_changes_that_cannot_be_read_are_pointed_at(
    desk: PeopleDesk, joins: Joins, now: datetime
) -> None:
    ann = await joins("Ann")
    for changes, pointer in (
        ({"expires_on": "soon"}, "#/expires_on"),
        ({"version": 7}, "#/version"),
        ({"email": "none"}, "#/email"),
    ):
        with pytest.raises(Invalid) as refused:
            await desk.change(user_id=ann.id, changes=changes, actor=ADMIN, now=now)
        assert refused.value.extra["errors"][0]["pointer"] == pointer


async def test_people_are_read_by_ids(desk: PeopleDesk, joins: Joins) -> None:
    ann, ben = await joins("Ann"), await joins("Ben")
    assert await desk.by_ids(ids=[ben.id, uuid4(), ann.id], actor=LIBRARIAN) == [ann, ben]
    assert await desk.by_ids(ids=[ann.id], actor=as_actor(ann)) == [ann]
    with pytest.raises(NotAllowed):
        await desk.by_ids(ids=[ann.id, ben.id], actor=as_actor(ann))


async def test_a_card_is_found_as_typed(desk: PeopleDesk, joins: Joins) -> None:
    ann = await joins("Ann", card_number="AB-100")
    assert await desk.by_card(card_number=" ab-100 ", actor=LIBRARIAN) == ann
    for nobody in ("AB-101", "", "\x00", "%", "'; --"):
        with pytest.raises(NoSuchUser):
            await desk.by_card(card_number=nobody, actor=LIBRARIAN)


async def test_many_are_added_with_one_call(desk: PeopleDesk, db: Database, now: datetime) -> None:
    people = [NewUser(name=f"Reader {n}", email=f"r{n}@example.org") for n in range(500)]
    added = await desk.add_many(people=people, actor=SYSTEM, now=now)
    assert [each.name for each in added] == [each.name for each in people]
    assert len({each.card_number for each in added}) == 500
    assert len(await events_of(db)) == 500
