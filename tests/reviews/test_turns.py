"""The verified-borrower mark: set when circulation knows it, at once or later."""

from datetime import datetime, timedelta

import pytest
from sqlalchemy import select

from lendery.contracts.base import PeerUnavailable
from lendery.reviews.jobs import JOBS
from lendery.reviews.models import review
from tests.reviews.conftest import ANN, BEN, CAS, EMMA, MIDDLEMARCH, NOW, Library

DAY = timedelta(days=1)


def _borrow(library: Library, *who: object) -> None:
    library.neighbours.borrowed |= {(each.id, MIDDLEMARCH) for each in who}  # type: ignore[attr-defined]


async def _marks(library: Library) -> list[bool]:
    return [each.verified for each in reversed((await library.page()).items)]


async def _ask_again_at(library: Library) -> list[datetime | None]:
    async with library.db.read() as session:
        rows = await session.rows(select(review.c.ask_again_at).order_by(review.c.id))
    return [row.ask_again_at for row in rows]


async def test_who_had_the_book_in_hand_gets_the_mark_at_once(library: Library) -> None:
    _borrow(library, ANN)
    assert (await library.post(ANN)).verified
    assert not (await library.post(BEN)).verified
    assert not (await library.post(ANN, 5, EMMA)).verified
    assert await _ask_again_at(library) == [None, NOW + DAY, NOW + DAY]


async def test_a_review_does_not_wait_for_circulation(library: Library) -> None:
    _borrow(library, ANN)
    library.neighbours.circulation_is_away = True
    made = await library.post(ANN)
    assert not made.verified
    with pytest.raises(PeerUnavailable):
        await library.reviews.verify(now=NOW)
    assert await _ask_again_at(library) == [NOW]
    library.neighbours.circulation_is_away = False
    assert await library.reviews.verify(now=NOW) == 1
    marked = (await library.page()).items[0]
    assert marked == made.model_copy(update={"verified": True})


async def test_who_borrows_later_is_marked_by_the_job_and_seldom_asked_about(
    library: Library,
) -> None:
    await library.post(ANN)
    await library.post(BEN)
    library.neighbours.asked.clear()
    assert await library.reviews.verify(now=NOW + timedelta(hours=23)) == 0
    assert library.neighbours.asked == []  # not yet
    assert await library.reviews.verify(now=NOW + DAY) == 0
    assert await _ask_again_at(library) == [NOW + 2 * DAY] * 2
    _borrow(library, ANN)
    (job,) = JOBS
    await job.run(library, NOW + 2 * DAY)
    assert await _marks(library) == [True, False]
    assert await _ask_again_at(library) == [None, NOW + 4 * DAY]
    assert [len(each) for each in library.neighbours.asked] == [2, 2]


async def test_a_mark_once_set_stays_when_the_link_of_the_loan_is_cut(library: Library) -> None:
    _borrow(library, ANN)
    made = await library.post(ANN)
    library.neighbours.borrowed.clear()
    await library.reviews.verify(now=NOW + 400 * DAY)
    assert await _marks(library) == [True]
    assert (await library.change(made, rating=1)).verified


async def test_many_are_asked_about_in_batches(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lendery.reviews.turns.ASKED_AT_ONCE", 2)
    for who in (ANN, BEN, CAS):
        await library.post(who)
    _borrow(library, ANN, BEN, CAS)
    library.neighbours.asked.clear()
    assert await library.reviews.verify(now=NOW + DAY) == 3
    assert [len(each) for each in library.neighbours.asked] == [2, 1]
    assert await library.reviews.verify(now=NOW + DAY) == 0


async def test_a_new_mark_moves_the_version_that_the_books_list_stands_on(
    library: Library,
) -> None:
    await library.post(ANN)
    _borrow(library, ANN)
    await library.reviews.verify(now=NOW + DAY)
    await library.post(BEN)
    versions = [body["version"] for name, body in await library.log() if name == "RatingChanged"]
    assert versions == [1, 3]
