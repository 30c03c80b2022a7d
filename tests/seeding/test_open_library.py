"""Samples of Open Library, from a server that answers as it does."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

import lendery
from lendery.contracts.catalog import NewBook
from lendery.seeding.library import Stopped
from lendery.seeding.open_library import OpenLibrary
from tests.system import System, free_port

from .clock import Clock
from .conftest import BOOKS, how_many, seed
from .open_library_server import Replayed

pytestmark = pytest.mark.xdist_group("seeding")
MOBY_DICK = {
    "title": "Moby Dick",
    "subtitle": "or, The whale",
    "authors": ["Herman Melville"],
    "isbn": "9780142437247",
    "publisher": "Penguin Books",
    "published_year": 1851,
    "language": "en",
    "subjects": [
        "Whaling", "Sea stories", "Ship captains", "Ahab, Captain (Fictitious character)",
    ],
    "description": "Call me Ishmael.",
}  # fmt: skip


@pytest.fixture
def replayed() -> Iterator[Replayed]:
    with Replayed.serving() as replayed:
        yield replayed


async def taken(url: str, clock: Clock, query: str = "subject:whales", **options: Any) -> Any:
    limit = options.pop("limit", 100)
    async with httpx2.AsyncClient(base_url=url) as http:
        asked = OpenLibrary(http, clock=clock, sleep=clock.sleep, **options)
        return [book async for book in asked.sample(query, limit)]


async def test_works_become_books_that_the_catalogue_takes(replayed: Replayed) -> None:
    books = await taken(replayed.url, Clock())
    assert [each["title"] for each in books] == [
        "Moby Dick", "The whale", "Valar Íslands", "Whales of the world", "鯨の本",
    ]  # fmt: skip
    assert books[0] == MOBY_DICK
    assert books[2] == {
        "title": "Valar Íslands", "authors": ["Jón Jónsson"], "published_year": 1997,
        "language": "is", "subjects": ["Hvalir"],
    }  # fmt: skip
    assert books[3] == {
        "title": "Whales of the world", "isbn": "9780804429573", "publisher": "Seaview",
        "subjects": ["Whales"],
    }  # fmt: skip
    assert "isbn" not in books[4] and books[4]["subjects"] == ["Whales"]
    for each in books:
        NewBook.model_validate(each)


async def test_it_says_who_it_is_and_what_it_wants(replayed: Replayed) -> None:
    await taken(replayed.url, Clock(), contact="ada@library.test")
    [agent] = replayed.agents
    assert agent == f"Lendery/{lendery.__version__} (library catalogue; ada@library.test)"
    assert replayed.asked[0]["q"] == "subject:whales"
    assert "author_name" in replayed.asked[0]["fields"]


async def test_it_asks_page_by_page_and_once_a_second_at_most(replayed: Replayed) -> None:
    clock = Clock()
    books = await taken(replayed.url, clock, a_page=3)
    assert len(books) == 5
    assert [each["page"] for each in replayed.asked] == ["1", "2", "3"]
    assert clock.slept == [1.0, 1.0]


async def test_it_takes_no_more_than_was_wanted(replayed: Replayed) -> None:
    assert len(await taken(replayed.url, Clock(), limit=2, a_page=2)) == 2
    assert len(replayed.asked) == 1


async def test_it_waits_when_it_is_told_to_and_asks_again(replayed: Replayed) -> None:
    replayed.refusals = [(429, {"retry-after": "20"}, b""), (503, {}, b"")]
    clock = Clock()
    assert len(await taken(replayed.url, clock)) == 5
    assert clock.slept == [20.0, 2.0]
    assert len(replayed.asked) == 3


@pytest.mark.parametrize(
    ("refusals", "asked", "says"),
    [
        ([(500, {}, b"")] * 9, 4, "HTTP 500"),
        ([(429, {"retry-after": "3600"}, b"")], 1, "asks to wait 3,600 seconds"),
        ([(403, {}, b"")], 1, "HTTP 403"),
        ([(200, {}, b"<html>Sign in to the wireless network")], 1, "not as Open Library does"),
        ([(200, {}, b'{"docs": 3}')], 1, "not as Open Library does"),
        ([(200, {}, b"[]")], 1, "not as Open Library does"),
    ],
)
async def test_what_cannot_be_used_is_said(
    replayed: Replayed, refusals: list[Any], asked: int, says: str
) -> None:
    replayed.refusals = refusals
    with pytest.raises(Stopped, match=re.escape(says)):
        await taken(replayed.url, Clock())
    assert len(replayed.asked) == asked


async def test_without_a_network_it_says_so() -> None:
    clock = Clock()
    with pytest.raises(Stopped, match=r"No sample could be taken .* Is there a network\?"):
        await taken(f"http://127.0.0.1:{free_port()}", clock)
    assert sum(clock.slept) < 10


def test_the_command_takes_a_sample_and_feeds_it(
    system: System, replayed: Replayed, tmp_path: Path
) -> None:
    before, sample = how_many(system, BOOKS), tmp_path / "whales.jsonl"
    arguments = (
        sample, "--from-open-library", "subject:whales", "--limit", 4,
        "--open-library", replayed.url, "--api", system.urls["catalog"],
    )  # fmt: skip
    done = seed(*arguments)
    assert done.returncode == 0, done.stderr
    assert done.stdout == "books: 4 added, 0 already there, 0 refused\n"
    assert how_many(system, BOOKS) == before + 4
    assert json.loads(sample.read_text().splitlines()[0]) == MOBY_DICK
    found = system.url_of("/api/v1/books") + "/api/v1/books/search?q=ishmael"
    assert [each["title"] for each in httpx2.get(found).json()["items"]] == ["Moby Dick"]

    seed(*arguments)
    assert len(replayed.asked) == 1, "the sample was there already"
    assert how_many(system, BOOKS) == before + 4


def test_the_command_leaves_nothing_when_there_is_no_sample(
    replayed: Replayed, tmp_path: Path
) -> None:
    sample = tmp_path / "sample.jsonl"
    nothing = seed(sample, "--from-open-library", "xyzzyplugh", "--open-library", replayed.url)
    assert nothing.returncode == 1 and "has nothing for xyzzyplugh" in nothing.stderr
    replayed.refusals = [(403, {}, b"")]
    refused = seed(sample, "--from-open-library", "whales", "--open-library", replayed.url)
    assert refused.returncode == 1 and "HTTP 403" in refused.stderr
    assert list(tmp_path.iterdir()) == []
