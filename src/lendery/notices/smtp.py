"""The mail server: one connection for a batch, and what its replies mean.

The words of a reply are dropped: they may hold the address.
"""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from email.errors import MessageError
from email.message import EmailMessage
from email.utils import parseaddr
from typing import Literal

import aiosmtplib

from lendery.platform.settings import Settings


@dataclass(frozen=True)
class Reply:
    """`later`: it may be tried again. `bounced`: this address is refused for good.

    `away`: the server itself cannot be used now, for no mail.
    """

    outcome: Literal["sent", "later", "failed", "bounced"]
    code: int | None = None
    why: str | None = None
    away: bool = False


UNWRITABLE = Reply("failed", None, "cannot be written")


def read(error: Exception) -> Reply:
    """What an error of the conversation means."""
    if isinstance(error, aiosmtplib.SMTPRecipientsRefused):
        code = error.recipients[0].code
        return Reply("bounced" if code >= 500 else "later", code, "address refused")
    if isinstance(error, aiosmtplib.SMTPDataError):
        return Reply("failed" if error.code >= 500 else "later", error.code, "content refused")
    if isinstance(error, aiosmtplib.SMTPNotSupported):
        return Reply("failed", None, "not supported by the server")
    if isinstance(error, aiosmtplib.SMTPResponseException):  # the sender, the log-in, the greeting
        return Reply("later", error.code, "server refuses us", away=True)
    return Reply("later", None, "server does not answer", away=True)


@dataclass
class Post:
    """Sends letters over one connection, which is opened with the first."""

    settings: Settings
    _client: aiosmtplib.SMTP | None = None

    async def send(self, letter: EmailMessage, *, to: str) -> Reply:
        sender = parseaddr(self.settings.smtp_from)[1]
        try:
            async with asyncio.timeout(2 * self.settings.smtp_timeout):
                if self._client is None or not self._client.is_connected:
                    self._client = _client(self.settings)
                    await self._client.connect()
                await self._client.send_message(letter, sender=sender, recipients=[to])
        except (aiosmtplib.SMTPException, OSError) as error:
            return read(error)
        except (MessageError, ValueError, LookupError):  # an address that no mail can carry
            return UNWRITABLE
        return Reply("sent", 250)

    async def close(self) -> None:
        if self._client is not None and self._client.is_connected:
            with suppress(aiosmtplib.SMTPException, OSError):
                await self._client.quit()


@asynccontextmanager
async def open_post(settings: Settings) -> AsyncIterator[Post]:
    post = Post(settings)
    try:
        yield post
    finally:
        await post.close()


def _client(settings: Settings) -> aiosmtplib.SMTP:
    password = settings.smtp_password
    return aiosmtplib.SMTP(
        hostname=settings.smtp_host,
        port=settings.smtp_port,
        username=settings.smtp_user,
        password=password.get_secret_value() if password else None,
        use_tls=settings.smtp_tls == "tls",
        start_tls=settings.smtp_tls == "starttls",
        tls_context=None if settings.smtp_tls == "none" else ssl.create_default_context(),
        timeout=settings.smtp_timeout,
        local_hostname=settings.mail_domain,
    )
