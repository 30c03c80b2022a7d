"""The authors and subjects that books name: found, or made in the same transaction."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol
from uuid import UUID

from lendery.catalog.repository import authors as authors_kept
from lendery.catalog.repository import subjects as subjects_kept
from lendery.catalog.repository.variants import headings_called, variants_of
from lendery.catalog.rules.filing import family_first
from lendery.catalog.rules.fold import folded_name, words
from lendery.contracts.base import Invalid, Page, Window, new_id
from lendery.contracts.catalog import Author, AuthorRef, NamedAuthor, Subject
from lendery.platform.db import Database, Session
from lendery.platform.db.session import Write
from lendery.platform.http.answers import make_cursor, read_cursor

ID = re.compile(r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$", re.IGNORECASE)
LONGEST_SUBJECT = 500
MOST_WORDS = 8


class Meant(Protocol):
    """An author as a book names them: by id, or by name."""

    @property
    def id(self) -> UUID | None: ...
    @property
    def name(self) -> str | None: ...
    @property
    def sort_name(self) -> str | None: ...
    @property
    def born(self) -> int | None: ...
    @property
    def died(self) -> int | None: ...


def named(given: NamedAuthor | str) -> NamedAuthor:
    """An author as a book names them: by id, or by name."""
    if isinstance(given, NamedAuthor):
        return given
    return NamedAuthor(id=UUID(given)) if ID.match(given) else NamedAuthor(name=given)


@dataclass
class Headings:
    """What is known of all the authors and subjects that some books name."""

    now: datetime
    by_id: dict[UUID, Author]
    by_name: dict[str, list[Author]]
    subjects: dict[str, UUID]
    other_forms: dict[UUID, list[str]]
    preferred: dict[str, str] = field(default_factory=dict)  # subjects, by another form
    led: set[str] = field(default_factory=set)  # folded names that are another form of one's
    made: list[Write] = field(default_factory=list)

    @classmethod
    async def of(
        cls,
        session: Session,
        *,
        authors: Iterable[Meant],
        subjects: Iterable[str],
        shown: Iterable[UUID] = (),
        now: datetime,
    ) -> "Headings":
        """Looks up all that are named, in one statement a kind.

        A name that is only another form of one author's leads to that author, a subject likewise.
        `shown`: authors that the record names already, for the other forms of their names.
        """
        listed, wanted = list(authors), set(subjects)
        ids = {each.id for each in listed if each.id}
        names = {folded_name(each.name) for each in listed if each.name and not each.id}
        by_id, by_name = await authors_kept.authors_meant(session, ids=ids, names=names)
        known = await subjects_kept.subjects_named(session, names=list(wanted))
        unknown = {folded_name(name): name for name in wanted - known.keys()}
        led, on = await _led_to(session, names - by_name.keys(), unknown)
        by_id |= await authors_kept.authors_with(
            session, ids=list(set(led.values()) - by_id.keys())
        )
        by_name |= {name: [by_id[other]] for name, other in led.items() if other in by_id}
        everyone = {*by_id, *shown, *(each.id for alike in by_name.values() for each in alike)}
        other_forms = await variants_of(session, everyone)
        found = cls(now, by_id, by_name, known, other_forms, led=set(led))
        await found._lead(unknown, on, session)
        return found

    async def _lead(self, unknown: dict[str, str], on: dict[str, UUID], session: Session) -> None:
        """Subjects that are named by another form go by their heading's."""
        headings = await subjects_kept.names_of(session, ids=list(set(on.values())))
        for name, subject_id in on.items():
            self.preferred[unknown[name]] = headings[subject_id]
            self.subjects[headings[subject_id]] = subject_id

    def authors(self, given: Iterable[Meant], pointer: str = "#/authors") -> list[Author]:
        """Each once, in order. Raises Invalid for an id that nobody has."""
        found = [self._author(each, f"{pointer}/{at}") for at, each in enumerate(given)]
        return list({each.id: each for each in found}.values())

    def _author(self, given: Meant, pointer: str) -> Author:
        if given.id:
            known = self.by_id.get(given.id)
            if known is None:
                raise _wrong(pointer, "There is no author with this id.")
            return known
        if given.name is None:
            raise _wrong(pointer, "An author needs an id or a name.")
        name = folded_name(given.name)
        alike, meant = self.by_name.setdefault(name, []), _is_meant
        if name in self.led:
            meant = _may_be_meant
        known = next((each for each in alike if meant(given, each)), None)
        if known is None:
            known = self._made(given, given.name)
            alike.append(known)
        return known

    def _made(self, given: Meant, name: str) -> Author:
        made = Author.model_construct(
            id=new_id(),
            name=name,
            sort_name=given.sort_name or family_first(name),
            born=given.born,
            died=given.died,
            biography=None,
            version=1,
        )
        self.made.append(authors_kept.added(made, now=self.now))
        return made

    def with_those_of(self, other: "Headings") -> None:
        """Knows what the other one knows too, but for who is meant by a name."""
        self.by_id |= other.by_id
        self.subjects = other.subjects | self.subjects
        self.other_forms |= other.other_forms
        self.preferred |= other.preferred

    def variants(self, authors: Iterable[AuthorRef]) -> list[str]:
        """The other forms of their names."""
        return [name for each in authors for name in self.other_forms.get(each.id, ())]

    def subject_names(self, names: Iterable[str]) -> tuple[str, ...]:
        """Each by the form under which its books stand, and once."""
        return tuple(dict.fromkeys(self.preferred.get(name, name) for name in names))

    def subject_ids(self, names: Iterable[str]) -> list[UUID]:
        found = []
        for name in names:
            if name not in self.subjects:
                self.subjects[name] = new_id()
                self.made.append(subjects_kept.added(self.subjects[name], name))
            found.append(self.subjects[name])
        return found


async def _led_to(
    session: Session, authors: Iterable[str], subjects: Iterable[str]
) -> tuple[dict[str, UUID], dict[str, UUID]]:
    """Folded names that are another form of one heading, and of one only: authors, subjects."""
    by, on = await headings_called(session, authors=authors, subjects=subjects)
    return _only(by), _only(on)


def _only(found: dict[str, list[UUID]]) -> dict[str, UUID]:
    return {name: ids[0] for name, ids in found.items() if len(ids) == 1}


async def subjects_found(db: Database, q: str | None, window: Window) -> Page[Subject]:
    """In alphabetical order; each word of `q` begins a word of the subject, or of another form."""
    typed = words(q or "")[:MOST_WORDS]
    filed, after_id = read_cursor(window.after, str, UUID) if window.after else (None, None)
    after = (filed or "", after_id) if after_id else None
    async with db.read() as session:
        many = window.limit + 1
        rows = await subjects_kept.listed(session, words=typed, after=after, many=many)
        counted = await subjects_kept.how_many(session, words=typed) if window.total else None
    shown = rows[: window.limit]
    more = len(rows) > window.limit
    return Page(
        items=[Subject(id=row.id, name=row.name, books=row.books) for row in shown],
        next_cursor=make_cursor(shown[-1].filed, shown[-1].id) if more else None,
        total=counted,
    )


def _is_meant(given: Meant, known: Author) -> bool:
    if given.sort_name and folded_name(given.sort_name) != folded_name(known.sort_name):
        return False
    return given.born is None or given.born == known.born


def _may_be_meant(given: Meant, known: Author) -> bool:
    """By another form of the name, which is filed elsewhere."""
    return given.born is None or known.born is None or given.born == known.born


def once(names: Iterable[str], pointer: str = "#/subjects") -> tuple[str, ...]:
    """Each subject once, in order."""
    kept = tuple(dict.fromkeys(names))
    for at, name in enumerate(kept):
        if len(name) > LONGEST_SUBJECT:
            raise _wrong(f"{pointer}/{at}", f"{LONGEST_SUBJECT} characters at most.")
    return kept


def _wrong(pointer: str, says: str) -> Invalid:
    return Invalid(says, errors=[{"pointer": pointer, "says": says}])
