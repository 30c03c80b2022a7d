"""The demo's titles: about 24,000 real books from two free catalogues, most popular first.

The files in `data/` are already clean (`scripts/build_demo_data.py` wrote them), so reading is
only splitting lines. Their sources and licences are in `data/NOTICE.md`.
"""

import gzip
import heapq
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from itertools import islice
from typing import Literal

Audience = Literal["adult", "child"]

SOURCES = ("goodbooks.tsv.gz", "gutenberg.tsv.gz")
# Neither sign occurs in the data; `line_of` refuses a value that has one.
_BETWEEN_VALUES = "|"
_INSIDE_NAME = "~"


@dataclass(frozen=True, kw_only=True)
class Name:
    """An author: as people say it, as the shelf sorts it, and the years of life where known.

    Years before the common era are negative (Plato: -428 to -348).
    """

    name: str
    sort_name: str
    born: int | None
    died: int | None


@dataclass(frozen=True, kw_only=True)
class Title:
    """One book as the catalogue describes it, before anybody counts copies.

    `popularity` is on the scale of the reader ratings goodbooks counts; only its order matters.
    """

    title: str
    subtitle: str | None
    authors: tuple[Name, ...]
    isbn: str | None
    published_year: int | None
    language: str | None
    subjects: tuple[str, ...]
    series: str | None
    series_number: str | None
    call_number: str
    audience: Audience
    fiction: bool
    popularity: float


def titles(count: int | None = None) -> Iterator[Title]:
    """The `count` most popular titles (all of them if None), in the same order every time."""
    ranked = heapq.merge(*map(read, SOURCES), key=lambda title: title.popularity, reverse=True)
    return islice(ranked, count)


def read(source: str) -> Iterator[Title]:
    """The titles of one of the two catalogues alone; they have different licences."""
    file = resources.files(__package__).joinpath("data", source)
    text = gzip.decompress(file.read_bytes()).decode("utf-8")
    return map(title_of, text.removesuffix("\n").split("\n"))


def line_of(title: Title) -> str:
    """A title as one line of a data file: tab-separated, empty for what is not known."""
    names = (_INSIDE_NAME.join(_name_values(author)) for author in title.authors)
    values = (
        title.title,
        title.subtitle or "",
        _BETWEEN_VALUES.join(names),
        title.isbn or "",
        "" if title.published_year is None else str(title.published_year),
        title.language or "",
        _BETWEEN_VALUES.join(_safe(subject) for subject in title.subjects),
        title.series or "",
        title.series_number or "",
        title.call_number,
        title.audience,
        "fiction" if title.fiction else "",
        f"{title.popularity:g}",
    )
    if any(sign in value for value in values for sign in "\t\n\r"):
        raise ValueError(f"a tab or line break inside a value: {title.title!r}")
    return "\t".join(values)


def title_of(line: str) -> Title:
    """The title a line of a data file describes: the reverse of `line_of`."""
    (title, subtitle, authors, isbn, year, language, subjects, series, series_number,
     call_number, audience, fiction, popularity) = line.split("\t")  # fmt: skip
    return Title(
        title=title,
        subtitle=subtitle or None,
        authors=_names_of(authors),
        isbn=isbn or None,
        published_year=int(year) if year else None,
        language=language or None,
        subjects=tuple(subjects.split(_BETWEEN_VALUES)) if subjects else (),
        series=series or None,
        series_number=series_number or None,
        call_number=call_number,
        audience="child" if audience == "child" else "adult",
        fiction=bool(fiction),
        popularity=float(popularity),
    )


@lru_cache(maxsize=1024)  # an author's books often stand together
def _names_of(text: str) -> tuple[Name, ...]:
    if not text:
        return ()
    return tuple(_name_of(*name.split(_INSIDE_NAME)) for name in text.split(_BETWEEN_VALUES))


def _name_of(name: str, sort_name: str, born: str, died: str) -> Name:
    return Name(
        name=name,
        sort_name=sort_name,
        born=int(born) if born else None,
        died=int(died) if died else None,
    )


def _name_values(author: Name) -> tuple[str, str, str, str]:
    born, died = ("" if year is None else str(year) for year in (author.born, author.died))
    return _safe(author.name), _safe(author.sort_name), born, died


def _safe(value: str) -> str:
    if _BETWEEN_VALUES in value or _INSIDE_NAME in value:
        raise ValueError(f"a separator inside a value: {value!r}")
    return value
