"""A small library to back up, and ways to look at it that do not use what is tested.

`everything` reads each table through SQLAlchemy's own engine. `made_up` writes a backup line by
line, as somebody might who knows the format.
"""

import asyncio
import json
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, inspect, select

from lendery.accounts.models import block
from lendery.demo.build import DemoLibrary
from lendery.main import DERIVED, TABLES, wire
from lendery.platform import migrate
from lendery.platform.backup.dump import Made, back_up
from lendery.platform.backup.format import Whole
from lendery.platform.backup.progress import Progress, Quiet
from lendery.platform.backup.restore import restore
from lendery.platform.settings import Settings

from .toy import on_connection

CONTEXTS = ["accounts", "catalog", "circulation", "notices", "reports", "reviews"]
NOW = datetime(2026, 3, 1, 9, 30, tzinfo=UTC)
TODAY = date(2026, 3, 1)
PASSPHRASE = "correct horse battery staple"
FAR_OFF = datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)
AWKWARD = "Tab\t line\nfeed \r \u2028 \"quoted\" 'too' \\n {} [] 図書館 \U0001f4da \x1f Jürgen"
SMALL: dict[str, Any] = {"books": 60, "copies": 80, "readers": 20, "days": 20}


def build(url: str) -> None:
    """The demo library, small, and a few rows that are hard to carry."""
    migrate.run(url, CONTEXTS)

    async def fill() -> None:
        wiring = wire(Settings(database_url=url), durable=False)
        await DemoLibrary(wiring, Quiet(), TODAY, **SMALL).build()
        async with wiring.db.begin() as tx:
            for number, until in enumerate([FAR_OFF, None], start=1):
                values = {"user_id": UUID(int=0), "reason": "manual", "placed_at": NOW}
                await tx.run(
                    block.insert().values(id=UUID(int=number), note=AWKWARD, until=until, **values)
                )
        await wiring.db.tidy()
        await wiring.close()

    asyncio.run(fill())


def everything(url: str) -> dict[str, list[tuple[Any, ...]]]:
    """Each table of the models that is there, its rows sorted."""

    def read(connection: Connection) -> dict[str, list[tuple[Any, ...]]]:
        here = set(inspect(connection).get_table_names())
        found = {}
        for tables in TABLES.values():
            for table in tables.event.metadata.sorted_tables:
                if table.name in here:
                    rows = connection.execute(select(table)) if _as_now(connection, table) else ()
                    found[table.name] = sorted(map(tuple, rows), key=repr)
        return found

    tables: dict[str, list[tuple[Any, ...]]] = on_connection(url, read)
    return tables


def _as_now(connection: Connection, table: Any) -> bool:
    present = {each["name"] for each in inspect(connection).get_columns(table.name)}
    return present == set(table.c.keys())


def table_names(url: str) -> set[str]:
    found: set[str] = on_connection(url, lambda c: set(inspect(c).get_table_names()))
    return found


def sqlite_path(url: str) -> Path | None:
    return Path(url.removeprefix("sqlite:///")) if url.startswith("sqlite") else None


async def keep(url: str, file: Path, **options: Any) -> Made:
    """A backup of the library at `url`."""
    wiring = wire(Settings(database_url=url))
    try:
        return await back_up(wiring.db, file, now=NOW, **options)
    finally:
        await wiring.close()


async def bring_back(
    file: Path, url: str, passphrase: str | None = None, progress: Progress | None = None
) -> Whole:
    return await restore(
        file,
        url=url,
        into=sqlite_path(url),
        contexts=list(TABLES.values()),
        derive=[make for each in DERIVED.values() for make in each],
        passphrase=passphrase,
        progress=progress,
    )


@contextmanager
def untouched(url: str) -> Iterator[None]:
    before = _state(url)
    yield
    assert _state(url) == before


def _state(url: str) -> Any:
    """Every byte of an SQLite file and what lies beside it; every row of a database."""
    if path := sqlite_path(url):
        return {each.name: each.read_bytes() for each in sorted(path.parent.glob(f"{path.name}*"))}
    return table_names(url), everything(url)


def made_up(
    file: Path,
    like: Path,
    *,
    revisions: dict[str, str] | None = None,
    put: dict[str, list[list[Any]]] | None = None,
) -> Path:
    """A backup that is whole by all its checksums, but says something else than `like`.

    `put` holds rows to be added to tables.
    """
    lines, whole, rows = [], sha256(), list[bytes]()
    tables, name = {}, ""
    for line in zlib.decompress(like.read_bytes().split(b"\n", 2)[2]).splitlines(keepends=True):
        said = json.loads(line)
        if isinstance(said, list):
            rows.append(line)
        elif "backup" in said and revisions:
            said["backup"]["revisions"] |= revisions
            line = _line(said)
        elif "table" in said:
            name, rows = said["table"]["name"], []
        elif "counted" in said:
            added = [_line(row) for row in (put or {}).get(name, [])]
            lines += added
            counted = {"rows": len(rows + added), "sha256": _sum(rows + added)}
            tables[name] = counted
            line = _line({"counted": counted})
        elif "whole" in said:
            whole.update(b"".join(lines))
            line = _line({"whole": {"tables": tables, "sha256": whole.hexdigest()}})
        lines.append(line)
    header = b"".join(like.read_bytes().split(b"\n", 2)[i] + b"\n" for i in (0, 1))
    file.write_bytes(header + zlib.compress(b"".join(lines)))
    return file


def _line(said: Any) -> bytes:
    return json.dumps(said, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


def _sum(lines: list[bytes]) -> str:
    return sha256(b"".join(lines)).hexdigest()


def row_of(file: Path, table: str, **but: Any) -> list[Any]:
    """The first row of a table in a backup, with some values changed."""
    columns: list[str] = []
    for line in zlib.decompress(file.read_bytes().split(b"\n", 2)[2]).splitlines():
        said = json.loads(line)
        if isinstance(said, dict) and "table" in said:
            columns = [c for c, _ in said["table"]["columns"]]
            found = said["table"]["name"] == table
        elif isinstance(said, list) and found:
            return [but.get(name, value) for name, value in zip(columns, said, strict=True)]
    raise AssertionError(f"{table} is empty")


def fill_log(url: str, *, rows: int, width: int) -> int:
    """Adds so many events of a copy, each so wide; returns how many bytes that is."""
    from lendery.circulation.models import TABLES as CIRCULATION

    body = {"note": AWKWARD * (width // len(AWKWARD))}
    values = {"name": "circulation.CopyFlagged", "aggregate": UUID(int=0), "at": NOW, "body": body}

    def add(connection: Connection) -> None:
        for start in range(0, rows, 5_000):
            many = [{**values, "id": UUID(int=start + n)} for n in range(5_000)]
            connection.execute(CIRCULATION.event.insert(), many)
        connection.commit()

    on_connection(url, add)
    return rows * len(json.dumps(body, ensure_ascii=False).encode())
