"""International Standard Book Numbers, as people write them and as they are kept."""

from stdnum import isbn as standard
from stdnum.exceptions import ValidationError

from lendery.contracts.catalog import InvalidIsbn


def thirteen(text: str) -> str | None:
    """The 13 digits of an ISBN in any form (10 or 13, spaces, hyphens, `ISBN` before it)."""
    bare = text.strip()
    if bare[:4].casefold() == "isbn":
        bare = bare[4:].removeprefix("-13").removeprefix("-10").lstrip(" :")
    try:
        found: str = standard.validate(bare, convert=True)
    except (ValidationError, ValueError):
        return None
    return found if found.isascii() and found.isdigit() and len(found) == 13 else None


def checked(text: str | None, *, pointer: str = "#/isbn") -> str | None:
    """The number as it is kept; nothing for nothing. Raises InvalidIsbn."""
    if text is None or not text.strip():
        return None
    found = thirteen(text)
    if found is None:
        says = "This is not an ISBN: 10 or 13 digits, the last of which checks the others."
        raise InvalidIsbn(says, errors=[{"pointer": pointer, "says": says}])
    return found


def ten(isbn: str) -> str | None:
    """The older form of a 978 number, under which older books are still looked for."""
    if not isbn.startswith("978"):
        return None
    body = isbn[3:12]
    check = sum(at * int(digit) for at, digit in enumerate(body, 1)) % 11
    return body + ("X" if check == 10 else str(check))
