"""Problems on the wire, in the shape of RFC 9457, for every error there is."""

import json
from typing import Any

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from fastapi.routing import iter_route_contexts
from pydantic import ValidationError
from starlette.exceptions import HTTPException

from lendery.contracts.base import Invalid, Problem

MEDIA_TYPE = "application/problem+json"
_PREFIX = "/problems/"
_STANDARD = {"type", "title", "status", "detail", "instance"}
_BY_STATUS = {
    400: "bad-request",
    404: "not-found",
    405: "method-not-allowed",
    406: "not-acceptable",
    413: "too-large",
    415: "unsupported-media-type",
    500: "internal-error",
}
log = structlog.get_logger("lendery.http")


def to_body(problem: Problem, instance: str) -> dict[str, Any]:
    extra = {key: value for key, value in problem.extra.items() if key != "retry_after"}
    return _body(problem.code, problem.status, problem.detail, instance) | extra


def from_body(body: dict[str, Any]) -> Problem:
    """Rebuild what a peer reported; a code we do not know is the peer's fault."""
    code = str(body.get("type", "")).removeprefix(_PREFIX)
    extra = {key: value for key, value in body.items() if key not in _STANDARD}
    return Problem.of(code, str(body.get("detail", "")), **extra)


def _body(code: str, status: int, detail: str, instance: str) -> dict[str, Any]:
    return {
        "type": _PREFIX + code,
        "title": code.replace("-", " ").capitalize(),
        "status": status,
        "detail": detail,
        "instance": instance,
    }


def _headers(status: int, retry_after: object = None) -> dict[str, str]:
    headers = {"cache-control": "no-store"}
    if status == 401:
        headers["www-authenticate"] = 'Bearer realm="lendery"'
    if status in (429, 503):
        headers["retry-after"] = str(retry_after or 5)
    return headers


def answer(problem: Problem, instance: str) -> Response:
    return Response(
        json.dumps(to_body(problem, instance), ensure_ascii=False, default=str),
        problem.status,
        headers=_headers(problem.status, problem.extra.get("retry_after")),
        media_type=MEDIA_TYPE,
    )


def validation_errors(error: ValidationError | RequestValidationError) -> list[dict[str, str]]:
    """Each as a JSON pointer into the body, or the name of a query or path parameter."""
    found = []
    for each in error.errors():
        within = ("body",) if isinstance(error, ValidationError) else ()
        where, *path = (*within, *each["loc"]) or ("body",)
        if where == "body":
            if isinstance(error, RequestValidationError):
                path = _in_body(path, error.body, str(each["type"]))
            place = {"pointer": "#" + "".join(f"/{_escaped(part)}" for part in path)}
        else:
            place = {"parameter": ".".join(str(part) for part in path)}
        message = str(each["msg"]).removeprefix("Value error, ")
        found.append({**place, "says": message, "code": str(each["type"])})
    return found


def _in_body(path: list[Any], body: Any, kind: str) -> list[Any]:
    """Without the names pydantic puts between: of the branches of a union, of a key."""
    kept = []
    for at, part in enumerate(path):
        is_there = part in body if isinstance(body, dict) else _is_index(part, body)
        if is_there:
            body = body[part]
        if is_there or (kind == "missing" and at == len(path) - 1):
            kept.append(part)
    return kept


def _escaped(part: Any) -> str:
    """As RFC 6901 writes it."""
    return str(part).replace("~", "~0").replace("/", "~1")


def _is_index(part: Any, body: Any) -> bool:
    return isinstance(body, list) and isinstance(part, int) and part < len(body)


def _methods(request: Request) -> set[str]:
    """All that this address may be asked with: each method is a route of its own."""
    routes = [
        (route.path_format, route.methods or set())
        for route in iter_route_contexts(request.app.router.routes)
        if route.path_regex is not None and route.path_regex.match(request.scope["path"])
    ]
    return set().union(*(methods for path, methods in routes if path == routes[0][0]))


def add_problem_handlers(app: FastAPI) -> None:
    @app.exception_handler(Problem)
    async def _(request: Request, problem: Problem) -> Response:
        return answer(problem, request.url.path)

    @app.exception_handler(RequestValidationError)
    @app.exception_handler(ValidationError)
    async def _(request: Request, error: RequestValidationError | ValidationError) -> Response:
        errors = validation_errors(error)
        says = "; ".join(
            f"{e.get('pointer') or e.get('parameter')}: {e['says']}" for e in errors[:3]
        )
        return answer(Invalid(says, errors=errors[:50]), request.url.path)

    @app.exception_handler(HTTPException)
    async def _(request: Request, error: HTTPException) -> Response:
        code = _BY_STATUS.get(error.status_code, "problem")
        body = _body(code, error.status_code, str(error.detail), request.url.path)
        headers = _headers(error.status_code) | dict(error.headers or {})
        if error.status_code == 405:
            headers["Allow"] = ", ".join(sorted(_methods(request)))
        return Response(json.dumps(body), error.status_code, headers, MEDIA_TYPE)

    @app.exception_handler(Exception)
    async def _(request: Request, error: Exception) -> Response:
        log.error("unexpected", error=type(error).__name__, path=request.url.path, exc_info=error)
        says = "Something went wrong here. Nothing was changed; it is in the log."
        body = _body("internal-error", 500, says, request.url.path)
        return Response(json.dumps(body), 500, _headers(500), MEDIA_TYPE)
