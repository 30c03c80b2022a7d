"""Notices for a reader, and their words for staff, without JavaScript."""

from lendery.contracts.accounts import UserChanges
from lendery.contracts.permissions import SYSTEM, Actor

from .conftest import NASTY, Browser, Library, ago
from .test_catalogue import assert_harmless

INBOX, SETTINGS, STAFF = "/my/notices", "/my/notices/settings", "/staff/notices"
ONE = f"{STAFF}/charge-added/en/inbox"


async def test_ann_reads_what_she_was_told(library: Library, ann: Browser) -> None:
    assert "Nothing yet." in (await ann.see(INBOX)).text
    await library.charge("Ann Reed", 350)
    await library.charge("Ann Reed", 120)
    await library.told()
    page = await ann.see(INBOX)
    assert "A charge of 3.50 EUR" in page.text and "A charge of 1.20 EUR" in page.text
    assert page.text.count("New") == 2 and "This library sends no e-mail" in page.text
    assert (await ann.fill(INBOX, {})).response.headers["location"] == INBOX
    assert "New" not in (await ann.see(INBOX)).text
    assert 'href="/my/notices"' in (await ann.see("/my")).response.text


async def test_ann_says_how_she_wants_it(library: Library, ann: Browser) -> None:
    wishes = {"email": ["due-soon", "payment-received"], "digest": "yes", "language": "de"}
    page = await ann.fill(SETTINGS, wishes | {"quiet_from": "21:00", "quiet_until": "07:00"})
    assert page.response.headers["location"] == f"{SETTINGS}?told=kept#told"
    actor = Actor(id=library.people["Ann Reed"].id, role="reader")
    kept = await library.wiring.notices.preferences(actor=actor)
    on = {kind for kind, wanted in kept.email.items() if wanted}
    assert on == {"due-soon", "payment-received", "overdue-1", "overdue-2", "overdue-3"}
    assert (kept.digest, kept.quiet_from, kept.language) == (True, "21:00", "de")
    page = await ann.fill(SETTINGS, {"quiet_from": "21:00"})
    assert page.response.status_code == 422 and "until when" in page.text
    assert await library.wiring.notices.preferences(actor=actor) == kept


async def test_staff_try_words_and_an_administrator_keeps_them(
    library: Library, desk: Browser
) -> None:
    page = await desk.see(STAFF)
    assert "A hold is ready" in page.text and f'href="{ONE}"' in page.response.text
    bad = {"subject": "Costs", "body": "Hello,\r\n{{ amont }}", "do": "preview"}
    page = await desk.fill(ONE, bad)
    assert page.response.status_code == 422
    assert "error in line 2" in page.text and "{{ amont }}" in page.text
    page = await desk.fill(ONE, bad | {"body": "Pay {{ amount }}"})
    assert "So it looks" in page.text and "Pay 3.50 EUR" in page.text
    assert 'value="write"' not in page.response.text, "for administrators"
    page = await desk.fill(ONE, bad | {"body": "Pay {{ amount }}", "do": "write"})
    assert page.response.status_code == 403

    changes = UserChanges(role="admin").model_dump(exclude_unset=True)
    lea = library.people["Lea Moss"].id
    await library.wiring.users.change(user_id=lea, changes=changes, actor=SYSTEM, now=ago(0))
    desk = library.browser()
    await desk.sign_in("lea@example.org")
    page = await desk.fill(ONE, bad | {"body": "Pay {{ amount }}", "do": "write"})
    assert page.response.headers["location"] == f"{ONE}?told=written#told"
    assert "our own words" in (await desk.see(ONE)).text and "Ours" in (await desk.see(STAFF)).text
    page = await desk.fill(ONE, {"do": "reset"})
    assert page.response.headers["location"] == f"{ONE}?told=reset#told"
    assert "built in" in (await desk.see(ONE)).text


async def test_nothing_typed_becomes_markup(desk: Browser) -> None:
    for nasty in NASTY:
        words = {"subject": nasty, "body": f"{nasty}\n{{{{ x }}}}", "do": "preview"}
        assert_harmless(await desk.fill(ONE, words))
        assert_harmless(await desk.fill(ONE, words | {"body": "x", "subject": nasty[:1]}))


async def test_readers_word_nothing_and_strangers_read_nothing(
    library: Library, ann: Browser
) -> None:
    assert (await ann.see(STAFF)).response.status_code == 403
    assert (await ann.see(f"{STAFF}/nonsense/en/inbox")).response.status_code == 404
    assert (await library.browser().see(INBOX)).response.status_code == 303
