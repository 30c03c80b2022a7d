"""Whatever is sent, by whomever: no 5xx, and every answer as the OpenAPI document says.

LENDERY_FUZZ_CASES says how many cases (2,000; the long form has 50,000), LENDERY_FUZZ_SEED which.
Left out on purpose: nothing but changes to the very people who ask (see `keep` in fuzz.py).
"""

import asyncio
import os
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest

from tests.security.cast import ADMIN, CALLERS, LIBRARIAN, OWNER, STRANGER, Cast
from tests.security.conftest import SETTINGS, openapi
from tests.security.fuzz import fuzz
from tests.security.who_may import WHO_MAY
from tests.stories.library import API
from tests.system import System

pytestmark = pytest.mark.xdist_group("security-fuzz")
CASES = int(os.environ.get("LENDERY_FUZZ_CASES", "2000"))
SEED = int(os.environ.get("LENDERY_FUZZ_SEED", "1"))
ROLES = (STRANGER, OWNER, LIBRARIAN, ADMIN)
LONG = CASES >= 20_000
# Of each operation, as each role; in the short form the boundaries are the other half.
EACH = max(1, CASES // (len(ROLES) * len(WHO_MAY)) // (1 if LONG else 2))


@pytest.fixture(scope="module")
def fuzzed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    """A library of its own: what fuzzing leaves behind is no place for other tests."""
    folder: Path = tmp_path_factory.mktemp("security-fuzz")
    with System.start("one_process", "sqlite", folder, **SETTINGS) as system:
        yield system


@pytest.fixture(scope="module")
def cast(fuzzed: System) -> Cast:
    return asyncio.run(Cast.called(fuzzed))


@pytest.mark.parametrize("role", ROLES)
def test_no_case_breaks_the_library_or_its_word(role: str, fuzzed: System, cast: Cast) -> None:
    """Every boundary of every field as an admin, who may send anything; at length as everybody."""
    url, token = fuzzed.urls["catalog"], cast.tokens[role]
    every_boundary = LONG or role == ADMIN
    found = fuzz(
        url, token, keep=set(cast.ids.values()), many=EACH, coverage=every_boundary, seed=SEED
    )
    print(f"{role}: {found.cases} cases, {dict(sorted(found.statuses.items()))}")
    assert found.wrong == []
    assert found.cases >= len(WHO_MAY)
    if role != STRANGER:
        own = httpx2.get(f"{url}{API}/auth/me", headers={"authorization": f"Bearer {token}"})
        assert own.status_code == 200, "the token died on the way: later cases tested nothing"
    errors = [line for line in _log(fuzzed) if '"level": "error"' in line]
    assert errors == []


def _log(system: System) -> list[str]:
    return (system.folder / "all.log").read_text().splitlines()


def test_the_harness_sees_a_broken_word(fuzzed: System, cast: Cast) -> None:
    """The control: with 401 struck out of the document, it must object."""
    found = fuzz(
        fuzzed.urls["catalog"], None, keep=set(), many=1, coverage=False, seed=SEED, without="401"
    )
    assert any("status_code_conformance" in each for each in found.wrong)


def test_everybody_and_everything_is_fuzzed(fuzzed: System) -> None:
    assert set(openapi(fuzzed)) == set(WHO_MAY)
    assert set(ROLES) | {"other"} == set(CALLERS)
