"""What was edited here, put into the MARC that a book came with. The rest of it stays."""

from collections.abc import Callable

from lendery.catalog.formats import cataloguing
from lendery.catalog.formats.crosswalk import NAMES, SUBJECTS, describe, subject_headings
from lendery.catalog.formats.items import holdings
from lendery.catalog.formats.materials import LEADERS
from lendery.catalog.formats.names import from_field
from lendery.catalog.formats.numbers import isbn13
from lendery.catalog.formats.profiles import DEFAULT
from lendery.catalog.formats.record import Field, Record, data_field, subfields, values
from lendery.catalog.formats.values import Described
from lendery.catalog.rules.languages import marc_code


def updated(record: Record, said: Described, *, id: str, agency: str) -> Record:
    """The record with our values where they differ from its own, and our id in 001."""
    before, _ = describe(record, DEFAULT)
    new = Record(record.leader.ljust(24)[:24], list(record.fields))
    for names, change in _CHANGES:
        if any(getattr(before, name) != getattr(said, name) for name in names):
            change(new, said)
    _numbered(new, before.control_number, id, agency)
    return new


def _numbered(record: Record, old: str | None, id: str, agency: str) -> None:
    if old == f"({agency}){id}":
        return
    _drop(record, lambda tag, text: tag in ("001", "003"))
    known = {
        value.strip() for tag, text in record.fields if tag == "035" for value in values(text, "a")
    }
    if old and old not in known:
        _put(record, [data_field("035", "  ", [("a", old)])])
    record.fields[:0] = [("001", id), ("003", agency)]


def _drop(record: Record, unwanted: Callable[[str, str], bool]) -> None:
    record.fields = [field for field in record.fields if not unwanted(*field)]


def _put(record: Record, fields: list[Field]) -> None:
    """Each behind the last field whose tag is not greater."""
    for field in fields:
        at = next(
            (n for n in range(len(record.fields), 0, -1) if record.fields[n - 1][0] <= field[0]), 0
        )
        record.fields.insert(at, field)


def _title(record: Record, said: Described) -> None:
    old = record.first("245") or ""
    kept = [each for each in subfields(old) if each[0] not in "abnp"]
    _drop(record, lambda tag, text: tag == "245" and text == old)
    main = any(tag in ("100", "110", "111") for tag, _ in record.fields)
    _put(record, [cataloguing.title(said, main=main, kept=kept)])


def _authors(record: Record, said: Described) -> None:
    """Names that stay keep their fields; related works are none of ours."""
    old: dict[object, Field] = {}
    for field in record.fields:
        if field[0] in NAMES and (named := from_field(*field)):
            old.setdefault(named, field)
    main, added = cataloguing.names(said.authors)
    fields = [old.get(each, new) for each, new in zip(said.authors, main + added, strict=True)]
    _drop(record, lambda tag, text: tag in NAMES and from_field(tag, text) is not None)
    _put(record, fields)


def _isbns(record: Record, said: Described) -> None:
    fields = [field for field in record.fields if field[0] == "020"]
    old = {n: field for field in fields for v in values(field[1], "a") if (n := isbn13(v))}
    new = [old.get(each) or data_field("020", "  ", [("a", each)]) for each in said.isbns]
    _drop(record, lambda tag, text: tag == "020" and any(map(isbn13, values(text, "a"))))
    _put(record, list(dict.fromkeys(new)))


def _publication(record: Record, said: Described) -> None:
    places = [f for f in record.fields if (f[0] == "264" and f[1][1:2] == "1") or f[0] == "260"]
    kept = [each for each in subfields(places[0][1]) if each[0] not in "bc"] if places else []
    _drop(record, lambda tag, text: (tag, text) in places)
    new = cataloguing.publication(said)
    if kept or new:
        added = list(subfields(new[0][1])) if new else []
        _put(record, [data_field("264", " 1", [*kept, *added])])


def _year(record: Record, said: Described) -> None:
    year = said.published_year or 0
    _fixed(record, said, 6, f"s{year:04d}" if year > 0 else "b    " if year else "nuuuu")


def _fixed(record: Record, said: Described, at: int, value: str) -> None:
    """Overwrites a part of 008, which is made if it is not there."""
    old = record.first("008")
    if old is None:
        _put(record, [("008", cataloguing.fixed_field(said, None))])
        return
    new = old.ljust(40, "|")
    new = new[:at] + value + new[at + len(value) :]
    record.fields = [(tag, new if tag == "008" else text) for tag, text in record.fields]


def _language(record: Record, said: Described) -> None:
    _drop(record, lambda tag, text: tag == "041" and not said.language)
    _fixed(record, said, 35, marc_code(said.language) if said.language else "und")


def _subjects(record: Record, said: Described) -> None:
    """Headings that stay keep their fields, with whatever thesaurus they name."""
    wanted = set(said.subjects)
    have: set[str] = set()
    for field in record.fields:
        have |= wanted.intersection(subject_headings(*field))

    def unwanted(tag: str, text: str) -> bool:
        return tag in SUBJECTS and not wanted.issuperset(subject_headings(tag, text))

    gone = [set(subject_headings(*field)) for field in record.fields if unwanted(*field)]
    left = {
        each for field in record.fields if not unwanted(*field) for each in subject_headings(*field)
    }
    _drop(record, unwanted)
    again = wanted.intersection(*[set().union(*gone)]) - left if gone else set()
    missing = [each for each in said.subjects if each not in have or each in again]
    _put(record, [cataloguing.subject(each) for each in missing])


def _description(record: Record, said: Described) -> None:
    _drop(record, lambda tag, text: tag == "520" and text[:1] != "4")
    _put(record, cataloguing.description(said))


def _series(record: Record, said: Described) -> None:
    _drop(record, lambda tag, text: tag in ("490", "440", "800", "810", "811", "830"))
    _put(record, cataloguing.series(said))


def _call_number(record: Record, said: Described) -> None:
    """The library's own number goes before those of others; without one, all of them go."""
    gone = ("090",) if said.call_number else DEFAULT.call_numbers
    _drop(record, lambda tag, text: tag in gone)
    if said.call_number:
        _put(record, [cataloguing.own_call_number(said.call_number)])


def _material(record: Record, said: Described) -> None:
    kind = LEADERS.get(said.material)
    if kind:
        record.leader = record.leader[:6] + kind + record.leader[8:]
        if kind == "am":
            _drop(record, lambda tag, text: tag == "007" and text[:1] in "ch")
            _drop(record, lambda tag, text: tag == "338" and "cr" in values(text, "b"))
            _fixed(record, said, 23, cataloguing.FORMS.get(said.material, " "))


def _numbers(record: Record, said: Described) -> None:
    before, _ = describe(record, DEFAULT)
    gone = set(before.other_numbers) - set(said.other_numbers)
    for tag in ("035", "010"):
        for text in [text for each, text in record.fields if each == tag]:
            alone, _ = describe(Record(record.leader, [(tag, text)]), DEFAULT)
            if gone.intersection(alone.other_numbers):
                record.fields.remove((tag, text))
    new = [each for each in said.other_numbers if each not in before.other_numbers]
    _put(record, [data_field("035", "  ", [("a", each)]) for each in new])


def _copies(record: Record, said: Described) -> None:
    def is_copy(tag: str, text: str) -> bool:
        return tag in ("852", "952") and bool(holdings({tag: [text]}, DEFAULT, []))

    _drop(record, is_copy)
    _put(record, [cataloguing.holding(each) for each in said.holdings])


_CHANGES: tuple[tuple[tuple[str, ...], Callable[[Record, Described], None]], ...] = (
    (("authors",), _authors),
    (("title", "subtitle"), _title),
    (("isbns",), _isbns),
    (("publisher", "published_year"), _publication),
    (("published_year",), _year),
    (("language",), _language),
    (("subjects",), _subjects),
    (("description",), _description),
    (("series", "series_number"), _series),
    (("call_number",), _call_number),
    (("material",), _material),
    (("other_numbers",), _numbers),
    (("holdings",), _copies),
)
