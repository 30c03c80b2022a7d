"""Lines of Open Library's dumps."""

import json
from typing import Any

from lendery.catalog.formats import Described, Format, NamedHeading

from .files import from_bytes

EDITION = {
    "key": "/books/OL7353617M",
    "type": {"key": "/type/edition"},
    "title": "Fantastic Mr. Fox",
    "subtitle": "a story",
    "publishers": ["Puffin"],
    "publish_date": "October 1, 1988",
    "languages": [{"key": "/languages/eng"}],
    "isbn_10": ["0140328726"],
    "isbn_13": ["9780140328721", "123"],
    "subjects": ["Foxes -- Fiction.", "Foxes -- Fiction."],
    "description": {"type": "/type/text", "value": "A fox.\r\nThree farmers."},
    "by_statement": "by Roald Dahl and Tony Ross.",
    "lc_classifications": ["PZ7.D1515"],
    "oclc_numbers": ["0018989"],
    "series": ["Puffin books"],
}


def line(data: dict[str, Any], kind: str = "/type/edition") -> bytes:
    return f"{kind}\t{data.get('key')}\t9\t2021-01-01\t{json.dumps(data)}\n".encode()


def test_an_edition_is_a_book() -> None:
    (found,) = from_bytes(line(EDITION), Format.openlibrary)
    assert found.described == Described(
        title="Fantastic Mr. Fox",
        subtitle="a story",
        authors=(
            NamedHeading("Roald Dahl", "Dahl, Roald", role="author"),
            NamedHeading("Tony Ross", "Ross, Tony", role="author"),
        ),
        isbns=("9780140328721",),
        publisher="Puffin",
        published_year=1988,
        language="en",
        subjects=("Foxes -- Fiction",),
        description="A fox.\nThree farmers.",
        series="Puffin books",
        call_number="PZ7.D1515",
        control_number="(OpenLibrary)OL7353617M",
        other_numbers=("(OCoLC)18989",),
    )
    assert found.warnings == ("123 is not a valid ISBN.",)


def test_what_is_no_book_is_rejected_by_name() -> None:
    lines = [
        line({"name": "Roald Dahl"}, "/type/author"),
        line({"key": "/books/OL1M"}),
        b"/type/edition\t/books/OL2M\n",
        b"/type/edition\t/books/OL3M\t1\t2008\t{oops}\n",
        line(EDITION),
    ]
    found = from_bytes(b"".join(lines), Format.openlibrary)
    assert [each.number for each in found if each.described] == [5]
    problems = [each.problem for each in found if each.problem]
    assert problems[:3] == [
        "The line is not a book but /type/author.",
        "The book has no title.",
        "The line has not the five parts of a dump line.",
    ]
    assert problems[3].startswith("The line holds no JSON object: ")


def test_answers_of_the_live_api_are_read_too() -> None:
    data = {"title": "Emma", "authors": [{"name": "Jane Austen"}], "first_publish_date": "1815"}
    (found,) = from_bytes(json.dumps(data).encode(), Format.openlibrary)
    assert found.described == Described(
        title="Emma",
        authors=(NamedHeading("Jane Austen", "Austen, Jane", role="author"),),
        published_year=1815,
    )
