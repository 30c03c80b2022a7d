"""Settings of mail and notices: what they may say, and what would send a password in the open."""

from datetime import date
from typing import Any

import pytest
from pydantic import ValidationError

from lendery.platform.settings import Settings

MAIL: dict[str, Any] = {"smtp_host": "mail.example.org", "smtp_from": "library@example.org"}


@pytest.fixture(autouse=True)
def nothing_set(monkeypatch: pytest.MonkeyPatch) -> None:
    import os

    for name in list(os.environ):
        if name.startswith("LENDERY_"):
            monkeypatch.delenv(name)


@pytest.mark.parametrize(
    ("name", "given", "means"),
    [
        ("NOTICES_QUIET", "21:00-07:00", ("21:00", "07:00")),
        ("NOTICES_QUIET", "", None),
        ("NOTICES_OVERDUE_DAYS", "1,7,21", (1, 7, 21)),
        ("NOTICES_OVERDUE_DAYS", "5", (5,)),
        ("NOTICES_NOT_BEFORE", "2027-01-01", date(2027, 1, 1)),
        ("NOTICES_NOT_BEFORE", "", None),
        ("SMTP_HOST", "", None),
        ("NOTICES_TITLES", "true", True),
    ],
)
def test_what_the_environment_says(
    monkeypatch: pytest.MonkeyPatch, name: str, given: str, means: object
) -> None:
    monkeypatch.setenv(f"LENDERY_{name}", given)
    assert getattr(Settings(), name.lower()) == means


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"notices_quiet": "21-7"}, "21:00-07:00"),
        ({"notices_quiet": "07:00-07:00"}, "21:00-07:00"),
        ({"notices_quiet": "24:00-07:00"}, "21:00-07:00"),
        ({"notices_overdue_days": "7,1"}, "growing"),
        ({"notices_overdue_days": "0"}, "growing"),
        ({"notices_overdue_days": "1,2,3,4"}, "growing"),
        ({"notices_time_zone": "Europe/Nowhere"}, "time zone"),
        ({"notices_digest_at": "8:00"}, "pattern"),
        ({"smtp_from": "Riverside"}, "Give an address"),
        ({"smtp_from": "Riverside\r\nBcc: eve@x.test <a@b.test>"}, "Give an address"),
        ({"smtp_host": "mail.example.org"}, "LENDERY_SMTP_FROM"),
        (MAIL | {"smtp_user": "library", "smtp_tls": "none"}, "in the open"),
    ],
)
def test_what_cannot_be_is_refused_at_the_start(wrong: dict[str, Any], says: str) -> None:
    with pytest.raises(ValidationError, match=says):
        Settings(**wrong)


@pytest.mark.parametrize(
    "right",
    [
        MAIL,
        MAIL | {"smtp_user": "library"},
        MAIL | {"smtp_tls": "none"},
        MAIL | {"smtp_user": "library", "smtp_tls": "none", "smtp_host": "127.0.0.1"},
    ],
)
def test_a_password_goes_over_tls_or_stays_on_this_machine(right: dict[str, Any]) -> None:
    assert Settings(**right).mail_domain == "example.org"


def test_without_an_address_the_domain_is_that_of_the_library() -> None:
    assert Settings(public_url="https://library.test:8443/x").mail_domain == "library.test"
