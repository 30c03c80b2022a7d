"""The OpenAPI document: what each endpoint needs, and every status it may answer."""

from typing import Any

from fastapi import FastAPI
from fastapi.dependencies.models import Dependant
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute, iter_route_contexts

from lendery.platform.http.identity import Needs
from lendery.platform.http.problems import MEDIA_TYPE

PROBLEM = {
    "type": "object",
    "description": "RFC 9457. `type` is /problems/<code>; `detail` is a sentence for people.",
    "required": ["type", "title", "status", "detail"],
    "properties": {
        "type": {"type": "string", "examples": ["/problems/not-found"]},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "instance": {"type": "string"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {
                    "pointer": {"type": "string", "examples": ["#/title"]},
                    "parameter": {"type": "string"},
                    "says": {"type": "string"},
                },
            },
        },
    },
}
SAYS = {
    "400": "The request cannot be read.",
    "401": "Sign in first, or again.",
    "403": "You may not do this.",
    "404": "There is no such thing.",
    "406": "Not available in that form.",
    "409": "It does not fit what is there; the answer says why.",
    "412": "It has changed since you read it.",
    "413": "The body is too large.",
    "415": "Send JSON.",
    "422": "A field is wrong; `errors` points at each.",
    "429": "Too many requests; `Retry-After` says how long to wait.",
    "503": "A part that is needed does not answer; try again soon.",
}
OPEN_TO_ALL = ("429", "503")


def needs_of(dependant: Dependant) -> list[Needs]:
    """The permissions an endpoint names, wherever in its dependencies."""
    found = [dependant.call] if isinstance(dependant.call, Needs) else []
    return found + [need for each in dependant.dependencies for need in needs_of(each)]


def api_routes(app: FastAPI) -> list[tuple[str, APIRoute]]:
    """Each endpoint with its path as the world sees it, the prefixes of all routers included."""
    return [
        (context.path_format, context.original_route)
        for context in iter_route_contexts(app.router.routes)
        if isinstance(context.original_route, APIRoute) and context.path_format
    ]


def document(app: FastAPI) -> None:
    """Makes `app.openapi()` tell permissions and problems of each endpoint."""

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            schema = get_openapi(
                title=app.title,
                version=app.version,
                description=app.description,
                routes=app.routes,
                tags=app.openapi_tags,
            )
            _complete(schema, app)
            app.openapi_schema = schema
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]


def _complete(schema: dict[str, Any], app: FastAPI) -> None:
    parts = schema.setdefault("components", {})
    parts.setdefault("schemas", {})["Problem"] = PROBLEM
    parts["schemas"].pop("HTTPValidationError", None)
    parts["schemas"].pop("ValidationError", None)
    parts["securitySchemes"] = {
        "oauth2": {
            "type": "oauth2",
            "flows": {"password": {"tokenUrl": "/api/v1/auth/token", "scopes": {}}},
        }
    }
    for path, route in api_routes(app):
        for method in route.methods or ():
            if operation := schema["paths"].get(path, {}).get(method.lower()):
                _complete_operation(operation, path, route, method)


def _complete_operation(operation: dict[str, Any], path: str, route: APIRoute, method: str) -> None:
    permissions = [need.permission for need in needs_of(route.dependant) if need.permission]
    statuses = {*OPEN_TO_ALL, "401", "422"}  # a bad token is refused even where none is needed
    if permissions:
        operation["security"] = [{"oauth2": []}]
        operation["description"] = (
            operation.get("description", "") + f"\n\nNeeds `{', '.join(permissions)}`."
        ).strip()
        operation["x-permission"] = permissions[0]
        statuses.add("403")
    if "{" in path:
        statuses |= {"404"}
    if method in ("POST", "PATCH", "PUT", "DELETE"):
        statuses |= {"400", "403", "404", "409", "412", "413", "415"}
    if method == "GET":
        operation["responses"].setdefault("304", {"description": "You have it already."})
    for status in sorted(statuses):
        operation["responses"][status] = {
            "description": SAYS[status],
            "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
        }
