"""What migrations do for the log of look-ups: kept as it was when they were written."""

from typing import Any

import sqlalchemy as sa

from lendery.platform.db.types import UtcDateTime


def create_lookup_table(op: Any, context: str) -> None:
    op.create_table(
        f"{context}_lookup",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("patron_id", sa.Uuid, nullable=False),
        sa.Column("by", sa.Uuid, nullable=False),
        sa.Column("what", sa.String(16), nullable=False),
        sa.Column("why", sa.String(200)),
        sa.Column("at", UtcDateTime, nullable=False),
    )
    op.create_index(f"{context}_lookups_of_patron", f"{context}_lookup", ["patron_id", "id"])
    op.create_index(f"{context}_lookups_by_age", f"{context}_lookup", ["at"])


def drop_lookup_table(op: Any, context: str) -> None:
    op.drop_table(f"{context}_lookup")
