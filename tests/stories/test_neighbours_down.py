"""The desk goes on lending while accounts and the catalog are down."""

import asyncio
import os
from pathlib import Path
from typing import Any

import httpx2
import pytest
from tests.stories.library import API, Library, Person, blocks, expect
from tests.system import System


@pytest.mark.xdist_group("services")
async def test_the_desk_lends_what_it_has_met_while_its_neighbours_are_down(
    tmp_path: Path,
) -> None:
    with System.start("services", "sqlite", tmp_path) as system:
        async with Library.open(system) as library:
            ann, copy = await library.patron("Ann"), await library.copy()
            unmet = await library.copy()
            expect(await library.lend(copy, ann), 201)
            expect(await library.take_back(copy))

            system.kill("accounts")
            system.kill("catalog")

            loan = expect(await library.lend(copy, ann), 201)
            expect(await library.staff.get(f"{API}/loans/{loan['id']}"))
            expect(await library.take_back(copy))
            answer = await library.lend(unmet, ann)
            assert expect(answer, 503)["type"] == "/problems/peer-unavailable"
            assert int(answer.headers["retry-after"]) > 0
            assert len(await library.loans_of(ann)) == 0

            system.launch("catalog")
            system.launch("accounts")
            system.wait_until_ready("catalog")
            system.wait_until_ready("accounts")
            expect(await _when_back(library, unmet, ann), 201)
            ben = await library.patron("Ben")
            assert blocks(await _when_back(library, unmet, ben)) == ["on-loan"]


async def _when_back(library: Library, copy: dict[str, Any], to: Person) -> httpx2.Response:
    """Asks until the neighbours are asked again: each breaker rests before it probes."""
    for _ in range(200):
        answer = await library.lend(copy, to)
        if answer.status_code != 503:
            break
        await asyncio.sleep(0.1)
    return answer


async def test_a_loan_survives_kill_9_of_the_process(tmp_path: Path) -> None:
    with System.start("one_process", "sqlite", tmp_path) as system:
        async with Library.open(system) as library:
            ann, copy = await library.patron("Ann"), await library.copy()
            loan = expect(await library.lend(copy, ann, key="first"), 201)
            system.kill("all")
            system.launch("all")
            system.wait_until_ready("all")
            assert [each["id"] for each in await library.loans_of(ann)] == [loan["id"]]
            assert expect(await library.lend(copy, ann, key="first"), 201) == loan
            assert os.path.getsize(tmp_path / "all.db") > 0
