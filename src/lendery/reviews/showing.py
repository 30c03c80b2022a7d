"""A review as it is shown: to everybody, and to staff."""

from collections.abc import Mapping, Sequence
from typing import Any

from lendery.contracts.reviews import Review
from lendery.platform.db import Session
from lendery.reviews.repository.reports import open_reports
from lendery.reviews.repository.reviews import Kept


def shown(row: Kept, reports: Mapping[str, int] | None = None) -> Review:
    """Without who wrote it: the name they chose is all there is."""
    values: dict[str, Any] = {
        name: getattr(row, name) for name in Review.model_fields if hasattr(row, name)
    }
    hidden = row.state == "hidden"
    return Review(**values | {"hidden": hidden, "reports": None if reports is None else reports})


async def shown_with_reports(session: Session, rows: Sequence[Kept]) -> list[Review]:
    """For staff: with the reports that nobody has decided about."""
    reports = await open_reports(session, ids=[row.id for row in rows])
    return [shown(row, reports.get(row.id, {})) for row in rows]
