"""What the catalog does by the clock."""

from datetime import datetime, timedelta
from typing import Protocol

from lendery.catalog.duplicates import DuplicateList
from lendery.platform.db import Database
from lendery.platform.jobs import Job


class Catalog(Protocol):
    @property
    def db(self) -> Database: ...


async def find_duplicates(catalog: Catalog, now: datetime) -> None:
    """What was added looks the same as something that was there?"""
    await DuplicateList(catalog.db).look_daily(now)


JOBS = (Job("find duplicates", timedelta(hours=1), find_duplicates),)
