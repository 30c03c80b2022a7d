"""The words that Lendery comes with: every kind in English and German.

english.py, german.py  the texts, months and codes of one language
samples.py             what each kind knows, with values for a preview
spelling.py            facts as a language writes them
"""

from collections.abc import Mapping
from itertools import product
from types import ModuleType
from typing import get_args

from lendery.contracts.notices import Medium, TemplateKey, TemplateText
from lendery.notices.built_in import english, german

LANGUAGES: Mapping[str, ModuleType] = {"en": english, "de": german}


MEDIA: tuple[Medium, ...] = get_args(Medium)


def _texts(language: str, words: ModuleType) -> dict[TemplateKey, TemplateText]:
    found = {}
    for (kind, (subject, text)), medium in product(words.TEXTS.items(), MEDIA):
        body = text if medium == "inbox" else words.GREETING + text + words.CLOSING
        key = TemplateKey(kind=kind, language=language, medium=medium)
        found[key] = TemplateText(subject=subject, body=body)
    subject, body = words.DIGEST
    key = TemplateKey(kind="digest", language=language, medium="email")
    return {**found, key: TemplateText(subject=subject, body=body + words.CLOSING)}


TEMPLATES: Mapping[TemplateKey, TemplateText] = {
    key: text
    for language, words in LANGUAGES.items()
    for key, text in _texts(language, words).items()
}
