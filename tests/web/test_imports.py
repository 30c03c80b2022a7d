"""Importing a file without JavaScript: file, check, matches, import, and back again."""

import asyncio
import re

import pytest

from lendery.contracts.base import Window
from lendery.contracts.catalog import BookSearch

from .browser import ORIGIN, Browser, Page
from .conftest import NASTY, Library

TABLE = "title,authors,isbn\nRomola,George Eliot,\nEmma,Jane Austen,9780141439587\n,,\n"


async def sent(desk: Browser, text: str, name: str = "liste.csv", **given: str) -> Page:
    page = await desk.see("/staff/imports")
    response = await desk.client.post(
        "/staff/imports",
        data={"token": page.token, "columns": "isbns=isbn;title=title;authors=authors"} | given,
        files={"file": (name, text.encode())},
        headers={"accept": "text/html", "origin": ORIGIN},
    )
    return Page(response)


async def ended(desk: Browser, path: str) -> Page:
    for _ in range(200):
        page = await desk.see(path)
        if "records so far" not in page.text and "being taken back" not in page.text:
            return page
        await asyncio.sleep(0.02)
    raise AssertionError(page.text)


def place(page: Page) -> str:
    assert page.response.status_code == 303, page.text
    return str(page.response.headers["location"])


async def titles(library: Library) -> list[str]:
    page = await library.wiring.books.search(wanted=BookSearch(), window=Window(limit=100))
    return sorted(each.title for each in page.items)


async def test_a_file_goes_through_its_four_steps_and_back(library: Library, desk: Browser) -> None:
    before = await titles(library)
    check = place(await sent(desk, TABLE))
    assert re.fullmatch(r"/staff/imports/[0-9a-f-]{36}/check", check)
    page = await ended(desk, check)
    assert "Records read 3 New 2" in page.text and "Rejected 1" in page.text
    assert await titles(library) == before
    page = await ended(desk, check.removesuffix("/check"))
    assert "only looked through: nothing was changed" in page.text
    assert "The import is done." not in page.text
    page = await ended(desk, check.replace("/check", "/matches"))
    assert "No record of this file is here yet." in page.text
    fields = {"token": page.token, "then": "import", "match": "title", "on_match": "skip"}
    done = place(await desk.send(check.replace("/check", "/proceed"), fields))
    page = await ended(desk, done)
    assert "The import is done." in page.text and "New 1" in page.text
    assert await titles(library) == sorted([*before, "Romola"])
    rejects = await desk.client.get(f"{done}/rejects")
    assert rejects.status_code == 200 and "attachment" in rejects.headers["content-disposition"]
    undo = place(await desk.send(f"{done}/undo", {"token": page.token}))
    page = await ended(desk, undo)
    assert "This import was taken back." in page.text
    assert await titles(library) == before
    assert "undone" in (await desk.see("/staff/imports")).text


async def test_what_is_wrong_with_a_file_is_said_on_the_form(
    library: Library, desk: Browser
) -> None:
    page = await sent(desk, "%PDF-1.7", "book.pdf")
    assert page.response.status_code == 422 and "There is a problem" in page.text
    assert "Error: Import" in page.text
    missing = await desk.fill("/staff/imports", {})
    assert missing.response.status_code == 422 and "Choose a file." in missing.text


async def test_readers_and_strangers_send_nothing(library: Library, ann: Browser) -> None:
    assert (await ann.see("/staff/imports")).response.status_code == 403
    refused = await ann.client.post(
        "/staff/imports", files={"file": ("x.csv", b"title\nRomola\n")}, headers={"origin": ORIGIN}
    )
    assert refused.status_code == 303 and refused.headers["location"].startswith("/sign-in")
    stranger = library.browser()
    answer = await stranger.client.post("/staff/imports", files={"file": ("x.csv", b"title\nX\n")})
    assert answer.status_code == 303 and "Romola" not in await titles(library)


async def test_a_form_of_another_site_sends_nothing(library: Library, desk: Browser) -> None:
    page = await desk.see("/staff/imports")
    for token, origin in ((page.token, "http://evil.test"), ("forged", ORIGIN)):
        answer = await desk.client.post(
            "/staff/imports",
            data={"token": token},
            files={"file": ("x.csv", b"title\nRomola\n")},
            headers={"origin": origin},
        )
        assert answer.status_code == 403, answer.text
    assert "Romola" not in await titles(library)


@pytest.mark.parametrize("nasty", NASTY)
async def test_what_a_file_says_stays_text(library: Library, desk: Browser, nasty: str) -> None:
    quoted = nasty.replace('"', '""')
    check = place(await sent(desk, f'title,isbn\n"{quoted}",{nasty[:5]}-1\n', f"{nasty}.csv"))
    for path in (check, check.replace("check", "matches"), "/staff/imports"):
        page = await ended(desk, path)
        assert not [t for t, a in page.elements if t == "img" or "onerror" in a or "onfocus" in a]
        assert "alert(1)" not in "".join(
            a.get("src", "") for t, a in page.elements if t == "script"
        )


@pytest.mark.parametrize("path", ["nonsense", "0190a1c2-0000-7000-8000-000000000001"])
async def test_what_is_no_import_is_no_page(desk: Browser, path: str) -> None:
    for step in ("", "/check", "/matches", "/rejects"):
        assert (await desk.see(f"/staff/imports/{path}{step}")).response.status_code == 404
