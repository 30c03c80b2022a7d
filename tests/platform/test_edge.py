"""The layers in front of the router: ids, sizes, limits, and who is at the other end."""

import asyncio
import contextlib
import time
from typing import Any
from uuid import uuid4

import pytest
import structlog
from fastapi import Body, FastAPI
from prometheus_client import generate_latest

from lendery.contracts.base import new_id
from lendery.contracts.permissions import Actor
from lendery.platform.http import edge
from lendery.platform.http.edge import (
    AnsweredWhenTold,
    BodyLimit,
    Identified,
    Observed,
)
from lendery.platform.http.limits import RateLimited, address
from lendery.platform.http.problems import add_problem_handlers
from lendery.platform.services import ServiceTokens

from .asgi import Answer, Echo, ask

PROXY, OTHER_PROXY, ANN, BEN = "10.0.0.1", "10.0.0.2", "198.51.100.4", "198.51.100.5"
TRUSTED = frozenset({PROXY, OTHER_PROXY})


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("a-good.one_123", True),
        ("x" * 64, True),
        ("short", False),
        ("x" * 65, False),
        ("with spaces in it", False),
        ('"><script>alert(1)</script>', False),
        ("umlaut-ü-1234", False),
        ("", False),
    ],
)
async def test_a_request_id_is_echoed_when_it_is_harmless_and_else_replaced(
    sent: str, kept: bool
) -> None:
    echo = Echo()
    answer = await ask(Observed(echo), headers=[("x-request-id", sent)])
    told = answer["x-request-id"]
    assert (told == sent) == kept
    assert 8 <= len(told) <= 64 and told.isascii()
    assert echo.scopes[0]["state"]["request_id"] == told


async def test_requests_without_an_id_get_one_each() -> None:
    app = Observed(Echo())
    told = [(await ask(app))["x-request-id"] for _ in range(20)]
    assert len(set(told)) == 20


@pytest.mark.parametrize("status", [200, 304, 404, 500])
async def test_every_answer_tells_browsers_to_be_careful(status: int) -> None:
    answer = await ask(Observed(Echo(status)))
    assert answer["x-content-type-options"] == "nosniff"
    assert answer["x-frame-options"] == "DENY"
    assert answer["referrer-policy"] == "same-origin"


async def test_metrics_and_logs_carry_no_query_body_or_path_of_a_person() -> None:
    secret = f"ann-{uuid4().hex}"
    app = FastAPI()
    add_problem_handlers(app)

    @app.post("/api/v1/users/{user_id}/loans")
    async def loans(user_id: str, q: str, body: dict[str, str] = Body()) -> None:  # noqa: B008
        raise RuntimeError("broken")

    async def swallowing(*message: Any) -> None:
        with contextlib.suppress(RuntimeError):  # Starlette raises it again behind the answer
            await app(*message)

    with structlog.testing.capture_logs() as logged:
        answer = await ask(
            Observed(swallowing),
            f"/api/v1/users/{secret}/loans",
            method="POST",
            query=f"q={secret}",
            headers=[("content-type", "application/json")],
            body=[f'{{"note": "{secret}"}}'.encode()],
        )
        await ask(Observed(Echo()), f"/odd/{secret}", query=secret, method="BREW" + secret[:4])
    assert answer.status == 500
    access = [entry for entry in logged if entry["event"] == "request"]
    assert access[0]["route"] == "/api/v1/users/{user_id}/loans"
    assert access[0]["request_id"] == answer["x-request-id"]
    assert secret not in str(access)
    text = generate_latest().decode()
    assert secret not in text
    assert 'method="OTHER",route="unmatched"' in text
    assert 'route="/api/v1/users/{user_id}/loans",status="500"' in text


def limited(limit: int = 1000, **echo: Any) -> BodyLimit:
    return BodyLimit(Echo(**echo), limit)


@pytest.mark.parametrize(
    ("chunks", "length", "status"),
    [
        ([b"x" * 1000], "1000", 200),
        ([b"x" * 1001], "1001", 413),
        ([b"x" * 500, b"x" * 500], None, 200),
        ([b"x" * 500, b"x" * 501], None, 413),
        ([b"x" * 2000], "10", 413),
        ([b""], "-1", 413),
        ([b""], "1e3", 413),
        ([b""], "9" * 400, 413),
        ([b""], None, 200),
    ],
)
async def test_a_body_over_the_limit_is_refused_announced_or_not(
    chunks: list[bytes], length: str | None, status: int
) -> None:
    headers = [("content-length", length)] if length else []
    answer = await ask(limited(), method="POST", body=chunks, headers=headers)
    assert answer.status == status
    if status == 413:
        assert answer.json["type"] == "/problems/too-large"
        assert "1000 bytes" in answer.json["detail"]
        assert answer["content-type"] == "application/problem+json"


async def test_a_large_body_is_refused_by_a_real_app_too() -> None:
    """A framework that turns every error of reading into its own must not hide this one."""
    app = FastAPI()
    add_problem_handlers(app)

    @app.post("/notes")
    async def notes(body: dict[str, str] = Body()) -> str:  # noqa: B008
        return "kept"

    sent = [b'{"text": "', b"x" * 1500, b'"}']
    headers = [("content-type", "application/json")]
    answer = await ask(BodyLimit(app, 1000), "/notes", method="POST", body=sent, headers=headers)
    assert (answer.status, answer.json["type"]) == (413, "/problems/too-large")


async def test_what_is_announced_too_large_never_reaches_the_app() -> None:
    echo = Echo()
    await ask(BodyLimit(echo, 10), method="PUT", headers=[("content-length", "11")], body=[b"x"])
    assert echo.scopes == []


def counted(per_minute: int = 3, trusted: frozenset[str] = TRUSTED) -> RateLimited:
    return RateLimited(Echo(), per_minute, trusted)


async def statuses(app: RateLimited, times: int, **asked: Any) -> list[int]:
    return [(await ask(app, **asked)).status for _ in range(times)]


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    now = [1_700_000_000.0 // 60 * 60 + 10]
    monkeypatch.setattr(edge.time, "time", lambda: now[0])
    return now


async def test_an_address_may_ask_so_often_a_minute_and_then_waits(clock: list[float]) -> None:
    app = counted()
    assert await statuses(app, 5) == [200, 200, 200, 429, 429]
    assert await statuses(app, 1, client=BEN) == [200], "others go on"
    clock[0] += 49
    refused = await ask(app)
    assert (refused.status, refused["retry-after"]) == (429, "1")
    assert refused.json["type"] == "/problems/too-many-requests"
    clock[0] += 1
    assert await statuses(app, 3) == [200] * 3


async def test_what_is_left_is_told_with_every_answer(clock: list[float]) -> None:
    app = counted(2)
    first, second = await ask(app), await ask(app)
    assert first["ratelimit-policy"] == '"default";q=2;w=60'
    assert (first["ratelimit"], second["ratelimit"]) == (
        '"default";r=1;t=50',
        '"default";r=0;t=50',
    )


def person(role: Any = "reader") -> dict[str, Any]:
    return {"actor": Actor(id=new_id(), role=role)}


async def test_a_person_is_counted_wherever_they_are_and_not_their_neighbours(
    clock: list[float],
) -> None:
    app, ann = counted(), person()
    where = [ANN, BEN, "192.0.2.1", "192.0.2.2"]
    said = [(await ask(app, client=each, state=dict(ann))).status for each in where]
    assert said == [200, 200, 200, 429]
    assert await statuses(app, 3, client=ANN, state=person()) == [200] * 3
    assert await statuses(app, 3, client=ANN) == [200] * 3, "nor strangers at the same address"


@pytest.mark.parametrize("state", [person("librarian"), person("admin"), {"service": True}])
async def test_staff_and_services_are_not_counted(clock: list[float], state: Any) -> None:
    app = counted()
    answers = [await ask(app, state=dict(state)) for _ in range(10)]
    assert {answer.status for answer in answers} == {200}
    assert not answers[0].has("ratelimit")


async def test_a_whole_ipv6_network_counts_as_one(clock: list[float]) -> None:
    app = counted()
    mine = ["2001:db8:1:2::1", "2001:db8:1:2::2", "2001:db8:1:2:ffff::3", "2001:DB8:1:2::4"]
    assert [(await ask(app, client=each)).status for each in mine] == [200, 200, 200, 429]
    assert (await ask(app, client="2001:db8:1:3::1")).status == 200


def seen(client: str | None, *forwarded: str, trusted: frozenset[str] = TRUSTED) -> str:
    headers = [(b"x-forwarded-for", each.encode("latin-1")) for each in forwarded]
    scope = {"client": (client, 1) if client else None, "headers": headers}
    return address(scope, trusted)


ADDRESSES = [
    ("nobody forwards", (ANN,), ANN),
    ("a stranger says it is somebody else", (ANN, BEN), ANN),
    ("a stranger says it comes through our proxy", (ANN, f"{BEN}, {PROXY}"), ANN),
    ("through our proxy", (PROXY, ANN), ANN),
    ("through two of ours", (PROXY, f"{ANN}, {OTHER_PROXY}"), ANN),
    ("a forged start of the chain", (PROXY, f"1.1.1.1, {ANN}"), ANN),
    ("forged as one of ours", (PROXY, f"{OTHER_PROXY}, {ANN}"), ANN),
    ("forged with a trusted one in the middle", (PROXY, f"1.1.1.1, {OTHER_PROXY}, {ANN}"), ANN),
    ("forged in a header of its own, ours follows", (PROXY, "1.1.1.1", ANN), ANN),
    ("forged headers, ours appends to the last", (PROXY, "1.1.1.1", f"2.2.2.2, {ANN}"), ANN),
    ("our proxy forgets to say", (PROXY,), PROXY),
    ("our proxy says nothing", (PROXY, " , "), PROXY),
    ("spaces", (PROXY, f"  {ANN}  "), ANN),
    ("IPv6 through our proxy", (PROXY, "2001:db8:1:2:3::4"), "2001:db8:1:2::/64"),
    ("IPv6 that is none", (PROXY, "zz::zz::zz"), "unknown"),
    ("IPv4 written as IPv6", (f"::ffff:{ANN}",), ANN),
    ("our proxy written as IPv6", (f"::ffff:{PROXY}", ANN), ANN),
    ("a socket without an address", (None,), "unknown"),
]


@pytest.mark.parametrize(("what", "given", "who"), ADDRESSES, ids=[row[0] for row in ADDRESSES])
def test_who_is_at_the_other_end(what: str, given: tuple[Any, ...], who: str) -> None:
    assert seen(*given) == who


async def test_nobody_gets_more_by_changing_what_is_forwarded(clock: list[float]) -> None:
    app = counted()
    said = []
    for number in range(6):
        forged = [("x-forwarded-for", f"1.1.1.{number}"), ("x-forwarded-for", ANN)]
        said.append((await ask(app, client=PROXY, headers=forged)).status)
    assert said == [200] * 3 + [429] * 3


class Told:
    def __init__(self, fails: bool = False) -> None:
        self.asked: list[float] = []
        self.fails = fails

    async def __call__(self, timeout: float) -> bool:
        self.asked.append(timeout)
        if self.fails:
            raise RuntimeError("the database is away")
        return True


@pytest.mark.parametrize(
    ("method", "path", "status", "waits"),
    [
        ("POST", "/api/v1/users", 201, True),
        ("PATCH", "/api/v1/users/1", 200, True),
        ("DELETE", "/api/v1/users/1", 204, True),
        ("PUT", "/api/v1/users/1", 200, True),
        ("POST", "/api/v1/users", 409, False),
        ("POST", "/api/v1/users", 500, False),
        ("GET", "/api/v1/users", 200, False),
        ("POST", "/api/v1/loans", 201, False),
        ("POST", "/internal/Loans/check_out", 200, False),
    ],
)
async def test_a_rare_change_is_answered_when_it_was_told(
    method: str, path: str, status: int, waits: bool
) -> None:
    told = Told()
    app = AnsweredWhenTold(Echo(status), told, frozenset({"/api/v1/loans"}))
    assert (await ask(app, path, method=method)).status == status
    assert bool(told.asked) == waits
    assert all(0 < each <= 0.25 for each in told.asked)


async def test_a_change_is_answered_even_when_nobody_can_say_whether_it_was_told() -> None:
    app = AnsweredWhenTold(Echo(201), Told(fails=True), frozenset())
    assert (await ask(app, "/api/v1/users", method="POST")).status == 201


class Known:
    """Identities that know one token."""

    def __init__(self, actor: Actor) -> None:
        self.actor = actor

    def kept(self, token: str) -> Actor | None:
        return self.actor if token == "good" else None

    async def of(self, token: str) -> Actor:
        from lendery.contracts.base import SignInNeeded

        raise SignInNeeded("This token is not valid here.")


SERVICES = ServiceTokens("a secret for these tests, 32 characters", "web")


@pytest.mark.parametrize(
    ("path", "sent", "status", "who"),
    [
        ("/x", None, 200, None),
        ("/x", "Bearer good", 200, "actor"),
        ("/x", "bEaReR good", 200, "actor"),
        ("/x", "Bearer bad", 401, None),
        ("/x", "Bearer ", 401, None),
        ("/x", "Basic YTpi", 200, None),
        ("/internal/Books/get", None, 401, None),
        ("/internal/Books/get", "Bearer good", 401, None),
        ("/internal/Books/get", "for catalog", 200, "service"),
        ("/internal/Books/get", "for accounts", 401, None),
        ("/x", "for catalog", 401, None),
    ],
)
async def test_a_token_says_who_asks_and_a_bad_one_is_refused_everywhere(
    path: str, sent: str | None, status: int, who: str | None
) -> None:
    ann, echo = Actor(id=new_id(), role="reader"), Echo()
    known: Any = Known(ann)
    app = Identified(echo, known, SERVICES, frozenset({"catalog"}))
    if sent and sent.startswith("for "):  # a service token, made now: it lives a minute
        sent = f"Bearer {SERVICES.issue(sent.removeprefix('for '))}"
    answer = await ask(app, path, headers=[("authorization", sent)] if sent else [])
    assert answer.status == status
    if status == 401:
        assert answer["www-authenticate"].startswith("Bearer") and echo.scopes == []
    else:
        state = echo.scopes[0]["state"]
        assert state.get("actor") == (ann if who == "actor" else None)
        assert bool(state.get("service")) == (who == "service")


async def test_other_kinds_of_connection_pass_all_layers_untouched() -> None:
    passed: list[str] = []

    async def inner(scope: Any, receive: Any, send: Any) -> None:
        passed.append(scope["type"])

    known: Any = Known(Actor())
    layers = [
        Observed(inner),
        BodyLimit(inner, 10),
        RateLimited(inner, 1, TRUSTED),
        Identified(inner, known, SERVICES, frozenset()),
        AnsweredWhenTold(inner, Told(), frozenset()),
    ]
    nothing: Any = None
    for layer in layers:
        await layer({"type": "lifespan"}, nothing, nothing)
    assert passed == ["lifespan"] * 5


async def test_a_slow_sender_of_too_much_is_not_waited_for_long() -> None:
    async def receive() -> Any:
        await asyncio.sleep(30)

    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {"type": "http", "method": "POST", "path": "/", "state": {}}
    headers = [(b"content-length", b"99999")]
    began = time.monotonic()
    await BodyLimit(Echo(), 10)({**scope, "headers": headers}, receive, send)
    assert time.monotonic() - began < 5
    assert sent[0]["status"] == 413


def test_an_answer_knows_its_headers() -> None:
    answer = Answer(200, [("a", "1")], b"{}")
    assert answer["a"] == "1" and not answer.has("b") and answer.json == {}
