"""What every race has: a branch of its own, desks side by side, and the count.

A race asserts nothing: it returns a `Tally` of what should have happened, what did, and every
answer or effect that has no place in it. A test asserts that the tally is clean; the test of a
guard takes the guard out and asserts that it is not.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from lendery.contracts.base import Event
from tests.assurance.desks import Ask, Desks, Told
from tests.assurance.evidence import Evidence
from tests.assurance.places import Place
from tests.stories.library import API, PASSWORD, Library, Person, expect

Shelf = Sequence[dict[str, Any]]


@dataclass
class Tally:
    """What a race came to. `doubled`: effects beyond those there may be. `odd`: the rest."""

    attempts: int = 0
    expected: int = 0
    winners: int = 0
    doubled: int = 0
    odd: Counter[str] = field(default_factory=Counter)
    seconds: float = 0.0

    @property
    def clean(self) -> bool:
        return self.winners == self.expected and not self.doubled and not self.odd

    def add(self, other: Tally) -> None:
        self.attempts += other.attempts
        self.expected += other.expected
        self.winners += other.winners
        self.doubled += other.doubled
        self.odd += other.odd
        self.seconds += other.seconds

    def round(self, *, attempts: int, expected: int, winners: int) -> None:
        self.attempts += attempts
        self.expected += expected
        self.winners += winners

    def at_most(self, allowed: int, seen: int) -> None:
        self.doubled += max(0, seen - allowed)

    def must(self, holds: bool, otherwise: object) -> None:
        if not holds:
            self.odd[str(otherwise)[:200]] += 1


@dataclass
class Race:
    """A branch of its own, its staff, desks side by side, and the count."""

    place: Place
    library: Library
    token: str
    desks: Desks
    evidence: Evidence
    tally: Tally

    @classmethod
    @asynccontextmanager
    async def open(
        cls, place: Place, desks: int, at: str = "circulation", **rules: Any
    ) -> AsyncIterator[Race]:
        started = time.perf_counter()
        async with (
            Library.open(place, **rules) as library,  # type: ignore[arg-type]
            place.desks(desks, at) as opened,
            place.evidence() as evidence,
        ):
            race = cls(place, library, await place.admin(), opened, evidence, Tally())
            yield race
        race.tally.seconds = time.perf_counter() - started

    async def patrons(self, count: int) -> list[Person]:
        return list(await asyncio.gather(*[self.library.patron(f"Ben {n}") for n in range(count)]))

    async def copies(self, count: int) -> list[dict[str, Any]]:
        return list(await asyncio.gather(*[self.library.copy() for _ in range(count)]))

    async def colleague(self) -> str:
        """The token of another member of staff."""
        email = f"kim-{uuid4().hex[:10]}@lendery.test"
        body = {"name": "Kim", "email": email, "password": PASSWORD, "role": "librarian"}
        expect(await self.library.staff.post(f"{API}/users", json=body), 201)
        return await self.place.sign_in(email, PASSWORD)

    def lend(self, copy: dict[str, Any], to: Person, key: str = "", by: str = "") -> Ask:
        body = {"barcode": copy["barcode"], "card_number": to.card}
        return Ask("POST", f"{API}/loans", by or self.token, body, key)

    def take_back(self, copy: dict[str, Any], key: str = "", by: str = "") -> Ask:
        body = {"barcode": copy["barcode"]}
        return Ask("POST", f"{API}/returns", by or self.token, body, key)

    def renew(self, loan: str, key: str = "", by: str = "") -> Ask:
        return Ask("POST", f"{API}/loans/{loan}/renew", by or self.token, None, key)

    async def ask(self, ask: Ask) -> Told:
        return (await self.desks.at_once([ask]))[0]

    async def lent(self, copy: dict[str, Any], to: Person) -> str:
        """The id of a loan made in peace."""
        told = await self.ask(self.lend(copy, to))
        assert told.status == 201, told
        return str(told.body["id"])

    async def out(self, **of: str) -> list[dict[str, Any]]:
        """The open loans of a copy or a patron, as staff see them."""
        query = "&".join(f"{name}={value}" for name, value in of.items())
        told = await self.ask(Ask("GET", f"{API}/loans?status=open&limit=100&{query}", self.token))
        assert told.status == 200, told
        found: list[dict[str, Any]] = told.body["items"]
        return found

    async def clear(self, copy: dict[str, Any]) -> None:
        """Takes the copy back until it is back, as often as it was lent."""
        for _ in await self.out(copy_id=copy["id"]):
            await self.ask(self.take_back(copy))

    async def settle(
        self, kind: type[Event], copies: Shelf, loans: Sequence[str], times: int = 1
    ) -> None:
        """The log tells of each of these loans so many times, and of no other."""
        told = await self.evidence.told(kind, [copy["id"] for copy in copies])
        told.pop(None, None)  # a copy taken back that was not on loan
        for loan in told:
            self.tally.at_most(times, told[loan])
            self.tally.must(loan in loans, f"{kind.__name__} of a loan nobody was told of")
        for loan in loans:
            self.tally.must(told[loan] >= times, f"too few of {kind.__name__}")

    async def no_other_loans(self, copies: Shelf, loans: Sequence[str]) -> None:
        """Who was refused left nothing behind: the table holds the loans told, and no other."""
        rows = await self.evidence.loans([copy["id"] for copy in copies])
        same = sorted(str(row.id) for row in rows) == sorted(loans)
        self.tally.must(same, "loans that nobody was told of, or lost ones")
