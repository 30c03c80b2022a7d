"""How far a file has been fed: kept in a small file beside it, so that a killed run goes on."""

import hashlib
import json
import os
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path

from lendery.seeding.library import Stopped

BEGINNING = 65_536  # bytes of a file by which it is known again


@dataclass
class Counts:
    books_added: int = 0
    books_there: int = 0
    books_refused: int = 0
    copies_added: int = 0
    copies_there: int = 0
    copies_refused: int = 0

    def add(self, more: "Counts") -> None:
        for name, count in asdict(more).items():
            setattr(self, name, getattr(self, name) + count)


@dataclass
class Progress:
    """Lines below `below` are done, and those in `done`, which were answered before their turn.

    `began` is the library's time when the first was sent, `rejects` the length of the rejects
    file that belongs to this state.
    """

    api: str
    mark: str
    began: str = ""
    below: int = 0
    done: set[int] = field(default_factory=set)
    rejects: int = 0
    counts: Counts = field(default_factory=Counts)

    @classmethod
    def of(cls, state: Path, source: Path, api: str) -> "Progress":
        """That of an earlier run, or a new one. Raises Stopped when it is of something else."""
        mark = mark_of(source)
        if not state.exists():
            return cls(api, mark)
        try:
            told = json.loads(state.read_text("utf-8"))
            found = cls(**{**told, "done": set(told["done"]), "counts": Counts(**told["counts"])})
        except (ValueError, TypeError, KeyError):
            raise Stopped(f"{state} is not what `lendery seed` writes. Remove it.") from None
        if found.mark != mark:
            raise Stopped(f"{source} has changed since {state} was written. Remove {state}.")
        if found.api != api:
            raise Stopped(f"{source} was being fed to {found.api}. Remove {state} to feed {api}.")
        return found

    def start(self, now: datetime) -> None:
        self.began = self.began or now.isoformat()

    @property
    def began_at(self) -> datetime:
        return datetime.fromisoformat(self.began)

    def is_done(self, number: int) -> bool:
        return number < self.below or number in self.done

    def finish(self, number: int) -> None:
        self.done.add(number)
        while self.below in self.done:
            self.done.remove(self.below)
            self.below += 1

    def save(self, state: Path) -> None:
        """Whole or not at all."""
        told = json.dumps({**asdict(self), "done": sorted(self.done)})
        unfinished = state.with_name(f"{state.name}.part")
        with unfinished.open("w", encoding="utf-8") as file:
            file.write(told)
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(state)


def mark_of(source: Path) -> str:
    with source.open("rb") as file:
        head = file.read(BEGINNING)
    return f"{source.stat().st_size}-{hashlib.blake2b(head, digest_size=12).hexdigest()}"
