"""What kind of thing a MARC record describes."""

from lendery.catalog.formats.record import values
from lendery.catalog.formats.values import Profile

# Leader 06.
_TYPES = {
    "c": "score", "d": "score", "e": "map", "f": "map", "g": "film", "i": "audiobook",
    "j": "music", "k": "image", "m": "software", "o": "kit", "p": "archive", "r": "object",
    "t": "manuscript",
}  # fmt: skip
LEADERS = {
    "book": "am", "periodical": "as", "score": "cm", "map": "em", "film": "gm", "audiobook": "im",
    "music": "jm", "image": "km", "software": "mm", "kit": "om", "archive": "pc", "object": "rm",
    "manuscript": "tm", "ebook": "am", "microform": "am",
}  # fmt: skip
_SERIAL = frozenset("sbi")


def material(leader: str, found: dict[str, list[str]], fixed: str, profile: Profile) -> str:
    """By the leader; a text may be online or on film, as 007, 008 and 338 tell."""
    kind = leader[6:7]
    if kind in _TYPES:
        return _TYPES[kind]
    if leader[7:8] in _SERIAL:
        return "periodical"
    carrier = found["007"][0][:1] if "007" in found else ""
    form = fixed[23:24]
    if form in ("o", "s", "q") or (carrier == "c" and not _printed(found)):
        return "ebook"
    if form in ("a", "b", "c") or carrier == "h":
        return "microform"
    if "338" in found and _online(found):
        return "ebook"
    return profile.material


def _printed(found: dict[str, list[str]]) -> bool:
    return any("nc" in values(text, "b") for text in found.get("338", ()))


def _online(found: dict[str, list[str]]) -> bool:
    codes = [value for text in found["338"] for value in values(text, "b")]
    return "cr" in codes and "nc" not in codes
