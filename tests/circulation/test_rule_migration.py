"""Rules of before the versions are not lost."""

import asyncio
from datetime import timedelta
from typing import Any

from sqlalchemy import insert
from tests.circulation.town import ADMIN, NOW, Town

from lendery.circulation.models import TABLES
from lendery.circulation.models import rule as old_table
from lendery.circulation.rule_versions import RuleRegister
from lendery.contracts.base import new_id
from lendery.platform import migrate
from lendery.platform.db import Database

DAY = timedelta(days=1)


async def test_rows_of_before_become_the_first_version(url: str) -> None:
    await asyncio.to_thread(migrate.downgrade, url, "circulation", "0004")
    at, later = NOW - DAY, NOW - timedelta(hours=1)
    rows: list[dict[str, Any]] = [
        {"parameter": "loan_period", "value": 21, "changed_at": at, "scope": "a"},
        {"parameter": "renewals", "value": None, "changed_at": later, "scope": "b"},
    ]
    ids = [new_id(), new_id()]
    db = Database(url, [TABLES])
    async with db.begin() as tx:
        for row_id, row in zip(ids, rows, strict=True):
            await tx.run(insert(old_table).values(id=row_id, version=3, **row))
    await asyncio.to_thread(migrate.run, url, ["circulation"])
    town = Town(db)
    found = await RuleRegister(db).get(number=None, actor=ADMIN, at=NOW)
    assert (found.number, found.valid_from, found.state, found.size) == (1, later, "in-force", 2)
    assert [(r.id, r.parameter, r.value, r.changed_at, r.version) for r in found.rows] == [
        (ids[0], "loan_period", 21, at, 3),
        (ids[1], "renewals", None, later, 3),
    ]
    await town.rules.change(rule_id=ids[0], changes={"value": 7}, actor=ADMIN, now=NOW)
    assert (await RuleRegister(db).get(number=None, actor=ADMIN, at=NOW)).number == 2
    await db.close()
