"""The commands about reports: one of them into a file, and all that they count anew."""

import asyncio
import sys
import time
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Annotated, Any, NoReturn, cast, get_args

import typer

from lendery.contracts.base import Problem, Window
from lendery.contracts.permissions import SYSTEM
from lendery.contracts.reports import Asked, Form, ReportName

NAMES = get_args(ReportName)
reports = typer.Typer()
counts = typer.Typer(help="What the reports count.", no_args_is_help=True)
reports.add_typer(counts, name="reports")


@reports.command(
    "report",
    help="Write a report to the terminal or into a file.\n\n"
    "For example, last year's loans for a spreadsheet, and what to buy more of, on paper:\n\n"
    "    lendery report loans-by-day --from 2025-01-01 --to 2025-12-31 --format csv --out days.csv"
    "\n\n    lendery report hold-ratios --threshold 4 --format pdf --out to-buy.pdf\n\n"
    f"NAME is one of: {', '.join(NAMES)}.",
)
def report(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Which report.")],
    since: Annotated[
        str | None,
        typer.Option("--from", metavar="DAY", help="The first day; default: 29 before the last."),
    ] = None,
    until: Annotated[
        str | None, typer.Option("--to", metavar="DAY", help="The last day; default: today.")
    ] = None,
    branch: Annotated[
        str | None, typer.Option(metavar="CODE", help="Only this branch, by its code.")
    ] = None,
    form: Annotated[
        str, typer.Option("--format", help="csv, xlsx, pdf, json, or svg for a chart.")
    ] = "csv",
    out: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Default: the terminal (csv, json, svg).")
    ] = None,
    sort: Annotated[
        str | None, typer.Option(help="By which column; -lent: the most loans first.")
    ] = None,
    threshold: Annotated[
        int, typer.Option(min=1, max=1_000, help="hold-ratios: waiting holds one copy may have.")
    ] = 3,
    months: Annotated[
        int, typer.Option(min=1, max=600, help="dead-stock: not lent for so long.")
    ] = 24,
    per: Annotated[str, typer.Option(help="collection-age: year or decade.")] = "decade",
) -> None:
    if form not in get_args(Form):
        raise typer.BadParameter(f"{form}: take one of {', '.join(get_args(Form))}.")
    if form in ("xlsx", "pdf") and out is None:
        raise typer.BadParameter(f"Say with --out where the {form} shall be written.")
    if per not in ("year", "decade"):
        raise typer.BadParameter(f"{per}: take year or decade.")
    asked = Asked(
        name=name,
        since=_day(since),
        until=_day(until),
        sort=sort,
        threshold=threshold,
        months=months,
        per=per,  # type: ignore[arg-type]
    )
    body = asyncio.run(_made(asked, branch, cast(Form, form)))
    if out is None:
        sys.stdout.buffer.write(body)
    else:
        out.write_bytes(body)
        print(f"{out}: {len(body):,} bytes")


def _day(text: str | None) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        raise typer.BadParameter(f"{text} is no day: write 2026-03-01.") from None


async def _made(asked: Asked, branch: str | None, form: Form) -> bytes:
    from lendery.main import objections, wire
    from lendery.reports.forms import made, many_for

    wiring = wire(_library())
    window = Window(limit=100_000 if form == "json" else many_for(asked.name, form))
    try:
        if found := await objections(wiring):
            _refuse("\n".join(found))
        if branch is not None:
            branch_id = await _branch(wiring, branch)
            asked = asked.model_copy(update={"branch_id": branch_id})
        now = datetime.now(UTC)
        told = await wiring.reports.read(asked=asked, window=window, actor=SYSTEM, as_of=now)
        return made(told, form)
    except Problem as problem:
        _refuse(problem.detail)
    finally:
        await wiring.close()


async def _branch(wiring: Any, code: str) -> Any:
    window = Window(limit=100)
    while True:
        page = await wiring.branches.find(window=window)
        for each in page.items:
            if each.code == code:
                return each.id
        if page.next_cursor is None:
            _refuse(f"There is no branch with the code {code}.")
        window = Window(limit=100, after=page.next_cursor)


@counts.command("rebuild")
def rebuild() -> None:
    """Count everything anew, from the logs of what happened, read from their beginning.

    After an update to the first Lendery that has reports, what happened before is not counted
    until this was done. The library may go on meanwhile.
    """
    from lendery.cli import Steps, bars
    from lendery.main import objections, wire

    wiring = wire(_library())
    if "reports" not in wiring.here:
        _refuse("Reports does not run here (LENDERY_CONTEXTS).")

    async def run() -> Any:
        try:
            if found := await objections(wiring):
                _refuse("\n".join(found))
            with bars() as shown:
                return await wiring.rebuilding(Steps(shown)).run(now=datetime.now(UTC))
        except Problem as problem:
            _refuse(problem.detail)
        finally:
            await wiring.close()

    began = time.monotonic()
    done = asyncio.run(run())
    seconds = time.monotonic() - began
    print(
        f"{done.events:,} events in {seconds:,.1f} s: {done.rows:,} rows, "
        f"{done.learnt:,} copies and books asked about"
    )


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
