"""A chunk of records into the catalogue, in one transaction.

What is worked out is the same on both databases; the rows go in by COPY or by executemany.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from lendery.catalog.headings import Headings
from lendery.catalog.importing.copies import CopiesMade, copies_of
from lendery.catalog.importing.lookups import Lookups, apart
from lendery.catalog.importing.outcome import Outcome
from lendery.catalog.importing.overlaying import Overlays
from lendery.catalog.importing.ready import Ready, as_stored, kept_of
from lendery.catalog.importing.taking import Taking
from lendery.catalog.models import (
    author,
    book,
    book_author,
    book_subject,
    import_copy,
    import_note,
    source,
    subject,
)
from lendery.catalog.models import copy as copy_table
from lendery.catalog.repository import authors as authors_kept
from lendery.catalog.repository import books as books_kept
from lendery.catalog.repository import subjects as subjects_kept
from lendery.catalog.repository.changes import next_turn
from lendery.catalog.repository.words import note_new
from lendery.catalog.rules.filing import LAST, name_key
from lendery.catalog.rules.matching import Verdict, verdict
from lendery.catalog.rules.works import work_of
from lendery.contracts.base import new_id
from lendery.contracts.catalog import Author, AuthorRef, BookAdded, CopyAdded
from lendery.contracts.importing import ImportOptions
from lendery.platform.db import Session, Tx


@dataclass
class Chunk:
    """Rows on their way into the catalogue's tables."""

    books: list[dict[str, Any]]
    words: list[dict[str, Any]]
    authors: list[dict[str, Any]]
    subjects: list[dict[str, Any]]
    sources: list[dict[str, Any]]
    made: list[BookAdded]


async def merge(
    tx: Tx, taking: Taking, records: Sequence[Ready], outcome: Outcome, *, now: datetime
) -> None:
    """All records of a chunk, in their order: also those that match each other."""
    for part in apart(records, taking.options.match):
        await _merge(tx, taking, part, outcome, now)
    await tx.load(import_note, outcome.notes)


async def _merge(
    tx: Tx, taking: Taking, records: Sequence[Ready], outcome: Outcome, now: datetime
) -> None:
    turn = await next_turn(tx, numbers=len(records))
    judged = await judge(tx, taking.options, records, outcome)
    adds = [each for each, said in judged if said.act == "add"]
    overlays = [(each, said.book) for each, said in judged if said.act == "overlay" and said.book]
    taken = adds + [each for each, _ in overlays]
    headings = await headings_of(tx, taken, now=now)
    chunk = _added(tx.dialect, taking, adds, headings, turn.first_number, now)
    replaced = Overlays(tx, taking.job_id, taking.format, headings, outcome, now)
    await replaced.prepare(overlays)
    outcome.counts["added"] += len(adds)
    at = [(record, row["id"], row["number"]) for record, row in zip(adds, chunk.books, strict=True)]
    held = await copies_of(tx, taking, [*at, *replaced.places], outcome, now=now)
    await _made(tx, headings)
    await _load(tx, chunk)
    await replaced.write()
    await _load_copies(tx, held)
    await tx.announce(*chunk.made)
    await tx.announce(
        *(CopyAdded(copy_id=c["id"], book_id=c["book_id"], at=now) for c in held.rows)
    )


async def headings_of(session: Session, records: Sequence[Ready], *, now: datetime) -> Headings:
    """The authors and subjects that the records name."""
    return await Headings.of(
        session,
        authors=(each for record in records for each in record.authors),
        subjects=(name for record in records for name in record.columns["subjects"]),
        now=now,
    )


async def judge(
    session: Session, options: ImportOptions, records: Sequence[Ready], outcome: Outcome
) -> list[tuple[Ready, Verdict]]:
    """What is to become of each readable record; the others are rejected here."""
    outcome.counts["read"] += len(records)
    for each in records:
        for warning in each.warnings:
            outcome.warn(each, warning)
        if each.problem is not None:
            outcome.reject(each, each.problem)
    readable = [each for each in records if each.problem is None]
    found = await Lookups.of(session, readable, options.match)
    judged = []
    for each in readable:
        isbn = each.isbns[0] if each.isbns else None
        if isbn in found.of_merged:
            each.columns["isbn"] = None  # it stays with the record that was merged
        said = verdict(
            found.of_record(each), options.on_match, isbn=isbn, holder=found.holder(each)
        )
        if said.act == "reject":
            outcome.reject(each, said.why)
        elif said.act == "skip":
            outcome.counts["skipped"] += 1
        judged.append((each, said))
    return judged


def _added(
    dialect: str,
    taking: Taking,
    records: Sequence[Ready],
    headings: Headings,
    first_number: int,
    now: datetime,
) -> Chunk:
    chunk = Chunk([], [], [], [], [], [])
    for number, each in enumerate(records, first_number):
        authors = headings.authors(each.authors)
        row = each.columns
        row["number"], row["id"] = number, new_id()
        main = authors[0].id if authors else None
        row["work_id"] = work_of(row["id"], row["title"], row["language"], main)
        said, row["subjects"] = row["subjects"], headings.subject_names(row["subjects"])
        row["authors"] = [{"id": str(one.id), "name": one.name} for one in authors]
        row["sort_author"] = name_key(authors[0].sort_name) if authors else LAST
        row["created_at"] = row["updated_at"] = now
        chunk.books.append(row)
        chunk.words.append(_words(dialect, each, authors, headings, said) | {"number": number})
        chunk.authors += [
            {"book_number": number, "author_id": one.id, "position": position}
            for position, one in enumerate(authors)
        ]
        chunk.subjects += [
            {"book_number": number, "subject_id": one}
            for one in headings.subject_ids(row["subjects"])
        ]
        chunk.sources.append(source_row(taking, each, number))
        chunk.made.append(BookAdded.model_construct(id=new_id(), book_id=row["id"], at=now))
    return chunk


def _words(
    dialect: str, record: Ready, authors: list[Author], headings: Headings, said: list[str]
) -> dict[str, Any]:
    """What it is found by: as the reader made it, unless the headings are called otherwise."""
    forms = {one.id: other for one in authors if (other := headings.other_forms.get(one.id))}
    same = [one.name for one in authors] == [one.name for one in record.authors]
    if same and not forms and list(record.columns["subjects"]) == said:
        return record.words
    refs = tuple(AuthorRef(id=one.id, name=one.name) for one in authors)
    shown = as_stored(record.columns).model_copy(update={"authors": refs})
    return dict(books_kept.worded(dialect, 0, shown, forms, new=True)[1])


def source_row(taking: Taking, record: Ready, number: int) -> dict[str, Any]:
    """The bytes only where they say more than our own fields: MARC."""
    raw, packed = kept_of(taking.format, record)
    return {
        "book_number": number,
        "version": 1,
        "job_id": taking.job_id,
        "prior_job_id": None,
        "format": taking.format.value,
        "control_number": record.control_number,
        "edited": False,
        "packed": packed,
        "raw": raw,
        "before": None,
    }


async def _made(tx: Tx, headings: Headings) -> None:
    """The authors and subjects that nobody named before."""
    for table, put in ((author, authors_kept.PUT), (subject, subjects_kept.PUT)):
        await tx.load(table, [given for statement, given in headings.made if statement is put])


async def _load(tx: Tx, chunk: Chunk) -> None:
    await tx.load(book, chunk.books)
    await tx.load(book_author, chunk.authors)
    await tx.load(book_subject, chunk.subjects)
    await note_new(tx, chunk.words)
    await tx.load(source, chunk.sources)


async def _load_copies(tx: Tx, held: CopiesMade) -> None:
    await tx.load(copy_table, held.rows)
    await tx.load(import_copy, held.marks)
