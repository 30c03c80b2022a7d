"""No clock inside the domain: `now` is an argument."""

from pathlib import Path

import pytest

from .checks import clocks
from .contracts import contexts
from .source import SOURCE, copy, plant

ASKING = [
    "from datetime import UTC, datetime\nnow = datetime.now(UTC)",
    "import datetime as dt\nnow = dt.datetime.utcnow()",
    "from datetime import date as day\ntoday = day.today()",
    "import time\nnow = time.time()",
    "from time import time_ns",
    "from datetime import datetime\nat = field(default_factory=datetime.now)",
    "from sqlalchemy import func, select\nquery = select(func.now())",
    "from sqlalchemy import text\nlate = text('due_at < CURRENT_TIMESTAMP')",
    "from sqlalchemy import text\nlate = text(\"due_at < datetime('now')\")",
]


def test_no_context_asks_the_time() -> None:
    assert clocks(SOURCE, contexts()) == []


@pytest.mark.parametrize("code", ASKING)
def test_a_clock_in_a_use_case_is_refused(tmp_path: Path, code: str) -> None:
    source = copy(tmp_path)
    plant(source, "lendery.circulation.rules.planted", code)
    (objection,) = set(clocks(source, contexts())) - set(clocks(SOURCE, contexts()))
    assert objection.startswith("circulation/rules/planted.py:")


def test_routes_and_jobs_may_ask_and_pass_it_on(tmp_path: Path) -> None:
    source = copy(tmp_path)
    plant(source, "lendery.circulation.routes", ASKING[0])
    plant(source, "lendery.circulation.jobs", ASKING[0])
    assert clocks(source, contexts()) == clocks(SOURCE, contexts())
