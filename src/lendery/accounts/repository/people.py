"""Users and their blocks."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, bindparam, delete, func, insert, select, update
from sqlalchemy.sql import ColumnElement

from lendery.accounts import rules
from lendery.accounts.models import block, counter, user
from lendery.contracts.accounts import PatronBlock, User, UserFilter
from lendery.platform.db import Session, Statement, Tx, any_of

SHOWN = [user.c[name] for name in User.model_fields]
KNOWN = user.c.removed_at.is_(None)
BLOCK = [block.c[name] for name in PatronBlock.model_fields]
PERSONAL = (
    "email",
    "card_number",
    "home_branch_id",
    "born_on",
    "expires_on",
    "guarantor_id",
    "language",
    "password_hash",
)
ADMINS_LOCK = 7_266_001  # PostgreSQL advisory lock: one at a time stops being an admin

_by_id = select(*SHOWN).where(user.c.id == bindparam("id"), KNOWN)
PERSON = Statement(_by_id)
PERSON_LOCKED = Statement(_by_id.with_for_update())
PERSON_OF_CARD = Statement(select(*SHOWN).where(user.c.card_number == bindparam("card_number")))
PEOPLE = Statement(select(*SHOWN).where(any_of(user.c.id, "ids"), KNOWN).order_by(user.c.id))
_credentials = select(user.c.id, user.c.password_hash, user.c.active)
CREDENTIALS_OF_EMAIL = Statement(_credentials.where(user.c.email == bindparam("email")))
CREDENTIALS = Statement(_credentials.where(user.c.id == bindparam("id"), KNOWN))
IS_EMAIL_TAKEN = Statement(select(user.c.id).where(user.c.email == bindparam("email")))
TAKEN_CARDS = Statement(select(user.c.card_number).where(any_of(user.c.card_number, "numbers")))
ADD = Statement(insert(user))
SET_PASSWORD = Statement(
    update(user).where(user.c.id == bindparam("id_")).values(password_hash=bindparam("kept"))
)
COUNT_ON = Statement(
    update(counter)
    .where(counter.c.name == "card")
    .values(value=counter.c.value + bindparam("many", type_=BigInteger()))
    .returning(counter.c.value)
)
LOCK_ADMINS = Statement(select(func.pg_advisory_xact_lock(ADMINS_LOCK).label("locked")))
OTHER_ADMIN = Statement(
    select(user.c.id)
    .where(user.c.role == "admin", user.c.active, KNOWN, user.c.id != bindparam("id"))
    .limit(1)
)
ADD_BLOCK = Statement(insert(block))
BLOCKS = Statement(
    select(*BLOCK).where(block.c.user_id == bindparam("user_id")).order_by(block.c.id)
)
LIFT = Statement(
    delete(block).where(block.c.id == bindparam("id"), block.c.user_id == bindparam("user_id"))
)
LIFT_ALL = Statement(delete(block).where(block.c.user_id == bindparam("user_id")))
NEW_VERSION = Statement(
    update(user).where(user.c.id == bindparam("id_")).values(version=user.c.version + 1)
)
_patrons = (
    select(
        user.c.id,
        user.c.card_number,
        user.c.category,
        user.c.home_branch_id,
        user.c.expires_on,
        user.c.born_on,
        user.c.active,
        user.c.version,
        user.c.keeps_history,
        *[block.c[name].label(f"block_{name}") for name in PatronBlock.model_fields],
    )
    .outerjoin_from(user, block, block.c.user_id == user.c.id)
    .order_by(user.c.id, block.c.id)
)
PATRONS = Statement(_patrons.where(any_of(user.c.id, "ids")))
PATRON_OF_CARD = Statement(_patrons.where(user.c.card_number == bindparam("card_number")))

EXPIRING = Statement(
    select(user.c.id, user.c.expires_on)
    .where(
        user.c.expires_on.between(bindparam("since"), bindparam("until")),
        user.c.id > bindparam("after", type_=user.c.id.type),
        user.c.active,
        KNOWN,
    )
    .order_by(user.c.id)
    .limit(bindparam("most"))
)


async def patrons(session: Session, *, ids: list[UUID]) -> list[Any]:
    """A row for each block of each person, or one with `block_id` null; the removed as well."""
    return await session.rows(PATRONS, ids=ids)


async def patron_of_card(session: Session, *, card_number: str) -> list[Any]:
    return await session.rows(PATRON_OF_CARD, card_number=card_number)


async def expiring(
    session: Session, *, since: date, until: date, after: UUID | None, most: int
) -> list[Any]:
    """(id, expires_on) of those whose card runs out between the two days."""
    place = after or UUID(int=0)
    return await session.rows(EXPIRING, since=since, until=until, after=place, most=most)


async def person(session: Session, *, user_id: UUID) -> User | None:
    return _user(await session.row(PERSON, id=user_id))


async def person_to_change(tx: Tx, *, user_id: UUID) -> User | None:
    """The person, locked until the transaction ends."""
    return _user(await tx.row(PERSON_LOCKED, id=user_id))


async def person_of_card(session: Session, *, card_number: str) -> User | None:
    return _user(await session.row(PERSON_OF_CARD, card_number=card_number))


async def people(session: Session, *, ids: list[UUID]) -> list[User]:
    return [User.model_validate(row) for row in await session.rows(PEOPLE, ids=ids)]


async def credentials_of_email(session: Session, *, email: str) -> Any | None:
    """(id, password_hash, active)"""
    return await session.row(CREDENTIALS_OF_EMAIL, email=email)


async def credentials(session: Session, *, user_id: UUID) -> Any | None:
    return await session.row(CREDENTIALS, id=user_id)


async def is_email_taken(session: Session, *, email: str) -> bool:
    return await session.row(IS_EMAIL_TAKEN, email=email) is not None


async def taken_cards(session: Session, *, card_numbers: Sequence[str]) -> set[str]:
    """Those of the numbers that somebody has."""
    if not card_numbers:
        return set()
    found = await session.rows(TAKEN_CARDS, numbers=list(card_numbers))
    return {row.card_number for row in found}


async def matching(
    session: Session, *, like: UserFilter, after: UUID | None, limit: int
) -> list[User]:
    """Those who fit, in the order they came."""
    found = select(*SHOWN).where(*_wanted(like)).order_by(user.c.id).limit(limit)
    if after is not None:
        found = found.where(user.c.id > after)
    return [User.model_validate(row) for row in await session.rows(found)]


async def count_matching(session: Session, *, like: UserFilter) -> int:
    counted = select(func.count()).select_from(user).where(*_wanted(like))
    return int(await session.value(counted))


def _wanted(like: UserFilter) -> list[ColumnElement[bool]]:
    wanted: list[ColumnElement[bool]] = [KNOWN]
    if like.role is not None:
        wanted.append(user.c.role == like.role)
    if like.category is not None:
        wanted.append(user.c.category == like.category)
    if like.active is not None:
        wanted.append(user.c.active.is_(like.active))
    if like.card_number is not None:
        wanted.append(user.c.card_number == like.card_number)
    for word in rules.query_words(like.q or ""):
        begins = word.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
        wanted.append(user.c.search_words.like(f"% {begins}%", escape="\\"))
    return wanted


async def next_card_counts(tx: Tx, *, many: int) -> range:
    """The counter's next values; whoever asks meanwhile waits for this transaction."""
    last = int(await tx.value(COUNT_ON, many=many))
    return range(last - many + 1, last + 1)


async def add_people(tx: Tx, *, rows: Sequence[dict[str, Any]]) -> None:
    await tx.many(ADD, rows)


async def change(tx: Tx, *, user_id: UUID, values: dict[str, Any]) -> None:
    await tx.run(update(user).where(user.c.id == user_id).values(**values))


async def set_password(tx: Tx, *, user_id: UUID, kept: str) -> None:
    await tx.run(SET_PASSWORD, id_=user_id, kept=kept)


async def is_last_admin(tx: Tx, *, user_id: UUID) -> bool:
    """Whether no other active admin is left; holds off others who would stop being one."""
    if tx.dialect == "postgresql":
        await tx.row(LOCK_ADMINS)  # a statement of its own: the next one sees what it waited for
    return await tx.row(OTHER_ADMIN, id=user_id) is None


async def blocks(session: Session, *, user_id: UUID) -> list[PatronBlock]:
    found = await session.rows(BLOCKS, user_id=user_id)
    return [PatronBlock.model_validate(row) for row in found]


async def add_block(tx: Tx, *, user_id: UUID, placed: PatronBlock) -> None:
    await tx.write(
        (ADD_BLOCK, {**placed.model_dump(), "user_id": user_id}), (NEW_VERSION, {"id_": user_id})
    )


async def lift_block(tx: Tx, *, user_id: UUID, block_id: UUID) -> bool:
    """False when this person has no such block."""
    lifted = await tx.run(LIFT, id=block_id, user_id=user_id) == 1
    if lifted:
        await tx.run(NEW_VERSION, id_=user_id)
    return lifted


async def erase(tx: Tx, *, user_id: UUID, at: datetime, version: int) -> None:
    """Leaves an empty place where a person was, so that what refers to it still holds."""
    emptied = dict.fromkeys(PERSONAL)
    values = {"name": "Removed", "active": False, "keeps_history": False, "search_words": ""}
    await tx.run(LIFT_ALL, user_id=user_id)
    await change(
        tx,
        user_id=user_id,
        values={**emptied, **values, "removed_at": at, "version": version + 1},
    )


def _user(row: Any) -> User | None:
    return None if row is None else User.model_validate(row)
