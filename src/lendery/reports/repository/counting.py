"""Writing what events mean: counters that are added to, and rows that are found by their id."""

from collections.abc import Iterable
from typing import Any

from sqlalchemy import Table, bindparam, delete, func, not_, update
from sqlalchemy.dialects import postgresql

from lendery.platform.db import Statement, any_of
from lendery.platform.db.session import Write
from lendery.reports.models import book, copy, hold, lending, money, use
from lendery.reports.rules.effects import (
    CopyDropped,
    CopyMarked,
    CopyMet,
    CopySeen,
    Effect,
    HoldClosed,
    HoldIs,
    HoldOpened,
    Lending,
    Posted,
    ToLearn,
    Used,
)


def _bound(table: Table, *names: str, prefix: str = "") -> dict[str, Any]:
    return {name: bindparam(f"{prefix}{name}", type_=table.c[name].type) for name in names}


def _adding(table: Table, *counts: str) -> Statement:
    """A row with these counts; where there is one, they are added to it."""
    new = postgresql.insert(table).values(_bound(table, *table.c.keys()))
    more = {name: table.c[name] + new.excluded[name] for name in counts}
    keys = [column.name for column in table.primary_key]
    return Statement(new.on_conflict_do_update(index_elements=keys, set_=more))


LENDING = _adding(lending, "lent", "renewed", "returned")
USE = _adding(use, "lent")
MONEY = _adding(money, "lines", "amount")

_opened = postgresql.insert(hold).values(_bound(hold, "id", "book_id", "branch_id", "waiting"))
OPEN_HOLD = Statement(
    _opened.on_conflict_do_update(index_elements=["id"], set_={"waiting": _opened.excluded.waiting})
)
AT_HOLD = bindparam("at_id", type_=hold.c.id.type)
CHANGE_HOLD = Statement(
    update(hold)
    .where(hold.c.id == AT_HOLD)
    .values(
        {
            name: func.coalesce(bindparam(f"to_{name}", type_=hold.c[name].type), hold.c[name])
            for name in ("waiting", "branch_id", "book_id")
        }
    )
)
CLOSE_HOLD = Statement(delete(hold).where(hold.c.id == AT_HOLD))

_met = postgresql.insert(copy).values(
    _bound(copy, "id", "book_id", "added_on") | {"gone": False, "changed": 1, "learnt": 0}
)
MEET_COPY = Statement(
    _met.on_conflict_do_update(
        index_elements=["id"],
        set_={"added_on": _met.excluded.added_on, "changed": copy.c.changed + 1},
    )
)
_marked = postgresql.insert(copy).values(
    _bound(copy, "id", "book_id", "gone") | {"changed": 1, "learnt": 0}
)
MARK_COPY = Statement(
    _marked.on_conflict_do_update(index_elements=["id"], set_={"gone": _marked.excluded.gone})
)
AT_COPY = bindparam("at_id", type_=copy.c.id.type)
SEE_COPY = Statement(
    update(copy)
    .where(copy.c.id == AT_COPY, copy.c.gone != bindparam("to_gone", type_=copy.c.gone.type))
    .values(gone=not_(copy.c.gone))
)
DROP_COPY = Statement(delete(copy).where(copy.c.id == AT_COPY))
COPIES_CHANGED = Statement(
    update(copy).where(any_of(copy.c.id, "ids")).values(changed=copy.c.changed + 1)
)
NOT_LEARNT = {"title": "", "authors": "", "changed": 1, "learnt": 0}
MEET_BOOK = Statement(
    postgresql.insert(book)
    .values({"id": bindparam("id", type_=book.c.id.type), **NOT_LEARNT})
    .on_conflict_do_nothing(index_elements=["id"])
)
BOOKS_CHANGED = Statement(
    update(book).where(any_of(book.c.id, "ids")).values(changed=book.c.changed + 1)
)


def writes(effects: Iterable[Effect]) -> list[Write]:
    """Effects of one event touch different rows, so they can be written at once."""
    return [write for effect in effects for write in _writes(effect)]


def _writes(effect: Effect) -> list[Write]:
    match effect:
        case Lending():
            return [(LENDING, row_of(effect))]
        case Used():
            return [(USE, row_of(effect))]
        case Posted():
            return [(MONEY, row_of(effect) | {"lines": 1})]
        case HoldOpened():
            return [(OPEN_HOLD, row_of(effect)), (MEET_BOOK, {"id": effect.book_id})]
        case HoldIs(id, waiting, branch_id, book_id):
            told = {"to_waiting": waiting, "to_branch_id": branch_id, "to_book_id": book_id}
            change = (CHANGE_HOLD, {"at_id": id, **told})
            return [change, (MEET_BOOK, {"id": book_id})] if book_id else [change]
        case HoldClosed(id):
            return [(CLOSE_HOLD, {"at_id": id})]
        case CopyMet():
            return [(MEET_COPY, row_of(effect))]
        case CopyMarked():
            return [(MARK_COPY, row_of(effect))]
        case CopySeen(id, gone):
            return [(SEE_COPY, {"at_id": id, "to_gone": gone})]
        case CopyDropped(id):
            return [(DROP_COPY, {"at_id": id})]
        case ToLearn(copies, books):
            both = ((COPIES_CHANGED, copies), (BOOKS_CHANGED, books))
            return [(statement, {"ids": list(ids)}) for statement, ids in both if ids]


def row_of(effect: Effect) -> dict[str, Any]:
    return {name: getattr(effect, name) for name in effect.__slots__}
