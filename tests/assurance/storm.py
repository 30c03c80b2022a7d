"""A storm: sixteen clients at once ask for everything there is, whatever happens to the servers.

Each request that moves a book or money has an `Idempotency-Key` of its own, and each answer is
noted here, where no kill reaches. Afterwards every request is sent again under its key: what was
answered must be answered alike, and what was not gets its answer now.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from tests.assurance.storm_calls import Caller, Note
from tests.assurance.storm_crowd import AT_THE_DESK, IN_THE_OFFICE, Crowd

CLIENTS = 16  # one of them sits in the office
THINKS = 0.03  # seconds between an answer and the next request, on average
ABATED = 0.15  # while something comes back: that is not slowed down by those who come here
NOT_NOW = 0.25  # seconds until who heard "not now" asks for something else
REDIALS = 0.05


@dataclass
class Storm:
    """`url_of` says who serves a path."""

    crowd: Crowd
    url_of: Callable[[str], str]
    notes: list[Note] = field(default_factory=list)
    checked: int = 0  # notes that were sent again since
    over: asyncio.Event = field(default_factory=asyncio.Event)
    thinks: float = THINKS

    async def rage(self) -> None:
        """Until it is over."""
        self.over.clear()
        self.thinks = THINKS
        desks = [self._client(AT_THE_DESK) for _ in range(CLIENTS - 1)]
        await asyncio.gather(*desks, self._client(IN_THE_OFFICE, insists=True))

    async def _client(self, wishes: dict[str, int], *, insists: bool = False) -> None:
        caller, kinds, weights = Caller(), list(wishes), list(wishes.values())
        while not self.over.is_set():
            kind = self.crowd.random.choices(kinds, weights)[0]
            note = self.crowd.ask(kind)
            if note is not None and await caller.call(self.url_of(note.ask.path), note):
                self.notes.append(note)
                while insists and not note.answered and not self.over.is_set():
                    await asyncio.sleep(REDIALS)  # one thing after another, in the office
                    await caller.call(self.url_of(note.ask.path), note)
                self.crowd.learn(note)
                pause = self.crowd.random.expovariate(1 / self.thinks)
                await asyncio.sleep(pause if note.answered else NOT_NOW)
            else:
                await asyncio.sleep(REDIALS)
        caller.hang_up()

    def abate(self) -> None:
        self.thinks = ABATED

    @property
    def open(self) -> list[Note]:
        """Requests that nobody has answered yet. A change after which came another is over."""
        last = {note.ask.path: note for note in self.notes if note.ask.method == "PATCH"}
        silent = [note for note in self.notes if not note.answered]
        return [n for n in silent if n.ask.method != "PATCH" or n is last[n.ask.path]]

    async def repeat(self, *, patience: float = 0.0) -> int:
        """Sends everything again since the last time; returns how many had had no answer."""
        fresh, self.checked = self.notes[self.checked :], len(self.notes)
        silent = self.open
        await self._send([n for n in fresh if n.ask.key and n.answered] + silent)
        clock = asyncio.get_running_loop()
        give_up = clock.time() + patience
        while (left := self.open) and clock.time() < give_up:
            await asyncio.sleep(REDIALS)
            await self._send(left)
        return len(silent)

    async def _send(self, notes: Sequence[Note]) -> None:
        waiting = list(reversed(notes))

        async def one() -> None:
            caller = Caller()
            while waiting:
                note = waiting.pop()
                silent = not note.answered
                await caller.call(self.url_of(note.ask.path), note)
                if silent:
                    self.crowd.learn(note)
            caller.hang_up()

        await asyncio.gather(*[one() for _ in range(CLIENTS)])
