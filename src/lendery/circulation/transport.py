"""Transport costs: what it takes to send a copy from one branch to another."""

from dataclasses import dataclass
from datetime import datetime

from lendery.circulation import rules
from lendery.circulation.repository import house, transport
from lendery.contracts.base import Invalid
from lendery.contracts.circulation import NewTransportCosts, TransportCost
from lendery.contracts.permissions import Actor, Permission
from lendery.platform.db import Database, Tx


@dataclass(frozen=True)
class TransportOffice:
    db: Database

    async def all(self) -> list[TransportCost]:
        async with self.db.read() as session:
            return [TransportCost.model_validate(row) for row in await transport.costs(session)]

    async def replace(
        self, *, costs: NewTransportCosts, actor: Actor, now: datetime
    ) -> list[TransportCost]:
        """The turn is taken first: no branch is removed between the look and the write."""
        actor.must(Permission.WRITE_RULES)
        async with self.db.begin() as tx:
            await tx.run(house.NEXT_VERSION)
            await _must_be_ways(tx, costs)
            await transport.replace(tx, costs.rows)
            return [TransportCost.model_validate(row) for row in await transport.costs(tx)]


async def _must_be_ways(tx: Tx, costs: NewTransportCosts) -> None:
    branches, _ = await house.everything(tx)
    ways = [(row.from_branch_id, row.to_branch_id) for row in costs.rows]
    found = rules.no_ways(ways, {branch.id for branch in branches})
    if found:
        errors = [{"pointer": f"#/rows/{row}/{name}", "says": says} for row, name, says in found]
        row, _, says = found[0]
        more = f" And {len(found) - 1} more." if len(found) > 1 else ""
        raise Invalid(f"Row {row + 1}: {says}{more}", errors=errors)
