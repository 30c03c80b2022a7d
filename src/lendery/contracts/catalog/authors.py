"""Authors: who they are, and what is said when one cannot be had."""

from typing import Annotated
from uuid import UUID

from pydantic import Field

from lendery.contracts.base import Input, Line, NotFound, Problem, Text, Value

Year = Annotated[int, Field(ge=-3000, le=2200, description="Years before our era are negative.")]


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


class NoSuchAuthor(NotFound):
    status = 404


class AuthorWasMerged(NotFound):
    """The same person as `into`, under whose name their books stand now."""

    status = 410


class AuthorHasBooks(Problem):
    """An author whom books name stays."""

    status = 409
