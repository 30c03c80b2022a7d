"""Write the demo's two catalogue files from the sources they are taken from.

    python scripts/build_demo_data.py GUTENBERG.csv.gz GOODBOOKS.csv.gz

The first is Project Gutenberg's catalogue with the columns `pg_id, title, authors, languages,
lcsh, lcc, bookshelf, rights`; the second is `books.csv` of goodbooks-10k. Both are CSV packed with
gzip. The same input always gives the same bytes. Nothing runs this at build or at start-up: the
results are kept in `src/lendery/demo/data`, where NOTICE.md names sources, licences and changes.
"""

import csv
import gzip
import math
import re
import sys
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from lendery.demo import cleaning, shelving
from lendery.demo.authority import one_spelling, under_library_headings
from lendery.demo.headings import name_from_cover, name_from_heading
from lendery.demo.languages import language_code
from lendery.demo.titles import Name, Title, line_of

DATA = Path(__file__).parent.parent / "src" / "lendery" / "demo" / "data"

GUTENBERG_TITLES = 14_000
MOST_OF_A_LANGUAGE = 400  # of any but English, so that many languages are seen
OTHER_SUBJECTS = 2_300  # English books that are no literature
ISSUES_OF_A_PERIODICAL = 3
LONGEST_TITLE = 400
MOST_AUTHORS = 6  # after these come letterers and translators

CURATED = re.compile(
    r"Best Books Ever|Harvard Classics|Classics of Literature|Banned Books|Nobel Prizes|Movie Books"
    r"|Bestsellers|Opera|Gothic Fiction|Detective Fiction|Children's Literature"
)
ONE_OF_MANY = re.compile(
    r"\b(?:vol(?:ume)?|part|parts|tome|tomo|band|deel|osa|number|no|nro|slice|chapter|book|books"
    r"|livre|libro|teil|parte|kötet)\b\.?\s*(?:\d|[ivxlc]+\b)|, complete\b|卷|回",
    re.IGNORECASE,
)
# A slur, and Project Gutenberg's indexes of its own books.
UNFIT = re.compile(r"\bni[g]{2}er|Project Gutenberg|\bWidger", re.IGNORECASE)

Row = dict[str, str]


@dataclass(frozen=True)
class Candidate:
    """A Gutenberg record, cleaned, with how well known the book seems to be."""

    title: Title
    key: str
    score: float
    literature: bool
    periodical: bool


def main(gutenberg: str, goodbooks: str) -> None:
    """Write both files and say how much is in them."""
    headings = known_headings(rows(gutenberg))
    modern = goodbooks_titles(rows(goodbooks), headings)
    taken = {work_key_of(title) for title in modern}
    classic = chosen(candidates(rows(gutenberg), headings), taken)
    for name, titles in (("goodbooks", modern), ("gutenberg", classic)):
        size = write(DATA / f"{name}.tsv.gz", titles)
        languages = len({title.language for title in titles if title.language})
        print(f"{name}: {len(titles)} titles, {languages} languages, {size} bytes")


def rows(path: str) -> Iterator[Row]:
    """The records of one source."""
    with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
        yield from csv.DictReader(file)


def write(path: Path, titles: Iterable[Title]) -> int:
    """Pack the titles, without the time or the name of the file; gives the size in bytes."""
    text = "".join(line_of(title) + "\n" for title in titles)
    path.write_bytes(gzip.compress(text.encode("utf-8"), compresslevel=9, mtime=0))
    return path.stat().st_size


def work_key_of(title: Title) -> str:
    """What makes two records the same work."""
    families = [author.sort_name.partition(",")[0] for author in title.authors]
    return cleaning.work_key(title.title, families)


# --- authors ---------------------------------------------------------------------------------


def known_headings(records: Iterable[Row]) -> dict[str, Name]:
    """Every author heading of Gutenberg as a name.

    Whoever is only there with books in Chinese or Japanese is named as there: family name first.
    """
    written_in: defaultdict[str, set[str]] = defaultdict(set)
    for record in records:
        for heading in record["authors"].split(" | "):
            written_in[heading].add(record["languages"])
    names = {
        heading: name_from_heading(
            heading,
            family_first=bool(languages & {"zh", "ja"}) and languages <= {"zh", "ja", "en zh"},
        )
        for heading, languages in written_in.items()
    }
    return {heading: name for heading, name in names.items() if name is not None}


# --- goodbooks -------------------------------------------------------------------------------


def goodbooks_titles(records: Iterable[Row], headings: dict[str, Name]) -> list[Title]:
    """All of goodbooks that has a title and an author's name, most rated first."""
    modern = [title for record in records if (title := goodbooks_title(record)) is not None]
    modern = under_library_headings(modern, headings.values())
    return sorted(modern, key=lambda title: -title.popularity)


def goodbooks_title(record: Row) -> Title | None:
    """One record of goodbooks; None if there is no title in it."""
    whole, series, series_number = cleaning.title_and_series(record["title"])
    title, subtitle = cleaning.title_and_subtitle(whole)
    if not title:
        return None
    authors = goodbooks_authors(record["authors"])
    audience = shelving.guess_audience(whole, series, authors)
    fiction = shelving.guess_fiction(title, subtitle, series, authors[0].name if authors else "")
    return Title(
        title=title,
        subtitle=subtitle,
        authors=authors,
        isbn=cleaning.isbn13(record["isbn"]),
        published_year=cleaning.year(record["original_publication_year"]),
        language=language_code(record["language_code"]),
        subjects=(),
        series=series,
        series_number=series_number,
        call_number=shelving.public_library_mark(
            fiction=fiction, audience=audience, authors=authors, title=title
        ),
        audience=audience,
        fiction=fiction,
        popularity=float(record["ratings_count"]),
    )


def goodbooks_authors(text: str) -> tuple[Name, ...]:
    """The authors of a cover, each person once."""
    spellings = (cleaning.clean(spelling) for spelling in text.split(", "))
    people = dict.fromkeys(one_spelling(spelling) for spelling in spellings)
    names = (name_from_cover(person) for person in people)
    return tuple(name for name in names if name is not None)[:MOST_AUTHORS]


# --- Project Gutenberg -----------------------------------------------------------------------


def candidates(records: Iterable[Row], headings: dict[str, Name]) -> list[Candidate]:
    """Gutenberg's records as titles, the best known first."""
    usable = [record for record in records if usable_title(record["title"])]
    works = Counter(author for record in usable for author in record["authors"].split(" | "))
    languages = Counter(code for record in usable for code in record["languages"].split())
    found = [candidate(record, headings, works, languages) for record in usable]
    editions = Counter(one.key for one in found)
    ranked = [replace(one, score=one.score + 2 * math.log2(editions[one.key])) for one in found]
    return sorted(ranked, key=lambda one: -one.score)


def usable_title(title: str) -> bool:
    """Whether a demo can show the title: there is one, not endless, of a real book."""
    return 0 < len(title.strip()) <= LONGEST_TITLE and not UNFIT.search(title)


def candidate(
    record: Row, headings: dict[str, Name], works: Counter[str], languages: Counter[str]
) -> Candidate:
    """One record, with the marks of a well-known book: shelves, many works, early digitised."""
    written = record["authors"].split(" | ")
    authors = tuple(dict.fromkeys(headings[a] for a in written if a in headings))[:MOST_AUTHORS]
    title, subtitle = cleaning.title_and_subtitle(record["title"])
    classes = record["lcc"].split()
    periodical = classes[:1] == ["AP"]
    title_record = gutenberg_title(record, title, subtitle, authors, languages)
    one_of_many = ONE_OF_MANY.search(record["title"])
    key = record["title"] if periodical else work_key_of(title_record)
    if one_of_many and not periodical:
        key += f"/{subtitle}"
    score = (
        3.0 * len(CURATED.findall(record["bookshelf"]))
        + math.log2(1 + min(40, max((works[a] for a in written if a in headings), default=0))) / 2
        - int(record["pg_id"]) / 30_000
        - (8.0 if one_of_many else 0.0)
        - (3.0 if len(record["title"]) > 120 else 0.0)
    )
    return Candidate(
        title=title_record,
        key=key,
        score=score,
        literature=any(code.startswith("P") for code in classes),
        periodical=periodical,
    )


def gutenberg_title(
    record: Row,
    title: str,
    subtitle: str | None,
    authors: tuple[Name, ...],
    languages: Counter[str],
) -> Title:
    """One record of Gutenberg. The catalogue knows no ISBN and no year of publication.

    A book in two languages counts for the rarer one: its readers have fewer books to find.
    """
    audience = shelving.audience_of(record["lcsh"], record["bookshelf"])
    fiction = shelving.is_fiction(record["lcsh"], record["bookshelf"])
    mark = shelving.class_mark(record["lcc"], authors, title)
    codes = sorted(record["languages"].split(), key=lambda code: languages[code])
    return Title(
        title=title,
        subtitle=subtitle,
        authors=authors,
        isbn=None,
        published_year=None,
        language=language_code(codes[0]) if codes else None,
        subjects=cleaning.subjects(record["lcsh"]),
        series=None,
        series_number=None,
        call_number=mark
        or shelving.public_library_mark(
            fiction=fiction, audience=audience, authors=authors, title=title
        ),
        audience=audience,
        fiction=fiction,
        popularity=0.0,
    )


def chosen(ranked: list[Candidate], taken: set[str]) -> list[Title]:
    """The Gutenberg titles of the demo, none of them twice or in goodbooks, best known first.

    Every language gets its share first; English literature takes what is left.
    """
    seen: set[str] = set()
    unique = []
    for one in ranked:
        if one.key not in seen and work_key_of(one.title) not in taken and one.title.title:
            seen.add(one.key)
            unique.append(one)
    english = [one for one in unique if one.title.language == "en"]
    signed = [one for one in english if one.title.authors and not one.periodical]
    picked = at_most(
        MOST_OF_A_LANGUAGE,
        [one for one in unique if one.title.language != "en"],
        lambda one: one.title.language,
    )
    magazines = [one for one in english if one.periodical]
    picked += at_most(ISSUES_OF_A_PERIODICAL, magazines, lambda one: one.title.title[:10])
    picked += [one for one in signed if not one.literature][:OTHER_SUBJECTS]
    picked += [one for one in signed if one.literature][: GUTENBERG_TITLES - len(picked)]
    return [
        replace(one.title, popularity=round(700_000 / math.sqrt(rank), 1))
        for rank, one in enumerate(languages_mixed(picked), start=1)
    ]


def at_most(
    count: int, ranked: list[Candidate], kind: Callable[[Candidate], str | None]
) -> list[Candidate]:
    """The first so many of each kind."""
    so_far: Counter[str | None] = Counter()
    kept = []
    for one in ranked:
        so_far[kind(one)] += 1
        if so_far[kind(one)] <= count:
            kept.append(one)
    return kept


def languages_mixed(picked: list[Candidate]) -> list[Candidate]:
    """The best known of every language first, so that any beginning shows the same mixture."""
    by_language: defaultdict[str | None, list[Candidate]] = defaultdict(list)
    for one in sorted(picked, key=lambda one: -one.score):
        by_language[one.title.language].append(one)
    shares = [
        ((place + 0.5) / len(alike), -one.score, one.key, one)
        for alike in by_language.values()
        for place, one in enumerate(alike)
    ]
    return [one for *_, one in sorted(shares, key=lambda share: share[:3])]


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main(*sys.argv[1:])
