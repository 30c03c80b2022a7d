"""Every operation, tried by everybody: the role matrix, executed.

The policy for 403 against 404: a reader who asks for the affairs of somebody else is refused
with 403, whether they exist or not, so that nobody learns who or what there is. Staff hear 404.
"""

import re
from typing import Any
from uuid import uuid4

import httpx2
import pytest

from tests.security.cast import ADMIN, LIBRARIAN, OTHER, STRANGER, Cast, Things
from tests.security.conftest import ONE, SERVICES, openapi
from tests.security.who_may import ALL, SMOKE, WHO_MAY, Ask
from tests.stories.library import API
from tests.system import Client, System

in_one = pytest.mark.xdist_group(ONE)
in_services = pytest.mark.xdist_group(SERVICES)


@in_one
def test_every_endpoint_says_who_may(one_process: System) -> None:
    offered = set(openapi(one_process))
    assert offered - set(WHO_MAY) == set(), "new endpoint: say who may in who_may.py"
    assert set(WHO_MAY) - offered == set(), "these are gone: take them out of who_may.py"


@in_one
def test_the_document_asks_for_a_permission_exactly_where_a_stranger_may_not(
    one_process: System,
) -> None:
    named = {name for name, each in openapi(one_process).items() if each.get("x-permission")}
    assert named == {name for name, asks in WHO_MAY.items() if ALL not in [a.who for a in asks]}


@in_one
@pytest.mark.parametrize("operation", WHO_MAY)
async def test_who_may_and_who_may_not(operation: str, one_cast: Cast) -> None:
    await _everybody_tries(operation, one_cast)


@in_services
@pytest.mark.parametrize("operation", SMOKE)
async def test_services_agree_about_who_may(operation: str, services_cast: Cast) -> None:
    await _everybody_tries(operation, services_cast)


async def _everybody_tries(operation: str, cast: Cast) -> None:
    async with cast.client(ADMIN) as staff:
        for ask in WHO_MAY[operation]:
            for caller in ask.callers:
                async with cast.client(caller) as client:
                    await _try(operation, ask, caller, client, Things(cast, staff), staff)


async def _try(
    operation: str, ask: Ask, caller: str, client: Client, things: Things, staff: Client
) -> None:
    method, template = operation.split()
    for name, instead in ask.at.items():
        template = template.replace(f"{{{name}}}", instead)
    path = await things.fill(template + ask.query)
    sent: dict[str, Any] = {}
    if ask.body is not None:
        sent["json"] = await things.fill(ask.body)
    if ask.file:
        sent["content"] = await things.fill(ask.file)
    if ask.form is not None:
        sent["data"] = await things.fill(ask.form)
    witness = API + await things.fill(ask.witness) if ask.witness else ""
    before = await _testimony(witness, staff)

    answer = await client.request(method, path, **sent)

    cell = f"{caller}: {operation} {sent} -> {answer.status_code} {answer.text[:500]}"
    if caller in ask.who:
        assert answer.status_code == ask.status, cell
        return
    _is_refused(answer, 401 if caller == STRANGER else 403, cell)
    assert await _testimony(witness, staff) == before, f"refused, and yet changed: {cell}"


async def _testimony(witness: str, staff: Client) -> tuple[int, Any] | None:
    if not witness:
        return None
    answer = await staff.get(witness)
    assert answer.status_code == 200, answer.text
    told = answer.json()
    return (answer.status_code, told["total"] if "total=exact" in witness else told)


def _is_refused(answer: httpx2.Response, status: int, cell: str) -> None:
    assert answer.status_code == status, cell
    assert answer.headers["content-type"] == "application/problem+json", cell
    told = answer.json()
    assert (told["type"], told["status"]) == (
        ("/problems/sign-in-needed" if status == 401 else "/problems/not-allowed"),
        status,
    )
    if status == 401:
        assert answer.headers["www-authenticate"].startswith("Bearer"), cell


@in_one
@pytest.mark.parametrize("operation", [n for n, asks in WHO_MAY.items() if asks[0].who != ALL])
async def test_a_stranger_is_sent_to_sign_in_before_anything_is_looked_at(
    operation: str, one_cast: Cast
) -> None:
    """Not even whether the body makes sense, or whether the thing is there."""
    method, template = operation.split()
    path = template.replace("{flag}", "lost").replace("{card_number}", "NOBODY")
    for name in re.findall(r"\{(\w+)_id\}", path):
        path = path.replace(f"{{{name}_id}}", str(uuid4()))
    body = {"json": {"nonsense": True}} if method in ("POST", "PATCH") else {}
    async with one_cast.client(STRANGER) as stranger:
        _is_refused(await stranger.request(method, path, **body), 401, operation)


PRIVATE = [
    ("GET", "/users/{user_id}", None),
    ("PATCH", "/users/{user_id}", {"name": "Eve"}),
    ("DELETE", "/users/{user_id}", None),
    ("GET", "/users/{user_id}/blocks", None),
    ("POST", "/users/{user_id}/blocks", {"reason": "other"}),
    ("GET", "/users/{user_id}/loans", None),
    ("GET", "/loans?patron_id={user_id}", None),
    ("GET", "/loans/{loan_id}", None),
    ("POST", "/loans/{loan_id}/renew", None),
    ("GET", "/users/by-card/{card_number}", None),
    ("POST", "/loans", {"barcode": "{barcode}", "patron_id": "{user_id}"}),
    ("POST", "/loans", {"barcode": "{barcode}", "card_number": "{card_number}"}),
    ("GET", "/loans/check?barcode={barcode}&patron_id={user_id}", None),
    ("GET", "/loans/check?barcode={barcode}&card_number={card_number}", None),
]


@pytest.mark.parametrize(
    ("method", "path", "body"), PRIVATE, ids=[f"{m} {p}" for m, p, _ in PRIVATE]
)
async def test_a_reader_cannot_tell_what_others_have_from_what_nobody_has(
    method: str, path: str, body: dict[str, str] | None, cast: Cast
) -> None:
    async with cast.client(ADMIN) as staff, cast.client(OTHER) as other:
        things = Things(cast, staff)
        there, gone = dict(things.made), {"card_number": "NOBODY-1"}
        answers = []
        for known in (there, gone | {"user_id": str(uuid4()), "loan_id": str(uuid4())}):
            await things.get("loan_id")
            things.made |= known
            sent = {"json": await things.fill(body)} if body else {}
            answers.append(await other.request(method, API + await things.fill(path), **sent))
    for answer in answers:
        _is_refused(answer, 403, f"{method} {path}: {answer.text}")
    told = [{**answer.json(), "instance": ""} for answer in answers]
    assert told[0] == told[1]


@in_one
@pytest.mark.parametrize(
    "path",
    ["/users/{id}", "/users/{id}/blocks", "/loans/{id}", "/rules/{id}"],
)
async def test_staff_are_told_that_there_is_no_such_thing(path: str, one_cast: Cast) -> None:
    async with one_cast.client(LIBRARIAN) as librarian:
        answer = await librarian.get(API + path.replace("{id}", str(uuid4())))
    assert answer.status_code == 404


@in_one
@pytest.mark.parametrize("path", ["books", "authors", "copies", "branches", "calendars", "reviews"])
async def test_anybody_is_told_that_there_is_no_such_public_thing(
    path: str, one_cast: Cast
) -> None:
    async with one_cast.client(STRANGER) as stranger:
        assert (await stranger.get(f"{API}/{path}/{uuid4()}")).status_code == 404


async def test_a_readers_lists_hold_only_their_own_loans(cast: Cast) -> None:
    async with cast.client(ADMIN) as staff, cast.client(OTHER) as other:
        things = Things(cast, staff)
        await things.get("loan_id")
        for query in ("", f"?copy_id={things.made['lent_copy_id']}", "?status=open&total=exact"):
            told = (await other.get(f"{API}/loans{query}")).json()
            assert [each for each in told["items"] if each["patron_id"] != cast.ids[OTHER]] == []
