"""The catalog over HTTP: the router, and the fast path that must say the very same."""

import json
from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import httpx2
import pytest
import pytest_asyncio
from fastapi import FastAPI
from starlette.types import Receive, Scope, Send

from lendery.catalog.authorities import HeadingFile
from lendery.catalog.hot import BOOKS, book_json, hot_paths
from lendery.catalog.models import CHANGES
from lendery.catalog.routes import authority_routes, routes
from lendery.contracts.base import Window
from lendery.contracts.permissions import STRANGER, SYSTEM, Actor
from lendery.platform.http.fast import FastPath
from lendery.platform.http.hot import HotAnswers
from lendery.platform.http.kept import LIST
from lendery.platform.http.problems import add_problem_handlers

from .conftest import MAIN_STREET, Library

pytestmark = pytest.mark.asyncio


class As:
    """Who asks."""

    def __init__(self, app: Any, actor: Actor) -> None:
        self.app, self.actor = app, actor

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        scope["state"] = {"actor": self.actor}
        await self.app(scope, receive, send)


def router(library: Library) -> FastAPI:
    app = FastAPI()
    add_problem_handlers(app)
    app.include_router(routes(library.authors, library.books, library.copies, library.circulation))
    app.include_router(
        authority_routes(
            authorities=library.authorities,
            merges=library.merges,
            duplicates=library.duplicates,
            works=library.works,
            series=library.series,
        )
    )
    return app


def kept_answers(library: Library, app: Any = None) -> HotAnswers:
    paths = hot_paths(HeadingFile(library.db), library.books)
    answers = HotAnswers(paths, library.db, {"catalog": CHANGES}, entries=100)
    answers.behind = app
    return answers


def client(app: Any) -> httpx2.AsyncClient:
    transport = httpx2.ASGITransport(app=app)
    return httpx2.AsyncClient(transport=transport, base_url="http://library.test")


@pytest_asyncio.fixture
async def staff(library: Library) -> AsyncIterator[httpx2.AsyncClient]:
    async with client(As(router(library), SYSTEM)) as asking:
        yield asking


async def test_a_book_lives_its_life_over_http(staff: httpx2.AsyncClient) -> None:
    new = {"title": " Middlemarch ", "authors": ["George Eliot"], "isbn": "0-14-143954-8"}
    made = await staff.post(BOOKS, json=new)
    assert made.status_code == 201 and made.headers["etag"] == '"1"'
    place = made.headers["location"]
    read = await staff.get(place)
    assert read.json() == made.json() and read.json()["title"] == "Middlemarch"
    assert (await staff.get(place, headers={"if-none-match": '"1"'})).status_code == 304
    stale = await staff.patch(place, json={"title": "x"}, headers={"if-match": '"7"'})
    assert stale.status_code == 412
    changed = await staff.patch(place, json={"subjects": ["Towns"]}, headers={"if-match": '"1"'})
    assert changed.json()["subjects"] == ["Towns"] and changed.headers["etag"] == '"2"'
    null = await staff.patch(place, json={"title": None})
    assert null.status_code == 422 and null.json()["errors"][0]["pointer"] == "#/title"
    again = await staff.post(BOOKS, json={"title": "Other", "isbn": "9780141439549"})
    assert again.status_code == 409 and again.json()["type"] == "/problems/isbn-taken"
    assert again.json()["book_id"] == made.json()["id"] and again.json()["field"] == "isbn"
    wrong = await staff.post(BOOKS, json={"title": "Other", "isbn": "9780141439540"})
    assert wrong.status_code == 422 and wrong.json()["errors"][0]["pointer"] == "#/isbn"
    found = (await staff.get(f"{BOOKS}/search", params={"q": "eliot", "facets": "true"})).json()
    assert found["facets"]["subject"] == [{"value": "Towns", "count": 1}] and "total" not in found
    assert (await staff.get(BOOKS, params={"category": "towns", "total": "exact"})).json()[
        "total"
    ] == 1
    assert (await staff.delete(place)).status_code == 204
    assert (await staff.get(place)).status_code == 404


@pytest.mark.parametrize(
    "query",
    ["limit=0", "limit=101", "cursor=x", "sort=best", "language=EN", "q=" + "a" * 501, "q=a%00b",
     "offset=-1", "offset=10001", "year_from=99999", "author=%00", "material=%00", "offset=abc"],
)  # fmt: skip
async def test_what_cannot_be_asked_is_422(staff: httpx2.AsyncClient, query: str) -> None:
    answer = await staff.get(f"{BOOKS}?{query}")
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"


async def test_a_stranger_reads_and_does_not_write(library: Library) -> None:
    book = await library.book("Middlemarch", "George Eliot")
    copy = await library.copy(book, "B1")
    author = book.authors[0].id
    async with client(As(router(library), STRANGER)) as stranger:
        for path in (
            f"books/{book.id}", "books", "subjects", "authors", f"authors/{author}/books", "copies",
            f"authors/{author}", f"copies/{copy.id}", "copies/by-barcode/B1", "books/suggest?q=mid",
            f"books/{book.id}/copies",
        ):  # fmt: skip
            assert (await stranger.get(f"/api/v1/{path}")).status_code == 200, path
        for path in ("books", "authors", "copies"):
            assert (await stranger.post(f"/api/v1/{path}", json={"title": "x", "name": "x"})
                    ).status_code in (401, 422)  # fmt: skip
        for path in (f"books/{book.id}", f"authors/{author}", f"copies/{copy.id}"):
            assert (await stranger.delete(f"/api/v1/{path}")).status_code == 401
            assert (await stranger.patch(f"/api/v1/{path}", json={})).status_code == 401


async def test_an_author_lives_its_life_over_http(staff: httpx2.AsyncClient) -> None:
    made = await staff.post("/api/v1/authors", json={"name": "George Elliot", "born": 1819})
    assert made.status_code == 201 and made.json()["sort_name"] == "Elliot, George"
    place = made.headers["location"]
    await staff.post(BOOKS, json={"title": "Romola", "authors": [made.json()["id"]]})
    renamed = await staff.patch(place, json={"name": "George Eliot"})
    assert renamed.json()["version"] == 2
    theirs = (await staff.get(f"{place}/books")).json()["items"]
    assert theirs[0]["authors"][0]["name"] == "George Eliot"
    assert (await staff.delete(place)).status_code == 409
    assert (await staff.get(f"/api/v1/authors/{uuid4()}/books")).status_code == 404


async def test_a_copy_shows_the_status_circulation_tells_now(
    library: Library, staff: httpx2.AsyncClient
) -> None:
    book = await library.book("Middlemarch")
    new = {"barcode": "B1", "book_id": str(book.id), "branch_id": str(MAIN_STREET)}
    made = await staff.post("/api/v1/copies", json=new)
    assert made.status_code == 201 and made.json()["status"] == "available"
    place = made.headers["location"]
    copy = await library.copies.by_barcode(barcode="B1")
    assert copy is not None
    library.circulation.known[copy.id] = "on-loan"
    read = await staff.get(place)
    assert read.json()["status"] == "on-loan" and read.headers["etag"] == '"1-on-loan"'
    assert (await staff.get("/api/v1/copies/by-barcode/B1")).json() == read.json()
    changed = await staff.patch(
        place, json={"location": "Stacks"}, headers={"if-match": read.headers["etag"]}
    )
    assert changed.json()["location"] == "Stacks"
    for n in range(2, 9):
        await library.copy(book, f"B{n}")
    library.circulation.asked = 0
    listed = await staff.get(f"{BOOKS}/{book.id}/copies")
    assert len(listed.json()["items"]) == 8 and library.circulation.asked == 1
    pages = await staff.get("/api/v1/copies", params={"limit": 5, "total": "exact"})
    assert pages.json()["total"] == 8 and 'rel="next"' in pages.headers["link"]
    library.circulation.lent.add(copy.id)
    refused = await staff.delete(place)
    assert refused.status_code == 409 and "withdrawn" in refused.json()["detail"]
    bad = await staff.post(
        "/api/v1/copies", json=new | {"barcode": "B99", "branch_id": str(uuid4())}
    )
    assert bad.status_code == 422 and bad.json()["errors"][0]["pointer"] == "#/branch_id"
    assert (await staff.get("/api/v1/copies/by-barcode/NONE")).status_code == 404


async def test_a_record_is_written_as_pydantic_would(library: Library) -> None:
    odd = "\u2028 \\ \" / <b> é 紅 🙂 '"
    full = {name: odd for name in ("subtitle", "publisher", "series", "call_number")}
    plain = await library.book("x")
    filled = await library.book(
        odd, odd, "Ann", subjects=[odd, "b"], description=f"{odd}\n\r\t", language="en",
        published_year=-50, isbn="0141439548", material="audio.book", **full,
    )  # fmt: skip
    for book in (plain, filled):
        row = await library.books.row(book_id=book.id)
        assert book_json(row) == book.model_dump_json().encode()
        assert await library.books.get(book_id=book.id) == book


async def _filled(library: Library) -> list[str]:
    urls = []
    for n in range(30):
        book = await library.book(
            f"Novel {n % 7} «{n}»", f"Ann {n % 5}", language="en" if n % 2 else None,
            subjects=["Fiction", "Söme"], material="book" if n % 3 else "dvd",
            published_year=1900 + n if n % 4 else None,
        )  # fmt: skip
        urls.append(f"{BOOKS}/{book.id}")
    return urls


QUERIES = [
    "", "limit=5", "limit=100", "sort=title", "sort=author&limit=3", "sort=year", "sort=newest",
    "sort=relevance&limit=2", "sort=rating&limit=3", "group_by=work&limit=3", "group_by=author",
    "language=en", "language=fr", "material=dvd&limit=4", "author=ann",
    "author=Ann+3&limit=2", "subject=s%C3%B6me&limit=7", "subject=fiction&sort=title&limit=6",
    "author=%21", "author=%20ann%20", "author=ann%2Bx", "material=a.b", "limit=007", "limit=0",
    "limit=5&limit=6", "limit=+5", "cursor=x", "cursor=", "author=", "language=EN", "q=novel",
    "total=exact", "facets=true", "available=true", "offset=3", "unknown=1", "author=%00",
    "author=a%C2%85b", "%FF=1", "author=%FF", "limit=5&", "&", "=", "sort=", "material=",
    "author=" + "a" * 501, "withdrawn=true", "limit=%35", "subject=a%0Ab",
]  # fmt: skip


async def test_the_fast_path_answers_as_the_router_would(library: Library) -> None:
    places = await _filled(library)
    app = router(library)
    fast = As(FastPath(app, kept_answers(library, app)), STRANGER)
    author = (await library.authors.find(q="ann 3", window=Window())).items[0].id
    authors = "/api/v1/authors"
    urls = [*places[:3], places[0] + "?x=1", places[0].upper(), f"{BOOKS}/{uuid4()}",
            f"{BOOKS}/not-an-id", *(f"{BOOKS}?{query}" for query in QUERIES),
            *(f"{BOOKS}/search?{query}" for query in QUERIES), f"{BOOKS}/search?q=nvel&limit=3",
            f"{BOOKS}/suggest?q=nov", f"{BOOKS}/suggest", authors, f"{authors}?q=ann&limit=2",
            f"{authors}/{author}", f"{authors}/{author}?x=1", f"{authors}/{uuid4()}",
            f"{authors}/{author}/books?limit=2", f"{authors}/{uuid4()}/books",
            "/api/v1/subjects?limit=1", "/api/v1/subjects?q=s&total=exact"]  # fmt: skip
    async with client(As(app, STRANGER)) as slow, client(fast) as quick:
        seen = 0
        while urls and seen < 250:
            url, seen = urls.pop(0), seen + 1
            a, b = await slow.get(url), await quick.get(url)
            told = (a.status_code, a.headers.raw, a.content)
            assert told == (b.status_code, b.headers.raw, b.content), url
            assert (await quick.get(url)).content == a.content
            if "link" in a.headers:
                assert a.links["next"]["url"] == b.links["next"]["url"]
                urls.append(a.links["next"]["url"])
            if "etag" in a.headers:
                for sent in (a.headers["etag"], '"other"', "*", f'"x", W/{a.headers["etag"]}'):
                    held = {"if-none-match": sent}
                    a, b = await slow.get(url, headers=held), await quick.get(url, headers=held)
                    told = (a.status_code, a.headers.raw, a.content)
                    assert told == (b.status_code, b.headers.raw, b.content), url


async def test_plain_requests_take_the_fast_path(library: Library) -> None:
    [place, *_] = await _filled(library)
    one, _, many, *_ = hot_paths(HeadingFile(library.db), library.books)
    assert one.key(place) and many.key(BOOKS) == LIST and one.key(f"{place}/copies") is None
    assert one.make is not None and await one.make(place, b"") is not None
    assert many.make is not None
    plain = [b"", b"limit=5", b"sort=title", b"language=en", b"author=Ann+3", b"subject=s%C3%B6me"]
    for query in plain:
        assert await many.make(BOOKS, query) is not None, query
    left = [b"q=novel", b"available=true", b"total=exact", b"facets=true", b"limit=0", b"cursor=x"]
    for query in left:
        assert await many.make(BOOKS, query) is None, query
    made = await many.make(BOOKS, b"limit=2")
    assert made is not None and len(json.loads(made.body)["items"]) == 2


async def test_who_is_on_the_shelf_is_never_shown_for_long(library: Library) -> None:
    """It is told by circulation and follows no change here, however it is asked for."""
    paths = hot_paths(HeadingFile(library.db), library.books)
    [many] = [each for each in paths if each.route == BOOKS]
    for query in (b"available=true", b"a=1&branch_id=7", b"facets=true", b"limit=1&facets=1",
                  b"%61vailable=true", b"a=1&f%61cets=true"):  # fmt: skip
        assert many.lifetime(query) <= 2, query
    for query in (b"", b"limit=5", b"author=Ann%20Reed", b"subject=facets%3D"):
        assert many.lifetime(query) > 200, query


async def test_a_change_is_seen_by_the_very_next_read(library: Library) -> None:
    book = await library.book("Middlemarch")
    answers = kept_answers(library)
    place = f"{BOOKS}/{book.id}"
    for title in ("Romola", "Adam Bede", "Silas Marner"):
        await library.change(book, title=title)
        for _ in range(2):
            found = await answers.find(place, b"")
            assert found is not None and json.loads(found.finished.body)["title"] == title


async def test_an_author_is_read_with_every_form_of_the_name(staff: httpx2.AsyncClient) -> None:
    book = (await staff.post(BOOKS, json={"title": "Romola", "authors": ["George Eliot"]})).json()
    place = f"/api/v1/authors/{book['authors'][0]['id']}"
    added = await staff.post(f"{place}/variants", json={"name": "Mary Ann Evans"})
    assert added.status_code == 201 and added.json()["name"] == "Mary Ann Evans"
    read = await staff.get(place)
    assert read.headers["etag"] == '"2"' and read.json()["variants"] == [added.json()]
    assert (await staff.get(f"{place}/variants")).json()["items"] == [added.json()]
    again = await staff.post(f"{place}/variants", json={"name": "mary ann evans"})
    assert again.status_code == 409 and again.json()["type"] == "/problems/variant-known"
    assert (await staff.post(f"{place}/variants", json={"name": " "})).status_code == 422
    gone = await staff.delete(f"{place}/variants/{added.json()['id']}")
    assert gone.status_code == 204 and (await staff.get(place)).json()["variants"] == []


async def test_works_and_series_over_http(staff: httpx2.AsyncClient) -> None:
    new = {"title": "The Warden", "authors": ["Anthony Trollope"], "series": "Barset"}
    one = (await staff.post(BOOKS, json=new | {"series_number": "1"})).json()
    two = (await staff.post(BOOKS, json=new | {"series_number": "1", "language": "en"})).json()
    assert one["series_number"] == "1" and one["work_id"] == two["work_id"]
    work = (await staff.get(f"/api/v1/works/{one['work_id']}")).json()
    assert [each["id"] for each in work["editions"]] == [one["id"], two["id"]]
    moved = await staff.put(f"{BOOKS}/{two['id']}/work", json={"work_id": None})
    assert moved.headers["etag"] == '"2"' and moved.json()["work_id"] != one["work_id"]
    assert (await staff.put(f"{BOOKS}/{two['id']}/work", json={})).status_code == 422
    listed = (await staff.get("/api/v1/series", params={"q": "bar"})).json()["items"]
    assert listed == [{"id": "barset", "name": "Barset", "books": 2}]
    page = await staff.get("/api/v1/series/BARSET/books", params={"limit": 1})
    assert [each["id"] for each in page.json()["items"]] == [one["id"]] and page.headers["link"]
    assert (await staff.get("/api/v1/series/nothing")).status_code == 404
    long = await staff.post(BOOKS, json={"title": "x", "series_number": "9" * 41})
    assert long.status_code == 422 and long.json()["errors"][0]["pointer"] == "#/series_number"


async def test_a_book_that_was_merged_is_gone_on_the_fast_path_too(
    library: Library, staff: httpx2.AsyncClient
) -> None:
    loser, winner = await library.book("Romola."), await library.book("Romola")
    place = f"{BOOKS}/{loser.id}"
    app = router(library)
    async with client(As(FastPath(app, kept_answers(library, app)), SYSTEM)) as fast:
        assert (await fast.get(place)).json() == json.loads(loser.model_dump_json())
        body = {"kind": "book", "loser_id": str(loser.id), "winner_id": str(winner.id)}
        assert (await staff.post("/api/v1/merges", json=body)).status_code == 201
        for asking in (fast, staff):
            gone = await asking.get(place)
            assert gone.status_code == 410 and gone.json()["into"] == str(winner.id)


async def test_a_search_over_http_corrects_explains_and_refuses(
    staff: httpx2.AsyncClient,
) -> None:
    for title in ("Middlemarch", "Emma"):
        await staff.post(BOOKS, json={"title": title, "subjects": ["Towns"]})
    asked = {"q": "midlemarch", "explain": "true", "total": "estimate", "facets": "true"}
    found = (await staff.get(f"{BOOKS}/search", params=asked)).json()
    assert found["did_you_mean"] == "middlemarch" and found["total"] == 1
    assert found["explanations"][0]["book_id"] == found["items"][0]["id"]
    assert found["explanations"][0]["reasons"][-1]["what"] == "whole-title"
    plain = (await staff.get(f"{BOOKS}/search", params={"q": "emma"})).json()
    assert set(plain) == {"items", "next_cursor"}
    alike = (await staff.get(f"{BOOKS}/{plain['items'][0]['id']}/similar")).json()
    assert [each["title"] for each in alike["items"]] == ["Middlemarch"]
    nobody = "00000000-0000-7000-8000-000000000001"
    assert (await staff.get(f"{BOOKS}/{nobody}/similar")).status_code == 404
    for wrong in ({"q": "x" * 10_000}, {"similarity": "1.1"}, {"sort": "rank"}, {"explain": "?"}):
        refused = await staff.get(f"{BOOKS}/search", params=wrong)
        assert refused.status_code == 422
        assert refused.headers["content-type"] == "application/problem+json"
    page = await staff.get(BOOKS, params={"sort": "popularity", "limit": "1"})
    more = await staff.get(page.headers["link"].split(";")[0].strip("<>"))
    assert [each["title"] for each in [*page.json()["items"], *more.json()["items"]]] == [
        "Middlemarch", "Emma"
    ]  # fmt: skip
