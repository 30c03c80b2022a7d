"""R6: one script, told to every shape on every database, must hear the same answers.

The script is drawn from a seed: what it asks next depends only on what it was told before. Ids
are replaced by numbers in the order in which they appear, instants by their day, cursors by a
mark; all the rest must be equal, refusals and sentences included.
"""

import asyncio
import random
import re
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.stories.library import API, PASSWORD, expect
from tests.system import Client, System

UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
INSTANT = re.compile(r"(\d{4}-\d\d-\d\d)T[\d:.]+(Z|\+00:00)")
CURSOR = re.compile(r'(?<="next_cursor":)"[^"]+"')
RULES: dict[str, Any] = {
    "loan_period": 21,
    "renewals": 1,
    "renew_from": "due-date",
    "max_loans_total": 6,
    "holds": 4,
    "holds_per_book": 1,
    "hold_fee": 50,
    "owed_limit": 1000,
    "fine": 20,
    "pickup_days": 3,
}
WHAT = (
    "lend",
    "lend",
    "return",
    "return",
    "renew",
    "hold",
    "hold",
    "end",
    "charge",
    "settle",
    "read",
)


PATIENCE = 20.0  # seconds


@dataclass
class Script:
    """`heard` is what came back, made comparable."""

    system: System
    staff: Client
    dice: random.Random
    heard: list[str] = field(default_factory=list)
    people: list[str] = field(default_factory=list)
    books: list[str] = field(default_factory=list)
    copies: list[dict[str, Any]] = field(default_factory=list)
    branches: list[str] = field(default_factory=list)
    loans: list[str] = field(default_factory=list)
    holds: list[str] = field(default_factory=list)
    fines: list[str] = field(default_factory=list)
    numbers: dict[str, int] = field(default_factory=dict)

    async def open(self) -> None:
        for code in ("central", "north"):
            body = {"code": code, "name": code.title(), "time_zone": "Europe/Berlin"}
            self.branches.append((await self._post("/branches", body))["id"])
        for parameter, value in RULES.items():
            await self._post("/rules", {"parameter": parameter, "value": value})
        lasting = str((datetime.now(UTC) + timedelta(days=200)).date())
        for name in ("Ann", "Ben", "Cas", "Dora"):
            body = {
                "name": name,
                "category": "adult",
                "expires_on": lasting,
                "card_number": f"CARD-{name.upper()}",
                "email": f"{name.lower()}@lendery.test",
                "password": PASSWORD,
            }
            self.people.append((await self._post("/users", body))["id"])
        for title in ("Middlemarch", "Emma", "Persuasion"):
            self.books.append((await self._post("/books", {"title": title}))["id"])
            for number in range(self.dice.randint(1, 3)):
                body = {
                    "barcode": f"{title[:3].upper()}-{number}",
                    "book_id": self.books[-1],
                    "branch_id": self.dice.choice(self.branches),
                    "item_type": self.dice.choice(("book", "book", "dvd", "reference")),
                    "price": {"amount": 1500, "currency": "EUR"},
                }
                self.copies.append(await self._post("/copies", body))

    async def run(self, steps: int) -> None:
        for _ in range(steps):
            await getattr(self, f"_{self.dice.choice(WHAT)}")()

    async def _lend(self) -> None:
        body: dict[str, Any] = {
            "barcode": self.dice.choice(self.copies)["barcode"],
            "patron_id": self.dice.choice(self.people),
            "branch_id": self.dice.choice(self.branches),
        }
        if self.dice.random() < 0.3:
            body |= {"waive": ["on-hold", "reference-only", "fines-owed"], "reason": "Agreed"}
        told = await self._post("/loans", body)
        self._keep(self.loans, told)

    async def _return(self) -> None:
        copy = self.dice.choice(self.copies)
        body = {"barcode": copy["barcode"], "branch_id": self.dice.choice(self.branches)}
        await self._post("/returns", body)

    async def _renew(self) -> None:
        if self.loans:
            await self._post(f"/loans/{self.dice.choice(self.loans)}/renew", None)

    async def _hold(self) -> None:
        wanted: dict[str, Any] = {"book_id": self.dice.choice(self.books)}
        if self.dice.random() < 0.2:
            wanted = {"copy_id": self.dice.choice(self.copies)["id"]}
        who = {"patron_id": self.dice.choice(self.people)}
        where = {"pickup_branch_id": self.dice.choice(self.branches)}
        self._keep(self.holds, await self._post("/holds", wanted | who | where))

    async def _end(self) -> None:
        if not self.holds:
            return
        hold, what = self.dice.choice(self.holds), self.dice.choice(("suspend", "resume", ""))
        if what:
            await self._post(f"/holds/{hold}/{what}", None)
        else:
            self._hear(await self.staff.delete(f"{API}/holds/{hold}"))

    async def _charge(self) -> None:
        body = {"patron_id": self.dice.choice(self.people), "amount": self._money(1, 700)}
        self._keep(self.fines, await self._post("/fines", body | {"reason": "damaged"}))

    async def _settle(self) -> None:
        person = {"patron_id": self.dice.choice(self.people)}
        fine = self.dice.choice(self.fines) if self.fines else None
        match self.dice.randrange(4):
            case 0 if fine:
                await self._post(f"/fines/{fine}/waive", {"reason": "Agreed"})
            case 1 if fine:
                await self._post(f"/fines/{fine}/cancel", {"reason": "A mistake"})
            case 2:
                body = person | {"amount": self._money(1, 300), "reason": "Credit"}
                await self._post("/refunds", body)
            case _:
                await self._post("/payments", person | {"amount": self._money(-5, 500)})

    async def _read(self) -> None:
        person, book = self.dice.choice(self.people), self.dice.choice(self.books)
        for path in (
            f"/users/{person}/account",
            f"/users/{person}/loans?limit=3",
            f"/users/{person}/holds?state=open",
            f"/books/{book}/holds",
            f"/books/{book}/copies",
            "/pulls",
            "/transfers",
            "/holds?limit=2&cursor=nonsense",
        ):
            self._hear(await self.staff.get(API + path))

    def _money(self, least: int, most: int) -> dict[str, Any]:
        return {"amount": self.dice.randint(least, most), "currency": "EUR"}

    def _keep(self, into: list[str], told: dict[str, Any]) -> None:
        if "id" in told:
            into.append(told["id"])

    async def _post(self, path: str, body: dict[str, Any] | None) -> dict[str, Any]:
        answer = await self.staff.post(API + path, json=body)
        self._hear(answer)
        told: dict[str, Any] = answer.json()
        return told

    def _hear(self, answer: Any) -> None:
        text = UUID.sub(lambda hit: f"#{self._number(hit[0])}", answer.text)
        text = CURSOR.sub('"..."', INSTANT.sub(r"\1", text))
        self.heard.append(f"{answer.request.method} {answer.status_code} {text}")

    def _number(self, found: str) -> int:
        return self.numbers.setdefault(found, len(self.numbers) + 1)


async def _all_know(staff: Any) -> None:
    """Parts that began before their neighbour ask it for the keys of tokens once more."""
    for path in ("/users?limit=1", "/imports?limit=1", "/rules"):
        give_up = time.monotonic() + PATIENCE
        while (answer := await staff.get(API + path)).status_code == 503:
            assert time.monotonic() < give_up, answer.text
            await asyncio.sleep(0.1)
        expect(answer)


async def answers(system: System, *, seed: int, steps: int) -> list[str]:
    """What this system says to the script of that seed."""
    async with system.client(await system.admin()) as staff:
        await _all_know(staff)
        script = Script(system, staff, random.Random(seed))
        await script.open()
        await script.run(steps)
        expect(await staff.get(f"{API}/branches"))
        return script.heard
