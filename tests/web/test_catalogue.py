"""The catalogue's pages, as readers and strangers see them."""

from lendery.contracts.circulation import LoanRequest
from lendery.contracts.permissions import SYSTEM

from .conftest import NASTY, Library


async def lend(library: Library, barcode: str, to: str) -> None:
    from datetime import UTC, datetime

    asked = LoanRequest(barcode=barcode, patron_id=library.people[to].id)
    await library.wiring.loans.check_out(request=asked, actor=SYSTEM, now=datetime.now(UTC))


async def test_home_shows_new_books_and_hours(library: Library) -> None:
    page = await library.browser().see("/")
    assert page.response.status_code == 200
    assert "Middlemarch" in page.text and "00:00–24:00" in page.text
    assert "Sign in" in page.text and "Desk" not in page.text


async def test_results_say_where_the_book_stands(library: Library) -> None:
    page = await library.browser().see("/books?q=middlemarch")
    assert "1 book" in page.text
    assert "On shelf: Central 823 ELI (2 of 2)" in page.text
    await lend(library, "00123", "Ann Reed")
    page = await library.browser().see("/books?q=middlemarch")
    assert "(1 of 2)" in page.text


async def test_a_book_all_on_loan_says_when_one_is_back(library: Library) -> None:
    await lend(library, "00125", "Ann Reed")
    page = await library.browser().see("/books?q=emma")
    assert "On loan, back from" in page.text
    page = await library.browser().see(f"/books/{library.books['Emma'].id}")
    assert "On loan, due" in page.text


async def test_filters_are_on_and_can_be_taken_off(library: Library) -> None:
    page = await library.browser().see("/books?language=en&available=1")
    assert "1 book" in page.text and "Available now ×" in page.text and "English ×" in page.text
    links = [a["href"] for t, a in page.elements if t == "a" and a.get("class") == "chip"]
    assert "/books?available=1" in links and "/books?language=en" in links


async def test_only_what_is_available_at_a_branch(library: Library) -> None:
    page = await library.browser().see(f"/books?available=1&branch={library.north.id}")
    assert "Persuasion" in page.text and "Middlemarch" not in page.text


async def test_nothing_found_gives_advice(library: Library) -> None:
    page = await library.browser().see("/books?q=zzzzqqqq&language=fr")
    assert "No books for “zzzzqqqq”." in page.text and "without the filters" in page.text


async def test_a_misspelled_search_says_what_it_shows(library: Library) -> None:
    page = await library.browser().see("/books?q=midlemarch")
    assert "No books for “midlemarch”. Showing “middlemarch”." in page.text
    assert "On shelf: Central 823 ELI (2 of 2)" in page.text


async def test_what_the_hits_have_in_common_can_be_ticked(library: Library) -> None:
    page = await library.browser().see("/books?author=George+Eliot")
    ticks = {
        (a["name"], a["value"]): "checked" in a
        for t, a in page.elements
        if t == "input" and a.get("type") == "checkbox"
    }
    assert ticks["author", "George Eliot"] and not ticks["available", "1"]
    assert "Available now 1" in page.text and "Most borrowed" in page.text


async def test_a_book_shows_others_like_it(library: Library) -> None:
    page = await library.browser().see(f"/books/{library.books['Emma'].id}")
    assert "Similar books" in page.text and "Persuasion" in page.text


async def test_odd_addresses_are_still_pages(library: Library) -> None:
    browser = library.browser()
    for odd in ("page=0", "page=999999", "page=x", "year_from=abc", "branch=nowhere", "sort=%00"):
        page = await browser.see(f"/books?{odd}")
        assert page.response.status_code == 200, odd
    page = await browser.see("/books?year_from=abc")
    assert "A year is a number" in page.text


async def test_pages_are_numbered(library: Library) -> None:
    for number in range(25):
        await library.shelve(f"Volume {number}")
    page = await library.browser().see("/books?q=volume")
    assert "25 books" in page.text
    second = await library.browser().see("/books?q=volume&page=2")
    assert sum(a.get("class") == "book" for t, a in second.elements if t == "li") == 5


async def test_editions_of_one_work_are_one_line_that_leads_to_the_others(library: Library) -> None:
    first = await library.shelve("Romola", "00901", authors=["George Eliot"], published_year=1863)
    for year in (1901, 1980):
        await library.shelve("Romola", authors=["George Eliot"], published_year=year)
    page = await library.browser().see("/books?q=romola")
    assert sum(a.get("class") == "book" for t, a in page.elements if t == "li") == 1
    assert "1 book" in page.text and "also: 2 other editions" in page.text
    leads_to = f"/books/{first.id}#editions"
    assert leads_to in [a.get("href") for t, a in page.elements if t == "a"]
    page = await library.browser().see(f"/books/{first.id}")
    assert "editions" in [a.get("id") for t, a in page.elements if t == "h2"]
    page = await library.browser().see("/books?q=middlemarch")
    assert "also:" not in page.text


async def test_a_book_page_tells_copies_and_about(library: Library) -> None:
    page = await library.browser().see(f"/books/{library.books['Middlemarch'].id}")
    assert "2 of 2 on shelf" in page.text
    assert "00123" in page.text and "English" in page.text
    assert "/books?subject=Marriage" in page.response.text
    author = library.books["Middlemarch"].authors[0]
    page = await library.browser().see(f"/authors/{author.id}")
    assert "Middlemarch" in page.text


async def test_what_is_not_there_is_a_page_with_advice(library: Library) -> None:
    browser = library.browser()
    for path in ("/books/nonsense", f"/books/{library.central.id}", "/nowhere"):
        page = await browser.see(path)
        assert page.response.status_code == 404, path
        assert "Search the catalogue" in page.text
    answer = await browser.client.get("/api/v1/books/nonsense", headers={"accept": "text/html"})
    assert answer.headers["content-type"] == "application/problem+json"
    answer = await browser.client.get("/api/v1/nowhere", headers={"accept": "text/html"})
    assert answer.headers["content-type"] == "application/problem+json"


async def test_whatever_titles_and_names_hold_is_only_shown(library: Library) -> None:
    browser = library.browser()
    for text in NASTY:
        book = await library.shelve(
            text, authors=[text], subjects=[text], description=text, call_number=text[:40]
        )
        for path in (f"/books/{book.id}", "/books", "/", f"/authors/{book.authors[0].id}"):
            page = await browser.see(path)
            assert text in "".join(page.words), path
            assert_harmless(page)
        page = await browser.see(
            "/books?"
            + str(
                browser.client.build_request(
                    "GET", "/", params={"q": text, "author": text, "year_from": text}
                ).url.query,
                "ascii",
            )
        )
        assert_harmless(page)


def assert_harmless(page) -> None:  # type: ignore[no-untyped-def]
    """No element or attribute that could run, but our own files."""
    for tag, attributes in page.elements:
        assert tag not in ("style", "svg", "img", "iframe", "object", "base"), tag
        assert tag != "script" or attributes.get("src", "").startswith("/static/")
        for name, value in attributes.items():
            assert not name.startswith("on") and name != "style", (tag, name)
            if name in ("href", "src", "action"):
                assert value.startswith(("/", "#")) and not value.startswith("//"), value


async def test_static_files_are_kept_for_good(library: Library) -> None:
    browser = library.browser()
    page = await browser.see("/")
    sheets = [a["href"] for t, a in page.elements if a.get("rel") == "stylesheet"]
    assert len(sheets) == 2
    for path in sheets:
        answer = await browser.client.get(path)
        assert answer.status_code == 200
        assert "immutable" in answer.headers["cache-control"]
    answer = await browser.client.get("/static/lendery.css")
    assert answer.status_code == 404
