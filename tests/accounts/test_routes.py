"""Accounts over HTTP, with the tokens and the problems as the world sees them."""

import json
from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import httpx2
import pytest
import pytest_asyncio
from fastapi import FastAPI
from sqlalchemy import select

from lendery.accounts.keys import KeyRing
from lendery.accounts.models import LOOKUPS
from lendery.accounts.people import PeopleDesk
from lendery.accounts.routes import routes
from lendery.accounts.tokens import SignIn
from lendery.contracts.accounts import User
from lendery.platform.db import Database
from lendery.platform.http.edge import Identified
from lendery.platform.http.identity import Identities
from lendery.platform.http.problems import add_problem_handlers
from lendery.platform.services import ServiceTokens
from lendery.platform.settings import Settings

from .conftest import PASSWORD, Joins

V1 = "/api/v1"
Http = httpx2.AsyncClient


class World:
    def __init__(self, http: Http, identities: Identities) -> None:
        self.http, self.identities = http, identities

    async def token(self, email: str, password: str = PASSWORD) -> dict[str, Any]:
        form = {"grant_type": "password", "username": email, "password": password}
        answered = await self.http.post(f"{V1}/auth/token", data=form)
        assert answered.status_code == 200, answered.text
        pair: dict[str, Any] = answered.json()
        return pair

    async def as_(self, email: str) -> dict[str, str]:
        return {"authorization": f"Bearer {(await self.token(email))['access_token']}"}


@pytest_asyncio.fixture
async def world(
    desk: PeopleDesk, sign_in: SignIn, keys: KeyRing, settings: Settings
) -> AsyncIterator[World]:
    app = FastAPI(redirect_slashes=False)
    add_problem_handlers(app)
    app.include_router(routes(desk, sign_in, keys, trusted=frozenset({"10.0.0.1"})))
    identities = Identities(keys, settings.public_url)
    services = ServiceTokens("secret", "test")
    guarded = Identified(app, identities, services, frozenset({"accounts"}))
    transport = httpx2.ASGITransport(app=guarded, client=("10.0.0.1", 1))
    async with Http(transport=transport, base_url="http://test") as http:
        yield World(http, identities)


@pytest_asyncio.fixture
async def ann(joins: Joins) -> User:
    return await joins("Ann")


@pytest_asyncio.fixture
async def lou(joins: Joins) -> User:
    return await joins("Lou", "librarian")


async def test_ann_joins_signs_in_reads_herself_and_leaves(world: World) -> None:
    http = world.http
    person = {"name": "Ann Lee", "email": "Ann@example.org", "password": PASSWORD}
    made = await http.post(f"{V1}/auth/register", json=person)
    assert made.status_code == 201, made.text
    assert made.headers["location"] == f"{V1}/users/{made.json()['id']}"
    pair = await world.token("ann@example.org")
    assert set(pair) == {"access_token", "refresh_token", "token_type", "expires_in", "scope"}
    mine = {"authorization": f"Bearer {pair['access_token']}"}
    me = await http.get(f"{V1}/auth/me", headers=mine)
    assert me.json() == made.json() and me.headers["etag"] == '"1"'
    assert "password" not in me.text
    again = await http.get(f"{V1}/auth/me", headers={**mine, "if-none-match": '"1"'})
    assert again.status_code == 304
    out = await http.post(f"{V1}/auth/revoke", data={"token": pair["refresh_token"]})
    assert (out.status_code, out.content) == (200, b"")
    await world.identities.look()
    gone = await http.get(f"{V1}/auth/me", headers=mine)
    assert gone.status_code == 401 and gone.headers["www-authenticate"].startswith("Bearer")


async def test_tokens_are_answered_for_nobody_to_store(world: World, ann: User) -> None:
    form = {"grant_type": "password", "username": "ann@example.org", "password": PASSWORD}
    first = await world.http.post(f"{V1}/auth/token", data=form)
    form = {"grant_type": "refresh_token", "refresh_token": first.json()["refresh_token"]}
    second = await world.http.post(f"{V1}/auth/token", data=form)
    for answered in (first, second):
        assert answered.headers["cache-control"] == "no-store"
        assert answered.json()["token_type"] == "Bearer"
        assert answered.json()["expires_in"] == 600


GOOD = {"grant_type": "password", "username": "ann@example.org", "password": PASSWORD}
REFUSED = [
    ({**GOOD, "password": "wrong"}, 401, "invalid_grant"),
    ({**GOOD, "username": "nobody"}, 401, "invalid_grant"),
    ({**GOOD, "grant_type": "client_credentials"}, 400, "unsupported_grant_type"),
    ({**GOOD, "grant_type": ""}, 400, "invalid_request"),
    ({"username": "a", "password": "b"}, 400, "invalid_request"),
    ({"grant_type": "password", "password": "b"}, 400, "invalid_request"),
    ({"grant_type": "password", "username": "b"}, 400, "invalid_request"),
    ({"grant_type": "refresh_token"}, 400, "invalid_request"),
    ({"grant_type": "refresh_token", "refresh_token": "unknown"}, 400, "invalid_grant"),
    ({**GOOD, "username": "ann\x00@example.org"}, 400, "invalid_request"),
    ({**GOOD, "username": "ann\x1b@example.org"}, 400, "invalid_request"),
    ({**GOOD, "password": "\x00"}, 400, "invalid_request"),
    ({**GOOD, "grant_type": "pass\nword"}, 400, "invalid_request"),
    ({**GOOD, "username": "x" * 5000}, 400, "invalid_request"),
    ({"grant_type": "refresh_token", "refresh_token": "\x00"}, 400, "invalid_request"),
]


@pytest.mark.parametrize(("form", "status", "error"), REFUSED)
async def test_a_refused_token_says_what_rfc_6749_says(
    world: World, ann: User, form: dict[str, str], status: int, error: str
) -> None:
    answered = await world.http.post(f"{V1}/auth/token", data=form)
    assert (answered.status_code, answered.json()["error"]) == (status, error)
    assert answered.headers["content-type"] == "application/problem+json"
    assert answered.headers["cache-control"] == "no-store"


@pytest.mark.parametrize(
    "sent",
    [
        {"json": GOOD},
        {"content": b"grant_type=password&username=%ff%fe&password=%00%ff",
         "headers": {"content-type": "application/x-www-form-urlencoded"}},
        {"content": b"\xff\x00" * 100,
         "headers": {"content-type": "application/x-www-form-urlencoded"}},
        {"content": b"--x\r\n", "headers": {"content-type": "multipart/form-data; boundary=x"}},
        {"content": b"x", "headers": {"content-type": "multipart/form-data"}},
        {"files": {"grant_type": b"password"}},
        {"content": b""},
    ],
)  # fmt: skip
@pytest.mark.parametrize("path", ["token", "revoke"])
async def test_a_body_that_is_no_form_is_a_mistake_of_the_sender(
    world: World, path: str, sent: dict[str, Any]
) -> None:
    answered = await world.http.post(f"{V1}/auth/{path}", **sent)
    assert 400 <= answered.status_code < 500
    assert answered.headers["content-type"] == "application/problem+json"


async def test_an_unknown_token_is_revoked_all_the_same(world: World) -> None:
    for token in ("unknown", "a.b.c"):
        answered = await world.http.post(f"{V1}/auth/revoke", data={"token": token})
        assert answered.status_code == 200


async def test_too_many_failures_are_told_how_long_to_wait(
    world: World, ann: User, settings: Settings
) -> None:
    wrong = {**GOOD, "password": "wrong"}
    said = [
        (await world.http.post(f"{V1}/auth/token", data=wrong)).status_code
        for _ in range(settings.failed_logins + 1)
    ]
    assert said == [401] * settings.failed_logins + [429]
    held_off = await world.http.post(f"{V1}/auth/token", data=GOOD)
    assert held_off.status_code == 429 and 0 < int(held_off.headers["retry-after"]) <= 900
    behind = {"x-forwarded-for": "203.0.113.9"}  # our proxy says it is another address
    other = await world.http.post(f"{V1}/auth/token", data=GOOD, headers=behind)
    assert other.status_code == 200


async def test_the_keys_are_public_at_both_addresses(world: World, ann: User) -> None:
    await world.token("ann@example.org")
    one = await world.http.get(f"{V1}/auth/jwks.json")
    two = await world.http.get("/.well-known/jwks.json")
    assert one.json() == two.json() and len(one.json()["keys"]) == 1
    assert "max-age" in one.headers["cache-control"]


async def test_a_new_password(world: World, ann: User) -> None:
    mine, path = await world.as_("ann@example.org"), f"{V1}/auth/password"
    new = {"current": PASSWORD, "new": "another password"}
    assert (await world.http.post(path, json=new)).status_code == 401
    short = await world.http.post(path, json={**new, "new": "short"}, headers=mine)
    assert short.status_code == 422 and short.json()["errors"][0]["pointer"] == "#/new"
    wrong = await world.http.post(path, json={**new, "current": "wrong"}, headers=mine)
    assert wrong.status_code == 401
    assert (await world.http.post(path, json=new, headers=mine)).status_code == 204
    await world.token("ann@example.org", "another password")


async def test_staff_register_find_change_and_remove_people(world: World, lou: User) -> None:
    http, staff = world.http, await world.as_("lou@example.org")
    made = await http.post(f"{V1}/users", json={"name": "Ben Low"}, headers=staff)
    assert made.status_code == 201 and made.headers["location"].endswith(made.json()["id"])
    ben = made.json()
    where = f"{V1}/users/{ben['id']}"
    found = await http.get(f"{V1}/users", params={"q": "low", "total": "exact"}, headers=staff)
    assert found.json() == {"items": [ben], "next_cursor": None, "total": 1}
    card = await http.get(f"{V1}/users/by-card/{ben['card_number']}", headers=staff)
    assert card.json() == ben
    change = {"category": "student", "expires_on": "2027-01-01"}
    stale = await http.patch(where, json=change, headers={**staff, "if-match": '"9"'})
    assert stale.status_code == 412
    changed = await http.patch(where, json=change, headers={**staff, "if-match": '"1"'})
    assert changed.status_code == 200 and changed.headers["etag"] == '"2"'
    assert (changed.json()["category"], changed.json()["name"]) == ("student", "Ben Low")
    assert (await http.delete(where, headers=staff)).status_code == 204
    assert (await http.get(where, headers=staff)).status_code == 404
    assert (await http.delete(where, headers=staff)).status_code == 404


async def test_pages_are_linked(world: World, lou: User, joins: Joins) -> None:
    staff = await world.as_("lou@example.org")
    for name in ("Ann", "Ben", "Cy"):
        await joins(name)
    first = await world.http.get(f"{V1}/users", params={"limit": 3}, headers=staff)
    link = first.headers["link"]
    assert link.startswith("<") and link.endswith('>; rel="next"') and "total" not in first.json()
    rest = await world.http.get(link[1 : link.index(">")], headers=staff)
    assert [each["name"] for each in rest.json()["items"]] == ["Cy"]


async def test_blocks_over_http(world: World, ann: User, lou: User) -> None:
    http, staff, where = world.http, await world.as_("lou@example.org"), f"{V1}/users/{ann.id}"
    block = {"reason": "stolen-card", "note": "Told by phone"}
    placed = await http.post(f"{where}/blocks", json=block, headers=staff)
    assert placed.status_code == 201 and placed.json()["placed_by"] == str(lou.id)
    mine = await world.as_("ann@example.org")
    listed = await http.get(f"{where}/blocks", headers=mine)
    assert listed.json()["items"] == [placed.json()]
    assert (await http.delete(placed.headers["location"], headers=mine)).status_code == 403
    assert (await http.delete(placed.headers["location"], headers=staff)).status_code == 204
    assert (await http.delete(placed.headers["location"], headers=staff)).status_code == 404


BAD_BODIES: list[tuple[str, dict[str, Any], str]] = [
    ("POST", {}, "#/name"),
    ("POST", {"name": "Ben", "id": str(uuid4())}, "#/id"),
    ("POST", {"name": "Ben", "password_hash": "x"}, "#/password_hash"),
    ("POST", {"name": "Ben", "version": 7}, "#/version"),
    ("POST", {"name": "Ben", "active": False}, "#/active"),
    ("POST", {"name": "Ben", "created_at": "2020-01-01T00:00:00Z"}, "#/created_at"),
    ("POST", {"name": "Be\x00n"}, "#/name"),
    ("POST", {"name": " "}, "#/name"),
    ("POST", {"name": "Ben", "email": "no address"}, "#/email"),
    ("POST", {"name": "Ben", "email": "a\x00@b"}, "#/email"),
    ("POST", {"name": "Ben", "password": "short"}, "#/password"),
    ("POST", {"name": "Ben", "role": "root"}, "#/role"),
    ("POST", {"name": "Ben", "card_number": "2000000015"}, "#/card_number"),
    ("POST", {"name": "Ben", "language": "xx-\n"}, "#/language"),
    ("PATCH", {"name": None}, "#/name"),
    ("PATCH", {"category": None}, "#/category"),
    ("PATCH", {"active": None}, "#/active"),
    ("PATCH", {"keeps_history": None}, "#/keeps_history"),
    ("PATCH", {"version": 2}, "#/version"),
    ("PATCH", {"password": PASSWORD}, "#/password"),
    ("PATCH", {"removed_at": "2020-01-01T00:00:00Z"}, "#/removed_at"),
]


@pytest.mark.parametrize(("method", "body", "pointer"), BAD_BODIES)
async def test_a_wrong_field_is_pointed_at_and_nothing_is_stored(
    world: World, ann: User, lou: User, method: str, body: dict[str, Any], pointer: str
) -> None:
    staff = await world.as_("lou@example.org")
    path = f"{V1}/users" if method == "POST" else f"{V1}/users/{ann.id}"
    answered = await world.http.request(method, path, json=body, headers=staff)
    assert answered.status_code == 422, answered.text
    assert pointer in [each.get("pointer") for each in answered.json()["errors"]]
    everybody = await world.http.get(f"{V1}/users", headers=staff)
    assert [each["version"] for each in everybody.json()["items"]] == [1, 1]


@pytest.mark.parametrize(
    "query",
    ["q=%00", "q=", "q=" + "x" * 200, "category=%00", "card_number=%00", "role=root", "limit=0",
     "limit=101", "cursor=x", "cursor=%00", "active=perhaps", "q=%0A%0D"],
)  # fmt: skip
async def test_a_question_that_cannot_be_is_refused(world: World, lou: User, query: str) -> None:
    staff = await world.as_("lou@example.org")
    answered = await world.http.get(f"{V1}/users?{query}", headers=staff)
    assert answered.status_code == 422, answered.text


@pytest.mark.parametrize("odd", ["%00", "a%00b", "%25", "'", "..%2f", "x" * 65, "%F0%9F%93%9A"])
async def test_odd_card_numbers_are_nobodys(world: World, lou: User, odd: str) -> None:
    staff = await world.as_("lou@example.org")
    answered = await world.http.get(f"{V1}/users/by-card/{odd}", headers=staff)
    assert answered.status_code in (404, 422)


MATRIX = [
    # method, path                       stranger  Ann (own)  another reader  librarian  admin
    ("GET", "/auth/me",                  (401,     200,       200,            200,       200)),
    ("GET", "/users",                    (401,     403,       403,            200,       200)),
    ("POST", "/users",                   (401,     403,       403,            201,       201)),
    ("GET", "/users/{ann}",              (401,     200,       403,            200,       200)),
    ("PATCH", "/users/{ann}",            (401,     200,       403,            200,       200)),
    ("GET", "/users/{nobody}",           (401,     403,       403,            404,       404)),
    ("PATCH", "/users/{nobody}",         (401,     403,       403,            404,       404)),
    ("DELETE", "/users/{nobody}",        (401,     403,       403,            404,       404)),
    ("GET", "/users/by-card/AB-100",     (401,     403,       403,            200,       200)),
    ("GET", "/users/by-card/AB-999",     (401,     403,       403,            404,       404)),
    ("GET", "/users/{ann}/blocks",       (401,     200,       403,            200,       200)),
    ("GET", "/users/{nobody}/blocks",    (401,     403,       403,            404,       404)),
    ("POST", "/users/{ann}/blocks",      (401,     403,       403,            201,       201)),
    ("DELETE", "/users/{ann}/blocks/{x}",(401,     403,       403,            404,       404)),
    ("PATCH", "/users/{root}",           (401,     403,       403,            403,       200)),
    ("DELETE", "/users/{root}",          (401,     403,       403,            403,       409)),
    ("DELETE", "/users/{lou}",           (401,     403,       403,            403,       204)),
    ("DELETE", "/users/{ann}",           (401,     403,       403,            204,       404)),
]  # fmt: skip


async def test_who_may_do_what(world: World, joins: Joins) -> None:
    people = {
        "ann": await joins("Ann", card_number="AB-100"),
        "ben": await joins("Ben"),
        "lou": await joins("Lou", "librarian"),
        "root": await joins("Root", "admin"),
    }
    ids = {name: each.id for name, each in people.items()}
    headers = [{}, *[await world.as_(f"{name}@example.org") for name in ids]]
    for method, path, expected in MATRIX:
        where = path.format(**ids, nobody=uuid4(), x=uuid4())
        said = []
        for n, who in enumerate(headers):
            body = {"name": f"Name {n}"} if "block" not in path else {}
            sent = body if method in ("POST", "PATCH") else None
            answered = await world.http.request(method, f"{V1}{where}", headers=who, json=sent)
            said.append(answered.status_code)
            if answered.status_code >= 400:
                assert answered.headers["content-type"] == "application/problem+json"
        assert (method, path, tuple(said)) == (method, path, expected)


async def test_a_role_is_granted_by_an_admin_only(world: World, ann: User, joins: Joins) -> None:
    await joins("Lou", "librarian")
    await joins("Root", "admin")
    where, role = f"{V1}/users/{ann.id}", {"role": "librarian"}
    for email, status in (("ann", 403), ("lou", 403), ("root", 200)):
        who = await world.as_(f"{email}@example.org")
        answered = await world.http.patch(where, json=role, headers=who)
        assert answered.status_code == status
    await world.identities.look()
    lou = await world.as_("lou@example.org")
    refused = await world.http.post(f"{V1}/users", json={"name": "X", **role}, headers=lou)
    assert refused.status_code == 403 and refused.json()["permission"] == "people:roles"


async def test_taken_says_which_field(world: World, ann: User, lou: User) -> None:
    staff = await world.as_("lou@example.org")
    body = {"name": "Ben", "email": "ANN@example.org"}
    answered = await world.http.post(f"{V1}/users", json=body, headers=staff)
    assert (answered.status_code, answered.json()["field"]) == (409, "email")
    assert answered.json()["type"] == "/problems/already-taken"


async def test_nothing_secret_is_ever_shown(world: World, ann: User, lou: User) -> None:
    staff = await world.as_("lou@example.org")
    for path in (f"{V1}/users", f"{V1}/users/{ann.id}", f"{V1}/auth/me"):
        text = (await world.http.get(path, headers=staff)).text
        assert "argon2" not in text and "password" not in text and "search_words" not in text


async def test_every_endpoint_is_described(world: World) -> None:
    schema = json.loads((await world.http.get("/openapi.json")).text)
    operations = [each for path in schema["paths"].values() for each in path.values()]
    assert len(operations) == 16
    assert all(each.get("summary") for each in operations)


@pytest.mark.parametrize(
    ("said", "status", "kept"),
    [
        ("Sie rief an: Überfällig".encode(), 200, "Sie rief an: Überfällig"),
        ("Überfällig".encode("latin-1"), 200, "Überfällig"),
        (b"x" * 200, 200, "x" * 200),
        (b"x" * 201, 422, None),
        (b"one\x1bline", 422, None),
        (b" ", 200, None),
    ],
)
async def test_staff_say_why_they_look_at_a_person(
    world: World, db: Database, ann: User, lou: User, said: bytes, status: int, kept: str | None
) -> None:
    headers = [*(await world.as_("lou@example.org")).items(), (b"lookup-reason", said)]
    pairs = [(_octets(name), _octets(value)) for name, value in headers]
    looked = await world.http.get(f"{V1}/users/{ann.id}", headers=pairs)
    assert looked.status_code == status, looked.text
    async with db.read() as session:
        rows = await session.rows(select(LOOKUPS))
    assert [row.why for row in rows] == ([kept] if status == 200 else [])


def _octets(text: str | bytes) -> bytes:
    return text if isinstance(text, bytes) else text.encode()
