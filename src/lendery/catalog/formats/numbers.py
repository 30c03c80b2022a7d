"""Standard and other numbers as records write them."""

import re

from lendery.catalog.formats.text import clean

# A book number in the middle of other words: `0-471-38314-7 (paper : alk. paper)`.
_ISBN = re.compile(r"(?<![0-9])(?:97[89][ -]?)?(?:[0-9][ -]?){9}[0-9Xx](?![0-9])")
_SIGNS = str.maketrans({" ": None, "-": None, "x": "X"})
_HYPHENS = str.maketrans(dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2212\u00ad", "-"))
_OCLC = re.compile(r"(?:ocm|ocn|on)?0*([0-9]+)", re.IGNORECASE)
_AMOUNT = re.compile(r"([0-9]{1,9})(?:[.,]([0-9]{1,2}))?(?![0-9])")
_THOUSANDS = re.compile(r"(?<=[0-9])[.,' ](?=[0-9]{3}(?:[^0-9]|$))")


def isbn13(text: str) -> str | None:
    """The 13 digits of the first valid ISBN in a text."""
    if not text.isascii():
        text = text.translate(_HYPHENS)
    for found in _ISBN.finditer(text):
        bare = found[0].translate(_SIGNS)
        if valid := _valid13(bare) if len(bare) == 13 else _from10(bare):
            return valid
    return None


def _valid13(digits: str) -> str | None:
    if digits[-1] == "X" or digits.startswith("9790"):  # 979-0 is printed music
        return None
    each = [*map(int, digits)]
    return digits if (sum(each[::2]) + 3 * sum(each[1::2])) % 10 == 0 else None


def _from10(digits: str) -> str | None:
    each = [*map(int, digits[:9])]
    last = 10 if digits[9] == "X" else int(digits[9])
    weighed = sum(map(int.__mul__, each, (10, 9, 8, 7, 6, 5, 4, 3, 2))) + last
    if weighed % 11 or digits[:9] == digits[0] * 9:
        return None
    # 978 weighs 9 + 3*7 + 8 = 38; from then on odd places of the old number weigh three.
    check = -(38 + 3 * sum(each[::2]) + sum(each[1::2])) % 10
    return f"978{digits[:9]}{check}"


def lccn(text: str) -> str | None:
    """A Library of Congress number in its normal form: `75-425165//r75` is 75425165."""
    bare = text.replace(" ", "").partition("/")[0]
    year, hyphen, serial = bare.partition("-")
    if hyphen:
        bare = year + serial.zfill(6)
    return bare if bare.isascii() and bare.isalnum() else None


def system_number(text: str) -> str | None:
    """The number of another system: `(OCoLC)ocm00012345` is (OCoLC)12345."""
    if text.startswith("(OCoLC)") and (found := _OCLC.match(text[7:].lstrip())):
        return f"(OCoLC){found[1]}"
    agency, closed, number = clean(text).partition(")")
    return f"{agency}{closed}{number.lstrip()}"[:200] or None


def minor_units(text: str) -> int | None:
    """A price in cents: `EUR 12,50`, `$1,250.00`, `12`."""
    found = _AMOUNT.search(_THOUSANDS.sub("", text))
    if not found:
        return None
    return int(found[1]) * 100 + int((found[2] or "").ljust(2, "0"))
