"""A MARC record in memory, whatever it was carried in: a leader, and fields in their order.

A field is its tag and its text. The text of a data field is two indicators, then for each
subfield the sign 0x1F, its code and its value: as in ISO 2709, so that nothing that a file says
can be lost on the way.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

Field = tuple[str, str]
Subfield = tuple[str, str]

SUBFIELD = "\x1f"
BLANK_LEADER = "00000nam a2200000 i 4500"
_CONTROL = {"00" + digit for digit in "0123456789"}


@dataclass(slots=True)
class Record:
    leader: str
    fields: list[Field]

    def first(self, tag: str) -> str | None:
        return next((text for each, text in self.fields if each == tag), None)


def is_control(tag: str) -> bool:
    """Whether fields with this tag have neither indicators nor subfields."""
    return tag in _CONTROL


def tag_of(text: str) -> str:
    """A tag of three signs for one that is none: `42` is 042; 9XX is local, and nobody's."""
    text = text.strip()
    return text.rjust(3, "0")[:3] if text.isascii() and text.isalnum() else "9XX"


def is_tag(text: str) -> bool:
    return len(text) == 3 and text.isascii() and text.isalnum()


def data_field(tag: str, indicators: str, subfields: Iterable[Subfield]) -> Field:
    return tag, indicators + "".join(f"{SUBFIELD}{code}{value}" for code, value in subfields)


def subfields(text: str) -> Iterator[Subfield]:
    """Code and value of each subfield; what stands without a code is left out."""
    for part in text.split(SUBFIELD)[1:]:
        if part:
            yield part[0], part[1:]


def values(text: str, codes: str) -> list[str]:
    """What the subfields with one of these codes say, in their order, without empty ones."""
    return [
        value
        for part in text.split(SUBFIELD)[1:]
        if part and part[0] in codes and (value := part[1:].strip())
    ]
