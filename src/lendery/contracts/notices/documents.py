"""A file that somebody gets by e-mail because they asked for it, once."""

import base64
from datetime import date, datetime
from typing import Annotated, Any, Protocol
from uuid import UUID

from pydantic import BeforeValidator, PlainSerializer, StringConstraints

from lendery.contracts.base import Problem, Value

MOST_ATTACHED = 10_000_000  # bytes: servers take 25 MB as a rule, and Base64 adds a third


def _raw(content: Any) -> Any:
    return base64.b64decode(content) if isinstance(content, str) else content


def _text(content: bytes) -> str:
    return base64.b64encode(content).decode()


Content = Annotated[
    bytes, BeforeValidator(_raw), PlainSerializer(_text, return_type=str, when_used="json")
]


class Attachment(Value):
    """`media` may have parameters: `text/csv; charset=utf-8`. In JSON the content is Base64."""

    name: str
    media: str
    content: Content


class ReportMail(Value):
    """A report for the person who wants it. What has the same `about` and `step` is sent once.

    `since_on` and `until_on` are null where the report has no period, `branch` where it is about
    all. Without an attachment the mail says that the report is too long, and that `path` has it
    in parts. Quiet hours go by `time_zone`.
    """

    person_id: UUID
    about: UUID
    step: Annotated[str, StringConstraints(max_length=40)]
    time_zone: str
    report: str
    since_on: date | None
    until_on: date | None
    branch: str | None
    path: str
    attachment: Attachment | None


class NoMailServer(Problem):
    """This library sends no mail."""

    status = 409


class Documents(Protocol):
    async def send(self, *, mail: ReportMail, now: datetime) -> UUID | None:
        """Puts it into the queue; the id of the mail. None: it was sent before, or the person is
        gone. Raises NoMailServer, and TooLarge beyond MOST_ATTACHED bytes."""
        ...
