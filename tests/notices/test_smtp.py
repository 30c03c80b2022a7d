"""Over TLS and with a log-in, as a mail server of the world wants it."""

import ssl
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.smtp import AuthResult
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from structlog.testing import capture_logs

from lendery.platform.db import Database
from tests.mail_server import MailServer
from tests.notices.conftest import Library, on_one_database
from tests.notices.test_post_office import mails, ready

LOGIN = {"smtp_user": "library", "smtp_password": "a-mail-password"}


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of 127.0.0.1, with its key, signed by itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "mail.test")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    file = tmp_path_factory.mktemp("mail") / "mail.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    file.write_bytes(private + made.public_bytes(serialization.Encoding.PEM))
    return file


@pytest.fixture(scope="module")
def guarded(certificate: Path) -> Iterator[MailServer]:
    """Takes mail only after STARTTLS, and from who knows the password."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)

    def knows(server: Any, session: Any, envelope: Any, kind: str, data: Any) -> AuthResult:
        right = (data.login, data.password) == (b"library", b"a-mail-password")
        return AuthResult(success=right, handled=False)

    with MailServer.open(
        tls_context=context, require_starttls=True, auth_required=True, authenticator=knows
    ) as server:
        yield server


@on_one_database
async def test_mail_goes_over_tls_to_a_server_that_is_known_and_knows_us(
    db: Database, guarded: MailServer, certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    library = Library(db, guarded, smtp_tls="starttls", **LOGIN)
    await ready(library)
    assert await library.sends() == 1
    assert [each.to for each in guarded.letters] == ["ann@readers.test"]


@on_one_database
@pytest.mark.parametrize(
    ("but", "trusted", "why", "code"),
    [
        ({"smtp_password": "wrong"}, True, "server refuses us", 535),
        ({}, False, "server does not answer", None),
        ({"smtp_tls": "none", "smtp_user": None}, True, "server refuses us", 530),
    ],
)
async def test_where_either_is_not_who_it_should_be_mails_wait_and_it_is_said(
    db: Database, guarded: MailServer, certificate: Path, monkeypatch: pytest.MonkeyPatch,
    but: dict[str, Any], trusted: bool, why: str, code: int | None,
) -> None:  # fmt: skip
    if trusted:
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    library = Library(db, guarded, **{"smtp_tls": "starttls"} | LOGIN | but)
    guarded.letters.clear()
    await ready(library)
    with capture_logs() as logs:
        assert await library.sends() == 0
    (mail,) = await mails(library)
    assert (mail.state, mail.why, guarded.letters) == ("queued", why, [])
    (said,) = logs
    assert (said["event"], said["why"], said["code"]) == ("mails wait", why, code)
    assert "password" not in str(said) and "readers.test" not in str(said)
