"""From the catalogue's fields to MARC 21: the crosswalk the other way."""

import re
from collections.abc import Iterator
from datetime import datetime

from lendery.catalog.formats.materials import LEADERS
from lendery.catalog.formats.names import CODES, from_field, is_firm
from lendery.catalog.formats.record import Field, Record, Subfield, data_field
from lendery.catalog.formats.values import Described, Holding, NamedHeading
from lendery.catalog.rules.filing import title_key
from lendery.catalog.rules.fold import words
from lendery.catalog.rules.languages import marc_code

_DEWEY = re.compile(r"\d{3}(?:\.\d+)?(?: [^/']*)?")
_CONGRESS = re.compile(r"[A-Z]{1,3} ?\d+.*")
FORMS = {"ebook": "o", "microform": "a"}


def new_record(said: Described, *, id: str, agency: str, now: datetime | None = None) -> Record:
    """A record for a book that came without MARC: our id in 001, whose it is in 003."""
    kind = LEADERS.get(said.material, "am")
    fields = [("001", id), ("003", agency)]
    if now:
        fields.append(("005", f"{now:%Y%m%d%H%M%S}.0"))
    fields.append(("008", fixed_field(said, now)))
    fields += [data_field("020", "  ", [("a", isbn)]) for isbn in said.isbns]
    numbers = dict.fromkeys(filter(None, (said.control_number, *said.other_numbers)))
    fields += [data_field("035", "  ", [("a", number)]) for number in numbers if number != id]
    fields += call_number(said.call_number)
    main, added = names(said.authors)
    fields += main
    fields.append(title(said, main=bool(main)))
    fields += publication(said)
    fields += series(said)
    fields += description(said)
    fields += [subject(each) for each in said.subjects]
    fields += added
    fields += [holding(each) for each in said.holdings]
    return Record(f"00000n{kind} a2200000 c 4500", fields)


def fixed_field(said: Described, now: datetime | None) -> str:
    """008 of 40 characters; `|` where nobody has said."""
    year = said.published_year
    dates = f"s{year:04d}" if year and year > 0 else "b    " if year else "nuuuu"
    entered = f"{now:%y%m%d}" if now else "||||||"
    form = FORMS.get(said.material, " ")
    language = marc_code(said.language) if said.language else "und"
    return f"{entered}{dates}    xx |||||{form}|||||||||||{language} d"


def title(said: Described, *, main: bool, kept: list[Subfield] | None = None) -> Field:
    """245, with what else stood in it."""
    skipped = not_filed(said.title, said.language)
    subfields = [("a", said.title)] + ([("b", said.subtitle)] if said.subtitle else [])
    return data_field("245", f"{1 if main else 0}{skipped}", [*subfields, *(kept or ())])


def not_filed(text: str, language: str | None) -> int:
    """How many characters of an article at the beginning do not count in filing."""
    first, space, _ = text.partition(" ")
    found = words(text)
    if not space or len(first) > 8 or title_key(text, language) == " ".join(found)[:200]:
        return 0
    return len(first) + 1 if words(first) == found[:1] else 0


def names(authors: tuple[NamedHeading, ...]) -> tuple[list[Field], list[Field]]:
    """The main entry, if the first one named is an author; and the added ones."""
    if authors and authors[0].role == "author":
        return [name(authors[0], "1")], [name(each, "7") for each in authors[1:]]
    return [], [name(each, "7") for each in authors]


def name(author: NamedHeading, entry: str) -> Field:
    """The form of heading that is read back as the same name."""
    forms = list(_forms(author, entry))
    wanted = (author.name, author.sort_name, author.born, author.died)
    for field in forms:
        read = from_field(*field)
        if read and (read.name, read.sort_name, read.born, read.died) == wanted:
            return field
    return forms[0]


def _forms(author: NamedHeading, entry: str) -> Iterator[Field]:
    person, firm = f"{entry}00", f"{entry}10"
    rest: list[Subfield] = []
    if author.born is not None or author.died is not None:
        rest.append(("d", _life(author)))
    if author.role and (author.role != "author" or entry == "7"):
        code = CODES.get(author.role)
        rest.append(("4", code) if code else ("e", author.role))
    if is_firm(author.sort_name) and not _life(author).strip("-"):
        yield data_field(firm, "2 ", [("a", author.sort_name), *rest])
    if ", " in author.sort_name:
        yield data_field(person, "1 ", [("a", author.sort_name), *rest])
        plain, _, after = author.sort_name.rpartition(", ")
        yield data_field(person, "0 ", [("a", plain), ("c", after), *rest])
    yield data_field(person, "0 ", [("a", author.sort_name), *rest])
    yield data_field(firm, "2 ", [("a", author.sort_name), *rest])


def _life(author: NamedHeading) -> str:
    born, died = author.born, author.died
    if born and died and born < 0 and died < 0:
        return f"{-born}-{-died} B.C."
    return "-".join("" if y is None else f"{-y} B.C." if y < 0 else str(y) for y in (born, died))


def publication(said: Described) -> list[Field]:
    subfields = [("b", said.publisher)] if said.publisher else []
    if said.published_year:
        subfields.append(("c", year_text(said.published_year)))
    return [data_field("264", " 1", subfields)] if subfields else []


def year_text(year: int) -> str:
    return str(year) if year > 0 else f"{-year} B.C."


def series(said: Described) -> list[Field]:
    if not said.series:
        return []
    number = [("v", said.series_number)] if said.series_number else []
    return [data_field("490", "0 ", [("a", said.series), *number])]


def description(said: Described) -> list[Field]:
    told = (said.description or "").split("\n\n")
    return [
        data_field("520", "  ", [("a", " ".join(each.split()))]) for each in told if each.strip()
    ]


def subject(text: str) -> Field:
    main, *divided = text.split(" -- ")
    return data_field("650", " 4", [("a", main), *(("x", each) for each in divided)])


def call_number(number: str | None) -> list[Field]:
    """Dewey, Library of Congress, or the library's own."""
    if not number:
        return []
    if _DEWEY.fullmatch(number):
        first, _, mark = number.partition(" ")
        return [data_field("082", "04", [("a", first), *([("b", mark)] if mark else [])])]
    if _CONGRESS.fullmatch(number):
        return [data_field("050", " 4", [("a", number)])]
    return [own_call_number(number)]


def own_call_number(number: str) -> Field:
    return data_field("090", "  ", [("a", number)])


def holding(copy: Holding) -> Field:
    """952 as Koha has it: 852 has no place for an item type or a price."""
    price = copy.price_amount
    said = [
        ("a", copy.branch),
        ("b", copy.branch),
        ("c", copy.location),
        ("g", None if price is None else f"{price // 100}.{price % 100:02d}"),
        ("o", copy.call_number),
        ("p", copy.barcode),
        ("y", copy.item_type),
        ("z", copy.note),
    ]
    return data_field("952", "  ", [(code, value) for code, value in said if value])
