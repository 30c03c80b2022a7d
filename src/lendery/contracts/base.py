"""The grammar of contracts: what a value, an event, a problem and a page are.

Pure: pydantic and the standard library only, so that rules may import it.
"""

import hashlib
import os
import re
import time
import unicodedata
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated, Any, ClassVar, Generic, TypeVar
from uuid import UUID

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

T = TypeVar("T")
MOST_KEPT = 2**63 - 1  # what a column of a table holds
MOST_TYPED = 10**9  # minor units


def new_id() -> UUID:
    """A UUID of version 7 (RFC 9562): ids made later sort later, so indexes grow at one end.

    The 12 bits after the version are the part of the millisecond (method 3 of section 6.2), so
    that what one program makes in a row stays in its order.
    """
    stamp, rest = divmod(time.time_ns(), 1_000_000)
    part = rest * 4096 // 1_000_000
    tail = int.from_bytes(os.urandom(8), "big") >> 2
    value = (stamp & 0xFFFFFFFFFFFF) << 80 | 0x7 << 76 | part << 64 | 0b10 << 62 | tail
    return UUID(int=value)


def _clean(text: str, *, allowed: str = "") -> str:
    text = unicodedata.normalize("NFC", text)
    for character in text:
        if unicodedata.category(character) in ("Cc", "Cs", "Cn") and character not in allowed:
            raise ValueError("Control characters are not allowed.")
    return text.strip()


def one_line(text: str) -> str:
    """Text as people type it in a field: NFC, trimmed, without control characters."""
    return _clean(text)


def many_lines(text: str) -> str:
    """Text as people type it in a large box: as `one_line`, line breaks and tabs allowed."""
    return _clean(text, allowed="\n\r\t")


def _filled(text: str) -> str:
    if not text:
        raise ValueError("This must not be empty.")
    return text


Line = Annotated[
    str, StringConstraints(max_length=500), AfterValidator(one_line), AfterValidator(_filled)
]
Code = Annotated[
    str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._:-]{0,63}$", max_length=64)
]
Text = Annotated[str, StringConstraints(max_length=20_000), AfterValidator(many_lines)]
Instant = Annotated[datetime, AfterValidator(lambda at: _aware(at))]


def _aware(at: datetime) -> datetime:
    if at.tzinfo is None:
        raise ValueError("Say the time zone: 2026-03-01T09:30:00Z.")
    try:
        at.astimezone(UTC)
    except OverflowError:
        raise ValueError("In UTC there is no such instant.") from None
    return at


class Value(BaseModel):
    """What crosses a boundary: immutable, and the same near and far."""

    model_config = ConfigDict(frozen=True, from_attributes=True)


class Input(BaseModel):
    """What a stranger sends: every field named, nothing unknown taken."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Money(Value):
    """An amount in minor units (cents) of an ISO 4217 currency."""

    model_config = ConfigDict(frozen=True, from_attributes=True, extra="forbid")

    amount: int = Field(ge=-MOST_KEPT, le=MOST_KEPT)
    currency: Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")] = "EUR"


def _small_enough(money: Money) -> Money:
    if abs(money.amount) > MOST_TYPED:
        raise ValueError(f"At most {MOST_TYPED} minor units (cents) at once.")
    return money


# What somebody types in. A thousand million of these add up to money that can be kept and shown.
Amount = Annotated[
    Money,
    AfterValidator(_small_enough),
    Field(
        description=f"At most {MOST_TYPED} minor units.",
        json_schema_extra={
            "properties": {"amount": {"minimum": -MOST_TYPED, "maximum": MOST_TYPED}}
        },
    ),
]


class Page(Value, Generic[T]):
    """Part of a list. `next_cursor` is null on the last page; `total` only when asked for."""

    items: Sequence[T]
    next_cursor: str | None = None
    total: int | None = None


class Window(Value):
    """Which part of a list is wanted. `estimate`: a total above 1,000 may be a guess."""

    limit: int = 20
    after: str | None = None
    offset: int = 0
    total: bool = False
    estimate: bool = False


class RequestKey(Value):
    """An `Idempotency-Key`: whose it is and what the request said, both as digests.

    The scope is no id: a kept answer must not lead from a person to a loan.
    """

    scope: str
    key: str
    fingerprint: str

    @classmethod
    def of(cls, key: str, *, sender: UUID | None, asked: bytes) -> "RequestKey":
        digest = hashlib.blake2b(asked, digest_size=24).hexdigest()
        return cls(scope=cls.scope_of(sender), key=key, fingerprint=digest)

    @staticmethod
    def scope_of(sender: UUID | None) -> str:
        whose = hashlib.blake2b(str(sender).encode(), digest_size=16, person=b"request-scope")
        return whose.hexdigest()


class Event(Value):
    """A fact, named in the past tense. Carries ids and codes, never words about a person.

    `about` names the field whose events must stay in order.
    """

    name: ClassVar[str] = ""
    about: ClassVar[str] = ""
    _by_name: ClassVar[dict[str, type["Event"]]] = {}

    id: UUID = Field(default_factory=new_id)
    at: datetime

    @classmethod
    def __pydantic_init_subclass__(cls, **kwargs: Any) -> None:
        cls.name = f"{_context_of(cls.__module__)}.{cls.__name__}"
        Event._by_name[cls.name] = cls

    @property
    def context(self) -> str:
        return self.name.split(".", 1)[0]

    @property
    def aggregate(self) -> UUID:
        found: UUID = getattr(self, self.about)
        return found

    @staticmethod
    def load(name: str, body: Any) -> "Event":
        return Event._by_name[name].model_validate(body)


def _context_of(module: str) -> str:
    """lendery.contracts.circulation.holds belongs to circulation."""
    ours = module.removeprefix("lendery.contracts.")
    return ours.split(".", 1)[0] if ours != module else module.rsplit(".", 1)[-1]


class Problem(Exception):
    """An expected failure. Its class name is its code, on every wire (RFC 9457).

    Raised with a sentence for people (`detail`) and members for programs (`extra`).
    """

    status: ClassVar[int] = 400
    code: ClassVar[str] = "problem"
    _by_code: ClassVar[dict[str, type["Problem"]]] = {}

    def __init_subclass__(cls) -> None:
        cls.code = re.sub(r"(?<!^)(?=[A-Z])", "-", cls.__name__).lower()
        if Problem._by_code.setdefault(cls.code, cls) is not cls:
            raise TypeError(f"two problems share the code {cls.code!r}")

    def __init__(self, detail: str = "", **extra: Any) -> None:
        super().__init__(detail)
        self.detail = detail
        self.extra = extra

    @classmethod
    def of(cls, code: str, detail: str, **extra: Any) -> "Problem":
        return cls._by_code.get(code, PeerFailed)(detail, **extra)

    @classmethod
    def all(cls) -> dict[str, type["Problem"]]:
        return dict(sorted(cls._by_code.items()))


class Invalid(Problem):
    """The request does not say what it should; `errors` names each field by JSON pointer."""

    status = 422


class NotFound(Problem):
    status = 404


class AlreadyTaken(Problem):
    """Something else has this value already; `field` and, where it may be told, `existing`."""

    status = 409


class Stale(Problem):
    """The thing changed since it was read (`If-Match` named an older version)."""

    status = 412


class SignInNeeded(Problem):
    status = 401


class NotAllowed(Problem):
    status = 403


class KeyReused(Problem):
    """The same `Idempotency-Key` came with another body."""

    status = 422


class TooManyRequests(Problem):
    status = 429


class TooLarge(Problem):
    status = 413


class Busy(Problem):
    """The database did not get to it in time. Nothing was changed."""

    status = 503


class PeerFailed(Problem):
    status = 502


class PeerUnavailable(Problem):
    """A neighbour does not answer, so this cannot be decided now."""

    status = 503
