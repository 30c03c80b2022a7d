"""From what is wanted to a question that can be put to a database."""

from dataclasses import dataclass, replace
from typing import Any, Literal

from lendery.catalog.repository.filters import Filter
from lendery.catalog.rules import isbn
from lendery.catalog.rules.filing import title_key
from lendery.catalog.rules.query import LONGEST, Asked, ask, mark
from lendery.contracts.base import Invalid
from lendery.contracts.catalog import BookSearch

Order = Literal["relevance", "number", "newest", "title", "author", "year", "popularity", "rating"]


@dataclass(frozen=True)
class Question:
    """What a search asks. `nothing`: no book can be the answer.

    `filters` are all there are, with their values in `given`. Where words are asked for too,
    language and material are marks among the words, and `narrowed` are the filters that are left.
    `typed`: as it stands in the box, when it stands there alone and may be a title.
    """

    asked: Asked
    filters: frozenset[Filter]
    given: dict[str, Any]
    order: Order
    withdrawn: bool = False
    nothing: bool = False
    typed: str | None = None
    whole_title: str | None = None
    similarity: float | None = None

    @property
    def narrowed(self) -> frozenset[Filter]:
        return self.filters - {"language", "material"}

    @property
    def marked(self) -> Asked:
        """The words that say something, and the marks."""
        marks = [
            mark(name, self.given[name])
            for name in ("language", "material")
            if name in self.filters
        ]
        return self.asked.telling.marked(*marks)

    def with_words(self, asked: Asked, typed: str | None) -> "Question":
        """The same of other words."""
        whole = title_key(typed) if typed and self.whole_title else self.whole_title
        return replace(self, asked=asked, typed=typed, whole_title=whole)


def question(wanted: BookSearch) -> Question:
    """Raises Invalid for what cannot be asked."""
    asked, nothing = _asked(wanted)
    number = isbn.thirteen(wanted.isbn) if wanted.isbn else None
    first, last = _years(wanted, asked)
    values: dict[Filter, Any] = {
        "language": wanted.language,
        "material": wanted.material,
        "isbn": number,
        "year_from": first,
        "year_to": last,
        "author_id": wanted.author_id,
        "branch_id": wanted.branch_id,
    }
    filters = {name for name, each in values.items() if each is not None}
    if wanted.withdrawn:  # as they are, and what was merged besides
        filters.add("unmerged")
    if wanted.available is not None:
        filters.add("available" if wanted.available else "unavailable")
    typed = (wanted.q or "").strip()
    order: Order = wanted.sort
    if wanted.sort == "relevance" and not (typed and asked):
        order = "number"
    return Question(
        asked=asked,
        filters=frozenset(filters),
        given={name: each for name, each in values.items() if each is not None},
        order=order,
        withdrawn=wanted.withdrawn,
        nothing=nothing or (wanted.isbn is not None and number is None),
        typed=typed or None,
        whole_title=title_key(typed, wanted.language) if typed and _is_plain(asked) else None,
        similarity=wanted.similarity,
    )


def _is_plain(asked: Asked) -> bool:
    """Words alone, that may be a title."""
    fields = any(each.field or each.begun for each in asked.terms)
    return not (fields or asked.without or asked.years)


def _asked(wanted: BookSearch) -> tuple[Asked, bool]:
    """The words, and whether something was typed that holds no word to look for."""
    asked, nothing = Asked(), False
    for name, field in (("q", ""), ("author", "author"), ("subject", "subject")):
        text = getattr(wanted, name)
        if text is None or not text.strip():
            continue
        if len(text) > LONGEST:
            says = f"A search may have {LONGEST} characters at most."
            raise Invalid(says, errors=[{"parameter": name, "says": says}])
        found = ask(text, field)
        nothing = nothing or not (found.terms or found.years)
        asked = asked.and_(found)
    return asked, nothing or bool(asked.without and not asked.terms)


def _years(wanted: BookSearch, asked: Asked) -> tuple[int | None, int | None]:
    first, last = asked.years or (None, None)
    firsts = [_year(each) for each in (wanted.year_from, first) if each is not None]
    lasts = [_year(each) for each in (wanted.year_to, last) if each is not None]
    return max(firsts, default=None), min(lasts, default=None)


def _year(year: int) -> int:
    return max(-9999, min(9999, year))
