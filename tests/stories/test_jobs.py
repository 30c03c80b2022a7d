"""What each part does by the clock, seen and run from one place."""

import asyncio
from datetime import UTC, datetime
from typing import Any

from tests.stories.library import API
from tests.system import SERVICES, Client, System

PATH = f"{API}/jobs/periodic"


async def job(client: Client, context: str, name: str) -> Any:
    answer = await client.get(PATH)
    assert answer.status_code == 200 and answer.json()["unreachable"] == []
    found = answer.json()["items"]
    assert {each["context"] for each in found} == set(SERVICES)
    (one,) = (each for each in found if (each["context"], each["job"]) == (context, name))
    return one


async def test_ada_runs_a_job_of_any_part_and_sees_that_it_was_done(system: System) -> None:
    async with system.client(await system.admin()) as ada:
        for context in ("accounts", "reviews"):
            before = datetime.now(UTC)
            asked = await ada.post(f"{PATH}/{context}/forget-old-slots/run")
            assert asked.status_code == 202, asked.text
            for _ in range(1500):
                last = (await job(ada, context, "forget-old-slots"))["last"]
                if last and datetime.fromisoformat(last["ended_at"]) > before:
                    break
                await asyncio.sleep(0.02)
            assert (last["state"], last["ran_by"], last["error"]) == ("done", "process", None)
        unknown = await ada.post(f"{PATH}/accounts/nothing/run")
        assert unknown.json()["type"] == "/problems/no-such-job"
