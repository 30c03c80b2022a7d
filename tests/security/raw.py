"""Requests that no well-behaved client would send, byte for byte."""

import asyncio
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from tests.stories.library import API


@dataclass(frozen=True)
class RawAnswer:
    status: int
    headers: dict[str, str]
    body: bytes


@dataclass(frozen=True)
class Socket:
    """Speaks to one server in plain bytes, one connection a request."""

    url: str
    token: str

    async def send(self, raw: bytes) -> RawAnswer:
        where = urlsplit(self.url)
        reader, writer = await asyncio.open_connection(where.hostname, where.port)
        try:
            writer.write(raw)
            await writer.drain()
            got = await asyncio.wait_for(reader.read(), 10)
        finally:
            writer.close()
        head, _, body = got.partition(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").split("\r\n")
        headers = dict(line.split(": ", 1) for line in lines)
        named = {name.lower(): value for name, value in headers.items()}
        return RawAnswer(int(first.split()[1]), named, body)

    async def ask(
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        *headers: bytes,
        kind: str | None = "application/json",
        length: int | None = None,
    ) -> RawAnswer:
        """A whole request. `length` is what is announced, whatever the body has."""
        lines = [f"{method} {path} HTTP/1.1".encode(), b"host: lendery", b"connection: close"]
        if not any(each.lower().startswith(b"authorization") for each in headers):
            lines.append(b"authorization: Bearer " + self.token.encode())
        if kind and body is not None:
            lines.append(b"content-type: " + kind.encode())
        if body is not None and not any(b"chunked" in each for each in headers):
            lines.append(b"content-length: %d" % (len(body) if length is None else length))
        return await self.send(b"\r\n".join([*lines, *headers, b"", body or b""]))

    async def post(self, body: bytes, *headers: bytes, **but: Any) -> RawAnswer:
        """A new author, or what is sent in its place."""
        return await self.ask("POST", f"{API}/authors", body, *headers, **but)


def chunked(body: bytes, size: int = 65_536) -> bytes:
    pieces = [body[at : at + size] for at in range(0, len(body), size)]
    return b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n"
