"""Many requests at the same moment, from as many desks.

A desk is one keep-alive connection and speaks just enough HTTP for a race: all requests are on
the wire before the first answer is read, which a client with a pool does not promise.
"""

import asyncio
import json
import re
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlsplit

PATIENCE = 60.0  # seconds until a race that hangs is given up
LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)


@dataclass(frozen=True)
class Ask:
    """One request, with the token of whoever sends it."""

    method: str
    path: str
    token: str
    body: dict[str, Any] | None = None
    key: str = ""

    @property
    def headers(self) -> dict[str, str]:
        found = {"authorization": f"Bearer {self.token}", "content-type": "application/json"}
        return found | ({"idempotency-key": self.key} if self.key else {})

    @property
    def content(self) -> bytes:
        return b"" if self.body is None else json.dumps(self.body).encode()

    def on_the_wire(self) -> bytes:
        lines = [f"{self.method} {self.path} HTTP/1.1", "host: lendery"]
        lines += [f"{name}: {value}" for name, value in self.headers.items()]
        lines += [f"content-length: {len(self.content)}", "", ""]
        return "\r\n".join(lines).encode() + self.content


@dataclass(frozen=True)
class Told:
    """One answer."""

    status: int
    body: Any

    @property
    def blocks(self) -> list[str]:
        return [block["code"] for block in self.body.get("blocks", ())]

    @property
    def problem(self) -> str:
        return str(self.body.get("type", "")).removeprefix("/problems/")

    def __str__(self) -> str:
        return f"{self.status} {self.body.get('detail', '')}".strip()


class Desks(Protocol):
    async def at_once(self, asks: Sequence[Ask]) -> list[Told]:
        """Sends all, then reads all; the answers in the order of the requests."""
        ...


@dataclass
class HttpDesks:
    """Connections to one server; neighbours in the list belong to different workers."""

    wires: list["Wire"] = field(default_factory=list)

    @classmethod
    @asynccontextmanager
    async def open(cls, url: str, count: int, workers: Sequence[int]) -> AsyncIterator["HttpDesks"]:
        """`workers`: the process ids of which each must get its share of the desks."""
        desks = cls()
        try:
            await desks._fill(urlsplit(url).port or 80, count, workers)
            yield desks
        finally:
            for wire in desks.wires:
                wire.writer.close()

    async def _fill(self, port: int, count: int, workers: Sequence[int]) -> None:
        share = -(-count // max(1, len(workers)))
        taken: Counter[int] = Counter()
        for _ in range(20 * count):  # the workers race for connections: take what each one gets
            wire = await Wire.open(port)
            worker = _worker_behind(wire, port, workers) if len(workers) > 1 else 0
            if taken[worker] >= share:
                wire.writer.close()
                continue
            wire.turn = taken[worker]
            taken[worker] += 1
            self.wires.append(wire)
            if len(self.wires) == share * max(1, len(workers)):
                break
        else:
            raise AssertionError(f"the workers took {dict(taken)} of {count} connections")
        self.wires.sort(key=lambda each: each.turn)

    async def at_once(self, asks: Sequence[Ask]) -> list[Told]:
        assert len(asks) <= len(self.wires), "more requests than desks"
        for number, wire in enumerate(self.wires):
            if wire.spent:
                self.wires[number] = await Wire.open(wire.port)
        pairs = list(zip(self.wires, [ask.on_the_wire() for ask in asks], strict=False))
        for wire, request in pairs:
            wire.writer.write(request)
        async with asyncio.timeout(PATIENCE):
            return list(await asyncio.gather(*[wire.answer() for wire, _ in pairs]))


@dataclass
class Wire:
    """`spent`: the server closes it, as it does after an error of its own."""

    port: int
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    turn: int = 0
    spent: bool = False

    @classmethod
    async def open(cls, port: int) -> "Wire":
        """A connection that somebody has accepted, since it has answered."""
        wire = cls(port, *await asyncio.open_connection("127.0.0.1", port))
        wire.writer.write(b"GET /healthz HTTP/1.1\r\nhost: lendery\r\n\r\n")
        assert (await wire.answer()).status == 200
        return wire

    async def answer(self) -> Told:
        try:
            head = await self.reader.readuntil(b"\r\n\r\n")
            length = LENGTH.search(head)
            body = await self.reader.readexactly(int(length[1]) if length else 0)
        except (asyncio.IncompleteReadError, ConnectionError):
            self.spent = True
            return Told(0, {"detail": "no answer"})
        status = int(head[9:12])
        self.spent = status >= 500
        return Told(status, json.loads(body) if body else {})


def _worker_behind(wire: Wire, port: int, workers: Sequence[int]) -> int:
    """The process that accepted this connection, as the kernel's tables tell it."""
    _, client = wire.writer.get_extra_info("sockname")
    ends = (f":{port:04X}", f":{client:04X}")
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        _, local, remote, *_, inode = line.split()[:10]
        if (local[-5:], remote[-5:]) == ends:
            return next(pid for pid in workers if _holds(pid, f"socket:[{inode}]"))
    raise AssertionError("a connection that the kernel does not know")


def _holds(pid: int, socket: str) -> bool:
    for link in Path(f"/proc/{pid}/fd").iterdir():
        try:
            if str(link.readlink()) == socket:
                return True
        except OSError:  # closed meanwhile
            continue
    return False
