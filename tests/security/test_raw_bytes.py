"""Bytes that break parsers: always a plain refusal in the one form, never a 5xx.

What is not HTTP at all never reaches Lendery: the server answers it with a bare 400.
"""

import json

import pytest

from tests.security.cast import ADMIN, Cast
from tests.security.conftest import ONE
from tests.security.raw import RawAnswer, Socket, chunked
from tests.stories.library import API
from tests.system import System

pytestmark = pytest.mark.xdist_group(ONE)
LIMIT = 1_000_000


@pytest.fixture
def socket(one_process: System, one_cast: Cast) -> Socket:
    return Socket(one_process.urls["catalog"], one_cast.tokens[ADMIN] or "")


def is_problem(answer: RawAnswer, *statuses: int) -> None:
    """In the form of RFC 9457; a 422 says where."""
    assert answer.status in statuses, (answer.status, answer.body[:500])
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["x-content-type-options"] == "nosniff"
    told = json.loads(answer.body)
    assert told["status"] == answer.status
    assert told["type"].startswith("/problems/")
    assert told["title"] and told["detail"]
    if answer.status == 422:
        assert told["errors"], told
        for each in told["errors"]:
            assert each["says"] and (each.get("parameter") or each["pointer"].startswith("#"))


BODIES = {
    "NUL, written out": b'{"name": "a\\u0000b"}',
    "NUL, raw": b'{"name": "a\x00b"}',
    "half a surrogate pair": b'{"name": "\\ud800"}',
    "half a surrogate pair, raw": b'{"name": "\xed\xa0\x80"}',
    "not UTF-8": b'{"name": "\xff\xfe"}',
    "overlong UTF-8": b'{"name": "\xc0\xaf"}',
    "1e308": b'{"name": "Zoe", "born": 1e308}',
    "1e400": b'{"name": "Zoe", "born": 1e400}',
    "NaN": b'{"name": "Zoe", "born": NaN}',
    "infinity": b'{"name": "Zoe", "born": -Infinity}',
    "5,000 digits": b'{"name": "Zoe", "born": ' + b"9" * 5_000 + b"}",
    "a fraction": b'{"name": "Zoe", "born": 1819.5}',
    "lists, 10,000 deep": b"[" * 10_000 + b"]" * 10_000,
    "objects, 10,000 deep": b'{"a":' * 10_000 + b"1" + b"}" * 10_000,
    "lists, 10,000 deep, in a field": b'{"name":' + b"[" * 10_000 + b"]" * 10_000 + b"}",
    "objects, 500 deep, in a field": b'{"name":' + b'{"a":' * 500 + b"1" + b"}" * 501,
    "nothing": b"",
    "half of it": b'{"name":',
    "null": b"null",
    "a number": b"7",
    "a list": b'[{"name": "Zoe"}]',
    "a text": b'"Zoe"',
    "no JSON": b"name=Zoe",
    "two of them": b'{"name": "Zoe"}{"name": "Eve"}',
    "100,000 fields": json.dumps({f"f{n}": n for n in range(60_000)}).encode(),
    "a very long name": json.dumps({"name": "a" * 900_000}).encode(),
}


@pytest.mark.parametrize("body", BODIES)
async def test_a_body_that_breaks_parsers_is_refused(body: str, socket: Socket) -> None:
    is_problem(await socket.post(BODIES[body]), 400, 422)


async def test_of_a_key_sent_twice_the_last_counts_as_anywhere_in_python(socket: Socket) -> None:
    answer = await socket.post(b'{"name": "Zoe", "name": "Eve"}')
    assert (answer.status, json.loads(answer.body)["name"]) == (201, "Eve")


TOO_LARGE = b'{"name": "' + b"a" * LIMIT + b'"}'


async def test_a_body_of_a_megabyte_and_one_is_too_large(socket: Socket) -> None:
    is_problem(await socket.post(TOO_LARGE), 413)


async def test_it_is_too_large_in_chunks_too(socket: Socket) -> None:
    is_problem(await socket.post(chunked(TOO_LARGE), b"transfer-encoding: chunked"), 413)


async def test_what_is_only_announced_is_refused_all_the_same(socket: Socket) -> None:
    is_problem(await socket.post(b"", length=LIMIT + 1), 413)


async def test_a_body_of_a_megabyte_is_read(socket: Socket) -> None:
    body = b'{"name": "Zoe"' + b" " * (LIMIT - 15) + b"}"
    assert (await socket.post(body)).status == 201
    assert (await socket.post(chunked(body), b"transfer-encoding: chunked")).status == 201


@pytest.mark.parametrize(
    "kind",
    [
        None,
        "text/plain",
        "application/xml",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/problem",
        ";;;",
        "application/json-seq",
    ],
)
async def test_json_by_another_name_is_refused(kind: str | None, socket: Socket) -> None:
    """A form on a foreign page can send text/plain, but never application/json."""
    is_problem(await socket.post(b'{"name": "Zoe"}', kind=kind), 415, 422)


HEADERS = {
    "100 kB": b"x-anything: " + b"a" * 100_000,
    "a token of 100 kB": b"authorization: Bearer " + b"a" * 100_000,
    "a token that is no text": b"authorization: Bearer \xff\xfe\x80",
    "a token of dots": b"authorization: Bearer ...",
    "an ETag that is no text": b'if-none-match: "\xff',
    "a request id that is none": b"x-request-id: \xff\xfe",
    "a forged address": b"x-forwarded-for: ', , ::, \xff",
    "another scheme": b"authorization: Basic Og==",
    "no scheme": b"authorization: ",
}


@pytest.mark.parametrize("name", HEADERS)
async def test_a_strange_header_is_refused_or_overlooked(name: str, socket: Socket) -> None:
    answer = await socket.ask("GET", f"{API}/authors", None, HEADERS[name])
    if answer.status != 200:
        is_problem(answer, 401, 431)


@pytest.mark.parametrize("tag", ["\xff", '"', "7", '"7', "W/", '"' + "9" * 5_000 + '"', "a,b", ""])
async def test_an_if_match_that_names_no_version_is_stale(tag: str, socket: Socket) -> None:
    made = json.loads((await socket.post(b'{"name": "Zoe"}')).body)
    path, header = f"{API}/authors/{made['id']}", f"if-match: {tag}".encode("latin-1")
    is_problem(await socket.ask("PATCH", path, b'{"born": 1}', header), 412, 422)


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "TRACE", "OPTIONS", "CONNECT"])
async def test_a_method_that_is_not_offered_is_405_and_hears_what_is(
    method: str, socket: Socket
) -> None:
    answer = await socket.ask(method, f"{API}/authors")
    is_problem(answer, 405)
    assert answer.headers["allow"] == "GET, POST"


async def test_an_overridden_method_is_not_believed(socket: Socket) -> None:
    made = json.loads((await socket.post(b'{"name": "Zoe"}')).body)
    path = f"{API}/authors/{made['id']}"
    for header in (b"x-http-method-override: DELETE", b"x-http-method: DELETE"):
        assert (await socket.ask("GET", f"{path}?_method=DELETE", None, header)).status == 200
    assert (await socket.ask("GET", path)).status == 200


@pytest.mark.parametrize(
    "path",
    [
        "/nothing",
        f"{API}/nothing",
        f"{API}/authors/",
        f"{API}//authors",
        f"/{API}/authors",
        f"{API}/authors%2f",
        f"{API}/authors;x=1",
        f"{API}/authors/a%2fb",
        f"{API}/authors/../books",
        f"{API}/authors/%2e%2e/books",
        f"{API}/authors/%00",
        f"{API}/authors/%ff",
        f"{API}/copies/by-barcode/..%2f..%2fetc%2fpasswd",
        f"{API}/users/by-card/%00",
        f"{API.upper()}/authors",
        "/static/../../etc/passwd",
        "/static/%2e%2e/%2e%2e/pyproject.toml",
        "/%2e%2e/%2e%2e/etc/passwd",
        "/..;/metrics",
        "*",
    ],
)
async def test_a_path_that_leads_nowhere_is_refused(path: str, socket: Socket) -> None:
    is_problem(await socket.ask("GET", path), 404, 422)


@pytest.mark.parametrize(
    "path", ["/internal/Users/get", "/internal%2fUsers/get", "/%69nternal/Users/get", "/internal/"]
)
async def test_the_inner_doors_have_no_back_door(path: str, socket: Socket) -> None:
    is_problem(await socket.ask("POST", path, b"{}"), 401)


@pytest.mark.parametrize(
    "raw",
    [
        b"\x00\x01\x02\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"FOO / HTTP/1.1\r\nhost: a\r\n\r\n",
        b"POST /api/v1/authors HTTP/1.1\r\nhost: a\r\ncontent-length: -1\r\n\r\n",
        b"POST /api/v1/authors HTTP/1.1\r\nhost: a\r\ncontent-length: 9\r\n"
        b"transfer-encoding: chunked\r\n\r\n0\r\n\r\n",
        b"POST /api/v1/authors HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n\r\n",
    ],
)
async def test_what_is_not_http_never_arrives(raw: bytes, socket: Socket) -> None:
    """The last two: a length and chunks together are how requests are smuggled past a proxy."""
    assert (await socket.send(raw)).status == 400
