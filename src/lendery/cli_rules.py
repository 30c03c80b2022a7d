"""The commands about the rule table: as a file for review and version control, and back."""

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer

rules = typer.Typer(help="The rule table, as a file.", no_args_is_help=True)
T = TypeVar("T")
File = Annotated[Path, typer.Argument(help="A rule table as `rules export` writes it.")]
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
    comment: Annotated[str | None, typer.Option(help="Why: for whoever reads the history.")] = None,
) -> None:
    """Replace the rule table by a file. What says the same as before saves nothing."""
    begins = valid_from and valid_from.replace(tzinfo=UTC)
    saved = _told(_save(file, valid_from=begins, comment=comment), file)
    version = saved.version
    if version is not None:
        when = "" if version.state == "in-force" else f" from {version.valid_from:%Y-%m-%d %H:%M}"
        print(f"Version {version.number} is {version.state}{when}: {version.size} rows.")
    _print_findings(saved.findings, file)


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
