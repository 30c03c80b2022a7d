"""Every writable model, every unknown or privileged field: refused, pointed at, never stored."""

from collections.abc import Iterator
from copy import deepcopy
from typing import Any

import pytest

from tests.security.cast import ADMIN, Cast, Things
from tests.security.conftest import ONE, documents, openapi
from tests.security.who_may import WHO_MAY, Ask
from tests.stories.library import API, PASSWORD
from tests.system import Client, System

pytestmark = pytest.mark.xdist_group(ONE)
ID = "0190a1c2-0000-7000-8000-000000000001"
PRIVILEGED: dict[str, Any] = {
    "id": ID, "version": 99, "role": "admin", "roles": ["admin"], "is_admin": True, "admin": True,
    "permissions": ["people:roles"], "scope": "admin", "active": True, "password": PASSWORD,
    "password_hash": "$argon2id$v=19$m=8,t=1,p=1$AAAA$AAAA", "created_at": "2020-01-01T00:00:00Z",
    "updated_at": "2020-01-01T00:00:00Z", "created_by": ID, "changed_at": "2020-01-01T00:00:00Z",
    "changed_by": ID, "placed_at": "2020-01-01T00:00:00Z", "placed_by": ID, "status": "available",
    "removed_at": None, "search_words": "x", "user_id": ID, "patron_id": ID, "owner_id": ID,
    "card_number": "OWN-1", "expires_on": "2999-01-01", "blocks": [], "withdrawn": False,
    "keeps_history": True, "number": 1, "turn": 1, "lent_at": "2020-01-01T00:00:00Z",
    "due_at": "2999-01-01T00:00:00Z", "renewals": -5, "actor": {"role": "admin"}, "now": "x",
    "verified": True, "hidden": False, "state": "shown", "reports": {},
    "policy": {}, "waive": ["fines-owed"], "fingerprint": "x", "__proto__": {"role": "admin"},
    "constructor": {}, "__class__": "Admin", "$where": "1", "": "x", "Title": "x", "title ": "x",
    "self": 1, "model_config": {}, "model_fields_set": [], "extra": "allow",
}  # fmt: skip
NESTED: dict[str, list[dict[str, Any]]] = {
    "POST /api/v1/books": [{"title": "Emma", "authors": [{"name": "Jane Austen"}]}],
    "PATCH /api/v1/books/{book_id}": [{"authors": [{"name": "Jane Austen"}]}],
    "POST /api/v1/copies": [
        {
            "barcode": "{mark}",
            "book_id": "{book_id}",
            "branch_id": "{home}",
            "price": {"amount": 1250, "currency": "EUR"},
        }
    ],
    "PATCH /api/v1/copies/{copy_id}": [{"price": {"amount": 1250, "currency": "EUR"}}],
    "POST /api/v1/calendars": [
        {"name": "Town", "weekly": {}, "exceptions": [{"on": "2026-12-25", "note": "Christmas"}]}
    ],
    "PATCH /api/v1/calendars/{calendar_id}": [{"exceptions": [{"on": "2026-12-25"}]}],
}
WRITES = {
    name: said
    for name, asks in WHO_MAY.items()
    if (said := [ask for ask in asks if ask.body is not None])
}


def test_every_operation_with_a_body_is_tried(one_process: System) -> None:
    with_json = {
        name
        for name, each in openapi(one_process).items()
        if "application/json" in each.get("requestBody", {}).get("content", {})
    }
    assert with_json == set(WRITES)


@pytest.fixture(scope="module")
def own_fields(one_process: System) -> dict[str, set[str]]:
    """What each model has by right."""
    [document] = documents(one_process)
    models = document["components"]["schemas"]
    found = {}
    for name in WRITES:
        method, path = name.split()
        body = document["paths"][path][method.lower()]["requestBody"]
        schema = body["content"]["application/json"]["schema"]
        schema = next(iter(schema.get("anyOf", [schema])))  # a body that may be left out
        model = schema["$ref"].rsplit("/", 1)[1]
        found[name] = set(models[model]["properties"])
    return found


@pytest.mark.parametrize("operation", WRITES)
async def test_a_field_nobody_may_say_is_refused_and_pointed_at(
    operation: str, one_process: System, one_cast: Cast, own_fields: dict[str, set[str]]
) -> None:
    ask = WRITES[operation][0]
    async with one_cast.client(ADMIN) as staff:
        things = Things(one_cast, staff)
        path = await things.fill(_path(operation, ask))
        witness = await things.fill(ask.witness)
        bodies = [await things.fill(each) for each in [ask.body, *NESTED.get(operation, [])]]
        before = (await staff.get(API + witness)).json() if witness else None
        taken = []
        for body in bodies:
            for field, value in PRIVILEGED.items():
                for pointer, sent in _with(body, field, value, own_fields[operation]):
                    taken += await _tried(staff, operation.split()[0], path, sent, pointer)
        assert taken == []
        after = (await staff.get(API + witness)).json() if witness else None
    if before and "total" in before:
        before, after = before["total"], after and after["total"]
    assert after == before


def _path(operation: str, ask: Ask) -> str:
    path = operation.split()[1]
    for name, instead in ask.at.items():
        path = path.replace(f"{{{name}}}", instead)
    return path


async def _tried(
    staff: Client, method: str, path: str, body: dict[str, Any], pointer: str
) -> list[str]:
    """What is wrong with the answer; nothing when it is the refusal it should be."""
    answer = await staff.request(method, path, json=body)
    told = answer.json() if answer.status_code == 422 else {}
    if pointer in [each.get("pointer") for each in told.get("errors", [])]:
        return []
    return [f"{pointer}: {answer.status_code} {answer.text[:300]}"]


def _with(
    body: dict[str, Any], field: str, value: Any, own: set[str]
) -> Iterator[tuple[str, dict[str, Any]]]:
    """The body with the field in it, at the top and in every object inside."""
    if field not in own:
        yield f"#/{field}", {**body, field: value}
    for at in _objects(body):
        inner = deepcopy(body)
        place: Any = inner
        for key in at:
            place = place[key]
        if field not in OWN_INSIDE:
            place[field] = value
            yield "#/" + "/".join(map(str, (*at, field))), inner


OWN_INSIDE = {"id", "card_number"}  # of a named author, of what a desk did offline


def _objects(value: Any, at: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Where objects with fields are, below the top. `weekly` is a table, not an object."""
    children = value.items() if isinstance(value, dict) else enumerate(value)
    for key, child in children:
        if isinstance(child, dict) and key not in ("weekly", "value"):
            yield (*at, key)
        if isinstance(child, dict | list) and key not in ("weekly", "value"):
            yield from _objects(child, (*at, key))
