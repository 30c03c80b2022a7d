"""A desk without a connection: it writes down what it does, and signs it."""

import hashlib
import hmac
import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4


def signed(key: bytes, desk_id: str, did: dict[str, Any], previous: str) -> str:
    """On purpose not the product's own: a browser makes the same of these words."""
    said = ["lendery-offline-1", desk_id, did["sequence"], did["id"], did["at"], did["kind"]]
    said += [did["barcode"], did.get("card_number"), previous]
    text = json.dumps(said, separators=(",", ":"), ensure_ascii=False)
    return hmac.new(key, text.encode(), hashlib.sha256).hexdigest()


def written(at: datetime) -> str:
    """As `Date.toISOString` writes it."""
    at = at.astimezone(UTC)
    return at.strftime("%Y-%m-%dT%H:%M:%S.") + f"{at.microsecond // 1000:03d}Z"


@dataclass
class Notebook:
    """What a desk wrote down, in order."""

    desk_id: str
    key: bytes
    sequence: int = 0
    head: str = ""
    pages: list[dict[str, Any]] = field(default_factory=list)

    def write(
        self, kind: str, barcode: str, card: str | None = None, *, at: datetime
    ) -> dict[str, Any]:
        self.sequence += 1
        did: dict[str, Any] = {
            "id": str(uuid4()),
            "sequence": self.sequence,
            "at": written(at),
            "kind": kind,
            "barcode": barcode,
        }
        if card is not None:
            did["card_number"] = card
        self.head = did["signature"] = signed(self.key, self.desk_id, did, self.head)
        self.pages.append(did)
        return did

    @classmethod
    def of(cls, registered: dict[str, Any]) -> "Notebook":
        """Of a desk as the library answered its registration."""
        return cls(registered["id"], bytes.fromhex(registered["key"]))

    def tear_out(self) -> list[dict[str, Any]]:
        pages, self.pages = self.pages, []
        return pages
