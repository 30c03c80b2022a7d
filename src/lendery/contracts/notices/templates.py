"""How notices are worded: a template for each kind, language and medium."""

from datetime import datetime
from typing import Annotated, Any, Literal, Protocol
from uuid import UUID

from pydantic import AfterValidator, StringConstraints

from lendery.contracts.base import Event, Input, NotFound, Problem, Value, many_lines
from lendery.contracts.notices.inbox import Kind
from lendery.contracts.permissions import Actor

Medium = Literal["email", "inbox"]
TemplateKind = Kind | Literal["digest"]


def _as_typed(text: str) -> str:
    """Lines count from where it begins, so what is before the first words stays."""
    return text[: len(text) - len(text.lstrip())] + many_lines(text)


Language = Annotated[str, StringConstraints(pattern=r"^[a-z]{2,3}(-[A-Z]{2})?$")]


class TemplateKey(Value):
    """`digest` is the mail that holds several notices, and exists for e-mail only."""

    kind: TemplateKind
    language: Language
    medium: Medium


class NoticeTemplate(TemplateKey):
    """`edited`: this library's own words, of which `version` counts; else those built in.

    `sample` are the names a template may use, with a value of each for a preview.
    """

    subject: str
    body: str
    edited: bool
    version: int
    changed_at: datetime | None = None
    changed_by: UUID | None = None
    sample: dict[str, Any]


class TemplateText(Input):
    """Jinja2, plain text: `{{ name }}`, `{% if %}`, `{% for %}` and a few filters."""

    subject: Annotated[str, StringConstraints(min_length=1, max_length=500)]
    body: Annotated[
        str, StringConstraints(min_length=1, max_length=10_000), AfterValidator(_as_typed)
    ]


class Preview(Value):
    """A template filled with the sample of its kind."""

    subject: str
    body: str


class TemplateRefused(Problem):
    """It has an error. `field` is subject or body, `line` counts from 1, `says` what is wrong."""

    status = 422


class NoSuchTemplate(NotFound):
    """There are no words for this kind in this language."""

    status = 404


class TemplateWritten(Event):
    """The library words this in its own way from now on; `about_id` is made from the key."""

    about = "about_id"
    about_id: UUID
    kind: str
    language: str
    medium: str
    version: int
    by: UUID | None = None


class TemplateReset(Event):
    """The words built in are used again, or none where there are none."""

    about = "about_id"
    about_id: UUID
    kind: str
    language: str
    medium: str
    by: UUID | None = None


class NoticeTemplates(Protocol):
    async def all(self, *, actor: Actor) -> list[NoticeTemplate]:
        """All there are, built in and edited, by kind, language and medium."""
        ...

    async def get(self, *, key: TemplateKey, actor: Actor) -> NoticeTemplate: ...
    async def preview(self, *, key: TemplateKey, text: TemplateText, actor: Actor) -> Preview:
        """Raises TemplateRefused, as `write` does."""
        ...

    async def write(
        self,
        *,
        key: TemplateKey,
        text: TemplateText,
        actor: Actor,
        now: datetime,
        version: int | None = None,
    ) -> NoticeTemplate: ...
    async def reset(self, *, key: TemplateKey, actor: Actor, now: datetime) -> None: ...
