"""The front door answers as the layers behind it would: status, every header, every byte."""

import asyncio
import re
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
import uvicorn
from starlette.types import ASGIApp

from lendery.contracts.base import new_id
from lendery.contracts.permissions import Actor
from lendery.platform.http import edge
from lendery.platform.http.edge import BodyLimit, HeadAsGet, Identified, Observed
from lendery.platform.http.front import FrontDoor
from lendery.platform.http.identity import Identities
from lendery.platform.http.limits import RateLimited
from lendery.platform.metrics import REQUESTS
from lendery.platform.services import ServiceTokens

from .asgi import Answer, ask
from .shelf import Shelf

ANN, LIB = Actor(id=new_id(), role="reader", session_id=new_id()), Actor(id=new_id(), role="admin")
NOON = 1_700_000_000.0 // 60 * 60 + 10


class Door:
    """The layers, with and without a front door, over a shelf each."""

    def __init__(self, *, per_minute: int = 50, quiet: bool = True, trusted: str = "") -> None:
        self.shelf = Shelf(entries=10)
        self.identities = Identities(None, "http://library.test")  # type: ignore[arg-type]
        for name, actor in (("ann", ANN), ("lib", LIB)):
            self.identities._verified[name] = (NOON + 1000, actor)
        app: ASGIApp = self.shelf.app
        app = self.limits = RateLimited(app, per_minute, frozenset({trusted}))
        app = Identified(
            app, self.identities, ServiceTokens("s" * 32, "check"), frozenset({"shelf"})
        )
        self.layers = Observed(HeadAsGet(BodyLimit(app, 1000)))
        self.door = FrontDoor(self.layers, self.shelf.answers, self.identities, self.limits)
        self.door.quiet = quiet
        self.reached = 0

    @asynccontextmanager
    async def counting(self) -> AsyncIterator[None]:
        """`reached`: how often a request went on to the layers."""
        layers = self.door.app

        async def counted(*message: Any) -> None:
            self.reached += 1
            await layers(*message)

        self.door.app = counted
        yield
        self.door.app = layers


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    now = [NOON]
    monkeypatch.setattr(edge.time, "time", lambda: now[0])
    return now


@pytest.fixture(autouse=True)
def numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(edge, "next_request_id", lambda: b"the-request-1")


USUAL: list[dict[str, Any]] = [
    {},
    {"query": "a=1"},
    {"headers": [("authorization", "Bearer ann")]},
    {"headers": [("authorization", "bearer ann"), ("cookie", "theme=dark")]},
    {"headers": [("authorization", "Bearer lib")]},
    {"headers": [("if-none-match", '"1"')]},
    {"headers": [("if-none-match", '"0", W/"1"'), ("authorization", "Bearer lib")]},
    {"headers": [("if-none-match", "*")]},
    {"headers": [("if-none-match", '"other"')]},
    {"headers": [("x-request-id", "given-by-the-proxy")]},
    {"headers": [("x-request-id", "bad id")]},
    {"headers": [("cookie", "lendery_access=ann")]},
    {"headers": [("cookie", "lendery_access=lib; x=1")]},
    {"headers": [("cookie", "lendery_access=unknown")]},
    {"client": "2001:db8:1:2::1"},
    {"client": None},
    {"client": "10.0.0.1", "headers": [("x-forwarded-for", "198.51.100.4")]},
    {"path": "/books"},
]
UNUSUAL: list[dict[str, Any]] = [
    {"headers": [("authorization", "Bearer nobody")]},
    {"headers": [("authorization", "Basic YTpi")]},
    {"headers": [("x-request-id", "first-one-here"), ("x-request-id", "second-one-here")]},
    {"headers": [("if-none-match", '"1"'), ("if-none-match", '"2"')]},
    {"method": "HEAD"},
    {"method": "DELETE"},
    {"method": "POST", "body": [b"x" * 10]},
    {"path": "/elsewhere"},
    {"path": "/books/odd"},
    {"path": "/books/busy"},
]


def told(answer: Answer) -> tuple[int, list[tuple[str, str]], bytes]:
    return answer.status, answer.headers, answer.body


@pytest.mark.parametrize("asked", [*USUAL, *UNUSUAL], ids=str)
async def test_the_answer_is_that_of_the_layers(asked: dict[str, Any]) -> None:
    asked = {"path": "/books/1"} | asked
    mine, theirs = Door(trusted="10.0.0.1"), Door(trusted="10.0.0.1")
    for _ in range(3):  # made, and given again
        a, b = await ask(mine.door, **asked), await ask(theirs.layers, **asked)
        assert told(a) == told(b)
    assert mine.limits.counts == theirs.limits.counts


@pytest.mark.parametrize("asked", USUAL, ids=str)
async def test_the_usual_needs_no_layer(asked: dict[str, Any]) -> None:
    door = Door(trusted="10.0.0.1")
    async with door.counting():
        for _ in range(3):
            assert (await ask(door.door, **({"path": "/books/1"} | asked))).status in (200, 304)
    assert door.reached == 0


@pytest.mark.parametrize("who", [[], [("authorization", "Bearer ann")]])
async def test_who_asks_too_often_is_refused_whichever_way_they_come(
    who: list[tuple[str, str]], clock: list[float]
) -> None:
    door = Door(per_minute=4)
    said = []
    for path in ("/books/1", "/books/odd", "/books/1", "/nowhere", "/books/1", "/books/1"):
        said.append((await ask(door.door, path, headers=who)).status)
    assert said == [200, 200, 200, 200, 429, 429]
    clock[0] += 60
    assert (await ask(door.door, "/books/1", headers=who))["ratelimit"] == '"default";r=3;t=50'


async def test_two_misses_at_once_are_both_counted() -> None:
    door = Door(per_minute=4)
    door.shelf.gate = asyncio.Event()
    both = [asyncio.create_task(ask(door.door, "/books/1")) for _ in range(2)]
    await asyncio.sleep(0.01)
    door.shelf.gate.set()
    left = sorted([(await each)["ratelimit"] for each in both])
    assert left == ['"default";r=2;t=50', '"default";r=3;t=50']


async def test_a_session_that_ended_opens_no_door(clock: list[float]) -> None:
    door, asked = Door(), [("authorization", "Bearer ann")]
    assert (await ask(door.door, "/books/1", headers=asked)).status == 200

    class Ended:
        async def revoked_since(self, *, since: Any) -> list[Any]:
            from datetime import UTC, datetime
            from types import SimpleNamespace

            return [SimpleNamespace(id=ANN.session_id, at=datetime.now(UTC))]

    door.identities._source = Ended()  # type: ignore[assignment]
    await door.identities.look()
    assert (await ask(door.door, "/books/1", headers=asked)).status == 401
    assert (await ask(door.layers, "/books/1", headers=asked)).status == 401


async def test_a_token_that_expired_opens_no_door(clock: list[float]) -> None:
    door, asked = Door(), [("authorization", "Bearer ann")]
    assert (await ask(door.door, "/books/1", headers=asked)).status == 200
    clock[0] += 1001
    assert (await ask(door.door, "/books/1", headers=asked)).status == 401


async def test_each_request_is_counted_once() -> None:
    def counted() -> list[int]:
        found = [REQUESTS.of("GET", "/books/{id}", status) for status in (200, 304)]
        return [sum(each.buckets) for each in found]

    door, before = Door(), counted()
    await ask(door.door, "/books/1")
    await ask(door.door, "/books/1")
    await ask(door.door, "/books/1", headers=[("if-none-match", '"1"')])
    await ask(door.layers, "/books/1")
    assert [b - a for a, b in zip(before, counted(), strict=True)] == [3, 1]


async def test_when_each_request_is_logged_the_layers_log_it() -> None:
    door = Door(quiet=False)
    async with door.counting():
        await ask(door.door, "/books/1")
    assert door.reached == 1


@asynccontextmanager
async def served(app: ASGIApp) -> AsyncIterator[int]:
    with socket.socket() as place:
        place.bind(("127.0.0.1", 0))
        port = place.getsockname()[1]
        config = uvicorn.Config(
            app, http="httptools", lifespan="off", access_log=False, log_level="error",
            log_config=None, server_header=False,
        )  # fmt: skip
        server = uvicorn.Server(config)
        running = asyncio.create_task(server.serve(sockets=[place]))
        while not server.started:
            await asyncio.sleep(0.01)
        yield port
        server.should_exit = True
        await running


async def raw(port: int, *requests: str, apart: bool = True) -> list[bytes]:
    """What comes over the wire for each request on one connection."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    found = []
    if not apart:
        writer.write("".join(requests).encode())
    for request in requests:
        if apart:
            writer.write(request.encode())
        head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 5)
        length = None if request.startswith("HEAD") else re.search(rb"content-length: (\d+)", head)
        found.append(head + (await reader.readexactly(int(length[1])) if length else b""))
    writer.close()
    return [re.sub(rb"date: [^\r]+", b"date: -", each) for each in found]


def request(path: str = "/books/1", method: str = "GET", *headers: str) -> str:
    return "\r\n".join([f"{method} {path} HTTP/1.1", "host: x", *headers]) + "\r\n\r\n"


REQUESTED = [
    request(),
    request("/books/1", "GET", "authorization: Bearer ann"),
    request("/books/1", "GET", "authorization: Bearer lib", 'if-none-match: "1"'),
    request("/books/1", "GET", 'if-none-match: "1"'),
    request("/books?a=1"),
    request("/books/1", "HEAD"),
    request("/elsewhere"),
    request("/books/2", "GET", "x-request-id: given-one-7"),
]


@pytest.mark.parametrize("apart", [True, False], ids=["one after the other", "pipelined"])
async def test_over_a_real_connection_every_byte_is_the_same(apart: bool) -> None:
    mine, theirs = Door(), Door()
    async with served(mine.door) as here, served(theirs.layers) as there:
        a = await raw(here, *REQUESTED, apart=apart)
        b = await raw(there, *REQUESTED, apart=apart)
    for sent, ours, layers in zip(REQUESTED, a, b, strict=True):
        assert ours == layers, sent


async def test_a_connection_that_ends_is_closed_as_it_should_be() -> None:
    door = Door()
    async with served(door.door) as port:
        [told] = await raw(port, request("/books/1", "GET", "connection: close"))
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(request("/books/1", "GET", "connection: close").encode())
        whole = await asyncio.wait_for(reader.read(), 5)
        writer.close()
    assert b"connection: close" in told and whole.endswith(b"}")


def test_no_header_can_break_out_of_its_line() -> None:
    from lendery.platform.http import wire

    for value in (b"a\r\nset-cookie: x", b"a\0"):
        with pytest.raises(ValueError):
            wire.lines([(b"etag", value), (b"x", b"y")])
