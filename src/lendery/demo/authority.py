"""One heading for one author, where the two source catalogues write the name differently.

Libraries call this authority control. Here it is two small rules, both on the careful side: a
wrong match gives a living writer the dates of a dead one.
"""

import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace

from .cleaning import plain
from .titles import Name, Title

# Names goodbooks gives beside another spelling of the same author's name, and the one kept.
_KEPT_SPELLING = {
    "Ahlam Mosteghanemi": "أحلام مستغانمي",
    "Saud Alsanousi": "سعود السنعوسي",
    "Youssef Ziedan": "يوسف زيدان",
    "Khaled Al Khamissi": "خالد الخميسي",
    "Mohamed Mansi Qandil": "محمد المنسي قنديل",
    "رضوى عاشور": "Radwa Ashour",
    "علاء الأسواني": "Alaa Al Aswany",
    "نجيب محفوظ": "Naguib Mahfouz",
    "إليف شافاق": "Elif Shafak",
    "إبراهيم عباس": "Ibraheem Abbas",
    "مريد البرغوثي": "Mourid Barghouti",
    "Νίκος Καζαντζάκης": "Nikos Kazantzakis",
    "Александр Сергеевич Грибоедов": "Aleksandr Griboyedov",
    "村上 春樹": "Haruki Murakami",
    "武内 直子": "Naoko Takeuchi",
    "望月淳": "Jun Mochizuki",
    "石田 スイ": "Sui Ishida",
    "冨樫 義博": "Yoshihiro Togashi",
    "神尾葉子": "Yoko Kamio",
    "樋口 橘": "Tachibana Higuchi",
    "桜坂洋": "Hiroshi Sakurazaka",
    "あずま きよひこ": "Kiyohiko Azuma",
    "田中メカ": "Meca Tanaka",
    "신경숙": "Kyung-Sook Shin",
}


def one_spelling(name: str) -> str:
    """The spelling kept of a name that goodbooks gives in two scripts, side by side."""
    return _KEPT_SPELLING.get(name, name)


def under_library_headings(titles: list[Title], headings: Iterable[Name]) -> list[Title]:
    """The titles with their classic authors under the library's heading, years of life included.

    Only where one heading has the very name and a book of theirs first came out in that lifetime:
    the Thomas Harris of today is none of the dead ones.
    """
    namesakes: defaultdict[str, set[Name]] = defaultdict(set)
    for heading in headings:
        namesakes[_bare(heading.name)].add(heading)
    published: defaultdict[str, set[int]] = defaultdict(set)
    for title in titles:
        if title.authors and title.published_year is not None:
            published[title.authors[0].name].add(title.published_year)
    found: dict[str, Name] = {}
    for author, years in published.items():
        alive = [one for one in namesakes[_bare(author)] if any(_wrote(one, y) for y in years)]
        if len(alive) == 1:
            found[author] = alive[0]
    return [replace(t, authors=tuple(found.get(a.name, a) for a in t.authors)) for t in titles]


def _bare(name: str) -> str:
    """`H.P. Lovecraft` and `H. P. Lovecraft` alike."""
    return re.sub(r"[\W_]+", " ", plain(name)).strip()


def _wrote(author: Name, year: int) -> bool:
    """Whether somebody with these years of life may have brought out a book in that year.

    Old books often came out late; for authors of our time only the lifetime counts, since a
    younger namesake is likelier than a book from the drawer.
    """
    if author.born is None or author.died is None:
        return False
    late = 30 if author.died < 1900 else 0
    return author.born + 15 <= year <= author.died + late
