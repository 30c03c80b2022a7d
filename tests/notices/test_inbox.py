"""The inbox, what readers prefer, and links that were not made here."""

from typing import Any
from uuid import uuid4

import pytest

from lendery.contracts.base import Invalid, NotAllowed, SignInNeeded, Stale, Window
from lendery.contracts.circulation import FineCharged
from lendery.contracts.notices import NoSuchNotice, PreferenceChanges, UnsubscribeLinkInvalid
from lendery.contracts.permissions import STRANGER, SYSTEM
from lendery.notices.unsubscribing import make_token
from tests.notices.conftest import ANN, BEN, NOW, Library, on_one_database
from tests.notices.test_post_office import ready

SECRET = "for-development-only"


async def test_a_reader_leafs_through_the_inbox_and_reads(library: Library) -> None:
    for _ in range(5):
        await ready(library)
    await ready(library, BEN)
    first = await library.inbox.inbox(unread=False, window=Window(limit=3, total=True), actor=ANN)
    rest = await library.inbox.inbox(
        unread=False, window=Window(limit=3, after=first.next_cursor), actor=ANN
    )
    ids = [each.id for each in (*first.items, *rest.items)]
    assert ids == sorted(ids, reverse=True) and len(set(ids)) == 5
    assert (first.total, first.unread, rest.next_cursor, rest.total) == (5, 5, None, None)

    read = await library.inbox.read(notice_id=ids[0], actor=ANN, now=NOW)
    assert read.read_at == NOW
    again = await library.inbox.read(notice_id=ids[0], actor=ANN, now=NOW.replace(hour=10))
    assert again.read_at == NOW
    new = await library.inbox.inbox(unread=True, window=Window(), actor=ANN)
    assert [each.id for each in new.items] == ids[1:] and new.unread == 4
    assert (await library.inbox.read_all(actor=ANN, now=NOW)).read == 4
    assert (await library.inbox.inbox(unread=True, window=Window(), actor=BEN)).unread == 1


async def test_an_inbox_is_its_readers_own(library: Library) -> None:
    await ready(library)
    (row,) = await library.rows("message")
    with pytest.raises(NoSuchNotice):
        await library.inbox.read(notice_id=row.id, actor=BEN, now=NOW)
    with pytest.raises(SignInNeeded):
        await library.inbox.inbox(unread=False, window=Window(), actor=STRANGER)
    with pytest.raises(NotAllowed):
        await library.inbox.preferences(actor=SYSTEM)
    assert await library.rows("message") == [row]


async def test_what_is_left_out_stays_and_null_gives_back_what_the_library_has(
    library: Library,
) -> None:
    before = await library.inbox.preferences(actor=ANN)
    assert (before.version, before.digest, before.quiet_from) == (0, False, None)
    wishes: dict[str, Any] = {
        "email": {"due-soon": False}, "digest": True, "language": "de",
        "quiet_from": "21:00", "quiet_until": "07:00",
    }  # fmt: skip
    after = await library.prefers(**wishes)
    assert (after.version, after.digest, after.language) == (1, True, "de")
    after = await library.prefers(email={"hold-ready": False})
    assert not after.email["due-soon"] and not after.email["hold-ready"]
    assert (after.quiet_from, after.quiet_until, after.digest) == ("21:00", "07:00", True)
    await library.prefers(quiet_from=None, quiet_until=None, digest=None)
    after = await library.prefers(email=None, language=None)
    assert after == before.model_copy(update={"version": 4})


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"email": {"overdue-2": False}}, "#/email/overdue-2"),
        ({"quiet_from": "21:00"}, "#/quiet_until"),
        ({"quiet_until": "07:00"}, "#/quiet_from"),
        ({"quiet_from": "07:00", "quiet_until": "07:00"}, "#/quiet_until"),
    ],
)
@on_one_database
async def test_what_cannot_be_is_refused(
    library: Library, changes: dict[str, Any], pointer: str
) -> None:
    with pytest.raises(Invalid) as told:
        await library.prefers(**changes)
    assert told.value.extra["errors"][0]["pointer"] == pointer
    assert await library.rows("preference") == []


async def test_a_change_of_what_was_changed_meanwhile_is_refused(library: Library) -> None:
    await library.prefers(digest=True)
    changes, given = PreferenceChanges(digest=False), frozenset({"digest"})
    with pytest.raises(Stale):
        await library.inbox.prefer(changes=changes, given=given, actor=ANN, now=NOW, version=0)
    assert (await library.inbox.preferences(actor=ANN)).digest


@pytest.mark.parametrize("how", ["cut", "turned", "foreign", "empty", "nonsense", "other reader"])
@on_one_database
async def test_a_link_that_was_not_made_here_does_nothing(library: Library, how: str) -> None:
    assert ANN.id is not None and BEN.id is not None
    good = make_token(ANN.id, ["due-soon"], SECRET)
    other = make_token(BEN.id, ["due-soon"], SECRET)
    token = {
        "cut": good[:-1], "turned": good[:30] + ("A" if good[30] != "A" else "B") + good[31:],
        "foreign": make_token(ANN.id, ["due-soon"], "another"), "empty": "", "nonsense": "§",
        "other reader": other[:22] + good[22:],
    }[how]  # fmt: skip
    with pytest.raises(UnsubscribeLinkInvalid):
        await library.inbox.unsubscribe(token=token, now=NOW)
    assert await library.rows("preference") == []


async def test_a_link_ends_courtesies_only_and_of_people_who_are_there(library: Library) -> None:
    assert ANN.id is not None
    token = make_token(ANN.id, ["due-soon", "overdue-1", "hold-ready"], SECRET)
    assert await library.inbox.unsubscribe(token=token, now=NOW) == ["due-soon"]
    gone = make_token(uuid4(), ["due-soon"], SECRET)
    assert await library.inbox.unsubscribe(token=gone, now=NOW) == ["due-soon"]
    assert len(await library.rows("preference")) == 1


@on_one_database
async def test_a_charge_is_spelled_in_the_inbox(library: Library) -> None:
    fine = library.posts(BEN, reason="late")
    told = FineCharged(
        at=NOW, fine_id=fine, borrower=uuid4(), amount=350, currency="EUR", cause="late"
    )
    await library.hears(told)
    assert await library.subjects(BEN) == ["Gebühr: 3,50 EUR"]
