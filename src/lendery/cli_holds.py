"""The commands about holds: whether what readers are told of waiting came true."""

import asyncio
from datetime import UTC, datetime
from typing import Any, NoReturn

import typer

holds = typer.Typer(help="Who waits for what.", no_args_is_help=True)


@holds.command("waiting-times")
def waiting_times() -> None:
    """Judge the ranges of waiting times by this library's own past.

    Every hold there was gets the range that its reader would have been told, from what was known on
    the day it was placed. `held` is how often a copy was ready within it; it should be about 80 %.
    Who gave up, or waits, before the end of the range is not decided; beyond the end it is a miss.
    """
    from lendery.cli import Steps, bars
    from lendery.main import wire

    chosen = _library()

    async def judge() -> Any:
        from lendery.circulation.waiting_times import replay
        from lendery.main import objections

        wiring = wire(chosen)
        try:
            if found := await objections(wiring):
                _refuse("\n".join(found))
            with bars() as shown:
                return await replay(wiring.db, now=datetime.now(UTC), watcher=Steps(shown))
        finally:
            await wiring.close()

    print(f"{'turns':<10}{'holds':>9}{'ranges':>9}{'decided':>9}{'median days':>13}{'held':>8}")
    for name, found in zip(_names(), asyncio.run(judge()), strict=True):
        width = "-" if found.width is None else f"{found.width:g}"
        share = "-" if found.share_held is None else f"{found.share_held:.0%}"
        print(
            f"{name:<10}{found.holds:>9,}{found.ranges:>9,}{found.decided:>9,}{width:>13}{share:>8}"
        )


def _names() -> list[str]:
    from lendery.circulation.rules import BUCKETS

    return [*(f"up to {turns:g}" for turns in BUCKETS), "more"]


def _library() -> Any:
    """The settings of a library that is there: looking makes no file that looks like one."""
    from lendery.cli import settings

    chosen = settings()
    if "circulation" not in chosen.contexts:
        _refuse("Holds are with circulation. Run this where circulation runs.")
    if chosen.sqlite_file and not chosen.sqlite_file.exists():
        _refuse(f"There is no library at {chosen.sqlite_file}.")
    return chosen


def _refuse(says: str) -> NoReturn:
    from lendery.cli import console

    console.print(says, style="red", soft_wrap=True)
    raise typer.Exit(2)
