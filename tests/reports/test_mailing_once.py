"""A report is mailed once for each period, whoever is killed or away meanwhile."""

import asyncio
import os
import signal
import subprocess
import sys
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest

from lendery.contracts.base import PeerUnavailable
from lendery.contracts.notices import ReportMail
from lendery.notices.jobs import send_mail
from tests.mail_server import Letter
from tests.reports.mailed import SIX, Mailed, table_of, wired

ROOT = Path(__file__).parents[2]
A_MINUTE = timedelta(minutes=1)


async def sends(url: str, port: int) -> None:
    """The whole life of a worker that makes what is due and mails it."""
    wiring = wired(url, port)
    await wiring.mailer.send_due(now=SIX)
    await send_mail(wiring, SIX)


async def gives(url: str, port: int) -> None:
    """That of one that is killed when notices has the report and it cannot know."""
    wiring = wired(url, port)
    documents = wiring.documents

    class Deadly:
        async def send(self, *, mail: ReportMail, now: datetime) -> UUID | None:
            await documents.send(mail=mail, now=now)
            os.kill(os.getpid(), signal.SIGKILL)
            return None

    await replace(wiring.mailer, documents=Deadly()).send_due(now=SIX)


async def test_killed_between_giving_and_moving_on_it_is_mailed_once(
    mailed: Mailed, url: str
) -> None:
    await mailed.subscribe(mailed.staff["Lea"])
    await mailed.wiring.relay.drain()
    for _ in range(2):
        worker = begin("gives", url, mailed.server.port)
        assert await asyncio.to_thread(worker.wait, 120) == -signal.SIGKILL
    (letter,) = await mailed.at(SIX + A_MINUTE)
    assert table_of(letter) == [["2026-01-05", "1", "0", "0"]]
    assert await mailed.at(SIX + 2 * A_MINUTE) == []


async def test_killed_between_sending_and_noting_it_comes_again_as_the_same_mail(
    mailed: Mailed, url: str
) -> None:
    await mailed.subscribe(mailed.staff["Lea"])
    await mailed.wiring.relay.drain()
    worker: list[subprocess.Popen[bytes]] = []

    def kill(letter: Letter) -> None:
        """The server has it and has not answered."""
        worker[0].kill()
        worker[0].wait(30)

    mailed.server.taken = kill
    worker.append(begin("sends", url, mailed.server.port))
    assert await asyncio.to_thread(worker[0].wait, 120) == -signal.SIGKILL
    mailed.server.taken = None
    assert await mailed.at(SIX + A_MINUTE) == [], "it may be in its hands still"
    (again,) = await mailed.at(SIX + timedelta(hours=1))
    (first, _) = mailed.server.letters
    assert again.id == first.id
    assert table_of(again) == table_of(first) == [["2026-01-05", "1", "0", "0"]]
    assert await mailed.at(SIX + timedelta(hours=2)) == []


def begin(what: str, url: str, port: int) -> "subprocess.Popen[bytes]":
    path = os.pathsep.join([str(ROOT / "src"), str(ROOT)])
    command = [sys.executable, "-m", __name__, what, url, str(port)]
    return subprocess.Popen(command, cwd=ROOT, env={**os.environ, "PYTHONPATH": path})


async def test_one_that_fails_stops_no_other_and_is_tried_again(mailed: Mailed) -> None:
    first = await mailed.subscribe(mailed.staff["Lea"])
    await mailed.subscribe(await mailed.hire("Leo"))
    documents = mailed.wiring.documents

    class Away:
        async def send(self, *, mail: ReportMail, now: datetime) -> UUID | None:
            if mail.about == first.id:
                raise PeerUnavailable("No answer.")
            return await documents.send(mail=mail, now=now)

    await mailed.wiring.relay.drain()
    with pytest.raises(PeerUnavailable):
        await replace(mailed.wiring.mailer, documents=Away()).send_due(now=SIX)
    assert {each.to for each in await mailed.at(SIX + A_MINUTE)} == {
        "lea@staff.test", "leo@staff.test",
    }  # fmt: skip
    assert await mailed.at(SIX + 2 * A_MINUTE) == []


async def test_what_was_sent_is_not_sent_again_at_another_hour(mailed: Mailed) -> None:
    lea = mailed.staff["Lea"]
    made = await mailed.subscribe(lea)
    assert len(await mailed.at(SIX)) == 1
    await mailed.wiring.subscriptions.change(
        subscription_id=made.id, changes={"hour": 18}, actor=lea, now=SIX
    )
    assert await mailed.at(SIX + timedelta(hours=12)) == []
    assert len(await mailed.at(SIX + timedelta(hours=36))) == 1


if __name__ == "__main__":
    asyncio.run({"gives": gives, "sends": sends}[sys.argv[1]](sys.argv[2], int(sys.argv[3])))
