"""After a day at the desk no log holds a name, an address, a card number or a token."""

import asyncio
import sqlite3
from pathlib import Path

import pytest
from tests.mail_server import MailServer
from tests.stories.library import API, Library, Person, blocks, expect
from tests.system import ADMIN, System


@pytest.mark.xdist_group("services")
async def test_no_log_and_no_kept_answer_names_a_person(tmp_path: Path) -> None:
    with (
        MailServer.open() as post,
        System.start(
            "services", "sqlite", tmp_path, LENDERY_LOG_LEVEL="debug", **post.settings
        ) as system,
    ):
        async with Library.open(system) as library:
            ann = await library.reader("Annabella")
            post.replies[ann.email] = f"550 5.1.1 <{ann.email}> Annabella is unknown here"
            await _is_mailed_in_vain(library, ann)
            copy, other = await library.copy(), await library.copy(item_type="reference")
            expect(await library.lend(copy, ann, by=ann.client, key="own-loan"), 201)
            assert blocks(await library.lend(other, ann, key="refused")) == ["reference-only"]
            why = "Her grandmother asked"
            lent = await library.lend(other, ann, waive=["reference-only"], reason=why, key="ok")
            expect(lent, 201)
            expect(await library.take_back(copy))
            noted = {"reason": "other", "note": "Shouted at Ben"}
            expect(await library.staff.post(f"{API}/users/{ann.id}/blocks", json=noted), 201)
            words = {"text": "Slept badly", "display_name": "Belle of Hill", "title": "Restless"}
            reviews = f"{API}/books/{copy['book_id']}/reviews"
            made = expect(await ann.client.post(reviews, json={"rating": 4} | words), 201)
            review = f"{API}/reviews/{made['id']}"
            hide = {"decision": "hide", "reason": "Indiscreet"}
            await library.staff.post(f"{review}/report", json={"reason": "personal"})
            expect(await library.staff.post(f"{review}/moderate", json=hide))
            expect(await ann.client.patch(review, json={"rating": 3}))
            await library.staff.patch(f"{API}/users/{ann.id}", json={"name": "Annabella Reed"})
            await library.staff.get(f"{API}/users?q=Annabella")
            await system.client().post(
                f"{API}/auth/token",
                data={"grant_type": "password", "username": ann.email, "password": "wrong"},
            )
            token = await system.admin()
            secrets = [
                "Annabella", ann.email, ann.card, why, "Shouted", *words.values(),
                "Indiscreet", ADMIN[0], ADMIN[1], token,
                token.split(".")[2], library.system.environments["accounts"]["LENDERY_SECRET"],
            ]  # fmt: skip
            for unit in system.processes:
                log = (tmp_path / f"{unit}.log").read_text()
                assert [s for s in secrets if s in log] == []
            kept = "\n".join(_log_and_answers(tmp_path))
            assert "circulation.ItemCheckedOut" in kept and "reviews.ReviewHidden" in kept
            assert [s for s in [*secrets, ann.id] if s in kept] == []


async def _is_mailed_in_vain(library: Library, person: Person) -> None:
    """A charge is mailed, and the mail server refuses the address in so many words."""
    charge = {"patron_id": person.id, "amount": {"amount": 100, "currency": "EUR"}}
    expect(await library.staff.post(f"{API}/fines", json=charge), 201)
    bounced = f"{API}/notices/mails?state=bounced&patron_id={person.id}"
    for _ in range(400):
        if expect(await library.staff.get(bounced))["items"]:
            return
        await asyncio.sleep(0.05)
    raise AssertionError("the mail was not refused")


def _log_and_answers(folder: Path) -> list[str]:
    """Every row of every log and every kept answer, as text.

    Left out: that something about a person changed, which names the person by id alone.
    """
    found = []
    for name in ("accounts", "catalog", "circulation", "notices", "reports", "reviews"):
        database = sqlite3.connect(folder / f"{name}.db")
        for table in (f"{name}_event", f"{name}_request"):
            shown = "name, body" if table.endswith("event") else "scope, answer"
            condition = f"WHERE name NOT LIKE '{name}.Patron%'" if table.endswith("event") else ""
            query = f"SELECT {shown} FROM {table} {condition}"  # noqa: S608
            found += [" ".join(row) for row in database.execute(query)]
        database.close()
    return found
