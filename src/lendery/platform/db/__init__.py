"""One database: read it, or change it in one transaction that also announces.

SQL is written in SQLAlchemy Core and run on the bare driver (decision 0007):

    statement.py  a Core statement, compiled once per dialect
    types.py      the column types that behave alike on both databases
    session.py    what a repository function gets: rows, row, value, run
    sqlite.py     sqlite3 on the event loop, one writer, commits in groups
    postgres.py   asyncpg connections from a free list
    database.py   `Database`: begin() and read()
    log.py        the tables every context has: its log of events, inbox, request keys
    slots.py      and what was done about the times of its jobs
"""

from lendery.platform.db.database import Database
from lendery.platform.db.log import context_tables
from lendery.platform.db.session import Duplicate, Session, Tx
from lendery.platform.db.statement import Statement, any_of
from lendery.platform.db.types import Json, UtcDateTime

__all__ = [
    "Database",
    "Duplicate",
    "Json",
    "Session",
    "Statement",
    "Tx",
    "UtcDateTime",
    "any_of",
    "context_tables",
]
