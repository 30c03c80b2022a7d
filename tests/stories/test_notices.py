"""Readers are told: in the inbox, and by mail, in their own language, once each."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

from tests.mail_server import Letter, MailServer
from tests.stories.library import API, Library, Person, expect

from lendery.notices.unsubscribing import make_token

INBOX, PREFERENCES = f"{API}/me/notices", f"{API}/me/notices/preferences"
SOON = 400  # looks, a twentieth of a second apart


async def _soon(look: Callable[[], Awaitable[Any]]) -> Any:
    """What is seen there once the parts have heard of each other, and the mail has come."""
    for _ in range(SOON):
        if found := await look():
            return found
        await asyncio.sleep(0.05)
    raise AssertionError("it never came")


async def _told(person: Person, how_many: int = 1) -> dict[str, Any]:
    async def look() -> Any:
        page = expect(await person.client.get(INBOX))
        return page if len(page["items"]) >= how_many else None

    found: dict[str, Any] = await _soon(look)
    return found


async def _mailed(post: MailServer, person: Person) -> Letter:
    async def look() -> Any:
        return post.to(person.email)

    (letter,) = await _soon(look)
    return letter  # type: ignore[no-any-return]


async def test_whose_hold_is_ready_is_told_once_and_in_their_language(
    library: Library, post: MailServer
) -> None:
    ann, ben = await library.reader("Ann"), await library.reader("Ben", language="de")
    for person in (ann, ben):
        copy = await library.copy()
        body = {"copy_id": copy["id"], "pickup_branch_id": library.branch}
        expect(await person.client.post(f"{API}/holds", json=body), 201)
        assert expect(await library.take_back(copy))["next"] == "hold"

    page = await _told(ann)
    assert (page["unread"], page["mail"]) == (1, True)
    assert page["items"][0]["subject"] == "Ready to be collected"
    assert "Middlemarch" not in str(page), "titles are told only where the library wants it"
    read = await ann.client.post(f"{INBOX}/{page['items'][0]['id']}/read")
    assert expect(read)["read_at"]
    assert expect(await ann.client.get(f"{INBOX}?unread=true"))["items"] == []
    assert (await _told(ben))["items"][0]["subject"] == "Zur Abholung bereit"

    english, german = await _mailed(post, ann), await _mailed(post, ben)
    assert "Dear Ann" in english.text and "at Central" in english.text
    assert "Guten Tag Ben" in german.text and german.message["Content-Language"] == "de"
    path = f"{API}/notices/mails?patron_id={ann.id}"
    (mail,) = expect(await library.staff.get(path))["items"]
    assert english.id == mail["message_id"]
    assert english.id != german.id


async def test_a_payment_has_one_receipt_for_those_who_want_it(library: Library) -> None:
    ann = await library.reader("Ann")
    wanted = {"email": {"payment-received": True, "charge-added": False}}
    prefers = expect(await ann.client.patch(PREFERENCES, json=wanted))
    assert prefers["email"]["payment-received"] and not prefers["email"]["charge-added"]
    euro = {"amount": 100, "currency": "EUR"}
    for _ in range(2):
        charge = {"patron_id": ann.id, "amount": euro, "reason": "card"}
        expect(await library.staff.post(f"{API}/fines", json=charge), 201)
    await _told(ann, 2)
    paid = {"patron_id": ann.id, "amount": euro | {"amount": 200}}
    expect(await library.staff.post(f"{API}/payments", json=paid), 201)

    page = await _told(ann, 3)
    kinds = [each["kind"] for each in page["items"]]
    assert kinds == ["payment-received", "charge-added", "charge-added"]
    assert "2.00 EUR" in page["items"][0]["body"] and "0.00 EUR" in page["items"][0]["body"]


async def test_a_template_is_tried_written_used_and_given_back(library: Library) -> None:
    path = f"{API}/notice-templates/charge-added/fr/inbox"
    bad = {"subject": "Frais", "body": "Bonjour,\n{{ amont }}"}
    for refused in (
        await library.staff.post(f"{path}/preview", json=bad),
        await library.staff.put(path, json=bad),
    ):
        told = expect(refused, 422)
        assert (told["type"], told["field"], told["line"]) == (
            "/problems/template-refused", "body", 2,
        )  # fmt: skip
        assert "'amont'" in told["says"] and "amount" in told["says"]
    good = {"subject": "Frais", "body": "{{ amount }} chez {{ library }}"}
    assert "3.50 EUR" in expect(await library.staff.post(f"{path}/preview", json=good))["body"]
    written = expect(await library.staff.put(path, json=good))
    assert (written["edited"], written["version"]) == (True, 1)

    ann = await library.reader("Ann", language="fr")
    charge = {"patron_id": ann.id, "amount": {"amount": 100, "currency": "EUR"}}
    expect(await library.staff.post(f"{API}/fines", json=charge), 201)
    assert (await _told(ann))["items"][0]["subject"] == "Frais"
    assert (await library.staff.delete(path)).status_code == 204
    assert (await library.staff.get(path)).status_code == 404
    assert (await _told(ann))["items"][0]["subject"] == "A charge of 1.00 EUR"


async def test_one_click_ends_a_courtesy_and_looking_does_not(library: Library) -> None:
    ann = await library.reader("Ann")
    secret = next(iter(library.system.environments.values()))["LENDERY_SECRET"]
    path = f"{API}/notices/unsubscribe/{make_token(UUID(ann.id), ['due-soon'], secret)}"
    async with library.system.client() as nobody:
        shown = await nobody.get(path)
        assert shown.status_code == 200 and "due soon" in shown.text
        assert expect(await ann.client.get(PREFERENCES))["email"]["due-soon"]
        one_click = {"List-Unsubscribe": "One-Click"}
        assert (await nobody.post(path, data=one_click)).status_code == 200
        assert expect(await nobody.post(f"{path}x", data=one_click), 404)
    prefers = expect(await ann.client.get(PREFERENCES))
    assert not prefers["email"]["due-soon"] and prefers["email"]["hold-expiring"]
