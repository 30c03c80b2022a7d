"""Figures: what was measured, against which limit, and how they are printed."""

import os
import platform
import re
import sqlite3
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from statistics import median

PAGE = Path(__file__).parents[1] / "docs" / "performance.md"
BEGIN, END = "<!-- figures: begin -->", "<!-- figures: end -->"


@dataclass
class Rate:
    """Requests per second of ours and of the limit, a pair for each round. More is better."""

    goal_name: str
    what: str
    goal: float | None = None
    pairs: list[tuple[float, float]] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)

    head = ("goal", "what", "ours/s", "limit/s", "ratio", "min..max", "goal is", "reached", "half")

    def add(self, ours: float, limit: float) -> None:
        self.pairs.append((ours, limit))

    @property
    def ratio(self) -> float:
        """The median of the rounds' ratios, so that a slow minute hits both sides."""
        return median(ours / limit for ours, limit in self.pairs)

    def row(self) -> tuple[str, ...]:
        ratios = sorted(ours / limit for ours, limit in self.pairs)
        asked = ("-", "-", "-")
        if self.goal is not None:
            asked = (f"{self.goal:.2f}", yes(self.ratio >= self.goal), yes(self.half))
        return (
            self.goal_name,
            self.what,
            f"{median(ours for ours, _ in self.pairs):,.0f}",
            f"{median(limit for _, limit in self.pairs):,.0f}",
            f"{self.ratio:.2f}",
            f"{ratios[0]:.2f}..{ratios[-1]:.2f}",
            *asked,
        )

    @property
    def half(self) -> bool:
        return self.goal is not None and self.ratio >= self.goal / 2


@dataclass
class Cost:
    """Seconds, megabytes, milliseconds: less is better. `limit` is the goal, or a bare process."""

    goal_name: str
    what: str
    unit: str
    limit: float | None = None
    seen: list[float] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)

    head = ("goal", "what", "seen", "min..max", "limit", "times the limit", "reached", "half")

    def row(self) -> tuple[str, ...]:
        middle = median(self.seen)
        asked = ("-", "-", "-", "-")
        if self.limit is not None:
            times = middle / self.limit
            asked = (
                f"{self.limit:g} {self.unit}",
                f"{times:.2f}",
                yes(times <= 1),
                yes(times <= 2),
            )
        span = f"{min(self.seen):,.4g}..{max(self.seen):,.4g}"
        return (self.goal_name, self.what, f"{middle:,.4g} {self.unit}", span, *asked)


Figure = Rate | Cost


def yes(reached: bool) -> str:
    return "yes" if reached else "no"


def tables(figures: list[Figure]) -> str:
    """Markdown that can be read as plain text too."""
    parts = []
    for kind in (Rate, Cost):
        rows = [each.row() for each in figures if isinstance(each, kind)]
        if rows:
            parts.append(_table(kind.head, rows))
    remarks = [f"- {each.what}: {said}" for each in figures for said in each.remarks]
    return "\n\n".join([*parts, "\n".join(remarks)] if remarks else parts)


def _table(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    widths = [max(map(len, column)) for column in zip(head, *rows, strict=True)]
    lines = [head, tuple("-" * width for width in widths), *rows]
    return "\n".join("| " + " | ".join(map(str.ljust, line, widths)) + " |" for line in lines)


def circumstances(rounds: int, seconds: int, load: str) -> str:
    """What a figure means nothing without."""
    before = os.getloadavg()[0]
    return (
        f"{datetime.now(UTC):%Y-%m-%d}, {os.cpu_count()} cores ({platform.machine()}), "
        f"Python {platform.python_version()}, uvicorn {version('uvicorn')}, "
        f"uvloop {version('uvloop')}, FastAPI {version('fastapi')}, asyncpg {version('asyncpg')}, "
        f"SQLite {sqlite3.sqlite_version}; load by {load}; {rounds} rounds of {seconds} s; "
        f"load average of the machine at the end {before:.1f}."
    )


def write(text: str) -> None:
    """Into docs/performance.md, between its markers."""
    page = PAGE.read_text()
    between = re.compile(f"{re.escape(BEGIN)}.*{re.escape(END)}", re.DOTALL)
    assert between.search(page), f"{PAGE} has lost its markers"
    PAGE.write_text(between.sub(lambda _: f"{BEGIN}\n\n{text}\n\n{END}", page))
