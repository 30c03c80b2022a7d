"""The words of a record: its title, its subjects, what it is said to be about."""

from collections.abc import Callable

from lendery.generating.people import Company
from lendery.generating.vocabulary import Model, Pattern, Pool, Vocabulary

Chance = Callable[[], float]

LONGEST_TITLE = 400
RARE_WORDS = 0.07  # of titles have a name that hardly another has
AS_IT_STANDS = 0.7  # of subjects; the others are put together anew

_OPENINGS = (
    "In {place}, {name} keeps {word} and {word} from everybody who asks.",
    "When {name} comes back to {place}, nothing is left of {word} but a rumour of {word}.",
    "An account of {word} in {place}, from the first {word} to the present day.",
    "{name} never meant to write about {word}; then came the winter in {place}.",
    "What does {word} owe to {word}? {name} has travelled through {place} to find out.",
    "The standard introduction to {word} and {word}, revised throughout.",
    "Three generations of one family in {place} live with {word}, {word} and each other.",
    "A collection on {word}, {word} and {word}, most of it in print for the first time.",
)
_CLOSINGS = (
    "With maps, notes and an index.",
    "A book for readers of every age who ever wondered about {word}.",
    "The second half turns to {word} and shows how little was known of {word} before.",
    "Nothing in it is invented except {word}.",
    "It ends, as it must, in {place}.",
    "This edition has a new introduction by {name}.",
    "Told with patience and a dry humour, it has been compared with the best on {word}.",
)


def drawn(pool: Pool, chance: Chance) -> str:
    return pool[int(chance() * len(pool))]


def title(pattern: Pattern, company: Company, names: int, chance: Chance) -> str:
    """The form of a real title with other words of its language; `names` is how many rare ones."""
    words = [pool[int(chance() * len(pool))] for pool in pattern.pools]
    if words and chance() < RARE_WORDS:
        # As often as its rank is high: the first name stands in many titles, most in one.
        words[int(chance() * len(words))] = company.rare(int(names ** chance()))
    return (pattern.form % tuple(words))[:LONGEST_TITLE].strip()


def subjects(model: Model, vocabulary: Vocabulary, chance: Chance) -> list[str]:
    found = []
    for heading in model.subjects:
        if chance() >= AS_IT_STANDS:
            heading = f"{drawn(vocabulary.mains, chance)} -- {drawn(vocabulary.tails, chance)}"
        if heading not in found:
            found.append(heading)
    return found


def description(company: Company, vocabulary: Vocabulary, author: str, chance: Chance) -> str:
    """Two to four sentences, in English."""
    told = [_OPENINGS[int(chance() * len(_OPENINGS))]]
    told += [_CLOSINGS[int(chance() * len(_CLOSINGS))] for _ in range(1 + int(chance() * 3))]
    pieces = []
    for sentence in told:
        while "{word}" in sentence:
            word = drawn(company.tongue.small, chance)
            sentence = sentence.replace("{word}", word, 1)
        if "{place}" in sentence:
            sentence = sentence.replace("{place}", drawn(vocabulary.places, chance))
        pieces.append(sentence.replace("{name}", author))
    return " ".join(dict.fromkeys(pieces))
