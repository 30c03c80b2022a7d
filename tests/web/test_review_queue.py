"""What staff decide about, without JavaScript."""

from lendery.contracts.base import Window
from lendery.contracts.permissions import SYSTEM, Actor
from lendery.contracts.reviews import NewReport, NewReview, Review, ReviewFilter

from .conftest import NASTY, Browser, Library, Page, ago
from .test_catalogue import assert_harmless

PATH = "/staff/reviews"


async def reported(library: Library, who: str = "Cas Berg", text: str = "Rude words.") -> Review:
    reviews = library.wiring.reviews
    author = Actor(id=library.people[who].id, role="reader")
    made = await reviews.post(
        book_id=library.books["Emma"].id,
        review=NewReview(rating=1, text=text),
        actor=author,
        now=ago(1),
    )
    ann = Actor(id=library.people["Ann Reed"].id, role="reader")
    await reviews.report(
        review_id=made.id, report=NewReport(reason="offensive"), actor=ann, now=ago(0)
    )
    return made


async def press(desk: Browser, button: str, **more: str) -> Page:
    page = await desk.see(PATH)
    return await desk.send(PATH, {"token": page.token, "do": button} | more)


async def state(library: Library, review: Review) -> tuple[bool, str | None]:
    now = await library.wiring.reviews.get(review_id=review.id, actor=SYSTEM)
    return now.hidden, now.hidden_because


async def test_an_empty_queue_says_so(desk: Browser) -> None:
    page = await desk.see(PATH)
    assert "No reports are open." in page.text
    assert f'href="{PATH}" aria-current="page"' in page.response.text
    assert "No review is hidden." in (await desk.see(f"{PATH}?state=hidden")).text


async def test_lea_hides_with_a_reason_and_shows_again(library: Library, desk: Browser) -> None:
    made = await reported(library)
    page = await desk.see(PATH)
    assert "Emma" in page.text and "Rude words." in page.text and "offensive" in page.text
    page = await press(desk, f"hide:{made.id}")
    assert page.response.headers["location"] == f"{PATH}?told=no-reason#told"
    assert await state(library, made) == (False, None)
    page = await press(desk, f"hide:{made.id}", reason="It is rude.")
    assert page.response.headers["location"] == f"{PATH}?told=hidden#told"
    assert await state(library, made) == (True, "It is rude.")
    assert "Hidden. Its author reads why." in (await desk.see(f"{PATH}?told=hidden")).text
    page = await desk.see(f"{PATH}?state=hidden")
    assert "It is rude." in page.text
    sent = {"token": page.token, "do": f"approve:{made.id}"}
    page = await desk.send(f"{PATH}?state=hidden", sent)
    assert page.response.headers["location"] == f"{PATH}?state=hidden&told=approved#told"
    assert await state(library, made) == (False, None)


async def test_an_approved_review_leaves_the_queue(library: Library, desk: Browser) -> None:
    made = await reported(library)
    page = await press(desk, f"approve:{made.id}")
    assert page.response.headers["location"] == f"{PATH}?told=approved#told"
    assert "No reports are open." in (await desk.see(PATH)).text
    assert await state(library, made) == (False, None)


async def test_lea_does_not_decide_about_her_own(library: Library, desk: Browser) -> None:
    made = await reported(library, "Lea Moss")
    page = await press(desk, f"hide:{made.id}", reason="Mine.")
    assert page.response.headers["location"] == f"{PATH}?told=own#told"
    assert await state(library, made) == (False, None)


async def test_a_button_that_is_not_there_does_nothing(library: Library, desk: Browser) -> None:
    made = await reported(library)
    for button in ("", "hide:x", "burn:all", f"burn:{made.id}"):
        page = await press(desk, button, reason="Why not")
        assert page.response.headers["location"] == PATH
    page = await press(desk, f"approve:{library.books['Emma'].id}")
    assert page.response.headers["location"] == f"{PATH}?told=gone#told"
    assert await state(library, made) == (False, None)


async def test_readers_have_no_queue(library: Library, ann: Browser) -> None:
    made = await reported(library)
    assert (await ann.see(PATH)).response.status_code == 403
    home = await ann.see("/my")
    sent = {"token": home.token, "do": f"hide:{made.id}", "reason": "Why not"}
    assert (await ann.send(PATH, sent)).response.status_code == 403
    assert await state(library, made) == (False, None)
    stranger = await library.browser().see(PATH)
    assert stranger.response.headers["location"].startswith("/sign-in")


async def test_what_readers_wrote_is_text_here_too(library: Library, desk: Browser) -> None:
    for who, nasty in zip(("Cas Berg", "Ben Ito", "Lea Moss"), NASTY, strict=False):
        await reported(library, who, nasty)
    page = await desk.see(PATH)
    assert_harmless(page)
    found = await library.wiring.reviews.find(
        like=ReviewFilter(state="reported"), window=Window(), actor=SYSTEM
    )
    assert len(found.items) == len(page.buttons("hide:")) == 3
