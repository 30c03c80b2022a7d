"""`lendery seed`: records into a library that is running, through its front door."""

import asyncio
import os
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lendery.platform.stopping import stop_as_after_ctrl_c

if TYPE_CHECKING:
    from lendery.seeding.library import LogIn
    from lendery.seeding.progress import Counts

seeding = typer.Typer()
INTERRUPTED = 130


@seeding.command()
def seed(
    file: Annotated[
        Path | None, typer.Argument(help="JSON lines, a book on each; packed if it ends in .gz.")
    ] = None,
    api: Annotated[
        str, typer.Option(envvar="LENDERY_SEED_API", help="Where the library answers.")
    ] = "http://127.0.0.1:8000",
    email: Annotated[
        str | None,
        typer.Option(envvar="LENDERY_SEED_EMAIL", help="A librarian's log-in."),
    ] = None,
    password_file: Annotated[
        Path | None,
        typer.Option(help="Holds the password. Else LENDERY_SEED_PASSWORD, else it is asked for."),
    ] = None,
    token: Annotated[
        str | None,
        typer.Option(envvar="LENDERY_SEED_TOKEN", help="An access token in place of a log-in."),
    ] = None,
    concurrency: Annotated[
        int, typer.Option(min=1, max=64, help="So many requests at once, no more.")
    ] = 8,
    patience: Annotated[
        float, typer.Option(min=1, help="Seconds the library may be away or busy.")
    ] = 120,
    state: Annotated[Path | None, typer.Option(help="How far it came; default: FILE.seed.")] = None,
    rejects: Annotated[
        Path | None, typer.Option(help="What was refused, and why; default: FILE.rejects.jsonl.")
    ] = None,
    from_open_library: Annotated[
        str | None,
        typer.Option(
            metavar="QUERY", help="Take a sample of Open Library first: whales, subject:whales."
        ),
    ] = None,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="So many of the sample.")] = 200,
    open_library: Annotated[
        str | None,
        typer.Option(envvar="LENDERY_OPEN_LIBRARY_URL", help="Default: https://openlibrary.org"),
    ] = None,
    contact: Annotated[
        str, typer.Option(envvar="LENDERY_CONTACT", help="Your e-mail, told to Open Library.")
    ] = "",
) -> None:
    """Feed records to a running library over its API.

    A line is a book as POST /api/v1/books takes it; `copies` may list barcode, item_type and the
    branch's code. Stop it when you like: the same command goes on where it was, and no book is
    added twice. What is refused stands in the rejects file, to be put right and fed again.

    \b
    lendery generate --books 1000 --out books.jsonl
    lendery seed books.jsonl --email librarian@example.org
    lendery seed --from-open-library "subject:whales" --limit 200 --email ada@example.org
    """
    from lendery.cli import console
    from lendery.seeding.library import Stopped

    if file is None and from_open_library is None:
        raise typer.BadParameter("Name a FILE, or take a sample with --from-open-library.")
    stop_as_after_ctrl_c()
    source = file or _named_after(str(from_open_library), limit)
    state = state or source.with_name(f"{source.name}.seed")
    rejects = rejects or source.with_name(f"{source.name}.rejects.jsonl")
    try:
        if from_open_library and not source.exists():
            _take_sample(source, from_open_library, limit, url=open_library, contact=contact)
        log_in = _log_in(email, password_file, token)
        options = {"concurrency": concurrency, "patience": patience}
        counts = _feed(source, state, rejects, api.rstrip("/"), log_in, **options)
    except Stopped as stopped:
        console.print(f"[red]{stopped}[/]", soft_wrap=True, highlight=False)
        if state.exists():
            console.print("The same command goes on where this one stopped.")
        raise typer.Exit(1) from None
    except KeyboardInterrupt:
        console.print("Stopped. The same command goes on from here.")
        raise typer.Exit(INTERRUPTED) from None
    _tell(counts, rejects)
    if counts.books_refused or counts.copies_refused:
        raise typer.Exit(3)


def _named_after(query: str, limit: int) -> Path:
    words = re.sub(r"\W+", "-", query.casefold()).strip("-")[:60]
    return Path(f"open-library-{words or 'sample'}-{limit}.jsonl")


def _log_in(email: str | None, password_file: Path | None, token: str | None) -> "LogIn":
    from lendery.seeding.library import LogIn, Stopped

    if token:
        return LogIn(token=token)
    if not email:
        raise Stopped("Say who you are: --email of a librarian, or --token.")
    password = os.environ.get("LENDERY_SEED_PASSWORD")
    if password_file is not None:
        try:
            password = password_file.read_text("utf-8").rstrip("\r\n")
        except (OSError, UnicodeDecodeError) as error:
            raise Stopped(f"{password_file} cannot be read: {error}") from None
    if password is None and not sys.stdin.isatty():
        raise Stopped("Nobody is here to type the password: use --password-file.")
    return LogIn(email, password or typer.prompt("Password", hide_input=True, err=True))


def _feed(
    source: Path, state: Path, rejects: Path, api: str, log_in: "LogIn", **options: Any
) -> "Counts":
    import httpx2

    from lendery.cli import bars
    from lendery.seeding.feeding import Feeder
    from lendery.seeding.library import RunningLibrary, Stopped
    from lendery.seeding.lines import how_many
    from lendery.seeding.progress import Progress

    concurrency, patience = options["concurrency"], options["patience"]
    total = how_many(source)
    try:
        base = httpx2.URL(api)
        if base.scheme not in ("http", "https") or not base.host:
            raise httpx2.InvalidURL("no host")
    except httpx2.InvalidURL:
        raise Stopped(f"--api wants an address like http://127.0.0.1:8000, not {api}.") from None
    progress = Progress.of(state, source, api)

    async def run() -> None:
        limits = httpx2.Limits(max_connections=concurrency, max_keepalive_connections=concurrency)
        timeout = httpx2.Timeout(60.0, connect=5.0)
        async with httpx2.AsyncClient(base_url=api, limits=limits, timeout=timeout) as http:
            library = RunningLibrary(http, log_in, patience)
            with bars() as shown:
                task = shown.add_task("Records", total=total)
                feeder = Feeder(
                    library, source, state, rejects, progress, concurrency,
                    lambda lines: shown.advance(task, lines),
                )  # fmt: skip
                await feeder.run()

    asyncio.run(run())
    return progress.counts


def _take_sample(source: Path, query: str, limit: int, *, url: str | None, contact: str) -> None:
    import httpx2
    import msgspec

    from lendery.cli import bars, console
    from lendery.seeding.library import Stopped
    from lendery.seeding.open_library import PUBLIC, OpenLibrary

    async def run() -> int:
        unfinished, taken = source.with_name(f"{source.name}.part"), 0
        async with httpx2.AsyncClient(base_url=url or PUBLIC, follow_redirects=True) as http:
            try:
                with bars() as shown, unfinished.open("wb") as out:
                    task = shown.add_task("Open Library", total=limit)
                    async for book in OpenLibrary(http, contact).sample(query, limit):
                        out.write(msgspec.json.encode(book) + b"\n")
                        taken += 1
                        shown.advance(task, 1)
                if taken:
                    unfinished.replace(source)
            finally:
                unfinished.unlink(missing_ok=True)
        return taken

    if not asyncio.run(run()):
        raise Stopped(f"Open Library has nothing for {query}.")
    console.print(f"The sample is in {source}.", soft_wrap=True)


def _tell(counts: "Counts", rejects: Path) -> None:
    for what in ("books", "copies"):
        added, there, refused = (
            getattr(counts, f"{what}_{how}") for how in ("added", "there", "refused")
        )
        if what == "books" or added or there or refused:
            print(f"{what}: {added:,} added, {there:,} already there, {refused:,} refused")
    if counts.books_refused or counts.copies_refused:
        print(f"what was refused, and why: {rejects}")
