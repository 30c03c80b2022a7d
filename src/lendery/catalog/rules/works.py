"""Which books are editions of one work, and where a book stands in its series."""

import hashlib
import re
from uuid import UUID

from lendery.catalog.rules.filing import title_key
from lendery.catalog.rules.fold import words

LAST_PLACE = 10**12  # what has no number stands after all that have one
LONGEST_SERIES = 200
_IN_PARENTHESES = re.compile(r"\s*[(\[][^()\[\]]*[)\]]\s*$")
_NUMBER = re.compile(r"\d{1,7}(?:[.,]\d{1,3})?")
_ROMAN = re.compile(r"(?=[mdclxvi])m{0,3}(?:cm|cd|d?c{0,3})(?:xc|xl|l?x{0,3})(?:ix|iv|v?i{0,3})")
_WORTH = {"m": 1000, "d": 500, "c": 100, "l": 50, "x": 10, "v": 5, "i": 1}


def work_of(book_id: UUID, title: str, language: str | None, author_id: UUID | None) -> UUID:
    """The work a book belongs to: whoever has the same main author and title has the same.

    An id of version 8 (RFC 9562), made of both, so nobody need look it up. A subtitle, and what
    stands in parentheses after the title, tell editions apart and not works. Without an author
    a book is a work of its own: too much is called *Poems* or *Annual report*.
    """
    if author_id is None:
        return _made_of(f"book {book_id}")
    return _made_of(f"{author_id} {title_key(_proper(title), language)}")


def _proper(title: str) -> str:
    """The title without what an edition adds in parentheses."""
    return _IN_PARENTHESES.sub("", title) or title


def _made_of(text: str) -> UUID:
    digest = hashlib.blake2b(text.encode(), digest_size=16, person=b"lendery-work").digest()
    value = int.from_bytes(digest, "big") & ~(0xF << 76) & ~(0b11 << 62)
    return UUID(int=value | 0x8 << 76 | 0b10 << 62)


def series_key(series: str | None) -> str | None:
    """What makes two spellings the same series; its id in addresses."""
    if not series:
        return None
    return " ".join(words(series))[:LONGEST_SERIES] or None


def series_place(number: str | None) -> int:
    """`2`, `2.5`, `1-3`, `Vol. 4` and `IV` in the order of reading, in thousandths; others last."""
    text = (number or "").strip().casefold()
    if found := _NUMBER.search(text):
        return round(1000 * float(found[0].replace(",", ".")))
    bare = text.rpartition(" ")[2].rstrip(".")
    return 1000 * _roman(bare) if _ROMAN.fullmatch(bare) else LAST_PLACE


def _roman(text: str) -> int:
    total = 0
    for here, after in zip(text, [*text[1:], "i"], strict=True):
        worth = _WORTH[here]
        total += -worth if worth < _WORTH[after] else worth
    return total
