"""How notices are worded, for staff: looked at, tried, written, and given back."""

from dataclasses import dataclass
from datetime import UTC, datetime

from fastapi import APIRouter
from pydantic import ValidationError
from starlette.requests import Request
from starlette.responses import Response

from lendery.contracts.base import NotFound
from lendery.contracts.notices import (
    NoticeTemplates,
    Preview,
    TemplateKey,
    TemplateRefused,
    TemplateText,
)
from lendery.contracts.permissions import Permission
from lendery.web.pages import Site, asked, field, go, show, take, visit_of

PATH = "/staff/notices"
ONE = f"{PATH}/{{kind}}/{{language}}/{{medium}}"
LONGEST = 10_000


@dataclass(frozen=True)
class Wording:
    site: Site

    async def list(self, request: Request) -> Response:
        actor = visit_of(request).must(Permission.READ_NOTICES)
        templates = await self.site.ports.notice_templates.all(actor=actor)
        return self.site.page(request, "wording.html", templates=templates)

    async def show(self, request: Request, kind: str, language: str, medium: str) -> Response:
        return await self._page(request, _key(kind, language, medium))

    async def act(self, request: Request, kind: str, language: str, medium: str) -> Response:
        actor, now = visit_of(request).must(Permission.READ_NOTICES), datetime.now(UTC)
        key, do, desk = _key(kind, language, medium), await field(request, "do", 10), self._desk
        if do == "reset":
            await desk.reset(key=key, actor=actor, now=now)
            return go(f"{_path(key)}?told=reset#told")
        try:
            text = TemplateText(subject=await field(request, "subject"), body=await _body(request))
            preview = await desk.preview(key=key, text=text, actor=actor)
            if do == "write":
                await desk.write(key=key, text=text, actor=actor, now=now)
                return go(f"{_path(key)}?told=written#told")
        except TemplateRefused as refused:
            return await self._page(request, key, wrong=refused.detail)
        except ValidationError as error:
            return await self._page(request, key, wrong=str(error.errors()[0]["msg"]))
        return await self._page(request, key, preview=preview)

    @property
    def _desk(self) -> NoticeTemplates:
        return self.site.ports.notice_templates

    async def _page(
        self, request: Request, key: TemplateKey, *, wrong: str = "", preview: Preview | None = None
    ) -> Response:
        """With what was typed, where something was."""
        actor = visit_of(request).must(Permission.READ_NOTICES)
        template = await self._desk.get(key=key, actor=actor)
        subject, body = template.subject, template.body
        if wrong or preview:
            subject, body = await field(request, "subject"), await _body(request)
        return self.site.page(
            request,
            "wording_one.html",
            422 if wrong else 200,
            worded=template,
            subject=subject,
            body=body,
            wrong=wrong,
            preview=preview,
            told=asked(request, "told", 10),
            may_write=actor.may(Permission.WRITE_NOTICES),
        )


async def _body(request: Request) -> str:
    """With its line breaks, as a template counts them."""
    value = (await request.form()).get("body")
    return value.replace("\r\n", "\n")[: LONGEST + 1] if isinstance(value, str) else ""


def _key(kind: str, language: str, medium: str) -> TemplateKey:
    try:
        return TemplateKey.model_validate({"kind": kind, "language": language, "medium": medium})
    except ValidationError:
        raise NotFound("There is no such notice.") from None


def _path(key: TemplateKey) -> str:
    return f"{PATH}/{key.kind}/{key.language}/{key.medium}"


def routes(site: Site) -> APIRouter:
    pages, router = Wording(site), site.router()
    show(router, PATH, pages.list)
    show(router, ONE, pages.show)
    take(router, ONE, pages.act)
    return router
