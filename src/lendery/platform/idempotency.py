"""Idempotency keys: the same request sent again gets the same answer, and acts once.

The answer is kept in the transaction that acted, refusals too. A repeat waits on the lock that
the first one holds and then finds the answer; one that lost a race outright looks again.
Kept answers hold ids and codes, never a person.
"""

from datetime import datetime
from typing import Any

from lendery.contracts.base import KeyReused, Problem, RequestKey
from lendery.platform.db.log import ContextTables
from lendery.platform.db.session import Write


def told_before(row: Any, key: RequestKey | None) -> Any | None:
    """The answer this key got before, as JSON; None when it is new.

    `row` carries key_fingerprint, key_status and key_answer. Raises KeyReused when the key came
    with another request, and the kept refusal when that was the answer.
    """
    if key is None or row is None or row.key_fingerprint is None:
        return None
    if row.key_fingerprint != key.fingerprint:
        raise KeyReused("This Idempotency-Key was used for another request. Use a new one.")
    if row.key_status >= 400:
        told = row.key_answer
        raise Problem.of(told["code"], told["detail"], **told["extra"])
    return row.key_answer


def kept(tables: ContextTables, key: RequestKey, answer: dict[str, Any], *, now: datetime) -> Write:
    return tables.answered(key, status=200, answer=answer, now=now)


def kept_refusal(
    tables: ContextTables, key: RequestKey, problem: Problem, *, now: datetime
) -> Write:
    told = {"code": problem.code, "detail": problem.detail, "extra": problem.extra}
    return tables.answered(key, status=problem.status, answer=told, now=now)
