"""Loans, holds, lines, suspensions, cash sessions as the log told them so far (`telling`)."""

import json
from collections import namedtuple
from collections.abc import Iterator
from typing import Any
from uuid import UUID

from lendery.circulation.models import cash_session, hold, ledger_line, loan, suspension
from lendery.circulation.telling import TELLING
from lendery.contracts.base import Event

# As tuples: a big library has some hundred thousand open loans, and they are kept in memory.
ROWS: dict[str, Any] = {
    table.name: namedtuple("Row", [*table.c.keys(), "untold"])
    for table in (loan, hold, ledger_line, suspension, cash_session)
}
NOBODY_YET = {name: row(*[None] * len(row._fields)) for name, row in ROWS.items()}


class History:
    """The rows as the events heard so far make them. Only open ones stay here."""

    def __init__(self) -> None:
        self._open: dict[str, dict[UUID, Any]] = {name: {} for name in ROWS}
        self._over: dict[str, list[Any]] = {name: [] for name in ROWS}
        self._policies: dict[str, Any] = {}

    def hear(self, event: Event) -> str | None:
        """Raises KeyError for an event of no known kind; returns what cannot be, or None."""
        told = TELLING[type(event)](event)
        if told is None:
            return None
        open_ones = self._open[told.table]
        row = open_ones.get(told.id)
        if told.begins:
            objection = row and f"{told.table} {told.id} begins a second time"
            row = NOBODY_YET[told.table]._replace(id=told.id, **self._shared(told.columns))
        elif row is None:
            return f"{told.table} {told.id} is not open at this point"
        else:
            objection, row = None, row._replace(**told.columns)
        if told.ends:
            open_ones.pop(told.id, None)
            self._over[told.table].append(row)
        else:
            open_ones[told.id] = row
        return objection

    def lacks(self, event: Event) -> tuple[str, UUID] | None:
        """The row that goes on by this event and is here no more; None: `hear` may hear it."""
        told = TELLING[type(event)](event)
        if told is None or told.id in self._open[told.table]:
            return None
        over = self._over[told.table]
        found = next((row for row in over if row.id == told.id), None)
        if found is None:
            return told.table, told.id
        over.remove(found)
        self._open[told.table][told.id] = found
        return None

    def takes_back(self, table: str, row: Any) -> None:
        """A row that was `over` is open again."""
        self._open[table][row.id] = NOBODY_YET[table]._replace(**row._asdict())

    def _shared(self, columns: dict[str, Any]) -> dict[str, Any]:
        """Equal policies are kept once: a library has few, and many loans."""
        if policy := columns.get("policy"):
            columns["policy"] = self._policies.setdefault(json.dumps(policy), policy)
        return columns

    def over(self, *, last: bool = False) -> Iterator[tuple[str, list[Any]]]:
        """Takes out what nothing more can happen to; with `last`, all that is left."""
        for name, rows in self._over.items():
            if last:
                rows += self._open[name].values()
                self._open[name] = {}
            if rows:
                self._over[name] = []
                yield name, rows
