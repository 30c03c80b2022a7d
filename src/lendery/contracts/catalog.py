"""What the catalog offers: books (bibliographic records), their authors and their copies."""

from datetime import datetime
from typing import Annotated, Any, Literal, Protocol
from uuid import UUID

from pydantic import Field, StringConstraints

from lendery.contracts.base import (
    AlreadyTaken,
    Code,
    Event,
    Input,
    Line,
    Money,
    NotFound,
    Page,
    Problem,
    RequestKey,
    Text,
    Value,
    Window,
)
from lendery.contracts.permissions import Actor
from lendery.contracts.reviews import Rating

Barcode = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9._-]{1,64}$")]
Year = Annotated[int, Field(ge=-3000, le=2200, description="Years before our era are negative.")]
Language = Annotated[str, StringConstraints(pattern=r"^[a-z]{2,3}$")]
SeriesNumber = Annotated[
    Line, Field(max_length=40, description="Which of its series: 2, 2.5, IV, 1-3.")
]
CopyStatus = Literal[
    "withdrawn",
    "lost",
    "claimed-returned",
    "missing",
    "on-loan",
    "in-transit",
    "on-hold-shelf",
    "damaged",
    "on-order",
    "in-process",
    "reference",
    "available",
]


class AuthorRef(Value):
    id: UUID
    name: str


class Author(Value):
    id: UUID
    name: str
    sort_name: str
    born: int | None
    died: int | None
    biography: str | None
    version: int


class NewAuthor(Input):
    name: Line
    sort_name: Line | None = Field(None, description="Left out: family name first.")
    born: Year | None = None
    died: Year | None = None
    biography: Text | None = None


class AuthorChanges(Input):
    name: Line | None = None
    sort_name: Line | None = None
    born: Year | None = None
    died: Year | None = None
    biography: Text | None = None


class NamedAuthor(Input):
    """An author of a new book: by id, or by name (found by that very name, else made)."""

    id: UUID | None = None
    name: Line | None = None
    sort_name: Line | None = None
    born: Year | None = None
    died: Year | None = None


class Book(Value):
    id: UUID
    title: str
    subtitle: str | None
    authors: tuple[AuthorRef, ...]
    isbn: str | None
    publisher: str | None
    published_year: int | None
    language: str | None
    subjects: tuple[str, ...]
    description: str | None
    series: str | None
    series_number: str | None
    call_number: str | None
    material: str
    work_id: UUID
    withdrawn: bool
    version: int


class NewBook(Input):
    """Only the title is required."""

    title: Line
    subtitle: Line | None = None
    authors: list[NamedAuthor | Line] = Field(default=[], max_length=100)
    isbn: Annotated[str, StringConstraints(max_length=40)] | None = None
    publisher: Line | None = None
    published_year: Year | None = None
    language: Language | None = None
    subjects: list[Line] = Field(default=[], max_length=100)
    description: Text | None = None
    series: Line | None = None
    series_number: SeriesNumber | None = None
    call_number: Line | None = None
    material: Code = "book"


class BookChanges(Input):
    title: Line | None = None
    subtitle: Line | None = None
    authors: list[NamedAuthor | Line] | None = Field(default=None, max_length=100)
    isbn: Annotated[str, StringConstraints(max_length=40)] | None = None
    publisher: Line | None = None
    published_year: Year | None = None
    language: Language | None = None
    subjects: list[Line] | None = Field(default=None, max_length=100)
    description: Text | None = None
    series: Line | None = None
    series_number: SeriesNumber | None = None
    call_number: Line | None = None
    material: Code | None = None
    withdrawn: bool | None = None


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


class BareCopy(Value):
    """A copy as the catalog knows it: what it is, not whether it is in."""

    id: UUID
    barcode: str
    book_id: UUID
    branch_id: UUID
    item_type: str
    location: str | None
    call_number: str | None
    price: Money | None
    version: int


class Copy(BareCopy):
    """A copy with its status, asked of circulation at this moment."""

    status: CopyStatus


class NewCopy(Input):
    barcode: Barcode
    book_id: UUID
    branch_id: UUID
    item_type: Code = "book"
    location: Line | None = None
    call_number: Line | None = None
    price: Money | None = None


class CopyChanges(Input):
    barcode: Barcode | None = None
    branch_id: UUID | None = None
    item_type: Code | None = None
    location: Line | None = None
    call_number: Line | None = None
    price: Money | None = None


class CopyFilter(Value):
    book_id: UUID | None = None
    branch_id: UUID | None = None
    item_type: str | None = None
    status: CopyStatus | None = None  # from the projection: milliseconds behind


class Subject(Value):
    id: UUID
    name: str
    books: int


class Suggestion(Value):
    """What somebody typing may have in mind: a title (`id` of the book) or an author."""

    text: str
    kind: Literal["title", "author"]
    id: UUID


class NoSuchAuthor(NotFound):
    status = 404


class NoSuchBook(NotFound):
    status = 404


class BookWasMerged(NotFound):
    """It was found to be the same as another, `into`, which has all its copies now."""

    status = 410


class AuthorWasMerged(NotFound):
    """The same person as `into`, under whose name their books stand now."""

    status = 410


class NoSuchCopy(NotFound):
    status = 404


class InvalidIsbn(Problem):
    status = 422


class IsbnTaken(AlreadyTaken):
    """Another book has this ISBN; `book_id` names it."""

    status = 409


class BookHasCopies(Problem):
    """A book with copies or a past is withdrawn, not destroyed."""

    status = 409


class AuthorHasBooks(Problem):
    """An author whom books name stays."""

    status = 409


class CopyHasPast(Problem):
    """A copy that was ever lent is flagged withdrawn, not destroyed."""

    status = 409


class BookAdded(Event):
    about = "book_id"
    book_id: UUID


class BookChanged(Event):
    about = "book_id"
    book_id: UUID


class BookWithdrawn(Event):
    about = "book_id"
    book_id: UUID


class BookMerged(Event):
    """All that was of this book is of `into` now: the copies named, and who waits for it."""

    about = "book_id"
    book_id: UUID
    into: UUID
    copy_ids: tuple[UUID, ...]


class BookUnmerged(Event):
    """It was another book after all: the copies named are its own again.

    `before` are books that had been merged into this one.
    """

    about = "book_id"
    book_id: UUID
    into: UUID
    copy_ids: tuple[UUID, ...]
    before: tuple[UUID, ...] = ()


class CopyAdded(Event):
    about = "copy_id"
    copy_id: UUID
    book_id: UUID


class CopyChanged(Event):
    about = "copy_id"
    copy_id: UUID
    book_id: UUID


class CopyRemoved(Event):
    about = "copy_id"
    copy_id: UUID
    book_id: UUID


class Authors(Protocol):
    async def add(self, *, author: NewAuthor, actor: Actor, now: datetime) -> Author: ...
    async def get(self, *, author_id: UUID) -> Author: ...
    async def find(self, *, q: str | None, window: Window) -> Page[Author]: ...
    async def change(
        self,
        *,
        author_id: UUID,
        changes: dict[str, Any],
        actor: Actor,
        now: datetime,
        version: int | None = None,
    ) -> Author: ...
    async def remove(
        self, *, author_id: UUID, actor: Actor, now: datetime, version: int | None = None
    ) -> None: ...


class Books(Protocol):
    async def add(
        self, *, book: NewBook, actor: Actor, now: datetime, key: RequestKey | None = None
    ) -> Book: ...
    async def add_many(self, *, books: list[NewBook], actor: Actor, now: datetime) -> list[UUID]:
        """Many at once (the demo library, later imports): all or none."""
        ...

    async def get(self, *, book_id: UUID) -> Book: ...
    async def by_ids(self, *, ids: list[UUID]) -> list[Book]: ...
    async def search(self, *, wanted: BookSearch, window: Window) -> SearchPage: ...
    async def change(
        self,
        *,
        book_id: UUID,
        changes: dict[str, Any],
        actor: Actor,
        now: datetime,
        version: int | None = None,
    ) -> Book: ...
    async def remove(
        self, *, book_id: UUID, actor: Actor, now: datetime, version: int | None = None
    ) -> None: ...
    async def subjects(self, *, q: str | None, window: Window) -> Page[Subject]: ...
    async def suggest(self, *, q: str) -> list[Suggestion]:
        """Up to ten titles and authors that begin as somebody types."""
        ...

    async def similar(self, *, book_id: UUID, many: int = 10) -> list[Book]:
        """Others of the same author or on the same subjects, the closest first."""
        ...

    async def ratings(self, *, ids: list[UUID]) -> list[Rating]:
        """The stars of each of these books, in this order, as reviews told them last."""
        ...


class Copies(Protocol):
    """Copies without their status: that is circulation's to tell."""

    async def add(
        self, *, copy: NewCopy, actor: Actor, now: datetime, key: RequestKey | None = None
    ) -> BareCopy: ...
    async def add_many(
        self, *, copies: list[NewCopy], actor: Actor, now: datetime
    ) -> list[UUID]: ...
    async def get(self, *, copy_id: UUID) -> BareCopy: ...
    async def by_barcode(self, *, barcode: str) -> BareCopy | None: ...
    async def by_ids(self, *, ids: list[UUID]) -> list[BareCopy]: ...
    async def of_book(self, *, book_id: UUID) -> list[BareCopy]: ...
    async def find(self, *, like: CopyFilter, window: Window) -> Page[BareCopy]: ...
    async def change(
        self,
        *,
        copy_id: UUID,
        changes: dict[str, Any],
        actor: Actor,
        now: datetime,
        version: int | None = None,
    ) -> BareCopy: ...
    async def remove(
        self, *, copy_id: UUID, actor: Actor, now: datetime, version: int | None = None
    ) -> None: ...
