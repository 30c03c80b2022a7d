"""The command line: `lendery --help` teaches it."""

import asyncio
import os
import shutil
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from pydantic import ValidationError
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bars

from lendery.cli_backup import backups
from lendery.cli_events import events
from lendery.cli_generate import generating
from lendery.cli_holds import holds
from lendery.cli_import import bulk
from lendery.cli_privacy import privacy
from lendery.cli_reports import reports
from lendery.cli_rules import rules
from lendery.cli_search import search
from lendery.cli_seed import seeding
from lendery.cli_worker import working
from lendery.contracts.base import Problem
from lendery.platform.settings import CONTEXTS, Settings

app = typer.Typer(
    help="Lendery: a library management system.\n\n"
    "Settings come from environment variables (LENDERY_DATABASE_URL, LENDERY_PORT ...).",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
users = typer.Typer(help="People who may sign in.", no_args_is_help=True)
app.add_typer(users, name="users")
app.add_typer(events, name="events")
app.add_typer(rules, name="rules")
app.add_typer(privacy, name="privacy")
app.add_typer(holds, name="holds")
app.add_typer(backups)  # at the top level
app.add_typer(generating)
app.add_typer(seeding)
app.add_typer(search)
app.add_typer(bulk)
app.add_typer(working)
app.add_typer(reports)
console = Console(stderr=True)


def settings(**but: Any) -> Settings:
    """The settings of the environment; a wrong one is named and the program ends."""
    try:
        return Settings(**but)
    except ValidationError as error:
        for each in error.errors():
            name = "_".join(str(part) for part in each["loc"]).upper()
            message = str(each["msg"]).removeprefix("Value error, ")
            console.print(f"[red]Setting {name and 'LENDERY_' + name}[/]: {message}")
        raise typer.Exit(2) from None


@app.command()
def serve(
    context: Annotated[
        list[str] | None,
        typer.Option(help="Serve only this part (repeat for several); default: all of them."),
    ] = None,
    host: Annotated[str | None, typer.Option(help="Address to listen on.")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on.")] = None,
    workers: Annotated[int | None, typer.Option(help="Worker processes.")] = None,
) -> None:
    """Serve the library: the API, and the pages at /."""
    for name, value in (
        ("LENDERY_CONTEXTS", ",".join(context or [])),
        ("LENDERY_HOST", host),
        ("LENDERY_PORT", port),
        ("LENDERY_WORKERS", workers),
    ):
        if value:
            os.environ[name] = str(value)  # worker processes read it from there
    chosen = settings()
    demo = _prepare(chosen)
    if chosen.demo or demo:
        print_log_ins(chosen)
    _uvicorn(chosen)


SERVED = "lendery.main:app_from_environment"


def _uvicorn(chosen: Settings) -> None:
    import uvicorn

    options: dict[str, Any] = {
        "factory": True,
        "host": chosen.host,
        "port": chosen.port,
        "loop": "uvloop" if sys.platform != "win32" else "asyncio",
        "http": "httptools",
        "log_level": "warning",
        "access_log": False,
        "server_header": False,
        "date_header": True,
        "timeout_keep_alive": 15,
        "timeout_graceful_shutdown": 10,
        "log_config": None,
        "forwarded_allow_ips": "",
        "proxy_headers": False,
    }
    if chosen.workers == 1:
        uvicorn.run(SERVED, **options)
        return
    from lendery.platform.http.workers import serve_by_workers

    raise typer.Exit(serve_by_workers(uvicorn.Config(SERVED, workers=chosen.workers, **options)))


def _prepare(chosen: Settings) -> bool:
    """Ends the program where the tables do not fit. Returns whether this is the demo library.

    A new SQLite file gets its tables at once; any other database only what `migrate` gave it.
    """
    from lendery.main import TABLES, is_new, objections, wire

    async def look() -> tuple[list[str], bool]:
        wiring = wire(chosen)
        if chosen.sqlite and await is_new(wiring):
            from lendery.platform import migrate as schema

            here = [context for context in CONTEXTS if context in TABLES]
            await asyncio.to_thread(schema.run, chosen.database_url, here)
        found = await objections(wiring)
        demo = not found and "accounts" in chosen.contexts and await _is_demo(wiring)
        await wiring.close()
        return found, demo

    found, demo = asyncio.run(look())
    for objection in found:
        console.print(f"[red]{objection}[/]")
    if found:
        raise typer.Exit(1)
    return demo


async def _is_demo(wiring: Any) -> bool:
    """Does the demo's librarian exist here?"""
    from lendery.contracts.accounts import UserFilter
    from lendery.contracts.base import Window
    from lendery.contracts.permissions import SYSTEM
    from lendery.demo.log_ins import LOG_INS

    like = UserFilter(q=LOG_INS[1])
    return bool((await wiring.users.find(like=like, window=Window(limit=1), actor=SYSTEM)).items)


@app.command()
def migrate() -> None:
    """Bring the database's tables up to date. Doing it again changes nothing."""
    from lendery.main import TABLES
    from lendery.platform import migrate as schema

    chosen = settings()
    here = [context for context in CONTEXTS if context in chosen.contexts and context in TABLES]
    for state in schema.run(chosen.database_url, here):
        print(f"{state.context}: revision {state.revision:04d}")


@app.command()
def demo(
    if_missing: Annotated[
        bool, typer.Option("--if-missing", help="Do nothing when there is a library already.")
    ] = False,
    books: Annotated[int | None, typer.Option(min=50, help="So many titles; default: all.")] = None,
    copies: Annotated[
        int | None, typer.Option(min=50, help="So many copies; default: 45,000 of all titles.")
    ] = None,
    readers: Annotated[int, typer.Option(min=20, help="So many readers.")] = 800,
    days: Annotated[int, typer.Option(min=1, help="Days of lending.")] = 730,
    seed: Annotated[int | None, typer.Option(help="Another seed, another library.")] = None,
) -> None:
    """Build the demo library: real titles, invented readers, two years of lending."""
    from lendery.demo.build import SEED
    from lendery.demo.place import taken

    chosen = settings()
    if chosen.environment == "production":
        console.print("[red]The demo library's passwords are public.[/] Not in production.")
        raise typer.Exit(1)
    if already := taken(chosen):
        if if_missing:
            return
        console.print(f"[red]{already}[/] Nothing was changed.")
        raise typer.Exit(1)
    options = {"books": books, "copies": copies, "readers": readers, "days": days}
    final = chosen.sqlite_file
    if final is None:
        _build_demo(chosen, seed=seed or SEED, **options)
        return
    # Built beside its place and moved there when it is whole: a half-built library is never seen.
    unfinished = final.with_name(final.name + ".building")
    _remove_sqlite(unfinished)
    _build_demo(
        chosen.model_copy(update={"database_url": f"sqlite:///{unfinished}"}),
        seed=seed or SEED,
        **options,
    )
    _remove_sqlite(final)
    shutil.move(unfinished, final)


def _build_demo(chosen: Settings, *, seed: int, **options: Any) -> None:
    from lendery.demo.build import DemoLibrary
    from lendery.main import TABLES, wire
    from lendery.platform import migrate as schema

    schema.run(chosen.database_url, [c for c in CONTEXTS if c in TABLES])

    async def build() -> Any:
        wiring = wire(chosen, durable=False)
        with bars() as shown:
            today = datetime.now(UTC).date()
            library = DemoLibrary(wiring, Steps(shown), today, seed=seed, **options)
            built = await library.build()
        await wiring.db.tidy()
        await wiring.close()
        return built

    built = asyncio.run(build())
    console.print(
        f"A library of {built.books:,} books, {built.copies:,} copies, {built.readers:,} readers, "
        f"{built.loans:,} loans, {built.holds:,} holds and {built.reviews:,} reviews."
    )


def bars() -> Bars:
    """Progress bars on the terminal; plain lines when there is none."""
    return Bars(
        TextColumn("{task.description:<22}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=console,
    )


class Steps:
    """Shows how far the demo library has come, a bar for each part."""

    def __init__(self, bars: Bars) -> None:
        self.bars = bars
        self.task: Any = None

    def start(self, what: str, total: int) -> None:
        self.task = self.bars.add_task(what, total=total)

    def advance(self, steps: int) -> None:
        self.bars.advance(self.task, steps)


def _remove_sqlite(path: Path) -> None:
    for suffix in ("", "-wal", "-shm"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)


def print_log_ins(chosen: Settings) -> None:
    from lendery.demo.log_ins import LOG_INS, PASSWORD

    address = f"http://{chosen.host}:{chosen.port}"
    print(f"\nLendery is at {address}  (pages at /, staff at /staff, API at /docs)")
    print(f"Demo log-ins: {', '.join(LOG_INS)}, password {PASSWORD}\n", flush=True)


@app.command()
def stage(
    number: Annotated[int, typer.Argument(min=1, max=7, help="1 to 7; see stages/.")],
) -> None:
    """Start one of the stages that tell how Lendery grows."""
    from lendery import stages

    stages.start(number)


@users.command("create")
def create_user(
    email: Annotated[str, typer.Argument(help="What the person signs in with.")],
    name: Annotated[str, typer.Option(prompt=True)],
    role: Annotated[str, typer.Option(help="reader, librarian or admin")] = "reader",
    password: Annotated[
        str | None, typer.Option(envvar="LENDERY_NEW_PASSWORD", help="Asked for when left out.")
    ] = None,
) -> None:
    """Make an account; the way to the first administrator."""
    from lendery.contracts.accounts import NewUser
    from lendery.main import wire

    chosen = settings()
    _prepare(chosen)
    secret = password or typer.prompt("Password", hide_input=True, confirmation_prompt=True)

    async def create() -> Any:
        from lendery.contracts.permissions import SYSTEM

        wiring = wire(chosen)
        person = NewUser(email=email, name=name, role=role, password=secret)  # type: ignore[arg-type]
        made = await wiring.users.add(person=person, actor=SYSTEM, now=datetime.now(UTC))
        await wiring.close()
        return made

    try:
        made = asyncio.run(create())
    except Problem as problem:
        console.print(f"[red]{problem.detail}[/]")
        raise typer.Exit(1) from None
    except ValidationError as error:
        for each in error.errors():
            console.print(f"[red]{each['loc'][0]}[/]: {each['msg']}")
        raise typer.Exit(2) from None
    print(f"{made.role} {made.email}, card {made.card_number}")


def main() -> None:
    app()
