"""New people as they will be kept: with a card, a hashed password, and words to be found by."""

from datetime import datetime
from typing import Any

from lendery.accounts import cards, passwords, rules
from lendery.contracts.accounts import NewUser, User
from lendery.contracts.base import new_id
from lendery.platform.db import Tx


async def with_cards(tx: Tx, people: list[NewUser], now: datetime) -> list[User]:
    """The people as they will be kept; who brought no card gets the next number."""
    missing = sum(person.card_number is None for person in people)
    given = iter(await cards.next_numbers(tx, many=missing))
    ids = sorted(new_id() for _ in people)  # those of one millisecond keep the order of the list
    return [
        User(
            **person.model_dump(exclude={"password", "card_number"}),
            id=user_id,
            card_number=person.card_number or next(given),
            keeps_history=False,
            active=True,
            created_at=now,
            version=1,
        )
        for user_id, person in zip(ids, people, strict=True)
    ]


def as_rows(added: list[User], kept: list[str | None]) -> list[dict[str, Any]]:
    return [
        {
            **user.model_dump(),
            "password_hash": password_hash,
            "search_words": words(user),
            "removed_at": None,
        }
        for user, password_hash in zip(added, kept, strict=True)
    ]


async def hashed(password: str | None) -> str | None:
    return None if password is None else await passwords.hashed(password)


def words(user: User) -> str:
    return rules.search_words(user.name, user.email, user.card_number)
