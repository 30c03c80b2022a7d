"""The library's own words for notices: looked at, previewed, written, and given back."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import NAMESPACE_URL, UUID, uuid5

from lendery.contracts.base import Stale
from lendery.contracts.notices import (
    NoSuchTemplate,
    NoticeTemplate,
    Preview,
    TemplateKey,
    TemplateReset,
    TemplateText,
    TemplateWritten,
)
from lendery.contracts.permissions import Actor, Permission
from lendery.notices.built_in import TEMPLATES
from lendery.notices.built_in.samples import samples
from lendery.notices.repository import templates as kept
from lendery.notices.templates import checked
from lendery.platform.db import Database


@dataclass(frozen=True)
class TemplateDesk:
    """Implements contracts.notices.NoticeTemplates. Nothing is kept that fails with its sample."""

    db: Database

    async def all(self, *, actor: Actor) -> list[NoticeTemplate]:
        actor.must(Permission.READ_NOTICES)
        async with self.db.read() as session:
            edited = {TemplateKey.model_validate(row): row for row in await kept.edited(session)}
        keys = sorted({*edited, *TEMPLATES}, key=lambda key: (key.kind, key.language, key.medium))
        return [_shown(key, edited.get(key)) for key in keys]

    async def get(self, *, key: TemplateKey, actor: Actor) -> NoticeTemplate:
        actor.must(Permission.READ_NOTICES)
        async with self.db.read() as session:
            return _shown(key, await kept.template_with(session, key))

    async def preview(self, *, key: TemplateKey, text: TemplateText, actor: Actor) -> Preview:
        actor.must(Permission.READ_NOTICES)
        _must_be_one(key)
        return checked(key, text)

    async def write(
        self,
        *,
        key: TemplateKey,
        text: TemplateText,
        actor: Actor,
        now: datetime,
        version: int | None = None,
    ) -> NoticeTemplate:
        actor.must(Permission.WRITE_NOTICES)
        _must_be_one(key)
        checked(key, text)
        async with self.db.begin() as tx:
            before = await kept.template_with(tx, key)
            stands = before.version if before else 0
            row = {
                **key.model_dump(),
                **text.model_dump(),
                "version": stands + 1,
                "changed_at": now,
                "changed_by": actor.id,
            }
            if version not in (None, stands) or not await kept.keep(tx, row):
                raise Stale("This has changed since you read it. Read it again.", version=stands)
            await tx.announce(
                TemplateWritten(
                    at=now,
                    about_id=_id_of(key),
                    **key.model_dump(),
                    version=stands + 1,
                    by=actor.id,
                )
            )
            return _shown(key, await kept.template_with(tx, key))

    async def reset(self, *, key: TemplateKey, actor: Actor, now: datetime) -> None:
        """Words that were not edited stay as they are."""
        actor.must(Permission.WRITE_NOTICES)
        async with self.db.begin() as tx:
            if await kept.reset(tx, key):
                told = TemplateReset(at=now, about_id=_id_of(key), **key.model_dump(), by=actor.id)
                await tx.announce(told)
            elif key not in TEMPLATES:
                raise _no_words()


def _must_be_one(key: TemplateKey) -> None:
    if key.kind == "digest" and key.medium == "inbox":
        raise NoSuchTemplate("A digest is a mail: the inbox shows its notices one by one.")


def _shown(key: TemplateKey, row: Any | None) -> NoticeTemplate:
    sample, _ = samples(key.kind, key.medium)
    if row is not None:
        values = {name: getattr(row, name) for name in NoticeTemplate.model_fields
                  if hasattr(row, name)}  # fmt: skip
        return NoticeTemplate.model_validate({**values, "edited": True, "sample": sample})
    if key not in TEMPLATES:
        raise _no_words()
    text = TEMPLATES[key]
    return NoticeTemplate(
        **key.model_dump(), **text.model_dump(), edited=False, version=0, sample=sample
    )


def _no_words() -> NoSuchTemplate:
    return NoSuchTemplate("There are no words for this kind of notice in this language.")


def _id_of(key: TemplateKey) -> UUID:
    return uuid5(NAMESPACE_URL, f"lendery:template:{key.kind}:{key.language}:{key.medium}")
