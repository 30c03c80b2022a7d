"""A small crowd at a small library, and everything they may ask for at its desk."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, timedelta
from itertools import count
from random import Random
from typing import Any
from uuid import uuid4

from tests.assurance.desks import Ask
from tests.assurance.storm_calls import Note
from tests.stories.library import API, Library, Person, expect

PATRONS, BOOKS, COPIES = 8, 4, 12
MOST = 40  # people and copies that a storm adds; and things of each kind that are remembered
RULES = {"renew_from": "due-date", "renewals": 5, "max_loans_total": 50, "holds": 50}


@dataclass
class Crowd:
    """Who is there, what is on the shelf, and which loans, holds and fines they know of."""

    library: Library
    token: str
    random: Random
    people: list[dict[str, Any]] = field(default_factory=list)
    shelf: list[dict[str, Any]] = field(default_factory=list)
    books: list[str] = field(default_factory=list)
    loans: list[str] = field(default_factory=list)
    holds: list[str] = field(default_factory=list)
    fines: list[str] = field(default_factory=list)
    days: "count[int]" = field(default_factory=count)

    async def gather(self) -> None:
        for number in range(PATRONS):
            self.meet(await self.library.patron(f"Ben {number}"))
        for _ in range(BOOKS):
            book = await self.library.book()
            self.books.append(book["id"])
            self.shelf += [await self.library.copy(book) for _ in range(COPIES // BOOKS)]
        for person in self.people:  # circulation meets them: they can pay from now on
            who = f"barcode={self.shelf[0]['barcode']}&card_number={person['card_number']}"
            expect(await self.library.staff.get(f"{API}/loans/check?{who}"))

    def meet(self, person: Person) -> None:
        self.people.append({"id": person.id, "card_number": person.card})

    def ask(self, kind: str) -> Note | None:
        """A request of this kind; None where there is nothing to ask it about."""
        found = ACTIONS[kind](self)
        return Note(kind, found) if found else None

    def learn(self, note: Note) -> None:
        """What somebody was told, others act upon."""
        if not note.done:
            return
        body = note.told.body
        match note.kind:
            case "lend":
                self.loans = [*self.loans[-MOST:], body["id"]]
            case "place":
                self.holds = [*self.holds[-MOST:], body["id"]]
            case "charge":
                self.fines = [*self.fines[-MOST:], body["id"]]
            case "register":
                self.people.append(body)
            case "shelve":
                self.shelf.append(body)

    def post(self, path: str, body: dict[str, Any] | None, key: bool = True) -> Ask:
        return Ask("POST", f"{API}/{path}", self.token, body, uuid4().hex if key else "")


def _money(amount: int) -> dict[str, Any]:
    return {"amount": amount, "currency": "EUR"}


def lend(crowd: Crowd) -> Ask:
    copy, person = crowd.random.choice(crowd.shelf), crowd.random.choice(crowd.people)
    body = {"barcode": copy["barcode"], "card_number": person["card_number"]}
    return crowd.post("loans", body)


def take_back(crowd: Crowd) -> Ask:
    return crowd.post("returns", {"barcode": crowd.random.choice(crowd.shelf)["barcode"]})


def renew(crowd: Crowd) -> Ask | None:
    if not crowd.loans:
        return None
    return crowd.post(f"loans/{crowd.random.choice(crowd.loans)}/renew", None)


def place(crowd: Crowd) -> Ask:
    return crowd.post(
        "holds",
        {
            "book_id": crowd.random.choice(crowd.books),
            "patron_id": crowd.random.choice(crowd.people)["id"],
            "pickup_branch_id": crowd.library.branch,
        },
    )


def cancel_hold(crowd: Crowd) -> Ask | None:
    if not crowd.holds:
        return None
    hold = crowd.holds.pop(crowd.random.randrange(len(crowd.holds)))
    return Ask("DELETE", f"{API}/holds/{hold}", crowd.token)


def charge(crowd: Crowd) -> Ask:
    person = crowd.random.choice(crowd.people)
    body = {"patron_id": person["id"], "amount": _money(crowd.random.randrange(100, 900))}
    return crowd.post("fines", body | {"reason": "card"})


def pay(crowd: Crowd) -> Ask:
    person = crowd.random.choice(crowd.people[:PATRONS])
    body = {"patron_id": person["id"], "amount": _money(crowd.random.randrange(1, 400))}
    return crowd.post("payments", body)


def waive(crowd: Crowd) -> Ask | None:
    if not crowd.fines:
        return None
    fine = crowd.random.choice(crowd.fines)
    body = {"amount": _money(crowd.random.randrange(1, 50)), "reason": "A hard winter"}
    return crowd.post(f"fines/{fine}/waive", body)


def cancel_fine(crowd: Crowd) -> Ask | None:
    if not crowd.fines:
        return None
    fine = crowd.random.choice(crowd.fines)
    return crowd.post(f"fines/{fine}/cancel", {"reason": "The book was here all the time"})


def refund(crowd: Crowd) -> Ask:
    person = crowd.random.choice(crowd.people[:PATRONS])
    amount = _money(crowd.random.randrange(1, 100))
    return crowd.post("refunds", {"patron_id": person["id"], "amount": amount, "reason": "Credit"})


def register(crowd: Crowd) -> Ask | None:
    if len(crowd.people) > MOST:
        return None
    email = f"cas-{uuid4().hex[:12]}@lendery.test"
    body = {"name": "Cas", "email": email, "category": crowd.library.category}
    expires = str(date.today() + timedelta(days=300))
    return crowd.post("users", body | {"expires_on": expires}, key=False)


def shelve(crowd: Crowd) -> Ask | None:
    if len(crowd.shelf) > MOST:
        return None
    body = {"barcode": uuid4().hex[:12], "book_id": crowd.random.choice(crowd.books)}
    body |= {"branch_id": crowd.library.branch, "item_type": "book"}
    return crowd.post("copies", body, key=False)


def change_card(crowd: Crowd) -> Ask:
    """Each change has a day of its own, so that it can be seen which one stands."""
    person = crowd.random.choice(crowd.people)
    day = date.today() + timedelta(days=301 + next(crowd.days))
    body = {"expires_on": str(day)}
    return Ask("PATCH", f"{API}/users/{person['id']}", crowd.token, body)


def change_price(crowd: Crowd) -> Ask:
    copy = crowd.random.choice(crowd.shelf)
    body = {"price": _money(1000 + next(crowd.days))}
    return Ask("PATCH", f"{API}/copies/{copy['id']}", crowd.token, body)


ACTIONS: dict[str, Callable[[Crowd], Ask | None]] = {
    "lend": lend,
    "take back": take_back,
    "renew": renew,
    "place": place,
    "cancel hold": cancel_hold,
    "charge": charge,
    "pay": pay,
    "waive": waive,
    "cancel fine": cancel_fine,
    "refund": refund,
    "register": register,
    "shelve": shelve,
    "change card": change_card,
    "change price": change_price,
}
AT_THE_DESK = {
    "lend": 26,
    "take back": 26,
    "renew": 8,
    "place": 10,
    "cancel hold": 9,
    "charge": 7,
    "pay": 8,
    "waive": 3,
    "cancel fine": 1,
    "refund": 2,
}
IN_THE_OFFICE = {"register": 1, "shelve": 1, "change card": 2, "change price": 2}
