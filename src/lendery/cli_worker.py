"""`lendery worker` and `lendery beat`: jobs on Celery."""

from enum import StrEnum
from typing import Annotated

import typer

from lendery.platform.settings import Settings

working = typer.Typer()


class Kind(StrEnum):
    """Of work, each with a queue of its own."""

    DEFAULT = "default"
    LONG = "long"


@working.command()
def worker(
    context: Annotated[
        list[str] | None,
        typer.Option(help="Do only the jobs of this part (repeat for several)."),
    ] = None,
    queue: Annotated[
        list[Kind] | None,
        typer.Option(help="Do only this kind of work (repeat for several)."),
    ] = None,
    at_once: Annotated[int, typer.Option(min=1, max=64, help="So many jobs at once.")] = 2,
) -> None:
    """Do the library's jobs, as Celery's worker. Needs LENDERY_CELERY_BROKER.

    Set it to redis://host:6379/1 or amqp://user:password@host:5672/name for the
    processes that serve, for `lendery beat` and for each worker. Those that serve
    then leave jobs to the workers. All need the same database, and the same
    LENDERY_IMPORT_FOLDER.

    Jobs come in two queues for each part: `default` for what is done by the clock,
    and `long` for imports, exports and backups. Two workers, so that neither waits
    for the other:

        lendery worker --queue default
        lendery worker --queue long --at-once 1

    A job that is killed half-way is taken up by another worker when it has been
    silent for LENDERY_JOB_LEASE_SECONDS and half as long again. SIGTERM stops
    cleanly: what runs has three seconds to end, and is then given back.
    """
    chosen = _settings()
    here = _contexts(chosen, context or [])
    from lendery.workers import worker as workers

    raise typer.Exit(workers.run(chosen, here, queue or list(Kind), at_once))


@working.command()
def beat() -> None:
    """Ring for jobs that are due. Needs LENDERY_CELERY_BROKER, and `lendery worker`.

    It looks into the database every five seconds, and sooner when something is
    due. Two may run, in case one dies: each job is still done once, because the
    database decides who does it. When none runs, jobs wait; each is then done
    once, not once for every time that was missed.

        lendery beat &
        lendery worker
    """
    chosen = _settings()
    _contexts(chosen, [])
    from lendery.workers import beat as beats

    beats.run(chosen)


def _settings() -> Settings:
    from lendery.cli import console, settings
    from lendery.platform import logging

    chosen = settings()
    if chosen.celery_broker is None:
        console.print(
            "[red]LENDERY_CELERY_BROKER is not set.[/] Without it jobs run by themselves."
        )
        raise typer.Exit(2)
    logging.set_up(chosen)
    return chosen


def _contexts(chosen: Settings, wanted: list[str]) -> list[str]:
    """Those whose jobs are done here. Ends the program where their tables do not fit."""
    import asyncio

    from lendery.cli import console
    from lendery.platform.schema import states
    from lendery.wiring import wire

    async def look() -> tuple[list[str], list[str]]:
        wiring = wire(chosen)
        try:
            found = await states(wiring.db, wiring.here)
            return wiring.here, [each.objection for each in found if each.objection]
        finally:
            await wiring.close()

    here, found = asyncio.run(look())
    found += [
        f"{each} does not run here, see LENDERY_CONTEXTS." for each in wanted if each not in here
    ]
    if not here:
        found.append("There are no jobs in these parts, see LENDERY_CONTEXTS.")
    for objection in found:
        console.print(f"[red]{objection}[/]")
    if found:
        raise typer.Exit(1)
    return wanted or here
