"""A decision at the desk that is sent again, perhaps to another process, is the same request."""

from datetime import UTC, datetime
from itertools import combinations
from types import SimpleNamespace
from typing import Any, get_args
from uuid import uuid4

from lendery.contracts.base import RequestKey
from lendery.contracts.circulation import BlockCode, CheckOutRefused
from lendery.contracts.permissions import Actor
from lendery.web.scans import Scan, Scanner
from lendery.web.shelves import Places


class Loans:
    """Refuses everything, and keeps the keys that it came with."""

    def __init__(self) -> None:
        self.keys: list[RequestKey] = []

    async def check_out(self, *, key: RequestKey, **asked: Any) -> None:
        self.keys.append(key)
        raise CheckOutRefused("Not lent.", blocks=[])


async def nothing(**asked: Any) -> None:
    return None


def one_waiver_in_two_orders() -> tuple[frozenset[BlockCode], frozenset[BlockCode]]:
    """As two processes may keep it: where hashes meet, a set has the order in which it grew."""
    for first, second in combinations(get_args(BlockCode), 2):
        found = frozenset([first, second]), frozenset([second, first])
        if list(found[0]) != list(found[1]):
            return found
    raise AssertionError("twenty codes do not fit into eight places without meeting")


async def test_a_waiver_sent_again_is_the_same_request_in_whatever_order() -> None:
    loans, patron_id = Loans(), uuid4()
    ports: Any = SimpleNamespace(loans=loans, copies=SimpleNamespace(by_barcode=nothing))
    scanner, lea = Scanner(ports, Places({})), Actor(id=uuid4(), role="librarian")
    one, other = one_waiver_in_two_orders()
    more = next(code for code in get_args(BlockCode) if code not in one)
    for waive in (one, other, one | {more}):
        scan = Scan(mode="out", code="b1", key="k" * 16, patron_id=patron_id, waive=waive)
        await scanner.read(scan, lea, datetime.now(UTC))
    first, again, different = loans.keys
    assert first == again
    assert (first.key, first.fingerprint != different.fingerprint) == (different.key, True)
