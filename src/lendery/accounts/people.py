"""People: registered, found, changed, blocked and removed."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from lendery.accounts import cards, rules
from lendery.accounts.models import LOOKUPS
from lendery.accounts.registration import as_rows, hashed, with_cards, words
from lendery.accounts.repository import erasures, sessions
from lendery.accounts.repository import people as rows
from lendery.contracts.accounts import (
    LastAdmin,
    NewBlock,
    NewUser,
    NoSuchUser,
    PatronBlock,
    PatronChanged,
    PatronRegistered,
    PatronRemoved,
    Registration,
    User,
    UserFilter,
)
from lendery.contracts.base import (
    AlreadyTaken,
    Busy,
    NotFound,
    Page,
    Stale,
    Window,
    new_id,
)
from lendery.contracts.permissions import Actor, Permission
from lendery.platform.db import Database, Duplicate, Session, Tx
from lendery.platform.lookups import note
from lendery.platform.paging import make_cursor, read_cursor

TRIES = 5
TAKEN = {
    "email": "Somebody has this e-mail address already.",
    "card_number": "Somebody has this card number already.",
}


@dataclass(frozen=True)
class PeopleDesk:
    """Where people are registered. A reader who asks about another is refused, known or not."""

    db: Database

    async def register(self, *, person: Registration, now: datetime) -> User:
        """A reader joins by themselves: an adult, for a year, with the next card number."""
        async with self.db.read() as session:  # before the password: hashing is dear
            if await rows.is_email_taken(session, email=person.email):
                raise _taken("email")
        joined = NewUser(
            name=person.name,
            email=person.email,
            password=person.password,
            expires_on=rules.a_year_after(now.date()),
        )
        return (await self._add([joined], now))[0]

    async def add(self, *, person: NewUser, actor: Actor, now: datetime) -> User:
        return (await self.add_many(people=[person], actor=actor, now=now))[0]

    async def add_many(self, *, people: list[NewUser], actor: Actor, now: datetime) -> list[User]:
        """All or none. Raises AlreadyTaken with `field`, Invalid."""
        for person in people:
            rules.must_be_allowed_to_add(actor, person.role)
            rules.must_be_past(person.born_on, now.date())
            _must_be_readable(person.card_number)
        return await self._add(people, now)

    async def _add(self, people: list[NewUser], now: datetime) -> list[User]:
        kept = await asyncio.gather(*[hashed(person.password) for person in people])
        for _ in range(TRIES):
            try:
                async with self.db.begin() as tx:
                    await _must_be_guarantors(tx, [person.guarantor_id for person in people])
                    added = await with_cards(tx, people, now)
                    await rows.add_people(tx, rows=as_rows(added, kept))
                    await tx.announce(*[PatronRegistered(at=now, patron_id=u.id) for u in added])
                return added
            except Duplicate as duplicate:
                given = [person.card_number for person in people if person.card_number]
                if "card_number" not in duplicate.columns or await self._some_taken(given):
                    raise _taken(*duplicate.columns) from duplicate
        raise Busy("Card numbers are being given out too fast. Nothing was changed; try again.")

    async def _some_taken(self, given: Sequence[str]) -> bool:
        async with self.db.read() as session:
            taken = await rows.taken_cards(session, card_numbers=given)
        return bool(taken) or len(set(given)) < len(given)

    async def get(self, *, user_id: UUID, actor: Actor) -> User:
        actor.must_be(user_id, Permission.SEE_PEOPLE)
        async with self.db.read() as session:
            person = _known(await rows.person(session, user_id=user_id))
        await note(self.db, LOOKUPS, actor, [user_id], "record")
        return person

    async def by_card(self, *, card_number: str, actor: Actor) -> User:
        """Whose card it is, as typed or scanned."""
        actor.must(Permission.SEE_PEOPLE)
        number = cards.as_typed(card_number)
        if number is None:
            raise NoSuchUser("Nobody has this card.")
        async with self.db.read() as session:
            found = await rows.person_of_card(session, card_number=number)
        if found is None:
            raise NoSuchUser("Nobody has this card.")
        await note(self.db, LOOKUPS, actor, [found.id], "card")
        return found

    async def by_ids(self, *, ids: list[UUID], actor: Actor) -> list[User]:
        """Those who are known, in the order they came."""
        if actor.id is None or set(ids) != {actor.id}:
            actor.must(Permission.SEE_PEOPLE)
        async with self.db.read() as session:
            return await rows.people(session, ids=ids)

    async def find(self, *, like: UserFilter, window: Window, actor: Actor) -> Page[User]:
        """In the order they came. Each word of `q` begins a word of name, e-mail or card."""
        actor.must(Permission.SEE_PEOPLE)
        after = read_cursor(window.after, UUID)[0] if window.after else None
        if like.card_number is not None:
            number = cards.as_typed(like.card_number)
            if number is None:
                return Page(items=[], total=0 if window.total else None)
            like = like.model_copy(update={"card_number": number})
        async with self.db.read() as session:
            found = await rows.matching(session, like=like, after=after, limit=window.limit + 1)
            total = await rows.count_matching(session, like=like) if window.total else None
        shown = found[: window.limit]
        more = len(found) > window.limit
        await note(self.db, LOOKUPS, actor, [each.id for each in shown], "search")
        return Page(
            items=shown, next_cursor=make_cursor(shown[-1].id) if more else None, total=total
        )

    async def change(
        self,
        *,
        user_id: UUID,
        changes: dict[str, Any],
        actor: Actor,
        now: datetime,
        version: int | None = None,
    ) -> User:
        """A new role, or becoming inactive, signs the person out everywhere."""
        rules.must_be_allowed_to_ask(actor, user_id, frozenset(changes))
        given = rules.read_changes(changes)
        rules.must_not_be_empty(given)
        rules.must_be_past(given.get("born_on"), now.date())
        _must_be_readable(given.get("card_number"))
        try:
            async with self.db.begin() as tx:
                person = await _to_change(tx, user_id, version, actor, frozenset(given))
                new = {name: v for name, v in given.items() if getattr(person, name) != v}
                changed = await _changed(tx, person, new, now) if new else person
        except Duplicate as duplicate:
            raise _taken(*duplicate.columns) from duplicate
        await note(self.db, LOOKUPS, actor, [user_id], "record")  # all of it is answered
        return changed

    async def remove(
        self, *, user_id: UUID, actor: Actor, now: datetime, version: int | None = None
    ) -> None:
        """Erases what is personal and leaves an empty place: what refers to it still holds."""
        actor.must(Permission.EDIT_PEOPLE)
        await self.erase(user_id=user_id, held={}, actor=actor, now=now, version=version)

    async def erase(
        self,
        *,
        user_id: UUID,
        held: dict[str, Any],
        actor: Actor,
        now: datetime,
        version: int | None = None,
        own: bool = False,
    ) -> None:
        """`own`: at the person's own wish, staff too. `held` says what there was, in counts."""
        async with self.db.begin() as tx:
            fields: frozenset[str] | None = frozenset() if own else None
            person = await _to_change(tx, user_id, version, actor, fields)
            await _must_leave_an_admin(tx, person, {"active": False})
            await rows.erase(tx, user_id=user_id, at=now, version=person.version)
            await erasures.begin(tx, user_id=user_id, held=held, by=actor.id, now=now)
            await tx.announce(PatronRemoved(at=now, patron_id=user_id))

    async def blocks(self, *, user_id: UUID, actor: Actor) -> list[PatronBlock]:
        """In the order they were placed, those whose time is over included."""
        actor.must_be(user_id, Permission.SEE_PEOPLE)
        async with self.db.read() as session:
            _known(await rows.person(session, user_id=user_id))
            found = await rows.blocks(session, user_id=user_id)
        await note(self.db, LOOKUPS, actor, [user_id], "record")
        return found

    async def block(
        self, *, user_id: UUID, block: NewBlock, actor: Actor, now: datetime
    ) -> PatronBlock:
        actor.must(Permission.EDIT_PEOPLE)
        if block.until is not None and block.until <= now:
            raise rules.refused_field("until", "A block ends in the future.")
        placed = PatronBlock(id=new_id(), placed_at=now, placed_by=actor.id, **block.model_dump())
        async with self.db.begin() as tx:
            await _to_change(tx, user_id, None, actor)
            await rows.add_block(tx, user_id=user_id, placed=placed)
            await tx.announce(PatronChanged(at=now, patron_id=user_id))
        return placed

    async def unblock(self, *, user_id: UUID, block_id: UUID, actor: Actor, now: datetime) -> None:
        actor.must(Permission.EDIT_PEOPLE)
        async with self.db.begin() as tx:
            await _to_change(tx, user_id, None, actor)
            if not await rows.lift_block(tx, user_id=user_id, block_id=block_id):
                raise NotFound("This person has no such block.")
            await tx.announce(PatronChanged(at=now, patron_id=user_id))


async def _to_change(
    tx: Tx,
    user_id: UUID,
    version: int | None,
    actor: Actor,
    fields: frozenset[str] | None = None,
) -> User:
    """The person, locked, if this actor may touch them and has seen the version that is there."""
    person = _known(await rows.person_to_change(tx, user_id=user_id))
    rules.must_be_allowed_to_touch(actor, person, fields)
    if version is not None and version != person.version:
        raise Stale("This person's record has changed since you read it.")
    return person


async def _changed(tx: Tx, person: User, new: dict[str, Any], now: datetime) -> User:
    await _must_leave_an_admin(tx, person, new)
    if "guarantor_id" in new:
        await _must_be_guarantors(tx, [new["guarantor_id"]], of=person.id)
    changed = person.model_copy(update={**new, "version": person.version + 1})
    values = {**new, "version": changed.version, "search_words": words(changed)}
    await rows.change(tx, user_id=person.id, values=values)
    if new.keys() & set(rules.ENDS_SESSIONS):
        await sessions.end_all(tx, user_id=person.id, now=now)
    await tx.announce(PatronChanged(at=now, patron_id=person.id))
    return changed


async def _must_leave_an_admin(tx: Tx, person: User, changes: dict[str, Any]) -> None:
    if rules.stops_being_admin(person, changes) and await rows.is_last_admin(tx, user_id=person.id):
        raise LastAdmin("This is the only active administrator. Make somebody else one first.")


async def _must_be_guarantors(
    session: Session, ids: Sequence[UUID | None], of: UUID | None = None
) -> None:
    wanted = {each for each in ids if each is not None}
    if wanted and (of in wanted or len(await rows.people(session, ids=list(wanted))) < len(wanted)):
        raise rules.refused_field("guarantor_id", "The guarantor is another person known here.")


def _known(person: User | None) -> User:
    if person is None:
        raise NoSuchUser("There is no such person.")
    return person


def _must_be_readable(card_number: str | None) -> None:
    if card_number is not None and cards.is_mistyped(card_number):
        raise rules.refused_field("card_number", "The check digit is wrong: read it again.")


def _taken(*columns: str) -> AlreadyTaken:
    field = next((each for each in columns if each in TAKEN), columns[0])
    return AlreadyTaken(TAKEN.get(field, "This is taken."), field=field)
