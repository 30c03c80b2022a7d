"""Where a title and a name stand in an alphabetical list."""

from functools import lru_cache

from lendery.catalog.rules.fold import fold, words

LONGEST_KEY = 200
LAST = "\U0010fffd"  # stands after every script: books without an author
NO_YEAR = 9999

_ARTICLES = {
    "en": "the a an",
    "fr": "le la les l un une des",
    "de": "der die das den dem des ein eine einer eines einem einen",
    "es": "el la los las lo un una unos unas",
    "it": "il lo la i gli le l un uno una",
    "nl": "de het een t",
    "pt": "o a os as um uma uns umas",
    "ca": "el la els les l un una",
    "sv": "en ett den det de",
    "da": "en et den det de",
    "no": "en et ei den det de",
    "hu": "a az egy",
    "ro": "un o",
    "eo": "la",
}
_SAME = {
    "eng": "en", "fre": "fr", "fra": "fr", "ger": "de", "deu": "de", "spa": "es", "ita": "it",
    "dut": "nl", "nld": "nl", "por": "pt", "cat": "ca", "swe": "sv", "dan": "da", "nor": "no",
    "nb": "no", "nn": "no", "hun": "hu", "rum": "ro", "ron": "ro", "epo": "eo",
}  # fmt: skip
_SUFFIXES = {"jr", "sr", "jr.", "sr.", "ii", "iii", "iv", "phd", "md"}
_PART_OF_FAMILY = {"Le", "La", "Du", "Des", "De", "Del", "Della", "Di", "Da", "Van", "Von", "Mac"}


def title_key(title: str, language: str | None = None) -> str:
    """The filing form: folded, without the leading article of its language (English if unknown)."""
    found = words(title)
    if not found:
        return fold(title)[:LONGEST_KEY]
    code = _SAME.get(language or "en", language or "en")
    if len(found) > 1 and found[0] in _ARTICLES.get(code, "").split():
        found = found[1:]
    return " ".join(found)[:LONGEST_KEY]


@lru_cache(maxsize=4_096)
def name_key(sort_name: str) -> str:
    return (" ".join(words(sort_name)) or fold(sort_name))[:LONGEST_KEY]


def family_first(name: str) -> str:
    """`Ursula K. Le Guin` files as `Le Guin, Ursula K.`; one word or a comma stays as it is."""
    parts = name.split()
    if len(parts) < 2 or "," in name:
        return name
    after = ""
    if len(parts) > 2 and parts[-1].lower() in _SUFFIXES:
        after = f", {parts.pop()}"
    family = len(parts) - 1
    while family > 1 and parts[family - 1] in _PART_OF_FAMILY:
        family -= 1
    return f"{' '.join(parts[family:])}, {' '.join(parts[:family])}{after}"
