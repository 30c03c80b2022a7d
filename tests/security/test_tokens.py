"""Forged, stolen, stale and misdirected tokens, at every door of both shapes."""

import pytest

from tests.security.cast import ADMIN, OWNER, Cast
from tests.security.conftest import SERVICES
from tests.security.forge import Forge, service_token
from tests.stories.library import API
from tests.system import System

DOORS = {
    "accounts": f"{API}/auth/me",
    "catalog": f"{API}/books?limit=1",
    "circulation": f"{API}/loans?limit=1",
    "notices": f"{API}/me/notices?limit=1",
    "reviews": f"{API}/reviews?limit=1",
    "reports": f"{API}/reports",
}


@pytest.fixture
def forge(system: System, cast: Cast) -> Forge:
    token = cast.tokens[OWNER]
    assert token
    return Forge.of(system, token)


async def _let_in(system: System, token: str) -> list[str]:
    """Where this token opens the door; anything but a plain refusal counts as open."""
    found = []
    async with system.client(verify=False) as client:
        for context, path in DOORS.items():
            answer = await client.get(path, headers={"authorization": f"Bearer {token}"})
            refused = (
                answer.status_code == 401
                and answer.headers.get("www-authenticate", "").startswith("Bearer")
                and answer.headers["content-type"] == "application/problem+json"
            )
            if not refused:
                found.append(f"{context}: {answer.status_code} {answer.text[:100]}")
    return found


async def test_the_real_token_opens_every_door(system: System, forge: Forge) -> None:
    """The control: what the forged ones are made from is good."""
    assert len(await _let_in(system, forge.token)) == len(DOORS)
    assert len(await _let_in(system, forge.made(forge.header, forge.claims))) == len(DOORS)


@pytest.mark.parametrize("kind", ["tampered", "strange_keys", "misissued"])
async def test_no_forged_token_opens_any_door(system: System, forge: Forge, kind: str) -> None:
    opened = {}
    for name, token in getattr(forge, kind)():
        if found := await _let_in(system, token):
            opened[name] = found
    assert opened == {}


async def test_a_services_token_is_no_persons_token(system: System, forge: Forge) -> None:
    assert await _let_in(system, forge.of_a_service(system)) == []


@pytest.mark.parametrize("scheme", ["bearer", "BEARER", "Bearer  "])
async def test_the_scheme_may_be_written_in_any_case(
    scheme: str, system: System, cast: Cast
) -> None:
    async with system.client(verify=False) as client:
        header = {"authorization": f"{scheme} {cast.tokens[OWNER]}"}
        assert (await client.get(DOORS["accounts"], headers=header)).status_code == 200


INSIDE = {
    "accounts": "/internal/Users/get",
    "catalog": "/internal/Copies/by_barcode",
    "circulation": "/internal/Loans/check_out",
    "notices": "/internal/Notices/inbox",
    "reviews": "/internal/Reviews/get",
    "reports": "/internal/Reports/listed",
}


@pytest.mark.parametrize("context", INSIDE)
async def test_the_inner_doors_open_for_services_only(
    context: str, system: System, cast: Cast, forge: Forge
) -> None:
    secret = next(iter(system.environments.values()))["LENDERY_SECRET"]
    elsewhere = next(name for name in INSIDE if name != context)
    wrong = {
        "none": None,
        "a reader's": cast.tokens[OWNER],
        "an admin's": cast.tokens[ADMIN],
        "of another secret": service_token("x" * 32, context),
        "of an empty secret": service_token("", context),
        "for another service": service_token(secret, elsewhere),
        "expired": service_token(secret, context, iat=1, exp=2),
        "without an end": service_token(secret, context, exp=None),
        "unsigned": forge.made({"alg": "none", "typ": "service"}, {"aud": f"service:{context}"}),
    }
    if system.shape == "one_process":
        wrong.pop("for another service")  # every service is this one
    async with system.client(verify=False) as client:
        for name, token in wrong.items():
            headers = {"authorization": f"Bearer {token}"} if token else {}
            url = system.urls[context] + INSIDE[context]
            answer = await client.http.post(url, json={}, headers=headers)
            assert answer.status_code == 401, f"{name}: {answer.status_code} {answer.text[:300]}"


@pytest.mark.xdist_group(SERVICES)
async def test_a_service_reaches_its_neighbour(services: System) -> None:
    """The control of the test above."""
    secret = next(iter(services.environments.values()))["LENDERY_SECRET"]
    headers = {"authorization": f"Bearer {service_token(secret, 'catalog')}"}
    async with services.client() as client:
        url = services.urls["catalog"] + INSIDE["catalog"]
        answer = await client.http.post(url, json={"barcode": "nothing"}, headers=headers)
        assert (answer.status_code, answer.json()) == (200, None)
