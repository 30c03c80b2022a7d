"""Reports, the queue of staff, and what they decide."""

import asyncio
from typing import Any
from uuid import UUID, uuid4

import pytest

from lendery.contracts.base import Invalid, NotAllowed, SignInNeeded, Window
from lendery.contracts.permissions import STRANGER, SYSTEM, Actor
from lendery.contracts.reviews import (
    AlreadyReported,
    NoSuchReview,
    OwnReview,
    Review,
    ReviewFilter,
)
from tests.reviews.conftest import ANN, BEN, CAS, LEA, Library


async def _queue(library: Library, state: Any, actor: Actor = LEA) -> list[Review]:
    page = await library.reviews.find(
        like=ReviewFilter(state=state), window=Window(total=True), actor=actor
    )
    assert page.total == len(page.items)
    return list(page.items)


async def _read(library: Library, review: Review, actor: Actor) -> Review:
    return await library.reviews.get(review_id=review.id, actor=actor)


async def test_a_reported_review_stays_to_be_read_and_stands_in_the_queue(
    library: Library,
) -> None:
    made = await library.post(ANN, 1)
    await library.post(BEN, 5)
    await library.report(made, BEN, reason="offensive")
    await library.report(made, CAS, reason="spam")
    await library.report(made, LEA, reason="spam")
    assert await library.stars() == [1, 0, 0, 0, 1]
    assert await _read(library, made, STRANGER) == made
    assert await _read(library, made, ANN) == made  # its author is not told who or why
    (queued,) = await _queue(library, "reported")
    assert queued == made.model_copy(update={"reports": {"offensive": 1, "spam": 2}})
    assert await _read(library, made, LEA) == queued
    reported = [body for name, body in await library.log() if name == "ReviewReported"]
    assert [set(body) for body in reported] == [{"review_id", "book_id", "reason"}] * 3


async def test_one_report_for_each_person(library: Library) -> None:
    made = await library.post(ANN, 1)
    await library.report(made, BEN)
    before = await library.everything()
    with pytest.raises(AlreadyReported):
        await library.report(made, BEN, reason="spam")
    with pytest.raises(OwnReview):
        await library.report(made, ANN)
    with pytest.raises(SignInNeeded):
        await library.report(made, STRANGER)
    with pytest.raises(NoSuchReview):
        await library.report(made.model_copy(update={"id": uuid4()}), BEN)
    assert await library.everything() == before


async def test_the_same_report_at_once_counts_once(library: Library) -> None:
    made = await library.post(ANN, 1)
    answers = await asyncio.gather(
        *(library.report(made, BEN) for _ in range(10)), return_exceptions=True
    )
    assert [each for each in answers if each is None] == [None]
    assert (await _queue(library, "reported"))[0].reports == {"other": 1}


async def test_a_hidden_review_is_there_for_its_author_and_staff(library: Library) -> None:
    made = await library.post(ANN, 1, text="The neighbour is a fool.")
    await library.post(BEN, 5)
    await library.report(made, BEN, reason="personal")
    hidden = await library.decide(made, "hide", "It is about a neighbour.")
    assert (hidden.hidden, hidden.hidden_because) == (True, "It is about a neighbour.")
    assert await library.stars() == [0, 0, 0, 0, 1]
    assert [each.rating for each in (await library.page()).items] == [5]
    assert await _queue(library, "reported") == []
    assert [each.id for each in await _queue(library, "hidden")] == [made.id]
    for who in (STRANGER, BEN):
        with pytest.raises(NoSuchReview):
            await _read(library, made, who)
    own = await _read(library, made, ANN)
    assert (own.hidden, own.hidden_because, own.reports) == (
        True,
        "It is about a neighbour.",
        None,
    )
    mine = ReviewFilter(patron_id=ANN.id)
    listed = await library.reviews.find(like=mine, window=Window(), actor=ANN)
    assert [each.hidden for each in listed.items] == [True]
    assert (await library.told())[-2:] == ["ReviewHidden", "RatingChanged"]
    told = next(body for name, body in await library.log() if name == "ReviewHidden")
    assert set(told) == {"review_id", "book_id", "by"}


async def test_a_hidden_review_that_is_changed_stays_hidden_until_staff_approve(
    library: Library,
) -> None:
    made = await library.post(ANN, 1, text="A fool.")
    await library.decide(made, "hide", "Unkind.")
    changed = await library.change(made, text="Not for me.", rating=2)
    assert (changed.hidden, changed.text) == (True, "Not for me.")
    assert await library.stars() == [0, 0, 0, 0, 0]
    approved = await library.decide(made, "approve")
    assert (approved.hidden, approved.hidden_because) == (False, None)
    assert await library.stars() == [0, 1, 0, 0, 0]
    assert (await library.told())[-2:] == ["ReviewApproved", "RatingChanged"]


async def test_an_approved_review_leaves_the_queue_and_others_may_report_it_again(
    library: Library,
) -> None:
    made = await library.post(ANN, 1)
    await library.report(made, BEN)
    told = await library.decide(made, "approve", "An opinion.")
    assert (told.hidden, told.reports) == (False, {})
    assert await _queue(library, "reported") == []
    with pytest.raises(AlreadyReported):
        await library.report(made, BEN)
    await library.report(made, CAS)
    assert [each.reports for each in await _queue(library, "reported")] == [{"other": 1}]


async def test_nobody_decides_about_a_review_of_their_own(library: Library) -> None:
    own = await library.post(LEA, 5)
    await library.report(own, BEN)
    before = await library.everything()
    for decision, reason in (("approve", None), ("hide", "Mine")):
        with pytest.raises(OwnReview):
            await library.decide(own, decision, reason)
    assert await library.everything() == before
    await library.decide(own, "approve", who=SYSTEM)


async def test_who_may_not_decide_and_what_is_no_decision(library: Library) -> None:
    made = await library.post(ANN, 1)
    before = await library.everything()
    for who, problem in ((STRANGER, SignInNeeded), (ANN, NotAllowed), (BEN, NotAllowed)):
        with pytest.raises(problem):
            await library.decide(made, "hide", "Why not", who=who)
        with pytest.raises(problem):
            await _queue(library, "reported", who)
    with pytest.raises(Invalid) as without_reason:
        await library.decide(made, "hide")
    assert without_reason.value.extra["errors"][0]["pointer"] == "#/reason"
    with pytest.raises(NoSuchReview):
        await library.decide(made.model_copy(update={"id": UUID(int=5)}), "approve")
    assert await library.everything() == before


async def test_hiding_twice_takes_the_stars_once(library: Library) -> None:
    made = await library.post(ANN, 3)
    await library.post(BEN, 3)
    await library.decide(made, "hide", "Spam.")
    await library.decide(made, "hide", "Spam, again.")
    assert await library.stars() == [0, 0, 1, 0, 0]
    await library.remove(made, ANN)
    assert await library.stars() == [0, 0, 1, 0, 0]
