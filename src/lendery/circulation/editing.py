"""What editing branches, calendars and rules have in common."""

from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy import Table

from lendery.circulation.repository import house
from lendery.contracts.base import Invalid, Page, Problem, Stale, Value, Window
from lendery.platform.db import Session
from lendery.platform.paging import make_cursor, read_cursor

V = TypeVar("V", bound=Value)


async def one(session: Session, table: Table, row_id: UUID, otherwise: Problem) -> Any:
    row = await house.find(session, table, row_id)
    if row is None:
        raise otherwise
    return row


async def listed(
    session: Session, table: Table, shape: type[V], window: Window, **equal: Any
) -> Page[V]:
    """A page of a set-up table, oldest first."""
    after = read_cursor(window.after, UUID)[0] if window.after else None
    rows = await house.page(session, table, after=after, limit=window.limit + 1, **equal)
    shown = rows[: window.limit]
    return Page[V](
        items=[shape.model_validate(row) for row in shown],
        next_cursor=make_cursor(shown[-1].id) if len(rows) > window.limit else None,
        total=await house.count(session, table, **equal) if window.total else None,
    )


def unchanged_since(row: Any, version: int | None) -> None:
    if version is not None and row.version != version:
        raise Stale("This has changed since you read it. Read it again, then change it.")


def filled(changes: dict[str, Any], *names: str) -> None:
    """Refuses null where there must be something."""
    if empty := [name for name in names if name in changes and changes[name] is None]:
        errors = [{"pointer": f"#/{name}", "says": "This must not be empty."} for name in empty]
        raise Invalid(f"{', '.join(empty)}: this must not be empty.", errors=errors)
