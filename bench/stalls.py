"""How long the event loop ever keeps everyone waiting, while a mixed load runs.

`python -m bench.stalls lendery` serves Lendery in a process where a task sleeps 1 ms again and
again and notes how late it woke. The machine is late by itself, so the bare application under
the same load is the limit. GET /bench/stalls tells, and begins anew.
"""

import asyncio
import json
import random
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from uuid import uuid4

from starlette.types import ASGIApp, Receive, Scope, Send

from bench import load, servers
from bench.bare import finished, serve
from bench.figures import Cost
from bench.library import ANN, LEA, WORDS, Library, barcode, card
from bench.servers import Server
from lendery.main import app_from_environment

TELL = "/bench/stalls"


class Watched:
    """Any ASGI application, with its event loop under watch."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self.late: list[float] = []
        self.watch: asyncio.Task[None] | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.watch = self.watch or asyncio.create_task(self._watching())
        if scope.get("path") != TELL:
            await self.app(scope, receive, send)
            return
        ranked, self.late = sorted(self.late) or [0.0], []
        told = {"worst": ranked[-1], "p99": ranked[len(ranked) * 99 // 100], "seen": len(ranked)}
        await finished_json(told)(scope, receive, send)

    async def _watching(self) -> None:
        while True:
            began = time.perf_counter()
            await asyncio.sleep(0.001)
            self.late.append((time.perf_counter() - began - 0.001) * 1000)


def finished_json(told: dict[str, Any]) -> ASGIApp:
    body = json.dumps(told).encode()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        headers = [(b"content-length", str(len(body)).encode())]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    return app


def measure(libraries: list[Library], folder: Path, seconds: int) -> list[Cost]:
    found = []
    with servers.watched_bare() as bare:
        for library in libraries:
            url = library.url
            if library.database == "SQLite":
                url = library.at(folder / "stalls.db")
            with servers.watched(url) as server:
                asked = list(_mixed(server, library))
                told = _watch(server, asked, seconds)
                limit = _watch(bare, asked, seconds)
            for name in ("worst", "p99"):
                what = f"event loop late, {name}, {library.database}; the limit is a bare answer"
                cost = Cost("-", what, "ms", round(limit[name], 2))
                cost.seen.append(told[name])
                found.append(cost)
    return found


def _watch(server: Server, asked: list[bytes], seconds: int) -> dict[str, float]:
    load.drive(server.port, asked, 1)
    server.json(TELL)
    load.drive(server.port, asked, seconds)
    told: dict[str, float] = server.json(TELL)
    return told


def _mixed(server: Server, library: Library) -> Iterator[bytes]:
    """In a hundred: 60 records, 20 searches, 10 check-outs, 9 returns, a sign-in."""
    ann, lea = server.token(ANN), server.token(LEA)
    form = urlencode({"grant_type": "password", "username": ANN[0], "password": ANN[1]})
    for number in range(10_000):
        at, copy = number % 100, random.randrange(library.size.copies)
        if at < 60:
            yield load.request(f"/api/v1/books/{random.choice(library.books)}", ann)
        elif at < 80:
            yield load.request(f"/api/v1/books?q={'+'.join(random.sample(WORDS, 2))}", ann)
        elif at < 90:
            who = random.randrange(library.size.patrons)
            body = f'{{"barcode":"{barcode(copy)}","card_number":"{card(who)}"}}'
            yield load.request("/api/v1/loans", lea, body=body, idempotency_key=uuid4().hex)
        elif at < 99:
            yield load.request("/api/v1/returns", lea, body=f'{{"barcode":"{barcode(copy)}"}}')
        else:
            kind = "application/x-www-form-urlencoded"
            yield load.request("/api/v1/auth/token", body=form, kind=kind)


if __name__ == "__main__":
    serve(Watched(app_from_environment() if sys.argv[1] == "lendery" else finished(500)))
