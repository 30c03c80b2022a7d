"""Whether what readers were told of waiting came true: judged by a past that is known."""

import asyncio
from datetime import UTC, datetime
from pathlib import Path

import pytest
from tests.circulation.past_holds import DAY, past
from tests.circulation.town import NOW, Town
from typer.testing import CliRunner

from lendery.circulation.models import TABLES
from lendery.circulation.waiting_times import replay
from lendery.cli import app
from lendery.parts import TABLES as PARTS
from lendery.platform import migrate
from lendery.platform.db import Database
from lendery.platform.settings import CONTEXTS


class Watched:
    def __init__(self) -> None:
        self.total, self.done = 0, 0

    def start(self, what: str, total: int) -> None:
        self.total = total

    def advance(self, steps: int) -> None:
        self.done += steps


async def a_month(town: Town) -> None:
    """One hold a day at noon. Odd days wait 4 days, even ones 6; the last three end otherwise.

    Twenty were served before the 26th day begins, and nineteen before the 25th. So the 26th is the
    first that gets a range: 4 to 6 days. The 26th and 27th come true, the 28th waits for 9 days,
    the 29th gives up after 9 days: that is a miss too. The 30th gives up after 2: not decided.
    """
    for day in range(1, 31):
        noon = datetime(2025, 1, 1, 12, tzinfo=UTC) + day * DAY
        waited, but = (4 if day % 2 else 6), {}
        if day >= 28:
            waited = {28: 9, 29: 9, 30: 2}[day]
            but = {} if day == 28 else {"state": "cancelled", "ready_at": None}
        await past(town, noon, waited, **but)


async def test_a_replay_judges_each_hold_by_what_was_known_before_it(town: Town) -> None:
    await a_month(town)
    watched = Watched()
    found = await replay(town.db, now=NOW, watcher=watched)
    assert [each.holds for each in found] == [0, 30, 0, 0, 0, 0]
    one = found[1]
    assert (one.ranges, one.decided, one.held, one.widths) == (5, 4, 2, [2] * 5)
    assert (one.width, one.share_held) == (2, 0.5)
    assert (found[0].width, found[0].share_held) == (None, None)
    assert (watched.total, watched.done) == (30, 30)


def test_the_command_prints_what_the_replay_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = f"sqlite:///{tmp_path}/library.db"
    monkeypatch.setenv("LENDERY_DATABASE_URL", url)
    command = ["holds", "waiting-times"]
    none = CliRunner().invoke(app, command)
    assert (none.exit_code, none.stdout) == (2, "") and "There is no library" in none.stderr
    migrate.run(url, [context for context in CONTEXTS if context in PARTS])

    async def fill() -> None:
        db = Database(url, [TABLES])
        await a_month(Town(db))
        await db.close()

    asyncio.run(fill())
    nothing = "{:<10}        0        0        0            -       -"
    assert CliRunner().invoke(app, command).stdout.splitlines() == [
        "turns         holds   ranges  decided  median days    held",
        nothing.format("up to 0.5"),
        "up to 1          30        5        4            2     50%",
        *(nothing.format(name) for name in ("up to 2", "up to 3", "up to 5", "more")),
    ]
