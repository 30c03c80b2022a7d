"""The router's table, indexed: a request looks at the few routes that its path can mean.

FastAPI asks each route in turn whether it is meant; with three hundred routes that is a request's
whole budget. Here a route is filed under the part of its path before the first parameter, and only
those whose part begins the request's path are asked, in the order in which they stand, with those
of a kind that is not known here. What was skipped would have said no, so the answer is the same (a
test compares it with the stock router's over every route, unknown paths and wrong methods
included).
"""

from dataclasses import dataclass, field

from fastapi import FastAPI
from fastapi import routing as fastapi_routing
from fastapi.routing import APIRouter
from starlette.routing import BaseRoute, Match
from starlette.types import Receive, Scope, Send


def joined(*routers: APIRouter) -> APIRouter:
    """One router with the routes of all, which have their whole path already.

    They stay as they were made: `include_router` makes each once more, at every level, and that is
    a quarter of a start.
    """
    router = APIRouter()
    for each in routers:
        router.routes.extend(each.routes)
    return router


def add_routes(app: FastAPI, *routers: APIRouter) -> None:
    """As `app.include_router` of each, without making its routes again."""
    app.router.routes.extend(joined(*routers).routes)


@dataclass(frozen=True)
class _Leaf:
    at: int
    route: BaseRoute


@dataclass
class IndexedRouter:
    """Stands before a router whose routes are complete."""

    router: APIRouter
    literal: dict[str, list[_Leaf]] = field(default_factory=dict)
    beginning: dict[str, list[_Leaf]] = field(default_factory=dict)
    anywhere: list[_Leaf] = field(default_factory=list)

    @classmethod
    def before(cls, router: APIRouter) -> "IndexedRouter":
        """Takes the router's place in its own stack."""
        index = cls(router)
        for at, route in enumerate(router.routes):
            index._place(getattr(route, "path_format", None), _Leaf(at, route))
        router.middleware_stack = index
        return index

    def _place(self, path: str | None, leaf: _Leaf) -> None:
        if path is None or not hasattr(leaf.route, "path_regex"):
            self.anywhere.append(leaf)
        elif "{" not in path:
            self.literal.setdefault(path, []).append(leaf)
        else:
            known = path[: path.index("{")]
            self.beginning.setdefault(known[: known.rindex("/") + 1], []).append(leaf)

    def leaves(self, path: str) -> list[_Leaf]:
        """The routes that this path can mean, in the order in which they stand."""
        found = [*self.literal.get(path, ())]
        slash = path.find("/")
        while slash >= 0:
            found += self.beginning.get(path[: slash + 1], ())
            slash = path.find("/", slash + 1)
        found += self.anywhere
        if len(found) > 1:
            found.sort(key=_at)
        return found

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        router = self.router
        plain = scope["type"] == "http" and not scope.get("root_path")
        # A regular expression takes a last line end for nothing, and a table does not.
        if (
            not plain
            or scope["path"].endswith("\n")
            or router.redirect_slashes
            or router._low_priority_routes
        ):
            await router.app(scope, receive, send)
            return
        fastapi_routing._apply_router_form_limits(scope, router.form_limits)
        scope.setdefault("router", router)
        meant: tuple[BaseRoute, Scope] | None = None
        for leaf in self.leaves(scope["path"]):
            match, child = leaf.route.matches(scope)
            if match is Match.FULL:
                meant = leaf.route, child
                break
            if match is Match.PARTIAL and meant is None:
                meant = leaf.route, child
        if meant is not None:
            fastapi_routing._update_scope(scope, meant[1])
            await meant[0].handle(scope, receive, send)
            return
        await router.default(scope, receive, send)


def _at(leaf: _Leaf) -> int:
    return leaf.at
