"""Branches and calendars: where the library is, and when it is open."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Table

from lendery.circulation import models, rules
from lendery.circulation.editing import filled, listed, one, unchanged_since
from lendery.circulation.repository import house, transport
from lendery.contracts.base import AlreadyTaken, Invalid, Page, Window, new_id
from lendery.contracts.circulation import (
    Branch,
    BranchInUse,
    Calendar,
    InvalidCalendar,
    NewBranch,
    NewCalendar,
    NoSuchBranch,
    NoSuchCalendar,
)
from lendery.contracts.permissions import Actor, Permission
from lendery.platform.db import Database, Duplicate, Session, Tx


@dataclass(frozen=True)
class BranchOffice:
    db: Database

    async def add(self, *, branch: NewBranch, actor: Actor, now: datetime) -> Branch:
        actor.must(Permission.WRITE_RULES)
        made = Branch(id=new_id(), version=1, **branch.model_dump())
        _known_time_zone(made.time_zone)
        try:
            async with self.db.begin() as tx:
                await _known_calendar(tx, made.calendar_id)
                await house.add(tx, models.branch, **made.model_dump())
        except Duplicate:
            raise _code_taken(made.code) from None
        return made

    async def get(self, *, branch_id: UUID) -> Branch:
        async with self.db.read() as session:
            return Branch.model_validate(
                await one(
                    session, models.branch, branch_id, NoSuchBranch("There is no such branch.")
                )
            )

    async def find(self, *, window: Window) -> Page[Branch]:
        async with self.db.read() as session:
            return await listed(session, models.branch, Branch, window)

    async def change(
        self,
        *,
        branch_id: UUID,
        changes: dict[str, Any],
        actor: Actor,
        now: datetime,
        version: int | None = None,
    ) -> Branch:
        actor.must(Permission.WRITE_RULES)
        filled(changes, "code", "name", "time_zone", "self_service")
        try:
            async with self.db.begin() as tx:
                problem = NoSuchBranch("There is no such branch.")
                row = await one(tx, models.branch, branch_id, problem)
                unchanged_since(row, version)
                changed = Branch.model_validate({**row._asdict(), **changes})
                _known_time_zone(changed.time_zone)
                await _known_calendar(tx, changed.calendar_id)
                values = {name: getattr(changed, name) for name in changes}
                await house.change(tx, models.branch, branch_id, was=row.version, **values)
        except Duplicate:
            raise _code_taken(changes["code"]) from None
        return changed.model_copy(update={"version": row.version + 1})

    async def remove(
        self, *, branch_id: UUID, actor: Actor, now: datetime, version: int | None = None
    ) -> None:
        actor.must(Permission.WRITE_RULES)
        async with self.db.begin() as tx:
            problem = NoSuchBranch("There is no such branch.")
            unchanged_since(await one(tx, models.branch, branch_id, problem), version)
            if await house.branch_in_use(tx, branch_id):
                says = "Copies live here, come here or were lent here, or holds are collected here."
                raise BranchInUse(f"{says} Move them first.")
            await house.remove(tx, models.branch, branch_id)
            await transport.forget_branch(tx, branch_id)  # the turn is ours: none is added now


@dataclass(frozen=True)
class CalendarOffice:
    db: Database

    async def add(self, *, calendar: NewCalendar, actor: Actor, now: datetime) -> Calendar:
        actor.must(Permission.WRITE_RULES)
        made = Calendar(id=new_id(), version=1, **calendar.model_dump())
        _must_make_sense(made)
        async with self.db.begin() as tx:
            await house.add(tx, models.calendar, **_columns(made), id=made.id, version=1)
        return made

    async def get(self, *, calendar_id: UUID) -> Calendar:
        async with self.db.read() as session:
            return Calendar.model_validate(await _calendar_row(session, calendar_id))

    async def find(self, *, window: Window) -> Page[Calendar]:
        async with self.db.read() as session:
            return await listed(session, models.calendar, Calendar, window)

    async def change(
        self,
        *,
        calendar_id: UUID,
        changes: dict[str, Any],
        actor: Actor,
        now: datetime,
        version: int | None = None,
    ) -> Calendar:
        actor.must(Permission.WRITE_RULES)
        filled(changes, "name", "weekly", "exceptions")
        async with self.db.begin() as tx:
            row = await _calendar_row(tx, calendar_id)
            unchanged_since(row, version)
            changed = Calendar.model_validate({**row._asdict(), **changes})
            _must_make_sense(changed)
            await house.change(
                tx, models.calendar, calendar_id, was=row.version, **_columns(changed)
            )
        return changed.model_copy(update={"version": row.version + 1})

    async def remove(
        self, *, calendar_id: UUID, actor: Actor, now: datetime, version: int | None = None
    ) -> None:
        actor.must(Permission.WRITE_RULES)
        async with self.db.begin() as tx:
            unchanged_since(await _calendar_row(tx, calendar_id), version)
            if await house.calendar_in_use(tx, calendar_id):
                raise BranchInUse("A branch keeps this calendar. Give it another one first.")
            await house.remove(tx, models.calendar, calendar_id)


async def _calendar_row(session: Session, calendar_id: UUID) -> Any:
    return await one(
        session, models.calendar, calendar_id, NoSuchCalendar("There is no such calendar.")
    )


def _columns(calendar: Calendar) -> dict[str, Any]:
    told = calendar.model_dump(mode="json", include={"name", "weekly", "exceptions"})
    return {**told, "valid_until": calendar.valid_until}


def _must_make_sense(calendar: Calendar) -> None:
    if objections := rules.check_calendar(calendar):
        raise InvalidCalendar(
            " ".join(objections),
            errors=[{"pointer": "#/weekly", "says": each} for each in objections],
        )


def _known_time_zone(name: str) -> None:
    rules.time_zone(name)


async def _known_calendar(tx: Tx, calendar_id: UUID | None) -> None:
    table: Table = models.calendar
    if calendar_id is not None and await house.find(tx, table, calendar_id) is None:
        says = "There is no such calendar."
        raise Invalid(says, errors=[{"pointer": "#/calendar_id", "says": says}])


def _code_taken(code: str) -> AlreadyTaken:
    return AlreadyTaken(f"Another branch has the code {code}.", field="code")
