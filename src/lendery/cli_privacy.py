"""The commands about what is known of people: retention, export, erasure, look-ups."""

import asyncio
import os
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, NoReturn
from uuid import UUID

import typer
from rich.console import Console
from rich.table import Table

from lendery.contracts.base import Problem, Window
from lendery.contracts.permissions import SYSTEM
from lendery.contracts.privacy import Erasure

privacy = typer.Typer(help="What is known about people, and its end.", no_args_is_help=True)
Who = Annotated[str, typer.Argument(metavar="PERSON", help="A card number or an id.")]
MOST = 100


@privacy.command("retention")
def retention(
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only say what would go; nothing is changed.")
    ] = False,
) -> None:
    """Delete or cut off what is older than its limit (LENDERY_HISTORY_DAYS and others).

    The library does it each night. A dry run prints the same table.
    """
    from lendery.cli import bars
    from lendery.parts import LIMITS
    from lendery.platform.retention import enforce

    async def run(wiring: Any) -> Any:
        here = {context: LIMITS[context] for context in wiring.here}
        with bars() as shown:
            task = shown.add_task("would go" if dry_run else "rows", total=None)

            def step(rows: int) -> None:
                shown.advance(task, rows)

            past = await enforce(wiring, here, datetime.now(UTC), dry_run=dry_run, step=step)
        if not dry_run and any(each.rows for each in past):
            await wiring.db.overwrite()
        return past

    table = Table("context", "what", "older than, days", "would be" if dry_run else "were", "rows")
    past = _with_wiring(run)
    for each in past:
        table.add_row(each.context, each.what, str(each.days), each.fate, f"{each.rows:,}")
    Console().print(table)
    total = sum(each.rows for each in past)
    print(f"{total:,} rows {'would go. Nothing was changed.' if dry_run else 'went.'}")


@privacy.command("export")
def export(
    who: Who,
    out: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Default: the terminal. *.zip has CSV too.")
    ] = None,
) -> None:
    """Write all that is held about a person, as JSON or into a zip file."""
    from lendery.accounts.routes.privacy import zipped

    async def run(wiring: Any) -> Any:
        found = await _person(wiring, who)
        return await wiring.privacy.export(user_id=found, actor=SYSTEM, now=datetime.now(UTC))

    made = _with_wiring(run)
    if out is None:
        print(made.model_dump_json(indent=2))
    elif out.suffix == ".zip":
        _write(out, zipped(made))
    else:
        _write(out, made.model_dump_json(indent=2).encode())


@privacy.command("erase")
def erase(
    who: Who, yes: Annotated[bool, typer.Option("--yes", help="Do not ask whether to.")] = False
) -> None:
    """Erase a person in all parts of the library. Run again, it says how far it is.

    Refused while they have loans or owe money. Exit code 3 while a part is still pending.
    """
    if not yes:
        typer.confirm("Erase this person? It cannot be undone.", abort=True)

    async def run(wiring: Any) -> Any:
        found, now = await _person(wiring, who), datetime.now(UTC)
        done = await wiring.privacy.erase(user_id=found, actor=SYSTEM, now=now)
        if "accounts" in wiring.here:
            await wiring.relay.drain()
        await wiring.privacy.finish(now=datetime.now(UTC))
        done = await wiring.privacy.erasure(user_id=found, actor=SYSTEM)
        await wiring.db.overwrite()
        return done

    done = _with_wiring(run)
    _show(done)
    if done.state != "done":
        raise typer.Exit(3)


@privacy.command("lookups")
def lookups(who: Who) -> None:
    """List which staff looked at a person, the newest first."""

    async def run(wiring: Any) -> Any:
        found = await _person(wiring, who)
        return await wiring.privacy.lookups(user_id=found, actor=SYSTEM, window=Window(limit=MOST))

    page = _with_wiring(run)
    table = Table("at", "by", "looked at", "why")
    for each in page.items:
        table.add_row(f"{each.at:%Y-%m-%d %H:%M}", str(each.by), each.what, each.why or "")
    Console().print(table)


def _write(out: Path, content: bytes) -> None:
    """For whoever ran the command and nobody else. What is there already is left alone."""
    try:
        with os.fdopen(os.open(out, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "wb") as file:
            file.write(content)
    except FileExistsError:
        _end(f"{out} is there already. Nothing was written: give another name.")
    except OSError as error:
        _end(f"{out} cannot be written: {error.strerror}.")


def _show(done: Erasure) -> None:
    table = Table("context", "state", "what", "there were", "left", "so they", "why")
    for part in done.parts:
        left = {each.what: each.rows for each in part.left}
        kinds = {each.what: each for each in [*part.left, *(part.held or [])]}
        table.add_row(part.context, part.state)
        for what, each in kinds.items():
            here = str(left.get(what, 0))
            table.add_row("", "", what, str(each.rows), here, f"are {each.fate}", each.why or "")
    Console().print(table)
    print(f"{done.user_id}: {done.state}")


async def _person(wiring: Any, who: str) -> UUID:
    try:
        return UUID(who)
    except ValueError:
        found = await wiring.users.by_card(card_number=who, actor=SYSTEM)
        return UUID(str(found.id))


def _with_wiring(run: Callable[[Any], Awaitable[Any]]) -> Any:
    from lendery.cli import settings
    from lendery.main import objections, wire

    wiring = wire(settings())

    async def whole() -> Any:
        try:
            if found := await objections(wiring):
                _end(*found)
            return await run(wiring)
        except Problem as problem:
            _end(problem.detail)
        finally:
            await wiring.close()

    return asyncio.run(whole())


def _end(*said: str) -> NoReturn:
    from lendery.cli import console

    for each in said:
        console.print(f"[red]{each}[/]")
    raise typer.Exit(1)
