"""Books in a table: one a row, in whatever columns a library or a bookseller has."""

import csv
import io
import re
from collections.abc import Callable, Iterator
from typing import BinaryIO

from lendery.catalog.formats import rows
from lendery.catalog.formats.columns import FIELDS, columns
from lendery.catalog.formats.names import from_cover
from lendery.catalog.formats.numbers import isbn13, minor_units, system_number
from lendery.catalog.formats.text import LONGEST_LINE, LONGEST_TEXT, clean, many_lines
from lendery.catalog.formats.values import (
    Described,
    Exported,
    Holding,
    NamedHeading,
    Parsed,
    Profile,
    Refused,
    Unreadable,
)
from lendery.catalog.rules.languages import language_code

Cells = dict[str, str]
Told = list[str]
Read = Callable[[Cells, Profile, Told], Described]

_BETWEEN = re.compile(r"(?<!\\)\|")
_YEAR = re.compile(r"-?\d{1,4}(?:\.0)?")
_YEAR_INSIDE = re.compile(r"(?<!\d)\d{4}(?!\d)")
_GUARD = re.compile(r"'*[=+\-@\t\r]")
_GUARDED = re.compile(r"'+[=+\-@\t\r]")
_CODE = re.compile(r"[a-z]{2,3}")
_MATERIAL = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,63}")
_COPY = ("barcode", "branch", "item_type", "location", "copy_call_number", "price", "note")
MOST = 100


def records(file: BinaryIO, profile: Profile, read: Read, start: int) -> Iterator[Parsed]:
    """Every row; one rejection if the file is no table that the profile fits."""
    sample = file.peek(rows.SAMPLE)[: rows.SAMPLE] if hasattr(file, "peek") else b""
    layout = rows.layout(sample, profile)
    source = rows.utf8(file, layout.encoding)
    if source is not file:
        layout = rows.Layout("utf-8", layout.delimiter, layout.columns)
    found = rows.slices(source, layout)
    places: dict[str, int] = {}
    number = 0
    for offset, raw, why in found:
        if not places:
            try:
                places = columns(rows.cells(raw, layout)[0], profile)
            except Refused as refused:
                yield Parsed(1, offset, raw, None, str(refused))
                return
            if profile.header:
                continue
        number += 1
        if number > start:
            yield _parsed(number, offset, raw, why, layout, places, profile, read)


def _parsed(
    number: int,
    offset: int,
    raw: bytes,
    why: str | None,
    layout: rows.Layout,
    places: dict[str, int],
    profile: Profile,
    read: Read,
) -> Parsed:
    if why:
        return Parsed(number, offset, raw, None, why)
    row, odd = rows.cells(raw, layout)
    if not row:
        return Parsed(number, offset, raw, None, odd or "The row is empty.")
    told = [odd] if odd else []
    if len(row) != layout.columns and layout.columns > 1:
        told.append(f"The row has {len(row)} cells; the first row has {layout.columns}.")
    cells = {
        field: unguarded(row[place]) if place < len(row) else "" for field, place in places.items()
    }
    try:
        return Parsed(number, offset, raw, read(cells, profile, told), None, tuple(told))
    except Unreadable as unreadable:
        return Parsed(number, offset, raw, None, str(unreadable), tuple(told))


def describe(cells: Cells, profile: Profile, told: Told) -> Described:
    """A row in the usual sense. Raises Unreadable if it names no title."""
    get = cells.get
    title = _line(get("title", ""), "title", told)
    if not title:
        raise Unreadable("The row has no title.")
    language = get("language", "").strip().lower()
    material = clean(get("material", ""))
    return Described(
        title=title,
        subtitle=_line(get("subtitle", ""), "subtitle", told) or None,
        authors=tuple(authors(get("authors", ""), profile)),
        isbns=isbns(several(get("isbns", ""), profile, ";, "), told),
        publisher=clean(get("publisher", ""))[:LONGEST_LINE] or None,
        published_year=year(get("published_year", ""), told),
        language=language_of(language, told) or profile.language,
        subjects=tuple(several(get("subjects", ""), profile, ";"))[:MOST],
        description=many_lines(get("description", ""))[:LONGEST_TEXT] or None,
        series=clean(get("series", ""))[:LONGEST_LINE] or None,
        series_number=clean(get("series_number", ""))[:60] or None,
        call_number=clean(get("call_number", ""))[:LONGEST_LINE] or None,
        material=material.lower() if _MATERIAL.fullmatch(material) else profile.material,
        control_number=clean(get("control_number", ""))[:200] or None,
        other_numbers=tuple(
            filter(None, map(system_number, several(get("other_numbers", ""), profile, ";")))
        ),
        holdings=tuple(_copies(cells, profile)),
    )


def _line(text: str, what: str, told: Told) -> str:
    text = clean(text)
    if len(text) > LONGEST_LINE:
        told.append(f"The {what} has {len(text)} characters; {LONGEST_LINE} were taken.")
        return text[: LONGEST_LINE - 1].rstrip() + "\u2026"
    return text


def several(cell: str, profile: Profile, usual: str) -> list[str]:
    """The values of one cell, each once: parted as the profile says, by `|`, or as is usual."""
    if profile.separator:
        parts = cell.split(profile.separator)
    elif "|" in cell:
        parts = [part.replace("\\|", "|") for part in _BETWEEN.split(cell)]
    else:
        parts = re.split(f"[{re.escape(usual)}]", cell)
    return list(dict.fromkeys(text for part in parts if (text := clean(part)[:LONGEST_LINE])))


def authors(cell: str, profile: Profile) -> Iterator[NamedHeading]:
    for name in several(cell, profile, ";")[:MOST]:
        if found := from_cover(name):
            yield found


def isbns(given: list[str], told: Told) -> tuple[str, ...]:
    found: dict[str, None] = {}
    for text in given:
        if number := isbn13(text):
            found[number] = None
        else:
            told.append(f"{text[:60]} is not a valid ISBN.")
    return tuple(found)


def year(text: str, told: Told) -> int | None:
    """`1997`, `1997.0`, `-720.0`, or the year inside a date."""
    text = clean(text)
    if not text:
        return None
    found: str | None = text if _YEAR.fullmatch(text) else None
    if inside := _YEAR_INSIDE.search(text):
        found = found or inside[0]
    number = int(float(found)) if found else 0
    if not number or not -3000 <= number <= 2200:
        told.append(f"{text[:60]} is not a year.")
        return None
    return number


def language_of(text: str, told: Told) -> str | None:
    """Our code for `eng`, `en-US`, `en`; nothing for what is no code."""
    if not text:
        return None
    found = language_code(text)
    if found and _CODE.fullmatch(found):
        return None if found == "mul" else found
    if found:
        told.append(f"{text[:60]} is not the code of a language.")
    return None


def _copies(cells: Cells, profile: Profile) -> Iterator[Holding]:
    """Copies stand side by side in their cells; a single value holds for all of them."""
    lists = {name: _aligned(cells[name]) for name in _COPY if cells.get(name, "").strip()}
    if not lists.keys() & {"barcode", "branch"}:
        return
    count = len(lists["barcode"]) if "barcode" in lists else 1
    for at in range(min(count, 10_000)):
        one = {
            name: found[at] if at < len(found) else found[0] if len(found) == 1 else ""
            for name, found in lists.items()
        }
        branch, kind = one.get("branch", ""), one.get("item_type", "")
        yield Holding(
            barcode=one.get("barcode") or None,
            branch=profile.branches.get(branch, branch) or None,
            item_type=profile.item_types.get(kind, kind) or None,
            location=one.get("location") or None,
            call_number=one.get("copy_call_number") or None,
            price_amount=minor_units(one.get("price", "")),
            note=one.get("note") or None,
        )


def _aligned(cell: str) -> list[str]:
    return [clean(part.replace("\\|", "|"))[:LONGEST_LINE] for part in _BETWEEN.split(cell)]


def unguarded(cell: str) -> str:
    return cell[1:] if _GUARDED.match(cell) else cell


def guarded(cell: str) -> str:
    """So that a spreadsheet takes it for text: a formula begins with = + - @ (CSV injection)."""
    return "'" + cell if _GUARD.match(cell) else cell


HEAD = (",".join(FIELDS) + "\r\n").encode()


def build(book: Exported) -> bytes:
    """One row, several values of a cell parted by ` | `."""
    said = book.described
    first = {
        "title": said.title,
        "subtitle": said.subtitle,
        "authors": _joined(map(_heading, said.authors)),
        "isbns": _joined(said.isbns),
        "publisher": said.publisher,
        "published_year": said.published_year,
        "language": said.language,
        "subjects": _joined(said.subjects),
        "description": said.description,
        "series": said.series,
        "series_number": said.series_number,
        "call_number": said.call_number,
        "material": said.material,
        "control_number": said.control_number or book.id,
        "other_numbers": _joined(said.other_numbers),
        "barcode": _joined(each.barcode or "" for each in said.holdings),
        "branch": _joined(each.branch or "" for each in said.holdings),
        "item_type": _joined(each.item_type or "" for each in said.holdings),
        "location": _joined(each.location or "" for each in said.holdings),
        "copy_call_number": _joined(each.call_number or "" for each in said.holdings),
        "price": _joined(_price(each.price_amount) for each in said.holdings),
        "note": _joined(each.note or "" for each in said.holdings),
    }
    out = io.StringIO(newline="")
    row = ["" if first[name] is None else str(first[name]) for name in FIELDS]
    csv.writer(out).writerow([guarded(cell) for cell in row])
    return out.getvalue().encode("utf-8", "replace")


def _joined(values: object) -> str:
    each = [str(value).replace("|", "\\|") for value in values]  # type: ignore[attr-defined]
    return " | ".join(each) if any(each) else ""


def _price(amount: int | None) -> str:
    return "" if amount is None else f"{amount // 100}.{amount % 100:02d}"


def _heading(author: NamedHeading) -> str:
    """`Austen, Jane, 1775-1817`, which is read back as a name and its years."""
    if author.born is None and author.died is None:
        return author.sort_name
    born, died = ("" if year is None else str(year) for year in (author.born, author.died))
    return f"{author.sort_name}, {born}-{died}"
