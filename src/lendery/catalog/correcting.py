"""What else somebody may have meant whose words find nothing together."""

import re
from collections.abc import AsyncIterator
from itertools import pairwise

from lendery.catalog.hits import Prepared
from lendery.catalog.repository.words import frequencies, words_alike
from lendery.catalog.rules.query import Asked, ask, replaced
from lendery.catalog.rules.spelling import corrections, halves, is_spelled
from lendery.platform.db import Session

TRIED = 4


async def other_questions(
    session: Session, prepared: Prepared
) -> AsyncIterator[tuple[str, Asked, dict[str, int]]]:
    """Other texts, the likeliest first, with their questions and what is known of their words."""
    typed, known = prepared.question.typed, prepared.frequencies
    if typed is None:
        return
    spelled = [each for each in prepared.question.asked.words if is_spelled(each)]
    unknown = [each for each in spelled if not known.get(each)]
    alike = await words_alike(session, words=unknown or spelled)
    known = known | alike
    texts = _unknown_corrected(typed, unknown, alike) if unknown else []
    if unknown and not texts:
        async for text in _apart_or_together(session, typed, spelled, unknown, known):
            texts.append(text)
    elif not unknown and not prepared.question.filters:
        texts = _known_corrected(typed, spelled, alike, known)
    for text in list(dict.fromkeys(texts))[:TRIED]:
        if text != typed:
            yield text, ask(text), known


def _unknown_corrected(typed: str, unknown: list[str], alike: dict[str, int]) -> list[str]:
    """Each word that nobody knows as the likeliest known one; then one of them as the next."""
    better = {word: corrections(word, alike) for word in unknown}
    if not all(better.values()):
        return []
    best = {word: found[0] for word, found in better.items()}
    others = [best | {word: other} for word, found in better.items() for other in found[1:]]
    return [replaced(typed, each) for each in (best, *others)]


def _known_corrected(
    typed: str, spelled: list[str], alike: dict[str, int], known: dict[str, int]
) -> list[str]:
    """All words are known but not together: the rarest is likeliest to be wrong."""
    texts = []
    for word in sorted(spelled, key=lambda each: known.get(each, 0)):
        found = corrections(word, alike, least=known.get(word, 0))
        texts += [replaced(typed, {word: each}) for each in found[:2]]
    return texts


async def _apart_or_together(
    session: Session, typed: str, spelled: list[str], unknown: list[str], known: dict[str, int]
) -> AsyncIterator[str]:
    """*harrypotter* for two words, *middle march* for one."""
    pairs = list(pairwise(spelled))
    split = {word: halves(word) for word in unknown}
    wanted = {half for found in split.values() for both in found for half in both}
    known |= await frequencies(session, words=[*wanted, *(first + last for first, last in pairs)])
    for first, last in pairs:
        if known.get(first + last):
            between = re.compile(rf"\b{first}\W+{last}\b", re.IGNORECASE)
            yield between.sub(first + last, typed)
    apart = {}
    for word, found in split.items():
        best = max(found, key=lambda both: min(known.get(each, 0) for each in both), default=None)
        if best and all(known.get(each) for each in best):
            apart[word] = " ".join(best)
    if apart:
        yield replaced(typed, apart)
