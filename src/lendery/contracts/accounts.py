"""What accounts offers its neighbours and the world: people, their cards and their sessions."""

from datetime import date, datetime
from typing import Annotated, Any, Literal, Protocol
from uuid import UUID

from pydantic import Field, StringConstraints

from lendery.contracts.base import (
    Code,
    Event,
    Input,
    Instant,
    Line,
    NotFound,
    Page,
    Problem,
    Value,
    Window,
)
from lendery.contracts.permissions import Actor, Role

Email = Annotated[
    str,
    StringConstraints(
        max_length=254,
        strip_whitespace=True,
        to_lower=True,
        pattern=r"^[^@\s\x00-\x1f\x7f]{1,64}@[^@\s\x00-\x1f\x7f]{1,190}$",
    ),
]
Password = Annotated[str, StringConstraints(min_length=10, max_length=256)]
CardNumber = Annotated[str, StringConstraints(pattern=r"^[A-Z0-9-]{3,32}$", to_upper=True)]
BlockReason = Literal["stolen-card", "suspended", "other"]


class PatronBlock(Value):
    """Why this person may not borrow. `until` null: until somebody lifts it."""

    id: UUID
    reason: BlockReason
    note: str | None = None
    until: datetime | None = None
    placed_at: datetime
    placed_by: UUID | None = None


class Patron(Value):
    """What lending needs to know of a person, and nothing else."""

    id: UUID
    card_number: str | None
    category: str
    home_branch_id: UUID | None
    expires_on: date | None
    born_on: date | None
    blocks: tuple[PatronBlock, ...] = ()
    active: bool = True
    version: int = 1
    keeps_history: bool = False


class Expiring(Value):
    """A person whose card runs out on `expires_on`."""

    patron_id: UUID
    expires_on: date


class User(Value):
    """A person as staff and the person see them."""

    id: UUID
    email: str | None
    name: str
    role: Role
    card_number: str | None
    category: str
    home_branch_id: UUID | None
    born_on: date | None
    expires_on: date | None
    guarantor_id: UUID | None
    language: str | None
    keeps_history: bool
    active: bool
    created_at: datetime
    version: int


class NewUser(Input):
    name: Line
    email: Email | None = None
    password: Password | None = None
    role: Role = "reader"
    card_number: CardNumber | None = Field(
        None, description="Left out, the next number with a check digit is given."
    )
    category: Code = "adult"
    home_branch_id: UUID | None = None
    born_on: date | None = None
    expires_on: date | None = None
    guarantor_id: UUID | None = None
    language: Annotated[str, StringConstraints(pattern=r"^[a-z]{2,3}(-[A-Z]{2})?$")] | None = None


class UserChanges(Input):
    """What is left out stays; null empties where the field may be empty."""

    name: Line | None = None
    email: Email | None = None
    role: Role | None = None
    card_number: CardNumber | None = None
    category: Code | None = None
    home_branch_id: UUID | None = None
    born_on: date | None = None
    expires_on: date | None = None
    guarantor_id: UUID | None = None
    language: Annotated[str, StringConstraints(pattern=r"^[a-z]{2,3}(-[A-Z]{2})?$")] | None = None
    keeps_history: bool | None = None
    active: bool | None = None


class Registration(Input):
    """What a reader types to join."""

    email: Email
    password: Password
    name: Line


class NewBlock(Input):
    reason: BlockReason = "other"
    note: Line | None = None
    until: Instant | None = None


class UserFilter(Value):
    role: Role | None = None
    category: str | None = None
    active: bool | None = None
    q: str | None = None  # name, e-mail or card number begins with it
    card_number: str | None = None


class TokenPair(Value):
    """RFC 6749 section 5.1. `expires_in` in seconds."""

    access_token: str
    refresh_token: str
    token_type: Literal["Bearer"] = "Bearer"
    expires_in: int
    scope: str = ""


class NoSuchUser(NotFound):
    status = 404


class WrongCredentials(Problem):
    """The same answer, in the same time, for an unknown name and a wrong password."""

    status = 401


class InvalidGrant(Problem):
    """A refresh token that is unknown, used before, expired or revoked (RFC 6749 5.2)."""

    status = 400


class LastAdmin(Problem):
    """The only administrator left may not be demoted, made inactive or removed."""

    status = 409


class PatronRegistered(Event):
    about = "patron_id"
    patron_id: UUID


class PatronChanged(Event):
    """Something about this person changed; who needs to know asks."""

    about = "patron_id"
    patron_id: UUID


class PatronRemoved(Event):
    about = "patron_id"
    patron_id: UUID


class Patrons(Protocol):
    """What circulation asks about people, and notices about their cards."""

    async def by_ids(self, *, ids: list[UUID]) -> list[Patron]: ...
    async def by_card(self, *, card_number: str) -> Patron | None: ...
    async def expiring(
        self, *, since: date, until: date, after: UUID | None, most: int
    ) -> list[Expiring]:
        """Active people whose card runs out from `since` to `until`, by their ids."""
        ...


class Users(Protocol):
    async def register(self, *, person: Registration, now: datetime) -> User: ...
    async def add(self, *, person: NewUser, actor: Actor, now: datetime) -> User: ...
    async def add_many(
        self, *, people: list[NewUser], actor: Actor, now: datetime
    ) -> list[User]: ...
    async def get(self, *, user_id: UUID, actor: Actor) -> User: ...
    async def by_card(self, *, card_number: str, actor: Actor) -> User: ...
    async def by_ids(self, *, ids: list[UUID], actor: Actor) -> list[User]: ...
    async def find(self, *, like: UserFilter, window: Window, actor: Actor) -> Page[User]: ...
    async def change(
        self,
        *,
        user_id: UUID,
        changes: dict[str, Any],
        actor: Actor,
        now: datetime,
        version: int | None = None,
    ) -> User: ...
    async def remove(
        self, *, user_id: UUID, actor: Actor, now: datetime, version: int | None = None
    ) -> None: ...
    async def blocks(self, *, user_id: UUID, actor: Actor) -> list[PatronBlock]: ...
    async def block(
        self, *, user_id: UUID, block: NewBlock, actor: Actor, now: datetime
    ) -> PatronBlock: ...
    async def unblock(
        self, *, user_id: UUID, block_id: UUID, actor: Actor, now: datetime
    ) -> None: ...


class Tokens(Protocol):
    """Log-in sessions. A session is a family of refresh tokens; using one twice ends it."""

    async def log_in(
        self, *, email: str, password: str, address: str, now: datetime
    ) -> TokenPair: ...
    async def refresh(self, *, refresh_token: str, now: datetime) -> TokenPair: ...
    async def revoke(self, *, token: str, now: datetime) -> None: ...
    async def change_password(
        self, *, current: str, new: str, actor: Actor, now: datetime
    ) -> None: ...
