"""Placing a hold: a reader for oneself, a librarian for somebody at the desk."""

from datetime import UTC, datetime
from urllib.parse import quote

import pytest

from lendery.contracts.catalog import NewCopy
from lendery.contracts.permissions import SYSTEM
from lendery.web import shelves
from lendery.web.shelves import Places

from .conftest import NASTY, PASSWORD, Browser, Library, Page
from .test_catalogue import assert_harmless


def form_of(library: Library, page: Page, *, north: bool = False) -> dict[str, str]:
    branch = library.north if north else library.central
    return {"token": page.token, "key": page.value("key"), "branch": str(branch.id)}


def asks(page: Page) -> bool:
    return any(a.get("name") == "key" for t, a in page.elements if t == "input")


async def test_the_book_page_says_how_many_wait_and_leads_to_the_hold(library: Library) -> None:
    book = library.books["Middlemarch"]
    path, reader = f"/books/{book.id}", library.browser()
    page = await reader.see(path)
    assert "2 of 2 on shelf" in page.text and "waiting" not in page.text
    assert f'href="{path}/hold"' in page.response.text
    await library.lend("00123", "Ann Reed")
    await library.lend("00124", "Lea Moss")
    await library.hold("Middlemarch", "Cas Berg")
    page = await reader.see(path)
    assert "All 2 on loan, 1 waiting, back from" in page.text


async def test_nobody_waits_for_a_book_without_copies(library: Library, ann: Browser) -> None:
    book = await library.shelve("Silas Marner")
    page = await ann.see(f"/books/{book.id}")
    assert "/hold" not in page.response.text
    page = await ann.see(f"/books/{book.id}/hold")
    assert "no copy of this book" in page.text and not asks(page)


async def test_a_stranger_signs_in_and_comes_back(library: Library) -> None:
    path, ann = f"/books/{library.books['Emma'].id}/hold", library.browser()
    page = await ann.see(path)
    assert page.response.headers["location"] == f"/sign-in?next={quote(path, safe='')}"
    given = {"email": "ann@example.org", "password": PASSWORD, "next": path}
    page = await ann.fill("/sign-in", given)
    assert page.response.headers["location"] == path
    assert "Place hold" in (await ann.see(path)).text


async def test_ann_places_a_hold_and_hears_her_place(library: Library, ann: Browser) -> None:
    await library.lend("00125", "Lea Moss")
    await library.hold("Emma", "Cas Berg")
    path = f"/books/{library.books['Emma'].id}/hold"
    page = await ann.see(path)
    assert "1 reader waits for it; this hold would be 2nd." in page.text
    form = form_of(library, page)
    placed = await ann.send(path, form)
    assert placed.response.status_code == 200 and not asks(placed)
    assert "Hold placed. You are 2nd of 2. Collect it at Central." in placed.text
    again = await ann.send(path, form)
    assert "Hold placed. You are 2nd of 2." in again.text, "a double click places one hold"
    assert len(await library.holds_of("Ann Reed")) == 1
    page = await ann.see(path)
    assert "You have a hold on this book." in page.text and "2nd of 2" in page.text
    assert not asks(page)
    page = await ann.see(f"/books/{library.books['Emma'].id}")
    assert "You have a hold on this book." in page.text and "2nd of 2" in page.text


async def test_the_same_form_with_another_branch_changes_nothing(
    library: Library, ann: Browser
) -> None:
    path = f"/books/{library.books['Emma'].id}/hold"
    form = form_of(library, await ann.see(path))
    await ann.send(path, form)
    page = await ann.send(path, form | {"branch": str(library.north.id)})
    assert page.response.status_code == 303 and page.response.headers["location"] == path
    (hold,) = await library.holds_of("Ann Reed")
    assert hold.pickup_branch_id == library.central.id


async def test_the_home_branch_is_preset(library: Library, ann: Browser) -> None:
    await library.wiring.users.change(
        user_id=library.people["Ann Reed"].id,
        changes={"home_branch_id": library.north.id},
        actor=SYSTEM,
        now=datetime.now(UTC),
    )
    page = await ann.see(f"/books/{library.books['Emma'].id}/hold")
    chosen = [a["value"] for t, a in page.elements if t == "option" and "selected" in a]
    assert chosen == [str(library.north.id)]


async def test_one_branch_leaves_nothing_to_choose(
    library: Library, ann: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def only(ports: object) -> Places:
        return Places({library.central.id: library.central})

    monkeypatch.setattr(shelves, "places", only)
    page = await ann.see(f"/books/{library.books['Emma'].id}/hold")
    assert not any(t == "select" for t, _ in page.elements)
    assert page.value("branch") == str(library.central.id)


async def test_a_refusal_tells_all_reasons_and_no_form(library: Library, ann: Browser) -> None:
    await library.rule("holds", 0)
    await library.lend("00125", "Ann Reed")
    path = f"/books/{library.books['Emma'].id}/hold"
    page = await ann.send(path, form_of(library, await ann.see(path)))
    assert page.response.status_code == 409 and not asks(page)
    assert "This card has a copy of this book. Renew that one." in page.text
    assert "The rules allow this reader no holds here." in page.text
    assert await library.holds_of("Ann Reed") == []


async def test_collected_elsewhere_only_is_asked_again(library: Library, ann: Browser) -> None:
    await library.rule("pickup_branches", "home")
    path = f"/books/{library.books['Emma'].id}/hold"
    page = await ann.send(path, form_of(library, await ann.see(path), north=True))
    assert page.response.status_code == 409
    assert "It is not collected at this branch. Choose another." in page.text
    assert await library.holds_of("Ann Reed") == []
    page = await ann.send(path, form_of(library, page))
    assert "Hold placed. You are 1st of 1." in page.text


async def test_a_librarian_holds_by_card(library: Library, desk: Browser) -> None:
    path = f"/books/{library.books['Emma'].id}/hold"
    page = await desk.see(path)
    form = form_of(library, page)
    nobody = await desk.send(path, form | {"card": "C-9999"})
    assert nobody.response.status_code == 422 and "Nobody has this card." in nobody.text
    assert nobody.value("card") == "C-9999" and asks(nobody)
    empty = await desk.send(path, form | {"card": ""})
    assert empty.response.status_code == 422 and "Scan the card" in empty.text
    assert await library.holds_of("Ann Reed") == []
    page = await desk.send(path, form | {"key": empty.value("key"), "card": "c-1001"})
    assert "Hold placed. Ann Reed is 1st of 1." in page.text
    assert len(await library.holds_of("Ann Reed")) == 1


async def test_a_librarian_holds_from_the_patrons_page(library: Library, desk: Browser) -> None:
    ann = library.people["Ann Reed"].id
    path = f"/books/{library.books['Emma'].id}/hold?patron={ann}"
    page = await desk.see(path)
    assert "For Ann Reed C-1001" in page.text
    assert not any(a.get("name") == "card" for _, a in page.elements)
    page = await desk.send(path, form_of(library, page))
    assert "Hold placed. Ann Reed is 1st of 1." in page.text
    page = await desk.see(path)
    assert "Ann Reed has a hold on this book." in page.text and not asks(page)


async def test_a_reader_holds_for_oneself_only(library: Library, ann: Browser) -> None:
    cas = library.people["Cas Berg"].id
    path = f"/books/{library.books['Emma'].id}/hold?patron={cas}"
    page = await ann.see(path)
    assert "Cas" not in page.text
    await ann.send(path, form_of(library, page) | {"card": "C-1003"})
    assert await library.holds_of("Cas Berg") == []
    assert len(await library.holds_of("Ann Reed")) == 1


async def test_a_hold_needs_the_forms_token(library: Library, ann: Browser) -> None:
    path = f"/books/{library.books['Emma'].id}/hold"
    form = form_of(library, await ann.see(path))
    page = await ann.send(path, form | {"token": "0" * 40})
    assert page.response.status_code == 403 and "Nothing was changed" in page.text
    ann.client.cookies.clear()
    page = await ann.send(path, form)
    assert page.response.headers["location"] == f"/sign-in?next={quote(path, safe='')}"
    assert await library.holds_of("Ann Reed") == []


async def test_titles_and_cards_on_the_hold_page_are_only_shown(
    library: Library, desk: Browser
) -> None:
    for number, text in enumerate(NASTY[:3]):
        book = await library.shelve(text, f"Z0{number}", authors=[text])
        path = f"/books/{book.id}/hold"
        page = await desk.see(path)
        assert text in "".join(page.words)
        assert_harmless(page)
        page = await desk.send(path, form_of(library, page) | {"card": text})
        assert page.response.status_code == 422 and page.value("card") == text
        assert_harmless(page)


async def test_the_copy_at_the_branch_where_it_is_collected_is_named_first(
    library: Library, desk: Browser
) -> None:
    book = await library.shelve("Romola", "R-1", branch_id=library.north.id)
    now = datetime.now(UTC)
    copy = NewCopy(barcode="R-2", book_id=book.id, branch_id=library.central.id)
    await library.wiring.copies.add(copy=copy, actor=SYSTEM, now=now)
    for branch in (library.north, library.central):
        people, cas = library.wiring.users, library.people["Cas Berg"]
        home = {"home_branch_id": branch.id}
        await people.change(user_id=cas.id, changes=home, actor=SYSTEM, now=now)
        page = await desk.see(f"/books/{book.id}/hold?patron={cas.id}")
        assert f"On shelf: {branch.name}" in page.text
