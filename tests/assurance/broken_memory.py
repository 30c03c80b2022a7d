"""A Lendery that must be caught: it keeps each answer under a key that nobody will send again.

`python -m tests.assurance.broken_memory serve`. What is repeated after a kill happens twice.
"""

from datetime import datetime
from typing import Any
from uuid import uuid4

from lendery.cli import main
from lendery.contracts.base import RequestKey
from lendery.platform import idempotency
from lendery.platform.db.log import ContextTables
from lendery.platform.db.session import Write


def kept(tables: ContextTables, key: RequestKey, answer: Any, *, now: datetime) -> Write:
    other = key.model_copy(update={"key": uuid4().hex})
    return tables.answered(other, status=200, answer={}, now=now)


if __name__ == "__main__":
    idempotency.kept = kept
    main()
