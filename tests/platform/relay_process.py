"""One relay in a process of its own, which may die in the middle of a batch (test_relays.py).

`python -m tests.platform.relay_process URL` says that it is ready, waits for a line, delivers until
nothing waits, and prints the ids it delivered. `--dies MOMENT` is a kill -9 at that moment, and
`--without inbox` a relay as it must not be.
"""

import argparse
import asyncio
import json
import logging
import os
import signal
import sys
import time
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import structlog
from sqlalchemy import bindparam, insert

from lendery.contracts.accounts import PatronChanged
from lendery.contracts.base import Event, new_id
from lendery.platform import events, outbox
from lendery.platform.chain import Chain
from lendery.platform.db import Database, Statement, Tx
from lendery.platform.events import Reaction, Reactions, Relay, outboxes

from .toy import ACCOUNTS, TABLES, note

MOMENTS = ("acting", "noting", "sealing")
BATCH, TOGETHER = 50, 20
DYING = 30  # how many events it has acted on when it dies: in the second transaction of three
SHORT = timedelta(seconds=0.5)  # the lease of one that dies
ACT = Statement(
    insert(note).values(
        id=bindparam("id"), shelf=bindparam("s"), text=bindparam("t"), big=bindparam("order")
    )
)


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


class Noted(Reactions):
    """Acts on events, and remembers what it was given."""

    async def send(self, events: Sequence[Event]) -> None:
        GIVEN.extend(str(event.id) for event in events)
        await super().send(events)


GIVEN: list[str] = []
ACTED: list[str] = []


def reaction(dies: str | None, poison: str | None) -> Reaction:
    async def react(tx: Tx, event: PatronChanged, told: Any) -> None:
        order = time.monotonic_ns()
        await tx.run(ACT, id=new_id(), order=order, s=str(event.aggregate), t=str(event.id))
        if str(event.id) == poison:
            raise RuntimeError("poison")
        ACTED.append(str(event.id))
        if dies == "acting" and len(ACTED) == DYING:
            die()

    return Reaction(PatronChanged, react)


def dies_when(moment: str | None) -> None:
    """`acting`: in the transaction of a reaction. `noting`: all was acted on, nothing noted.
    `sealing`: the seal is set and the events are marked, and nothing is committed."""
    noting, sealing = Relay._record, Chain.seal

    async def before_noting(self: Relay, *what: Any) -> None:
        if len(ACTED) >= DYING:
            die()
        await noting(self, *what)

    async def after_sealing(self: Chain, *what: Any, **how: Any) -> None:
        await sealing(self, *what, **how)
        if len(ACTED) >= DYING:
            die()

    if moment == "noting":
        Relay._record = before_noting  # type: ignore[method-assign]
    elif moment == "sealing":
        Chain.seal = after_sealing  # type: ignore[method-assign]


async def deliver(url: str, relay_of: Any) -> None:
    db = Database(url, TABLES)
    relay = relay_of(db)
    give_up = time.monotonic() + 60
    while time.monotonic() < give_up:
        if not await relay.flush():
            async with db.read() as session:
                waiting = await session.row(relay.outboxes[0].backlog)
            if not waiting.waiting:
                break
            await asyncio.sleep(0.01)
    await db.close()


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("url")
    parser.add_argument("--dies", choices=MOMENTS)
    parser.add_argument("--without", choices=["inbox"])
    parser.add_argument("--poison")
    chosen = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    outbox.BATCH = {"sqlite": BATCH, "postgresql": BATCH}
    events.TOGETHER = TOGETHER
    events.LEASE = SHORT if chosen.dies else events.LEASE
    dies_when(chosen.dies)
    if chosen.without:

        async def always(*_: Any, **__: Any) -> bool:
            return True

        Tx.is_first = always  # type: ignore[method-assign]
    reactions = {"circulation": (reaction(chosen.dies, chosen.poison),)}
    print("ready", flush=True)
    sys.stdin.readline()
    asyncio.run(
        deliver(chosen.url, lambda db: Relay(db, Noted(db, None, reactions), outboxes([ACCOUNTS])))
    )
    print(json.dumps(GIVEN))


if __name__ == "__main__":
    main()
