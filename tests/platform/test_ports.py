"""Ports over HTTP: what is sent arrives, what is refused is refused in the same words."""

import inspect
import types
import typing
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime, time
from typing import Any, get_type_hints
from uuid import UUID

import httpx2
import pytest
from fastapi import FastAPI
from pydantic import BaseModel, TypeAdapter

from lendery.contracts import (
    accounts,
    catalog,
    circulation,
    identity,
    importing,
    jobs,
    notices,
    privacy,
    reports,
    subscriptions,
)
from lendery.contracts.base import (
    Busy,
    Invalid,
    NotFound,
    PeerFailed,
    PeerUnavailable,
    Problem,
    SignInNeeded,
    TooManyRequests,
    new_id,
)
from lendery.platform.breaker import Breaker
from lendery.platform.events import Deliveries, Envelope
from lendery.platform.http.problems import add_problem_handlers
from lendery.platform.ports import Peer, expose, remote
from lendery.platform.services import ServiceTokens

SECRET = "a secret for these tests, 32 characters"
NOW = datetime(2026, 3, 1, 9, 30, 0, 123456, tzinfo=UTC)
PORTS = [
    each
    for module in (
        *(accounts, catalog, circulation, identity, importing, jobs, notices, privacy),
        *(reports, subscriptions),
    )
    for _, each in inspect.getmembers(module, inspect.isclass)
    if getattr(each, "_is_protocol", False)
    and f"{each.__module__}.".startswith(f"{module.__name__}.")
] + [Deliveries]
METHODS = [
    (port, name)
    for port in PORTS
    for name, _ in inspect.getmembers(port, inspect.isfunction)
    if not name.startswith("_")
]
WORDS = {
    "email": "ann@example.org",
    "card_number": "1000000008",
    "password": "long enough for Ann",
    "language": "en",
    "time_zone": "Europe/Berlin",
    "quiet_from": "21:00",
    "quiet_until": "07:00",
    "barcode": "30000000017",
    "signature": "a1" * 32,
}


def sample(hint: Any, name: str = "") -> Any:
    """Some value of a type, the same each time, as full as it can be."""
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin is typing.Annotated:
        return TypeAdapter(hint).validate_python(_like(arguments, name))
    if origin in (types.UnionType, typing.Union):
        return sample(arguments[0], name)
    if origin is typing.Literal:
        return arguments[-1]
    if origin in (list, tuple, frozenset) or getattr(origin, "__name__", "") == "Sequence":
        if origin is tuple and Ellipsis not in arguments:
            return tuple(sample(each, name) for each in arguments)
        made = [sample(arguments[0], name)]
        return {tuple: tuple, frozenset: frozenset}.get(origin, list)(made)
    if origin is dict:
        return {sample(arguments[0], "key"): sample(arguments[1], name)}
    if inspect.isclass(hint) and issubclass(hint, BaseModel):
        fields = {
            key: sample(typing.Annotated[(each.annotation, *each.metadata, key)], key)  # type: ignore[misc]
            for key, each in hint.model_fields.items()
        }
        return hint.model_validate({k: v for k, v in fields.items() if v is not None})
    return {
        UUID: UUID("01a2047a-bd68-702b-a3d5-cb1d7649a2a5"),
        datetime: NOW,
        date: date(2026, 2, 28),
        time: time(2, 30),
        int: 3,
        float: 0.5,
        bytes: b"UVVKRA==",  # base 64, twice
        bool: True,
        str: WORDS.get(name, "Middlemarch"),
        Any: {"any": ["thing", 1, None]},
        type(None): None,
    }[hint]


def _like(arguments: tuple[Any, ...], name: str) -> Any:
    if name in ("weekly", "exceptions", "hours") and arguments[0] is str:
        return "09:00"
    if arguments[0] is str:
        pattern = next((m.pattern for m in arguments[1:] if getattr(m, "pattern", None)), None)
        by_pattern = {r"^[A-Z]{3}$": "EUR", r"^[a-z]{2,3}$": "eng"}
        return by_pattern.get(pattern or "", WORDS.get(name, "Middlemarch"))
    if arguments[0] is datetime and name == "at":
        return NOW.replace(microsecond=123000)  # what desks sign is that exact
    return sample(arguments[0], name)


class Recorder:
    """Answers every method of a port with the sample of its result; notes what it was given."""

    def __init__(self, port: type, answers: Callable[[str], Any] | None = None) -> None:
        self.given: dict[str, dict[str, Any]] = {}
        for name, method in inspect.getmembers(port, inspect.isfunction):
            if not name.startswith("_"):
                setattr(self, name, self._method(name, method, answers))

    def _method(self, name: str, method: Any, answers: Callable[[str], Any] | None) -> Any:
        result = sample(get_type_hints(method, include_extras=True)["return"])

        async def answering(**given: Any) -> Any:
            self.given[name] = given
            return answers(name) if answers else result

        return answering


@asynccontextmanager
async def joined(port: type, implementation: Any) -> AsyncIterator[Any]:
    """The port as another process sees it."""
    app = FastAPI()
    add_problem_handlers(app)
    app.include_router(expose(port, implementation))
    transport = httpx2.ASGITransport(app=app, raise_app_exceptions=False)
    async with httpx2.AsyncClient(transport=transport, base_url="http://peer") as client:
        yield remote(port, Peer("catalog", client, ServiceTokens(SECRET, "web"), Breaker("x")))


def test_the_ports_of_all_contexts_are_looked_at() -> None:
    names = {port.__name__ for port in PORTS}
    assert names >= {"Patrons", "Users", "Tokens", "Keys", "Authors", "Books", "Copies", "Loans"}
    assert names >= {"CopyStates", "Branches", "Calendars", "Rules", "Deliveries"}


@pytest.mark.parametrize(("port", "name"), METHODS, ids=lambda x: getattr(x, "__name__", x))
async def test_what_is_asked_and_answered_is_the_same_near_and_far(port: type, name: str) -> None:
    here = Recorder(port)
    hints = get_type_hints(getattr(port, name), include_extras=True)
    result = hints.pop("return")
    given = {key: sample(hint, key) for key, hint in hints.items()}
    if name == "receive":
        event = accounts.PatronChanged(at=NOW, patron_id=new_id())
        given = {"envelopes": [Envelope.of(event)]}
    async with joined(port, here) as far:
        answer = await getattr(far, name)(**given)
    assert here.given[name] == given
    assert {k: type(v) for k, v in here.given[name].items()} == {
        k: type(v) for k, v in given.items()
    }
    assert answer == sample(result)
    assert type(answer) is type(sample(result))


@pytest.mark.parametrize("port", PORTS, ids=lambda port: port.__name__)
def test_every_parameter_is_named_and_typed(port: type) -> None:
    """What the wire is made of: a parameter by position or without a type would not cross."""
    for name, method in inspect.getmembers(port, inspect.isfunction):
        if name.startswith("_"):
            continue
        parameters = list(inspect.signature(method).parameters.values())[1:]
        assert {each.kind for each in parameters} <= {inspect.Parameter.KEYWORD_ONLY}
        hints = get_type_hints(method)
        assert {each.name for each in parameters} | {"return"} == set(hints)
        assert inspect.iscoroutinefunction(method)


async def test_an_argument_left_out_takes_its_default() -> None:
    here = Recorder(catalog.Authors)
    async with joined(catalog.Authors, here) as far:
        await far.remove(author_id=new_id(), actor=sample(accounts.Actor), now=NOW)
    assert "version" not in here.given["remove"]


def raising(problem: Exception) -> Callable[[str], Any]:
    def answers(name: str) -> Any:
        raise problem

    return answers


REFUSALS = [
    NotFound("There is no such book."),
    catalog.NoSuchBook("There is no such book."),
    catalog.IsbnTaken("Another book has it.", field="isbn", book_id=str(new_id())),
    circulation.CheckOutRefused("No.", blocks=[{"code": "on-loan", "says": "x", "waivable": True}]),
    Invalid("#/title: no", errors=[{"pointer": "#/title", "says": "no", "code": "x"}]),
    SignInNeeded("Sign in first."),
    Busy("The database is busy."),
    PeerUnavailable("Circulation does not answer."),
    TooManyRequests("Wait.", retry_after=412),
]


@pytest.mark.parametrize("problem", REFUSALS, ids=lambda each: each.code)
async def test_a_problem_travels_with_its_code_its_sentence_and_its_members(
    problem: Problem,
) -> None:
    async with joined(catalog.Books, Recorder(catalog.Books, raising(problem))) as far:
        with pytest.raises(type(problem)) as told:
            await far.get(book_id=new_id())
    assert type(told.value) is type(problem)
    assert told.value.detail == problem.detail
    extra = {k: v for k, v in told.value.extra.items() if k != "retry_after"}
    assert extra == {k: v for k, v in problem.extra.items() if k != "retry_after"}
    if "retry_after" in problem.extra:
        assert told.value.extra["retry_after"] == problem.extra["retry_after"]


async def test_a_problem_we_do_not_know_is_the_neighbours_failure() -> None:
    strange = NotFound("From a newer Lendery.")
    strange.code = "from-the-future"  # type: ignore[misc]
    async with joined(catalog.Books, Recorder(catalog.Books, raising(strange))) as far:
        with pytest.raises(PeerFailed, match="From a newer Lendery"):
            await far.get(book_id=new_id())


async def test_a_fault_over_there_is_a_failed_neighbour_here() -> None:
    async with joined(catalog.Books, Recorder(catalog.Books, raising(RuntimeError("x")))) as far:
        with pytest.raises(PeerFailed):
            await far.get(book_id=new_id())


async def test_an_argument_that_does_not_fit_is_refused_with_its_place() -> None:
    here = Recorder(catalog.Books)
    app = FastAPI()
    add_problem_handlers(app)
    app.include_router(expose(catalog.Books, here))
    transport = httpx2.ASGITransport(app=app)
    async with httpx2.AsyncClient(transport=transport, base_url="http://peer") as client:
        answer = await client.post("/internal/Books/get", content=b'{"book_id": "no id"}')
        garbage = await client.post("/internal/Books/get", content=b"{")
    assert answer.status_code == garbage.status_code == 422
    assert answer.json()["type"] == "/problems/invalid"
    assert answer.json()["errors"][0]["pointer"] == "#/book_id"
    assert here.given == {}


async def test_answers_that_are_no_problems_of_ours_are_a_failed_neighbour() -> None:
    def answer(request: httpx2.Request) -> httpx2.Response:
        return httpx2.Response(status, text="<h1>proxy</h1>")

    for status in (200, 301, 404, 502, 504):
        transport = httpx2.MockTransport(answer)
        async with httpx2.AsyncClient(transport=transport, base_url="http://peer") as client:
            peer = Peer("catalog", client, ServiceTokens(SECRET, "web"), Breaker("catalog"))
            with pytest.raises(PeerFailed, match=str(status) if status > 200 else "cannot be read"):
                await remote(catalog.Books, peer).get(book_id=new_id())
