"""Was every answer true? Compared with the log, with the tables, and with what the API says now.

An *effect* is one thing that happened, as a tuple: its name in the log, the id of the thing, and
what else was told of it. The answers promise effects; the log records them, and the tables keep
what came of them. Each must hold exactly the same.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import select

from lendery.circulation.models import TABLES, hold, ledger_line, loan
from lendery.platform.db import Database
from tests.assurance.desks import Ask, Told
from tests.assurance.storm import CLIENTS, Storm
from tests.assurance.storm_calls import Caller, Note
from tests.stories.library import API

Effect = tuple[Any, ...]
READS = 150
KEPT_AT = 2  # an effect's name and the id of the thing: what the tables are asked for


@dataclass
class Verdict:
    """`lost`: told, but not so. `doubled`: there, but told to nobody. `odd`: the rest."""

    lost: Counter[str] = field(default_factory=Counter)
    doubled: Counter[str] = field(default_factory=Counter)
    odd: Counter[str] = field(default_factory=Counter)

    @property
    def clean(self) -> bool:
        return not (self.lost or self.doubled or self.odd)

    def add(self, other: "Verdict") -> None:
        self.lost += other.lost
        self.doubled += other.doubled
        self.odd += other.odd

    def compare(self, where: str, told: Counter[Effect], found: Counter[Effect]) -> None:
        for effect, times in (told - found).items():
            self.lost[f"{where} has no {effect}"[:300]] += times
        for effect, times in (found - told).items():
            self.doubled[f"{where} has {effect}, told to nobody"[:300]] += times


async def judge(storm: Storm, url: str) -> Verdict:
    """`url`: circulation's database. What nobody has answered yet may have happened or not."""
    verdict = Verdict()
    for note in storm.notes:
        _is_in_order(note, verdict)
    db = Database(url)
    try:
        async with db.snapshot() as session:
            events = await session.rows(select(TABLES.event).order_by(TABLES.event.c.seq))
            kept = [
                effect
                for table in (loan, hold, ledger_line)
                for row in await session.rows(select(table))
                for effect in KEPT[table.name](row)
            ]
    finally:
        await db.close()
    told = Counter(effect for note in storm.notes for effect in promised(note))
    told += _cancelled(storm.notes, told)
    verdict.compare("the log", told, Counter(filter(None, map(recorded, events))))
    by_id = Counter({e: n for e, n in _short(told).items() if e[1] is not None})
    verdict.compare("the tables", by_id, Counter(kept))
    if storm.open:  # it cannot be said what of them is too much
        verdict.doubled.clear()
    else:
        await _ask(storm, told, events, verdict)
    return verdict


def _is_in_order(note: Note, verdict: Verdict) -> None:
    """Nothing that was asked here should be answered with a 4xx other than 409, or with 500."""
    if note.unequal is not None:
        verdict.odd[f"{note.kind}: first {note.told}, then {note.unequal}"[:300]] += 1
    if note.answered and not note.done and note.told.status != 409:
        verdict.odd[f"{note.kind}: {note.told}"] += 1
    if note.faults:
        verdict.odd[f"{note.kind}: 500"] += note.faults


def _short(effects: Counter[Effect]) -> Counter[Effect]:
    found: Counter[Effect] = Counter()
    for effect, times in effects.items():
        found[effect[:KEPT_AT]] += times
    return found


# --- what the answers promise -----------------------------------------------------------------


def promised(note: Note) -> list[Effect]:
    return PROMISES.get(note.kind, _nothing)(note, note.told.body) if note.done else []


def _nothing(note: Note, body: Any) -> list[Effect]:
    return []


def _taken_back(note: Note, body: Any) -> list[Effect]:
    loan, copy = body["loan"], body["copy"]["id"]
    if loan is None:
        return [("ItemCheckedIn", None, copy, None)]
    found: list[Effect] = [("ItemCheckedIn", loan["id"], copy, _at(loan["returned_at"]))]
    if body["fine"]:
        found.append(("FineCharged", body["fine"]["id"], body["fine"]["amount"]["amount"]))
    return found


def _fine_in(note: Note) -> str:
    return note.ask.path.split("/")[-2]


PROMISES: dict[str, Callable[[Note, Any], list[Effect]]] = {
    "lend": lambda _, b: [("ItemCheckedOut", b["id"], b["copy_id"], _at(b["due_at"]))],
    "take back": _taken_back,
    "renew": lambda _, b: [("LoanRenewed", b["id"], b["renewals"], _at(b["due_at"]))],
    "place": lambda _, b: [("HoldPlaced", b["id"], b["book_id"])],
    "cancel hold": lambda n, _: [("HoldCancelled", n.ask.path.split("/")[-1])],
    "charge": lambda _, b: [("FineCharged", b["id"], b["amount"]["amount"])],
    "pay": lambda _, b: [
        ("FinePaid", b["id"], part["fine_id"], part["amount"]["amount"]) for part in b["allocated"]
    ],
    "waive": lambda n, _: [("FineWaived", _fine_in(n), (n.ask.body or {})["amount"]["amount"])],
    "cancel fine": lambda _, b: [("FineCancelled", b["id"])],
    "refund": lambda _, b: [("CreditRefunded", b["id"], b["amount"]["amount"])],
}


def _cancelled(notes: Iterable[Note], told: Counter[Effect]) -> Counter[Effect]:
    """A cancellation has no key: sent again after silence it hears that the hold has ended."""
    heard = [
        ("HoldCancelled", note.ask.path.split("/")[-1])
        for note in notes
        if note.kind == "cancel hold" and note.tries > 1 and note.told.status == 409
        if note.told.body["state"] == "cancelled"
    ]
    return Counter({effect: 1 for effect in heard if effect not in told})


# --- what the log records, and what the tables keep -------------------------------------------


def recorded(row: Any) -> Effect | None:
    name, body = row.name.removeprefix("circulation."), row.body
    return (name, *RECORDS[name](body)) if name in RECORDS else None


def _checked_in(body: Any) -> Effect:
    at = _at(body["returned_at"]) if body["loan_id"] else None
    return body["loan_id"], body["copy_id"], at


RECORDS: dict[str, Callable[[Any], Effect]] = {
    "ItemCheckedOut": lambda b: (b["loan_id"], b["copy_id"], _at(b["due_at"])),
    "ItemCheckedIn": _checked_in,
    "LoanRenewed": lambda b: (b["loan_id"], b["renewals"], _at(b["due_at"])),
    "HoldPlaced": lambda b: (b["hold_id"], b["book_id"]),
    "HoldCancelled": lambda b: (b["hold_id"],),
    "FineCharged": lambda b: (b["fine_id"], b["amount"]),
    "FinePaid": lambda b: (b["settlement_id"], b["fine_id"], b["amount"]),
    "FineWaived": lambda b: (b["fine_id"], b["amount"]),
    "FineCancelled": lambda b: (b["fine_id"],),
    "CreditRefunded": lambda b: (b["line_id"], b["amount"]),
}


def _of_loan(row: Any) -> Iterable[Effect]:
    yield "ItemCheckedOut", str(row.id)
    yield from [("LoanRenewed", str(row.id))] * row.renewals
    if row.returned_at is not None:
        yield "ItemCheckedIn", str(row.id)


def _of_hold(row: Any) -> Iterable[Effect]:
    yield "HoldPlaced", str(row.id)
    if row.state == "cancelled":
        yield "HoldCancelled", str(row.id)


def _of_line(row: Any) -> Iterable[Effect]:
    name, thing = {
        "charge": ("FineCharged", row.id),
        "payment": ("FinePaid", row.settlement_id),
        "waiver": ("FineWaived", row.fine_id),
        "cancellation": ("FineCancelled", row.fine_id),
        "refund": ("CreditRefunded", row.id),
    }[row.kind]
    yield name, str(thing)


KEPT: dict[str, Callable[[Any], Iterable[Effect]]] = {
    loan.name: _of_loan,
    hold.name: _of_hold,
    ledger_line.name: _of_line,
}


# --- what the API says ------------------------------------------------------------------------


async def _ask(storm: Storm, told: Counter[Effect], events: Sequence[Any], into: Verdict) -> None:
    """Open loans of each copy, open holds of each book, the balance of each patron."""
    crowd = storm.crowd
    ended = {effect[1] for effect in told if effect[0] in ("ItemCheckedIn", "HoldCancelled")}
    ended |= {row.body["hold_id"] for row in events if row.name.endswith(".HoldFulfilled")}
    loans = {e[1]: e[2] for e in told if e[0] == "ItemCheckedOut" and e[1] not in ended}
    holds = {e[1]: e[2] for e in told if e[0] == "HoldPlaced" and e[1] not in ended}
    for path, things, kept, ids in (
        ("loans?status=open&limit=100&copy_id={}", [c["id"] for c in crowd.shelf], loans, "loans"),
        ("books/{}/holds?state=open&limit=100", crowd.books, holds, "holds"),
    ):
        answers = await ask_all(storm, [path.format(thing) for thing in things])
        for thing, answer in zip(things, answers, strict=True):
            says = {each["id"] for each in answer.body["items"]}
            wanted = {each for each, of in kept.items() if of == thing}
            if says != wanted:
                into.odd[f"the API says that {thing} has the open {ids} {says}, not {wanted}"] += 1
    people = [person["id"] for person in crowd.people]
    owed = _balances(storm.notes)
    for who, answer in zip(
        people, await ask_all(storm, [f"users/{each}/account" for each in people]), strict=True
    ):
        if answer.body["balance"]["amount"] != owed[who]:
            owes = f"{who} owes {answer.body['balance']}, and by the answers {owed[who]}"
            into.odd[f"the API says that {owes}"] += 1


def _balances(notes: Iterable[Note]) -> Counter[str]:
    """What each patron owes by what staff were told. A cancelled charge is as if it never was."""
    owed: Counter[str] = Counter()
    fines: dict[str, tuple[str, int]] = {}
    lowered: Counter[str] = Counter()
    for note in notes:
        body = note.told.body
        for name, thing, *rest in promised(note):
            match name:
                case "FineCharged":
                    fine = body if note.kind == "charge" else body["fine"]
                    fines[thing] = (fine["patron_id"], rest[0])
                case "FineWaived":
                    lowered[thing] += rest[0]
                case "CreditRefunded":
                    owed[body["patron_id"]] += rest[0]
                case "FinePaid":
                    owed[body["patron_id"]] -= rest[1]
    cancelled = {e[1] for note in notes for e in promised(note) if e[0] == "FineCancelled"}
    for fine, (patron, amount) in fines.items():
        owed[patron] += 0 if fine in cancelled else amount - lowered[fine]
    return owed


async def ask_all(storm: Storm, paths: Sequence[str]) -> list[Told]:
    """Reads all of these. Each must be answered, in the end: a neighbour may still be resting."""
    waiting = [Note("look", Ask("GET", f"{API}/{path}", storm.crowd.token)) for path in paths]
    left = list(waiting)

    async def one() -> None:
        caller = Caller()
        while left:
            note = left.pop()
            for _ in range(READS):
                await caller.call(storm.url_of(note.ask.path), note)
                if note.answered:
                    break
                await asyncio.sleep(0.1)
            assert note.told.status == 200, f"{note.ask.path}: {note.told}"
        caller.hang_up()

    await asyncio.gather(*[one() for _ in range(CLIENTS)])
    return [note.told for note in waiting]


def _at(instant: str) -> datetime:
    return datetime.fromisoformat(instant)
