"""People and books that are gone."""

from typing import Any

import pytest
from sqlalchemy import select

from lendery.contracts.accounts import PatronRemoved
from lendery.contracts.base import Event, PeerUnavailable
from lendery.contracts.catalog import BookWithdrawn, NoSuchBook
from lendery.platform.events import Reactions
from lendery.reviews.models import report, review
from lendery.reviews.reactions import REACTIONS
from tests.reviews.conftest import ANN, BEN, CAS, EMMA, MIDDLEMARCH, NOW, Library, a_book


async def _hear(library: Library, *events: Event) -> None:
    await Reactions(library.db, library.neighbours, {"reviews": REACTIONS}).send(events)


def _removed(who: Any) -> PatronRemoved:
    return PatronRemoved(at=NOW, patron_id=who.id)


async def _rows(library: Library, table: Any) -> list[Any]:
    async with library.db.read() as session:
        return await session.rows(select(table).order_by(table.c.id))


async def test_a_removed_person_leaves_stars_and_words_but_no_name(library: Library) -> None:
    made = await library.post(ANN, 4, text="Long.", display_name="Ann of the hill")
    await library.post(ANN, 2, EMMA)
    other = await library.post(BEN, 1, display_name="Ben")
    await library.report(other, ANN)
    await _hear(library, _removed(ANN))
    shown = {each.id: each for each in (await library.page()).items}
    assert shown[made.id] == made.model_copy(update={"display_name": None})
    assert shown[other.id] == other
    assert await library.stars() == [1, 0, 0, 1, 0]
    kept = repr([await _rows(library, table) for table in (review, report)])
    assert str(ANN.id) not in kept and ANN.id is not None and ANN.id.hex not in kept
    assert (await library.told())[-2:] == ["ReviewChanged", "ReviewChanged"]
    assert [row.ask_again_at for row in await _rows(library, review)][:2] == [None, None]


async def test_hearing_it_twice_changes_nothing_more(library: Library) -> None:
    await library.post(ANN, 4, display_name="Ann")
    event = _removed(ANN)
    await _hear(library, event)
    before = await library.everything()
    await _hear(library, event)
    assert await library.everything() == before


async def test_nobody_can_change_what_a_removed_person_wrote(library: Library) -> None:
    made = await library.post(ANN, 4)
    await _hear(library, _removed(ANN))
    with pytest.raises(Exception, match="your own"):
        await library.change(made, rating=1)


async def test_a_withdrawn_book_keeps_its_reviews(library: Library) -> None:
    made = await library.post(ANN, 4)
    library.neighbours.known_books[MIDDLEMARCH] = a_book(MIDDLEMARCH, "Middlemarch", withdrawn=True)
    await _hear(library, BookWithdrawn(at=NOW, book_id=MIDDLEMARCH))
    assert list((await library.page()).items) == [made]


async def test_a_destroyed_book_takes_its_reviews_along(library: Library) -> None:
    made = await library.post(ANN, 4)
    await library.report(made, BEN)
    other = await library.post(CAS, 2, EMMA)
    del library.neighbours.known_books[MIDDLEMARCH]
    await _hear(library, BookWithdrawn(at=NOW, book_id=MIDDLEMARCH))
    assert [row.id for row in await _rows(library, review)] == [other.id]
    assert await _rows(library, report) == []
    assert (await library.told())[-1] == "ReviewRemoved"
    assert await library.stars() == [0, 0, 0, 0, 0]


async def test_a_review_that_was_on_its_way_when_the_book_went_is_refused(
    library: Library,
) -> None:
    """The catalog still said yes; the book went before the review was written."""
    gone = library.neighbours.known_books.pop(MIDDLEMARCH)
    await _hear(library, BookWithdrawn(at=NOW, book_id=MIDDLEMARCH))
    library.neighbours.known_books[MIDDLEMARCH] = gone
    with pytest.raises(NoSuchBook):
        await library.post(ANN, 4)
    assert await _rows(library, review) == []


async def test_whether_it_is_gone_is_asked_until_the_catalog_answers(library: Library) -> None:
    made = await library.post(ANN, 4)
    library.neighbours.catalog_is_away = True
    with pytest.raises(PeerUnavailable):
        await _hear(library, BookWithdrawn(at=NOW, book_id=MIDDLEMARCH))
    assert list((await library.page()).items) == [made]
