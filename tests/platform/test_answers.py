"""Pages and cursors, ETags and conditions, keys, and every error as a problem."""

import base64
import json
from typing import Annotated, Any
from uuid import UUID

import httpx2
import pytest
from fastapi import Body, FastAPI, HTTPException, Request, Response
from pydantic import BaseModel

from lendery.contracts.base import (
    Input,
    Invalid,
    Line,
    NotFound,
    Page,
    Stale,
    TooManyRequests,
    Value,
    new_id,
)
from lendery.contracts.permissions import Actor
from lendery.platform.http.answers import (
    ExpectedVersion,
    PageWindow,
    RequestKeyed,
    answer,
    etag_of,
    expected_version,
    items_answer,
    page_answer,
    version_tag,
)
from lendery.platform.http.problems import add_problem_handlers
from lendery.platform.paging import make_cursor, read_cursor

from .asgi import ask

ID = UUID("01a2047a-bd68-702b-a3d5-cb1d7649a2a5")


def raw(value: Any) -> str:
    text = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(text).decode().rstrip("=")


@pytest.mark.parametrize(
    ("keys", "kinds"),
    [
        ((ID,), (UUID,)),
        (("Eliot, George", ID), (str, UUID)),
        ((None, ID), (str, UUID)),
        ((-(2**63) + 1, "図書館 \" ' %", ID), (int, str, UUID)),
        ((1.5, ID), (float, UUID)),
        (("", 0), (str, int)),
    ],
)
def test_a_cursor_reads_as_what_it_was_made_of(keys: Any, kinds: Any) -> None:
    cursor = make_cursor(*keys)
    assert read_cursor(cursor, *kinds) == list(keys)
    assert cursor.isascii() and "=" not in cursor


NO_CURSORS: list[tuple[str, str, tuple[type, ...]]] = [
    ("nothing", "", (UUID,)),
    ("garbage", "!!!!", (UUID,)),
    ("not ASCII", "é", (UUID,)),
    ("one letter", "a", (UUID,)),
    ("not UTF-8", raw(b"\xff\xfe"), (str,)),
    ("not JSON", raw(b"{"), (str,)),
    ("no list", raw({"a": 1}), (str,)),
    ("a bare word", raw("abc"), (str, str, str)),
    ("too few keys", raw(["a"]), (str, UUID)),
    ("too many keys", raw(["a", str(ID), 1]), (str, UUID)),
    ("a word for a number", raw(["1"]), (int,)),
    ("a number for a word", raw([1]), (str,)),
    ("yes for a number", raw([True]), (int,)),
    ("a fraction for a number", raw([1.5]), (int,)),
    ("a number too large", raw([2**63]), (int,)),
    ("a number far too large", raw([10**400]), (int,)),
    ("a number too small", raw([-(2**64)]), (int,)),
    ("a list for a word", raw([["a"]]), (str,)),
    ("a number for an id", raw([7]), (UUID,)),
    ("nothing for an id", raw([None]), (UUID,)),
    ("a word for an id", raw(["x"]), (UUID,)),
    ("a NUL", raw(["a\x00b"]), (str,)),
    ("half a surrogate pair", raw(b'["\\ud800"]'), (str,)),
    ("very deep", raw(b"[" * 600), (str,)),
]


@pytest.mark.parametrize(("what", "cursor", "kinds"), NO_CURSORS, ids=[n[0] for n in NO_CURSORS])
def test_what_is_no_cursor_is_refused(what: str, cursor: str, kinds: tuple[type, ...]) -> None:
    with pytest.raises(Invalid) as told:
        read_cursor(cursor, *kinds)
    assert told.value.extra["errors"][0]["parameter"] == "cursor"


class Thing(Value):
    name: str


class NewThing(Input):
    name: Line
    parts: list["NewPart"] = []


class NewPart(Input):
    size: int
    kind: Annotated[str, Body()] = "plain"


class Choice(Input):
    part: NewPart | Line


def app() -> FastAPI:
    made = FastAPI()
    add_problem_handlers(made)

    @made.get("/things")
    async def listed(request: Request, window: PageWindow) -> Response:
        page = Page[Thing](
            items=[Thing(name="Middlemarch")],
            next_cursor=None if window.after else "next",
            total=7 if window.total else None,
        )
        return page_answer(page, request)

    @made.get("/things/all")
    async def everything(request: Request) -> Response:
        return items_answer([Thing(name="a"), Thing(name="b")], request)

    @made.get("/things/{thing_id}")
    async def get(request: Request, thing_id: UUID) -> Response:
        return answer(Thing(name="Middlemarch"), request, etag=version_tag(3))

    @made.post("/things", status_code=201)
    async def add(request: Request, thing: NewThing, key: RequestKeyed) -> Response:
        name = f"{key.scope} {key.key} {key.fingerprint}" if key else "no key"
        location = "/things/1"
        return answer(Thing(name=name), request, status=201, etag='"1"', location=location)

    @made.post("/choices")
    async def choose(choice: Choice) -> None: ...

    @made.patch("/things/{thing_id}")
    async def change(thing_id: UUID, version: ExpectedVersion) -> dict[str, int | None]:
        return {"version": version}

    @made.get("/raise/{what}")
    async def raising(what: str) -> None:
        if what == "value":
            NewThing.model_validate({"name": "", "parts": [{"size": "x"}]})
        raise {
            "problem": NotFound("There is no such thing.", of="things"),
            "wait": TooManyRequests("Slowly.", retry_after=17),
            "http": HTTPException(406, "Not in that form.", {"x-why": "so"}),
            "fault": RuntimeError("ann@example.org"),
        }[what]

    return made


async def call(method: str, path: str, **options: Any) -> httpx2.Response:
    transport = httpx2.ASGITransport(app=app(), raise_app_exceptions=False)
    async with httpx2.AsyncClient(transport=transport, base_url="http://library.test") as client:
        return await client.request(method, path, **options)


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (None, 200),
        ('"3"', 304),
        ('W/"3"', 304),
        ('"1", "3"', 304),
        ('"1" , W/"3"', 304),
        ("*", 304),
        ('"33"', 200),
        ("3", 200),
        ("", 200),
        ("é", 200),
    ],
)
async def test_if_none_match_saves_the_body_of_what_the_client_has(
    sent: str | None, status: int
) -> None:
    headers = [("if-none-match", sent)] if sent is not None else []
    told = await ask(app(), f"/things/{ID}", headers=headers)
    assert told.status == status
    assert told["etag"] == '"3"'
    assert told.body == (b"" if status == 304 else b'{"name":"Middlemarch"}')


@pytest.mark.parametrize(
    ("sent", "version"),
    [
        (None, None),
        ("*", None),
        (" * ", None),
        ('"3"', 3),
        ("3", 3),
        ('"3-17"', 3),
        ('"0"', 0),
        ('"003"', 3),
    ],
)
async def test_if_match_names_the_version_that_was_seen(
    sent: str | None, version: int | None
) -> None:
    assert await expected_version(sent) == version


@pytest.mark.parametrize(
    "sent",
    [
        "",
        '""',
        '"abc"',
        'W/"3"',
        '"-3"',
        '"3.5"',
        '"1", "3"',
        "²",
        '"³"',
        "٣",
        '"' + "9" * 16 + '"',
    ],
)
async def test_if_match_that_names_no_version_is_stale(sent: str) -> None:
    with pytest.raises(Stale):
        await expected_version(sent)


def test_tags_are_strong_and_tell_versions_apart() -> None:
    assert version_tag(3) == '"3"'
    assert version_tag(3, "17") == '"3-17"'
    assert etag_of(b"a") == etag_of(b"a") != etag_of(b"b")
    assert etag_of(b"a").startswith('"') and etag_of(b"a").endswith('"')


async def test_a_page_says_where_the_next_begins_and_counts_only_when_asked() -> None:
    first = await call("GET", "/things?limit=5&q=a%20b&offset=3")
    assert first.json() == {"items": [{"name": "Middlemarch"}], "next_cursor": "next"}
    assert first.headers["link"] == '</things?limit=5&q=a+b&cursor=next>; rel="next"' or (
        first.headers["link"] == '</things?limit=5&q=a%20b&cursor=next>; rel="next"'
    )
    again = await call("GET", "/things?limit=5", headers={"if-none-match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    last = await call("GET", "/things?cursor=x&total=exact")
    assert last.json()["total"] == 7 and last.json()["next_cursor"] is None
    assert "link" not in last.headers
    assert len((await call("GET", "/things/all")).json()["items"]) == 2


@pytest.mark.parametrize(
    "query", ["limit=0", "limit=101", "limit=x", "limit=-1", "cursor=", "total=yes", "limit=1e2"]
)
async def test_a_window_that_makes_no_sense_is_refused(query: str) -> None:
    told = await call("GET", f"/things?{query}")
    assert told.status_code == 422
    assert told.json()["errors"][0]["parameter"] == query.split("=")[0]


async def test_what_was_made_says_where_it_is() -> None:
    told = await call("POST", "/things", json={"name": "Middlemarch"})
    assert (told.status_code, told.headers["location"]) == (201, "/things/1")
    assert (told.headers["etag"], told.json()) == ('"1"', {"name": "no key"})


async def test_a_key_is_bound_to_who_sent_it_and_what_was_asked() -> None:
    async def said(key: str, name: str, actor: Actor | None) -> str:
        told = await ask(
            app(),
            "/things",
            method="POST",
            headers=[("idempotency-key", key), ("content-type", "application/json")],
            body=[json.dumps({"name": name}).encode()],
            state={"actor": actor} if actor else {},
        )
        assert told.status == 201, told.body
        found: str = told.json["name"]
        return found

    ann, ben = Actor(id=new_id(), role="reader"), Actor(id=new_id(), role="reader")
    first = (await said("k", "a", ann)).split()
    assert (await said("k", "a", ann)).split() == first
    other_body = (await said("k", "b", ann)).split()
    assert other_body[:2] == first[:2] and other_body[2] != first[2]
    assert (await said("k", "a", ben)).split()[0] != first[0]
    assert (await said("k", "a", None)).split()[0] not in (first[0], "None")


@pytest.mark.parametrize("key", ["", "with space", "x" * 256, "é", "tab\there"])
async def test_a_key_that_is_none_is_refused(key: str) -> None:
    told = await ask(
        app(),
        "/things",
        method="POST",
        headers=[("idempotency-key", key), ("content-type", "application/json")],
        body=[b'{"name": "a"}'],
    )
    assert told.status == 422
    assert told.json["errors"][0]["parameter"] == "idempotency-key"


PROBLEMS: list[tuple[str, str, dict[str, Any], int, str]] = [
    ("GET", "/raise/problem", {}, 404, "not-found"),
    ("GET", "/raise/wait", {}, 429, "too-many-requests"),
    ("GET", "/raise/http", {}, 406, "not-acceptable"),
    ("GET", "/raise/fault", {}, 500, "internal-error"),
    ("GET", "/raise/value", {}, 422, "invalid"),
    ("GET", "/nowhere", {}, 404, "not-found"),
    ("DELETE", "/things", {}, 405, "method-not-allowed"),
    ("GET", "/things/no-id", {}, 422, "invalid"),
    ("POST", "/things", {"content": b"{"}, 422, "invalid"),
    ("POST", "/things", {"json": {}}, 422, "invalid"),
    ("POST", "/things", {"json": {"name": "a", "colour": "red"}}, 422, "invalid"),
]


@pytest.mark.parametrize(("method", "path", "body", "status", "code"), PROBLEMS)
async def test_every_error_is_a_problem_document(
    method: str, path: str, body: dict[str, Any], status: int, code: str
) -> None:
    told = await call(method, path, **body)
    assert told.status_code == status
    assert told.headers["content-type"] == "application/problem+json"
    assert told.headers["cache-control"] == "no-store"
    document = told.json()
    assert document["type"] == f"/problems/{code}"
    assert (document["status"], document["instance"]) == (status, path)
    assert document["title"] and document["detail"]
    assert "ann@example.org" not in told.text


async def test_problems_carry_their_members_and_headers() -> None:
    assert (await call("GET", "/raise/problem")).json()["of"] == "things"
    waiting = await call("GET", "/raise/wait")
    assert waiting.headers["retry-after"] == "17" and "retry_after" not in waiting.json()
    assert (await call("GET", "/raise/http")).headers["x-why"] == "so"
    allowed = (await call("DELETE", "/things")).headers["allow"]
    assert set(allowed.split(", ")) >= {"GET", "POST"}


POINTERS: list[tuple[str, str, Any, list[str]]] = [
    ("POST", "/things", {}, ["#/name"]),
    ("POST", "/things", {"name": ""}, ["#/name"]),
    ("POST", "/things", {"name": "a", "a/b~c": 1}, ["#/a~1b~0c"]),
    ("POST", "/things", {"name": "a", "parts": [{"size": 1}, {"size": "x"}]}, ["#/parts/1/size"]),
    ("POST", "/things", {"name": "a", "parts": [{}]}, ["#/parts/0/size"]),
    ("POST", "/choices", {"part": {"size": "x"}}, ["#/part/size", "#/part"]),
    ("POST", "/things", [], ["#"]),
    ("GET", "/raise/value", None, ["#/name", "#/parts/0/size"]),
]


@pytest.mark.parametrize(("method", "path", "body", "pointers"), POINTERS)
async def test_each_wrong_field_is_pointed_at(
    method: str, path: str, body: Any, pointers: list[str]
) -> None:
    told = await call(method, path, **({"json": body} if body is not None else {}))
    assert told.status_code == 422
    errors = told.json()["errors"]
    assert [each.get("pointer") for each in errors] == pointers
    assert all(each["says"] and not each["says"].startswith("Value error") for each in errors)


async def test_very_many_mistakes_are_not_all_told() -> None:
    told = await call("POST", "/things", json={"name": "a", "parts": [{}] * 500})
    assert len(told.json()["errors"]) == 50
    assert len(told.json()["detail"]) < 1000


def test_an_answer_is_any_model() -> None:
    assert issubclass(Thing, BaseModel)
