"""A real mail server on loopback, in a thread of its own, that keeps what it is given."""

import asyncio
import email
import email.policy
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.message import EmailMessage
from functools import partial
from typing import Any

from aiosmtpd.smtp import SMTP, Envelope, Session


@dataclass(frozen=True)
class Letter:
    """What arrived, and for whom."""

    sender: str
    to: str
    message: EmailMessage

    @property
    def id(self) -> str:
        return str(self.message["Message-ID"])

    @property
    def text(self) -> str:
        found = self.message.get_body(("plain",))
        assert isinstance(found, EmailMessage)
        return str(found.get_content()).replace("\r\n", "\n")


@dataclass
class MailServer:
    """`replies` are given instead of taking what an address is sent; `taken` is called before the
    answer to what was taken."""

    port: int = 0
    letters: list[Letter] = field(default_factory=list)
    replies: dict[str, str] = field(default_factory=dict)  # to RCPT, by address
    refuses: str | None = None  # the reply to DATA
    taken: Callable[[Letter], None] | None = None

    @property
    def settings(self) -> dict[str, str]:
        """What a library that sends its mail here is told."""
        return {
            "LENDERY_SMTP_HOST": "127.0.0.1",
            "LENDERY_SMTP_PORT": str(self.port),
            "LENDERY_SMTP_TLS": "none",
            "LENDERY_SMTP_FROM": "Riverside <library@library.test>",
        }

    def to(self, address: str) -> list[Letter]:
        return [each for each in self.letters if each.to == address]

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if address in self.replies:
            return self.replies[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        if self.refuses:
            return self.refuses
        assert isinstance(envelope.content, bytes)
        found: Any = email.message_from_bytes(envelope.content, policy=email.policy.default)
        letter = Letter(envelope.mail_from or "", envelope.rcpt_tos[0], found)
        self.letters.append(letter)
        if self.taken:
            self.taken(letter)
        return "250 OK"

    @classmethod
    @contextmanager
    def open(cls, **options: Any) -> Iterator["MailServer"]:
        """Listens on a free port of 127.0.0.1 until the block ends. `options` are aiosmtpd's."""
        server, loop = cls(), asyncio.new_event_loop()
        protocol = partial(SMTP, server, hostname="mail.test", enable_SMTPUTF8=True, **options)
        thread = threading.Thread(target=loop.run_forever, daemon=True)
        thread.start()
        opening = loop.create_server(protocol, "127.0.0.1", 0)
        listening = asyncio.run_coroutine_threadsafe(opening, loop).result(10)
        server.port = listening.sockets[0].getsockname()[1]
        try:
            yield server
        finally:
            loop.call_soon_threadsafe(listening.close)
            loop.call_soon_threadsafe(loop.stop)
            thread.join(10)
            loop.close()
