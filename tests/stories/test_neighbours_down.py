"""The desk goes on lending while accounts and the catalog are down."""

import asyncio
import os
from pathlib import Path

import pytest
from tests.stories.library import API, Library, blocks, expect
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
            for _ in range(200):  # the breaker rests before it tries again
                answer = await library.lend(unmet, ann)
                if answer.status_code == 201:
                    break
                await asyncio.sleep(0.1)
            else:
                raise AssertionError(answer.text)
            assert blocks(await library.lend(unmet, await library.patron("Ben"))) == ["on-loan"]


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
