"""Which books some records may be about, asked in one question for each rule."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from uuid import UUID

from lendery.catalog.importing.ready import Ready
from lendery.catalog.repository import sources
from lendery.catalog.rules.matching import Known
from lendery.contracts.importing import MatchRule
from lendery.platform.db import Session

Key = tuple[str, object]
AGENCY = "(Lendery)"  # whose control numbers are ours


@dataclass
class Lookups:
    """What the catalogue knows of some records' numbers and titles."""

    rules: Sequence[MatchRule]
    by_number: dict[str, list[Known]] = field(default_factory=dict)
    by_isbn: dict[str, list[Known]] = field(default_factory=dict)
    by_title: dict[tuple[str, str], list[tuple[int, Known]]] = field(default_factory=dict)
    of_merged: set[str] = field(default_factory=set)  # ISBNs that stayed with what was merged

    @classmethod
    async def of(
        cls, session: Session, records: Sequence[Ready], rules: Sequence[MatchRule]
    ) -> "Lookups":
        found = cls(rules)
        isbns = {number for each in records for number in each.isbns}
        found.by_isbn = await sources.with_isbns(session, isbns=list(isbns))
        if "control-number" in rules:
            numbers = {number for each in records for number in numbers_of(each)}
            found.by_number = await sources.with_control_numbers(session, numbers=list(numbers))
            ours = {number: it for number in numbers if (it := our_id(number))}
            for number, books in (await sources.with_our_ids(session, ids=ours)).items():
                found.by_number.setdefault(number, []).extend(books)
        if "title-author" in rules or "title-author-year" in rules:
            titles = {each.columns["sort_title"] for each in records}
            found.by_title = await sources.with_titles(session, titles=list(titles))
        await found._lead_on(session)
        return found

    async def _lead_on(self, session: Session) -> None:
        """Where a book was merged into another, that one is meant."""
        lists = [*self.by_number.values(), *self.by_isbn.values()]
        alike = self.by_title.values()
        known = [each for found in lists for each in found]
        known += [each for found in alike for _, each in found]
        if not (ids := {each.merged_into for each in known if each.merged_into}):
            return
        self.of_merged = {n for n, found in self.by_isbn.items() if found[0].merged_into}
        books = await sources.become(session, ids=ids)
        for found in lists:
            found[:] = [_now(each, books) for each in found]
        for titled in alike:
            titled[:] = [(year, _now(each, books)) for year, each in titled]

    def of_record(self, record: Ready) -> list[tuple[MatchRule, list[Known]]]:
        return [(rule, self._by(rule, record)) for rule in self.rules]

    def holder(self, record: Ready) -> Known | None:
        """Who has the ISBN that this record would be kept under."""
        return next(iter(self.by_isbn.get(record.isbns[0], ())), None) if record.isbns else None

    def _by(self, rule: MatchRule, record: Ready) -> list[Known]:
        if rule == "control-number":
            return [k for number in numbers_of(record) for k in self.by_number.get(number, ())]
        if rule == "isbn":
            return [k for number in record.isbns for k in self.by_isbn.get(number, ())]
        columns = record.columns
        alike = self.by_title.get((columns["sort_title"], columns["sort_author"]), ())
        year = columns["sort_year"] if rule == "title-author-year" else None
        return [known for its_year, known in alike if year is None or its_year == year]


def _now(book: Known, books: dict[UUID, Known]) -> Known:
    return books.get(book.merged_into, book) if book.merged_into else book


def our_id(number: str) -> UUID | None:
    """The id of a book of ours, where a control number is one: what we exported comes back."""
    text = number.removeprefix(AGENCY)
    if len(text) != 36:
        return None
    try:
        return UUID(text)
    except ValueError:
        return None


def numbers_of(record: Ready) -> list[str]:
    """Its control number, and those it had elsewhere."""
    return [*filter(None, [record.control_number]), *record.other_numbers]


def keys_of(record: Ready, rules: Sequence[MatchRule]) -> list[Key]:
    """What would make another record match this one, once this one is in."""
    keys: list[Key] = [("isbn", number) for number in record.isbns]
    if "control-number" in rules:
        keys += [("number", number) for number in numbers_of(record)]
    columns = record.columns
    if "title-author" in rules:
        keys.append(("title", (columns["sort_title"], columns["sort_author"])))
    elif "title-author-year" in rules:
        said = (columns["sort_title"], columns["sort_author"], columns["sort_year"])
        keys.append(("title", said))
    return keys


def apart(records: Sequence[Ready], rules: Sequence[MatchRule]) -> list[list[Ready]]:
    """The records in their order, cut wherever one might match another one of the same part."""
    parts: list[list[Ready]] = [[]]
    seen: set[Key] = set()
    for each in records:
        keys = keys_of(each, rules) if each.problem is None else []
        if not seen.isdisjoint(keys):
            parts.append([])
            seen.clear()
        seen.update(keys)
        parts[-1].append(each)
    return parts
