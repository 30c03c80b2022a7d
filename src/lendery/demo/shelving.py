"""Where a demo book would stand: its shelf mark, fiction or not, and for whom.

Project Gutenberg's records say it themselves, with Library of Congress classes, subjects and
bookshelves. goodbooks says nothing of the kind, so small lists of well-known names
(`data/well_known.toml`) and a few words in the title must do. They are an estimate, good enough
for a demo and no statement about the book; whatever they do not know is fiction for adults.
"""

import re
import tomllib
import unicodedata
from collections.abc import Sequence
from importlib import resources

from .cleaning import plain
from .titles import Audience, Name

_CHILD_SUBJECT = re.compile(
    r"\bjuvenile\b|\bchildren's (?:stories|literature|poetry|songs|plays|encyclop)"
    r"|\bpicture books\b|\bfairy tales\b|\bnursery rhymes\b|\bschool stories\b"
    r"|\breaders \(primary\)",
    re.IGNORECASE,
)
_CHILD_BOOKSHELF = re.compile(r"Children's|Children & Young Adult|FR Jeunesse|DE Kinderbuch")
_FICTION_SUBJECT = re.compile(
    r"\bfiction\b|\bstories\b|\bnovels?\b|\bfairy tales\b|\bromances\b", re.IGNORECASE
)
_FICTION_BOOKSHELF = re.compile(r"Novels|Short Stories|Science-Fiction|Romans|Romanzi|Racconti")
_ABOUT_BOOKS = re.compile(r"history and criticism|bibliography|technique", re.IGNORECASE)

_KNOWN = tomllib.loads(
    resources.files(__package__).joinpath("data", "well_known.toml").read_text("utf-8")
)
_CHILD_SERIES = {name.casefold() for name in _KNOWN["child_series"]}
_CHILD_AUTHORS = set(_KNOWN["child_authors"])
_FACTS_AUTHORS = set(_KNOWN["facts_authors"])
_CHILD_TITLE = re.compile(
    r"\b(?:Golden Book|I Can Read|Board Books?|Picture Books?|Disney|Nursery|Bedtime|Kindergarten"
    r"|for Children|Little Critter|Berenstain)\b"
)
_FACTS_TITLE = re.compile(
    r"\b(?:(?:auto)?biography|true story|cookbook|recipes|cooking|essays|philosophy|encyclopa?edia"
    r"|psychology|economics|handbook|speeches|meditations|study bible)\b",
    re.IGNORECASE,
)
_FACTS_SUBTITLE = re.compile(
    r"\b(?:memoirs?|history|guide|letters|diary|diaries|science|manual|lessons|reflections|life of"
    r"|how|why)\b",
    re.IGNORECASE,
)
_TOLD = re.compile(
    r"\b(?:novel|tales?|stories|story|sagas?|fables?|vampires?|vol|volume|book|collection|trilogy"
    r"|fictions?|play|screenplay|comics?|legends?|edition|issue|omnibus|set|saga|quest|mystery"
    r"|nightmare|retelling|adventures?|parable|batman|x-men|zombies?)\b",
    re.IGNORECASE,
)


def audience_of(subjects: str, bookshelf: str) -> Audience:
    """For whom a Gutenberg book is, by its subject headings and bookshelves."""
    child = _CHILD_SUBJECT.search(subjects) or _CHILD_BOOKSHELF.search(bookshelf)
    return "child" if child else "adult"


def is_fiction(subjects: str, bookshelf: str) -> bool:
    """Whether a Gutenberg book tells a story, rather than being about stories."""
    headings = [part for part in subjects.split(" | ") if not _ABOUT_BOOKS.search(part)]
    if any(_FICTION_SUBJECT.search(heading) for heading in headings):
        return True
    return bool(headings) and bool(_FICTION_BOOKSHELF.search(bookshelf))


def guess_audience(title: str, series: str | None, authors: Sequence[Name]) -> Audience:
    """For whom a goodbooks title probably is: by its series, its author, a word in the title."""
    in_series = series is not None and _known_series(series) in _CHILD_SERIES
    by_author = bool(authors) and authors[0].name in _CHILD_AUTHORS
    return "child" if in_series or by_author or _CHILD_TITLE.search(title) else "adult"


def _known_series(series: str) -> str:
    """`The 39 Clues: Unstoppable` belongs to `the 39 clues`."""
    return series.partition(":")[0].casefold()


def guess_fiction(title: str, subtitle: str | None, series: str | None, author: str) -> bool:
    """Whether a goodbooks title is probably a story.

    Long subtitles that promise no tale (*How Little Things Can Make a Big Difference*) mark facts.
    """
    if author in _FACTS_AUTHORS:
        return False
    if series is not None:
        return True
    whole = f"{title} {subtitle or ''}"
    if _FACTS_TITLE.search(whole) or _FACTS_SUBTITLE.search(subtitle or ""):
        return re.search(r"\bnovels?\b", whole, re.IGNORECASE) is not None
    return subtitle is None or len(subtitle.split()) < 4 or _TOLD.search(whole) is not None


def class_mark(classes: str, authors: Sequence[Name], title: str) -> str | None:
    """The first Library of Congress class and the author's letters: `PR AUS`; None if no class."""
    found = re.match(r"([A-Z]+)0*(\d[\d.]*)?", classes)
    return f"{found[1]}{found[2] or ''} {_letters(authors, title)}" if found else None


def public_library_mark(
    *, fiction: bool, audience: Audience, authors: Sequence[Name], title: str
) -> str:
    """The mark a town library would write on the spine: `FIC AUS`, `J FIC ROW`, `NF SAG`."""
    shelf = "FIC" if fiction else "NF"
    return " ".join([*(["J"] if audience == "child" else []), shelf, _letters(authors, title)])


def _letters(authors: Sequence[Name], title: str) -> str:
    """Three letters to find the book by: of the first author's family name, else of the title."""
    for text in (*(author.sort_name.partition(",")[0] for author in authors[:1]), title):
        if letters := "".join(sign for sign in plain(text) if _counts(sign)).upper()[:3]:
            return letters
    return "ANO"


def _counts(sign: str) -> bool:
    return sign.isalnum() and unicodedata.category(sign) != "Lm"  # no ayn or okina
