"""A port served over HTTP, and the same port called over HTTP.

`expose` and `remote` are built from one signature, so they cannot disagree.
A convention carries weight here: a port method that takes no `now` only asks, so it may be
asked again when no answer came; one that takes `now` may change something and is sent once.
"""

import asyncio
import inspect
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any, TypeVar, cast, get_type_hints

import httpx2
from fastapi import APIRouter, Request, Response
from pydantic import TypeAdapter, ValidationError
from typing_extensions import TypedDict

from lendery.contracts.base import PeerFailed, PeerUnavailable
from lendery.platform.breaker import Breaker
from lendery.platform.http import problems
from lendery.platform.services import ServiceTokens
from lendery.platform.settings import Settings

P = TypeVar("P")
Method = Callable[..., Coroutine[Any, Any, Any]]
TRIES = 2


@dataclass(frozen=True)
class _Call:
    name: str
    arguments: TypeAdapter[Any]
    result: TypeAdapter[Any]
    only_asks: bool


def _calls(port: type) -> list[_Call]:
    calls = []
    for name, method in inspect.getmembers(port, inspect.isfunction):
        if name.startswith("_"):
            continue
        hints = get_type_hints(method, include_extras=True)
        result = TypeAdapter(hints.pop("return"))
        shape = TypedDict(name, hints, total=False)  # type: ignore[misc]
        calls.append(_Call(name, TypeAdapter(shape), result, "now" not in hints))
    return calls


def expose(port: type[P], implementation: P) -> APIRouter:
    """`/internal/<Port>/<method>` for each method of the port."""
    router = APIRouter(prefix=f"/internal/{port.__name__}", include_in_schema=False)
    for call in _calls(port):
        router.add_api_route(f"/{call.name}", _endpoint(call, implementation), methods=["POST"])
    return router


def _endpoint(call: _Call, implementation: object) -> Callable[..., Any]:
    method = getattr(implementation, call.name)

    async def endpoint(request: Request) -> Response:
        arguments = call.arguments.validate_json(await request.body())
        result = await method(**arguments)
        return Response(call.result.dump_json(result), media_type="application/json")

    return endpoint


@dataclass(frozen=True)
class Peer:
    """How to reach the contexts of another process."""

    name: str
    client: httpx2.AsyncClient
    tokens: ServiceTokens
    breaker: Breaker

    @classmethod
    def of(cls, context: str, settings: Settings) -> "Peer":
        """The peer that serves a context, at the address in the settings."""
        client = httpx2.AsyncClient(
            base_url=str(settings.peers[context]),
            timeout=httpx2.Timeout(5.0, connect=1.0),
            limits=httpx2.Limits(max_connections=100, max_keepalive_connections=50),
        )
        name = ",".join(sorted(settings.contexts))
        tokens = ServiceTokens(settings.secret.get_secret_value(), name)
        return cls(context, client, tokens, Breaker(context))

    async def post(self, path: str, body: bytes, *, tries: int) -> httpx2.Response:
        """The answer, whatever its status. Raises PeerUnavailable when there is none."""
        self.breaker.enter()
        headers = {
            "authorization": f"Bearer {self.tokens.issue(self.name)}",
            "content-type": "application/json",
        }
        try:
            response = await self._sent(path, body, headers, tries)
        except httpx2.TransportError as error:
            self.breaker.failed()
            raise PeerUnavailable(f"No answer from {self.name}.", retry_after=5) from error
        except BaseException:
            self.breaker.probing = False
            raise
        if response.status_code >= 500 and not _is_refusal(response):
            self.breaker.failed()
        else:
            self.breaker.succeeded()
        return response

    async def _sent(
        self, path: str, body: bytes, headers: dict[str, str], tries: int
    ) -> httpx2.Response:
        for attempt in range(1, 10):
            try:
                return await self.client.post(path, content=body, headers=headers)
            except httpx2.ConnectError:  # it was never sent, so sending it again is safe
                if attempt >= max(tries, 2):
                    raise
            except httpx2.TransportError:
                if attempt >= tries:
                    raise
            await asyncio.sleep(0.02)
        raise AssertionError("unreachable")


def _is_refusal(response: httpx2.Response) -> bool:
    """The peer is well: it says, in a problem document, that it cannot do this now."""
    return (
        response.status_code == 503 and response.headers.get("content-type") == problems.MEDIA_TYPE
    )


def remote(port: type[P], peer: Peer) -> P:
    """The port, answered by another process."""
    proxy = type(f"Remote{port.__name__}", (), {})()
    for call in _calls(port):
        setattr(proxy, call.name, _sender(call, f"/internal/{port.__name__}", peer))
    return cast(P, proxy)


def _sender(call: _Call, prefix: str, peer: Peer) -> Method:
    path, tries = f"{prefix}/{call.name}", TRIES if call.only_asks else 1

    async def send(**arguments: Any) -> Any:
        body = call.arguments.dump_json(cast(Any, arguments))
        response = await peer.post(path, body, tries=tries)
        if response.is_success:
            try:
                return call.result.validate_json(response.content)
            except ValidationError as error:
                raise PeerFailed(f"The answer of {peer.name} cannot be read.") from error
        if response.headers.get("content-type") == problems.MEDIA_TYPE:
            wait = response.headers.get("retry-after", "")
            told = {"retry_after": int(wait)} if wait.isdecimal() else {}
            raise problems.from_body(response.json() | told)
        raise PeerFailed(f"{peer.name} answered {response.status_code}.")

    return send
