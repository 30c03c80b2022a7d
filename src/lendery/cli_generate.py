"""`lendery generate`: a file of catalogue records, of any size."""

import time
from pathlib import Path
from typing import Annotated, Literal

import typer

generating = typer.Typer()


@generating.command()
def generate(
    out: Annotated[
        Path, typer.Option("--out", "-o", help="The file to write; packed if it ends in .gz.")
    ],
    books: Annotated[int, typer.Option(min=1, max=20_000_000, help="So many records.")] = 50_000,
    seed: Annotated[
        int, typer.Option(min=0, help="The same seed gives the same file, another one another.")
    ] = 1,
    copies_per_book: Annotated[
        float,
        typer.Option(
            min=0, max=50, help="Copies on average, more of what is wanted most; 0: none."
        ),
    ] = 0,
    branch: Annotated[
        list[str] | None,
        typer.Option(help="Code of a branch that has copies; repeat for several."),
    ] = None,
    form: Annotated[
        Literal["jsonl", "marc", "csv"],
        typer.Option("--format", help="jsonl: what `lendery seed` reads. marc: MARC 21, UTF-8."),
    ] = "jsonl",
    force: Annotated[bool, typer.Option("--force", help="Write over a file.")] = False,
) -> None:
    """Make catalogue records that look real, as many as wanted.

    Titles, names and subjects are put together from Project Gutenberg's words, as often as they
    occur there; ISBNs are valid and no two records share one. 50,000 are a town's library,
    1,000,000 a region's.

    \b
    lendery generate --books 50000 --out books.jsonl.gz
    lendery generate --books 1000000 --seed 7 --copies-per-book 1.5 --out region.jsonl
    lendery generate --books 50000 --format marc --out books.mrc
    """
    from lendery.cli import bars, console
    from lendery.generating import Holdings, records
    from lendery.generating.filing import write

    if out.exists() and not force:
        console.print(f"[red]There is a file {out} already.[/] --force writes over it.")
        raise typer.Exit(1)
    if not out.absolute().parent.is_dir():
        console.print(f"[red]There is no folder {out.absolute().parent}.[/]")
        raise typer.Exit(1)
    holdings = None
    if copies_per_book:
        holdings = Holdings(copies_per_book, tuple(branch or ["main"]))
    began = time.monotonic()
    with bars() as shown:
        task = shown.add_task("Records", total=books)
        made = records(books, seed, holdings)
        size = write(
            made, out, form=form, mark=f"gen{seed}-", advance=lambda more: shown.advance(task, more)
        )
    seconds = max(time.monotonic() - began, 0.001)
    console.print(
        f"{books:,} records in {out} ({size / 1e6:,.1f} MB), {books / seconds:,.0f} a second.",
        soft_wrap=True,
    )
