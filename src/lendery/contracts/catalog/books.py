"""Books (bibliographic records), what is refused about them and what is announced."""

from typing import Annotated
from uuid import UUID

from pydantic import Field, StringConstraints

from lendery.contracts.base import (
    AlreadyTaken,
    Code,
    Event,
    Input,
    Line,
    NotFound,
    Problem,
    Text,
    Value,
)
from lendery.contracts.catalog.authors import AuthorRef, NamedAuthor, Year

Language = Annotated[str, StringConstraints(pattern=r"^[a-z]{2,3}$")]
SeriesNumber = Annotated[
    Line, Field(max_length=40, description="Which of its series: 2, 2.5, IV, 1-3.")
]


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


class Subject(Value):
    id: UUID
    name: str
    books: int


class NoSuchBook(NotFound):
    status = 404


class BookWasMerged(NotFound):
    """It was found to be the same as another, `into`, which has all its copies now."""

    status = 410


class InvalidIsbn(Problem):
    status = 422


class IsbnTaken(AlreadyTaken):
    """Another book has this ISBN; `book_id` names it."""

    status = 409


class BookHasCopies(Problem):
    """A book with copies or a past is withdrawn, not destroyed."""

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
