"""The people in these tests, and the things they act on."""

import asyncio
import json
import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import httpx2

from lendery.notices.unsubscribing import make_token
from tests.notebook import Notebook
from tests.stories.library import API, Library, Person, expect
from tests.system import Client, System

STRANGER, OTHER, OWNER, LIBRARIAN, ADMIN = "stranger", "other", "owner", "librarian", "admin"
CALLERS = (STRANGER, OTHER, OWNER, LIBRARIAN, ADMIN)


@dataclass
class Cast:
    """A stranger, the reader whose things are meant, another reader, a librarian, an admin.

    Holds tokens, not clients: it outlives the event loop of a test.
    """

    system: System
    branch: str = ""
    category: str = ""
    tokens: dict[str, str | None] = field(default_factory=dict)
    ids: dict[str, str] = field(default_factory=dict)
    emails: dict[str, str] = field(default_factory=dict)
    cards: dict[str, str] = field(default_factory=dict)

    @classmethod
    async def called(cls, system: System) -> "Cast":
        async with Library.open(system, max_loans_total=100_000, renew_from="due-date") as library:
            cast = cls(system, library.branch, library.category, {STRANGER: None})
            for role in CALLERS[1:]:
                rank = {LIBRARIAN: "librarian", ADMIN: "admin"}.get(role, "reader")
                person = await library.reader(role.capitalize(), role=rank)
                await cast.takes(role, person)
        return cast

    async def takes(self, role: str, person: Person) -> None:
        self.ids[role], self.cards[role] = person.id, person.card
        self.emails[role] = person.email
        self.tokens[role] = str(person.client.http.headers["authorization"]).split()[1]
        await person.client.http.aclose()

    def client(self, role: str, **options: Any) -> Client:
        return self.system.client(self.tokens[role], verify=False, **options)  # no TLS on loopback

    def library(self, staff: Client) -> Library:
        """The words of the stories, for the branch of this cast."""
        return Library(self.system, staff, self.branch, self.category)


class Things:
    """What an operation acts on, made when it is first named and kept for one cell."""

    def __init__(self, cast: Cast, staff: Client) -> None:
        self.cast, self.library = cast, cast.library(staff)
        self.made: dict[str, str] = {
            "user_id": cast.ids[OWNER],
            "owner_card": cast.cards[OWNER],
            "card_number": cast.cards[OWNER],
            "owner_email": cast.emails[OWNER],
            "other_id": cast.ids[OTHER],
            "librarian_id": cast.ids[LIBRARIAN],
            "home": cast.branch,
            "category": cast.category,
            "mark": f"m-{uuid4().hex[:10]}",
            "flag": "damaged",
        }

    async def fill(self, template: Any) -> Any:
        """The template with every `{name}` in its texts filled in."""
        if isinstance(template, dict):
            return {key: await self.fill(value) for key, value in template.items()}
        if isinstance(template, list):
            return [await self.fill(value) for value in template]
        if not isinstance(template, str):
            return template
        for name in re.findall(r"\{(\w+)\}", template):
            template = template.replace(f"{{{name}}}", await self.get(name))
        return template

    async def get(self, name: str) -> str:
        if name not in self.made:
            await getattr(self, f"_{MAKERS[name]}")()
        return self.made[name]

    async def _make(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        answer: httpx2.Response = await self.library.staff.post(f"{API}{path}", json=body)
        found: dict[str, Any] = expect(answer, 201)
        return found

    async def _book(self) -> None:
        self.made["book_id"] = (await self.library.book())["id"]

    async def _author(self) -> None:
        made = await self._make("/authors", {"name": f"Eliot {self.made['mark']}"})
        self.made["author_id"] = made["id"]

    async def _other_author(self) -> None:
        made = await self._make("/authors", {"name": f"Evans {self.made['mark']}"})
        self.made["other_author_id"] = made["id"]

    async def _variant(self) -> None:
        path = f"/authors/{await self.get('author_id')}/variants"
        made = await self._make(path, {"name": f"Lewes {self.made['mark']}"})
        self.made["variant_id"] = made["id"]

    async def _subjects(self) -> None:
        """Two, and another form of the first."""
        mark = self.made["mark"]
        named = [f"Towns {mark}", f"Villages {mark}"]
        await self.library.book(subjects=named)
        answer = await self.library.staff.get(f"{API}/subjects", params={"q": mark})
        ids = {each["name"]: each["id"] for each in expect(answer, 200)["items"]}
        made = await self._make(f"/subjects/{ids[named[0]]}/variants", {"name": f"Cities {mark}"})
        self.made |= {"subject_id": ids[named[0]], "other_subject_id": ids[named[1]]}
        self.made["subject_variant_id"] = made["id"]

    async def _edition(self) -> None:
        series = f"Barset {self.made['mark']}"
        book = await self.library.book(series=series, series_number="1")
        self.made |= {"work_id": book["work_id"], "series": series}

    async def _merge(self) -> None:
        body = {
            "kind": "author",
            "loser_id": await self.get("other_author_id"),
            "winner_id": await self.get("author_id"),
        }
        self.made["merge_id"] = (await self._make("/merges", body))["id"]

    async def _duplicate(self) -> None:
        """Two authors of one name, found by a look at all."""
        name = {"name": f"Trollope {self.made['mark']}"}
        self.made["twin_id"] = (await self._make("/authors", name))["id"]
        await self._make("/authors", name)
        staff, page = self.library.staff, {"next_cursor": ""}
        expect(await staff.post(f"{API}/duplicates/look"), 200)
        while page["next_cursor"] is not None and "duplicate_id" not in self.made:
            asked = {"kind": "author", "limit": "100"}
            asked |= {"cursor": page["next_cursor"]} if page["next_cursor"] else {}
            page = expect(await staff.get(f"{API}/duplicates", params=asked), 200)
            for each in page["items"]:  # type: ignore[attr-defined]
                if self.made["twin_id"] in (each["one"]["id"], each["other"]["id"]):
                    self.made["duplicate_id"] = each["id"]

    async def _copy(self) -> None:
        copy = await self.library.copy()
        self.made |= {"copy_id": copy["id"], "barcode": copy["barcode"]}
        self.made["book_id"] = copy["book_id"]

    async def _import(self) -> None:
        self.made["import_id"] = await self._imported("")

    async def _checked(self) -> None:
        """A dry run, whose file waits."""
        self.made["checked_id"] = await self._imported("?dry_run=true")

    async def _imported(self, query: str) -> str:
        line = json.dumps({"id": self.made["mark"], "book": {"title": "Emma"}})
        answer = await self.library.staff.post(f"{API}/imports{query}", content=line)
        return await self._ended(expect(answer, 202)["id"])

    async def _export(self) -> None:
        made = await self.library.staff.post(f"{API}/exports", json={"format": "lendery"})
        self.made["export_id"] = await self._ended(expect(made, 202)["id"])

    async def _simulation(self) -> None:
        draft = {"rows": [], "since": "2026-01-01T00:00:00Z"}
        made = await self.library.staff.post(f"{API}/rules/simulate", json=draft)
        simulation_id = expect(made, 202)["id"]
        self.made["simulation_id"] = await self._ended(simulation_id, "rules/simulations")

    async def _ended(self, job_id: str, among: str = "jobs") -> str:
        for _ in range(500):
            job = expect(await self.library.staff.get(f"{API}/{among}/{job_id}"))
            if job["state"] not in ("queued", "running"):
                assert job["state"] == "done", job
                return job_id
            await asyncio.sleep(0.02)
        raise AssertionError("the job does not end")

    async def _loan(self) -> None:
        copy = await self.library.copy()
        body = {"barcode": copy["barcode"], "patron_id": self.made["user_id"]}
        made = await self._make("/loans", body)
        self.made |= {"loan_id": made["id"], "lent_barcode": copy["barcode"]}
        self.made |= {"lent_copy_id": copy["id"], "event_id": made["event_id"]}

    async def _page(self) -> None:
        """What a desk did offline and did not send yet."""
        body = {"name": f"Bus {self.made['mark']}", "branch_id": self.made["home"]}
        self.notes = Notebook.of(await self._make("/offline/desks", body))
        page = self.notes.write("check-in", "nothing", at=datetime.now(UTC))
        self.made["desk_id"] = self.notes.desk_id
        self.made |= {f"page_{name}": str(value) for name, value in page.items()}

    async def _conflict(self) -> None:
        """What nobody could know, since no copy has this barcode."""
        await self._page()
        batch_id, pages = str(uuid4()), self.notes.pages
        body = {"id": batch_id, "desk_id": self.notes.desk_id, "transactions": pages}
        expect(await self.library.staff.post(f"{API}/offline/transactions", json=body))
        self.made |= {"batch_id": batch_id, "conflict_id": pages[0]["id"]}

    async def _claimed(self) -> None:
        """A loan of which its reader says that it was returned."""
        await self._loan()
        path = f"{API}/copies/{self.made['lent_copy_id']}/flags"
        body = {"flag": "claimed-returned"}
        expect(await self.library.staff.post(path, json=body))
        self.made["claimed_loan_id"] = self.made["loan_id"]

    async def _hold(self) -> None:
        copy = await self.library.copy()
        body = {
            "copy_id": copy["id"],
            "patron_id": self.made["user_id"],
            "pickup_branch_id": self.made["home"],
        }
        self.made["hold_id"] = (await self._make("/holds", body))["id"]

    async def _fine(self) -> None:
        self.made["fine_id"] = (await self._charged(self.made["user_id"]))["id"]

    async def _credit(self) -> None:
        """Somebody who paid for what was no fault of theirs."""
        person = await self.library.patron("Cas")
        fine = await self._charged(person.id)
        paid = {"patron_id": person.id, "amount": fine["amount"], "branch_id": self.made["home"]}
        await self._make("/payments", paid)
        path = f"{API}/fines/{fine['id']}/cancel"
        expect(await self.library.staff.post(path, json={"reason": "A mistake"}))
        self.made["credit_id"] = person.id

    async def _cash_session(self) -> None:
        await self.fill("{branch_id}")
        place = {"branch_id": self.made["branch_id"], "desk": "back"}
        opening = {**place, "opening_float": {"amount": 100, "currency": "EUR"}}
        self.made["session_id"] = (await self._make("/cash-sessions", opening))["id"]

    async def _charged(self, person_id: str) -> dict[str, Any]:
        amount = {"amount": 100, "currency": "EUR"}
        return await self._make("/fines", {"patron_id": person_id, "amount": amount})

    async def _review(self) -> None:
        """What the owner thinks of some book."""
        self.made["book_id"] = (await self.library.book())["id"]
        async with self.cast.client(OWNER) as owner:
            path = f"{API}/books/{self.made['book_id']}/reviews"
            made = expect(await owner.post(path, json={"rating": 4, "text": "Long."}), 201)
        self.made["review_id"] = made["id"]

    async def _notice(self) -> None:
        """What the owner was told about a charge, and the mail about it."""
        await self._fine()
        async with self.cast.client(OWNER) as owner:
            told: list[Any] = []
            while not told:
                told = expect(await owner.get(f"{API}/me/notices?unread=true"))["items"]
                await asyncio.sleep(0.02)
        self.made["notice_id"] = told[0]["id"]
        path = f"{API}/notices/mails?patron_id={self.made['user_id']}"
        self.made["mail_id"] = expect(await self.library.staff.get(path))["items"][0]["id"]

    async def _subscription(self) -> None:
        """A report that the administrator gets by e-mail."""
        body = {"report": "overdue", "form": "csv", "every": "day", "hour": 6}
        self.made["subscription_id"] = (await self._make("/report-subscriptions", body))["id"]

    async def _way_out(self) -> None:
        """What a mail to the owner ends with."""
        secret = next(iter(self.cast.system.environments.values()))["LENDERY_SECRET"]
        owner = UUID(self.made["user_id"])
        self.made["way_out"] = make_token(owner, ["due-soon"], secret)

    async def _branch(self) -> None:
        body = {"code": f"x-{self.made['mark']}", "name": "North"}
        self.made["branch_id"] = (await self._make("/branches", body))["id"]

    async def _calendar(self) -> None:
        body = {"name": "Town hours", "weekly": {"mon": [["09:00", "18:00"]]}}
        self.made["calendar_id"] = (await self._make("/calendars", body))["id"]

    async def _rule(self) -> None:
        body = {"category": self.made["mark"], "parameter": "loan_period", "value": 9}
        self.made["rule_id"] = (await self._make("/rules", body))["id"]

    async def _block(self) -> None:
        person = await self.library.patron("Ben")
        made = await self._make(f"/users/{person.id}/blocks", {"reason": "other"})
        self.made |= {"blocked_id": person.id, "block_id": made["id"]}

    async def _patron(self) -> None:
        person = await self.library.patron("Ben")
        self.made |= {"patron_id": person.id}

    async def _librarian(self) -> None:
        person = await self.library.patron("Lib", role="librarian")
        self.made |= {"new_librarian_id": person.id}


MAKERS = {
    "book_id": "book",
    "author_id": "author",
    "other_author_id": "other_author",
    "variant_id": "variant",
    "subject_id": "subjects",
    "other_subject_id": "subjects",
    "subject_variant_id": "subjects",
    "work_id": "edition",
    "series": "edition",
    "merge_id": "merge",
    "duplicate_id": "duplicate",
    "twin_id": "duplicate",
    "copy_id": "copy",
    "import_id": "import",
    "checked_id": "checked",
    "export_id": "export",
    "barcode": "copy",
    "loan_id": "loan",
    "lent_barcode": "loan",
    "lent_copy_id": "loan",
    "event_id": "loan",
    "claimed_loan_id": "claimed",
    **dict.fromkeys(("desk_id", "page_id", "page_at", "page_barcode", "page_signature"), "page"),
    "batch_id": "conflict",
    "conflict_id": "conflict",
    "hold_id": "hold",
    "fine_id": "fine",
    "credit_id": "credit",
    "session_id": "cash_session",
    "review_id": "review",
    "notice_id": "notice",
    "mail_id": "notice",
    "subscription_id": "subscription",
    "way_out": "way_out",
    "branch_id": "branch",
    "calendar_id": "calendar",
    "rule_id": "rule",
    "simulation_id": "simulation",
    "block_id": "block",
    "blocked_id": "block",
    "patron_id": "patron",
    "new_librarian_id": "librarian",
}
