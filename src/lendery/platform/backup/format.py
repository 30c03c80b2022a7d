"""The lines of a backup. Each is JSON; lists are rows, objects say what comes.

    {"backup": {"program", "created_at", "revisions": {context: revision}}}
    {"table": {"name", "columns": [[name, kind], ...], "key": [name, ...]}}
    [...]                                 its rows, in the order of its key
    {"counted": {"rows", "sha256"}}       of the lines of its rows, line feeds included
    {"whole": {"tables": {name: {"rows", "sha256"}}, "sha256"}}      of all lines before

Nothing is believed before the last line: a file without it was cut short.
"""

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

from lendery.platform.backup import Refused
from lendery.platform.backup.values import KINDS, Shape, encoded

CUT = "The backup is not whole: it was cut short or changed after it was written."
NAME = re.compile(r"[a-z][a-z0-9_]*")


@dataclass(frozen=True)
class Counted:
    """What a table holds: how many rows, and the checksum of their lines."""

    rows: int
    sha256: str


@dataclass(frozen=True)
class Manifest:
    """Whose backup this is: made by which program, when, of contexts at which revisions."""

    program: str
    created_at: datetime
    revisions: dict[str, str]


@dataclass(frozen=True)
class Whole:
    """A backup that was read to its end and is as it was written."""

    manifest: Manifest
    tables: dict[str, Counted]

    @property
    def rows(self) -> int:
        return sum(each.rows for each in self.tables.values())


class Tally:
    """Counts a table's rows and adds up their checksum."""

    def __init__(self) -> None:
        self._rows, self._sum = 0, sha256()

    def add(self, lines: list[bytes]) -> bytes:
        """Returns the lines as one text."""
        text = b"".join(line + b"\n" for line in lines)
        self._rows += len(lines)
        self._sum.update(text)
        return text

    @property
    def counted(self) -> Counted:
        return Counted(self._rows, self._sum.hexdigest())


class Writer:
    """Writes the lines, in their order, through `write`."""

    def __init__(self, write: Callable[[bytes], None], manifest: Manifest) -> None:
        self._write, self._all = write, sha256()
        self._manifest = manifest
        self._tables: dict[str, Counted] = {}
        about = {"program": manifest.program, "created_at": manifest.created_at.isoformat()}
        self._say(backup={**about, "revisions": manifest.revisions})

    def table(self, shape: Shape) -> None:
        self._shape, self._tally = shape, Tally()
        self._say(table={"name": shape.name, "columns": shape.columns, "key": shape.key})

    def rows(self, rows: list[Any]) -> None:
        self._put(self._tally.add(self._shape.lines(rows)))

    def end(self) -> None:
        counted = self._tables[self._shape.name] = self._tally.counted
        self._say(counted=vars(counted))

    def close(self) -> Whole:
        tables = {name: vars(counted) for name, counted in self._tables.items()}
        self._say(whole={"tables": tables, "sha256": self._all.hexdigest()})
        return Whole(self._manifest, self._tables)

    def _say(self, **what: Any) -> None:
        self._put(encoded(what).encode() + b"\n")

    def _put(self, text: bytes) -> None:
        self._all.update(text)
        self._write(text)


@dataclass
class Reader:
    """Reads the lines. Raises Refused as soon as one is not as it was written."""

    lines: Iterator[bytes]
    manifest: Manifest = field(init=False)
    whole: Whole | None = field(default=None, init=False)

    def __post_init__(self) -> None:
        self._all = sha256()
        self._found: dict[str, Counted] = {}
        self.manifest = _well_formed(_manifest, self._said("backup"))

    def tables(self) -> Iterator[tuple[Shape, Iterator[list[bytes]]]]:
        """Each table with its rows' lines, some at a time; `whole` is set after the last."""
        while True:
            before = self._all.hexdigest()
            said = self._next()
            if "whole" in said:
                break
            shape = _well_formed(_shape, said.get("table"))
            if shape.name in self._found:
                raise Refused(CUT)
            rows = self._rows(shape)
            yield shape, rows
            for _ in rows:
                pass  # whoever asked for them may have stopped early
        told = {name: vars(counted) for name, counted in self._found.items()}
        if said["whole"] != {"tables": told, "sha256": before}:
            raise Refused(CUT)
        if next(self.lines, None) is not None:
            raise Refused(CUT)
        self.whole = Whole(self.manifest, self._found)

    def _rows(self, shape: Shape, most: int = 500) -> Iterator[list[bytes]]:
        tally, waiting = Tally(), list[bytes]()
        for line in self.lines:
            if line.startswith(b"["):
                waiting.append(line)
                if len(waiting) == most:
                    self._all.update(tally.add(waiting))
                    yield waiting
                    waiting = []
                continue
            self._all.update(tally.add(waiting))
            if waiting:
                yield waiting
            self._all.update(line + b"\n")
            if _read(line).get("counted") != vars(tally.counted):
                raise Refused(CUT)
            self._found[shape.name] = tally.counted
            return
        raise Refused(CUT)

    def _said(self, what: str) -> Any:
        return self._next().get(what)

    def _next(self) -> dict[str, Any]:
        line = next(self.lines, None)
        if line is None:
            raise Refused(CUT)
        self._all.update(line + b"\n")
        return _read(line)


def _read(line: bytes) -> dict[str, Any]:
    try:
        said = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise Refused(CUT) from error
    if not isinstance(said, dict):
        raise Refused(CUT)
    return said


def _well_formed(make: Callable[[Any], Any], said: Any) -> Any:
    try:
        return make(said)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise Refused(CUT) from error


def _manifest(said: Any) -> Manifest:
    revisions = {str(context): f"{int(at):04d}" for context, at in said["revisions"].items()}
    made = datetime.fromisoformat(said["created_at"]).astimezone(UTC)
    return Manifest(str(said["program"]), made, revisions)


def _shape(said: Any) -> Shape:
    shape = Shape(
        said["name"], tuple((name, kind) for name, kind in said["columns"]), tuple(said["key"])
    )
    names = [name for name, _ in shape.columns]
    if not all(NAME.fullmatch(name) for name in (shape.name, *names)):
        raise ValueError(shape.name)
    if not shape.key or not set(shape.key) <= set(names) or len(set(names)) < len(names):
        raise ValueError(shape.name)
    if unknown := {kind for _, kind in shape.columns} - set(KINDS):
        raise ValueError(unknown)
    return shape
