"""The tables of circulation. Columns and constraints only; the rules are elsewhere."""

from lendery.circulation.models.base import JOBS, LOOKUPS, TABLES, metadata
from lendery.circulation.models.house import (
    branch,
    calendar,
    difference,
    rule,
    rule_table,
    setup,
    transport_cost,
)
from lendery.circulation.models.lending import copy, hold, loan, patron, suspension
from lendery.circulation.models.money import cash_session, ledger_line, undone
from lendery.circulation.models.offline import (
    offline_batch,
    offline_conflict,
    offline_desk,
    offline_transaction,
)

__all__ = [
    "JOBS",
    "LOOKUPS",
    "TABLES",
    "branch",
    "calendar",
    "cash_session",
    "copy",
    "difference",
    "hold",
    "ledger_line",
    "loan",
    "metadata",
    "offline_batch",
    "offline_conflict",
    "offline_desk",
    "offline_transaction",
    "patron",
    "rule",
    "rule_table",
    "setup",
    "suspension",
    "transport_cost",
    "undone",
]
