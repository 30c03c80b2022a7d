"""What a person may ask about themself, with neighbours that answer as the test wants."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select, update

from lendery.accounts.erasing import PrivacyDesk
from lendery.accounts.models import LOOKUPS, erasure, refresh, session, user
from lendery.accounts.people import PeopleDesk
from lendery.accounts.privacy import LIMITS, PERSONAL
from lendery.accounts.tokens import SignIn
from lendery.contracts.accounts import LastAdmin, NewBlock, NoSuchUser, UserFilter
from lendery.contracts.base import NotAllowed, NotFound, PeerUnavailable, Window, new_id
from lendery.contracts.permissions import SYSTEM, Actor
from lendery.contracts.privacy import ErasureRefused, Holding, Lookup, Obstacle
from lendery.platform.db import Database
from lendery.platform.personal import PersonalFiles
from lendery.platform.retention import enforce
from lendery.platform.settings import Settings
from tests.accounts.conftest import Joins, as_actor, count, events_of

PASSWORD = "long enough for Ann"
A_DAY, A_MOMENT = timedelta(days=1), timedelta(microseconds=1)
TOKENS = timedelta(hours=2)  # no access token lives longer
PAGE = Window(limit=10)


@dataclass
class Lending:
    """Circulation, as accounts asks it. `away`: it does not answer."""

    against: list[Obstacle] = field(default_factory=list)
    left: list[Holding] = field(default_factory=list)
    seen: list[Lookup] = field(default_factory=list)
    away: bool = False

    def _answers(self) -> None:
        if self.away:
            raise PeerUnavailable("No answer.")

    async def holdings(self, *, context: str, patron_id: UUID) -> list[Holding]:
        self._answers()
        return self.left

    async def records(self, *, context: str, patron_id: UUID) -> dict[str, list[dict[str, Any]]]:
        self._answers()
        return {"loans": [{"book_id": str(UUID(int=7))}]}

    async def obstacles(self, *, context: str, patron_id: UUID, now: datetime) -> list[Obstacle]:
        self._answers()
        return self.against

    async def lookups(
        self, *, context: str, patron_id: UUID, before: UUID | None, most: int
    ) -> list[Lookup]:
        found = [each for each in self.seen if before is None or each.id < before]
        return sorted(found, key=lambda each: each.id, reverse=True)[:most]


@dataclass
class Titles:
    async def by_ids(self, *, ids: list[UUID]) -> list[Any]:
        return [type("Book", (), {"id": each, "title": "Middlemarch"}) for each in ids]


@pytest.fixture
def lending() -> Lending:
    return Lending()


@pytest.fixture
def privacy(db: Database, lending: Lending) -> PrivacyDesk:
    files = PersonalFiles(db, {"accounts": PERSONAL})
    books: Any = Titles()
    return PrivacyDesk(db, {"accounts": files, "circulation": lending}, lambda: books)


async def test_a_reader_erases_herself_and_can_sign_in_no_more(
    privacy: PrivacyDesk, db: Database, joins: Joins, sign_in: SignIn, now: datetime
) -> None:
    ann, ben = await joins("Ann"), await joins("Ben")
    child = await joins("Cas", guarantor_id=ann.id)
    for person in (ann, ben):
        await sign_in.log_in(email=person.email or "", password=PASSWORD, address="there", now=now)
    done = await privacy.erase(user_id=ann.id, actor=as_actor(ann), now=now)
    assert (done.state, done.asked_by, done.finished_at) == ("done", ann.id, None)
    mine = done.parts[0]
    assert {each.what: each.rows for each in mine.held or []} == {
        "person": 1,
        "sessions": 1,
        "refresh tokens": 1,
        "guarantor of": 1,
    }
    assert mine.left == []
    assert await count(db, "accounts_refresh") == 1, "Ben's"
    async with db.read() as reading:
        row = await reading.row(select(user).where(user.c.id == ann.id))
        sessions = await reading.rows(select(session).order_by(session.c.id))
        of_cas = await reading.row(select(user).where(user.c.id == child.id))
    assert (row.name, row.email, row.card_number, row.password_hash) == ("Removed", *[None] * 3)
    assert [each.revoked_at is not None for each in sessions] == [True, False]
    assert (sessions[0].user_id, sessions[1].user_id) == (UUID(int=0), ben.id)
    assert of_cas.guarantor_id is None
    assert (await events_of(db))[-1] == f"PatronRemoved {ann.id}"
    assert await privacy.finish(now=now + A_DAY) == 0
    told = await privacy.erase(user_id=ann.id, actor=SYSTEM, now=now + 2 * A_DAY)
    assert (told.asked_at, told.finished_at) == (now, now + A_DAY), "told, and not done again"


@pytest.mark.parametrize("until", [None, timedelta(days=1), timedelta(seconds=1)])
async def test_nobody_gets_rid_of_a_block_by_going_but_staff_may_erase(
    privacy: PrivacyDesk,
    lending: Lending,
    desk: PeopleDesk,
    joins: Joins,
    now: datetime,
    until: timedelta | None,
) -> None:
    ann = await joins("Ann")
    block = NewBlock(until=until and now + until)
    await desk.block(user_id=ann.id, block=block, actor=SYSTEM, now=now)
    lending.against = [Obstacle(code="suspended", says="Suspended.", staff_may=True)]
    with pytest.raises(ErasureRefused) as refused:
        await privacy.erase(user_id=ann.id, actor=as_actor(ann), now=now)
    assert [each["code"] for each in refused.value.extra["obstacles"]] == ["blocked", "suspended"]
    lending.against = []
    if until is None:
        assert await privacy.erase(user_id=ann.id, actor=SYSTEM, now=now)
    else:
        assert await privacy.erase(user_id=ann.id, actor=as_actor(ann), now=now + until)


async def test_what_is_still_open_stands_against_it(
    privacy: PrivacyDesk, lending: Lending, db: Database, joins: Joins, now: datetime
) -> None:
    ann = await joins("Ann")
    before = await events_of(db)
    lending.against = [
        Obstacle(code="open-loans", says="2 on loan: they must come back first."),
        Obstacle(code="owes-money", says="1.00 EUR is owed: it must be paid or waived first."),
    ]
    with pytest.raises(ErasureRefused) as refused:
        await privacy.erase(user_id=ann.id, actor=as_actor(ann), now=now)
    assert [each["code"] for each in refused.value.extra["obstacles"]] == [
        "open-loans",
        "owes-money",
    ]
    assert refused.value.detail == (
        "Not erased: 2 on loan: they must come back first. "
        "1.00 EUR is owed: it must be paid or waived first."
    )
    lending.away = True
    with pytest.raises(PeerUnavailable):
        await privacy.erase(user_id=ann.id, actor=as_actor(ann), now=now)
    alone = PrivacyDesk(db, {"accounts": privacy.holders["accounts"]}, privacy.books)
    with pytest.raises(PeerUnavailable):
        await alone.erase(user_id=ann.id, actor=as_actor(ann), now=now)
    with pytest.raises(NotFound):
        await privacy.erasure(user_id=ann.id, actor=SYSTEM)
    assert await events_of(db) == before
    assert await count(db, "accounts_erasure") == 0


async def test_who_did_not_hear_of_it_is_told_again_after_a_day(
    privacy: PrivacyDesk, lending: Lending, db: Database, joins: Joins, now: datetime
) -> None:
    ann = await joins("Ann")
    lending.left = [Holding(what="loans", rows=1, fate="unlinked", why="Counted.")]
    done = await privacy.erase(user_id=ann.id, actor=SYSTEM, now=now)
    assert [part.state for part in done.parts] == ["done", "pending"]
    told = f"PatronRemoved {ann.id}"
    for later, times in ((A_DAY - A_MOMENT, 1), (A_DAY, 2), (A_DAY + A_MOMENT, 2), (2 * A_DAY, 3)):
        assert await privacy.finish(now=now + later) == 1
        assert (await events_of(db)).count(told) == times
    lending.away = True
    done = await privacy.erasure(user_id=ann.id, actor=SYSTEM)
    assert [part.state for part in done.parts] == ["done", "unreachable"]
    assert done.parts[1].held == lending.left, "as it was before"
    lending.away, lending.left = False, []
    assert await privacy.finish(now=now + 3 * A_DAY) == 0
    async with db.read() as reading:
        assert await reading.value(select(erasure.c.finished_at)) == now + 3 * A_DAY


async def test_who_may_erase_whom(privacy: PrivacyDesk, joins: Joins, now: datetime) -> None:
    ann, ben = await joins("Ann"), await joins("Ben")
    lou, root = await joins("Lou", "librarian"), await joins("Root", "admin")
    for actor, person in ((ann, ben), (ann, lou), (lou, root)):
        with pytest.raises(NotAllowed):
            await privacy.erase(user_id=person.id, actor=as_actor(actor), now=now)
    with pytest.raises(LastAdmin):
        await privacy.erase(user_id=root.id, actor=as_actor(root), now=now)
    with pytest.raises(NoSuchUser):
        await privacy.erase(user_id=uuid4(), actor=as_actor(root), now=now)
    for actor, person in ((lou, ben), (lou, lou), (root, ann)):
        done = await privacy.erase(user_id=person.id, actor=as_actor(actor), now=now)
        assert done.asked_by == actor.id


async def test_an_export_holds_all_and_no_secrets(
    privacy: PrivacyDesk, lending: Lending, joins: Joins, sign_in: SignIn, now: datetime
) -> None:
    ann, ben, lou = await joins("Ann"), await joins("Ben"), await joins("Lou", "librarian")
    await joins("Cas", guarantor_id=ann.id)
    await sign_in.log_in(email="ann@example.org", password=PASSWORD, address="there", now=now)
    made = await privacy.export(user_id=ann.id, actor=as_actor(ann), now=now)
    mine = made.records["accounts"]
    assert mine["person"][0]["email"] == "ann@example.org"
    assert not {"password_hash", "search_words", "digest"} & {
        name for rows in mine.values() for row in rows for name in row
    }
    assert [list(row) for row in mine["guarantor of"]] == [["id"]], "Cas is somebody else"
    assert len(mine["sessions"]) == len(mine["refresh tokens"]) == 1
    assert made.books == [{"id": str(UUID(int=7)), "title": "Middlemarch"}]
    for actor in (ben, lou):
        with pytest.raises(NotAllowed):
            await privacy.export(user_id=ann.id, actor=as_actor(actor), now=now)
    with pytest.raises(NoSuchUser):
        await privacy.export(user_id=uuid4(), actor=SYSTEM, now=now)
    lending.away = True
    with pytest.raises(PeerUnavailable):
        await privacy.export(user_id=ann.id, actor=as_actor(ann), now=now)


async def test_looks_of_staff_are_noted_once_in_a_while_and_seen_by_whom_they_concern(
    privacy: PrivacyDesk, desk: PeopleDesk, db: Database, joins: Joins
) -> None:
    ann, ben = await joins("Ann", card_number="AB-100"), await joins("Ben")
    lou, root = await joins("Lou", "librarian"), await joins("Root", "admin")
    curious = as_actor(lou).model_copy(update={"why": "A reminder came back"})
    for actor in (as_actor(lou), as_actor(lou), curious, as_actor(ann), SYSTEM):
        await desk.get(user_id=ann.id, actor=actor)
    await desk.by_card(card_number="AB-100", actor=as_actor(lou))
    await desk.find(like=UserFilter(q="ann"), window=PAGE, actor=as_actor(lou))
    await desk.get(user_id=lou.id, actor=as_actor(lou))
    with pytest.raises(NoSuchUser):
        await desk.get(user_id=uuid4(), actor=as_actor(lou))
    found = await privacy.lookups(user_id=ann.id, actor=as_actor(ann), window=PAGE)
    assert [(each.by, each.what, each.why) for each in found.items] == [
        (lou.id, "search", None),
        (lou.id, "card", None),
        (lou.id, "record", "A reminder came back"),
        (lou.id, "record", None),
    ]
    assert await count(db, "accounts_lookup") == 4
    for actor in (ben, lou):
        with pytest.raises(NotAllowed):
            await privacy.lookups(user_id=ann.id, actor=as_actor(actor), window=PAGE)
    assert (await privacy.lookups(user_id=ann.id, actor=as_actor(root), window=PAGE)) == found


async def test_looks_of_all_parts_are_one_list(
    privacy: PrivacyDesk, lending: Lending, desk: PeopleDesk, joins: Joins, now: datetime
) -> None:
    ann, lou = await joins("Ann"), Actor(id=uuid4(), role="librarian")

    def at_the_desk() -> Lookup:
        return Lookup(id=new_id(), at=now, by=uuid4(), what="loans", context="circulation")

    lending.seen = [at_the_desk()]
    await desk.get(user_id=ann.id, actor=lou)
    lending.seen.append(at_the_desk())
    pages, window = [], Window(limit=2)
    while True:
        page = await privacy.lookups(user_id=ann.id, actor=SYSTEM, window=window)
        pages.append([each.context for each in page.items])
        if page.next_cursor is None:
            break
        window = Window(limit=2, after=page.next_cursor)
    assert pages == [["circulation", "accounts"], ["circulation"]]


@dataclass
class Library:
    db: Database
    settings: Settings


@pytest.mark.parametrize(
    ("column", "table", "what", "days"),
    [
        (session.c.revoked_at, session, "ended sessions", 7),
        (session.c.expires_at, session, "ended sessions", 7),
        (LOOKUPS.c.at, LOOKUPS, "look-ups by staff", 180),
    ],
)
async def test_what_ends_by_itself_is_deleted_in_time(
    db: Database,
    desk: PeopleDesk,
    settings: Settings,
    joins: Joins,
    sign_in: SignIn,
    now: datetime,
    column: Any,
    table: Any,
    what: str,
    days: int,
) -> None:
    ann, lou = await joins("Ann"), await joins("Lou", "librarian")
    await desk.get(user_id=ann.id, actor=as_actor(lou))
    await sign_in.log_in(email="ann@example.org", password=PASSWORD, address="there", now=now)
    async with db.begin() as tx:
        await tx.run(update(table).values({column.name: now}))
    for later, gone in ((days * A_DAY, 0), (days * A_DAY + A_MOMENT, 1)):
        for dry_run in (True, False):
            assert await count(db, table.name) == 1
            given = {"accounts": LIMITS}
            past = await enforce(Library(db, settings), given, now + later, dry_run=dry_run)
            assert {each.what: each.rows for each in past}[what] == gone
    assert await count(db, table.name) == 0
    if table is session:
        assert await count(db, refresh.name) == 0


async def finished_at(db: Database, user_id: UUID) -> datetime | None:
    async with db.read() as reading:
        query = select(erasure.c.finished_at).where(erasure.c.user_id == user_id)
        found: datetime | None = await reading.value(query)
        return found


async def test_it_is_closed_when_no_token_of_the_person_lives_any_more(
    privacy: PrivacyDesk, db: Database, joins: Joins, now: datetime
) -> None:
    ann = await joins("Ann")
    await privacy.erase(user_id=ann.id, actor=SYSTEM, now=now)
    for later, closed in ((0 * A_DAY, False), (TOKENS, False), (TOKENS + A_MOMENT, True)):
        assert await privacy.finish(now=now + later) == 0
        assert (await finished_at(db, ann.id) is not None) == closed
    assert (await events_of(db)).count(f"PatronRemoved {ann.id}") == 1


async def test_what_came_after_the_end_opens_it_again(
    privacy: PrivacyDesk, lending: Lending, db: Database, joins: Joins, now: datetime
) -> None:
    ann = await joins("Ann")
    await privacy.erase(user_id=ann.id, actor=SYSTEM, now=now)
    await privacy.finish(now=now + A_DAY)
    lending.away = True
    unsure = await privacy.erasure(user_id=ann.id, actor=SYSTEM)
    assert unsure.finished_at == await finished_at(db, ann.id) == now + A_DAY
    lending.away, lending.left = False, [Holding(what="loans", rows=1, fate="unlinked")]
    for _ in range(2):
        found = await privacy.erasure(user_id=ann.id, actor=SYSTEM)
        assert (found.state, found.finished_at) == ("pending", None)
    assert await finished_at(db, ann.id) is None
    assert await privacy.finish(now=now + 2 * A_DAY) == 1
    assert (await events_of(db)).count(f"PatronRemoved {ann.id}") == 2
    lending.left = []
    assert await privacy.finish(now=now + 3 * A_DAY) == 0
    assert await finished_at(db, ann.id) == now + 3 * A_DAY


async def test_what_came_late_into_accounts_goes_when_it_is_told_again(
    privacy: PrivacyDesk, db: Database, joins: Joins, now: datetime
) -> None:
    ann = await joins("Ann")
    await privacy.erase(user_id=ann.id, actor=SYSTEM, now=now)
    late = {"id": new_id(), "patron_id": ann.id, "by": uuid4(), "what": "record", "why": "Ann"}
    async with db.begin() as tx:
        await tx.load(LOOKUPS, [late | {"at": now}])
    assert await privacy.finish(now=now + A_DAY) == 1
    assert await count(db, "accounts_lookup") == 0
    assert await privacy.finish(now=now + A_DAY) == 0
    assert await finished_at(db, ann.id) == now + A_DAY


async def test_whoever_is_answered_a_record_or_blocks_has_looked(
    privacy: PrivacyDesk, desk: PeopleDesk, joins: Joins, now: datetime
) -> None:
    people = [await joins(name) for name in ("Ann", "Ben", "Cas")]
    lou = as_actor(await joins("Lou", "librarian"))
    ann, ben, cas = (each.id for each in people)
    for user_id, name in ((ann, "Ann"), (ben, "Benno")):
        await desk.change(user_id=user_id, changes={"name": name}, actor=lou, now=now)
    await desk.blocks(user_id=cas, actor=lou)
    for user_id in (ann, ben, cas):
        found = await privacy.lookups(user_id=user_id, actor=SYSTEM, window=PAGE)
        assert [(each.by, each.what) for each in found.items] == [(lou.id, "record")]


async def test_many_reasons_do_not_fill_the_log_of_looks(
    desk: PeopleDesk, db: Database, joins: Joins
) -> None:
    ann, ben, lou = await joins("Ann"), await joins("Ben"), await joins("Lou", "librarian")
    for number in range(50):
        curious = as_actor(lou).model_copy(update={"why": f"Reason {number}"})
        await desk.get(user_id=ann.id, actor=curious)
    assert await count(db, "accounts_lookup") == 3
    await desk.get(user_id=ben.id, actor=curious)
    await desk.blocks(user_id=ben.id, actor=curious)
    assert await count(db, "accounts_lookup") == 4
