"""Cursors: where in a list the next page begins, as keys of the last row shown."""

import base64
import json
from typing import Any
from uuid import UUID

from lendery.contracts.base import Invalid


def make_cursor(*keys: Any) -> str:
    """An opaque position in a list: the sort keys of the last row shown."""
    text = json.dumps(keys, default=str, separators=(",", ":"), ensure_ascii=False)
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def read_cursor(cursor: str, *kinds: type) -> list[Any]:
    """The keys of a cursor. Raises Invalid for anything `make_cursor` did not make."""
    try:
        raw = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
        keys = json.loads(raw)
        if not isinstance(keys, list) or len(keys) != len(kinds):
            raise ValueError
        return [_key(value, kind) for value, kind in zip(keys, kinds, strict=True)]
    except (AttributeError, ValueError, TypeError, RecursionError) as error:
        problem = {"parameter": "cursor", "says": "This is not a cursor of this list."}
        raise Invalid("This is not a cursor of this list.", errors=[problem]) from error


def _key(value: Any, kind: type[Any]) -> Any:
    if kind is UUID:
        return UUID(value)
    if value is not None and (type(value) is not kind or (kind is int and abs(value) >= 2**63)):
        raise ValueError
    if kind is str and value is not None and b"\x00" in value.encode():  # no lone surrogates
        raise ValueError
    return value
