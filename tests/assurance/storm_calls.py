"""What was asked in a storm, and what was answered: the notes that outlive every server."""

import asyncio
import json
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from tests.assurance.desks import LENGTH, PATIENCE, Ask, Told

NO_ANSWER = Told(0, {"detail": "no answer"})


@dataclass
class Note:
    """One request. `kind` is the action; `tries` counts how often it was sent.

    `heard` are the bytes of an answer that broke off, `unequal` a later answer that differs, and
    `faults` counts the 500s: whoever says that does not know what it has done.
    """

    kind: str
    ask: Ask
    told: Told = NO_ANSWER
    tries: int = 0
    heard: int = 0
    unequal: Told | None = None
    faults: int = 0

    @property
    def answered(self) -> bool:
        """Something that the library stands by: neither silence nor "not now"."""
        return 0 < self.told.status < 500

    @property
    def done(self) -> bool:
        return 200 <= self.told.status < 300

    def hear(self, told: Told, heard: int) -> None:
        """The first answer counts; one that comes later must say the same."""
        self.tries += 1
        self.faults += told.status == 500
        if not self.answered:
            self.told, self.heard = told, heard if told.status == 0 else 0
        elif 0 < told.status < 500 and self.ask.key and told != self.told:
            self.unequal = told


@dataclass
class Line:
    """A keep-alive connection that may break at any moment."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    broken: bool = False

    async def told(self, ask: Ask) -> tuple[Told, int]:
        """The answer; or that there was none, and how many bytes of one came."""
        came = b""
        try:
            async with asyncio.timeout(PATIENCE):
                self.writer.write(ask.on_the_wire())
                while (answer := _whole(came)) is None:
                    more = await self.reader.read(65536)
                    if not more:
                        raise ConnectionResetError
                    came += more
        except OSError:  # TimeoutError too
            self.close()
            return NO_ANSWER, len(came)
        if answer.status >= 500:  # the server closes after an error of its own
            self.close()
        return answer, 0

    def close(self) -> None:
        self.broken = True
        self.writer.close()


def _whole(came: bytes) -> Told | None:
    head, end, body = came.partition(b"\r\n\r\n")
    if not end:
        return None
    length = LENGTH.search(head)
    if len(body) < (int(length[1]) if length else 0):
        return None
    return Told(int(head[9:12]), _read(body))


def _read(body: bytes) -> Any:
    try:
        return json.loads(body) if body else {}
    except ValueError:
        return {"detail": body.decode(errors="replace")}


@dataclass
class Caller:
    """Somebody with a line to each server, who calls again when a line is dead."""

    lines: dict[str, Line] = field(default_factory=dict)

    async def call(self, url: str, note: Note) -> bool:
        """False: nobody answers the phone there, so nothing was asked."""
        line = self.lines.get(url)
        if line is None or line.broken:
            try:
                line = Line(*await asyncio.open_connection("127.0.0.1", urlsplit(url).port))
            except OSError:
                return False
            self.lines[url] = line
        note.hear(*await line.told(note.ask))
        return True

    def hang_up(self) -> None:
        for line in self.lines.values():
            line.close()
        self.lines.clear()
