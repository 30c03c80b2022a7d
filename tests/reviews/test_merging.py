"""Two books that are one: their reviews are one book's, and two books' again."""

from datetime import datetime, timedelta
from uuid import UUID

import pytest

from lendery.contracts.accounts import PatronRemoved
from lendery.contracts.base import Event, Window
from lendery.contracts.catalog import BookMerged, BookUnmerged, BookWasMerged, BookWithdrawn
from lendery.contracts.permissions import Actor
from lendery.contracts.reviews import NoSuchReview, Review, ReviewFilter
from lendery.platform.events import Reactions
from lendery.reviews.reactions import REACTIONS
from lendery.reviews.repository import merged
from tests.reviews.conftest import (
    ANN,
    BEN,
    CAS,
    EMMA,
    LATER,
    LEA,
    MIDDLEMARCH,
    NOW,
    Library,
    a_book,
)

ADAM_BEDE = UUID("00000000-0000-7000-8000-000000000004")
SOON = NOW + timedelta(minutes=5)


async def _hear(library: Library, *events: Event) -> None:
    await Reactions(library.db, library.neighbours, {"reviews": REACTIONS}).send(events)


def _merge(one: UUID, into: UUID, at: datetime = LATER) -> BookMerged:
    return BookMerged(at=at, book_id=one, into=into, copy_ids=())


def _undo(one: UUID, into: UUID, at: datetime = LATER) -> BookUnmerged:
    return BookUnmerged(at=at, book_id=one, into=into, copy_ids=())


async def _shown(library: Library, book_id: UUID = MIDDLEMARCH) -> list[UUID]:
    return [each.id for each in (await library.page(book_id)).items]


async def _into(library: Library, book_id: UUID) -> str:
    """What the list of a book's reviews says that it is now."""
    with pytest.raises(BookWasMerged) as told:
        await library.page(book_id)
    return str(told.value.extra["into"])


async def _ratings(library: Library) -> list[tuple[UUID, list[int]]]:
    names = ("ones", "twos", "threes", "fours", "fives")
    return [
        (UUID(body["book_id"]), [body[name] for name in names])
        for name, body in await library.log()
        if name == "RatingChanged"
    ]


async def test_reviews_of_the_one_are_of_the_other_and_both_are_counted(library: Library) -> None:
    first, second = await library.post(ANN, 5, EMMA), await library.post(BEN, 2)
    await _hear(library, _merge(EMMA, MIDDLEMARCH))
    assert sorted(await _shown(library)) == sorted([first.id, second.id])
    assert await library.stars() == [0, 1, 0, 0, 1]
    assert await _into(library, EMMA) == str(MIDDLEMARCH)
    assert sorted((await _ratings(library))[-2:]) == [
        (MIDDLEMARCH, [0, 1, 0, 0, 1]),
        (EMMA, [0, 0, 0, 0, 0]),
    ]
    moved = [body for name, body in await library.log() if name == "ReviewMoved"]
    assert [(each["review_id"], each["into"], each["aside"]) for each in moved] == [
        (str(first.id), str(MIDDLEMARCH), False)
    ]
    changed = await library.change(first, ANN, rating=1)
    assert (changed.book_id, await library.stars()) == (MIDDLEMARCH, [1, 1, 0, 0, 0])


async def test_undone_each_book_has_its_own_again(library: Library) -> None:
    first, second = await library.post(ANN, 5, EMMA), await library.post(BEN, 2)
    await _hear(library, _merge(EMMA, MIDDLEMARCH))
    third = await library.post(CAS, 4, now=LATER)
    await _hear(library, _undo(EMMA, MIDDLEMARCH))
    assert await _shown(library, EMMA) == [first.id]
    assert sorted(await _shown(library)) == sorted([second.id, third.id])
    assert (await library.stars(EMMA), await library.stars()) == ([0, 0, 0, 0, 1], [0, 1, 0, 1, 0])
    assert sorted((await _ratings(library))[-2:]) == [
        (MIDDLEMARCH, [0, 1, 0, 1, 0]),
        (EMMA, [0, 0, 0, 0, 1]),
    ]


@pytest.mark.parametrize("newer_of", [EMMA, MIDDLEMARCH])
async def test_of_two_by_one_reader_the_newer_counts_and_the_other_comes_back(
    library: Library, newer_of: UUID
) -> None:
    other_book = MIDDLEMARCH if newer_of == EMMA else EMMA
    older = await library.post(ANN, 1, other_book, now=NOW, text="Slow.")
    newer = await library.post(ANN, 4, newer_of, now=SOON)
    bens = await library.post(BEN, 2)
    await _hear(library, _merge(EMMA, MIDDLEMARCH))
    assert sorted(await _shown(library)) == sorted([newer.id, bens.id])
    assert await library.stars() == [0, 1, 0, 1, 0]
    await _is_out_of_sight(library, older)

    await _hear(library, _undo(EMMA, MIDDLEMARCH))
    assert await library.reviews.get(review_id=older.id, actor=ANN) == older
    assert await library.reviews.get(review_id=newer.id, actor=ANN) == newer
    counts = {MIDDLEMARCH: [0, 1, 0, 0, 0], EMMA: [0, 0, 0, 0, 0]}
    counts[other_book][0] += 1
    counts[newer_of][3] += 1
    assert {each: await library.stars(each) for each in counts} == counts


async def _is_out_of_sight(library: Library, review: Review) -> None:
    """Of its author and of staff too, in every list."""
    for actor in (ANN, LEA):
        with pytest.raises(NoSuchReview):
            await library.reviews.get(review_id=review.id, actor=actor)
    for like, actor in (
        (ReviewFilter(), LEA),
        (ReviewFilter(patron_id=ANN.id), ANN),
        (ReviewFilter(book_id=MIDDLEMARCH), BEN),
    ):
        page = await library.reviews.find(like=like, window=Window(total=True), actor=actor)
        assert review.id not in [each.id for each in page.items]
        assert page.total == len(page.items)
    with pytest.raises(NoSuchReview):
        await library.change(review, ANN, rating=5)


async def test_when_the_newer_is_removed_the_other_counts(library: Library) -> None:
    older = await library.post(ANN, 1, EMMA, now=NOW)
    newer = await library.post(ANN, 4, now=SOON)
    await _hear(library, _merge(EMMA, MIDDLEMARCH))
    await library.remove(newer, ANN)
    assert (await _shown(library), await library.stars()) == ([older.id], [1, 0, 0, 0, 0])


async def test_a_hidden_one_is_not_counted_wherever_it_stands(library: Library) -> None:
    made = await library.post(ANN, 1, EMMA)
    await library.decide(made, "hide", "It names a neighbour.")
    await _hear(library, _merge(EMMA, MIDDLEMARCH))
    assert (await _shown(library), await library.stars()) == ([], [0, 0, 0, 0, 0])
    shown = await library.decide(made, "approve")
    assert (shown.book_id, await library.stars()) == (MIDDLEMARCH, [1, 0, 0, 0, 0])


async def test_heard_twice_it_happens_once(library: Library) -> None:
    await library.post(ANN, 1, EMMA)
    await library.post(ANN, 4, now=SOON)
    event = _merge(EMMA, MIDDLEMARCH)
    await _hear(library, event)
    before = await library.everything()
    await _hear(library, event)
    assert await library.everything() == before


@pytest.mark.parametrize("late", [False, True])
async def test_two_merges_in_a_row_lead_to_the_last_book_in_any_order(
    library: Library, late: bool
) -> None:
    library.neighbours.known_books[ADAM_BEDE] = a_book(ADAM_BEDE, "Adam Bede")
    anns = [
        await library.post(ANN, stars, book_id, now=NOW + timedelta(minutes=stars))
        for stars, book_id in ((3, EMMA), (2, MIDDLEMARCH), (1, ADAM_BEDE))
    ]
    bens = await library.post(BEN, 5, EMMA)
    events = [_merge(EMMA, MIDDLEMARCH), _merge(MIDDLEMARCH, ADAM_BEDE)]
    for event in reversed(events) if late else events:
        await _hear(library, event)
    assert sorted(await _shown(library, ADAM_BEDE)) == sorted([anns[0].id, bens.id])
    assert await library.stars(ADAM_BEDE) == [0, 0, 1, 0, 1]
    assert await _into(library, EMMA) == str(MIDDLEMARCH)

    await _hear(library, _undo(MIDDLEMARCH, ADAM_BEDE))
    assert await library.stars(ADAM_BEDE) == [1, 0, 0, 0, 0]
    assert await library.stars(MIDDLEMARCH) == [0, 0, 1, 0, 1]
    await _hear(library, _undo(EMMA, MIDDLEMARCH))
    assert [await _shown(library, each.book_id) for each in anns[1:]] == [[a.id] for a in anns[1:]]
    assert sorted(await _shown(library, EMMA)) == sorted([anns[0].id, bens.id])


async def test_merged_the_other_way_round_and_heard_of_out_of_order(library: Library) -> None:
    made = [await library.post(ANN, 1, EMMA), await library.post(BEN, 2)]
    await _hear(library, _merge(EMMA, MIDDLEMARCH))
    await _hear(library, _merge(MIDDLEMARCH, EMMA))
    await _hear(library, _undo(EMMA, MIDDLEMARCH))
    assert sorted(await _shown(library, EMMA)) == sorted(each.id for each in made)
    assert await library.stars(EMMA) == [1, 1, 0, 0, 0]
    assert await _into(library, MIDDLEMARCH) == str(EMMA)


async def test_a_review_that_was_on_its_way_is_told_which_book_it_is_now(library: Library) -> None:
    """The catalog still said yes; reviews had heard of the merge before it was written."""
    await _hear(library, _merge(EMMA, MIDDLEMARCH))
    before = await library.everything()
    with pytest.raises(BookWasMerged) as told:
        await library.post(ANN, 4, EMMA)
    assert told.value.extra["into"] == str(MIDDLEMARCH)
    like = ReviewFilter(book_id=EMMA)
    with pytest.raises(BookWasMerged):
        await library.reviews.find(like=like, window=Window(), actor=Actor())
    async with library.db.read() as session:
        assert await merged.written(session, ids=[EMMA, MIDDLEMARCH]) == []
    assert await library.everything() == before


async def test_who_borrowed_the_one_has_the_mark_at_the_other(library: Library) -> None:
    """A loan that ended names the book that was lent."""
    made = await library.post(ANN, 4, EMMA)
    await _hear(library, _merge(EMMA, MIDDLEMARCH))
    library.neighbours.borrowed = {(ANN.id, EMMA)}
    assert await library.reviews.verify(now=NOW + timedelta(days=2)) == 1
    assert (await library.reviews.get(review_id=made.id, actor=ANN)).verified is True


async def test_a_removed_reader_keeps_one_review_without_a_name(library: Library) -> None:
    older = await library.post(ANN, 1, EMMA, now=NOW)
    newer = await library.post(ANN, 4, now=SOON)
    await _hear(library, _merge(EMMA, MIDDLEMARCH))
    assert ANN.id is not None
    await _hear(library, PatronRemoved(at=LATER, patron_id=ANN.id))
    await _hear(library, _undo(EMMA, MIDDLEMARCH))
    assert (await _shown(library), await _shown(library, EMMA)) == ([newer.id], [])
    assert older.id not in [each.id for each in (await library.page()).items]


async def test_a_destroyed_book_takes_what_came_with_a_merge_along(library: Library) -> None:
    await library.post(ANN, 1, EMMA, now=NOW)
    await library.post(ANN, 4, now=SOON)
    await _hear(library, _merge(EMMA, MIDDLEMARCH))
    del library.neighbours.known_books[MIDDLEMARCH]
    await _hear(library, BookWithdrawn(at=LATER, book_id=MIDDLEMARCH))
    async with library.db.read() as session:
        assert await merged.written(session, ids=[EMMA, MIDDLEMARCH]) == []
