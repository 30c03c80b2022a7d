"""The commands that keep a library safe: `lendery backup`, `verify-backup` and `restore`."""

import asyncio
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.markup import escape

from lendery.contracts.base import Problem
from lendery.platform.backup import Refused
from lendery.platform.settings import Settings
from lendery.platform.stopping import stop_as_after_ctrl_c

if TYPE_CHECKING:
    from lendery.platform.backup.format import Whole

backups = typer.Typer()
SHORTEST = 12  # characters of a new passphrase

PassphraseFile = Annotated[
    Path | None, typer.Option("--passphrase-file", help="A file that holds the passphrase.")
]


@backups.command()
def backup(
    file: Annotated[Path, typer.Argument(help="The new file, say sunday.lendery.")],
    encrypt: Annotated[
        bool, typer.Option("--encrypt", help="Ask for a passphrase where none is set.")
    ] = False,
    passphrase_file: PassphraseFile = None,
) -> None:
    """Write the whole library into one file, while it goes on lending.

    With LENDERY_BACKUP_PASSPHRASE, --passphrase-file or --encrypt it is encrypted.
    """
    from lendery.cli import Steps, bars
    from lendery.main import wire
    from lendery.platform.backup.dump import Made, back_up

    with refusals():
        chosen = _settings()
        if chosen.sqlite_file and not chosen.sqlite_file.exists():
            raise Refused(f"There is no library at {chosen.sqlite_file}. No backup was made.")
        passphrase = _new_passphrase(chosen, passphrase_file, ask=encrypt)
        began = time.monotonic()

        async def write() -> Made:
            wiring = wire(chosen)
            try:
                with bars() as shown:
                    return await back_up(
                        wiring.db,
                        file,
                        now=datetime.now(UTC),
                        passphrase=passphrase,
                        progress=Steps(shown),
                    )
            finally:
                await wiring.close()

        made = asyncio.run(write())
    print(
        f"{file}: {_rows(made.whole)}, {_size(made.size)}, "
        f"{'encrypted, ' if passphrase else ''}{time.monotonic() - began:,.1f} s"
    )


@backups.command("verify-backup")
def verify_backup(
    file: Annotated[Path, typer.Argument(help="The backup.")],
    passphrase_file: PassphraseFile = None,
) -> None:
    """Read a backup to its end and say whether it is whole. No database is needed."""
    from lendery.cli import Steps, bars
    from lendery.platform.backup.checking import check

    with refusals():
        passphrase = _passphrase(file, passphrase_file)
        with bars() as shown:
            whole = check(file, passphrase, Steps(shown))
    print(f"{file} is whole: {_rows(whole)}, {_made(whole)}")


@backups.command()
def restore(
    file: Annotated[Path, typer.Argument(help="The backup.")],
    passphrase_file: PassphraseFile = None,
) -> None:
    """Fill an empty database from a backup, and compare every row before it counts."""
    from lendery.cli import Steps, bars
    from lendery.main import DERIVED, TABLES
    from lendery.platform.backup import restore as restoring

    with refusals():
        chosen = _settings()
        here = [each for each in TABLES if each in chosen.contexts]
        passphrase = _passphrase(file, passphrase_file)
        with bars() as shown:
            whole = asyncio.run(
                restoring.restore(
                    file,
                    url=chosen.database_url,
                    into=chosen.sqlite_file,
                    contexts=[TABLES[each] for each in here],
                    derive=[make for each in here for make in DERIVED.get(each, ())],
                    passphrase=passphrase,
                    progress=Steps(shown),
                )
            )
    print(f"Restored and verified: {_rows(whole)}, {_made(whole)}")


@contextmanager
def refusals() -> Iterator[None]:
    """What cannot be done is said in a sentence, and the command fails.

    Whoever is told to stop clears away what is half done, as after Ctrl-C.
    """
    import sqlite3

    import asyncpg

    from lendery.cli import console

    stop_as_after_ctrl_c()
    try:
        yield
    except Refused as refused:
        said = str(refused)
    except Problem as problem:
        said = problem.detail
    except (OSError, asyncpg.PostgresError, sqlite3.Error) as error:
        said = f"{type(error).__name__}: {error}"
    else:
        return
    console.print(f"[red]{escape(said)}[/]", soft_wrap=True)
    raise typer.Exit(1)


def _settings() -> Settings:
    from lendery.cli import settings

    chosen = settings()
    if chosen.sqlite and chosen.sqlite_file is None:
        raise Refused("This library is in memory only (LENDERY_DATABASE_URL): it has no backups.")
    return chosen


def _new_passphrase(chosen: Settings, file: Path | None, *, ask: bool) -> str | None:
    given = _given(file)
    if given is None and ask:
        given = typer.prompt("Passphrase", hide_input=True, confirmation_prompt=True, err=True)
    if given is not None and len(given) < SHORTEST:
        raise Refused(f"A passphrase has {SHORTEST} characters or more. No backup was made.")
    return given


def _passphrase(backup: Path, file: Path | None) -> str | None:
    """For a backup that is there: given, or asked for where it is needed and somebody is there."""
    from lendery.platform.backup.file import is_encrypted

    given, needed = _given(file), is_encrypted(backup)
    if given is None and needed and sys.stdin.isatty():
        given = typer.prompt("Passphrase", hide_input=True, err=True)
    return given


def _given(file: Path | None) -> str | None:
    from lendery.cli import settings

    if file is not None:
        try:
            return file.read_text().split("\n")[0].rstrip("\r")
        except (OSError, UnicodeDecodeError) as error:
            raise Refused(f"The passphrase could not be read from {file}: {error}.") from error
    kept: Any = settings().backup_passphrase
    return str(kept.get_secret_value()) if kept else None


def _rows(whole: "Whole") -> str:
    return f"{whole.rows:,} rows in {len(whole.tables)} tables"


def _size(many: int) -> str:
    return f"{many / 1e6:,.1f} MB" if many >= 1_000_000 else f"{many / 1e3:,.1f} kB"


def _made(whole: "Whole") -> str:
    manifest = whole.manifest
    return f"from {manifest.created_at:%Y-%m-%d %H:%M} UTC, by Lendery {manifest.program}"
