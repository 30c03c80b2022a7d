"""A request that will be sent again and again, and how it is counted what it did."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Any

from tests.assurance.desks import Ask
from tests.assurance.race import Race
from tests.stories.library import Person

Count = Callable[[], Awaitable[int]]


@dataclass(frozen=True)
class Trial:
    """A request that will be sent again and again.

    `other` is another request under the same key. `stir` changes what the request was about, so
    that an answer made anew would differ from the first; for a refusal it takes the reason away.
    `effects` counts how often the request has acted, `others` how often the other one has.
    """

    ask: Ask
    other: Ask
    effects: Count
    others: Count
    stir: Callable[[dict[str, Any]], Ask | None] = lambda _: None

    def by(self, token: str) -> Ask:
        return replace(self.other, token=token)


def events_of(race: Race, name: str, about: str) -> Count:
    async def count() -> int:
        found = await race.evidence.events([about])
        return sum(row.name == f"circulation.{name}" for row in found)

    return count


def lines_of(race: Race, person: Person, kind: str, amount: int) -> Count:
    """Lines of the ledger, each of them told in the log."""

    async def count() -> int:
        rows = await race.evidence.lines(person.id)
        ids = [str(row.id) for row in rows if (row.kind, abs(row.amount)) == (kind, amount)]
        told = await race.evidence.events(ids)
        race.tally.must(len(told) == len(ids), f"{len(told)} events of {len(ids)} lines")
        return len(ids)

    return count
