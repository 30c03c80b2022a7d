"""Neighbours that are slow, away or broken; and how a service knows another."""

import asyncio
import time
from collections.abc import Callable
from typing import Any

import httpx2
import jwt
import pytest

from lendery.contracts.base import Busy, NotFound, PeerFailed, PeerUnavailable, SignInNeeded, new_id
from lendery.contracts.catalog import Books, Copies
from lendery.contracts.permissions import SYSTEM
from lendery.platform import ports, services
from lendery.platform.breaker import Breaker
from lendery.platform.ports import Peer, remote
from lendery.platform.services import ServiceTokens

from .test_ports import NOW, SECRET

Answer = Callable[[httpx2.Request], Any]
EMPTY = httpx2.Response(200, json=[])
REFUSED = {"type": "/problems/not-found", "detail": "no"}
PROBLEM = {"content-type": "application/problem+json"}


class Neighbour:
    """Answers as it is told; counts who came."""

    def __init__(self, answer: Answer, rest: float = 30) -> None:
        self.came: list[str] = []
        self.answer, self.breaker = answer, Breaker("catalog", rest=rest)
        client = httpx2.AsyncClient(
            transport=httpx2.MockTransport(self._handle), base_url="http://peer", timeout=0.1
        )
        self.peer = Peer("catalog", client, ServiceTokens(SECRET, "web"), self.breaker)
        self.books, self.copies = remote(Books, self.peer), remote(Copies, self.peer)

    async def _handle(self, request: httpx2.Request) -> httpx2.Response:
        self.came.append(request.url.path.rsplit("/", 1)[1])
        answer = self.answer(request)
        if asyncio.iscoroutine(answer):
            answer = await answer
        if isinstance(answer, Exception):
            raise answer
        found: httpx2.Response = answer
        return found

    async def ask(self) -> None:
        await self.books.by_ids(ids=[])

    async def order(self) -> None:
        await self.books.remove(book_id=new_id(), actor=SYSTEM, now=NOW)

    def has_rested(self) -> None:
        self.breaker.opened_at -= self.breaker.rest + 1

    async def fails(self, times: int) -> None:
        for _ in range(times):
            with pytest.raises((PeerUnavailable, PeerFailed, Busy)):
                await self.ask()


def well(request: httpx2.Request) -> httpx2.Response:
    return httpx2.Response(200, json=None if request.url.path.endswith("remove") else [])


def refused(_: httpx2.Request) -> Exception:
    return httpx2.ConnectError("connection refused")


def cut(_: httpx2.Request) -> Exception:
    return httpx2.ReadError("connection reset")


def slow(_: httpx2.Request) -> Exception:
    return httpx2.ReadTimeout("too slow")


def broken(_: httpx2.Request) -> httpx2.Response:
    return httpx2.Response(500, text="oops")


def refusing(_: httpx2.Request) -> httpx2.Response:
    return httpx2.Response(404, json=REFUSED, headers=PROBLEM)


# what happens, asked how often for a query and for a command
TRIES = [(refused, 2, 2), (cut, 2, 1), (slow, 2, 1), (broken, 1, 1), (refusing, 1, 1)]


@pytest.mark.parametrize(("answer", "query", "command"), TRIES)
async def test_a_question_may_be_asked_again_and_an_order_is_sent_once(
    answer: Answer, query: int, command: int
) -> None:
    for method, times in (("ask", query), ("order", command)):
        neighbour = Neighbour(answer)
        with pytest.raises((PeerUnavailable, PeerFailed, NotFound)):
            await getattr(neighbour, method)()
        assert len(neighbour.came) == times


async def test_a_second_try_that_succeeds_is_an_answer() -> None:
    failures = [httpx2.ReadError("reset")]
    neighbour = Neighbour(lambda request: failures.pop() if failures else well(request))
    await neighbour.ask()
    assert (len(neighbour.came), neighbour.breaker.failures) == (2, 0)


@pytest.mark.parametrize("answer", [refused, cut, slow, broken])
@pytest.mark.parametrize("method", ["ask", "order"])
async def test_after_five_failures_nobody_is_sent_any_more(answer: Answer, method: str) -> None:
    neighbour = Neighbour(answer, rest=5)
    for _ in range(5):
        with pytest.raises((PeerUnavailable, PeerFailed)):
            await getattr(neighbour, method)()
    neighbour.came.clear()
    began = time.monotonic()
    for _ in range(20):
        with pytest.raises(PeerUnavailable) as told:
            await getattr(neighbour, method)()
    assert neighbour.came == [], "told at once, without asking"
    assert time.monotonic() - began < 2
    assert told.value.extra["retry_after"] == 5


async def test_a_refusal_is_an_answer_and_opens_nothing() -> None:
    neighbour = Neighbour(refusing)
    for _ in range(20):
        with pytest.raises(NotFound):
            await neighbour.ask()
    assert len(neighbour.came) == 20


async def test_a_success_in_between_begins_the_count_anew() -> None:
    neighbour = Neighbour(broken)
    for _ in range(3):
        await neighbour.fails(4)
        neighbour.answer = well
        await neighbour.ask()
        neighbour.answer = broken
    assert len(neighbour.came) == 15


@pytest.mark.parametrize("method", ["ask", "order"])
async def test_after_its_rest_one_probe_of_fifty_callers_goes(method: str) -> None:
    neighbour = Neighbour(broken)
    await neighbour.fails(5)
    neighbour.has_rested()
    neighbour.came.clear()

    async def takes_a_while(request: httpx2.Request) -> httpx2.Response:
        await asyncio.sleep(0.02)
        return well(request)

    neighbour.answer = takes_a_while
    calls = [getattr(neighbour, method)() for _ in range(50)]
    results = await asyncio.gather(*calls, return_exceptions=True)
    assert len(neighbour.came) == 1
    assert sum(isinstance(each, PeerUnavailable) for each in results) == 49
    await asyncio.gather(*[neighbour.ask() for _ in range(50)])
    assert len(neighbour.came) == 51, "it is well again: all go"


@pytest.mark.parametrize("answer", [refused, cut, broken])
@pytest.mark.parametrize("method", ["ask", "order"])
async def test_a_probe_that_fails_rests_again_and_another_follows(
    answer: Answer, method: str
) -> None:
    neighbour = Neighbour(broken)
    await neighbour.fails(5)
    for _ in range(2):
        neighbour.has_rested()
        neighbour.came.clear()
        neighbour.answer = answer
        with pytest.raises((PeerUnavailable, PeerFailed)):
            await getattr(neighbour, method)()
        assert neighbour.came, "it was the probe"
        neighbour.came.clear()
        with pytest.raises(PeerUnavailable):
            await neighbour.ask()
        assert neighbour.came == []
    neighbour.has_rested()
    neighbour.answer = well
    await neighbour.ask()
    assert neighbour.breaker.failures == 0


async def test_a_probe_that_was_cancelled_lets_another_go() -> None:
    neighbour = Neighbour(broken)
    await neighbour.fails(5)
    neighbour.has_rested()
    neighbour.answer = lambda _: asyncio.sleep(10)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.02):
            await neighbour.ask()
    neighbour.answer = well
    await neighbour.ask()


async def test_a_slow_neighbour_is_given_up_in_time() -> None:
    began = asyncio.get_running_loop().time()

    async def sleepy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    server = await asyncio.start_server(sleepy, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with httpx2.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=0.1) as client:
        peer = Peer("catalog", client, ServiceTokens(SECRET, "web"), Breaker("catalog"))
        with pytest.raises(PeerUnavailable):
            await remote(Books, peer).by_ids(ids=[])
    assert asyncio.get_running_loop().time() - began < 2
    server.close()
    assert ports.TRIES == 2


def tokens(secret: str = SECRET, name: str = "web") -> ServiceTokens:
    return ServiceTokens(secret, name)


HERE = frozenset({"catalog", "accounts"})


def test_a_token_made_for_us_is_good() -> None:
    for audience in HERE:
        tokens().check(tokens().issue(audience), HERE)


def bent(**claims: Any) -> str:
    now = int(time.time())
    good = {"iss": "web", "aud": "service:catalog", "iat": now, "exp": now + 60}
    key = f"lendery-service-token:{SECRET}"
    return jwt.encode({k: v for k, v in {**good, **claims}.items() if v}, key, algorithm="HS256")


STRANGE: list[tuple[str, Callable[[], str]]] = [
    ("wrong secret", lambda: tokens("another secret, also 32 characters long").issue("catalog")),
    ("wrong audience", lambda: tokens().issue("circulation")),
    ("a person's audience", lambda: bent(aud="lendery")),
    ("expired", lambda: bent(exp=int(time.time()) - 1)),
    ("without an end", lambda: bent(exp=None)),
    ("without an audience", lambda: bent(aud=None)),
    ("without an issuer", lambda: bent(iss=None)),
    ("unsigned", lambda: jwt.encode({"aud": "service:catalog"}, "", algorithm="none")),
    ("the bare secret as key", lambda: jwt.encode({"aud": "service:catalog"}, SECRET, "HS256")),
    ("another algorithm", lambda: jwt.encode({"aud": "service:catalog"}, SECRET * 2, "HS512")),
    ("nothing", lambda: ""),
    ("garbage", lambda: "a.b.c"),
    ("not ASCII", lambda: "é.é.é"),
]


@pytest.mark.parametrize(("what", "make"), STRANGE, ids=[what for what, _ in STRANGE])
def test_a_strange_service_token_is_refused(what: str, make: Callable[[], str]) -> None:
    with pytest.raises(SignInNeeded):
        tokens().check(make(), HERE)


def test_a_token_is_used_again_and_renewed_before_it_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [time.time()]
    monkeypatch.setattr(services.time, "time", lambda: now[0])
    desk = tokens()
    first = desk.issue("catalog")
    assert desk.issue("catalog") == first
    assert desk.issue("accounts") != first
    now[0] += services.LIFE / 2 + 1
    assert desk.issue("catalog") != first
