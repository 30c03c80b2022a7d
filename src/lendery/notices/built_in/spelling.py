"""Facts as a language writes them: dates, sums and codes. Others get ISO dates and codes."""

from collections.abc import Mapping
from datetime import date
from types import ModuleType
from typing import Any

from lendery.notices.built_in import LANGUAGES

NO_CENTS = frozenset(
    {
        *("BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG"),
        *("RWF", "UGX", "UYI", "VND", "VUV", "XAF", "XOF", "XPF"),
    }
)
THOUSANDTHS = frozenset(["BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"])


def words_of(language: str) -> ModuleType | None:
    return LANGUAGES.get(language.split("-")[0])


def spelled(facts: Mapping[str, Any], language: str) -> dict[str, Any]:
    """Each value as a reader of this language expects it."""
    words = words_of(language)
    return {name: _spelled(name, value, language, words) for name, value in facts.items()}


def _spelled(name: str, value: Any, language: str, words: ModuleType | None) -> Any:
    if isinstance(value, list):
        return [spelled(each, language) for each in value]
    if isinstance(value, dict):
        return _sum(value["amount"], value["currency"], words)
    if name.endswith("_on") and value is not None:
        return _day(date.fromisoformat(value), words)
    if name in ("reason", "method", "report") and value is not None:
        return words.WORDS.get(value, value) if words else value
    return value


def _day(day: date, words: ModuleType | None) -> str:
    if words is None:
        return day.isoformat()
    text: str = words.DATE.format(day=day.day, month=words.MONTHS[day.month - 1], year=day.year)
    return text


def _sum(amount: int, currency: str, words: ModuleType | None) -> str:
    places = 0 if currency in NO_CENTS else 3 if currency in THOUSANDTHS else 2
    whole, part = divmod(abs(amount), 10**places)
    point = words.POINT if words else "."
    fraction = f"{point}{part:0{places}d}" if places else ""
    return f"{'-' if amount < 0 else ''}{whole}{fraction} {currency}"
