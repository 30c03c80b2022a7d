"""What an installation may set about mail and notices: a part of settings.py."""

import re
from datetime import date
from email.utils import parseaddr
from itertools import pairwise
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr
from pydantic_settings import BaseSettings, NoDecode

CLOCK = r"([01][0-9]|2[0-3]):[0-5][0-9]"


def _quiet(given: Any) -> Any:
    """21:00-07:00 as a pair."""
    if not isinstance(given, str):
        return given
    if not re.fullmatch(f"{CLOCK}-{CLOCK}", given) or given[:5] == given[6:]:
        raise ValueError("Say from when and until when: 21:00-07:00.")
    return given[:5], given[6:]


def _days(given: Any) -> Any:
    return tuple(given.split(",")) if isinstance(given, str) else given


def _growing(days: tuple[int, ...]) -> tuple[int, ...]:
    if not 1 <= len(days) <= 3 or days[0] < 1 or any(a >= b for a, b in pairwise(days)):
        raise ValueError("Give one to three growing numbers of days: 1,14,28.")
    return days


def _known_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (LookupError, ValueError, OSError):
        raise ValueError("Give a time zone like Europe/Berlin or UTC.") from None
    return name


def _sender(given: str) -> str:
    address = parseaddr(given)[1]
    if given and (not re.fullmatch(r"[^@\s]+@[^@\s]+", address) or not given.isprintable()):
        raise ValueError("Give an address: Riverside Library <library@example.org>.")
    return given


class NoticeSettings(BaseSettings):
    """Without `smtp_host` no e-mail is sent: notices are in the inbox only."""

    public_url: str = "http://127.0.0.1:8000"  # as settings.py has it
    library_name: str = Field(
        "Lendery", max_length=200, description="What the library is called in notices."
    )
    smtp_host: str | None = Field(
        None,
        description="The mail server. Unset: nothing is mailed, notices are in the inbox only.",
    )
    smtp_port: int = Field(587, ge=1, le=65535, description="Its port.")
    smtp_tls: Literal["starttls", "tls", "none"] = Field(
        "starttls", description="`tls` from the first byte (port 465); `none` for a server at home."
    )
    smtp_user: str | None = Field(None, description="Whom to log in as there, if at all.")
    smtp_password: SecretStr | None = Field(None, description="And with which password.")
    smtp_from: Annotated[str, AfterValidator(_sender)] = Field(
        "", description="Who writes: `Riverside Library <library@example.org>`."
    )
    smtp_timeout: float = Field(20.0, gt=0, le=300, description="Seconds to wait for a reply.")
    notices_not_before: date | None = Field(
        None,
        description="Nothing that became so before this day is written about: set it to the day "
        "of a migration.",
    )
    notices_due_soon_days: int = Field(
        3, ge=0, le=60, description="Days before the due date of the reminder."
    )
    notices_overdue_days: Annotated[
        tuple[int, ...], NoDecode, BeforeValidator(_days), AfterValidator(_growing)
    ] = Field((1, 14, 28), description="Days after the due date of each overdue notice: 1,14,28.")
    notices_hold_days: int = Field(
        1, ge=0, le=30, description="Days before a hold on the shelf expires, of the reminder."
    )
    notices_card_days: int = Field(
        30, ge=0, le=365, description="Days before a card expires, of the reminder."
    )
    notices_titles: bool = Field(
        False, description="Name titles in notices. Mail is read by others too: off by default."
    )
    notices_digest_at: str = Field(
        "08:00", pattern=f"^{CLOCK}$", description="When the daily digest goes out, local time."
    )
    notices_quiet: Annotated[tuple[str, str] | None, NoDecode, BeforeValidator(_quiet)] = Field(
        None,
        description="No mail in these hours, local time: 21:00-07:00. Readers may choose others.",
    )
    notices_time_zone: Annotated[str, AfterValidator(_known_zone)] = Field(
        "UTC", description="Whose clock counts where no branch is concerned."
    )
    notices_language: str = Field(
        "en",
        pattern=r"^[a-z]{2,3}(-[A-Z]{2})?$",
        description="The language of notices to readers who chose none.",
    )
    notices_keep_days: int = Field(
        90, ge=1, le=3650, description="Days that notices and the log of mails are kept."
    )

    @property
    def mail_domain(self) -> str:
        """The domain that mails come from."""
        address = parseaddr(self.smtp_from)[1]
        return address.rpartition("@")[2] or urlsplit(self.public_url).hostname or "localhost"

    def mail_objection(self) -> str | None:
        """Why mail cannot be sent as it is set; None: it can, or none is to be sent."""
        if self.smtp_host is None:
            return None
        if not self.smtp_from:
            return "LENDERY_SMTP_FROM must say who writes, for example library@example.org"
        if self.smtp_user and self.smtp_tls == "none" and not _is_here(self.smtp_host):
            return "LENDERY_SMTP_TLS=none would send the password of LENDERY_SMTP_USER in the open"
        return None


def _is_here(host: str) -> bool:
    return host in ("localhost", "127.0.0.1", "::1")
