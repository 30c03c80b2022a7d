"""Structured logs: JSON for machines, colours on a terminal; request ids, never people.

Everything that could be a secret or a person is struck out on its way, whoever logged it.
"""

import logging
import re
import sys
from collections.abc import MutableMapping
from typing import Any

import structlog

from lendery.platform.settings import Settings

HIDDEN = frozenset(
    [
        "password",
        "secret",
        "token",
        "access_token",
        "refresh_token",
        "authorization",
        "cookie",
        "email",
        "name",
        "card_number",
        "note",
        "reason",
        "address",
        "body",
    ]
)
TOKEN = re.compile(r"eyJ[\w-]{5,}\.[\w-]+\.[\w-]*|[\w.+-]+@[\w-]+\.[\w.-]+|(?<=://)[^/\s@]+(?=@)")


def set_up(settings: Settings) -> None:
    as_json = settings.log_format == "json" or (
        settings.log_format == "auto" and not sys.stderr.isatty()
    )
    render: Any = (
        structlog.processors.JSONRenderer() if as_json else structlog.dev.ConsoleRenderer()
    )
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    structlog.configure(
        processors=[
            *shared,
            structlog.processors.format_exc_info,  # before masking, and without local variables
            masked,
            render,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(settings.log_level),
        logger_factory=structlog.WriteLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.format_exc_info,
                masked,
                render,
            ],
        )
    )
    logging.root.handlers = [handler]
    logging.root.setLevel(logging.WARNING)


def masked(logger: Any, method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Strikes out secrets, tokens and e-mail addresses."""
    for key, value in event.items():
        if key in HIDDEN:
            event[key] = "***"
        elif isinstance(value, str):
            event[key] = TOKEN.sub("***", value)
    return event
