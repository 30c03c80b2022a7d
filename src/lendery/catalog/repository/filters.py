"""What a list or a search is narrowed by, beside words."""

from typing import Any, Literal

from sqlalchemy import ColumnElement, bindparam, exists, select

from lendery.catalog.models import book, book_author, copy

Filter = Literal[
    "language",
    "material",
    "isbn",
    "year_from",
    "year_to",
    "author_id",
    "available",
    "unavailable",
    "branch_id",
    "unmerged",
]
ON_THE_SHELF = (
    exists().where(copy.c.book_id == book.c.id, copy.c.status == "available").correlate(book)
)


def wanted_by(filters: frozenset[Filter]) -> list[ColumnElement[bool]]:
    """The conditions on `book`, their values bound under the names of the filters.

    `unmerged`: no record that was found to be another book.
    """
    simple: dict[Filter, ColumnElement[bool]] = {
        "language": book.c.language == bindparam("language"),
        "material": book.c.material == bindparam("material"),
        "isbn": book.c.isbn == bindparam("isbn"),
        "year_from": book.c.published_year >= bindparam("year_from"),
        "year_to": book.c.published_year <= bindparam("year_to"),
        "unmerged": book.c.merged_into.is_(None),
        "author_id": book.c.number.in_(
            select(book_author.c.book_number).where(
                book_author.c.author_id == bindparam("author_id")
            )
        ),
    }
    found: list[Any] = [condition for name, condition in simple.items() if name in filters]
    if filters & {"available", "unavailable", "branch_id"}:
        found.append(_has_a_copy(filters))
    return found


def _has_a_copy(filters: frozenset[Filter]) -> ColumnElement[bool]:
    held = exists().where(copy.c.book_id == book.c.id).correlate(book)
    if "branch_id" in filters:
        held = held.where(copy.c.branch_id == bindparam("branch_id"))
    if "available" in filters or "unavailable" in filters:
        held = held.where(copy.c.status == "available")
    return ~held if "unavailable" in filters else held
