"""The load of bench/requests.lua where there is no wrk: `python -m bench.client PORT FILE SECONDS`.

Speaks just enough HTTP: one request on the wire per connection, answers with a length.
"""

import asyncio
import itertools
import json
import re
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import cast

import uvloop

from bench.load import CONNECTIONS

LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)


class Desk(asyncio.Protocol):
    """One connection: sends a request, waits for the whole answer, sends the next."""

    def __init__(self, requests: Iterator[bytes], took: list[float], refused: list[int]) -> None:
        self.requests, self.took, self.refused = requests, took, refused
        self.held = b""
        self.at = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        self.send()

    def send(self) -> None:
        self.at = time.perf_counter()
        self.transport.write(next(self.requests))

    def data_received(self, data: bytes) -> None:
        self.held += data
        head = self.held.find(b"\r\n\r\n")
        if head < 0:
            return
        length = LENGTH.search(self.held, 0, head + 2)
        if len(self.held) < head + 4 + (int(length[1]) if length else 0):
            return
        self.took.append(time.perf_counter() - self.at)
        if self.held[9:10] in b"45":
            self.refused.append(int(self.held[9:12]))
        self.held = b""
        self.send()


async def load(port: int, requests: list[bytes], seconds: float) -> dict[str, float]:
    took: list[float] = []
    refused: list[int] = []
    endless = itertools.cycle(requests)
    loop = asyncio.get_running_loop()
    began = time.perf_counter()
    for _ in range(CONNECTIONS):
        await loop.create_connection(lambda: Desk(endless, took, refused), "127.0.0.1", port)
    await asyncio.sleep(seconds)
    lasted = time.perf_counter() - began
    ranked = sorted(took) or [0.0]
    return {
        "requests": len(took),
        "seconds": lasted,
        "refused": len(refused),
        "broken": 0,
        "p50": ranked[len(ranked) // 2] * 1000,
        "p99": ranked[len(ranked) * 99 // 100] * 1000,
    }


def read(file: Path) -> list[bytes]:
    content, at, found = file.read_bytes(), 0, []
    while at < len(content):
        end = content.index(b"\n", at)
        length = int(content[at:end])
        found.append(content[end + 1 : end + 1 + length])
        at = end + 1 + length
    return found


if __name__ == "__main__":
    port, file, seconds = sys.argv[1:]
    print(json.dumps(uvloop.run(load(int(port), read(Path(file)), float(seconds)))))
