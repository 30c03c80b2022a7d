"""The authors and subjects that books name: found, or made in the same transaction."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol
from uuid import UUID

from lendery.catalog.repository import authors as authors_kept
from lendery.catalog.repository import subjects as subjects_kept
from lendery.catalog.rules.filing import family_first
from lendery.catalog.rules.fold import folded_name
from lendery.contracts.base import Invalid, new_id
from lendery.contracts.catalog import Author, NamedAuthor
from lendery.platform.db import Tx
from lendery.platform.db.session import Write

ID = re.compile(r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$", re.IGNORECASE)
LONGEST_SUBJECT = 500


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
    made: list[Write] = field(default_factory=list)

    @classmethod
    async def of(
        cls, tx: Tx, *, authors: Iterable[Meant], subjects: Iterable[str], now: datetime
    ) -> "Headings":
        """Looks up all that are named, in one statement a kind."""
        listed = list(authors)
        ids = {each.id for each in listed if each.id}
        names = {folded_name(each.name) for each in listed if each.name and not each.id}
        return cls(
            now,
            await authors_kept.authors_with(tx, ids=list(ids)),
            await authors_kept.authors_named(tx, names=list(names)),
            await subjects_kept.subjects_named(tx, names=list(set(subjects))),
        )

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
        alike = self.by_name.setdefault(folded_name(given.name), [])
        known = next((each for each in alike if _is_meant(given, each)), None)
        if known is None:
            known = self._made(given, given.name)
            alike.append(known)
        return known

    def _made(self, given: Meant, name: str) -> Author:
        made = Author(
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

    def subject_ids(self, names: Iterable[str]) -> list[UUID]:
        found = []
        for name in names:
            if name not in self.subjects:
                self.subjects[name] = new_id()
                self.made.append(subjects_kept.added(self.subjects[name], name))
            found.append(self.subjects[name])
        return found


def _is_meant(given: Meant, known: Author) -> bool:
    if given.sort_name and folded_name(given.sort_name) != folded_name(known.sort_name):
        return False
    return given.born is None or given.born == known.born


def once(names: Iterable[str], pointer: str = "#/subjects") -> tuple[str, ...]:
    """Each subject once, in order."""
    kept = tuple(dict.fromkeys(names))
    for at, name in enumerate(kept):
        if len(name) > LONGEST_SUBJECT:
            raise _wrong(f"{pointer}/{at}", f"{LONGEST_SUBJECT} characters at most.")
    return kept


def _wrong(pointer: str, says: str) -> Invalid:
    return Invalid(says, errors=[{"pointer": pointer, "says": says}])
