"""What somebody typing may have in mind, and what somebody reading may like next."""

from collections import defaultdict
from collections.abc import Sequence
from math import sqrt
from uuid import UUID

from lendery.catalog.hits import Hits, prepare
from lendery.catalog.repository.authors import authors_beginning
from lendery.catalog.repository.books import book_of, books_numbered
from lendery.catalog.repository.similar import heads_of, numbers_of, popularity_of, sharing
from lendery.catalog.repository.titles import titles_beginning
from lendery.catalog.rules.filing import title_key
from lendery.catalog.rules.fold import words
from lendery.catalog.rules.query import ask
from lendery.catalog.searches import Question
from lendery.contracts.catalog import Book, NoSuchBook, Suggestion
from lendery.contracts.circulation import BorrowedTogether
from lendery.platform.db import Session

SUGGESTED = 10
LONGEST = 200
ALIKE_AT_ONCE = 200  # books of one author or subject that are looked at
BY_AUTHOR = 1.5  # as much as a subject that few books have
BY_READERS = 3.0  # if all who borrowed either borrowed both


async def suggestions(session: Session, q: str) -> list[Suggestion]:
    """Titles that begin with it, authors, then titles in which its words stand."""
    typed = words(q)
    if not typed or len(q) > LONGEST:
        return []
    titles = await titles_beginning(session, key=title_key(q))
    authors = await authors_beginning(session, name=" ".join(typed), many=SUGGESTED // 2)
    room = SUGGESTED - len(authors)
    first = {row.title: row.id for row in reversed(titles)}
    shown = list(dict.fromkeys(row.title for row in titles))[:room]
    if len(shown) < room and len(typed[-1]) > 1:
        for book in await _with_words(session, q, room):
            if book.title not in first and len(shown) < room:
                first[book.title] = book.id
                shown.append(book.title)
    return [Suggestion(text=title, kind="title", id=first[title]) for title in shown] + [
        Suggestion(text=row.name, kind="author", id=row.id) for row in authors
    ]


async def _with_words(session: Session, q: str, many: int) -> list[Book]:
    """The best hits in whose titles these words stand, the last of them begun."""
    asked = ask(q, "title", begun=True)
    if not asked:
        return []
    question = Question(asked, frozenset(), {}, "relevance")
    prepared = await prepare(session, question)
    hits, _, _ = await Hits(session, prepared).page(None, limit=many * 2)
    rows = await books_numbered(session, numbers=[hit.number for _, hit in hits])
    return [book_of(rows[hit.number]) for _, hit in hits]


async def similar_books(
    session: Session, book_id: UUID, together: Sequence[BorrowedTogether], many: int
) -> list[Book]:
    """By what they share: an author, subjects, readers; the rarer a subject, the closer."""
    heads = await heads_of(session, book_id=book_id)
    if heads is None:
        raise NoSuchBook("There is no such book.")
    closeness: defaultdict[int, float] = defaultdict(float)
    for kind, numbers in await sharing(session, heads, most=ALIKE_AT_ONCE):
        worth = BY_AUTHOR if kind == "author" else 1.0
        for number in numbers:
            closeness[number] += worth / (1 + len(numbers)) ** 0.25
    for number, worth in (await _by_readers(session, together)).items():
        closeness[number] += worth
    closeness.pop(heads.number, None)
    close = sorted(closeness, key=lambda each: (-closeness[each], each))[:ALIKE_AT_ONCE]
    lent = await popularity_of(session, numbers=close)  # of those on no list: withdrawn, none
    best = sorted(
        (each for each in close if each in lent),
        key=lambda each: (-round(closeness[each], 3), -lent[each], each),
    )
    rows = await books_numbered(session, numbers=best[:many])
    return [book_of(rows[each]) for each in best[:many] if each in rows]


async def _by_readers(session: Session, together: Sequence[BorrowedTogether]) -> dict[int, float]:
    """What everybody borrows is close to nothing in particular."""
    numbers = await numbers_of(session, ids=[each.book_id for each in together])
    lent = await popularity_of(session, numbers=list(numbers.values()))
    worth = {}
    for each in together:
        number = numbers.get(each.book_id)
        if number in lent:
            often = max(lent[number], each.readers)
            worth[number] = BY_READERS * each.readers / sqrt(each.among * often)
    return worth
