"""Authors and subjects as headings, merging what is the same, works and series.

What the catalog offers beside its records; its events are with them, in catalog.py.
"""

from datetime import datetime
from typing import Literal, Protocol
from uuid import UUID

from lendery.contracts.base import Input, Line, NotFound, Page, Problem, Value, Window
from lendery.contracts.catalog import Author, Book
from lendery.contracts.permissions import Actor

HeadingKind = Literal["author", "subject"]
MergeKind = Literal["author", "subject", "book"]
DuplicateKind = Literal["author", "book"]


class Variant(Value):
    """Another form of a name, from which one is led to the heading."""

    id: UUID
    name: str


class NewVariant(Input):
    name: Line


class HeadingRef(Value):
    id: UUID
    name: str


class AuthorHeading(Author):
    """An author with the other forms of the name, and whom else to look at."""

    variants: tuple[Variant, ...] = ()
    see_also: tuple[HeadingRef, ...] = ()


class SubjectHeading(Value):
    id: UUID
    name: str
    books: int
    variants: tuple[Variant, ...] = ()
    see_also: tuple[HeadingRef, ...] = ()


class NewMerge(Input):
    """`loser_id` is the one that goes; `winner_id` gets all that was its."""

    kind: MergeKind
    loser_id: UUID
    winner_id: UUID


class Merge(Value):
    """Two that were found to be the same. `books` and `copies` count what was moved.

    `winner_id` is what stays. `undone_at` is null as long as it holds.
    """

    id: UUID
    kind: MergeKind
    loser_id: UUID
    winner_id: UUID
    loser_name: str
    winner_name: str
    books: int
    copies: int
    at: datetime
    by: UUID | None
    undone_at: datetime | None = None
    undone_by: UUID | None = None


class Twin(Value):
    """One of two that look the same. `said` tells it from the other: authors, year, ISBN."""

    id: UUID
    name: str
    said: str


class Duplicate(Value):
    """Two that are probably the same. `score` is how alike they are, of 100."""

    id: UUID
    kind: DuplicateKind
    one: Twin
    other: Twin
    score: int
    found_at: datetime


class DuplicateChoice(Input):
    """`winner_id` is the one of the two that stays."""

    winner_id: UUID


class Work(Value):
    """What all its editions are editions of. Named as the first of them is."""

    id: UUID
    title: str
    authors: tuple[HeadingRef, ...]
    editions: tuple[Book, ...]


class WorkChoice(Input):
    """`work_id` of the work it is an edition of. Null: of none that the library has."""

    work_id: UUID | None


class Series(Value):
    """`id` is the name without case, accents and signs: two spellings are one series."""

    id: str
    name: str
    books: int


class NoSuchSubject(NotFound):
    status = 404


class NoSuchVariant(NotFound):
    status = 404


class NoSuchMerge(NotFound):
    status = 404


class NoSuchDuplicate(NotFound):
    status = 404


class NoSuchWork(NotFound):
    status = 404


class NoSuchSeries(NotFound):
    status = 404


class SubjectWasMerged(NotFound):
    """The same as the subject `into`, under which its books stand now."""

    status = 410


class VariantKnown(Problem):
    """The heading is called so already."""

    status = 409


class CannotMerge(Problem):
    """These two cannot become one."""

    status = 409


class CannotUndo(Problem):
    """What was moved has changed since; `changed` names it. Nothing was moved back."""

    status = 409


class AuthorityFile(Protocol):
    """Headings: one form of a name under which all stands, others that lead there."""

    async def author(self, *, author_id: UUID) -> AuthorHeading: ...
    async def subject(self, *, subject_id: UUID) -> SubjectHeading: ...
    async def subject_named(self, *, name: str) -> SubjectHeading | None:
        """The subject of this name, or of which it is another form."""
        ...

    async def books_on(self, *, subject_id: UUID, window: Window) -> Page[Book]: ...
    async def add_variant(
        self, *, kind: HeadingKind, heading_id: UUID, name: str, actor: Actor, now: datetime
    ) -> Variant: ...
    async def remove_variant(
        self, *, kind: HeadingKind, heading_id: UUID, variant_id: UUID, actor: Actor, now: datetime
    ) -> None: ...
    async def relate(
        self, *, kind: HeadingKind, one: UUID, other: UUID, actor: Actor, now: datetime
    ) -> None:
        """See also: each is shown with the other."""
        ...

    async def part(
        self, *, kind: HeadingKind, one: UUID, other: UUID, actor: Actor, now: datetime
    ) -> None: ...


class Merges(Protocol):
    async def merge(self, *, wanted: NewMerge, actor: Actor, now: datetime) -> Merge: ...
    async def get(self, *, merge_id: UUID, actor: Actor) -> Merge: ...
    async def find(self, *, window: Window, actor: Actor) -> Page[Merge]:
        """The newest first."""
        ...

    async def undo(self, *, merge_id: UUID, actor: Actor, now: datetime) -> Merge: ...


class Duplicates(Protocol):
    async def look(self, *, actor: Actor, now: datetime) -> int:
        """Compares what might be the same; how many pairs are on the list that were not."""
        ...

    async def find(
        self, *, kind: DuplicateKind | None, window: Window, actor: Actor
    ) -> Page[Duplicate]:
        """Those most alike first."""
        ...

    async def dismiss(self, *, duplicate_id: UUID, actor: Actor, now: datetime) -> None:
        """They are two: never shown again."""
        ...

    async def merge(
        self, *, duplicate_id: UUID, winner_id: UUID, actor: Actor, now: datetime
    ) -> Merge: ...


class Works(Protocol):
    async def get(self, *, work_id: UUID) -> Work: ...
    async def move(
        self, *, book_id: UUID, work_id: UUID | None, actor: Actor, now: datetime
    ) -> Book:
        """To another work, or (None) to one of its own. It stays there, whatever its title."""
        ...


class SeriesList(Protocol):
    async def find(self, *, q: str | None, window: Window) -> Page[Series]: ...
    async def get(self, *, series: str) -> Series:
        """By its id or its name."""
        ...

    async def books(self, *, series: str, window: Window) -> Page[Book]:
        """In the order of their numbers."""
        ...
