"""How far it has come: a bar on a terminal, nothing in a test."""

from typing import Protocol


class Progress(Protocol):
    def start(self, what: str, total: int) -> None: ...
    def advance(self, steps: int) -> None: ...


class Quiet:
    """Nobody is watching."""

    def start(self, what: str, total: int) -> None: ...
    def advance(self, steps: int) -> None: ...
