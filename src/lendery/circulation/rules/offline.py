"""What a desk signs while it is offline, and when a batch of it is not taken.

Signed is a JSON array without blanks, in UTF-8 (a case of RFC 8785): `canonical` says of what. It
covers the signature of the one before, so what is lost, changed, doubled or in another order shows.
"""

import hashlib
import hmac
import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from lendery.contracts.circulation.offline import OfflineTransaction, Refusal

FORM = "lendery-offline-1"
SLACK = timedelta(minutes=5)  # so much a desk's clock may be wrong


@dataclass(frozen=True, slots=True)
class BatchObjection:
    """`sequence`: of which transaction; `expected`: the number that was to come."""

    code: Refusal
    says: str
    sequence: int | None = None
    expected: int | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class SignedDesk:
    """A desk as it stands. `taken` are those of its transactions that a batch speaks of again, and
    the one before, by number: their ids and signatures. `ids_in_use`: of the ids in the batch those
    that something else has."""

    id: UUID
    key: bytes
    registered_at: datetime
    revoked: bool
    last_sequence: int
    taken: Mapping[int, tuple[UUID, str]]
    ids_in_use: Collection[UUID] = ()


def desk_key(secret: str, desk_id: UUID) -> bytes:
    """The key of a desk. It is kept nowhere: the installation's secret and the id make it."""
    said = f"lendery offline desk {desk_id}".encode()
    return hmac.new(secret.encode(), said, hashlib.sha256).digest()


def canonical(desk_id: UUID, did: OfflineTransaction, previous: str) -> bytes:
    """What is signed. `previous` is the signature of the one before, and empty for the first."""
    at = did.at.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="milliseconds") + "Z"
    said = [FORM, str(desk_id), did.sequence, str(did.id), at, did.kind, did.barcode]
    said += [did.card_number, previous]
    return json.dumps(said, separators=(",", ":"), ensure_ascii=False).encode()


def signature(key: bytes, desk_id: UUID, did: OfflineTransaction, previous: str) -> str:
    return hmac.new(key, canonical(desk_id, did, previous), hashlib.sha256).hexdigest()


def is_signed(key: bytes, desk_id: UUID, did: OfflineTransaction, previous: str) -> bool:
    return hmac.compare_digest(signature(key, desk_id, did, previous), did.signature)


def batch_objection(
    desk: SignedDesk, batch: Sequence[OfflineTransaction], *, now: datetime
) -> BatchObjection | None:
    """Why nothing of the batch is taken; None: it may be."""
    if desk.revoked:
        says = "Not taken: this desk was revoked. Register another that replaces it."
        return BatchObjection("revoked", says)
    if found := _out_of_order(desk, batch):
        return found
    first = batch[0].sequence - 1
    previous = desk.taken[first][1] if first else ""
    ids: set[UUID] = set(desk.ids_in_use)
    for did in batch:
        if found := _objection(desk, did, previous, ids, now):
            return found
        ids.add(did.id)
        previous = did.signature
    return None


def _out_of_order(desk: SignedDesk, batch: Sequence[OfflineTransaction]) -> BatchObjection | None:
    expected = min(batch[0].sequence, desk.last_sequence + 1)
    for did in batch:
        if did.sequence > expected:
            says = f"Not taken: number {expected} is missing. Send it first."
            return BatchObjection("gap", says, did.sequence, expected)
        if did.sequence < expected:
            says = f"Not taken: number {did.sequence} comes where {expected} should."
            return BatchObjection("out-of-order", says, did.sequence, expected)
        expected += 1
    return None


def _objection(
    desk: SignedDesk,
    did: OfflineTransaction,
    previous: str,
    ids: Collection[UUID],
    now: datetime,
) -> BatchObjection | None:
    at = did.sequence
    if not is_signed(desk.key, desk.id, did, previous):
        says = f"Not taken: number {at} is not signed by this desk as it stands here."
        return BatchObjection("bad-signature", says, at)
    if at <= desk.last_sequence:
        return None if desk.taken[at] == (did.id, did.signature) else changed(at)
    if did.id in ids:
        says = f"Not taken: number {at} has the id of something else."
        return BatchObjection("id-used", says, at)
    if did.at > now + SLACK:
        says = f"Not taken: number {at} lies in the future. Set the clock of the desk right."
        return BatchObjection("ahead-of-time", says, at)
    if did.at < desk.registered_at - SLACK:
        says = f"Not taken: number {at} is older than the desk. Set its clock right."
        return BatchObjection("before-registration", says, at)
    return None


def changed(sequence: int) -> BatchObjection:
    says = f"Not taken: number {sequence} was something else before. Two devices use this desk, or "
    return BatchObjection("changed", f"{says}it was set back: register it anew.", sequence)


def moment(at: datetime, *, last_at: datetime, now: datetime) -> datetime:
    """When it happened, as it is recorded: at no desk time runs backwards, or ahead of ours."""
    return min(now, max(at, last_at))
