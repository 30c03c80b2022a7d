"""What an offline desk signs, when a batch is not taken, and what is said of conflicts."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from typing import Any, get_args
from uuid import UUID

import pytest
from pydantic import ValidationError

from lendery.circulation.rules.offline import (
    SignedDesk,
    batch_objection,
    canonical,
    desk_key,
    moment,
    signature,
)
from lendery.circulation.rules.offline_conflicts import (
    NEVER_WAIVED,
    NOT_RECORDED,
    RECORDED,
    SAYS,
    overtaken,
    proposed,
    says,
)
from lendery.circulation.rules.renewal import RenewalCode
from lendery.contracts.circulation import OfflineTransaction
from lendery.contracts.circulation.offline import OfflineCode

NOW = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
# by openssl dgst -sha256 -mac HMAC
VECTOR = "671127fcf62cf627aeabe0ef9dfa600244f7e42bc9a5e1cff77f9670e74df213"
DESK = UUID("01890000-0000-7000-8000-000000000001")
KEY = bytes(range(32))
A_SECOND, FIVE = timedelta(seconds=1), timedelta(minutes=5)


def did(sequence: int = 1, previous: str = "", key: bytes = KEY, **but: Any) -> OfflineTransaction:
    facts: dict[str, Any] = {
        "id": UUID(int=sequence),
        "sequence": sequence,
        "at": NOW,
        "kind": "check-out",
        "barcode": "30000000017",
        "card_number": "1000000008",
        "signature": "0" * 64,
    }
    made = OfflineTransaction.model_validate(facts | but)
    return made.model_copy(update={"signature": signature(key, DESK, made, previous)})


def chain(*sequences: int, **but: Any) -> list[OfflineTransaction]:
    found: list[OfflineTransaction] = []
    for number in sequences:
        found.append(did(number, found[-1].signature if found else "", **but))
    return found


def desk(*taken: OfflineTransaction, **but: Any) -> SignedDesk:
    facts: dict[str, Any] = {
        "id": DESK,
        "key": KEY,
        "registered_at": NOW - timedelta(days=1),
        "revoked": False,
        "last_sequence": taken[-1].sequence if taken else 0,
        "taken": {each.sequence: (each.id, each.signature) for each in taken},
    }
    return SignedDesk(**facts | but)


def refused(known: SignedDesk, batch: list[OfflineTransaction]) -> Any:
    found = batch_objection(known, batch, now=NOW)
    if found is None:
        return None
    assert found.says.startswith("Not taken: ") and found.says.endswith(".")
    return found.code, found.sequence, found.expected


def test_what_is_signed_can_be_written_in_any_language() -> None:
    """The vector of the documentation."""
    at = datetime(2026, 3, 2, 10, 30, 0, 250_000, tzinfo=timezone(timedelta(hours=1)))
    lent = did(at=at)
    said = (
        '["lendery-offline-1","01890000-0000-7000-8000-000000000001",1,'
        '"00000000-0000-0000-0000-000000000001","2026-03-02T09:30:00.250Z","check-out",'
        '"30000000017","1000000008",""]'
    )
    assert canonical(DESK, lent, "") == said.encode()
    assert lent.signature == VECTOR
    came = did(2, lent.signature, kind="check-in", card_number=None, at=NOW)
    assert canonical(DESK, came, lent.signature).decode().endswith(f',null,"{lent.signature}"]')


@pytest.mark.parametrize(
    "but",
    [
        {"at": NOW + timedelta(microseconds=1)},
        {"at": datetime(2026, 3, 2, 9, 30)},
        {"card_number": None},
        {"kind": "check-in"},
        {"kind": "renewal"},
        {"sequence": 0},
        {"barcode": "a\nb"},
        {"card_number": "a b"},
        {"signature": "A" * 64},
        {"more": 1},
    ],
)
def test_what_cannot_be_signed_is_refused(but: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        OfflineTransaction.model_validate(did().model_dump() | but)


def test_keys_of_desks_and_installations_differ() -> None:
    keys = {desk_key(s, d) for s in ("one", "two") for d in (DESK, UUID(int=1))}
    assert len(keys) == 4 and {len(key) for key in keys} == {32}
    assert desk_key("one", DESK) == desk_key("one", DESK)


ONE, TWO, THREE = chain(1, 2, 3)
OTHER = did(2, ONE.signature, barcode="other")


@pytest.mark.parametrize(
    ("known", "batch", "expected"),
    [
        (desk(), [ONE], None),
        (desk(), [ONE, TWO, THREE], None),
        (desk(ONE), [TWO, THREE], None),
        (desk(ONE, TWO), [ONE, TWO, THREE], None),  # the start of it was taken before
        (desk(ONE, TWO, THREE), [TWO], None),
        (desk(), [TWO], ("gap", 2, 1)),
        (desk(ONE), [THREE], ("gap", 3, 2)),
        (desk(), [ONE, THREE], ("gap", 3, 2)),
        (desk(ONE, TWO), [ONE, THREE], ("gap", 3, 2)),
        (desk(), [ONE, ONE], ("out-of-order", 1, 2)),
        (desk(), [ONE, TWO, ONE], ("out-of-order", 1, 3)),
        (desk(ONE), [TWO, ONE], ("out-of-order", 1, 3)),
        (desk(ONE), [OTHER, THREE], ("bad-signature", 3, None)),
        (desk(ONE, TWO), [OTHER], ("changed", 2, None)),
        (desk(ONE, OTHER), [THREE], ("bad-signature", 3, None)),
        (desk(ONE, TWO), [TWO.model_copy(update={"barcode": "x"})], ("bad-signature", 2, None)),
        (desk(revoked=True), [ONE], ("revoked", None, None)),
        (desk(ids_in_use={ONE.id}), [ONE], ("id-used", 1, None)),
        (desk(), [ONE, did(2, ONE.signature, id=ONE.id)], ("id-used", 2, None)),
        (desk(), [did(key=b"another")], ("bad-signature", 1, None)),
        (desk(), [did(at=NOW + FIVE)], None),
        (desk(), [did(at=NOW + FIVE + A_SECOND)], ("ahead-of-time", 1, None)),
        (desk(registered_at=NOW + FIVE), [ONE], None),
        (desk(registered_at=NOW + FIVE + A_SECOND), [ONE], ("before-registration", 1, None)),
        (desk(ONE, registered_at=NOW + timedelta(days=9)), [ONE], None),  # it was taken then
    ],
)
def test_when_a_batch_is_not_taken(
    known: SignedDesk, batch: list[OfflineTransaction], expected: Any
) -> None:
    assert refused(known, batch) == expected


CHANGES: list[Callable[[OfflineTransaction], dict[str, Any]]] = [
    lambda d: {"id": UUID(int=99)},
    lambda d: {"at": d.at + timedelta(milliseconds=1)},
    lambda d: {"kind": "renewal"},
    lambda d: {"barcode": d.barcode + "1"},
    lambda d: {"card_number": "1000000009"},
    lambda d: {"card_number": None},
    lambda d: {"signature": d.signature[:-1] + ("0" if d.signature[-1] != "0" else "1")},
]


@pytest.mark.parametrize("change", CHANGES)
def test_whatever_is_changed_shows(change: Callable[[OfflineTransaction], Any]) -> None:
    bad = ONE.model_copy(update=change(ONE))
    assert refused(desk(), [bad]) == ("bad-signature", 1, None)
    assert refused(desk(), [ONE, TWO.model_copy(update=change(TWO))])[:2] == ("bad-signature", 2)


@pytest.mark.parametrize(
    ("at", "last", "expected"),
    [(0, -9, 0), (-9, -9, -9), (-10, -9, -9), (5, -9, 0), (1, 0, 0), (-1, 0, 0)],
)
def test_time_runs_forward_and_not_ahead_of_ours(at: int, last: int, expected: int) -> None:
    minutes = [NOW + timedelta(minutes=each) for each in (at, last, expected)]
    assert moment(minutes[0], last_at=minutes[1], now=NOW) == minutes[2]


@pytest.mark.parametrize(
    ("lent", "seen", "code"),
    [
        (None, None, None),
        (0, None, None),
        (1, None, "lent-since"),
        (None, 0, None),
        (None, 1, "seen-since"),
        (-1, 1, None),  # on loan all the time: where it was seen last says nothing
        (1, 1, "lent-since"),
    ],
)
def test_what_is_newer_counts(lent: int | None, seen: int | None, code: str | None) -> None:
    def at(second: int | None) -> datetime | None:
        return None if second is None else NOW + timedelta(seconds=second)

    assert overtaken(NOW, lent_at=at(lent), seen_at=at(seen)) == code


def test_each_code_has_its_sentence_and_what_to_do() -> None:
    known = {code for each in get_args(OfflineCode) for code in get_args(each)}
    assert set(SAYS) == known
    impossible = {"not-yours"}  # it is renewed for whoever has it
    assert set(get_args(RenewalCode)) - impossible <= known
    assert set(NOT_RECORDED) | set(RECORDED) <= known
    for code in SAYS:
        for recorded in (True, False):
            proposal, what = proposed("check-out", [code], recorded=recorded)
            assert what.endswith(".") and proposal
            assert ("accept" in what) is recorded
            assert ("a reason" in what) is (recorded and code in NEVER_WAIVED)
    assert says("check-out", "on-hold") != says("renewal", "on-hold")


def test_what_matters_most_is_proposed() -> None:
    both = proposed("check-out", ["unknown-card", "unknown-copy"], recorded=False)
    assert both == NOT_RECORDED["unknown-copy"]
    assert proposed("check-out", ["fines-owed", "on-loan"], recorded=True) == RECORDED["on-loan"]
    assert proposed("renewal", ["too-early"], recorded=False)[0] == "renew"
    assert proposed("check-out", ["fines-owed"], recorded=True)[0] == "look"
