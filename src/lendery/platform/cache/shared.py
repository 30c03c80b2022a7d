"""Finished answers that the processes of one installation share, in Redis.

Redis is never asked whether an answer is good. Each answer carries the number and the mark of
the state it was made at, and the feed of the process that reads it judges (feed.py); a code of
ours over every value tells one that was damaged or written by somebody else. So Redis may be
lost, emptied, restarted or fed nonsense at any moment. When it does not answer within PATIENCE it
is left alone for a while, and then one caller tries.
"""

import asyncio
import hashlib
from collections.abc import Awaitable, Callable, Iterable
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, TypeVar

import msgspec
import structlog

from lendery.platform.cache.feed import clock
from lendery.platform.metrics import SHARED_CACHE

if TYPE_CHECKING:
    from redis.asyncio import Redis

PATIENCE = 0.05  # seconds
REST = 2.0  # seconds
MOST_AT_ONCE = 64  # answers on their way there
CODE = 16  # bytes
T = TypeVar("T")
log = structlog.get_logger("lendery.cache")


class Made(NamedTuple):
    """An answer, and the state of its context that it was made at."""

    version: int
    mark: int
    finished: tuple[bytes, bytes, tuple[tuple[bytes, bytes], ...]]  # body, ETag, other headers


class Path(Protocol):
    """What this needs to know of a hot path."""

    @property
    def context(self) -> str: ...
    @property
    def shape(self) -> str: ...
    @property
    def key(self) -> Callable[[str], str | None]: ...


class SharedAnswers:
    """`secret` is the same for all processes of an installation."""

    def __init__(self, url: str, secret: str) -> None:
        self.url = url
        self._secret = hashlib.blake2b(secret.encode(), digest_size=32).digest()
        self._redis: Redis | None = None
        self._resting_until = 0.0
        self._trying = False
        self._on_their_way: set[asyncio.Task[None]] = set()

    def _client(self) -> "Redis":
        if self._redis is None:
            from redis.asyncio import BlockingConnectionPool, Redis
            from redis.asyncio.retry import Retry
            from redis.backoff import NoBackoff

            pool = BlockingConnectionPool.from_url(
                self.url,
                max_connections=8,
                timeout=PATIENCE,
                socket_timeout=PATIENCE,
                socket_connect_timeout=4 * PATIENCE,
                retry=Retry(NoBackoff(), 0),
            )
            self._redis = Redis(connection_pool=pool)
        return self._redis

    async def get(self, hot: Path, slot: tuple[str, bytes], version: int, mark: int) -> Made | None:
        """What was put there, at whatever state; None when there is nothing or nobody."""
        name = self._name(hot, slot, version, mark)
        sealed: Any = await self._ask("get", lambda redis: redis.get(name))
        made = self._opened(name, sealed) if sealed is not None else None
        SHARED_CACHE.labels("hit" if made else "miss").inc()
        return made

    def put(self, hot: Path, slot: tuple[str, bytes], made: Made, *, seconds: float) -> None:
        """Nobody waits for it."""
        if len(self._on_their_way) >= MOST_AT_ONCE or clock() < self._resting_until:
            return
        name = self._name(hot, slot, made.version, made.mark)
        task = asyncio.create_task(self._put(name, made, seconds))
        self._on_their_way.add(task)
        task.add_done_callback(self._on_their_way.discard)

    async def _put(self, name: str, made: Made, seconds: float) -> None:
        sealed = self._sealed(name, made)
        await self._ask("put", lambda redis: redis.set(name, sealed, px=int(seconds * 1000)))

    async def most_read(
        self, mine: Iterable[tuple[tuple[str, bytes], int]], many: int
    ) -> list[tuple[str, bytes]]:
        """Adds what was read here to what all have read, and tells what that is most."""
        read = {f"{path}?{query.decode('latin-1')}": n for (path, query), n in mine}

        async def count(redis: Any) -> list[Any]:
            async with redis.pipeline(transaction=False) as pipe:
                for each, n in read.items():
                    pipe.zincrby("lendery:read", n, each)
                pipe.zremrangebyrank("lendery:read", 0, -1001)
                pipe.expire("lendery:read", 86_400)
                pipe.zrevrange("lendery:read", 0, many - 1)
                found: list[Any] = (await pipe.execute())[-1]
                return found

        names: list[bytes] = await self._ask("count", count) or []
        told = [each.decode("utf-8", "replace").partition("?") for each in names]
        return [(path, query.encode("latin-1", "replace")) for path, _, query in told]

    async def close(self) -> None:
        if self._redis is not None:
            await self._redis.aclose()

    def _name(self, hot: Path, slot: tuple[str, bytes], version: int, mark: int) -> str:
        path, query = slot
        key = hot.key(path)
        at = key or f"list:{version}:{mark}"
        asked = path.encode() + b"?" + query
        digest = hashlib.blake2b(asked, key=self._secret, digest_size=12).hexdigest()
        return f"lendery:{hot.context}:{hot.shape}:{at}:{digest}"

    def _sealed(self, name: str, made: Made) -> bytes:
        content = msgspec.msgpack.encode(made)
        return self._code(name, content) + content

    def _opened(self, name: str, sealed: bytes) -> Made | None:
        content = sealed[CODE:]
        if self._code(name, content) != sealed[:CODE]:
            return None
        return msgspec.msgpack.decode(content, type=Made)

    def _code(self, name: str, content: bytes) -> bytes:
        code = hashlib.blake2b(name.encode(), key=self._secret, digest_size=CODE)
        code.update(content)
        return code.digest()

    async def _ask(self, what: str, question: Callable[["Redis"], Awaitable[T]]) -> T | None:
        """None when Redis does not answer in time. After its rest one caller tries it."""
        if self._resting_until:
            if self._trying or clock() < self._resting_until:
                return None
            self._trying = True
        try:
            async with asyncio.timeout(5 * PATIENCE):
                found = await question(self._client())
            self._resting_until = 0.0
            return found
        except Exception as error:
            self._resting_until = clock() + REST
            SHARED_CACHE.labels("away").inc()
            log.debug("redis is left alone", asked=what, why=type(error).__name__)
            return None
        finally:
            self._trying = False
