"""Reviews put up, read, changed and taken down."""

import asyncio
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from pydantic import ValidationError

from lendery.contracts.base import Invalid, NotAllowed, PeerUnavailable, SignInNeeded, Stale, Window
from lendery.contracts.catalog import NoSuchBook
from lendery.contracts.permissions import STRANGER, SYSTEM, Actor
from lendery.contracts.reviews import (
    AlreadyReviewed,
    BookIsWithdrawn,
    NewReview,
    NoSuchReview,
    PastReview,
    Review,
    ReviewFilter,
)
from tests.reviews.conftest import (
    ANN,
    BEN,
    CAS,
    EMMA,
    LATER,
    LEA,
    MIDDLEMARCH,
    NOW,
    PERSUASION,
    Library,
)


async def test_ann_reviews_a_book_and_everybody_reads_it(library: Library) -> None:
    made = await library.post(
        ANN, 4, title="Slow and wise", text="A month\nof evenings.", display_name="Ann of the hill"
    )
    assert made == Review(
        id=made.id,
        book_id=MIDDLEMARCH,
        rating=4,
        title="Slow and wise",
        text="A month\nof evenings.",
        display_name="Ann of the hill",
        verified=False,
        created_at=NOW,
        edited_at=None,
        version=1,
    )
    page = await library.page()
    assert list(page.items) == [made]
    assert page.rating.model_dump() == {
        "book_id": MIDDLEMARCH,
        "count": 1,
        "average": 4.0,
        "histogram": (0, 0, 0, 1, 0),
    }
    assert await library.reviews.get(review_id=made.id, actor=STRANGER) == made
    stars = {"ones": 0, "twos": 0, "threes": 0, "fours": 1, "fives": 0}
    assert await library.log() == [
        ("ReviewPosted", {"review_id": str(made.id), "book_id": str(MIDDLEMARCH)}),
        ("RatingChanged", {"book_id": str(MIDDLEMARCH), **stars, "version": 1}),
    ]


async def test_stars_alone_are_a_review_and_blanks_are_no_text(library: Library) -> None:
    made = await library.post(text=" \n ")
    assert (made.title, made.text, made.display_name) == (None, None, None)


async def test_a_second_review_of_the_same_book_names_the_first(library: Library) -> None:
    first = await library.post(ANN, 5)
    before = await library.everything()
    with pytest.raises(AlreadyReviewed) as refused:
        await library.post(ANN, 1)
    assert refused.value.extra["review_id"] == str(first.id)
    assert await library.everything() == before
    await library.post(BEN, 1)
    await library.post(ANN, 1, EMMA)
    assert await library.stars() == [1, 0, 0, 0, 1]
    assert await library.stars(EMMA) == [1, 0, 0, 0, 0]


async def test_ann_at_fifty_desks_at_once_has_one_review(library: Library) -> None:
    answers = await asyncio.gather(
        *(library.post(ANN, 1 + n % 5) for n in range(50)), return_exceptions=True
    )
    made = [each for each in answers if isinstance(each, Review)]
    assert len(made) == 1
    assert all(isinstance(each, AlreadyReviewed) for each in answers if each not in made)
    assert [each.id for each in (await library.page()).items] == [made[0].id]
    assert sum(await library.stars()) == 1
    assert (await library.told()).count("ReviewPosted") == 1


@pytest.mark.parametrize("name", ["ann@example.org", "30001000000017", "Card 12345", "\x07", " "])
def test_a_name_that_leads_to_the_person_is_refused(name: str) -> None:
    with pytest.raises(ValidationError):
        NewReview(rating=5, display_name=name)


@pytest.mark.parametrize(
    "wrong",
    [
        {"rating": 0},
        {"rating": 6},
        {"rating": 4.5},
        {"text": "x" * 5_001},
        {"title": "x" * 201},
        {"display_name": "x" * 61},
        {"text": "a\x00b"},
        {"text": "a\ud800b"},
        {"title": "two\nlines"},
        {"patron_id": str(UUID(int=7))},
        {"verified": True},
    ],
    ids=str,
)
def test_what_is_no_review_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        NewReview.model_validate({"rating": 5} | wrong)


def test_the_longest_that_is_taken() -> None:
    kept = NewReview(rating=1, text="x" * 5_000, title="x" * 200, display_name="x" * 60)
    assert (len(kept.text or ""), len(kept.title or "")) == (5_000, 200)


@pytest.mark.parametrize(
    ("who", "book_id", "problem"),
    [
        (STRANGER, MIDDLEMARCH, SignInNeeded),
        (SYSTEM, MIDDLEMARCH, NotAllowed),
        (ANN, uuid4(), NoSuchBook),
        (ANN, PERSUASION, BookIsWithdrawn),
    ],
)
async def test_who_cannot_review_and_what(
    library: Library, who: Actor, book_id: UUID, problem: type[Exception]
) -> None:
    before = await library.everything()
    with pytest.raises(problem):
        await library.post(who, 5, book_id)
    assert await library.everything() == before


async def test_nothing_is_reviewed_while_the_catalog_is_away_but_all_is_read(
    library: Library,
) -> None:
    made = await library.post(ANN, 5)
    library.neighbours.catalog_is_away = True
    with pytest.raises(PeerUnavailable):
        await library.post(BEN, 1)
    assert [each.id for each in (await library.page()).items] == [made.id]
    assert (await library.change(made, rating=4)).rating == 4
    with pytest.raises(PeerUnavailable):
        await library.page(EMMA)  # nobody reviewed it: whether there is such a book is not known


async def test_a_book_nobody_reviewed_has_an_empty_list_and_an_unknown_one_none(
    library: Library,
) -> None:
    page = await library.page(EMMA, total=True)
    assert (list(page.items), page.total, page.rating.count, page.rating.average) == (
        [],
        0,
        0,
        None,
    )
    with pytest.raises(NoSuchBook):
        await library.page(uuid4())


async def _many(library: Library) -> list[Review]:
    stars = [3, 5, 1, 5, 4, 1, 3]
    return [await library.post(Actor(id=uuid4(), role="reader"), each) for each in stars]


@pytest.mark.parametrize(
    ("order", "places"),
    [
        ("newest", [6, 5, 4, 3, 2, 1, 0]),
        ("highest", [3, 1, 4, 6, 0, 5, 2]),
        ("lowest", [2, 5, 0, 6, 4, 1, 3]),
    ],
)
async def test_pages_follow_each_other_in_each_order(
    library: Library, order: str, places: list[int]
) -> None:
    made = await _many(library)
    await library.post(ANN, 2, EMMA)
    seen: list[UUID] = []
    after = None
    for _ in range(4):
        page = await library.page(order=order, limit=2, after=after, total=True)
        seen += [each.id for each in page.items]
        assert page.total == page.rating.count == 7
        after = page.next_cursor
        if after is None:
            break
        if len(seen) == 2 and order == "newest":
            await library.post(CAS, 5, EMMA)  # what comes meanwhile moves nothing
    assert seen == [made[at].id for at in places]
    assert after is None


@pytest.mark.parametrize("cursor", ["x", "WzFd", "WyJoaWdoZXN0Iiw5LCIwIl0"])
async def test_a_cursor_of_another_list_is_refused(library: Library, cursor: str) -> None:
    await library.post()
    with pytest.raises(Invalid):
        await library.page(after=cursor)
    await library.post(BEN)
    highest = await library.page(order="highest", limit=1)
    with pytest.raises(Invalid):
        await library.page(order="lowest", after=highest.next_cursor)


async def test_ann_changes_her_review_and_the_stars_follow(library: Library) -> None:
    made = await library.post(ANN, 5, title="Great", text="All of it.", display_name="Ann")
    changed = await library.change(made, rating=2, title=None, expected=1)
    assert changed == made.model_copy(
        update={"rating": 2, "title": None, "edited_at": LATER, "version": 2}
    )
    assert await library.stars() == [0, 1, 0, 0, 0]
    assert (await library.told())[2:] == ["ReviewChanged", "RatingChanged"]
    await library.change(changed, text="Some of it.")
    assert (await library.told())[4:] == ["ReviewChanged"]  # the same stars: nothing to tell
    anonymous = await library.change(changed, display_name=None)
    assert (anonymous.display_name, anonymous.text, anonymous.version) == (None, "Some of it.", 4)


async def test_a_change_without_changes_changes_nothing(library: Library) -> None:
    made = await library.post(ANN, 5)
    told = await library.told()
    assert await library.change(made) == made
    assert await library.told() == told


async def test_refused_changes(library: Library) -> None:
    made = await library.post(ANN, 5)
    before = await library.everything()
    with pytest.raises(Stale):
        await library.change(made, rating=1, expected=2)
    with pytest.raises(Invalid):
        await library.change(made, rating=None)
    for who in (BEN, LEA):  # nobody rewrites what another wrote
        with pytest.raises(NotAllowed):
            await library.change(made, who, rating=1)
    with pytest.raises(SignInNeeded):
        await library.change(made, STRANGER, rating=1)
    with pytest.raises(NotAllowed):
        await library.remove(made, BEN)
    with pytest.raises(Stale):
        await library.remove(made, ANN, version=7)
    with pytest.raises(NoSuchReview):
        await library.change(made.model_copy(update={"id": uuid4()}), rating=1)
    assert await library.everything() == before


@pytest.mark.parametrize("who", [ANN, LEA])
async def test_a_review_taken_down_leaves_nothing(library: Library, who: Actor) -> None:
    made = await library.post(ANN, 5)
    await library.report(made, BEN)
    await library.remove(made, who, version=1)
    assert (await library.told())[-2:] == ["ReviewRemoved", "RatingChanged"]
    assert await library.stars() == [0, 0, 0, 0, 0]
    assert list((await library.page()).items) == []
    with pytest.raises(NoSuchReview):
        await library.reviews.get(review_id=made.id, actor=ANN)
    await library.post(ANN, 3)
    assert await library.stars() == [0, 0, 1, 0, 0]


async def test_stars_stay_right_when_many_change_at_once(library: Library) -> None:
    people = [Actor(id=uuid4(), role="reader") for _ in range(8)]
    made = await asyncio.gather(*(library.post(who, 5) for who in people))
    await asyncio.gather(
        *(library.change(made[n], people[n], rating=n % 3 + 1) for n in range(6)),
        *(library.remove(made[n], people[n]) for n in (6, 7)),
    )
    assert await library.stars() == [2, 2, 2, 0, 0]
    last = [body for name, body in await library.log() if name == "RatingChanged"][-1]
    assert [last[name] for name in ("ones", "twos", "threes", "fours", "fives")] == [2, 2, 2, 0, 0]
    versions = [body["version"] for name, body in await library.log() if name == "RatingChanged"]
    assert versions == sorted(set(versions))


async def _found(library: Library, actor: Actor, **like: Any) -> list[UUID]:
    page = await library.reviews.find(like=ReviewFilter(**like), window=Window(), actor=actor)
    return [each.id for each in page.items]


async def test_lists_of_all_of_one_book_and_of_oneself(library: Library) -> None:
    first = await library.post(ANN, 5)
    second = await library.post(BEN, 1)
    third = await library.post(ANN, 3, EMMA)
    assert await _found(library, STRANGER) == [third.id, second.id, first.id]
    assert await _found(library, STRANGER, book_id=MIDDLEMARCH) == [second.id, first.id]
    assert await _found(library, ANN, patron_id=ANN.id) == [third.id, first.id]
    assert await _found(library, ANN, patron_id=ANN.id, book_id=EMMA) == [third.id]
    with pytest.raises(NotAllowed):
        await _found(library, BEN, patron_id=ANN.id)
    page = await library.reviews.find(
        like=ReviewFilter(), window=Window(limit=2, total=True), actor=STRANGER
    )
    assert page.total == 3
    rest = await library.reviews.find(
        like=ReviewFilter(), window=Window(after=page.next_cursor), actor=STRANGER
    )
    assert [each.id for each in rest.items] == [first.id]
    assert rest.next_cursor is None


def _past(who: Actor, days_ago: int, book_id: UUID = MIDDLEMARCH, rating: int = 4) -> PastReview:
    assert who.id
    at = NOW - timedelta(days=days_ago)
    return PastReview(book_id=book_id, patron_id=who.id, at=at, rating=rating)


async def test_past_reviews_come_in_the_order_they_were_written(library: Library) -> None:
    assert ANN.id
    library.neighbours.borrowed.add((ANN.id, MIDDLEMARCH))
    given = [_past(ANN, 3, rating=5), _past(BEN, 9), _past(CAS, 1, EMMA)]
    assert await library.reviews.add_many(reviews=given, actor=SYSTEM, now=NOW) == 3
    page = await library.page()
    assert [(each.rating, each.verified) for each in page.items] == [(5, True), (4, False)]
    assert [NOW - each.created_at for each in page.items] == [timedelta(3), timedelta(9)]
    assert page.rating.histogram == (0, 0, 0, 1, 1)
    assert len(library.neighbours.asked) == 1
    assert (await library.told()).count("RatingChanged") == 2


async def test_past_reviews_are_taken_all_or_none(library: Library) -> None:
    await library.post(ANN, 1)
    before = await library.everything()
    refused: list[tuple[list[PastReview], Actor, type[Exception]]] = [
        ([_past(BEN, 1), _past(ANN, 2)], SYSTEM, AlreadyReviewed),
        ([_past(BEN, 1), _past(BEN, 2)], SYSTEM, AlreadyReviewed),
        ([_past(BEN, 1), _past(BEN, 2, uuid4())], SYSTEM, NoSuchBook),
        ([_past(BEN, 1)], BEN, NotAllowed),
    ]
    for reviews, actor, problem in refused:
        with pytest.raises(problem):
            await library.reviews.add_many(reviews=reviews, actor=actor, now=NOW)
    assert await library.everything() == before
