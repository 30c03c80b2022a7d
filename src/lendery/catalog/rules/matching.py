"""Which book a record is about, and what becomes of it then."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal
from uuid import UUID

from lendery.catalog.rules.works import series_key
from lendery.contracts.catalog import Book
from lendery.contracts.importing import MatchRule, OnMatch

NAMED = 5  # books that a rejection names
OVERLAID = (
    "title",
    "subtitle",
    "isbn",
    "publisher",
    "published_year",
    "language",
    "description",
    "series",
    "series_number",
    "call_number",
)


@dataclass(frozen=True, slots=True)
class Known:
    """A book that is here already. `merged_into`: the id of the book that it turned out to be."""

    number: int
    id: UUID
    title: str
    merged_into: UUID | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """`why` is set for a rejection, `book` for an overlay or a skip."""

    act: Literal["add", "overlay", "skip", "reject"]
    book: Known | None = None
    why: str = ""


def verdict(
    found: Iterable[tuple[MatchRule, Sequence[Known]]],
    on_match: OnMatch,
    *,
    isbn: str | None,
    holder: Known | None,
) -> Verdict:
    """`found`: by rule, in their order. `holder`: who has the record's ISBN, by rule or not."""
    book: Known | None = None
    for rule, books in found:
        distinct = {each.number: each for each in books}
        if len(distinct) > 1:
            return Verdict("reject", why=_several(rule, list(distinct.values())))
        if distinct:
            [book] = distinct.values()
            break
    if book is not None and on_match == "skip":
        return Verdict("skip", book)
    other = holder is not None and (book is None or on_match == "add" or holder != book)
    if other and holder is not None:
        says = f"The ISBN {isbn} belongs to \u201c{holder.title}\u201d ({holder.id})."
        return Verdict("reject", why=says)
    if book is None or on_match == "add":
        return Verdict("add")
    return Verdict("overlay", book)


def _several(rule: MatchRule, books: list[Known]) -> str:
    named = "; ".join(f"\u201c{each.title}\u201d ({each.id})" for each in books[:NAMED])
    more = f" and {len(books) - NAMED} more" if len(books) > NAMED else ""
    return f"By {rule} it matches {len(books)} books: {named}{more}."


def overlay(before: Book, record: dict[str, Any]) -> dict[str, Any]:
    """The plain fields that change: what the record leaves empty stays.

    But for the number in a series: it goes with the series that it was a number of.
    """
    changes = {
        name: record[name]
        for name in OVERLAID
        if record.get(name) is not None and record[name] != getattr(before, name)
    }
    moved = "series" in changes and series_key(record["series"]) != series_key(before.series)
    if moved and before.series_number and record.get("series_number") is None:
        changes["series_number"] = None
    return changes


def differences(before: Book, changes: dict[str, Any]) -> str:
    """What an overlay would change, as a librarian reads it."""
    return "; ".join(
        f"{name}: {_said(getattr(before, name))} \u2192 {_said(value)}"
        for name, value in changes.items()
    )


def _said(value: Any) -> str:
    if isinstance(value, list | tuple):
        return ", ".join(str(getattr(each, "name", each)) for each in value) or "nothing"
    return "nothing" if value in (None, "") else str(value)[:80]
