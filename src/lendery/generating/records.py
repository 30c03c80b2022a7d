"""A record, and any number of them: the same for the same seed, one at a time."""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from lendery.generating import wording
from lendery.generating.numbers import ISBNS_SINCE, LAST_YEAR, Isbns, Popularity, barcode
from lendery.generating.people import Company, letters
from lendery.generating.vocabulary import Model, Tongue, Vocabulary, vocabulary

MOST = 20_000_000  # the smallest group of ISBNs ends soon after
EDITIONS = 0.06  # of records are of real works, the better known the more
WITHOUT_ISBN = (0.85, 0.03)  # of those before there were any, and since
DESCRIBED = 0.3  # of English records
AUTHORS = (0,) * 20 + (1,) * 820 + (2,) * 110 + (3,) * 35 + (4,) * 15  # so many, of 1,000
IN_SERIES = (0.02, 0.17)  # of facts, of fiction
BOOKS_AN_AUTHOR = 1.1  # of those who could have written; many of them have not
TITLES_A_FIRM = 120
MATERIALS = ("book",) * 92 + ("audiobook",) * 3 + ("ebook",) * 3 + ("large-print",) * 2
REFERENCE = 0.02  # of copies


@dataclass(frozen=True)
class Holdings:
    """How many copies a book has on average, and the codes of the branches that have them."""

    per_book: float
    branches: tuple[str, ...] = ("main",)


def records(books: int, seed: int, holdings: Holdings | None = None) -> Iterator[dict[str, Any]]:
    """`books` records with the fields of contracts.catalog.NewBook, those that are not empty.

    With holdings each has `copies`, a list of barcode, item_type and branch (its code), the more
    the more it is wanted. ISBNs and barcodes differ; 1 to 20 million books.
    """
    if not 1 <= books <= MOST:
        raise ValueError(f"Between 1 and {MOST:,} books can be made.")
    return iter(_Press(books, seed, holdings))


class _Press:
    def __init__(self, books: int, seed: int, holdings: Holdings | None) -> None:
        self.books, self.holdings, self.seed = books, holdings, seed
        self.words: Vocabulary = vocabulary()
        self.companies = {
            language: Company(tongue, seed) for language, tongue in self.words.tongues.items()
        }
        # Larger catalogues have more authors, more firms and more rare names.
        self.sizes = {
            language: books * len(tongue.models) / len(self.words.models)
            for language, tongue in self.words.tongues.items()
        }
        self.isbns = Isbns(seed)
        self.popularity = Popularity.of(books, seed, holdings.per_book if holdings else 0)
        self.copies_made = 0

    def __iter__(self) -> Iterator[dict[str, Any]]:
        source = random.Random(self.seed)
        for number in range(self.books):
            record = self._edition(source) if source.random() < EDITIONS else self._new(source)
            if self.holdings:
                record["copies"] = self._copies(number, source, self.holdings)
            yield record

    def _new(self, source: random.Random) -> dict[str, Any]:
        chance = source.random
        models = self.words.models
        tongue, model = models[int(chance() * len(models))]
        company = self.companies[tongue.language]
        size = self.sizes[tongue.language]
        record: dict[str, Any] = {
            "title": wording.title(model.pattern, company, int(size / 3) + 2, chance)
        }
        if model.under:
            record["subtitle"] = wording.title(model.under, company, int(size / 3) + 2, chance)
        authors, shelf, since, first = [], "ANO", LAST_YEAR - 110, 0
        for place in range(AUTHORS[int(chance() * 1000)]):
            # The place of an author in the order of fame: the first have written the most.
            number = int(size / BOOKS_AN_AUTHOR * chance() * chance())
            person = company.person(number)
            authors.append(person.entry)
            if not place:
                first, shelf, since = number, person.letters, person.since
        record["authors"] = authors
        year = since + 24 + int(52 * chance())
        if year > LAST_YEAR:
            year = LAST_YEAR - int(12 * chance())
        self._printed(record, tongue, model, year, source)
        subjects = wording.subjects(model, self.words, chance)
        if subjects:
            record["subjects"] = subjects
        if tongue.language == "en" and chance() < DESCRIBED:
            whose = str(authors[0]["name"]) if authors else "the editor"
            record["description"] = wording.description(company, self.words, whose, chance)
        if authors and chance() < IN_SERIES[model.fiction]:
            record["series"] = company.series(first, 1 + int(chance() ** 2 * 12))
        record["call_number"] = f"{model.shelf} {shelf}"
        return record

    def _edition(self, source: random.Random) -> dict[str, Any]:
        """Of a real work: as their popularity falls with the rank, so do their editions."""
        chance = source.random
        works = self.words.models
        tongue, model = works[int(len(works) ** chance()) - 1]
        record: dict[str, Any] = {"title": model.title}
        if model.subtitle:
            record["subtitle"] = model.subtitle
        record["authors"] = [
            {name: value for name, value in _life(each) if value is not None}
            for each in model.authors
        ]
        self._printed(record, tongue, model, LAST_YEAR - int(90 * chance() ** 2), source)
        if model.subjects:
            record["subjects"] = list(model.subjects)
        family = model.authors[0].sort_name.partition(",")[0] if model.authors else model.title
        record["call_number"] = f"{model.shelf} {letters(family)}"
        return record

    def _printed(
        self,
        record: dict[str, Any],
        tongue: Tongue,
        model: Model,
        year: int,
        source: random.Random,
    ) -> None:
        """What the back of the title page says."""
        chance = source.random
        if chance() >= WITHOUT_ISBN[year >= ISBNS_SINCE]:
            record["isbn"] = self.isbns.next(tongue.language)
        firms = self.sizes[tongue.language] / TITLES_A_FIRM + 20
        record["publisher"] = self.companies[tongue.language].firm(int(firms ** chance()))
        record["published_year"] = year
        record["language"] = tongue.language
        record["material"] = MATERIALS[int(chance() * 100)]

    def _copies(self, number: int, source: random.Random, held: Holdings) -> list[dict[str, str]]:
        chance, copies = source.random, []
        for _ in range(self.popularity.copies(number, chance())):
            self.copies_made += 1
            copies.append(
                {
                    "barcode": barcode(1000 + self.seed % 9000, self.copies_made),
                    "item_type": "reference" if chance() < REFERENCE else "book",
                    "branch": held.branches[int(chance() * len(held.branches))],
                }
            )
        return copies


def _life(author: Any) -> tuple[tuple[str, str | int | None], ...]:
    return (
        ("name", author.name),
        ("sort_name", author.sort_name),
        ("born", author.born),
        ("died", author.died),
    )
