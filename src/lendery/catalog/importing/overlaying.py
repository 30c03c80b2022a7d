"""Records that are here already, taken over: what the new one leaves empty stays."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from lendery.catalog.formats import Format
from lendery.catalog.headings import Headings, Meant
from lendery.catalog.importing.outcome import Outcome
from lendery.catalog.importing.ready import NOBODY, Ready, kept_of
from lendery.catalog.repository import books as books_kept
from lendery.catalog.repository import record as written
from lendery.catalog.repository import sources
from lendery.catalog.repository import subjects as subjects_kept
from lendery.catalog.rules.fold import folded_name
from lendery.catalog.rules.matching import Known, overlay
from lendery.catalog.rules.works import work_of
from lendery.contracts.catalog import AuthorRef, Book, BookChanged, NamedAuthor
from lendery.platform.db import Tx
from lendery.platform.db.session import Write

STORED = (
    *("title", "subtitle", "isbn", "publisher", "published_year", "language", "description"),
    *("series", "series_number", "call_number", "material", "subjects", "withdrawn"),
)


def changes_of(before: Book, record: Ready, headings: Headings) -> dict[str, Any]:
    """What an overlay would change: plain fields, authors and subjects, as their headings are."""
    changes = overlay(before, record.columns)
    if before.isbn in record.isbns:
        changes.pop("isbn", None)
    subjects = headings.subject_names(record.columns["subjects"])
    if subjects and subjects != before.subjects:
        changes["subjects"] = subjects
    names = [folded_name(each.name) for each in record.authors]
    if names and names != [folded_name(each.name) for each in before.authors]:
        authors = headings.authors(record.authors)
        if [each.id for each in authors] != [each.id for each in before.authors]:
            changes["authors"] = tuple(AuthorRef(id=a.id, name=a.name) for a in authors)
    return changes


@dataclass
class Overlays:
    """The overlays of one chunk. `places`: each record with the id and number of its book."""

    tx: Tx
    job_id: UUID
    format: Format
    headings: Headings
    outcome: Outcome
    now: datetime
    places: list[tuple[Ready, UUID, int]] = field(default_factory=list)
    writes: list[Write] = field(default_factory=list)
    gone: list[str] = field(default_factory=list)
    by_hand: set[int] = field(default_factory=set)  # whose work somebody decided

    async def prepare(self, overlays: Sequence[tuple[Ready, Known]]) -> None:
        if not overlays:
            return
        numbers = [known.number for _, known in overlays]
        rows = await self.tx.rows(books_kept.BY_NUMBERS, numbers=numbers)
        books = {row.number: books_kept.book_of(row) for row in rows}
        self.by_hand = {row.number for row in rows if row.work_by_hand}
        before = await sources.sources_of(self.tx, numbers=numbers)
        firsts = {each.authors[0].id for each in books.values() if each.authors}
        theirs = await Headings.of(
            self.tx,
            authors=[NamedAuthor(id=each) for each in firsts],
            subjects=[name for each in books.values() for name in each.subjects],
            shown=[author.id for each in books.values() for author in each.authors],
            now=self.now,
        )
        self.headings.with_those_of(theirs)
        for record, known in overlays:
            book, prior = books[known.number], before.get(known.number)
            self.places.append((record, book.id, known.number))
            changes = changes_of(book, record, self.headings)
            if not changes and (prior is None or self._same(prior, record)):
                self.outcome.counts["skipped"] += 1
                continue
            self.outcome.counts["overlaid"] += 1
            self._overlay(record, known.number, book, prior, changes)

    def _same(self, prior: Any, record: Ready) -> bool:
        raw, packed = kept_of(self.format, record)
        return not raw or bool(prior.raw == raw and bool(prior.packed) == packed)

    def _overlay(
        self, record: Ready, number: int, before: Book, prior: Any, changes: dict[str, Any]
    ) -> None:
        given: list[Meant] = [NamedAuthor(id=each.id) for each in before.authors[:1]]
        if "authors" in changes:
            given = list(record.authors)
        authors = self.headings.authors(given)
        after = before.model_copy(update=changes | {"version": before.version + 1})
        if number not in self.by_hand:
            main = after.authors[0].id if after.authors else None
            work_id = work_of(after.id, after.title, after.language, main)
            after = after.model_copy(update={"work_id": work_id})
        first = authors[0].sort_name if authors else None
        variants = self.headings.variants(after.authors)
        self.writes += books_kept.replaced(
            self.tx.dialect, number, after, sort_author=first, variants=variants, now=self.now
        )
        if {"authors", "subjects"} & changes.keys():
            self.writes += self._relinked(number, after)
            self.gone += set(before.subjects) - set(after.subjects)
        self.writes.append(self._source(record, number, before, after.version, prior))
        self.writes.append(self.tx.announcement(BookChanged(book_id=before.id, at=self.now)))

    def _relinked(self, number: int, after: Book) -> list[Write]:
        subjects = () if after.withdrawn else after.subjects
        authors = [each.id for each in after.authors]
        about = self.headings.subject_ids(subjects)
        return books_kept.linked(number, authors=authors, subjects=about)

    def _source(self, record: Ready, number: int, before: Book, version: int, prior: Any) -> Write:
        raw, packed = kept_of(self.format, record)
        keeps = prior is not None and not raw  # a list does not replace a MARC record
        row = {
            "version": version,
            "job_id": self.job_id,
            "prior_job_id": prior.job_id if prior is not None else None,
            "format": prior.format if keeps else self.format.value,
            "control_number": prior.control_number if keeps else record.control_number,
            "edited": keeps and bool(prior.raw),
            "packed": bool(prior.packed) if keeps else packed,
            "raw": prior.raw if keeps else raw,
            "before": _before(before, prior),
        }
        if prior is None:
            return sources.PUT, {"book_number": number, **row}
        return sources.replaced(number, row)

    async def write(self) -> None:
        unlinks = [
            each
            for write, given in self.writes
            if write is books_kept.LINK_AUTHOR or write is books_kept.LINK_SUBJECT
            for each in books_kept.unlinked(given["book_number"])
        ]
        once = {(each[0], each[1]["at_number"]): each for each in unlinks}
        await written(self.tx, list(once.values()))  # before the links that take their place
        await written(self.tx, self.writes)
        await subjects_kept.forget_unused(self.tx, names=list(set(self.gone)))


def _before(book: Book, prior: Any) -> bytes:
    columns = {name: getattr(book, name) for name in STORED}
    authors = [{"id": str(each.id), "name": each.name} for each in book.authors]
    if prior is not None and prior.before is not None:
        # What an older import overlaid can no longer be undone: one step back is kept, not all.
        prior = prior._replace(before=None, job_id=NOBODY, prior_job_id=None)
    return sources.packed_before(columns, authors, prior)
