"""Catalogue records in any number, for trying out Lendery at a size no demo library has.

The words, names, subjects, classes and languages are those of Project Gutenberg's catalogue (CC0,
see demo/data/NOTICE.md), drawn as often as they stand there and put together anew: no record
describes a book that exists, but for some editions of real works, as every library has them.

vocabulary.py   what Gutenberg's titles are made of, language by language
wording.py      titles, subtitles, subjects and descriptions
people.py       authors, publishers and series: each is always the same for its number
numbers.py      ISBNs, years and how many copies
records.py      a record, and any number of them
filing.py       files of them: JSON lines, CSV
marc.py         files of them: MARC 21
"""

from lendery.generating.records import Holdings, records

__all__ = ["Holdings", "records"]
