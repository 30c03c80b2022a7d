"""What the library counts of itself, told to both shapes."""

import asyncio
from collections.abc import Callable
from typing import Any

from tests.stories.library import API, Library, expect


async def soon(library: Library, path: str, told: Callable[[Any], bool]) -> Any:
    """What is told there, once reports has heard of it."""
    for _ in range(200):
        answer = expect(await library.staff.get(f"{API}/reports/{path}"))
        if told(answer):
            return answer
        await asyncio.sleep(0.05)
    raise AssertionError(f"{path}: {answer}")


async def test_a_check_out_is_counted_on_its_day(library: Library) -> None:
    ann, copy = await library.reader("Ann"), await library.copy()
    expect(await library.lend(copy, ann), 201)

    here = f"branch_id={library.branch}"
    report = await soon(library, f"loans-by-day?{here}", lambda told: told["items"])

    day = report["as_of"][:10]
    assert report["items"] == [{"day": day, "lent": 1, "renewed": 0, "returned": 0}]
    assert report["until"] == day
