"""What a desk fetches, keeps on the hold shelf, and waits for."""

import re
from datetime import UTC, datetime

from lendery.contracts.catalog import NewCopy
from lendery.contracts.permissions import SYSTEM

from .conftest import Browser, Library, Page


def part(page: Page, begins: str, ends: str) -> str:
    text = page.text[page.text.index(begins) :]
    return text[: text.index(ends)]


def pulls(page: Page) -> str:
    return part(page, "Holds to pull", "On the hold shelf")


async def press(desk: Browser, page: Page, button: str) -> Page:
    return await desk.send("/staff/holds", {"token": page.token, "do": button})


async def test_empty_lists_say_so_and_when(library: Library, desk: Browser) -> None:
    page = await desk.see("/staff/holds")
    assert re.search(r"Nothing to pull\. Checked \d\d:\d\d\.", page.text)
    assert "Nothing on the hold shelf." in page.text
    assert "Nothing is on its way here." in page.text and "Desk at Central" in page.text
    assert 'href="/staff/holds" aria-current="page"' in page.response.text


async def test_what_to_pull_is_in_the_order_of_the_shelves(library: Library, desk: Browser) -> None:
    now = datetime.now(UTC)
    for title, barcode, location, number in (
        ("Romola", "R-1", "Stack", "100"),
        ("Silas Marner", "S-1", "Children", "900"),
        ("Adam Bede", "A-1", "Children", "200"),
    ):
        book = await library.shelve(title)
        copy = NewCopy(
            barcode=barcode,
            book_id=book.id,
            branch_id=library.central.id,
            location=location,
            call_number=number,
        )
        await library.wiring.copies.add(copy=copy, actor=SYSTEM, now=now)
        await library.hold(title, "Ann Reed", north=True)
    await library.hold("Persuasion", "Ann Reed")
    found = pulls(await desk.see("/staff/holds"))
    places = [found.index(title) for title in ("Adam Bede", "Silas Marner", "Romola")]
    assert places == sorted(places)
    assert "Children 200 Adam Bede A-1 North" in found
    assert "Persuasion" not in found, "it stands at North"


async def test_a_copy_that_is_not_there_passes_the_hold_on(library: Library, desk: Browser) -> None:
    hold = await library.hold("Middlemarch", "Ann Reed")
    page = await desk.see("/staff/holds")
    (button,) = page.buttons("missing:")
    first = "00123" if "00123" in pulls(page) else "00124"
    answer = await press(desk, page, button)
    assert f"Middlemarch {first} is marked missing." in answer.text
    assert ("00124" if first == "00123" else "00123") in pulls(answer)
    again = await press(desk, page, button)
    assert "it is not on the list any more" in again.text
    (next_button,) = again.buttons("missing:")
    answer = await press(desk, again, next_button)
    assert "Nothing to pull." in answer.text
    assert (await library.holds_of("Ann Reed"))[0].id == hold.id
    assert (await library.holds_of("Ann Reed"))[0].state == "waiting"


async def test_a_copy_that_was_scanned_meanwhile_is_not_missing(
    library: Library, desk: Browser
) -> None:
    await library.hold("Emma", "Ann Reed")
    page = await desk.see("/staff/holds")
    await library.take_back("00125")
    answer = await press(desk, page, page.buttons("missing:")[0])
    assert "Nothing was changed" in answer.text
    assert (await library.holds_of("Ann Reed"))[0].state == "ready"


async def test_the_hold_shelf_tells_who_comes_and_who_came_too_late(
    library: Library, desk: Browser
) -> None:
    late = await library.hold("Emma", "Ann Reed", days_ago=61)
    await library.take_back("00125", days_ago=60)
    ready = await library.hold("Middlemarch", "Cas Berg")
    await library.take_back("00123")
    page = await desk.see("/staff/holds")
    shelf = part(page, "On the hold shelf", "On their way")
    assert shelf.index("expired") < shelf.index("Ann Reed C-1001") < shelf.index("Cas Berg")
    assert page.buttons("finish:") == [f"finish:{late.id}"]
    answer = await press(desk, page, f"finish:{ready.id}")
    assert "Nothing was changed" in answer.text, "it has not expired"
    assert (await library.holds_of("Cas Berg"))[0].state == "ready"
    answer = await press(desk, page, f"finish:{late.id}")
    assert "Hold ended: Emma." in answer.text
    assert (await library.holds_of("Ann Reed"))[0].state == "cancelled"
    assert "Ann Reed" not in part(answer, "On the hold shelf", "On their way")


async def test_copies_on_their_way_here_and_whether_somebody_waits(
    library: Library, desk: Browser
) -> None:
    await library.hold("Persuasion", "Ann Reed")
    await library.take_back("00126", north=True)
    await library.take_back("00124", north=True)
    coming = part(await desk.see("/staff/holds"), "On their way", "Lendery, a library")
    assert re.search(r"North \S+ \d+ \w+, \d\d:\d\d Persuasion 00126 for a hold", coming)
    assert "Middlemarch 00124 comes home" in coming


async def test_the_lists_follow_the_desk_to_another_branch(library: Library, desk: Browser) -> None:
    await library.hold("Persuasion", "Ann Reed")
    page = await desk.see("/staff/holds")
    assert "Persuasion" not in page.text
    form = {"token": page.token, "branch": str(library.north.id), "mode": "holds"}
    page = await desk.send("/staff/branch", form)
    assert page.response.headers["location"] == "/staff/holds"
    page = await desk.see("/staff/holds")
    assert "Desk at North" in page.text and "Persuasion 00126 Central" in pulls(page)


async def test_readers_see_no_lists_and_forms_need_the_token(
    library: Library, desk: Browser, ann: Browser
) -> None:
    await library.hold("Emma", "Cas Berg")
    page = await ann.see("/staff/holds")
    assert page.response.status_code == 403 and "Emma" not in page.text
    button = (await desk.see("/staff/holds")).buttons("missing:")[0]
    token = (await ann.see("/my")).token
    answer = await ann.send("/staff/holds", {"token": token, "do": button})
    assert answer.response.status_code == 403
    answer = await desk.send("/staff/holds", {"token": "0" * 40, "do": button})
    assert answer.response.status_code == 403
    assert "Emma" in pulls(await desk.see("/staff/holds"))
