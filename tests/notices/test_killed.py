"""A worker that is killed between sending a mail and noting that it was sent."""

import asyncio
import os
import signal
import subprocess
import sys
from datetime import datetime
from pathlib import Path

from lendery.contracts.permissions import Actor
from lendery.notices.models import TABLES
from lendery.notices.post_office import PostOffice
from lendery.platform.db import Database
from tests.mail_server import Letter
from tests.notices.conftest import ANN, NOW, Library, Neighbours, settings_of, user
from tests.notices.test_post_office import mails, ready

ROOT = Path(__file__).parents[2]


async def work(url: str, port: int, patron_id: str, now: datetime) -> None:
    """The whole life of the worker: it sends what is due."""
    settings = settings_of(port)
    ann = user(Actor.model_validate({"id": patron_id}), "Ann")
    near = Neighbours(settings, {ann.id: ann})
    db = Database(url, [TABLES])
    await PostOffice(db, near, settings).send_due(now=now)


async def test_what_was_sent_and_not_noted_goes_out_once_more_as_the_same_mail(
    library: Library, url: str
) -> None:
    for _ in range(3):
        await ready(library)
    worker: list[subprocess.Popen[bytes]] = []

    def kill_at_the_second(letter: Letter) -> None:
        """The server has it and has not answered; the worker will never know."""
        if len(library.server.letters) == 2:
            os.kill(worker[0].pid, signal.SIGKILL)
            worker[0].wait(30)

    library.server.taken = kill_at_the_second
    command = [sys.executable, "-m", __name__, url, str(library.server.port), str(ANN.id)]
    worker.append(subprocess.Popen(command, cwd=ROOT, env={**os.environ, "PYTHONPATH": _path()}))
    await asyncio.to_thread(worker[0].wait, 60)
    assert worker[0].returncode == -signal.SIGKILL
    library.server.taken = None
    first, second = (each.id for each in library.server.letters)
    states = {each.message_id: each.state for each in await mails(library)}
    assert (states[first], states[second]) == ("sent", "queued")

    lease = PostOffice(library.db, library.near, library.settings).lease
    assert await library.sends(NOW + lease / 2) == 0, "they may be in its hands still"
    assert await library.sends(NOW + lease * 2) == 2
    assert await library.sends(NOW + lease * 9) == 0
    sent = [each.id for each in library.server.letters]
    assert sorted(sent.count(each) for each in set(sent)) == [1, 1, 2]
    assert sent.count(second) == 2
    again, before = (each for each in library.server.letters if each.id == second)
    assert again.text == before.text and again.message["Subject"] == before.message["Subject"]
    assert {each.state for each in await mails(library)} == {"sent"}


def _path() -> str:
    return os.pathsep.join([str(ROOT / "src"), str(ROOT)])


if __name__ == "__main__":
    asyncio.run(work(sys.argv[1], int(sys.argv[2]), sys.argv[3], NOW))
