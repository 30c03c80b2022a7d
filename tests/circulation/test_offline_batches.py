"""Batches: taken whole or not at all, once however often they come, and on after a kill."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import pytest_asyncio
from sqlalchemy import func, select
from tests.circulation.desk import Desk, everything
from tests.circulation.far_desk import ALL, SECRET, FarDesk, hours
from tests.circulation.town import ADMIN, LIBRARIAN, NOW, READER, Town
from tests.notebook import Notebook, signed

from lendery.circulation.models import TABLES, loan, offline_batch, offline_transaction
from lendery.circulation.offline.recording import Recorder
from lendery.circulation.offline.uploads import UploadDesk
from lendery.circulation.replay import replay
from lendery.contracts.base import Invalid, NotAllowed, PeerUnavailable
from lendery.contracts.circulation import (
    CheckOutRefused,
    NewOfflineBatch,
    NewOfflineDesk,
    NoSuchOfflineBatch,
    NoSuchOfflineDesk,
    OfflineRefused,
)
from lendery.platform.db import Database

LATER = NOW + hours(6)
ROOT = Path(__file__).parents[2]
BARCODES = [f"b{number}" for number in range(8)]


@pytest_asyncio.fixture
async def desk(town: Town) -> Desk:
    for card in ("ANN", "BEN"):
        town.patrons.add(card)
    desk = Desk(town)
    home = await town.branch()
    await desk.rules(loan_period=21)
    for barcode in BARCODES:
        town.copies.add(barcode, home.id)
    return desk


@pytest_asyncio.fixture
async def bus(desk: Desk) -> FarDesk:
    copy = next(iter(desk.town.copies.known.values()))
    return await FarDesk.open(desk.town, copy.branch_id, NOW - hours(1))


async def count(desk: Desk, table: Any) -> int:
    async with desk.town.db.read() as session:
        return int(await session.value(select(func.count()).select_from(table)))


async def stands(desk: Desk, bus: FarDesk) -> Any:
    """All that an upload could change."""
    tables = loan, offline_transaction, offline_batch, TABLES.event
    return (
        await everything(desk.town),
        await bus.state(),
        [await count(desk, table) for table in tables],
    )


async def replayed(desk: Desk) -> None:
    report = await replay(desk.town.db)
    assert (report.found, report.named) == (0, [])


def lend_all(bus: FarDesk) -> NewOfflineBatch:
    for minute, barcode in enumerate(BARCODES):
        bus.lend(barcode, "ANN", NOW + timedelta(minutes=minute))
    return bus.batch()


async def test_a_desk_is_registered_and_told_its_key_once(desk: Desk, bus: FarDesk) -> None:
    other = await FarDesk.open(desk.town, bus.desk.branch_id, NOW)
    assert other.notes.key != bus.notes.key and len(bus.notes.key) == 32
    state = await bus.state()
    assert (state.next_sequence, state.head, state.revoked_at) == (1, None, None)
    assert (state.name, state.registered_by) == ("Book bus", ADMIN.id)
    found = await bus.register.desks(window=ALL, actor=LIBRARIAN)
    assert [each.id for each in found.items] == [other.desk.id, bus.desk.id]
    assert found.total == 2
    assert "key" not in state.model_dump()


async def test_a_desk_stands_at_a_branch_there_is(desk: Desk, bus: FarDesk) -> None:
    for branch_id in (None, uuid4()):
        wanted = NewOfflineDesk(name="Nowhere", branch_id=branch_id)
        with pytest.raises(Invalid):
            await bus.register.register(desk=wanted, actor=ADMIN, now=NOW)
    here = ADMIN.model_copy(update={"desk": bus.desk.branch_id})
    made = await bus.register.register(desk=NewOfflineDesk(name="Here"), actor=here, now=NOW)
    assert made.branch_id == bus.desk.branch_id
    assert (await bus.register.desks(window=ALL, actor=LIBRARIAN)).total == 2


async def test_only_staff_have_to_do_with_it(desk: Desk, bus: FarDesk) -> None:
    batch = lend_all(bus)
    asked: list[Callable[[], Awaitable[Any]]] = [
        lambda: bus.uploads.upload(batch=batch, actor=READER, now=LATER),
        lambda: bus.uploads.batch(batch_id=batch.id, actor=READER),
        lambda: bus.uploads.batches(window=ALL, actor=READER),
        lambda: bus.register.desks(window=ALL, actor=READER),
        lambda: bus.register.desk(desk_id=bus.desk.id, actor=READER),
        lambda: bus.register.revoke(desk_id=bus.desk.id, actor=READER, now=NOW),
        lambda: bus.register.register(desk=NewOfflineDesk(name="x"), actor=READER, now=NOW),
    ]
    before = await stands(desk, bus)
    for ask in asked:
        with pytest.raises(NotAllowed):
            await ask()
    assert await stands(desk, bus) == before


async def test_who_sends_for_a_desk_registers_none(desk: Desk, bus: FarDesk) -> None:
    before = await stands(desk, bus)
    new = NewOfflineDesk(name="Mine", branch_id=bus.desk.branch_id)
    for ask in (
        bus.register.register(desk=new, actor=LIBRARIAN, now=NOW),
        bus.register.revoke(desk_id=bus.desk.id, actor=LIBRARIAN, now=NOW),
    ):
        with pytest.raises(NotAllowed) as told:
            await ask
        assert told.value.extra["permission"] == "desk:offline-register"
    assert await stands(desk, bus) == before


async def test_the_same_batch_again_gets_the_same_answer(desk: Desk, bus: FarDesk) -> None:
    batch = lend_all(bus)
    first = await bus.send(batch, now=LATER)
    assert first.complete and len(first.results) == len(BARCODES)
    before = await stands(desk, bus)
    again = await bus.send(batch, now=LATER + hours(5))
    assert again == first == await bus.uploads.batch(batch_id=batch.id, actor=LIBRARIAN)
    assert await stands(desk, bus) == before
    state = await bus.state()
    assert (state.next_sequence, state.head) == (9, batch.transactions[-1].signature)
    await replayed(desk)


async def test_more_may_come_with_what_was_taken_before(desk: Desk, bus: FarDesk) -> None:
    """A desk that had no answer goes on writing and sends all of it."""
    batch = lend_all(bus)
    first = await bus.send(batch, now=LATER)
    bus.bring("b0", NOW + hours(1))
    both = await bus.send(bus.batch(), now=LATER)
    assert both.results[:-1] == first.results and both.results[-1].kind == "check-in"
    assert await count(desk, offline_transaction) == len(BARCODES) + 1
    assert await count(desk, loan) == len(BARCODES)
    found = await bus.uploads.batches(window=ALL, actor=LIBRARIAN)
    assert [each.id for each in found.items] == [both.id, first.id] and found.total == 2
    other = await bus.uploads.batches(desk_id=uuid4(), window=ALL, actor=LIBRARIAN)
    assert (list(other.items), other.total) == ([], 0)


async def test_ten_at_once_have_one_effect(desk: Desk, bus: FarDesk) -> None:
    batch = lend_all(bus)
    answers = await asyncio.gather(*(bus.send(batch, now=LATER) for _ in range(10)))
    assert all(each == answers[0] for each in answers)
    assert answers[0].complete
    assert await count(desk, loan) == len(BARCODES)
    names = await desk.names()
    assert names.count("ItemCheckedOut") == names.count("OfflineTransactionTaken") == len(BARCODES)
    await replayed(desk)


async def test_two_devices_with_one_key_are_found_out(desk: Desk, bus: FarDesk) -> None:
    copied = Notebook(bus.notes.desk_id, bus.notes.key)
    mine = lend_all(bus)
    copied.write("check-out", "b1", "BEN", at=NOW)
    theirs = bus.batch(*copied.pages)
    done = await asyncio.gather(
        bus.send(mine, now=LATER), bus.send(theirs, now=LATER), return_exceptions=True
    )
    refused = [each for each in done if isinstance(each, OfflineRefused)]
    assert [each.extra["reason"] for each in refused] == ["changed"]
    taken = next(each for each in done if not isinstance(each, BaseException))
    assert await count(desk, offline_transaction) == len(taken.results)
    await replayed(desk)


async def test_desks_with_a_line_want_the_same_copies(desk: Desk, bus: FarDesk) -> None:
    """Whoever comes first: one open loan for each copy, and what it was is listed or refused."""
    batch, online = lend_all(bus), desk.at(LATER)
    lends = [online.lend(barcode, "BEN") for barcode in BARCODES]
    sent, *lent = await asyncio.gather(bus.send(batch, now=LATER), *lends, return_exceptions=True)
    assert all(not isinstance(e, Exception) or isinstance(e, CheckOutRefused) for e in lent)
    async with desk.town.db.read() as session:
        rows = await session.rows(select(loan.c.copy_id).where(loan.c.returned_at.is_(None)))
    assert len(rows) == len({row.copy_id for row in rows}) == len(BARCODES)
    overtaken = [each for each in sent.results if not each.recorded]
    bens = [each for each in lent if not isinstance(each, Exception)]
    assert {each.conflicts for each in overtaken} <= {("lent-since",)}
    assert len(bens) == len(overtaken) == len(await bus.conflicts())
    await replayed(desk)


async def refused(desk: Desk, bus: FarDesk, batch: Any, reason: str, now: Any = LATER) -> Any:
    before = await stands(desk, bus)
    with pytest.raises(OfflineRefused) as found:
        await bus.send(batch, now=now)
    assert found.value.extra["reason"] == reason
    assert await stands(desk, bus) == before
    return found.value.extra


async def test_one_bad_page_and_nothing_of_the_batch_is_taken(desk: Desk, bus: FarDesk) -> None:
    lend_all(bus)
    pages = bus.notes.tear_out()
    told = await refused(desk, bus, bus.batch(*pages[1:]), "gap")
    assert (told["sequence"], told["expected"]) == (2, 1)
    await refused(desk, bus, bus.batch(*pages[:3], *pages[4:]), "gap")
    await refused(desk, bus, bus.batch(pages[0], pages[2], pages[1]), "gap")
    await refused(desk, bus, bus.batch(pages[0], pages[0]), "out-of-order")
    bad = {**pages[7], "barcode": "b0"}
    told = await refused(desk, bus, bus.batch(*pages[:7], bad), "bad-signature")
    assert told["sequence"] == 8
    await refused(desk, bus, bus.batch(*pages), "ahead-of-time", now=NOW)
    assert (await bus.send(bus.batch(*pages), now=LATER)).complete


async def test_what_is_older_than_the_desk_is_refused(desk: Desk, bus: FarDesk) -> None:
    bus.lend("b1", "ANN", NOW - hours(2))
    await refused(desk, bus, bus.batch(), "before-registration")


async def test_another_desk_signs_nothing_of_this_one(desk: Desk, bus: FarDesk) -> None:
    other = await FarDesk.open(desk.town, bus.desk.branch_id, NOW - hours(1))
    other.lend("b1", "ANN", NOW)
    stolen = other.batch().model_copy(update={"desk_id": bus.desk.id})
    await refused(desk, bus, stolen, "bad-signature")
    nobody = other.batch().model_copy(update={"desk_id": uuid4()})
    with pytest.raises(NoSuchOfflineDesk):
        await bus.send(nobody, now=LATER)
    with pytest.raises(NoSuchOfflineBatch):
        await bus.uploads.batch(batch_id=uuid4(), actor=LIBRARIAN)


async def test_ids_are_used_once(desk: Desk, bus: FarDesk) -> None:
    batch = lend_all(bus)
    await bus.send(batch, now=LATER)
    bus.notes.tear_out()
    bus.bring("b1", NOW + hours(1))
    again = bus.batch(id=batch.id)
    await refused(desk, bus, again, "batch-changed")
    page = {**bus.notes.pages[0], "id": str(batch.transactions[0].id)}
    before = batch.transactions[-1].signature
    page["signature"] = signed(bus.notes.key, bus.notes.desk_id, page, before)
    await refused(desk, bus, bus.batch(page), "id-used")


async def test_from_a_revoked_desk_nothing_is_taken(desk: Desk, bus: FarDesk) -> None:
    bus.lend("b1", "ANN", NOW)
    await bus.send(now=LATER)
    bus.lend("b2", "ANN", NOW)
    gone = await bus.register.revoke(desk_id=bus.desk.id, actor=ADMIN, now=LATER)
    again = await bus.register.revoke(desk_id=bus.desk.id, actor=ADMIN, now=LATER + hours(1))
    assert gone == again and gone.revoked_at == LATER
    assert (await desk.names()).count("OfflineDeskRevoked") == 1
    await refused(desk, bus, bus.batch(), "revoked")
    with pytest.raises(NoSuchOfflineDesk):
        await bus.register.revoke(desk_id=uuid4(), actor=ADMIN, now=LATER)


async def test_a_desk_that_is_revoked_while_it_sends_is_told_what_was_taken(
    desk: Desk, bus: FarDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    bus.lend("b1", "ANN", NOW)
    bus.lend("b2", "BEN", NOW)
    bus.lend("b3", "ANN", NOW)
    by_card = desk.town.patrons.by_card

    async def meanwhile(*, card_number: str) -> Any:
        if card_number == "BEN":
            await bus.register.revoke(desk_id=bus.desk.id, actor=ADMIN, now=LATER)
        return await by_card(card_number=card_number)

    monkeypatch.setattr(desk.town.patrons, "by_card", meanwhile)
    batch = bus.batch()
    half = await bus.send(batch, now=LATER)
    assert (half.complete, [each.sequence for each in half.results]) == (False, [1])
    assert half == await bus.uploads.batch(batch_id=batch.id, actor=LIBRARIAN)
    before = await stands(desk, bus)
    assert await bus.send(batch, now=LATER + hours(1)) == half
    assert await stands(desk, bus) == before
    await refused(desk, bus, bus.batch(), "revoked")
    await refused(desk, bus, bus.batch(*bus.notes.pages[:2], id=batch.id), "batch-changed")
    await replayed(desk)


async def test_another_desk_sends_what_a_revoked_one_did_not(desk: Desk, bus: FarDesk) -> None:
    bus.lend("b1", "ANN", NOW)
    await bus.send(now=LATER)
    await bus.register.revoke(desk_id=bus.desk.id, actor=ADMIN, now=LATER)
    stranger = await FarDesk.open(desk.town, bus.desk.branch_id, LATER)
    stranger.lend("b2", "BEN", NOW)
    await refused(desk, stranger, stranger.batch(), "before-registration")

    new = await FarDesk.open(desk.town, None, LATER, replaces=bus.desk.id)
    assert (new.desk.branch_id, new.desk.next_sequence) == (bus.desk.branch_id, 1)
    new.lend("b2", "BEN", NOW + timedelta(minutes=1))
    new.lend("b3", "ANN", LATER + hours(1))
    assert await new.sent(now=LATER + hours(1)) == [(True, ()), (True, ())]
    async with desk.town.db.read() as session:
        lent = [row.lent_at for row in await session.rows(select(loan).order_by(loan.c.lent_at))]
    assert lent == [NOW, NOW + timedelta(minutes=1), LATER + hours(1)]
    assert (await desk.names()).count("OfflineDeskRegistered") == 3
    await replayed(desk)

    await new.register.revoke(desk_id=new.desk.id, actor=ADMIN, now=LATER + hours(2))
    third = await FarDesk.open(desk.town, None, LATER + hours(2), replaces=new.desk.id)
    third.lend("b4", "ANN", NOW - hours(1.1))
    await refused(desk, third, third.batch(), "before-registration", now=LATER + hours(3))


async def test_what_is_replaced_was_revoked_and_stood_there(desk: Desk, bus: FarDesk) -> None:
    elsewhere = (await desk.town.branch("north")).id
    before = await stands(desk, bus)

    async def not_registered(field: str, branch_id: Any, replaces: Any) -> None:
        with pytest.raises(Invalid) as told:
            await FarDesk.open(desk.town, branch_id, LATER, replaces=replaces)
        assert [each["pointer"] for each in told.value.extra["errors"]] == [f"#/{field}"]

    await not_registered("replaces", bus.desk.branch_id, uuid4())
    await not_registered("replaces", bus.desk.branch_id, bus.desk.id)
    assert await stands(desk, bus) == before
    await bus.register.revoke(desk_id=bus.desk.id, actor=ADMIN, now=LATER)
    await not_registered("branch_id", elsewhere, bus.desk.id)
    await FarDesk.open(desk.town, bus.desk.branch_id, LATER, replaces=bus.desk.id)


async def test_while_a_neighbour_is_away_the_rest_waits(
    desk: Desk, bus: FarDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    bus.lend("b1", "ANN", NOW)
    bus.lend("b2", "BEN", NOW)
    by_card = desk.town.patrons.by_card

    async def away(*, card_number: str) -> Any:
        if card_number == "BEN":
            raise PeerUnavailable("Accounts does not answer.")
        return await by_card(card_number=card_number)

    monkeypatch.setattr(desk.town.patrons, "by_card", away)
    batch = bus.batch()
    with pytest.raises(PeerUnavailable):
        await bus.send(batch, now=LATER)
    half = await bus.uploads.batch(batch_id=batch.id, actor=LIBRARIAN)
    assert (half.complete, len(half.results)) == (False, 1)
    monkeypatch.undo()
    whole = await bus.send(batch, now=LATER)
    assert whole.complete and whole.results[0] == half.results[0]
    assert [each.recorded for each in whole.results] == [True, True]


# killed


async def send_until_killed(url: str, told: str, when: str) -> None:
    """The whole life of a server: at the fourth transaction it dies."""
    record, seen = Recorder.record, 0

    async def dies(self: Recorder, *arguments: Any) -> Any:
        nonlocal seen
        seen += 1
        if (seen, when) == (4, "between"):
            os.kill(os.getpid(), signal.SIGKILL)
        found = await record(self, *arguments)
        if seen == 4:
            os.kill(os.getpid(), signal.SIGKILL)
        return found

    Recorder.record = dies  # type: ignore[method-assign]
    town = Town(Database(url, [TABLES]))
    batch = NewOfflineBatch.model_validate_json(told)
    await UploadDesk(town.db, town.memory, SECRET).upload(batch=batch, actor=LIBRARIAN, now=LATER)


@pytest.mark.parametrize("when", ["between", "in-the-middle"])
async def test_a_batch_goes_on_where_the_server_was_killed(
    desk: Desk, bus: FarDesk, url: str, when: str
) -> None:
    await desk.town.memory.meet_patron(card="ANN", patron_id=None)
    for barcode in BARCODES:
        await desk.town.memory.meet_copy(barcode=barcode)
    batch = lend_all(bus)
    path = os.pathsep.join([str(ROOT / "src"), str(ROOT)])
    command = [sys.executable, "-m", __name__, url, batch.model_dump_json(), when]
    server = await asyncio.to_thread(
        subprocess.run, command, cwd=ROOT, env={**os.environ, "PYTHONPATH": path}, timeout=60
    )
    assert server.returncode == -signal.SIGKILL
    half = await bus.uploads.batch(batch_id=batch.id, actor=LIBRARIAN)
    assert (half.complete, len(half.results), await count(desk, loan)) == (False, 3, 3)
    whole = await bus.send(batch, now=LATER)
    assert whole.complete and whole.results[:3] == half.results
    assert await count(desk, loan) == len(BARCODES)
    assert (await desk.names()).count("ItemCheckedOut") == len(BARCODES)
    await replayed(desk)


if __name__ == "__main__":
    asyncio.run(send_until_killed(*sys.argv[1:]))
