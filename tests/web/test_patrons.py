"""People as staff see them."""

from .conftest import Browser, Library
from .test_catalogue import lend


async def test_a_patron_is_found_by_name_and_card(library: Library, desk: Browser) -> None:
    for q in ("Ann", "C-1001", "ann@example.org"):
        page = await desk.see(f"/staff/patrons?q={q}")
        assert "Ann Reed" in page.text, q
    page = await desk.see("/staff/patrons?q=zzz")
    assert "Nobody found for “zzz”." in page.text


async def test_block_and_unblock(library: Library, desk: Browser) -> None:
    path = f"/staff/patrons/{library.people['Ann Reed'].id}"
    page = await desk.fill(path, {"do": "block", "reason": "suspended", "note": "Bag left"})
    assert page.response.headers["location"] == f"{path}?done=blocked"
    page = await desk.see(f"{path}?done=blocked")
    assert "The block is set." in page.text and "Suspended" in page.text
    assert "Bag left" in page.text
    page = await desk.send(path, {"token": page.token, "do": page.buttons("unblock:")[0]})
    page = await desk.see(path)
    assert "This person may borrow." in page.text


async def test_staff_renew_all_of_a_patron(library: Library, desk: Browser) -> None:
    await lend(library, "00123", "Ann Reed")
    await lend(library, "00125", "Ann Reed")
    path = f"/staff/patrons/{library.people['Ann Reed'].id}"
    page = await desk.fill(path, {"do": "renew:all", "key": "abcdef0123456789"})
    assert "2 renewed." in page.text


async def test_an_expired_card_is_renewed_for_a_year(library: Library, desk: Browser) -> None:
    path = f"/staff/patrons/{library.people['Ben Ito'].id}"
    page = await desk.see(path)
    assert "Card expired on" in page.text
    page = await desk.fill(path, {"do": "extend"})
    page = await desk.see(page.response.headers["location"])
    assert "The card is good until" in page.text and "Card expired on" not in page.text


async def test_registering_shows_who_may_be_the_same(library: Library, desk: Browser) -> None:
    given = {"name": "Ann Reed", "email": "", "category": "adult", "then": "lend"}
    page = await desk.fill("/staff/register", given)
    assert page.response.status_code == 422
    assert "Registered already?" in page.text and "C-1001" in page.text
    page = await desk.fill("/staff/register", given | {"sure": "1"})
    assert page.response.headers["location"].startswith("/staff?patron=")


async def test_registering_says_what_is_wrong_beside_the_field(
    library: Library, desk: Browser
) -> None:
    given = {"name": "Dora", "email": "dora", "category": "adult", "card_number": "no no"}
    page = await desk.fill("/staff/register", given)
    assert page.response.status_code == 422
    assert "There is a problem" in page.text and "in full" in page.text
    assert page.value("name") == "Dora"
    taken = given | {"email": "ann@example.org", "card_number": "", "sure": "1"}
    page = await desk.fill("/staff/register", taken)
    assert page.response.status_code == 422 and "already" in page.text


async def test_overdue_lists_what_is_late(library: Library, desk: Browser) -> None:
    assert "Nothing is late." in (await desk.see("/staff/overdue")).text


async def test_late_days_are_dates_after_the_one_it_was_due_on(
    library: Library, desk: Browser
) -> None:
    await library.lend("00123", "Ann Reed", days_ago=22)
    await library.lend("00125", "Cas Berg", days_ago=24)
    page = await desk.see("/staff/overdue")
    assert "2 loans are late." in page.text
    yesterday, before = page.text.index(" 1 day "), page.text.index(" 3 days ")
    assert before < yesterday, "due at the end of yesterday is a day late, as its fine is"
