"""The templates and what they may call. Everything they print is escaped."""

from datetime import UTC, date, datetime
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from lendery.web import amounts, words
from lendery.web.assets import Assets

FOLDER = Path(__file__).parent / "templates"
# No style of its own (the policy forbids it); answers of 5xx leave the row, so that it can be
# sent again. htmx evaluates only what attributes give it as script: we give none, and the policy
# forbids it too.
HTMX = '{"includeIndicatorCSS":false,"defaultTimeout":8000,"noSwap":[204,304,429,"5xx"]}'


@cache
def look() -> "Look":
    """The same for every program in this process: templates are compiled once."""
    return Look()


class Look:
    """The pages' templates. Sentences go through `_()`, so that they can be translated."""

    def __init__(self) -> None:
        self.assets = Assets()
        self.templates = Environment(
            loader=FileSystemLoader(FOLDER),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            auto_reload=False,
            extensions=["jinja2.ext.i18n"],
        )
        self.templates.install_null_translations(newstyle=True)  # type: ignore[attr-defined]
        self.templates.globals |= {
            "asset": self.assets.url,
            "htmx_config": HTMX,
            "today": lambda: datetime.now(UTC).date(),
        }
        self.templates.filters |= {
            "day": _day,
            "moment": _moment,
            "language": words.language_name,
            "ordinal": words.ordinal,
            "money": amounts.said,
            "digits": amounts.digits,
            "places": amounts.places,
            "query": query,
            "capitalize_first": lambda text: text[:1].upper() + text[1:],
        }

    def render(self, template: str, **values: Any) -> str:
        return self.templates.get_template(template).render(**values)


def _day(value: date | None) -> str:
    return words.said_day(value, datetime.now(UTC).date()) if value else ""


def _moment(value: datetime | None, where: str | None = None) -> str:
    """A due date at the branch whose time zone this is."""
    return words.said_time(value, where, datetime.now(UTC)) if value else ""


def query(values: dict[str, Any]) -> str:
    """A query string of what is set."""
    return urlencode({key: value for key, value in values.items() if value not in (None, "")})
