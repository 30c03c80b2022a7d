"""Settings: what production refuses, what the environment may say, what logs strike out."""

import json
import logging as stdlib
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import structlog
from pydantic import ValidationError

from lendery.platform import logging
from lendery.platform.logging import masked
from lendery.platform.settings import CONTEXTS, DEFAULT_SECRET, Settings

GOOD = "s3cret-" * 6


@pytest.fixture(autouse=True)
def nothing_set(monkeypatch: pytest.MonkeyPatch) -> None:
    import os

    for name in list(os.environ):
        if name.startswith("LENDERY_") or name in ("DATABASE_URL", "APP_PORT"):
            monkeypatch.delenv(name)


@pytest.mark.parametrize(
    ("secret", "refused"),
    [(None, True), (DEFAULT_SECRET, True), ("x" * 31, True), ("", True), ("x" * 32, False)],
)
def test_production_wants_a_secret_of_its_own(
    secret: str | None, refused: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LENDERY_ENVIRONMENT", "production")
    if secret is not None:
        monkeypatch.setenv("LENDERY_SECRET", secret)
    if not refused:
        assert Settings().secret.get_secret_value() == secret
        return
    with pytest.raises(ValidationError, match="LENDERY_SECRET must be set to 32 characters"):
        Settings()


def test_development_starts_with_nothing_set() -> None:
    settings = Settings()
    assert settings.environment == "development"
    assert settings.contexts == frozenset(CONTEXTS)
    assert settings.sqlite and str(settings.sqlite_file) == "var/lendery.db"


def test_a_refusal_never_repeats_the_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LENDERY_SECRET", "hunter2-hunter2")
    monkeypatch.setenv("LENDERY_ENVIRONMENT", "production")
    with pytest.raises(ValidationError) as told:
        Settings()
    assert "hunter2" not in str(told.value) and "hunter2" not in repr(Settings)
    monkeypatch.setenv("LENDERY_ENVIRONMENT", "development")
    assert "hunter2" not in repr(Settings())


def test_an_unknown_context_is_named_beside_the_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LENDERY_CONTEXTS", "accounts, catalogue,lending")
    with pytest.raises(ValidationError) as told:
        Settings()
    says = str(told.value)
    assert "LENDERY_CONTEXTS names catalogue, lending" in says
    assert all(context in says for context in CONTEXTS)


ENVIRONMENTS: list[tuple[dict[str, str], str, Any]] = [
    ({"DATABASE_URL": "postgresql://a/b"}, "database_url", "postgresql://a/b"),
    ({"LENDERY_DATABASE_URL": "sqlite://"}, "database_url", "sqlite://"),
    (
        {"LENDERY_DATABASE_URL": "sqlite://", "DATABASE_URL": "postgresql://a/b"},
        "database_url",
        "sqlite://",
    ),
    ({"APP_PORT": "9000"}, "port", 9000),
    ({"LENDERY_PORT": "9001", "APP_PORT": "9000"}, "port", 9001),
    ({"LENDERY_CONTEXTS": "accounts, catalog"}, "contexts", frozenset({"accounts", "catalog"})),
    ({"LENDERY_TRUSTED_PROXIES": "10.0.0.1,10.0.0.2"}, "trusted_proxies", {"10.0.0.1", "10.0.0.2"}),
    ({"LENDERY_TRUSTED_PROXIES": ""}, "trusted_proxies", frozenset()),
    ({"LENDERY_SOMETHING_ELSE": "x"}, "workers", 1),
    ({"LENDERY_CELERY_BROKER": ""}, "celery_broker", None),
    ({"LENDERY_TIME_ZONE": "Europe/Berlin"}, "time_zone", "Europe/Berlin"),
]


@pytest.mark.parametrize(("given", "name", "value"), ENVIRONMENTS)
def test_what_the_environment_says_counts(
    given: dict[str, str], name: str, value: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    for key, text in given.items():
        monkeypatch.setenv(key, text)
    assert getattr(Settings(), name) == value


def test_neighbours_are_named_one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LENDERY_PEERS__ACCOUNTS", "http://host:8081")
    assert {k: str(v) for k, v in Settings().peers.items()} == {"accounts": "http://host:8081/"}
    monkeypatch.setenv("LENDERY_PEERS__CATALOG", "not a url")
    with pytest.raises(ValidationError):
        Settings()


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("LENDERY_PORT", "65536"),
        ("LENDERY_PORT", "http"),
        ("LENDERY_WORKERS", "0"),
        ("LENDERY_ENVIRONMENT", "staging"),
        ("LENDERY_BODY_LIMIT", "10"),
        ("LENDERY_DATABASE_POOL", "0"),
        ("LENDERY_ACCESS_TOKEN_MINUTES", "61"),
        ("LENDERY_LOG_LEVEL", "loud"),
        ("LENDERY_TIME_ZONE", "Mars/Olympus"),
        ("LENDERY_TIME_ZONE", "../../etc/passwd"),
        ("LENDERY_CELERY_BROKER", "filesystem://somewhere"),
        ("LENDERY_JOB_LEASE_SECONDS", "0.5"),
    ],
)
def test_nonsense_is_refused(name: str, text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, text)
    with pytest.raises(ValidationError):
        Settings()


def test_workers_are_of_no_use_to_a_library_in_memory() -> None:
    broker = "redis://127.0.0.1/1"
    with pytest.raises(ValidationError, match="needs a database that workers can reach"):
        Settings(database_url="sqlite://", celery_broker=broker)
    assert Settings(database_url="sqlite:///l.db", celery_broker=broker).celery_broker


@pytest.mark.parametrize(
    ("url", "path"),
    [
        ("sqlite:///a/b.db", "a/b.db"),
        ("sqlite:////srv/b.db", "/srv/b.db"),
        ("sqlite://", None),
        ("sqlite:///:memory:", None),
        ("postgresql://postgres@host/name", None),
    ],
)
def test_where_the_file_is(url: str, path: str | None) -> None:
    found = Settings(database_url=url).sqlite_file
    assert (str(found) if found else None) == path


JWT = "eyJhbGciOiJFZERTQSJ9.eyJzdWIiOiJhbm4ifQ.c2lnbmF0dXJl"
MASKED: list[tuple[str, Any, Any]] = [
    ("password", GOOD, "***"),
    ("secret", GOOD, "***"),
    ("token", "opaque", "***"),
    ("access_token", "opaque", "***"),
    ("refresh_token", "opaque", "***"),
    ("authorization", "Bearer opaque", "***"),
    ("cookie", "lendery_session=opaque", "***"),
    ("email", None, "***"),
    ("name", "Ann", "***"),
    ("card_number", 1000000008, "***"),
    ("note", "steals books", "***"),
    ("reason", "because", "***"),
    ("address", "1 Main Street", "***"),
    ("body", b"{}", "***"),
    ("event", f"sent {JWT} on", "sent *** on"),
    ("event", "no ann@example.org here", "no *** here"),
    ("why", "ann.b+c@mail.example.co.uk, ben@example.org", "***, ***"),
    ("url", "postgresql://ann:hunter2@host/name", "postgresql://***@host/name"),
    ("exception", f"ValueError: {JWT}\n  ann@example.org", "ValueError: ***\n  ***"),
    ("route", "/api/v1/users/{id}", "/api/v1/users/{id}"),
    ("status", 200, 200),
    ("at", "2026-03-01T09:30:00Z", "2026-03-01T09:30:00Z"),
]


@pytest.mark.parametrize(("key", "value", "shown"), MASKED)
def test_secrets_and_people_are_struck_out(key: str, value: Any, shown: Any) -> None:
    assert masked(None, "info", {key: value})[key] == shown


@pytest.fixture
def written(capsys: pytest.CaptureFixture[str]) -> Iterator[Callable[[], str]]:
    """What goes to the log, whatever was set up before."""
    before, level = list(stdlib.root.handlers), stdlib.root.level
    configured = structlog.get_config()
    yield lambda: capsys.readouterr().err
    stdlib.root.handlers = before
    stdlib.root.setLevel(level)
    structlog.configure(**configured)


@pytest.mark.parametrize("form", ["json", "console"])
def test_nothing_of_a_person_is_logged_by_whoever_logs(
    written: Callable[[], str], form: Any
) -> None:
    logging.set_up(Settings(log_format=form))
    password = "correct horse battery"

    def fails() -> None:
        secret_in_a_variable = f"{password} {JWT}"
        raise ValueError(f"ann@example.org {len(secret_in_a_variable)}")

    ours, theirs = structlog.get_logger("lendery.test").bind(), stdlib.getLogger("uvicorn.error")
    ours.error("for ann@example.org", password=password, token=JWT)
    theirs.warning("for %s with %s", "ann@example.org", JWT)
    try:
        fails()
    except ValueError:
        ours.exception("ours")
        theirs.exception("theirs")
    text = written()
    assert text.count("ValueError") >= 2 and "theirs" in text
    for hidden in ("ann@example.org", JWT, password):
        assert hidden not in text


def test_machines_get_one_document_a_line(written: Callable[[], str]) -> None:
    logging.set_up(Settings(log_format="json"))
    structlog.get_logger("lendery.test").bind().warning("relay paused", why="Busy")
    stdlib.getLogger("somebody").warning("old style")
    lines = [json.loads(line) for line in written().splitlines()]
    assert [line["event"] for line in lines] == ["relay paused", "old style"]
    assert {line["level"] for line in lines} == {"warning"}
    assert all("timestamp" in line for line in lines)


@pytest.mark.parametrize(("level", "shown"), [("error", 0), ("warning", 1), ("info", 2)])
def test_only_what_is_loud_enough_is_logged(
    written: Callable[[], str], level: Any, shown: int
) -> None:
    logging.set_up(Settings(log_format="json", log_level=level))
    log = structlog.get_logger("lendery.test").bind()
    log.info("one")
    log.warning("two")
    log.debug("never")
    assert len(written().splitlines()) == shown


@pytest.mark.parametrize(
    ("given", "where"),
    [
        ({}, None),
        ({"REDIS_URL": "redis://cache:7000/2"}, "redis://cache:7000/2"),
        ({"LENDERY_REDIS_URL": "redis://a:1/0", "REDIS_URL": "redis://b:1/0"}, "redis://a:1/0"),
        ({"REDIS_HOST": "cache"}, "redis://cache:6379/0"),
        ({"REDIS_HOST": "cache", "REDIS_PORT": "7001"}, "redis://cache:7001/0"),
        ({"LENDERY_REDIS_HOST": "::1", "LENDERY_REDIS_PORT": "7"}, "redis://[::1]:7/0"),
        ({"REDIS_URL": "redis://cache:1/0", "REDIS_HOST": "other"}, "redis://cache:1/0"),
        ({"REDIS_PORT": "7001"}, None),
        ({"REDIS_URL": "", "REDIS_HOST": ""}, None),
    ],
)
def test_where_redis_is(
    monkeypatch: pytest.MonkeyPatch, given: dict[str, str], where: str | None
) -> None:
    for name in ("REDIS_URL", "REDIS_HOST", "REDIS_PORT"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(f"LENDERY_{name}", raising=False)
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    assert Settings().redis == where
