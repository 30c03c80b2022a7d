"""For staff: how notices are worded, what became of mails, which addresses refuse them."""

from datetime import UTC, datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Body, Depends, Path, Request, Response

from lendery.contracts.base import Page
from lendery.contracts.notices import (
    Bounce,
    Language,
    Mail,
    MailFilter,
    MailLog,
    MailState,
    Medium,
    NoticeTemplate,
    NoticeTemplates,
    Preview,
    TemplateKey,
    TemplateKind,
    TemplateText,
)
from lendery.contracts.permissions import Actor, Permission
from lendery.platform.http.answers import (
    ExpectedVersion,
    PageWindow,
    answer,
    items_answer,
    page_answer,
    version_tag,
)
from lendery.platform.http.identity import Needs

Reads = Annotated[Actor, Depends(Needs(Permission.READ_NOTICES))]
Writes = Annotated[Actor, Depends(Needs(Permission.WRITE_NOTICES))]
Edits = Annotated[Actor, Depends(Needs(Permission.EDIT_PEOPLE))]
Tongue = Annotated[Language, Path()]
ONE = "/notice-templates/{kind}/{language}/{medium}"
WORDS = {"subject": "Ready for you", "body": "Collect it at {{ branch }}."}


def add_templates(router: APIRouter, templates: NoticeTemplates) -> None:
    @router.get(
        "/notice-templates", summary="How notices are worded", response_model=Page[NoticeTemplate]
    )
    async def list_notice_templates(request: Request, actor: Reads) -> Response:
        """All of them, with a sample of what each may name."""
        return items_answer(await templates.all(actor=actor), request)

    @router.get(ONE, summary="One template", response_model=NoticeTemplate)
    async def read_notice_template(
        request: Request, kind: TemplateKind, language: Tongue, medium: Medium, actor: Reads
    ) -> Response:
        key = TemplateKey(kind=kind, language=language, medium=medium)
        return _one(await templates.get(key=key, actor=actor), request)

    @router.put(ONE, summary="Write a template", response_model=NoticeTemplate)
    async def write_notice_template(
        request: Request,
        kind: TemplateKind,
        language: Tongue,
        medium: Medium,
        actor: Writes,
        version: ExpectedVersion,
        text: Annotated[TemplateText, Body(examples=[WORDS])],
    ) -> Response:
        """One with an error is refused, with the line and what is wrong there."""
        key = TemplateKey(kind=kind, language=language, medium=medium)
        now = datetime.now(UTC)
        made = await templates.write(key=key, text=text, actor=actor, now=now, version=version)
        return _one(made, request)

    @router.delete(ONE, summary="Back to the words built in", status_code=204)
    async def reset_notice_template(
        kind: TemplateKind, language: Tongue, medium: Medium, actor: Writes
    ) -> Response:
        key = TemplateKey(kind=kind, language=language, medium=medium)
        await templates.reset(key=key, actor=actor, now=datetime.now(UTC))
        return Response(status_code=204)

    @router.post(f"{ONE}/preview", summary="Try a template", response_model=Preview)
    async def preview_notice_template(
        request: Request,
        kind: TemplateKind,
        language: Tongue,
        medium: Medium,
        actor: Reads,
        text: Annotated[TemplateText, Body(examples=[WORDS])],
    ) -> Response:
        """Filled with the sample of its kind. Nothing is kept."""
        key = TemplateKey(kind=kind, language=language, medium=medium)
        return answer(await templates.preview(key=key, text=text, actor=actor), request)


def add_mails(router: APIRouter, mail_log: MailLog) -> None:
    @router.get("/notices/mails", summary="What became of mails", response_model=Page[Mail])
    async def list_mails(
        request: Request,
        actor: Reads,
        window: PageWindow,
        patron_id: UUID | None = None,
        state: MailState | None = None,
    ) -> Response:
        """Newest first."""
        like = MailFilter(patron_id=patron_id, state=state)
        return page_answer(await mail_log.find(like=like, window=window, actor=actor), request)

    @router.get("/notices/mails/{mail_id}", summary="One mail", response_model=Mail)
    async def read_mail(request: Request, mail_id: UUID, actor: Reads) -> Response:
        """With each try to send it."""
        return answer(await mail_log.get(mail_id=mail_id, actor=actor), request)

    @router.post("/notices/mails/{mail_id}/retry", summary="Try again", response_model=Mail)
    async def retry_mail(request: Request, mail_id: UUID, actor: Edits) -> Response:
        """Of what failed, bounced or was suppressed."""
        now = datetime.now(UTC)
        return answer(await mail_log.retry(mail_id=mail_id, actor=actor, now=now), request)

    @router.get(
        "/notices/bounces", summary="Addresses that refuse mail", response_model=Page[Bounce]
    )
    async def list_bounces(request: Request, actor: Reads, window: PageWindow) -> Response:
        """Of whom; the address is in their record."""
        return page_answer(await mail_log.bounces(window=window, actor=actor), request)

    @router.delete(
        "/notices/bounces/{patron_id}", summary="Trust an address again", status_code=204
    )
    async def clear_bounce(patron_id: UUID, actor: Edits) -> Response:
        await mail_log.clear(patron_id=patron_id, actor=actor, now=datetime.now(UTC))
        return Response(status_code=204)


def _one(template: NoticeTemplate, request: Request) -> Response:
    return answer(template, request, etag=version_tag(template.version))
