"""A search: what may be asked for, and what a page of hits says."""

from typing import Literal
from uuid import UUID

from pydantic import Field

from lendery.contracts.base import Page, Value
from lendery.contracts.catalog.books import Book

Sort = Literal["relevance", "title", "author", "year", "newest", "popularity", "rating"]
GroupBy = Literal["work"]


class BookSearch(Value):
    """A search. Without `q` it lists. `available` at `branch_id`, or anywhere.

    `group_by` work: of the editions of a work only the first in the list, where it stands.
    `similarity`: how far a match may be from the words typed, 0 (words only) to 1. Left out:
    other words are tried when those typed find nothing.
    """

    q: str | None = None
    author: str | None = None
    subject: str | None = None
    language: str | None = None
    material: str | None = None
    isbn: str | None = None
    year_from: int | None = None
    year_to: int | None = None
    available: bool | None = None
    branch_id: UUID | None = None
    author_id: UUID | None = None
    withdrawn: bool = False
    sort: Sort = "relevance"
    group_by: GroupBy | None = None
    facets: bool = False
    similarity: float | None = Field(None, ge=0, le=1)
    explain: bool = False


class Facet(Value):
    value: str
    count: int


class Reason(Value):
    """What adds to the rank of a hit: for which words, and how much."""

    what: Literal["whole-title", "title", "author", "subject", "elsewhere", "title-match", "lent",
                  "available"]  # fmt: skip
    words: str | None = None
    adds: float


class Explanation(Value):
    """Why a hit ranks where it does. Without reasons: it follows by how often it was lent."""

    book_id: UUID
    rank: float | None
    reasons: tuple[Reason, ...]


class SearchPage(Page[Book]):
    """`did_you_mean` is set when the words were corrected to find anything.

    `explanations` are those of `items`, in their order, when they were asked for. Grouped by work
    `editions` says, in the same order, how many books of the whole list are of the work of each;
    `total` counts works.
    """

    facets: dict[str, list[Facet]] | None = None
    did_you_mean: str | None = None
    explanations: list[Explanation] | None = None
    editions: list[int] | None = None


class Suggestion(Value):
    """What somebody typing may have in mind: a title (`id` of the book) or an author."""

    text: str
    kind: Literal["title", "author"]
    id: UUID
