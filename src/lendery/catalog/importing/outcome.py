"""What became of some records: counted, and said where there is something to say."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from lendery.catalog.importing.ready import Ready
from lendery.contracts.importing import Severity

MOST_WARNINGS = 10_000  # of one import; more are counted only
MOST_MATCHES = 1_000
COUNTED = ("read", "added", "overlaid", "skipped", "rejected", "copies", "warnings")


@dataclass
class Outcome:
    """Of a chunk; `before` are the counts of the import so far."""

    job_id: UUID
    before: dict[str, int]
    counts: Counter[str] = field(default_factory=Counter)
    notes: list[dict[str, Any]] = field(default_factory=list)

    def total(self, name: str) -> int:
        return self.before.get(name, 0) + self.counts[name]

    def totals(self) -> dict[str, int]:
        names = (*COUNTED, "notes", "matches")
        return {name: self.total(name) for name in names}

    def reject(self, record: Ready, why: str) -> None:
        self.counts["rejected"] += 1
        self._note("rejected", record, why, record.bytes_as_they_came)

    def warn(self, record: Ready, says: str) -> None:
        self.counts["warnings"] += 1
        if self.total("warnings") <= MOST_WARNINGS:
            self._note("warning", record, says)

    def matched(self, record: Ready, says: str) -> None:
        """For a dry run: what a match would come to."""
        self.counts["matches"] += 1
        if self.total("matches") <= MOST_MATCHES:
            self._note("match", record, says)

    def _note(self, severity: Severity, record: Ready, says: str, raw: bytes | None = None) -> None:
        self.counts["notes"] += 1
        self.notes.append(
            {
                "job_id": self.job_id,
                "no": self.total("notes"),
                "severity": severity,
                "record": record.number,
                "at_byte": record.offset,
                "control_number": record.control_number,
                "title": record.title or None,
                "says": says,
                "raw": raw,
            }
        )
