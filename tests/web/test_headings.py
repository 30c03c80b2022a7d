"""The pages of authors, subjects and series, and the list of what looks the same."""

from typing import Any

from lendery.contracts.catalog import Book
from lendery.contracts.permissions import SYSTEM

from .conftest import NASTY, Browser, Library, Page, ago

BY: dict[str, Any] = {"actor": SYSTEM, "now": ago(0)}


async def test_staff_say_what_an_author_is_also_called(library: Library, desk: Browser) -> None:
    romola = await library.shelve("Romola", authors=["George Eliot"])
    place = f"/authors/{romola.authors[0].id}"
    assert "Other forms of the name" not in (await library.browser().see(place)).text
    page = await desk.see(place)
    await desk.send(f"{place}/variants", {"token": page.token, "name": " Mary Ann Evans "})
    page = await library.browser().see(place)
    assert "Also: Mary Ann Evans" in page.text and "Romola" in page.text
    assert "Romola" in (await library.browser().see("/books?q=evans")).text
    found = await library.browser().see("/authors?q=mary+ann")
    assert "George Eliot" in found.text and place in found.response.text
    page = await desk.see(place)
    [gone] = [a["value"] for t, a in page.elements if t == "button" and a.get("name") == "remove"]
    await desk.send(f"{place}/variants", {"token": page.token, "remove": gone})
    assert "Mary Ann Evans" not in (await library.browser().see(place)).text


async def test_a_reader_changes_no_name(library: Library) -> None:
    romola = await library.shelve("Romola", authors=["George Eliot"])
    place = f"/authors/{romola.authors[0].id}"
    reader = library.browser()
    await reader.sign_in("ann@example.org")
    token = (await reader.see("/my")).token
    page = await reader.send(f"{place}/variants", {"token": token, "name": "Ann"})
    assert page.response.status_code == 403
    assert "Also:" not in (await reader.see(place)).text


async def test_a_subject_has_a_page_with_its_books(library: Library) -> None:
    await library.shelve("Joy of Cooking", subjects=["Cooking"])
    reader = library.browser()
    page = await reader.see("/subjects?q=cook")
    [place] = [a["href"] for t, a in page.elements if t == "a" and a.get("class") == "title"]
    page = await reader.see(place)
    assert "1 book." in page.text and "Joy of Cooking" in page.text
    assert (await reader.see(f"/subjects/{library.central.id}")).response.status_code == 404


async def test_a_book_leads_to_its_series_in_order(library: Library) -> None:
    name = "Barsetshire / Chronicles, 100% & more?"
    second = await library.shelve("Barchester Towers", series=name, series_number="2")
    await library.shelve("The Warden", series=name, series_number="1")
    reader = library.browser()
    page = await reader.see(f"/books/{second.id}")
    [place] = [a["href"] for t, a in page.elements if a.get("href", "").startswith("/series/B")]
    page = await reader.see(place)
    assert "2 books, in the order of reading." in page.text
    assert page.text.index("The Warden") < page.text.index("Barchester Towers")
    listed = await reader.see("/series")
    [place] = [a["href"] for t, a in listed.elements if t == "a" and a.get("class") == "title"]
    assert "The Warden" in (await reader.see(place)).text


async def test_a_book_shows_its_other_editions(library: Library) -> None:
    first = await library.shelve("Romola", authors=["George Eliot"], published_year=1863)
    second = await library.shelve("Romola", authors=["George Eliot"], publisher="Penguin")
    page = await library.browser().see(f"/books/{first.id}")
    assert "Other editions" in page.text and f"/books/{second.id}" in page.response.text
    page = await library.browser().see(f"/books/{library.books['Emma'].id}")
    assert "Other editions" not in page.text


async def pair(library: Library) -> tuple[Book, Book]:
    one = await library.shelve("Romola", "R-1", authors=["George Eliot"])
    other = await library.shelve("Rommola", "R-2", authors=["George Eliot"])
    return one, other


async def press(desk: Browser, page: Page, button: str) -> Page:
    return await desk.send("/staff/duplicates", {"token": page.token, "do": button})


async def test_two_records_are_merged_from_the_list_and_made_two_again(
    library: Library, desk: Browser
) -> None:
    one, other = await pair(library)
    page = await desk.see("/staff/duplicates")
    assert "Nothing looks the same." in page.text
    page = await press(desk, page, "look")
    assert "Looked again: 1 more on the list." in page.text
    [keep] = [b for b in page.buttons("merge:") if b.endswith(str(one.id))]
    page = await press(desk, page, keep)
    assert "Merged. All of both is now Romola." in page.text and "1 copy" in page.text
    reader = library.browser()
    gone = await reader.see(f"/books/{other.id}")
    assert gone.response.status_code == 303
    assert gone.response.headers["location"] == f"/books/{one.id}"
    shown = await reader.see(f"/books/{one.id}")
    assert "R-1" in shown.text and "R-2" in shown.text
    [undo] = page.buttons("undo:")
    page = await press(desk, page, undo)
    assert "Undone: Rommola is back." in page.text and page.buttons("undo:") == []
    assert "R-2" in (await reader.see(f"/books/{other.id}")).text
    page = await press(desk, page, undo)
    assert page.response.status_code == 409 and "undone already" in page.text


async def test_two_that_are_two_leave_the_list(library: Library, desk: Browser) -> None:
    await pair(library)
    page = await press(desk, await desk.see("/staff/duplicates"), "look")
    [dismiss] = page.buttons("dismiss:")
    page = await press(desk, page, dismiss)
    assert "They are two, and are not shown again." in page.text and page.buttons("merge:") == []
    for odd in ("", "merge:x:y", "undo:", "dismiss:7", f"merge:{library.central.id}"):
        assert (await press(desk, page, odd)).response.status_code == 422


async def test_the_list_is_for_staff(library: Library) -> None:
    reader = library.browser()
    assert (await reader.see("/staff/duplicates")).response.status_code == 303
    await reader.sign_in("ann@example.org")
    assert (await reader.see("/staff/duplicates")).response.status_code == 403


async def test_nothing_that_was_typed_becomes_code(library: Library, desk: Browser) -> None:
    for bad in NASTY:
        one = await library.shelve(
            bad, authors=[bad], subjects=[bad], series=bad, series_number="1"
        )
        await library.shelve(bad, authors=[bad])
        author = one.authors[0].id
        form = {"kind": "author", "heading_id": author, "name": f"{bad} x"}
        await library.wiring.authorities.add_variant(**form, **BY)  # type: ignore[arg-type]
        page = await press(desk, await desk.see("/staff/duplicates"), "look")
        pages = [page, *[await desk.see(p) for p in (f"/authors/{author}", f"/books/{one.id}")]]
        pages += [await desk.see(f"/{kind}") for kind in ("authors", "subjects", "series")]
        for each in pages:
            assert each.response.status_code == 200 and bad in each.text
            assert "<script>alert" not in each.response.text and "<img" not in each.response.text
