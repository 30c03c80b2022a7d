"""Whole catalogues imported, each record accounted for, and each import taken back.

`scripts/services run postgres -- python -m tests.assurance.imports PROFILE=FILE ...`, for example
`goodbooks=goodbooks_books.csv.gz`. On SQLite, and on PostgreSQL where LENDERY_TEST_POSTGRES is set.
"""

import asyncio
import os
import sys
import tempfile
import time
from pathlib import Path
from uuid import uuid4

from lendery.catalog.models import TABLES
from lendery.platform import migrate
from lendery.platform.db import Database
from lendery.platform.settings import Settings
from tests.catalog.importing.conftest import Bulk
from tests.catalog.importing.test_reconciling import accounted_for, standing
from tests.system import create_database, drop_database


async def account(url: str, folder: Path, profile: str, path: Path) -> str:
    bulk = Bulk(Database(url, [TABLES]), Settings(import_folder=folder))
    began = time.monotonic()
    report = await accounted_for(bulk, path.read_bytes(), path.name, profile=profile)
    seconds = time.monotonic() - began
    assert report.state == "done", report.error
    undone = await bulk.undo(report)
    assert undone.undone and (await standing(bulk))["books"] == 0
    await bulk.db.close()
    return (
        f"{profile} on {url.split(':')[0]}: {report.read} read = {report.added} added + "
        f"{report.overlaid} overlaid + {report.skipped} skipped + {report.rejected} rejected; "
        f"{report.warnings} warnings; {report.read / seconds:,.0f} a second; taken back whole"
    )


def main() -> None:
    server = os.environ.get("LENDERY_TEST_POSTGRES", "")
    with tempfile.TemporaryDirectory(prefix="imports-") as place:
        for given in sys.argv[1:]:
            profile, _, path = given.partition("=")
            for kind in ("sqlite", *(["postgres"] if server else [])):
                name = f"imports_{uuid4().hex[:12]}"
                url = f"sqlite:///{place}/{name}.db"
                if kind == "postgres":
                    url = asyncio.run(create_database(server, name))
                migrate.run(url, ["catalog"])
                print(asyncio.run(account(url, Path(place) / name, profile, Path(path))))
                if kind == "postgres":
                    asyncio.run(drop_database(server, name))


if __name__ == "__main__":
    main()
