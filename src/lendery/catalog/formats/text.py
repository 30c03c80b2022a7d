"""Text of records as the catalogue keeps it: one line, in Unicode's composed form."""

import re
import unicodedata

LONGEST_LINE = 500
LONGEST_TEXT = 20_000
_JOINERS = "\u200c\u200d"  # Persian and several Indian scripts are not spelled without them
_SPACES = re.compile(r"\s+")
_ABBREVIATIONS = frozenset(
    re.findall(
        r"\S+",
        """
        jr sr dr mr mrs ms st co inc ltd bros corp dept univ vol vols no nos pt pts ed eds etc ca
        fl bd hrsg aufl bde nr verf bearb u.a ph m.d p.h.d esq rev gen col capt lieut
        """,
    )
)


def clean(text: str) -> str:
    """One line: spaces single, NFC, without signs that nobody can see."""
    if text.isprintable():
        if not text.isascii() and not unicodedata.is_normalized("NFC", text):
            text = unicodedata.normalize("NFC", text)
        return " ".join(text.split()) if "  " in text else text.strip()
    text = _SPACES.sub(" ", unicodedata.normalize("NFC", text))
    return "".join(sign for sign in text if sign.isprintable() or sign in _JOINERS).strip()


def many_lines(text: str) -> str:
    """As `clean`, but line breaks stay."""
    lines = [clean(line) for line in text.splitlines()]
    return "\n".join(lines).strip()


def unpunctuated(text: str) -> str:
    """Without the ISBD punctuation that announces what follows: `Emma /` is *Emma*."""
    text = clean(text).rstrip(" /:;=,")
    if not text or text[-1] != "." or text.endswith(".."):
        return text
    word = text[text.rfind(" ") + 1 : -1]
    bare = word.lstrip("([").lower()
    if (len(bare) == 1 and bare.isalpha()) or "." in bare or bare in _ABBREVIATIONS:
        return text
    return text[:-1].rstrip(" /:;=,")


def without_brackets(text: str) -> str:
    """What a cataloguer supplied in square brackets, without them."""
    return text.replace("[", "").replace("]", "").strip()
