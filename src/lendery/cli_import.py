"""The commands that carry records in bulk: into the catalogue, and out of it."""

import asyncio
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any
from uuid import UUID

import typer

bulk = typer.Typer()
PIECE = 1 << 20
LOOK = 0.3  # seconds between two looks at how far it is


@bulk.command("import")
def import_file(
    file: Annotated[
        Path | None, typer.Argument(help="MARC, MARCXML, CSV, Open Library or Lendery's own.")
    ] = None,
    format: Annotated[str | None, typer.Option(help="Left out: by what it looks like.")] = None,
    profile: Annotated[str | None, typer.Option(help="How one supplier's files are read.")] = None,
    column: Annotated[
        list[str] | None, typer.Option(help="CSV: our field=the column's name; repeatable.")
    ] = None,
    match: Annotated[
        list[str] | None,
        typer.Option(help="control-number, isbn, title-author, title-author-year; repeatable."),
    ] = None,
    on_match: Annotated[str, typer.Option(help="add, overlay or skip what is here.")] = "skip",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Report, and change nothing.")] = False,
    branch: Annotated[
        str | None, typer.Option(help="Code of the branch for copies that name none.")
    ] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on with the import that was interrupted.")
    ] = False,
) -> None:
    """Import a file of records. An interrupted import goes on where it was; see --resume."""
    if (file is None) != resume:
        raise typer.BadParameter("Name a file, or say --resume.")
    given: dict[str, Any] = {
        "format": format,
        "profile": profile,
        "columns": dict(each.partition("=")[::2] for each in column or ()),
        "on_match": on_match,
        "dry_run": dry_run,
    }
    if match:
        given["match"] = match
    report = _ended(_import(file, given, branch))
    _tell(report)
    if report.state != "done":
        raise typer.Exit(1)


@bulk.command("export")
def export_file(
    file: Annotated[Path, typer.Argument(help="The file to write; it must not exist yet.")],
    format: Annotated[str, typer.Option(help="marc, marcxml, marcjson, csv or lendery.")] = "marc",
) -> None:
    """Write the whole catalogue to a file."""
    if file.exists():
        raise typer.BadParameter(f"{file} exists already.")
    report = _ended(_export(file, format))
    left = f", {report.left_out} did not fit into {format}" if report.left_out else ""
    print(f"{report.written} records in {file}{left}.")
    if report.state != "done":
        raise typer.Exit(1)


def _ended(work: Any) -> Any:
    """The report at its end; a problem is said and ends the program."""
    from pydantic import ValidationError

    from lendery.cli import console
    from lendery.contracts.base import Problem

    try:
        return asyncio.run(work)
    except Problem as problem:
        console.print(f"[red]{problem.detail}[/]")
        raise typer.Exit(1) from None
    except ValidationError as error:
        for each in error.errors():
            console.print(f"[red]{'.'.join(map(str, each['loc'][:1]))}[/]: {each['msg']}")
        raise typer.Exit(2) from None


async def _open() -> Any:
    from lendery.cli import console, settings
    from lendery.main import objections, wire

    wiring = wire(settings())
    if found := await objections(wiring):
        console.print(*found, sep="\n")
        await wiring.close()
        raise typer.Exit(1)
    return wiring


async def _import(file: Path | None, given: dict[str, Any], branch: str | None) -> Any:
    from lendery.contracts.importing import ImportOptions
    from lendery.contracts.permissions import SYSTEM

    wiring = await _open()
    try:
        if file is None:
            import_id = await _interrupted(wiring)
        else:
            if branch:
                given["branch_id"] = await _branch(wiring, branch)
            options = ImportOptions.model_validate(given)
            upload_id = await _handed_in(wiring, file)
            started = await wiring.imports.start(
                upload_id=upload_id,
                name=file.name,
                options=options,
                actor=SYSTEM,
                now=datetime.now(UTC),
            )
            import_id = started.id
        await _follow(wiring, import_id, "Importing")
        return await wiring.imports.get(import_id=import_id, actor=SYSTEM)
    finally:
        await wiring.close()


async def _handed_in(wiring: Any, file: Path) -> UUID:
    """A copy in the private folder: what is imported does not change meanwhile."""
    from lendery.contracts.permissions import SYSTEM

    if not file.is_file():
        raise typer.BadParameter(f"There is no file {file}.")
    now = datetime.now(UTC)
    upload_id: UUID = await wiring.imports.begin(actor=SYSTEM, now=now)
    at = 0
    with file.open("rb") as source:
        while data := source.read(PIECE):
            at = await wiring.imports.take(
                upload_id=upload_id, at=at, data=data, actor=SYSTEM, now=now
            )
    return upload_id


async def _branch(wiring: Any, code: str) -> UUID:
    from lendery.catalog.importing.running import branches_by_name

    known = await branches_by_name(wiring.branches)
    if code.casefold() not in known:
        raise typer.BadParameter(f"No branch is called {code}.")
    found: UUID = known[code.casefold()]
    return found


async def _interrupted(wiring: Any) -> UUID:
    """The newest import that has not come to its end."""
    from lendery.contracts.base import Window
    from lendery.contracts.jobs import ENDED
    from lendery.contracts.permissions import SYSTEM

    page = await wiring.long_jobs.find(window=Window(limit=100), actor=SYSTEM, kind="import")
    for each in page.items:
        if each.state not in ENDED:
            found: UUID = each.id
            return found
    raise typer.BadParameter("No import was interrupted.")


async def _follow(wiring: Any, job_id: UUID, what: str) -> None:
    """Does the job here unless a server of this library is doing it, and shows how far it is."""
    from lendery.cli import bars
    from lendery.contracts.jobs import ENDED
    from lendery.contracts.permissions import SYSTEM

    working = asyncio.create_task(wiring.queue.run())
    with bars() as shown:
        task = shown.add_task(what, total=100)
        try:
            while True:
                job = await wiring.long_jobs.get(job_id=job_id, actor=SYSTEM)
                shown.update(task, completed=int(job.progress * 100))
                if job.state in ENDED:
                    return
                await asyncio.wait([working], timeout=LOOK)
        finally:
            wiring.queue.stop()
            await asyncio.wait([working])


def _tell(report: Any) -> None:
    foreseen = " (nothing was changed)" if report.options.dry_run else ""
    print(
        f"{report.read} records read{foreseen}: {report.added} added, {report.overlaid} overlaid, "
        f"{report.skipped} skipped, {report.rejected} rejected; {report.copies} copies, "
        f"{report.warnings} warnings."
    )
    print(f"Import {report.id}: {report.state}")
    if report.error:
        print(report.error)


async def _export(file: Path, format: str) -> Any:
    from lendery.contracts.importing import ExportOptions
    from lendery.contracts.permissions import SYSTEM

    options = ExportOptions.model_validate({"format": format})
    wiring = await _open()
    try:
        started = await wiring.exports.start(options=options, actor=SYSTEM, now=datetime.now(UTC))
        await _follow(wiring, started.id, "Exporting")
        report = await wiring.exports.get(export_id=started.id, actor=SYSTEM)
        at = 0
        if report.state == "done":
            with file.open("xb") as out:
                while True:
                    piece = await wiring.exports.piece(export_id=started.id, at=at, actor=SYSTEM)
                    at += out.write(piece.data)
                    if piece.last:
                        break
        return report
    finally:
        await wiring.close()
