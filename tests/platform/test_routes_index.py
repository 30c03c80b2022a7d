"""The indexed router answers as the stock router would, over every route of the program."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.routing import iter_route_contexts
from starlette.types import Receive, Scope, Send

from lendery.main import create_app
from lendery.platform.http.routes_index import IndexedRouter
from lendery.platform.settings import CONTEXTS, Settings

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "BREW")
ODD = (
    *("/", "//", "", "/api", "/api/v1", "/api/v1/", "/api/v1/books/", "/api/v1//books"),
    *("/API/v1/books", "/api/v1/books/a/b/c/d", "/nowhere/at/all", "/healthz\n", "/static/"),
    *("/api/v1/users/me/loans/", "/openapi.json/", "/docs", "/api/v1/books/\u00e9", "/staff/x"),
)


def program(contexts: str) -> FastAPI:
    """The FastAPI application inside all layers."""
    app: Any = create_app(
        Settings(
            database_url="sqlite://",
            contexts=contexts,  # type: ignore[arg-type]
            peers={c: f"http://{c}.test" for c in CONTEXTS},
        )
    )
    while not isinstance(app, FastAPI):
        app = app.app
    return app


def paths(app: FastAPI) -> Iterator[str]:
    """Each route's path, with something in the place of its parameters, and near misses."""
    for each in iter_route_contexts(app.router.routes):
        path = each.path_format or each.path
        if path is None or "{path}" in path:
            continue
        for value in ("0190a1c2-0000-7000-8000-000000000001", "by-barcode", "x"):
            filled = re.sub(r"\{\w+\}", value, path)
            yield from (filled, filled + "/", filled + "/x")


async def chosen(router: Any, scope: Scope) -> Any:
    """Which endpoint is chosen with which parameters, or how the request is refused."""
    told: list[Any] = []

    async def receive() -> Any:
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        told.append((message["type"], message.get("status"), message.get("headers")))

    try:
        await router(scope, receive, send)
    except Exception as error:  # the 404 and the 405 are raised for the handlers outside
        told.append((type(error).__name__, getattr(error, "status_code", None), str(error)))
        told.append(getattr(error, "headers", None))
    route = scope.get("route")
    return (
        getattr(route, "path", None),
        id(route),
        scope.get("endpoint"),
        scope.get("path_params"),
        sorted(str(key) for key in scope.get("fastapi", {})),
        told,
    )


def scope_of(app: FastAPI, path: str, method: str, accept: bytes) -> Scope:
    return {
        "type": "http",
        "method": method,
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "headers": [(b"accept", accept)],
        "root_path": "",
        "app": app,
        "state": {},
        "client": ("203.0.113.7", 1),
        "server": ("library.test", 80),
        "scheme": "http",
        "http_version": "1.1",
    }


@pytest.mark.parametrize(
    "contexts", ["accounts,catalog,circulation,notices,reports,reviews,web", "circulation"]
)
async def test_every_path_finds_the_same_endpoint_as_in_the_stock_router(
    contexts: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = program(contexts)
    index = app.router.middleware_stack
    assert isinstance(index, IndexedRouter)
    assert len(index.anywhere) <= 1, "a router was included, and each of its routes made twice"
    _endpoints_say_only_that_they_were_reached(app, monkeypatch)
    compared = 0
    for path in {*paths(app), *ODD}:
        for method in METHODS:
            for accept in (b"text/html", b"*/*") if method in ("GET", "HEAD") else (b"*/*",):
                mine = await chosen(index, scope_of(app, path, method, accept))
                stock = await chosen(app.router.app, scope_of(app, path, method, accept))
                assert mine == stock, (method, path)
                compared += 1
    assert compared > 1000


def _endpoints_say_only_that_they_were_reached(
    app: FastAPI, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def reached(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "reached"})

    for each in iter_route_contexts(app.router.routes):
        monkeypatch.setattr(each.route, "app", reached, raising=False)


async def test_few_routes_are_asked_for_a_path(monkeypatch: pytest.MonkeyPatch) -> None:
    index = program("accounts,catalog,circulation,web").router.middleware_stack
    assert isinstance(index, IndexedRouter)
    for path in ("/api/v1/books", "/api/v1/loans", "/healthz", "/staff", "/nowhere"):
        assert len(index.leaves(path)) <= 12, path


async def test_an_index_that_forgets_a_route_is_noticed() -> None:
    """The comparison above can fail."""
    app = program("catalog")
    index = app.router.middleware_stack
    assert isinstance(index, IndexedRouter)
    index.literal.pop("/api/v1/books")
    path = "/api/v1/books"
    mine = await chosen(index, scope_of(app, path, "PUT", b""))
    assert mine != await chosen(app.router.app, scope_of(app, path, "PUT", b""))
