"""A mail as it is sent: headers that never change between two tries, and plain text."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime
from typing import Any
from uuid import UUID

from lendery.contracts.accounts import User
from lendery.notices.rules.kinds import way_out
from lendery.notices.templates import Edited, languages_of, worded
from lendery.notices.unsubscribing import link
from lendery.platform.settings import Settings


@dataclass(frozen=True)
class Stationery:
    """What every letter of this library has on it, and the library's own words."""

    settings: Settings
    edited: Edited

    def letter(
        self,
        mail: Any,
        messages: Sequence[Any],
        user: User,
        *,
        language: str | None,
        now: datetime,
    ) -> EmailMessage:
        """One notice, or a digest of several. `language` is what the reader wants here."""
        settings = self.settings
        languages = languages_of(language, user.language, settings.notices_language)
        kinds = way_out([each.kind for each in messages])
        secret = settings.secret.get_secret_value()
        out = link(user.id, kinds, secret=secret, public_url=settings.public_url) if kinds else None
        around = {
            "library": settings.library_name,
            "url": settings.public_url,
            "name": user.name,
            "unsubscribe": out,
        }
        if mail.digest_on is None:
            (only,) = messages
            words, used = worded(
                self.edited, only.kind, "email", languages, {**only.facts, **around}
            )
        else:
            notices = [self._shown(each, languages) for each in messages]
            facts = {"notices": notices, **around}
            words, used = worded(self.edited, "digest", "email", languages, facts)
        letter = EmailMessage()
        letter["To"] = address_of(user)
        for name, value in self._headers(mail, out, now).items():
            letter[name] = value
        letter["Subject"] = words.subject
        letter.set_content(words.body)
        letter["Content-Language"] = used
        return letter

    def shown(self, row: Any, languages: Sequence[str]) -> tuple[str, str]:
        """A notice as the inbox words it: subject and body."""
        around = {"library": self.settings.library_name, "url": self.settings.public_url}
        words, _ = worded(self.edited, row.kind, "inbox", languages, {**row.facts, **around})
        return words.subject, words.body

    def _shown(self, row: Any, languages: Sequence[str]) -> dict[str, str]:
        subject, body = self.shown(row, languages)
        return {"subject": subject, "body": body}

    def _headers(self, mail: Any, out: str | None, now: datetime) -> Mapping[str, str]:
        domain = self.settings.mail_domain
        headers = {
            "From": self.settings.smtp_from,
            "Date": format_datetime(now),
            "Message-ID": message_id(mail.id, domain),
            "Auto-Submitted": "auto-generated",
        }
        if out:
            headers["List-Id"] = f"<notices.{domain}>"
            headers["List-Unsubscribe"] = f"<{out}>"
            headers["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
        return headers


def address_of(user: User) -> Address:
    """As it goes over the wire, the domain in ASCII. Raises ValueError for what is none."""
    local, _, domain = (user.email or "").rpartition("@")
    return Address(user.name, username=local, domain=domain.encode("idna").decode())


def attach(letter: EmailMessage, *, name: str, media: str, content: bytes) -> None:
    """A file beside the words. `media` as in a Content-Type: text/csv; charset=utf-8."""
    kind, *parameters = media.split("; ")
    maintype, _, subtype = kind.partition("/")
    letter.add_attachment(
        content,
        maintype=maintype,
        subtype=subtype,
        filename=name,
        params=dict(each.split("=", 1) for each in parameters),
    )


def message_id(mail_id: UUID, domain: str) -> str:
    """The same for every try, so that a mail that went out twice shows as one."""
    return f"<{mail_id}@{domain}>"
