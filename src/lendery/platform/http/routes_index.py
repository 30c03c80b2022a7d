"""The router's table, indexed: a request looks at the few routes that its path can mean.

FastAPI asks each route in turn, through each included router, whether it is meant; with three
hundred routes that is a request's whole budget. Here a route is filed under the part of its path
before the first parameter, and only those whose part begins the request's path are asked, in the
order in which they stand. What was skipped would have said no, so the answer is the same; where
a route is of a kind that is not known here, the request goes to the stock router
(a test compares both over every route, unknown paths and wrong methods included).
"""

from dataclasses import dataclass, field
from typing import Any

from fastapi import routing as fastapi_routing
from fastapi.routing import APIRoute, APIRouter
from starlette.routing import BaseRoute, Match
from starlette.types import Receive, Scope, Send


@dataclass(frozen=True)
class _Leaf:
    """A route as it stands in the whole program: `context` when it came with a router."""

    at: int
    route: BaseRoute
    context: Any = None
    within: tuple[Any, ...] = ()  # the included routers around it, the outermost first

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        found: tuple[Match, Scope] = (self.context or self.route).matches(scope)
        return found

    async def handle(self, scope: Scope, receive: Receive, send: Send, child: Scope) -> None:
        fastapi_routing._update_scope(scope, child)
        if self.context is None:
            await self.route.handle(scope, receive, send)
            return
        for each in self.within:
            fastapi_routing._apply_router_form_limits(scope, each.include_context.form_limits)
        known = fastapi_routing._get_fastapi_scope(scope)
        known[fastapi_routing._FASTAPI_INCLUDED_ROUTER_KEY] = self.within[-1]
        known[fastapi_routing._FASTAPI_EFFECTIVE_ROUTE_CONTEXT_KEY] = self.context
        scope["route"] = self.route
        await self.route.handle(scope, receive, send)


@dataclass
class IndexedRouter:
    """Stands before a router whose routes are complete."""

    router: APIRouter
    literal: dict[str, list[_Leaf]] = field(default_factory=dict)
    beginning: dict[str, list[_Leaf]] = field(default_factory=dict)
    anywhere: list[_Leaf] = field(default_factory=list)
    strange: bool = False  # there is a route whose kind is not known here

    @classmethod
    def before(cls, router: APIRouter) -> "IndexedRouter":
        """Takes the router's place in its own stack."""
        index = cls(router)
        index._file(router.routes, ())
        router.middleware_stack = index
        return index

    def _file(self, routes: Any, within: tuple[Any, ...]) -> None:
        for each in routes:
            if isinstance(each, fastapi_routing._IncludedRouter):
                self._file(each.effective_candidates(), (*within, each))
            elif isinstance(each, fastapi_routing._EffectiveRouteContext):
                original = each.original_route
                if isinstance(original, APIRoute):
                    self._place(each.path_format, _Leaf(self._next(), original, each, within))
                else:
                    self.strange = True
            else:
                self._place(getattr(each, "path_format", None), _Leaf(self._next(), each))

    def _next(self) -> int:
        filed = [*self.literal.values(), *self.beginning.values(), self.anywhere]
        return sum(len(each) for each in filed)

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
            or self.strange
            or router.redirect_slashes
            or router._low_priority_routes
        ):
            await router.app(scope, receive, send)
            return
        fastapi_routing._apply_router_form_limits(scope, router.form_limits)
        scope.setdefault("router", router)
        partial: tuple[_Leaf, Scope] | None = None
        for leaf in self.leaves(scope["path"]):
            match, child = leaf.matches(scope)
            if match is Match.FULL:
                await leaf.handle(scope, receive, send, child)
                return
            if match is Match.PARTIAL and partial is None:
                partial = leaf, child
        if partial is not None:
            await partial[0].handle(scope, receive, send, partial[1])
            return
        await router.default(scope, receive, send)


def _at(leaf: _Leaf) -> int:
    return leaf.at
