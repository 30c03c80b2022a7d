"""The commands about the log: what failed, whether it is untouched, and whether it tells all."""

import asyncio
import time
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer
from rich.console import Console
from rich.table import Table

events = typer.Typer(help="The log of what happened, and its delivery.", no_args_is_help=True)


@events.command("failed")
def failed_events() -> None:
    """List the events that were parked after failing too often."""
    from lendery.main import wire

    chosen = _library()

    async def look() -> Any:
        wiring = wire(chosen)
        parked = await wiring.relay.parked()
        await wiring.close()
        return parked

    parked = asyncio.run(look())
    if not parked:
        print("No failed events.")
        return
    table = Table("seq", "event", "at", "tries", "why")
    for _, row in parked:
        table.add_row(
            str(row.seq), row.name, f"{row.at:%Y-%m-%d %H:%M}", str(row.attempts), row.error
        )
    Console().print(table)


@events.command("retry")
def retry_events() -> None:
    """Try the failed events again."""
    from lendery.main import wire

    chosen = _library()

    async def revive() -> int:
        wiring = wire(chosen)
        count = await wiring.relay.revive()
        await wiring.close()
        return count

    print(f"{asyncio.run(revive())} events will be tried again.")


@events.command("verify")
def verify_events(
    against: Annotated[
        list[str] | None,
        typer.Option(
            metavar="HEAD", help="A head that was noted earlier, context:number:hash; repeatable."
        ),
    ] = None,
) -> None:
    """Check that nobody changed the log of what happened. Exit code 1 when somebody did."""
    from lendery.cli import bars, console
    from lendery.main import TABLES, objections, wire
    from lendery.platform.audit import audit

    wiring = wire(_library())
    noted = _noted(against or [], wiring.here)

    async def check() -> Any:
        try:
            if found := await objections(wiring):
                console.print(*found, sep="\n")
                raise typer.Exit(2)
            with bars() as shown:

                def watch(context: str, events: int) -> Any:
                    task = shown.add_task(context, total=events)
                    return lambda more: shown.advance(task, more)

                tables = [TABLES[context] for context in wiring.here]
                return await audit(wiring.db, tables, noted=noted, watch=watch)
        finally:
            await wiring.close()

    reports = asyncio.run(check())
    for report in reports:
        _tell(report)
    if not all(report.intact for report in reports):
        raise typer.Exit(1)


def _noted(against: list[str], here: list[str]) -> list[Any]:
    from lendery.platform.audit import Head

    try:
        heads = [Head.read(text) for text in against]
    except ValueError:
        raise typer.BadParameter("A head looks like circulation:417:3f2a...") from None
    for head in heads:
        if head.context not in here:
            raise typer.BadParameter(f"There is no log of {head.context} here.")
    return heads


def _tell(report: Any) -> None:
    """In lines that can be kept: the head is what to note elsewhere."""
    says = "intact" if report.intact else f"NOT INTACT, {_so_many(report.found, 'finding')}"
    held = f"{_so_many(report.events, 'event')} in {_so_many(report.seals, 'seal')}"
    waiting = report.waiting + report.parked
    print(f"{report.context}: {says}: {held}, {waiting} not yet sealed ({report.parked} parked)")
    if report.unsealed:
        print(f"  {report.unsealed} were delivered before there was a chain; serving seals them")
    if report.late:
        print(f"  {report.late} were sealed late, the last on {report.late_at[:16]}")
    for finding in report.named:
        print(f"  {finding}")
    if report.found > len(report.named):
        print(f"  and {report.found - len(report.named)} more")
    if report.head:
        print(f"  head {report.head}")


def _so_many(count: int, what: str) -> str:
    return f"{count:,} {what}{'' if count == 1 else 's'}"


@events.command("replay")
def replay_events(
    verify: Annotated[
        bool, typer.Option("--verify", help="Compare with the tables. Exit code 1 if they differ.")
    ] = False,
    into: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Keep what was rebuilt, as a SQLite file.")
    ] = None,
) -> None:
    """Rebuild loans, holds and balances from circulation's log alone, read from its beginning."""
    from lendery.circulation.replay import replay
    from lendery.cli import Steps, bars, console
    from lendery.main import objections, wire

    chosen = _library()
    if into is not None and into.exists():
        _refuse(f"There is a file {into} already. Nothing was replayed.")
    wiring = wire(chosen)
    if "circulation" not in wiring.here:
        _refuse("Circulation does not run here (LENDERY_CONTEXTS), so its log is elsewhere.")

    async def run() -> Any:
        try:
            if found := await objections(wiring):
                console.print(*found, sep="\n")
                raise typer.Exit(2)
            with bars() as shown:
                return await replay(wiring.db, verify=verify, into=into, progress=Steps(shown))
        finally:
            await wiring.close()

    began = time.monotonic()
    report = asyncio.run(run())
    _tell_replay(report, seconds=time.monotonic() - began, verify=verify, into=into)
    if report.found:
        raise typer.Exit(1)


def _library() -> Any:
    """The settings of a library that is there: looking makes no file that looks like one."""
    from lendery.cli import settings

    chosen = settings()
    if chosen.sqlite_file and not chosen.sqlite_file.exists():
        _refuse(f"There is no library at {chosen.sqlite_file}.")
    return chosen


def _refuse(says: str) -> NoReturn:
    from lendery.cli import console

    console.print(says, style="red", soft_wrap=True)
    raise typer.Exit(2)


def _tell_replay(report: Any, *, seconds: float, verify: bool, into: Path | None) -> None:
    speed = report.events / max(seconds, 0.001)
    loans, holds, lines, suspensions, sessions = report.rows.values()
    print(
        f"{_so_many(report.events, 'event')} in {seconds:,.1f} s, {speed:,.0f} a second: "
        f"{_so_many(loans, 'loan')}, {_so_many(holds, 'hold')}, {_so_many(lines, 'ledger line')}, "
        f"{_so_many(suspensions, 'suspension')}, {_so_many(sessions, 'cash session')}"
    )
    for kind, count in sorted(report.unknown.items()):
        print(f"  {_so_many(count, 'event')} of a kind that this Lendery does not know: {kind}")
    for column, count in sorted(report.untold.items()):
        print(f"  told too little by an older Lendery, not compared: {column} of {count:,}")
    for difference in report.named:
        print(f"  {difference}")
    if report.found > len(report.named):
        print(f"  and {report.found - len(report.named):,} more")
    if verify:
        compared = _so_many(sum(report.compared.values()), "row")
        balances = _so_many(report.balances, "patron")
        says = _so_many(report.found, "difference") if report.found else "no difference"
        print(f"compared {compared} and the balances of {balances}: {says}")
    if into is not None:
        print(f"kept in {into}")
