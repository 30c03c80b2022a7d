"""What the titles of Project Gutenberg are made of, language by language.

Everything is kept as the list of its occurrences, so that drawing one at random draws it as often
as it occurs.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cache

from lendery.demo.titles import Name, Title, read

SOURCE = "gutenberg.tsv.gz"
LEAST_TITLES = 60  # of a language, to make titles of
SHAPE_OF_COMMON = 1 / 400  # a word in so many titles holds titles together: of, the, und

_WORD = re.compile(r"[^\W\d_]+(?:['\u2019\-][^\W\d_]+)*")
_WITHOUT_SPACES = re.compile(r"[\u3040-\u30ff\u3400-\u9fff]")

Pool = list[str]


@dataclass(frozen=True, slots=True)
class Pattern:
    """A title with its telling words left out: `form % words`, each word of the pool named."""

    form: str
    pools: tuple[Pool, ...]


@dataclass(frozen=True, slots=True)
class Model:
    """A real record that new ones are shaped like."""

    title: str
    subtitle: str | None
    pattern: Pattern
    under: Pattern | None
    authors: tuple[Name, ...]
    subjects: tuple[str, ...]
    shelf: str
    child: bool
    fiction: bool


@dataclass
class Tongue:
    """What is known of one language."""

    language: str
    models: list[Model] = field(default_factory=list)
    capital: Pool = field(default_factory=list)
    small: Pool = field(default_factory=list)
    family: Pool = field(default_factory=list)
    given: Pool = field(default_factory=list)
    family_first: bool = False
    rank: int = 0  # the place of the language, to keep its people apart


@dataclass(frozen=True)
class Vocabulary:
    """`models` are all records with their language, the best known first.

    `mains` and `tails` are the parts of headings.
    """

    tongues: dict[str, Tongue]
    models: list[tuple[Tongue, Model]]
    mains: Pool
    tails: Pool
    places: Pool


@cache
def vocabulary() -> Vocabulary:
    by_language: defaultdict[str, list[Title]] = defaultdict(list)
    for title in read(SOURCE):
        if title.language:
            by_language[title.language].append(title)
    kept = {each: found for each, found in by_language.items() if len(found) >= LEAST_TITLES}
    tongues = {
        language: _tongue(language, kept[language], rank)
        for rank, language in enumerate(sorted(kept, key=lambda each: (-len(kept[each]), each)))
    }
    headings = [subject for found in kept.values() for each in found for subject in each.subjects]
    parts = [heading.split(" -- ") for heading in headings]
    return Vocabulary(
        tongues=tongues,
        models=[(tongues[each], model) for each, model in _best_known_first(kept, tongues)],
        mains=[part[0] for part in parts],
        tails=[part[-1] for part in parts if len(part) > 1],
        places=_places(headings),
    )


def _best_known_first(
    kept: dict[str, list[Title]], tongues: dict[str, Tongue]
) -> list[tuple[str, Model]]:
    ranked = [
        (-title.popularity, language, place)
        for language, titles in kept.items()
        for place, title in enumerate(titles)
    ]
    return [(language, tongues[language].models[place]) for _, language, place in sorted(ranked)]


def _tongue(language: str, titles: list[Title], rank: int) -> Tongue:
    tongue = Tongue(language, rank=rank)
    texts = [text for each in titles for text in (each.title, each.subtitle) if text]
    common = _common(texts)
    for text in texts:
        for word in _words(text):
            if word.casefold() not in common:
                (tongue.small if word[0].islower() else tongue.capital).append(word)
    tongue.small = tongue.small or tongue.capital
    names = {name for each in titles for name in each.authors}
    firsts = 0
    for name in sorted(names, key=lambda each: each.sort_name):
        family, comma, given = name.sort_name.partition(", ")
        if comma and "," not in given and name.name in (f"{given} {family}", f"{family} {given}"):
            firsts += name.name == f"{family} {given}"
            tongue.family.append(family)
            tongue.given.append(given)
    tongue.family_first = firsts * 2 > len(tongue.family)
    tongue.models = [_model(each, tongue, common) for each in titles]
    return tongue


def _words(text: str) -> list[str]:
    """Characters stand alone where nothing is written between words."""
    return [
        part
        for word in _WORD.findall(text)
        for part in (word if _WITHOUT_SPACES.search(word) else (word,))
    ]


def _common(texts: list[str]) -> frozenset[str]:
    counted: Counter[str] = Counter()
    for text in texts:
        counted.update({word.casefold() for word in _words(text)})
    least = max(3, len(texts) * SHAPE_OF_COMMON)
    return frozenset(word for word, count in counted.items() if count >= least and len(word) < 6)


def _model(title: Title, tongue: Tongue, common: frozenset[str]) -> Model:
    return Model(
        title=title.title,
        subtitle=title.subtitle,
        pattern=_pattern(title.title, tongue, common),
        under=_pattern(title.subtitle, tongue, common) if title.subtitle else None,
        authors=title.authors,
        subjects=title.subjects,
        shelf=title.call_number.rpartition(" ")[0],
        child=title.audience == "child",
        fiction=title.fiction,
    )


def _pattern(text: str, tongue: Tongue, common: frozenset[str]) -> Pattern:
    form, pools, at = [], [], 0
    for found in _WORD.finditer(text):
        form.append(text[at : found.start()].replace("%", "%%"))
        at = found.end()
        for word in _words(found[0]):
            if word.casefold() in common:
                form.append(word)
            else:
                form.append("%s")
                pools.append(tongue.small if word[0].islower() else tongue.capital)
    form.append(text[at:].replace("%", "%%"))
    return Pattern("".join(form), tuple(pools))


def _places(headings: Iterable[str]) -> Pool:
    """Main headings that are divided as places are."""
    divided = (" -- Description and travel", " -- Social life and customs", " -- History")
    return [
        heading.partition(" -- ")[0]
        for heading in headings
        if any(each in heading for each in divided) and "," not in heading.partition(" -- ")[0]
    ] or ["England"]
