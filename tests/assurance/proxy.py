"""A proxy on loopback that does to connections what networks do."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

CHUNK = 65536


@dataclass
class Proxy:
    """`cut_after`: so many bytes of what the server answers come through on each connection, then
    both ends are cut off. None: all of it comes.
    """

    target: int
    port: int = 0
    cut_after: int | None = None
    passing: set["asyncio.Task[None]"] = field(default_factory=set)

    @classmethod
    @asynccontextmanager
    async def before(cls, target: int) -> AsyncIterator["Proxy"]:
        """In front of the server on this port."""
        proxy = cls(target)
        server = await asyncio.start_server(proxy._serve, "127.0.0.1", 0)
        proxy.port = server.sockets[0].getsockname()[1]
        try:
            yield proxy
        finally:
            server.close()
            for task in proxy.passing:
                task.cancel()
            await asyncio.gather(*proxy.passing, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self.passing.add(task)
        try:
            far = await asyncio.open_connection("127.0.0.1", self.target)
        except OSError:
            writer.transport.abort()
            return
        asking = asyncio.create_task(_pass_on(reader, far[1], None))
        try:
            await _pass_on(far[0], writer, self.cut_after)
        finally:
            asking.cancel()
            writer.transport.abort()
            far[1].transport.abort()
            self.passing.discard(task)


async def _pass_on(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, most: int | None
) -> None:
    """Until the end, or until `most` bytes have come through."""
    with suppress(OSError):
        while more := await reader.read(CHUNK):
            writer.write(more if most is None else more[:most])
            await writer.drain()
            if most is not None and (most := most - len(more)) <= 0:
                return
