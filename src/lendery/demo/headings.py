"""Authors' names: from library headings (`Jefferson, Thomas, 1743-1826`) and from book covers.

A heading puts the family name first, then the given names, then titles of honour, then the years
of life. Not every heading is a person: offices and firms keep their commas.
"""

import re

from .cleaning import clean
from .titles import Name

Years = tuple[int | None, int | None]

_NOBODY = {"", "anonymous", "anonymus", "unknown", "various", "various authors", "collaborative"}

_ABOUT = r"(?:ca\.|c\.|about|approximately|probably)?\s*"
_ERA = r"(?:B\.?\s?C\.?(?:\s?E\.?)?|A\.?\s?D\.?|C\.?\s?E\.?)"
_SPAN = re.compile(
    rf"{_ABOUT}(?P<born>-?\d{{1,4}})?\s*\??\s*(?P<born_era>{_ERA})?"
    r"\s*[-\u2013]\s*"
    rf"{_ABOUT}(?P<died>-?\d{{1,4}})?\s*\??\s*(?P<died_era>{_ERA})?"
)
_ONE_YEAR = re.compile(
    rf"(?P<which>born|b\.|died|d\.)\s*(?P<year>-?\d{{1,4}})\s*\??\s*(?P<era>{_ERA})?"
)
# Years in which somebody worked or passed an examination say nothing of birth or death.
_ACTIVE = re.compile(r"(?:active|fl\.|jin shi|ju ren|approximately|\d+(?:st|nd|rd|th)) ?.*")

_CORPORATE = re.compile(
    r"\b(?:Company|Compagnie|Inc|Ltd|Library|Museum|Society|Service|Committee|Council|Commission"
    r"|Department|Division|Association|Institute|Institution|Church(?!,)|University|Office|Board"
    r"|Bureau|Congress|Conference|Convention|Corporation|Club|Administration|Laboratory|Press"
    r"|Publishing|Foundation|Government|Sovereign|Regiment|Railroad|Army|Navy|Magazine|Orchestra"
    r"|United States)\b"
    r"|\bCo\.| & |, and |^[^,]*\w{3,}\. [A-Z]"
)
_CORPORATE_NOTE = re.compile(r"\((?:Firm|Company|U\.S\.|Great Britain)\)")
_BEFORE_ANY_NAME = re.compile(
    r"Sir|Dame|Lady|Lord|Mrs\.|Mr\.|Miss|Mme\.?|Madame|Mlle\.|Dr\.|Prof\.|Professor|Captain|Colonel"
    r"|Col\.|Major|General|Gen\.|Lieutenant|Admiral|Rev\.|Father|Brother|Sister|Don"
)
_BEFORE_A_LONE_NAME = re.compile(
    r"Saint|Pope|King|Queen|Emperor|Prince|Princess|Duke|Duchess|Count|Countess|Baron|Baroness|abbé"
    r"|père|frère|baron|baronne|comte|comtesse|marquis|marquise|marchesa|contessa|graf"
)
_AFTER_A_NAME = re.compile(r"Jr\.|Sr\.|I{2,3}|IV")
_RANK = re.compile(
    r"(?:Earl|Duke|Duchess|Marquis|Marquess|Marchioness|Viscount|Viscountess|Baron|Baroness|Count"
    r"|Countess|Graf|Gräfin|Freiherr|Freifrau|Ritter|Edler|Fürst|Lord)\b.*|[a-zà-ž].*"
)
_PART_OF_A_NAME = {"Freiherr", "Graf", "Ritter", "Edler"}
_PLACE_FOLLOWS = re.compile(r".*(?:\b(?:of|de|du|des|da|di|von|zu|van|der|af)|\b[dl]['\u2019])")
_BYNAME = re.compile(r"(?:of|de|du|da|di|von|van|the|le|la|el|al|d['\u2019]|l['\u2019]).*")


def years_of_life(text: str) -> Years | None:
    """The years of birth and death a heading ends in; None if the text is no such thing.

    Knows `1743-1826`, `-1826`, `1743-`, `1254-1323?`, `384 BCE-322 BCE`, `384-322 B.C.` and the
    minus signs of Project Gutenberg (`-384--322`). `active 1850` is a date, but gives no years.
    """
    if found := _SPAN.fullmatch(text):
        died = _signed(found["died"], found["died_era"])
        born = _signed(found["born"], found["born_era"])
        if born and died and not found["born_era"] and died < 0 < born:
            born = -born  # "384-322 B.C." names the era once for both
        return (born, died) if born or died else None
    if one := _ONE_YEAR.fullmatch(text):
        year = _signed(one["year"], one["era"])
        return (year, None) if one["which"].startswith("b") else (None, year)
    return (None, None) if _ACTIVE.fullmatch(text) else None


def _signed(year: str | None, era: str | None) -> int | None:
    if not year:
        return None
    return -abs(int(year)) if era and era.startswith("B") else int(year)


def name_from_heading(heading: str, *, family_first: bool = False) -> Name | None:
    """The author a library heading stands for; None for *Anonymous* and its kind.

    `family_first` keeps the order of names written so in their own language: Luo Guanzhong.
    """
    text = re.sub(r"\s*\[[^\]]*\]", "", clean(heading)).strip(" ,")
    rest, _, last = text.rpartition(", ")
    years = years_of_life(last) if rest else None
    if years is None:
        rest = text
    if rest.casefold() in _NOBODY:
        return None
    person = _without_fuller_forms(rest)
    if years is None and (_CORPORATE.search(person) or _CORPORATE_NOTE.search(rest)):
        return Name(name=rest, sort_name=rest, born=None, died=None)
    born, died = years or (None, None)
    parts = person.split(", ")
    return Name(
        name=_in_direct_order(parts[0], parts[1:], family_first=family_first),
        sort_name=", ".join(parts),
        born=born,
        died=died,
    )


def _without_fuller_forms(text: str) -> str:
    """`Kennedy, John F. (John Fitzgerald)` is known as John F. Kennedy."""
    while (shorter := re.sub(r"\s*\([^()]*\)", "", text)) != text:
        text = shorter
    return re.sub(r"\s+", " ", text).replace(" ,", ",").strip(" ,")


def _in_direct_order(family: str, others: list[str], *, family_first: bool) -> str:
    given = byname = rank = before = after = ""
    for position, part in enumerate(others):
        if _AFTER_A_NAME.fullmatch(part):
            after = part
        elif _BEFORE_ANY_NAME.fullmatch(part) or _BEFORE_A_LONE_NAME.fullmatch(part):
            before = before or part
        elif _RANK.fullmatch(part) and _PLACE_FOLLOWS.fullmatch(part):
            rank = part
        elif position == 0 and _BYNAME.fullmatch(part):
            byname = part
        elif position == 0 and not part[:1].islower() and " of " not in part:
            given = part
    if rank:
        return _with_rank(given, rank, family)
    if byname:
        return f"{family} {byname}"
    if given and _BEFORE_A_LONE_NAME.fullmatch(before):
        before = ""
    return " ".join(filter(None, (before, _whole(family, given, family_first), after)))


def _with_rank(given: str, rank: str, family: str) -> str:
    """`Philip Stanhope, Earl of Chesterfield`, `marquis de Sade`, but `Justus von Liebig`."""
    first, _, particle = rank.partition(" ")
    if given.endswith(f" {family}"):
        return given
    if given and first in _PART_OF_A_NAME:
        return f"{given} {particle} {family}"
    return f"{given}, {_joined(rank, family)}".removeprefix(", ")


def _whole(family: str, given: str, family_first: bool) -> str:
    if not given or given.endswith(f" {family}"):  # "Tennyson, Alfred Tennyson, Baron"
        return given or family
    return f"{family} {given}" if family_first else _joined(given, family)


def _joined(first: str, second: str) -> str:
    return first + second if first.endswith(("'", "\u2019")) else f"{first} {second}"


_ORGANISATIONS = re.compile(
    r"\b(?:Company|Press|Institute|Association|Magazine|Books|Gardens|Foundation|Church of|Lampoon"
    r"|Kitchen|Studio|Editors|Staff|Team|Publishing)\b|^The |\bTest Kitchen\b"
)
_FAMILY_OF_TWO_WORDS = {
    "Gabriel García Márquez": "García Márquez",
    "Mario Vargas Llosa": "Vargas Llosa",
    "Carlos Ruiz Zafón": "Ruiz Zafón",
    "Federico García Lorca": "García Lorca",
    "Miguel de Cervantes Saavedra": "Cervantes Saavedra",
    "José Maria de Eça de Queirós": "Eça de Queirós",
    "Pierre-Ambroise Choderlos de Laclos": "Choderlos de Laclos",
    "Giuseppe Tomasi di Lampedusa": "Tomasi di Lampedusa",
    "Machado de Assis": "Machado de Assis",
    "Francine du Plessix Gray": "du Plessix Gray",
    "Emily St. John Mandel": "Mandel",
}
_NEVER_TURNED = re.compile(
    r"Lao Tzu|Sun Tzu|Mo Yan|Yu Hua|Omar Khayyám|Marcus Aurelius|Leonardo da Vinci|Julius Caesar"
    r"|Founding Fathers|Black Elk|Brother Lawrence|Dante Alighieri|Dalai Lama XIV|Thich Nhat Hanh"
)
_STAYS_WITH_FAMILY = re.compile(r"Le|La|De|Du|Van|Von|Di|Al|El|St\.|Dos|le|du|ten|bin")
# Chinese, Japanese and Korean put the family name first.
_EAST_ASIAN = re.compile(r"[\u1100-\u11ff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")


def name_from_cover(text: str) -> Name | None:
    """The author as printed on a book (`Ursula K. Le Guin`), with the name it is shelved under.

    A capital particle belongs to the family name (Le Guin, Ursula K.), a small one follows the
    given names (Beauvoir, Simone de), as English-language catalogues mostly have it.
    """
    name = clean(text).strip(" ,")
    if name.casefold() in _NOBODY:
        return None
    return Name(name=name, sort_name=_sort_name(name), born=None, died=None)


def _sort_name(name: str) -> str:
    words = name.split()
    if _NEVER_TURNED.fullmatch(name) or _ORGANISATIONS.search(name) or _EAST_ASIAN.search(name):
        return name
    if " of " in name:
        return name.replace(" of ", ", of ", 1)
    after = words.pop().rstrip(",") if len(words) > 1 and _AFTER_A_NAME.fullmatch(words[-1]) else ""
    if family := _FAMILY_OF_TWO_WORDS.get(name):
        start = len(words) - len(family.split())
    else:
        start = len(words) - 1
        while start > 1 and _STAYS_WITH_FAMILY.fullmatch(words[start - 1]):
            start -= 1
    family, given = " ".join(words[start:]), " ".join(words[:start])
    return ", ".join(filter(None, (family.rstrip(","), given, after)))
