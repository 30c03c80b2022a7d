"""Holds and money where copies pass the desk, and on a patron's page."""

from datetime import date, timedelta

from .conftest import NASTY, Browser, Library
from .test_catalogue import assert_harmless
from .test_desk import row, scan


async def test_a_copy_that_came_in_for_a_reader_goes_to_the_hold_shelf(
    library: Library, desk: Browser
) -> None:
    await library.hold("Emma", "Ann Reed")
    page = await scan(desk, await desk.see("/staff?mode=in"), "00125")
    assert "Hold A. Reed …1001 Emma 00125 on the hold shelf until" in page.text
    assert "Shelve" not in page.text and "Ann" not in page.text
    again = await scan(desk, page, "00125")
    assert again.text.count("Hold A. Reed …1001") == 2, "once more it says the same"


async def test_a_copy_for_a_reader_elsewhere_is_sent_there(library: Library, desk: Browser) -> None:
    await library.hold("Emma", "Ann Reed", north=True)
    page = await scan(desk, await desk.see("/staff?mode=in"), "00125")
    assert "Send to North Emma 00125 for a hold" in page.text
    assert "Reed" not in page.response.text, "who waits is told where it is collected"
    page = await scan(desk, page, "00126")
    assert "Send to North Persuasion 00126" in page.text
    assert page.text.count("for a hold") == 1


async def test_a_late_copy_says_what_was_charged(library: Library, desk: Browser) -> None:
    await library.rule("fine", 20)
    await library.lend("00123", "Ann Reed", days_ago=24)
    await library.lend("00125", "Ann Reed")
    page = await desk.see("/staff?mode=in")
    back = await row(desk, page, "/staff?mode=in", {"code": "00123"})
    account = f"/staff/patrons/{library.people['Ann Reed'].id}/account"
    assert "charged 0.60 EUR" in back.text and f'href="{account}"' in back.response.text
    assert "Charged 0.60 EUR." in back.text, "it is spoken too"
    in_time = await row(desk, page, "/staff?mode=in", {"code": "00125"})
    assert "charged" not in in_time.text


async def test_a_copy_that_is_kept_is_lent_to_others_only_with_a_waiver(
    library: Library, desk: Browser
) -> None:
    await library.hold("Emma", "Ann Reed")
    await library.take_back("00125")
    page = await scan(desk, await desk.see("/staff"), "C-1003")
    page = await scan(desk, page, "00125")
    assert "Held for another reader. Put it on the hold shelf, or waive." in page.text
    assert (await library.holds_of("Ann Reed"))[0].state == "ready"
    waive = page.buttons("waive:")[0]
    reason = {f"reason-{waive.removeprefix('waive:')}": "Agreed at the desk"}
    page = await scan(desk, page, "", do=waive, **reason)
    assert "Lent with a waiver" in page.text
    (hold,) = await library.holds_of("Ann Reed")
    assert (hold.state, hold.position) == ("waiting", 1)


async def test_who_owes_too_much_pays_or_is_waived(library: Library, desk: Browser) -> None:
    await library.rule("owed_limit", 1000)
    await library.charge("Ann Reed", 1240)
    page = await scan(desk, await desk.see("/staff"), "C-1001")
    assert "Owes 12.40 EUR" in page.text
    page = await scan(desk, page, "00123")
    assert "12.40 EUR" in page.text and "0 loans" in page.text
    account = f"/staff/patrons/{library.people['Ann Reed'].id}/account"
    links = [a["href"] for t, a in page.elements if t == "a"]
    assert links.count(account) == 2 and "Take payment" in page.text
    waive = page.buttons("waive:")[0]
    reason = {f"reason-{waive.removeprefix('waive:')}": "Settled with the reader"}
    page = await scan(desk, page, "", do=waive, **reason)
    assert "Lent with a waiver" in page.text and "1 loan" in page.text


async def test_the_header_counts_what_is_ready_until_it_is_collected(
    library: Library, desk: Browser
) -> None:
    await library.rule("hold_fee", 50)
    await library.hold("Emma", "Ann Reed")
    await library.take_back("00125")
    page = await scan(desk, await desk.see("/staff"), "C-1001")
    assert "1 ready at Central" in page.text and "Owes" not in page.text
    address = f"/staff?patron={library.people['Ann Reed'].id}"
    lent = await row(desk, page, address, {"code": "00125"})
    assert 'hx-target="#affairs"' in lent.response.text
    assert "ready at" not in lent.text and "Owes 0.50 EUR" in lent.text
    assert len(lent.response.content) < 6000


async def test_a_patrons_page_has_tabs_that_count(library: Library, desk: Browser) -> None:
    await library.hold("Emma", "Ann Reed")
    await library.charge("Ann Reed", 420)
    path = f"/staff/patrons/{library.people['Ann Reed'].id}"
    for tab in ("", "/holds", "/account"):
        page = await desk.see(path + tab)
        assert "Loans 0 Holds 1 Account 4.20 EUR" in page.text, tab
        here = [a["href"] for t, a in page.elements if t == "a" and "aria-current" in a]
        assert path + tab in here


async def test_the_holds_of_a_patron_are_suspended_and_cancelled(
    library: Library, desk: Browser
) -> None:
    path = f"/staff/patrons/{library.people['Ann Reed'].id}/holds"
    assert "No holds now." in (await desk.see(path)).text
    hold = await library.hold("Emma", "Ann Reed")
    page = await desk.see(path)
    assert "Emma" in page.text and "1st of 1" in page.text
    until = str(date.today() + timedelta(days=9))
    form = {"token": page.token, "do": f"suspend:{hold.id}", "until": until}
    page = await desk.send(path, form)
    assert "Hold suspended until" in page.text
    assert (await library.holds_of("Ann Reed"))[0].suspended is True
    for _ in range(2):
        page = await desk.send(path, {"token": page.token, "do": f"cancel:{hold.id}"})
        assert "Hold cancelled: Emma." in page.text and "No holds now." in page.text
    assert (await library.holds_of("Ann Reed"))[0].state == "cancelled"


async def test_a_hold_of_somebody_else_is_not_cancelled_here(
    library: Library, desk: Browser, ann: Browser
) -> None:
    hold = await library.hold("Emma", "Cas Berg")
    path = f"/staff/patrons/{library.people['Ann Reed'].id}/holds"
    page = await desk.see(path)
    answer = await desk.send(path, {"token": page.token, "do": f"cancel:{hold.id}"})
    assert answer.response.status_code == 404
    reader = await ann.see(f"/staff/patrons/{library.people['Cas Berg'].id}/holds")
    assert reader.response.status_code == 403 and "Emma" not in reader.text
    assert (await library.holds_of("Cas Berg"))[0].state == "waiting"


async def test_a_book_to_hold_is_found_by_words_or_barcode(library: Library, desk: Browser) -> None:
    ann = library.people["Ann Reed"].id
    path = f"/staff/patrons/{ann}/holds"
    to = f"/books/{library.books['Emma'].id}/hold?patron={ann}"
    for q in ("emma", "00125"):
        page = await desk.see(f"{path}?q={q}")
        assert [a["href"] for t, a in page.elements if a.get("href", "").endswith(f"={ann}")][
            -1
        ] == to, q
    page = await desk.see(f"{path}?q=zzzz")
    assert "No books for “zzzz”." in page.text


async def test_names_on_slips_and_lists_are_only_shown(library: Library, desk: Browser) -> None:
    for number, text in enumerate(NASTY[:2]):
        who = await library.register(text, f"slip{number}@example.org", f"Y-{number}")
        await library.shelve(text, f"Y0{number}")
        await library.hold(text, text)
        assert_harmless(await desk.see("/staff/holds"))
        page = await scan(desk, await desk.see("/staff?mode=in"), f"Y0{number}")
        assert text in "".join(page.words)
        for each in (page, await desk.see("/staff/holds")):
            assert_harmless(each)
        for tab in ("holds", "account"):
            assert_harmless(await desk.see(f"/staff/patrons/{who.id}/{tab}?q={number}"))
