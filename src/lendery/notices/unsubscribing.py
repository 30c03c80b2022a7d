"""The link by which one click switches kinds of mail off, without signing in (RFC 8058).

It names the reader and the kinds, signed with the installation's secret. It does not run out: a
mail may be opened a year later, and all it can do is to end mails of these kinds.
"""

import base64
import hashlib
import hmac
from collections.abc import Sequence
from uuid import UUID

from lendery.contracts.notices import Kind, UnsubscribeLinkInvalid
from lendery.notices.rules.kinds import COURTESIES

SIGNATURE = 16  # bytes
PATH = "/api/v1/notices/unsubscribe/"


def link(patron_id: UUID, kinds: Sequence[Kind], *, secret: str, public_url: str) -> str:
    return public_url.rstrip("/") + PATH + make_token(patron_id, kinds, secret)


def make_token(patron_id: UUID, kinds: Sequence[Kind], secret: str) -> str:
    named = patron_id.bytes + ",".join(kinds).encode()
    return base64.urlsafe_b64encode(_signature(named, secret) + named).decode().rstrip("=")


def read_token(token: str, secret: str) -> tuple[UUID, list[Kind]]:
    """Raises UnsubscribeLinkInvalid for what `make_token` did not make."""
    try:
        raw = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
        signed, named = raw[:SIGNATURE], raw[SIGNATURE:]
        patron_id = UUID(bytes=named[:16])
        kinds = named[16:].decode().split(",")
    except ValueError:
        raise _invalid() from None
    if not hmac.compare_digest(signed, _signature(named, secret)):
        raise _invalid()
    return patron_id, [kind for kind in COURTESIES if kind in kinds]


def _signature(named: bytes, secret: str) -> bytes:
    return hmac.digest(secret.encode(), b"unsubscribe" + named, hashlib.sha256)[:SIGNATURE]


def _invalid() -> UnsubscribeLinkInvalid:
    return UnsubscribeLinkInvalid("This link is not whole. Copy it from the mail again.")
