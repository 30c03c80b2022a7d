"""Service tokens: how one process of an installation knows another.

Short-lived, made for one audience, signed with the installation's secret (HS256).
"""

import time
from dataclasses import dataclass, field

import jwt

from lendery.contracts.base import SignInNeeded

LIFE = 60  # seconds


@dataclass(frozen=True)
class ServiceTokens:
    secret: str
    name: str  # who we are
    _kept: dict[str, tuple[float, str]] = field(default_factory=dict)

    def issue(self, audience: str) -> str:
        until, token = self._kept.get(audience, (0.0, ""))
        now = time.time()
        if until - now < LIFE / 2:
            until = now + LIFE
            claims = {"iss": self.name, "aud": f"service:{audience}", "iat": int(now), "exp": until}
            token = jwt.encode(claims, self._key, algorithm="HS256", headers={"typ": "service"})
            self._kept[audience] = (until, token)
        return token

    def check(self, token: str, audiences: frozenset[str]) -> None:
        """Raises SignInNeeded unless the token was made for one of `audiences`."""
        try:
            jwt.decode(
                token,
                self._key,
                algorithms=["HS256"],
                audience=[f"service:{each}" for each in audiences],
                options={"require": ["exp", "iat", "iss", "aud"]},
            )
        except jwt.PyJWTError as error:
            raise SignInNeeded("This address is for Lendery's own services.") from error

    @property
    def _key(self) -> str:
        return f"lendery-service-token:{self.secret}"
