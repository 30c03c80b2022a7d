"""What the catalog can be asked to do, in the same process or from another."""

from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

from lendery.contracts.base import Page, RequestKey, Window
from lendery.contracts.catalog.authors import Author, NewAuthor
from lendery.contracts.catalog.books import Book, NewBook, Subject
from lendery.contracts.catalog.copies import BareCopy, CopyFilter, NewCopy
from lendery.contracts.catalog.search import BookSearch, SearchPage, Suggestion
from lendery.contracts.permissions import Actor
from lendery.contracts.reviews import Rating


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
        """Others of the same author, on the same subjects or of the same readers, the closest
        first."""
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
