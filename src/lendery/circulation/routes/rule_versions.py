"""The rule table as a whole over REST: its versions, its text, what differs."""

from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Body, Depends, Path, Query, Request, Response

from lendery.contracts.base import Instant, Invalid, Line, Page
from lendery.contracts.circulation import (
    NewRuleTable,
    Restoring,
    RuleDifference,
    RuleTableText,
    RuleVersion,
    RuleVersionRows,
    RuleVersions,
    SavedRules,
)
from lendery.contracts.permissions import Actor, Permission
from lendery.platform.http.answers import (
    ExpectedVersion,
    PageWindow,
    answer,
    etag_of,
    items_answer,
    matches,
    page_answer,
    version_tag,
)
from lendery.platform.http.identity import Needs

Reader = Annotated[Actor, Depends(Needs(Permission.READ_RULES))]
Writer = Annotated[Actor, Depends(Needs(Permission.WRITE_RULES))]
Number = Annotated[int, Path(ge=1, le=2**31 - 1)]
Since = Annotated[
    int | None, Query(ge=1, le=2**31 - 1, description="Another version; default: the one before.")
]
DryRun = Annotated[bool, Query(description="Check it, and save nothing.")]
From = Annotated[Instant | None, Query(description="An instant to come; default: at once.")]
Why = Annotated[Line | None, Query(description="For whoever reads the history.")]
TEXT = "text/plain; charset=utf-8"
PLAIN: Any = {200: {"content": {"text/plain": {"schema": {"type": "string"}}}}}
TEXT_EXAMPLE = """any:
  loan_period = 21 days
category=child item=dvd:
  loan_period = 3 days
  fine = 0.05 EUR
"""
TEXT_BODY = {
    "requestBody": {
        "required": True,
        "content": {"text/plain": {"schema": {"type": "string"}, "example": TEXT_EXAMPLE}},
    }
}
TABLE_EXAMPLES: Any = {
    "a summer table": {
        "value": {
            "rows": [
                {"parameter": "loan_period", "value": 21},
                {"category": "child", "parameter": "loan_period", "value": 42},
            ],
            "valid_from": "2099-07-01T00:00:00Z",
            "comment": "Longer loans over the summer",
        }
    }
}


def routes(versions: RuleVersions) -> APIRouter:
    router = APIRouter(prefix="/api/v1", tags=["rules"])
    _text(router, versions)
    _reading(router, versions)
    _saving(router, versions)
    return router


def _text(router: APIRouter, versions: RuleVersions) -> None:
    @router.get(
        "/rules/text",
        summary="The rule table as text",
        response_class=Response,
        responses=PLAIN,
    )
    async def read_text(request: Request, actor: Reader) -> Response:
        """For review and version control. What is sent back unchanged changes nothing."""
        told = await versions.text(number=None, actor=actor, at=datetime.now(UTC))
        return _written(told, request)

    @router.get(
        "/rules/versions/{number}/text",
        summary="A version as text",
        response_class=Response,
        responses=PLAIN,
    )
    async def read_old_text(request: Request, actor: Reader, number: Number) -> Response:
        told = await versions.text(number=number, actor=actor, at=datetime.now(UTC))
        return _written(told, request)

    @router.put(
        "/rules/text",
        summary="Replace the rule table by text",
        response_model=SavedRules,
        openapi_extra=TEXT_BODY,
    )
    async def save_text(
        request: Request,
        actor: Writer,
        number: ExpectedVersion,
        valid_from: From = None,
        comment: Why = None,
        dry_run: DryRun = False,
    ) -> Response:
        """A fault is told with line and column. `If-Match` names the version it replaces."""
        saved = await versions.save_text(
            text=_decoded(await request.body()),
            valid_from=valid_from,
            comment=comment,
            actor=actor,
            now=datetime.now(UTC),
            number=number,
            dry_run=dry_run,
        )
        return _saved(saved, request)


def _reading(router: APIRouter, versions: RuleVersions) -> None:
    @router.get("/rules/versions", summary="List the versions", response_model=Page[RuleVersion])
    async def find(request: Request, actor: Reader, window: PageWindow) -> Response:
        """What was, is and will be in force, the newest first."""
        page = await versions.find(window=window, actor=actor, at=datetime.now(UTC))
        return page_answer(page, request)

    @router.get("/rules/versions/{number}", summary="One version", response_model=RuleVersionRows)
    async def get(request: Request, actor: Reader, number: Number) -> Response:
        found = await versions.get(number=number, actor=actor, at=datetime.now(UTC))
        return answer(found, request, etag=version_tag(found.number, found.state))

    @router.get(
        "/rules/versions/{number}/differences",
        summary="What a version changed",
        response_model=Page[RuleDifference],
    )
    async def differences(
        request: Request, actor: Reader, number: Number, since: Since = None
    ) -> Response:
        found = await versions.differences(number=number, since=since, actor=actor)
        return items_answer(found, request)


def _saving(router: APIRouter, versions: RuleVersions) -> None:
    @router.put("/rules", summary="Replace the rule table", response_model=SavedRules)
    async def save(
        request: Request,
        actor: Writer,
        number: ExpectedVersion,
        table: Annotated[NewRuleTable, Body(openapi_examples=TABLE_EXAMPLES)],
        dry_run: DryRun = False,
    ) -> Response:
        """A new version, in force at once or from `valid_from` on. `If-Match` names the version
        it replaces. What refuses it is in `errors`, what is only odd in `findings`."""
        saved = await versions.save(
            table=table, actor=actor, now=datetime.now(UTC), number=number, dry_run=dry_run
        )
        return _saved(saved, request)

    @router.post(
        "/rules/versions/{number}/restore",
        summary="Roll back to a version",
        response_model=SavedRules,
        status_code=201,
    )
    async def restore(
        request: Request, actor: Writer, number: Number, wanted: Restoring
    ) -> Response:
        """Saves a new version with the rows of an old one."""
        saved = await versions.restore(
            number=number, wanted=wanted, actor=actor, now=datetime.now(UTC)
        )
        return _saved(saved, request, 201)


def _written(told: RuleTableText, request: Request) -> Response:
    etag = version_tag(told.number, etag_of(told.text.encode()).strip('"'))
    if matches(request.headers.get("if-none-match"), etag):
        return Response(None, 304, {"etag": etag})
    return Response(told.text, 200, {"etag": etag}, TEXT)


def _saved(saved: SavedRules, request: Request, status: int = 200) -> Response:
    place = f"/api/v1/rules/versions/{saved.version.number}" if saved.version else None
    return answer(saved, request, status=status, location=place if status == 201 else None)


def _decoded(body: bytes) -> str:
    try:
        text = body.decode()
    except UnicodeDecodeError as error:
        line = body.count(b"\n", 0, error.start) + 1
        says = f"Line {line} is not UTF-8."
        raise Invalid(says, errors=[{"line": line, "says": says}]) from error
    if "\x00" in text:
        raise Invalid("A rule table holds no NUL.", errors=[{"pointer": "#", "says": "NUL"}])
    return text
