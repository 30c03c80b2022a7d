"""Reviews on the page of a book, without JavaScript."""

from typing import Any
from uuid import UUID

import pytest

from lendery.contracts.base import PeerUnavailable, Window
from lendery.contracts.permissions import STRANGER, SYSTEM, Actor
from lendery.contracts.reviews import Decision, NewReview, Review

from .conftest import NASTY, Browser, Library, Page, ago
from .test_catalogue import assert_harmless


def path_of(library: Library, title: str = "Emma") -> str:
    return f"/books/{library.books[title].id}"


async def write(library: Library, who: str, rating: int, of: str = "Emma", **more: Any) -> Review:
    return await library.wiring.reviews.post(
        book_id=library.books[of].id,
        review=NewReview(rating=rating, **more),
        actor=Actor(id=library.people[who].id, role="reader"),
        now=ago(1),
    )


async def kept(library: Library, title: str = "Emma") -> list[Review]:
    page = await library.wiring.reviews.of_book(
        book_id=library.books[title].id, order="newest", window=Window()
    )
    return list(page.items)


async def post(browser: Browser, path: str, given: dict[str, str]) -> Page:
    return await browser.fill(path, given, to=f"{path}/reviews")


def field(page: Page, name: str) -> dict[str, str]:
    return next(a for t, a in page.elements if t == "input" and a.get("name") == name)


async def test_a_stranger_reads_stars_and_words_and_may_sign_in(library: Library) -> None:
    path, reader = path_of(library), library.browser()
    page = await reader.see(path)
    assert "Nobody has reviewed this book yet." in page.text
    assert f'href="/sign-in?next={path}"' in page.response.text
    await library.lend("00125", "Ann Reed")
    await write(library, "Ann Reed", 4, title="Clever", text="All of it.", display_name="A. of R.")
    await write(library, "Cas Berg", 5)
    page = await reader.see(path)
    assert "4.5" in page.text and "2 reviews" in page.text
    assert "Clever" in page.text and "All of it." in page.text and "A. of R." in page.text
    assert page.text.count("has borrowed it") == 1
    assert "A reader" in page.text and "Ann" not in page.text and "Report" not in page.text
    bars = [(a["value"], a["max"]) for t, a in page.elements if t == "progress"]
    assert bars == [("1", "2"), ("1", "2"), ("0", "2"), ("0", "2"), ("0", "2")]
    assert "set-cookie" not in page.response.headers  # nothing of the page is one person's


async def test_ann_posts_changes_and_removes_her_review(library: Library, ann: Browser) -> None:
    path = path_of(library)
    given = {"rating": "4", "title": "Clever", "text": "One.\r\nTwo.", "display_name": "Ann R."}
    page = await post(ann, path, given | {"do": "post"})
    assert page.response.status_code == 303
    assert page.response.headers["location"] == f"{path}?told=posted#reviews"
    page = await ann.see(f"{path}?told=posted")
    assert "Thank you. Your review is here." in page.text and "Your review" in page.text
    [made] = await kept(library)
    assert (made.rating, made.title, made.text, made.display_name) == (
        4, "Clever", "One.\nTwo.", "Ann R.",
    )  # fmt: skip

    page = await ann.see(path)
    checked = [a["value"] for t, a in page.elements if a.get("name") == "rating" and "checked" in a]
    assert (checked, field(page, "title")["value"]) == (["4"], "Clever")
    changes = {"rating": "2", "title": "", "text": "One.", "display_name": "", "version": "1"}
    page = await post(ann, path, changes | {"do": f"change:{made.id}"})
    assert page.response.headers["location"] == f"{path}?told=changed#reviews"
    [changed] = await kept(library)
    assert (changed.rating, changed.title, changed.display_name) == (2, None, None)

    page = await post(ann, path, {"do": f"remove:{made.id}"})
    assert page.response.headers["location"] == f"{path}?told=removed#reviews"
    assert await kept(library) == []


async def test_what_is_wrong_is_said_beside_the_field_and_nothing_is_lost(
    library: Library, ann: Browser
) -> None:
    path = path_of(library)
    given = {"title": "Clever", "text": "x" * 5_001, "display_name": "ann@example.org"}
    page = await post(ann, path, given | {"do": "post"})
    assert page.response.status_code == 422
    assert "Choose from one to five stars." in page.text
    assert "At most 5000 characters." in page.text
    assert "Choose a name that is no address and no card number." in page.text
    assert field(page, "title")["value"] == "Clever"
    assert field(page, "display_name")["value"] == "ann@example.org"
    assert "x" * 5_001 in page.response.text
    assert await kept(library) == []


async def test_a_review_changed_elsewhere_is_not_overwritten(
    library: Library, ann: Browser
) -> None:
    path, made = path_of(library), await write(library, "Ann Reed", 4)
    changes = {"rating": "1", "version": "7", "do": f"change:{made.id}"}
    page = await post(ann, path, changes)
    assert page.response.headers["location"] == f"{path}?told=stale#reviews"
    page = await post(ann, path, {"rating": "1", "do": "post"})
    assert page.response.headers["location"] == f"{path}?told=already#reviews"
    assert [each.rating for each in await kept(library)] == [4]


async def test_ann_reports_what_another_wrote_and_not_her_own(
    library: Library, ann: Browser
) -> None:
    path = path_of(library)
    own, other = await write(library, "Ann Reed", 4), await write(library, "Cas Berg", 1)
    page = await ann.see(path)
    assert page.buttons("report:") == [f"report:{other.id}"]
    for told, which in (("reported", other), ("already-reported", other), ("own", own)):
        page = await post(ann, path, {"do": f"report:{which.id}", "reason": "spam"})
        assert page.response.headers["location"] == f"{path}?told={told}#reviews"
    shown = await library.wiring.reviews.get(review_id=other.id, actor=SYSTEM)
    assert shown.reports == {"spam": 1}


@pytest.mark.parametrize("do", ["", "post:x", "remove:", "remove:x", "report:7", "burn:all"])
async def test_a_button_that_is_not_there_does_nothing(
    library: Library, ann: Browser, do: str
) -> None:
    path = path_of(library)
    await write(library, "Ann Reed", 4)
    page = await post(ann, path, {"do": do})
    assert page.response.status_code in (303, 422)
    assert [each.rating for each in await kept(library)] == [4]


async def test_a_form_without_its_token_changes_nothing(library: Library, ann: Browser) -> None:
    path = path_of(library)
    page = await ann.send(f"{path}/reviews", {"rating": "5", "do": "post", "token": "made up"})
    assert page.response.status_code == 403
    assert await kept(library) == []


async def test_who_has_to_sign_in_comes_back_to_the_reviews(library: Library) -> None:
    path, reader = path_of(library), library.browser()
    page = await reader.send(f"{path}/reviews", {"rating": "5", "do": "post"})
    assert page.response.headers["location"].startswith("/sign-in?next=")
    page = await reader.see(f"{path}/reviews")
    assert page.response.headers["location"] == f"{path}#reviews"


async def test_reviews_come_in_the_order_asked_and_page_by_page(
    library: Library, ann: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lendery.web.opinions.SHOWN", 2)
    path = path_of(library)
    for number, (who, rating) in enumerate((("Ann Reed", 5), ("Ben Ito", 1), ("Cas Berg", 3))):
        await write(library, who, rating, title=f"Word{number}")

    def shown(page: Page) -> list[str]:
        section = page.text[page.text.index("Order:") :]
        return [word for word in section.split() if word.startswith("Word")]

    reader = library.browser()
    assert shown(await reader.see(path)) == ["Word2", "Word1"]
    page = await reader.see(f"{path}?order=highest")
    assert shown(page) == ["Word0", "Word2"]
    more = next(a["href"] for t, a in page.elements if a.get("rel") == "next")
    page = await reader.see(more)
    assert shown(page) == ["Word1"] and "From the first" in page.text
    for odd in ("order=worst", "after=nonsense", "order=lowest&after=WzFd"):
        assert len(shown(await reader.see(f"{path}?{odd}"))) == 2


@pytest.mark.parametrize("nasty", NASTY)
async def test_what_readers_type_is_text(library: Library, ann: Browser, nasty: str) -> None:
    path = path_of(library)
    name = nasty[:60]
    await write(library, "Cas Berg", 3, title=nasty, text=nasty, display_name=name)
    await post(ann, path, {"rating": "4", "title": nasty, "text": nasty, "display_name": name,
                           "do": "post"})  # fmt: skip
    page = await ann.see(path)
    assert nasty in "".join(page.words)
    assert_harmless(page)
    page = await post(ann, path, {"title": nasty, "text": nasty, "do": "post"})
    assert page.response.status_code == 422
    assert_harmless(page)


async def test_the_author_alone_sees_a_hidden_review_and_why(
    library: Library, ann: Browser
) -> None:
    path, made = path_of(library), await write(library, "Ann Reed", 4, text="Rude words.")
    hide = Decision(decision="hide", reason="It is rude.")
    await library.wiring.reviews.moderate(
        review_id=made.id, decision=hide, actor=SYSTEM, now=ago(0)
    )
    page = await ann.see(path)
    assert "Staff have hidden this review: It is rude." in page.text and "Rude words." in page.text
    page = await library.browser().see(path)
    assert "Rude words." not in page.text and "Nobody has reviewed this book yet." in page.text


class Away:
    """Reviews while it does not answer."""

    def __getattr__(self, name: str) -> Any:
        async def asked(**_: Any) -> None:
            raise PeerUnavailable("No answer from reviews.")

        return asked


async def test_the_page_of_a_book_is_there_while_reviews_is_away(
    library: Library, ann: Browser
) -> None:
    await write(library, "Cas Berg", 3)
    await library.told()
    vars(library.wiring)["reviews"] = Away()
    page = await ann.see(path_of(library))
    assert page.response.status_code == 200
    assert "Reviews cannot be shown just now." in page.text
    assert "3.0" in page.text and "1 review" in page.text  # the catalogue knows the stars


async def test_a_book_that_left_the_library_takes_no_more_reviews(
    library: Library, ann: Browser
) -> None:
    await write(library, "Cas Berg", 3)
    book_id: UUID = library.books["Emma"].id
    await library.wiring.books.remove(book_id=book_id, actor=SYSTEM, now=ago(0))
    page = await ann.see(path_of(library))
    assert "1 review" in page.text and "Review this book" not in page.text
    page = await post(ann, path_of(library), {"rating": "5", "do": "post"})
    assert page.response.status_code == 409 and "no longer part of the library" in page.text
    assert len(await kept(library)) == 1


async def test_books_are_listed_by_their_stars(library: Library) -> None:
    await write(library, "Cas Berg", 5, "Persuasion")
    await write(library, "Cas Berg", 2, "Emma")
    await library.told()
    page = await library.browser().see("/books?sort=rating")
    places = [page.text.index(title) for title in ("Persuasion", "Emma", "Middlemarch")]
    assert places == sorted(places)
    found = await library.wiring.reviews.find(like=_everything(), window=Window(), actor=STRANGER)
    assert len(found.items) == 2


class Silent:
    """The catalogue, which does not say what stars there are."""

    def __init__(self, books: Any) -> None:
        self._books = books

    def __getattr__(self, name: str) -> Any:
        return getattr(self._books, name)

    async def ratings(self, *, ids: list[UUID]) -> Any:
        raise PeerUnavailable("No answer from catalog.")


async def test_lists_show_stars_beside_the_books_that_have_any(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    agnes = await library.shelve(
        "Agnes Grey", authors=["Anne Brontë"], subjects=["Governesses"], series="Bells"
    )
    library.books["Agnes Grey"] = agnes
    await write(library, "Cas Berg", 4, "Agnes Grey")
    await write(library, "Ann Reed", 5, "Agnes Grey")
    await library.told()
    reader = library.browser()
    places = [f"/authors/{agnes.authors[0].id}", "/books?q=agnes"]
    for heading in ("subjects?q=governesses", "series?q=bells"):
        page = await reader.see(f"/{heading}")
        found = [a["href"] for t, a in page.elements if t == "a" and a.get("class") == "title"]
        places += found
    assert len(places) == 4
    for place in places:
        assert "★ Stars: 4.5 (2) 2 reviews" in (await reader.see(place)).text, place
    everything = (await reader.see("/books")).text
    assert everything.count("★") == 1  # nobody gave the others any

    vars(library.wiring)["reviews"] = Away()
    assert "4.5 (2)" in (await reader.see(places[0])).text
    monkeypatch.setitem(vars(library.wiring), "books", Silent(library.wiring.books))
    for place in places:
        page = await reader.see(place)
        assert page.response.status_code == 200, place
        assert "Agnes Grey" in page.text and "★" not in page.text, place


def _everything() -> Any:
    from lendery.contracts.reviews import ReviewFilter

    return ReviewFilter()
