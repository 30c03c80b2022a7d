"""Records in the forms in which libraries exchange them: read, written, and carried over.

Neither a database nor a network nor a path is known here: files come in opened, pieces of bytes
go out. docs/formats.md says for librarians what becomes of each field.

values.py       the words: what a record says, how a file says it
source.py       files of strangers, opened with a bound
reading.py      any format, record by record     iso2709 marcxml marcjson tables lines
crosswalk.py    MARC 21 to our fields            names numbers items materials text unimarc
characters.py   UTF-8, MARC-8 and what is called so
cataloguing.py  our fields to MARC 21            editing (into a record that was kept)
writing.py      any format, piece by piece
profiles.py     what is special about one supplier's files
"""

from lendery.catalog.formats.profiles import DEFAULT, PROFILES
from lendery.catalog.formats.reading import marc_of, read, record_of, sniff
from lendery.catalog.formats.source import opened
from lendery.catalog.formats.values import (
    Described,
    Exported,
    Format,
    Holding,
    ItemField,
    NamedHeading,
    Parsed,
    Profile,
    Refused,
    Unreadable,
    Unwritable,
)
from lendery.catalog.formats.writing import write

__all__ = [
    "DEFAULT",
    "PROFILES",
    "Described",
    "Exported",
    "Format",
    "Holding",
    "ItemField",
    "NamedHeading",
    "Parsed",
    "Profile",
    "Refused",
    "Unreadable",
    "Unwritable",
    "marc_of",
    "opened",
    "read",
    "record_of",
    "sniff",
    "write",
]
