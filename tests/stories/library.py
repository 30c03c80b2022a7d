"""Words for stories: who comes in, what is on the shelf, what happens at the desk."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from uuid import uuid4

import httpx2
from tests.system import Client, System

API = "/api/v1"
ALWAYS = {day: [["00:00", "24:00"]] for day in ("mon", "tue", "wed", "thu", "fri", "sat", "sun")}
PASSWORD = "a-reader's-password"


@dataclass
class Person:
    """A character, with the client that speaks for them when they have signed in."""

    id: str
    name: str
    card: str
    email: str
    client: Client


@dataclass
class Library:
    """One branch, and rules that bind its copies only: stories do not disturb each other."""

    system: System
    staff: Client
    branch: str
    category: str

    @classmethod
    @asynccontextmanager
    async def open(cls, system: System, **rules: Any) -> AsyncIterator["Library"]:
        async with system.client(await system.admin()) as staff:
            mark = uuid4().hex[:10]
            made = await staff.post(
                f"{API}/branches",
                json={"code": f"b-{mark}", "name": "Central", "self_service": True},
            )
            library = cls(system, staff, expect(made, 201)["id"], f"c-{mark}")
            ordinary = {"loan_period": 21, "renewals": 2, "max_loans_total": 10, "expiry_grace": 30}
            for parameter, value in (ordinary | rules).items():
                await library.rule(parameter, value)
            yield library

    async def rule(self, parameter: str, value: Any, **scope: str) -> dict[str, Any]:
        body = {"branch_id": self.branch, "parameter": parameter, "value": value, **scope}
        return expect(await self.staff.post(f"{API}/rules", json=body), 201)

    async def reader(self, name: str = "Ann", **but: Any) -> Person:
        """Somebody with a card, and signed in."""
        email = f"{name.lower()}-{uuid4().hex[:10]}@lendery.test"
        body = {
            "name": name,
            "email": email,
            "password": PASSWORD,
            "category": self.category,
            "expires_on": str(date.today() + timedelta(days=300)),
            "home_branch_id": self.branch,
        }
        made = expect(await self.staff.post(f"{API}/users", json=body | but), 201)
        client = self.system.client(await self.system.sign_in(email, PASSWORD))
        return Person(made["id"], name, made["card_number"], email, client)

    async def patron(self, name: str = "Ben", **but: Any) -> Person:
        """Somebody with a card who never signs in."""
        body = {
            "name": name,
            "category": self.category,
            "expires_on": str(date.today() + timedelta(days=300)),
        }
        made = expect(await self.staff.post(f"{API}/users", json=body | but), 201)
        return Person(made["id"], name, made["card_number"], "", self.staff)

    async def book(self, title: str = "Middlemarch", **but: Any) -> dict[str, Any]:
        body = {"title": title, "authors": ["George Eliot"]}
        return expect(await self.staff.post(f"{API}/books", json=body | but), 201)

    async def copy(self, book: dict[str, Any] | None = None, **but: Any) -> dict[str, Any]:
        book = book or await self.book()
        body = {
            "barcode": uuid4().hex[:12],
            "book_id": book["id"],
            "branch_id": self.branch,
            "item_type": "book",
        }
        return expect(await self.staff.post(f"{API}/copies", json=body | but), 201)

    async def lend(
        self,
        copy: dict[str, Any],
        to: Person,
        *,
        by: Client | None = None,
        key: str = "",
        **but: Any,
    ) -> httpx2.Response:
        body = {"barcode": copy["barcode"], "card_number": to.card}
        headers = {"idempotency-key": key} if key else {}
        return await (by or self.staff).post(f"{API}/loans", json=body | but, headers=headers)

    async def take_back(self, copy: dict[str, Any], **but: Any) -> httpx2.Response:
        return await self.staff.post(f"{API}/returns", json={"barcode": copy["barcode"]} | but)

    async def loans_of(self, person: Person) -> list[dict[str, Any]]:
        path = f"{API}/users/{person.id}/loans?status=open&limit=100"
        found: list[dict[str, Any]] = expect(await self.staff.get(path))["items"]
        return found


def expect(answer: httpx2.Response, status: int = 200) -> Any:
    """The body of an answer that has the status it should have."""
    assert answer.status_code == status, f"{answer.status_code}: {answer.text[:2000]}"
    return answer.json()


def blocks(answer: httpx2.Response) -> list[str]:
    return [block["code"] for block in expect(answer, 409)["blocks"]]
