"""Negative controls: each guard is taken out once, and the race that it wins is seen to be lost."""

import asyncio
from pathlib import Path

import pytest

from tests.assurance.guards import GUARDS, Guard
from tests.assurance.programme import needs, new_library, with_and_without


@pytest.mark.parametrize("guard", GUARDS, ids=lambda guard: guard.id)
def test_the_race_is_lost_without_its_guard(guard: Guard, tmp_path: Path) -> None:
    needs(guard.database)
    with new_library(guard.database, tmp_path) as url:
        kept, gone = asyncio.run(with_and_without(guard, url))

    assert kept.clean, f"lost with the guard in its place: {kept}"
    assert not gone.clean
    assert guard.missed(gone), f"not noticed: {gone}"
