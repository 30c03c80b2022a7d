"""The circuit breaker: a neighbour that keeps failing is left alone for a while."""

import time
from dataclasses import dataclass, field

from lendery.contracts.base import PeerUnavailable
from lendery.platform.metrics import BREAKER


@dataclass
class Breaker:
    """Stops calling a peer that keeps failing; after a rest one probe finds out if it is back."""

    peer: str
    limit: int = 5
    rest: float = 5.0  # seconds
    failures: int = 0
    opened_at: float = 0.0
    probing: bool = field(default=False)

    def enter(self) -> None:
        """Raises PeerUnavailable while the peer rests, for all callers but the one probe."""
        if self.failures < self.limit:
            return
        if self.probing or time.monotonic() - self.opened_at < self.rest:
            raise PeerUnavailable(
                f"{self.peer.capitalize()} does not answer at the moment.",
                retry_after=int(self.rest),
            )
        self.probing = True

    def failed(self) -> None:
        self.failures += 1
        self.opened_at = time.monotonic()
        self.probing = False
        BREAKER.labels(self.peer).set(self.failures >= self.limit)

    def succeeded(self) -> None:
        self.failures = 0
        self.probing = False
        BREAKER.labels(self.peer).set(0)
