"""Check-out and check-in at the desk, with forms only and with one request a scan."""

from typing import Any
from uuid import uuid4

from .conftest import NASTY, Browser, Library, Page, patron_of
from .test_catalogue import assert_harmless, lend


async def scan(browser: Browser, page: Page, code: str, **more: Any) -> Page:
    """Types a code into the scan form of this page and sends all the form holds."""
    action = next(a["action"] for t, a in page.elements if t == "form" and a.get("id") == "scan")
    form = {name: page.value(name) for name in ("token", "key", "rows")}
    return await browser.send(action, form | {"code": code} | more)


async def row(browser: Browser, page: Page, address: str, values: dict[str, str]) -> Page:
    """Sends a scan as the script does."""
    form = {"token": page.token, "key": uuid4().hex} | values
    return await browser.send(address, form, **{"hx-request": "true"})


async def test_card_then_copies_without_a_script(library: Library, desk: Browser) -> None:
    page = await scan(desk, await desk.see("/staff"), "c-1001")
    assert patron_of(page) == library.people["Ann Reed"].id
    assert "Ann Reed" in page.text and "0 loans" in page.text
    page = await scan(desk, page, "00123")
    page = await scan(desk, page, "00125")
    assert page.response.text.index("Emma") < page.response.text.index("Middlemarch")
    assert page.text.count("due") >= 2 and "2 loans" in page.text


async def test_the_same_scan_sent_twice_lends_once(library: Library, desk: Browser) -> None:
    page = await scan(desk, await desk.see("/staff"), "C-1001")
    first = await scan(desk, page, "00123")
    again = await scan(desk, page, "00123")
    for each in (first, again):
        assert "1 loan" in each.text and "Not lent" not in each.text


async def test_a_refusal_tells_all_reasons_and_can_be_waived(
    library: Library, desk: Browser
) -> None:
    page = await scan(desk, await desk.see("/staff"), "C-1002")
    assert "Card expired on" in page.text
    page = await scan(desk, page, "00123")
    assert "Not lent" in page.text and "This card expired" in page.text
    waive = page.buttons("waive:")[0]
    reason = f"reason-{waive.removeprefix('waive:')}"
    page = await scan(desk, page, "", do=waive, **{reason: "Agreed at the desk"})
    assert "Lent with a waiver" in page.text and "1 loan" in page.text
    assert page.buttons("waive:") == []


async def test_what_cannot_be_waived_can_only_be_left(library: Library, desk: Browser) -> None:
    await lend(library, "00123", "Ann Reed")
    page = await scan(desk, await desk.see("/staff"), "C-1002")
    page = await scan(desk, page, "00123")
    assert "on loan to another reader" in page.text and "This card expired" in page.text
    assert page.buttons("waive:") == []
    page = await scan(desk, page, "", do=page.buttons("leave:")[0])
    assert "0 loans" in page.text and page.buttons("leave:") == []


async def test_a_forged_row_is_not_waived(library: Library, desk: Browser) -> None:
    page = await scan(desk, await desk.see("/staff"), "C-1002")
    page = await scan(desk, page, "00123")
    rows = page.value("rows").replace("00123", "00125")
    page = await scan(desk, page, "", do=page.buttons("waive:")[0], rows=rows)
    assert page.response.status_code == 404
    ann = library.people["Ben Ito"].id
    assert "0 loans" in (await desk.see(f"/staff/patrons/{ann}")).text


async def test_a_copy_already_theirs_is_renewed(library: Library, desk: Browser) -> None:
    await lend(library, "00123", "Ann Reed")
    page = await scan(desk, await desk.see("/staff"), "C-1001")
    page = await scan(desk, page, "00123")
    page = await scan(desk, page, "", do=page.buttons("renew:")[0])
    assert "renewed until" in page.text


async def test_another_card_switches_the_patron(library: Library, desk: Browser) -> None:
    page = await scan(desk, await desk.see("/staff"), "C-1001")
    page = await scan(desk, page, "C-1002")
    assert patron_of(page) == library.people["Ben Ito"].id


async def test_unknown_codes_and_copies_without_a_card(library: Library, desk: Browser) -> None:
    page = await desk.see("/staff")
    unknown = await scan(desk, page, "77777")
    assert "No card and no copy has this number" in unknown.text
    found = await scan(desk, page, "00123")
    assert "Middlemarch" in found.text and "Scan a card" in found.text
    page = await scan(desk, await scan(desk, page, "C-1001"), "77777")
    assert "No copy has this barcode" in page.text
    page = await scan(desk, page, "späte bücher")
    assert "does not look like a barcode" in page.text


async def test_check_in_says_where_the_copy_goes(library: Library, desk: Browser) -> None:
    await lend(library, "00123", "Ann Reed")
    page = await scan(desk, await desk.see("/staff?mode=in"), "00123")
    assert "Shelve 823 ELI" in page.text and "Was not on loan" not in page.text
    page = await scan(desk, page, "00124")
    assert "Was not on loan." in page.text
    page = await scan(desk, page, "00126")
    assert "Send to North" in page.text
    page = await scan(desk, page, "99999")
    assert "No copy has this barcode" in page.text
    page = await scan(desk, page, "C-1001")
    assert "is the card of Ann Reed" in page.text


async def test_the_book_drop_date_is_carried_and_shown(library: Library, desk: Browser) -> None:
    page = await desk.see("/staff?mode=in&on=2026-01-05")
    assert "Book drop: copies count as returned on Mon 5 Jan" in page.text
    page = await scan(desk, page, "00124")
    assert "Shelve" in page.text and "Book drop" in page.text


async def test_commands_are_barcodes_too(library: Library, desk: Browser) -> None:
    page = await scan(desk, await desk.see("/staff"), "C-1001")
    for code, to in (("/in", "/staff?mode=in"), ("/end", "/staff")):
        answer = await scan(desk, page, code)
        assert answer.response.headers["location"] == to


async def test_with_the_script_a_scan_is_one_small_answer(library: Library, desk: Browser) -> None:
    page = await desk.see("/staff")
    opened = await row(desk, page, "/staff", {"code": "C-1002"})
    address = f"/staff?patron={library.people['Ben Ito'].id}"
    assert opened.response.headers["hx-replace-url"] == address
    assert 'hx-target="#patron"' in opened.response.text
    refused = await row(desk, page, address, {"code": "00123"})
    assert len(refused.response.content) < 6000 and "<html" not in refused.response.text
    assert 'hx-target="#alarm"' in refused.response.text
    item = next(a for t, a in refused.elements if t == "li" and "data-rows" in a)
    decision = {"do": refused.buttons("waive:")[0], "rows": item["data-rows"]}
    lent = await row(desk, page, address, decision)
    assert "Lent with a waiver" in lent.text and 'hx-target="#said"' in lent.response.text
    assert f'id="{item["id"]}"' in lent.response.text, "the row stays in its place"


async def test_a_scan_after_the_session_ended_says_so(library: Library, desk: Browser) -> None:
    page = await desk.see("/staff")
    desk.client.cookies.clear()
    answer = await row(desk, page, "/staff", {"code": "C-1001"})
    assert answer.response.status_code == 401
    assert "You were signed out." in answer.text and "<html" not in answer.response.text


async def test_staff_choose_the_branch_of_their_desk(library: Library, desk: Browser) -> None:
    page = await desk.see("/staff")
    assert "Desk at Central" in page.text
    form = {"token": page.token, "branch": str(library.north.id), "mode": "in"}
    page = await desk.send("/staff/branch", form)
    assert page.response.headers["location"] == "/staff?mode=in"
    page = await desk.see("/staff?mode=in")
    assert "Desk at North" in page.text
    page = await scan(desk, page, "00123")
    assert "Send to Central" in page.text


async def test_names_at_the_desk_are_only_shown(library: Library, desk: Browser) -> None:
    for number, text in enumerate(NASTY):
        await library.register(text, f"nasty{number}@example.org", f"X-{number}")
        await library.shelve(text, f"X0{number}")
        page = await scan(desk, await desk.see("/staff"), f"X-{number}")
        page = await scan(desk, page, f"X0{number}")
        assert text in "".join(page.words)
        assert_harmless(page)
        person = await desk.see(f"/staff/patrons/{library.people[text].id}")
        assert_harmless(person)
    assert_harmless(await desk.see("/staff/patrons?q=nasty"))
