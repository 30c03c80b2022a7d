"""What an installation may set: environment variables with the prefix LENDERY_."""

import secrets
from datetime import timedelta
from functools import cached_property
from pathlib import Path
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

from pydantic import AliasChoices, Field, HttpUrl, SecretStr, model_validator
from pydantic_settings import NoDecode, SettingsConfigDict

from lendery.platform.notice_settings import NoticeSettings

CONTEXTS = ("accounts", "catalog", "circulation", "notices", "reports", "reviews", "web")
BROKERS = ("redis", "rediss", "amqp", "amqps")
DEFAULT_SECRET = "for-development-only"


class Settings(NoticeSettings):
    """`contexts` run in this process; every other one is called at its address in `peers`."""

    model_config = SettingsConfigDict(
        env_prefix="LENDERY_",
        env_nested_delimiter="__",
        populate_by_name=True,
        extra="ignore",
        hide_input_in_errors=True,  # the secret is among it
    )

    environment: Literal["development", "production"] = Field(
        "development", description="`production` refuses default secrets and plain-text risks."
    )
    database_url: str = Field(
        "sqlite:///var/lendery.db",
        validation_alias=AliasChoices("LENDERY_DATABASE_URL", "DATABASE_URL"),
        description="sqlite:///file.db, sqlite:// (in memory) or postgresql://user@host/name.",
    )
    database_pool: int = Field(10, ge=1, le=200, description="PostgreSQL connections a process.")
    contexts: Annotated[frozenset[str], NoDecode] = Field(
        frozenset(CONTEXTS),
        description=f"Which parts run here: {','.join(CONTEXTS)}.",
    )
    peers: dict[str, HttpUrl] = Field(
        {}, description="Where the other parts are: LENDERY_PEERS__ACCOUNTS=http://host:8081."
    )
    host: str = Field("127.0.0.1", description="Address to listen on.")
    port: int = Field(
        8000,
        ge=0,
        le=65535,
        validation_alias=AliasChoices("LENDERY_PORT", "APP_PORT"),
        description="Port to listen on.",
    )
    workers: int = Field(1, ge=1, le=64, description="Worker processes.")
    secret: SecretStr = Field(
        SecretStr(DEFAULT_SECRET),
        description="Signs cursors and service tokens and seals signing keys. 32 characters or "
        "more, the same for every part of one installation.",
    )
    public_url: str = Field(
        "http://127.0.0.1:8000", description="How the world calls this library; names the issuer."
    )
    access_token_minutes: int = Field(10, ge=1, le=60, description="Life of an access token.")
    refresh_token_days: int = Field(30, ge=1, le=365, description="Life of a log-in session.")
    requests_per_minute: int = Field(
        600, ge=1, description="For a person or an address; staff are not limited."
    )
    failed_logins: int = Field(
        10, ge=1, description="Failed log-ins for one address and e-mail in 15 minutes."
    )
    trusted_proxies: Annotated[frozenset[str], NoDecode] = Field(
        frozenset(), description="Addresses whose X-Forwarded-For is believed."
    )
    body_limit: int = Field(1_000_000, ge=1_000, description="Largest request body in bytes.")
    currency: str = Field(
        "EUR", pattern=r"^[A-Z]{3}$", description="ISO 4217 code of the money fees are in."
    )
    undo_minutes: int = Field(
        15,
        ge=0,
        le=1440,
        description="So long staff can undo a check-out, a check-in, a payment or a waiver. "
        "0: never.",
    )
    cache_entries: int = Field(
        20_000,
        ge=0,
        description="Finished answers kept in this process. 0 switches the cache off.",
    )
    redis_url: str | None = Field(
        None,
        validation_alias=AliasChoices("LENDERY_REDIS_URL", "REDIS_URL"),
        description="redis://host:6379/0: finished answers shared by several processes. Without "
        "it, or while it is away, each has its own.",
    )
    redis_host: str | None = Field(
        None,
        validation_alias=AliasChoices("LENDERY_REDIS_HOST", "REDIS_HOST"),
        description="Instead of an address: where Redis is.",
    )
    redis_port: int = Field(
        6379,
        ge=1,
        le=65535,
        validation_alias=AliasChoices("LENDERY_REDIS_PORT", "REDIS_PORT"),
        description="And its port.",
    )
    time_zone: str = Field(
        "UTC", description="Where the library is, for jobs at a time of the day: Europe/Berlin."
    )
    celery_broker: SecretStr | None = Field(
        None,
        description="redis://host:6379/1 or amqp://user:password@host:5672/name: jobs are done by "
        "`lendery worker` and `lendery beat`. Without it they are done inside the process.",
    )
    job_lease_seconds: float = Field(
        30,
        ge=1,
        le=600,
        description="How long a process with a job may be silent before another takes it up.",
    )
    import_folder: Path = Field(
        Path("var/imports"),
        description="Where files wait that are being imported or exported. Processes that share a "
        "database share it too.",
    )
    import_limit: int = Field(
        2_000_000_000, ge=1_000, description="Largest file that is taken for import, in bytes."
    )
    backup_folder: Path | None = Field(
        None, description="Where backups are written by the clock; unset: nowhere."
    )
    backup_every_hours: int = Field(24, ge=1, le=8760, description="Hours between two backups.")
    backup_keep: int = Field(7, ge=1, description="So many of the newest backups are kept.")
    backup_passphrase: SecretStr | None = Field(
        None,
        min_length=12,
        description="Encrypts backups: 12 characters or more. Without it nobody can restore them.",
    )
    history_days: int = Field(
        30,
        ge=1,
        description="Days after its end that a loan or hold, and what was paid for it, still says "
        "whose it was, of people who do not keep their history.",
    )
    ledger_days: int = Field(
        365, ge=1, description="The same for other settled charges and payments."
    )
    lookups_days: int = Field(
        180, ge=1, description="Days that it is kept which staff looked at whom."
    )
    requests_days: int = Field(
        7, ge=1, description="Days that a repeated `Idempotency-Key` gets the same answer."
    )
    sessions_days: int = Field(
        7, ge=1, description="Days that a log-in session is kept after its end."
    )
    demo: bool = Field(False, description="Print the demo library's log-ins at start.")
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    log_format: Literal["auto", "json", "console"] = "auto"

    @model_validator(mode="before")
    @classmethod
    def _split_lists(cls, given: dict[str, object]) -> dict[str, object]:
        for name in ("contexts", "trusted_proxies"):
            value = given.get(name)
            if isinstance(value, str):
                given[name] = [part.strip() for part in value.split(",") if part.strip()]
        for name in (
            *("backup_folder", "backup_passphrase", "celery_broker"),
            *("LENDERY_REDIS_URL", "REDIS_URL", "LENDERY_REDIS_HOST", "REDIS_HOST"),
            *("smtp_host", "smtp_user", "smtp_password", "notices_not_before", "notices_quiet"),
        ):
            if given.get(name) == "":  # as compose files leave out what is not set
                del given[name]
        return given

    @model_validator(mode="after")
    def _is_safe(self) -> "Settings":
        unknown = self.contexts - set(CONTEXTS)
        if unknown:
            raise ValueError(
                f"LENDERY_CONTEXTS names {', '.join(sorted(unknown))}; known: {', '.join(CONTEXTS)}"
            )
        if objection := self.mail_objection():
            raise ValueError(objection)
        if self.environment == "production":
            secret = self.secret.get_secret_value()
            if secret == DEFAULT_SECRET or len(secret) < 32:
                raise ValueError(
                    "LENDERY_SECRET must be set to 32 characters or more in production, for "
                    f"example {secrets.token_urlsafe(32)}"
                )
        return self

    @model_validator(mode="after")
    def _has_a_clock(self) -> "Settings":
        try:
            ZoneInfo(self.time_zone)
        except (ValueError, KeyError, OSError):
            raise ValueError(f"LENDERY_TIME_ZONE: there is no {self.time_zone!r}") from None
        if self.celery_broker is not None:
            kind = self.celery_broker.get_secret_value().partition("://")[0]
            if kind not in BROKERS:
                raise ValueError(f"LENDERY_CELERY_BROKER begins with {', '.join(BROKERS)}://")
            if self.sqlite and self.sqlite_file is None:
                raise ValueError("LENDERY_CELERY_BROKER needs a database that workers can reach")
        return self

    @property
    def job_lease(self) -> timedelta:
        return timedelta(seconds=self.job_lease_seconds)

    @cached_property
    def redis(self) -> str | None:
        """Where Redis is, None: nowhere. The address counts before host and port."""
        if self.redis_url or not self.redis_host:
            return self.redis_url
        host = f"[{self.redis_host}]" if ":" in self.redis_host else self.redis_host
        return f"redis://{host}:{self.redis_port}/0"

    @cached_property
    def sqlite(self) -> bool:
        return self.database_url.startswith("sqlite")

    @property
    def sqlite_file(self) -> Path | None:
        path = self.database_url.split("://", 1)[1].removeprefix("/") if self.sqlite else ""
        return Path(path) if path not in ("", ":memory:") else None
