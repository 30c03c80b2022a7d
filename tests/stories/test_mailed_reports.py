"""Reports by e-mail, told to both shapes: asked for over HTTP, and opened where they arrive."""

import asyncio
import random
from datetime import UTC, datetime
from email.message import EmailMessage
from typing import Any
from uuid import UUID, uuid4

import pytest
from tests.mail_server import MailServer
from tests.stories.library import API, Library, Person, expect

from lendery.contracts.notices import MOST_ATTACHED, Attachment, Documents, ReportMail
from lendery.platform.ports import Peer, remote
from lendery.platform.settings import Settings

PATH = f"{API}/report-subscriptions"
WISH = {"report": "collection-age", "form": "csv", "every": "week", "weekday": "mon", "hour": 6}


async def heard(library: Library, by: Person) -> None:
    """Until reports knows of the copy."""
    path = f"{API}/reports/collection-age?branch_id={library.branch}"
    for _ in range(200):
        if expect(await by.client.get(path))["items"]:
            return
        await asyncio.sleep(0.05)
    raise AssertionError("it was never heard of")


async def arrived(post: MailServer, person: Person) -> Any:
    for _ in range(400):
        if letters := post.to(person.email):
            (letter,) = letters
            return letter
        await asyncio.sleep(0.05)
    raise AssertionError("it never came")


async def test_a_report_is_mailed_to_who_wants_it(library: Library, post: MailServer) -> None:
    lea = await library.reader("Lea", role="librarian", language="de")
    await library.copy(await library.book("Emma", published_year=1815))
    await heard(library, lea)
    wish = WISH | {"branch_id": library.branch, "per": "year"}
    answer = await lea.client.post(PATH, json=wish)
    made = expect(answer, 201)
    assert answer.headers["location"] == f"{PATH}/{made['id']}"
    assert wish.items() <= made.items() and made["next_at"].endswith("06:00:00Z")
    one = await lea.client.get(f"{PATH}/{made['id']}")
    assert expect(one) == made and one.headers["etag"] == answer.headers["etag"] == '"1"'

    sent = expect(await lea.client.post(f"{PATH}/{made['id']}/send"), 202)
    assert sent["attached"]
    letter = await arrived(post, lea)
    assert letter.message["Subject"] == "Bericht: Alter des Bestands"
    assert "Guten Tag Lea" in letter.text and "liegt der E-Mail bei" in letter.text
    assert letter.id.startswith(f"<{sent['mail_id']}@")
    (file,) = letter.message.iter_attachments()
    assert isinstance(file, EmailMessage)
    assert str(file.get_filename()).startswith("collection-age-20")
    content: Any = file.get_payload(decode=True)
    headings, row = content.decode().splitlines()
    assert headings == "Published,Branch id,Branch,Copies,Titles"
    assert row == f"1815,{library.branch},Central,1,1"
    mail = expect(await lea.client.get(f"{API}/notices/mails/{sent['mail_id']}"))
    assert mail["kinds"] == ["report"]

    assert (await lea.client.delete(f"{PATH}/{made['id']}")).status_code == 204
    assert expect(await lea.client.get(PATH))["items"] == []


async def test_the_longest_file_travels_between_services(
    library: Library, post: MailServer
) -> None:
    system = library.system
    if system.shape == "one_process":
        pytest.skip("nothing travels")
    secret, peers = system.environments["reports"]["LENDERY_SECRET"], system.urls
    settings = Settings(contexts=frozenset({"reports"}), secret=secret, peers=peers)
    peer = Peer.of("notices", settings)
    lea = await library.reader("Lea", role="librarian")
    content = random.Random(7).randbytes(MOST_ATTACHED)
    mail = ReportMail(
        person_id=UUID(lea.id), about=uuid4(), step="once", time_zone="UTC", report="money",
        since_on=None, until_on=None, branch=None, path="/api/v1/reports/money",
        attachment=Attachment(name="money.csv", media="text/csv; charset=utf-8", content=content),
    )  # fmt: skip
    documents = remote(Documents, peer)
    assert await documents.send(mail=mail, now=datetime.now(UTC))
    assert await documents.send(mail=mail, now=datetime.now(UTC)) is None
    letter = await arrived(post, lea)
    (file,) = letter.message.iter_attachments()
    assert file.get_payload(decode=True) == content
    await peer.client.aclose()


async def test_it_is_changed_from_its_next_time_on(library: Library) -> None:
    lea = await library.reader("Lea", role="librarian")
    made = expect(await lea.client.post(PATH, json=WISH), 201)
    stale = {"if-match": '"7"'}
    one = f"{PATH}/{made['id']}"
    expect(await lea.client.patch(one, json={"hour": 7}, headers=stale), 412)
    daily = {"every": "day", "weekday": None, "branch_id": library.branch}
    changed = expect(await lea.client.patch(one, json=daily, headers={"if-match": '"1"'}))
    assert (changed["every"], changed["weekday"], changed["version"]) == ("day", None, 2)
    assert changed["branch_id"] == library.branch
    expect(await lea.client.delete(one, headers=stale), 412)
    assert expect(await lea.client.get(one)) == changed


async def test_readers_are_refused(library: Library) -> None:
    ann = await library.reader("Ann")
    made = expect(await library.staff.post(PATH, json=WISH), 201)
    one = f"{PATH}/{made['id']}"
    for method, path, body in (
        ("GET", PATH, None),
        ("POST", PATH, WISH),
        ("GET", one, None),
        ("PATCH", one, {"hour": 7}),
        ("DELETE", one, None),
        ("POST", f"{one}/send", None),
    ):
        told = expect(await ann.client.request(method, path, json=body), 403)
        assert told["type"] == "/problems/not-allowed"
    assert expect(await library.staff.get(one)) == made


@pytest.mark.parametrize(
    ("but", "pointer"),
    [
        ({"report": "profits"}, "#/report"),
        ({"form": "doc"}, "#/form"),
        ({"form": "json"}, "#/form"),
        ({"report": "dead-stock", "form": "svg"}, "#/form"),
        ({"hour": 24}, "#/hour"),
        ({"hour": -1}, "#/hour"),
        ({"weekday": "monday"}, "#/weekday"),
        ({"weekday": None}, "#/weekday"),
        ({"every": "month", "weekday": None}, "#/day"),
        ({"every": "month", "weekday": None, "day": "first"}, "#/day"),
        ({"months": 0}, "#/months"),
        ({"months": 601}, "#/months"),
        ({"threshold": 1_001}, "#/threshold"),
        ({"per": "century"}, "#/per"),
        ({"sort": "borrower"}, "#/sort"),
        ({"branch_id": "here"}, "#/branch_id"),
        ({"owner_id": "me"}, "#/owner_id"),
    ],
)
async def test_what_cannot_be_mailed_is_refused(
    library: Library, but: dict[str, Any], pointer: str
) -> None:
    before = expect(await library.staff.get(f"{PATH}?total=exact"))["total"]
    told = expect(await library.staff.post(PATH, json=WISH | but), 422)
    assert told["type"] == "/problems/invalid"
    assert all(each["pointer"].startswith(pointer) for each in told["errors"])
    assert expect(await library.staff.get(f"{PATH}?total=exact"))["total"] == before
