"""Every line of a file sent to the library once, several at a time, whatever happens on the way.

A record's key is a digest of what it says. So a line that was sent but not yet written down as
done when the machine stopped is sent again and answered with the book it made then.
"""

import asyncio
import hashlib
import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from lendery.seeding import lines
from lendery.seeding.library import RunningLibrary, Stopped, problem
from lendery.seeding.progress import Counts, Progress

SAVED_EVERY = 1.0  # seconds
REFUSED = "_refused"  # beside a record in the rejects file; passed over when it is fed again
REMEMBERED = 1_000_000  # answers of this run, to know a line that stands in the file twice


class Refused(Exception):
    """The library does not take this record, or these of its copies."""

    def __init__(self, why: str, copies: list[Any] | None = None) -> None:
        super().__init__(why)
        self.copies = copies


@dataclass
class Feeder:
    """Feeds `source`; `state` and `rejects` are written beside it. `advance` hears of each line."""

    library: RunningLibrary
    source: Path
    state: Path
    rejects: Path
    progress: Progress
    concurrency: int = 8
    advance: Callable[[int], None] = lambda lines: None
    _branches: dict[str, UUID] = field(default_factory=dict)
    _answered: set[int] = field(default_factory=set)
    _saved_at: float = 0.0

    async def run(self) -> None:
        """To the end of the file. However it ends, the state says how far it came."""
        now, self._branches = await self.library.open()
        self.progress.start(now)
        self._cut_rejects()
        self._save()
        with lines.opened(self.source) as file:
            waiting = lines.numbered(file)
            workers = [asyncio.create_task(self._work(waiting)) for _ in range(self.concurrency)]
            try:
                await asyncio.gather(*workers)
            finally:
                for each in workers:
                    each.cancel()
                await asyncio.gather(*workers, return_exceptions=True)
                self._save()
        self.state.unlink()

    async def _work(self, waiting: Iterator[tuple[int, bytes | None]]) -> None:
        for number, line in waiting:
            if not self.progress.is_done(number):
                await self._feed(number, line)
                self.progress.finish(number)
                if time.monotonic() - self._saved_at > SAVED_EVERY:
                    self._save()
            self.advance(1)

    def _save(self) -> None:
        self.progress.save(self.state)
        self._saved_at = time.monotonic()

    def _cut_rejects(self) -> None:
        """What was written after the state was, will be written again."""
        if self.rejects.resolve() in (self.source.resolve(), self.state.resolve()):
            raise Stopped(f"{self.rejects} cannot hold what is refused as well.")
        if not self.progress.rejects:
            self.rejects.unlink(missing_ok=True)
        elif self.rejects.exists():
            with self.rejects.open("r+b") as file:
                file.truncate(self.progress.rejects)
        else:
            raise Stopped(f"{self.rejects} is gone. Remove {self.state} to begin anew.")

    async def _feed(self, number: int, line: bytes | None) -> None:
        """Counted when all of it is answered, so that a line that is begun twice counts once."""
        record: dict[str, Any] = {}
        counts = Counts()
        try:
            record = _read(line)
            if record:
                await self._send(record, counts)
        except Refused as refused:
            if refused.copies is None:
                counts.books_refused += 1
                counts.copies_refused += len(_copies(record))
            else:
                record["copies"] = refused.copies
            self._reject(number, record, line, str(refused))
        self.progress.counts.add(counts)

    async def _send(self, record: dict[str, Any], counts: Counts) -> None:
        copies = _copies(record)
        book = {name: value for name, value in record.items() if name not in ("copies", REFUSED)}
        book_id = await self._send_book(book, counts)
        left, why = [], ""
        for copy in copies:
            try:
                await self._send_copy(copy, book_id, counts)
            except Refused as refused:
                counts.copies_refused += 1
                left.append(copy)
                why = why or str(refused)
        if left:
            raise Refused(why, left)

    async def _send_book(self, book: dict[str, Any], counts: Counts) -> str:
        body = _body(book)
        answer = await self.library.post("/books", body, _key(body))
        said = problem(answer)
        if answer.status_code == 201:
            if self._is_new(said["id"], body):
                counts.books_added += 1
            else:
                counts.books_there += 1
            return str(said["id"])
        if said.get("code") == "isbn-taken" and "book_id" in said:
            counts.books_there += 1
            return str(said["book_id"])
        raise Refused(_reason(answer.status_code, said))

    async def _send_copy(self, copy: Any, book_id: str, counts: Counts) -> None:
        if not isinstance(copy, dict):
            raise Refused("A copy must be an object with a barcode and a branch.")
        branch = copy.get("branch")
        if branch not in self._branches:
            raise Refused(f"There is no branch with the code {branch}.")
        wanted = {name: value for name, value in copy.items() if name != "branch"}
        wanted |= {"book_id": book_id, "branch_id": str(self._branches[branch])}
        body = _body(wanted)
        answer = await self.library.post("/copies", body, _key(body))
        said = problem(answer)
        if answer.status_code == 201:
            if self._is_new(said["id"], body):
                counts.copies_added += 1
            else:
                counts.copies_there += 1
        elif said.get("code") == "already-taken" and await self._has(book_id, copy["barcode"]):
            counts.copies_there += 1
        else:
            raise Refused(_reason(answer.status_code, said))

    async def _has(self, book_id: str, barcode: str) -> bool:
        """Is the copy with this barcode one of this book?"""
        answer = await self.library.get(f"/copies/by-barcode/{barcode}")
        return answer.status_code == 200 and answer.json()["book_id"] == book_id

    def _is_new(self, made: str, body: bytes) -> bool:
        """Ids tell when they were made: before this file was begun, or now."""
        mark = hash(body)
        if mark in self._answered:
            return False
        if len(self._answered) < REMEMBERED:
            self._answered.add(mark)
        return made_at(made) >= self.progress.began_at

    def _reject(self, number: int, record: dict[str, Any], line: bytes | None, why: str) -> None:
        """As a line that can be put right and fed again."""
        told: dict[str, Any] = {"line": number + 1, "why": why}
        if not record:
            told["read"] = (line or b"")[:2000].decode("utf-8", "replace")
        shown = {**record, REFUSED: told}
        with self.rejects.open("ab") as file:
            text = json.dumps(shown, ensure_ascii=False)
            file.write(text.encode("utf-8", "backslashreplace") + b"\n")
            self.progress.rejects = file.tell()


def made_at(id_: str) -> datetime:
    """When an id of version 7 was made (RFC 9562)."""
    return datetime.fromtimestamp((UUID(id_).int >> 80) / 1000, UTC)


def _read(line: bytes | None) -> dict[str, Any]:
    """Empty for an empty line."""
    if line is None:
        raise Refused(f"The line is longer than {lines.LONGEST:,} bytes.")
    text = line.removeprefix(b"\xef\xbb\xbf").strip()
    if not text:
        return {}
    try:
        record = json.loads(text)
    except (ValueError, RecursionError):
        raise Refused("The line is not JSON.") from None
    if not isinstance(record, dict) or not record:
        raise Refused("The line is not a JSON object.")
    return record


def _copies(record: dict[str, Any]) -> list[Any]:
    copies = record.get("copies") or []
    return copies if isinstance(copies, list) else [copies]


def _body(told: dict[str, Any]) -> bytes:
    return json.dumps(told, sort_keys=True).encode()


def _key(body: bytes) -> str:
    return f"seed-{hashlib.blake2b(body, digest_size=20).hexdigest()}"


def _reason(status: int, said: dict[str, Any]) -> str:
    return str(said.get("detail") or f"The library answered HTTP {status}.")
