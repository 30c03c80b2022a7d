"""All SQL of the catalog, as named questions and writes.

changes.py   the one row that every change of the catalog goes through
books.py     records: read by key, written with their links
listing.py   pages of records: filtered, sorted, counted
popularity.py how often books were lent
matching.py  the records in which words stand, the most lent first
similar.py   records that share authors and subjects
search.py    the words of records, in FTS5 or tsvector
words.py     the dictionary: how frequent each word is, what is spelled alike
authors.py   authors, and finding them by name
subjects.py  subjects, and finding them by name
requests.py  the answers that were given to an Idempotency-Key
ratings.py   how many stars books have, as reviews told
variants.py  other forms of names, and what else to look at
editions.py  which records are of the same works, and which of them a list has
series.py    books that belong together: of a series, of a work, on a subject
merges.py    what became of what, and what was moved
duplicates.py  pairs that look the same
copies.py    copies, and the status that circulation told
"""

import asyncio
from collections import defaultdict
from collections.abc import Sequence

from lendery.catalog.repository.words import note_words
from lendery.platform.db import Tx
from lendery.platform.db.session import Write

ONE_TRIP = 200
AT_ONCE = 1_000


async def record(tx: Tx, writes: Sequence[Write]) -> None:
    """Few writes in one round trip, many in bulk: kind by kind, in the order they first came.

    The words of what is indexed among them go into the dictionary.
    """
    await note_words(tx, writes)
    if len(writes) <= ONE_TRIP:
        if writes:
            await tx.write(*writes)
        return
    kinds: defaultdict[object, list[Write]] = defaultdict(list)
    for write in writes:
        kinds[write[0]].append(write)
    for alike in kinds.values():
        for start in range(0, len(alike), AT_ONCE):
            part = alike[start : start + AT_ONCE]
            await tx.many(part[0][0], [given for _, given in part])
            await asyncio.sleep(0)  # readers go on while a library is loaded
