"""The commands about the rule table: as a file for review and version control, and back."""

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, TypeVar
from uuid import UUID

import typer

rules = typer.Typer(help="The rule table, as a file.", no_args_is_help=True)
T = TypeVar("T")
File = Annotated[Path, typer.Argument(help="A rule table as `rules export` writes it.")]
Comment = Annotated[str | None, typer.Option(help="Why: for whoever reads the history.")]
LOOK = 0.3  # seconds between two looks at how far it is
COUNTS = (
    *("check_outs", "renewals", "check_ins", "due_dates", "blocks", "fines", "undecidable"),
    *("fines_were", "fines_would_be"),
)
DAYS = ["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S"]


@rules.command("export")
def export_rules(
    file: Annotated[Path | None, typer.Argument(help="Where to; left out: the terminal.")] = None,
    version: Annotated[
        int | None, typer.Option(min=1, help="An older or planned one; default: in force.")
    ] = None,
) -> None:
    """Write the rule table as text, made for review and version control."""

    async def read() -> str:
        from lendery.contracts.permissions import SYSTEM

        async with _library() as wiring:
            told = await wiring.rule_versions.text(
                number=version, actor=SYSTEM, at=datetime.now(UTC)
            )
        found: str = told.text
        return found

    text = _told(read())
    if file is None:
        print(text, end="")
    else:
        file.write_text(text, encoding="utf-8")


@rules.command("check")
def check_rules(file: File) -> None:
    """Say what is wrong or odd about a file of rules; change nothing. Exit code 1: it is wrong."""
    saved = _told(_save(file, dry_run=True), file)
    print(f"{file} can be imported." if not saved.findings else f"{file} can be imported, but:")
    _print_findings(saved.findings, file)


@rules.command("import")
def import_rules(
    file: File,
    valid_from: Annotated[
        datetime | None,
        typer.Option(formats=DAYS, help="In force from then on (UTC); default: at once."),
    ] = None,
    comment: Comment = None,
) -> None:
    """Replace the rule table by a file. What says the same as before saves nothing."""
    begins = valid_from and valid_from.replace(tzinfo=UTC)
    saved = _told(_save(file, valid_from=begins, comment=comment), file)
    version = saved.version
    if version is not None:
        when = "" if version.state == "in-force" else f" from {version.valid_from:%Y-%m-%d %H:%M}"
        print(f"Version {version.number} is {version.state}{when}: {version.size} rows.")
    _print_findings(saved.findings, file)


@rules.command("versions")
def list_versions(
    many: Annotated[int, typer.Option(min=1, max=1000, help="So many, the newest first.")] = 20,
) -> None:
    """List what was, is and will be in force."""

    async def read() -> Any:
        from lendery.contracts.base import Window
        from lendery.contracts.permissions import SYSTEM

        async with _library() as wiring:
            return await wiring.rule_versions.find(
                window=Window(limit=many), actor=SYSTEM, at=datetime.now(UTC)
            )

    for each in _told(read()).items:
        since = f"{each.valid_from:%Y-%m-%d %H:%M}"
        print(
            f"{each.number:>5}  {each.state:<8}  {since}  {each.size:>4} rows  {each.comment or ''}"
        )


@rules.command("restore")
def restore_rules(
    number: Annotated[int, typer.Argument(min=1, help="See `rules versions`.")],
    comment: Comment = None,
) -> None:
    """Roll back: save a new version with the rows of an old one."""

    async def restore() -> Any:
        from lendery.contracts.circulation import Restoring
        from lendery.contracts.permissions import SYSTEM

        async with _library() as wiring:
            return await wiring.rule_versions.restore(
                number=number,
                wanted=Restoring(comment=comment),
                actor=SYSTEM,
                now=datetime.now(UTC),
            )

    saved = _told(restore())
    print(f"Version {saved.version.number} has the {saved.version.size} rows of {number}.")


@rules.command("simulate")
def simulate_rules(
    file: File,
    since: Annotated[
        datetime, typer.Option("--from", formats=DAYS, help="Loans that began from then on (UTC).")
    ],
    until: Annotated[
        datetime | None, typer.Option("--to", formats=DAYS, help="And before then; default: now.")
    ] = None,
    csv: Annotated[
        Path | None, typer.Option(help="Write every difference there; it must not exist yet.")
    ] = None,
    show: Annotated[int, typer.Option(min=0, help="So many differences on the terminal.")] = 10,
) -> None:
    """Replay past loans against a file of rules, and tell what would have been otherwise."""
    if csv is not None and csv.exists():
        raise typer.BadParameter(f"{csv} exists already.")
    period = {"since": since.replace(tzinfo=UTC), "until": until and until.replace(tzinfo=UTC)}
    report, shown = _told(_simulate(file, period, csv, show), file)
    for each in shown:
        print(f"{each.at:%Y-%m-%d} {each.event}, loan {each.loan_id}: {_otherwise(each)}")
    counts = {name: report.counts.get(name, 0) for name in COUNTS}
    print(", ".join(f"{number} {name.replace('_', ' ')}" for name, number in counts.items()))
    print(f"Simulation {report.id}: {report.state}")
    if report.state != "done":
        raise typer.Exit(1)


async def _simulate(
    file: Path, period: dict[str, Any], csv: Path | None, show: int
) -> tuple[Any, list[Any]]:
    from lendery.circulation.routes.simulations import csv_lines
    from lendery.contracts.base import Window
    from lendery.contracts.circulation import RuleDraft
    from lendery.contracts.permissions import SYSTEM

    draft = RuleDraft(text=read_file(file), **period)
    async with _library() as wiring:
        started = await wiring.simulations.start(draft=draft, actor=SYSTEM, now=datetime.now(UTC))
        report = await _follow(wiring, started.id)
        page = await wiring.simulations.differences(
            simulation_id=report.id, kind=None, window=Window(limit=show), actor=SYSTEM
        )
        if csv is not None:
            with csv.open("x", encoding="utf-8", newline="") as out:
                async for lines in csv_lines(wiring.simulations, report.id, None, SYSTEM):
                    out.write(lines)
    return report, page.items


async def _follow(wiring: Any, simulation_id: UUID) -> Any:
    """Does the job here unless a server of this library is doing it, and shows how far it is."""
    from lendery.cli import bars
    from lendery.contracts.jobs import ENDED
    from lendery.contracts.permissions import SYSTEM

    working = asyncio.create_task(wiring.queue.run())
    with bars() as shown:
        task = shown.add_task("Simulating", total=100)
        try:
            while True:
                found = await wiring.simulations.get(simulation_id=simulation_id, actor=SYSTEM)
                shown.update(task, completed=int(found.progress * 100))
                if found.state in ENDED:
                    return found
                await asyncio.wait([working], timeout=LOOK)
        finally:
            wiring.queue.stop()
            await asyncio.wait([working])


def _otherwise(found: Any) -> str:
    def said(values: dict[str, Any]) -> str:
        each = next(iter(values.values()))
        return (", ".join(each) if isinstance(each, list) else str(each)) or "-"

    doubt = "" if found.certain else " (perhaps)"
    return f"{found.kind} {said(found.was)} -> {said(found.would_be)}{doubt}"


async def _save(file: Path, **how: Any) -> Any:
    from lendery.contracts.permissions import SYSTEM

    text = read_file(file)
    async with _library() as wiring:
        return await wiring.rule_versions.save_text(
            text=text, actor=SYSTEM, now=datetime.now(UTC), **how
        )


def read_file(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise typer.BadParameter(f"{file} cannot be read: {error}.") from None


def _told(work: Coroutine[Any, Any, T], file: Path | None = None) -> T:
    """What came of it; a problem is said, line by line, and ends the program."""
    from lendery.contracts.base import Problem

    try:
        return asyncio.run(work)
    except Problem as problem:
        errors = [each for each in problem.extra.get("errors", []) if "line" in each]
        for each in errors:
            print(f"{file}:{each['line']}:{each.get('column', 1)}: {each['says']}")
        if not errors:
            print(problem.detail)
        raise typer.Exit(1) from None


def _print_findings(findings: list[Any], file: Path) -> None:
    for each in findings:
        place = f"{file}:{each.line}:{each.column}: " if each.line else f"{file}: "
        print(f"{place}{each.says}")


@asynccontextmanager
async def _library() -> AsyncIterator[Any]:
    from lendery.cli import console, settings
    from lendery.main import objections, wire

    wiring = wire(settings())
    try:
        if found := await objections(wiring):
            console.print(*found, sep="\n")
            raise typer.Exit(1)
        yield wiring
    finally:
        await wiring.close()
