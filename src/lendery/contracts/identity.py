"""How every service checks a token without asking about it."""

from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

from lendery.contracts.base import Value


class RevokedSession(Value):
    """A log-in session that ended before its tokens did."""

    id: UUID
    at: datetime


class Keys(Protocol):
    """The published keys (a JWK set), and the sessions that ended."""

    async def jwks(self) -> dict[str, Any]: ...
    async def revoked_since(self, *, since: datetime) -> list[RevokedSession]: ...
