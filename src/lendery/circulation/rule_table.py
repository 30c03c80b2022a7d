"""The rule table in force, row by row, and explained. Every change saves a version of it."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from lendery.circulation import models, rules
from lendery.circulation.editing import unchanged_since
from lendery.circulation.repository import house, rule_tables
from lendery.circulation.rule_saving import Base, as_new, in_turn, save
from lendery.contracts.base import AlreadyTaken, Invalid, Page, Window, new_id
from lendery.contracts.circulation import Explanation, InvalidRule, NewRule, NoSuchRule, Rule
from lendery.contracts.permissions import Actor, Permission
from lendery.platform.db import Database, Tx
from lendery.platform.paging import make_cursor, read_cursor


@dataclass(frozen=True)
class RuleBook:
    db: Database

    async def add(self, *, rule: NewRule, actor: Actor, now: datetime) -> Rule:
        actor.must(Permission.WRITE_RULES)
        made = Rule(
            id=new_id(),
            **rule.model_dump(exclude={"value"}),
            value=_parsed(rule.parameter, rule.value),
            changed_at=now,
            changed_by=actor.id,
            version=1,
        )

        async def added(tx: Tx) -> Rule:
            base = await Base.of(tx, now)
            await _known_branch(tx, made.branch_id)
            _not_passed(made, base, now)
            if any(rules.key_of(row) == rules.key_of(made) for row in base.rules):
                says = f"There is a row for {made.parameter} with this very scope. Change that one."
                raise AlreadyTaken(says, field="parameter")
            await _save(tx, base, [*base.rules, made], actor, now)
            return made

        return await in_turn(self.db, added)

    async def get(self, *, rule_id: UUID, actor: Actor, at: datetime) -> Rule:
        actor.must(Permission.READ_RULES)
        return _one(await self._rows(at), rule_id)

    async def find(
        self, *, parameter: str | None, window: Window, actor: Actor, at: datetime
    ) -> Page[Rule]:
        actor.must(Permission.READ_RULES)
        after = read_cursor(window.after, UUID)[0] if window.after else None
        every = [row for row in await self._rows(at) if parameter in (None, row.parameter)]
        every.sort(key=lambda row: row.id)
        rest = [row for row in every if after is None or row.id > after]
        shown = rest[: window.limit]
        return Page[Rule](
            items=shown,
            next_cursor=make_cursor(shown[-1].id) if len(rest) > window.limit else None,
            total=len(every) if window.total else None,
        )

    async def change(
        self,
        *,
        rule_id: UUID,
        changes: dict[str, Any],
        actor: Actor,
        now: datetime,
        version: int | None = None,
    ) -> Rule:
        """Only the value of a row changes; another scope is another row."""
        actor.must(Permission.WRITE_RULES)

        def changed(row: Rule) -> Rule:
            values = {"changed_at": now, "changed_by": actor.id, "version": row.version + 1}
            if "value" in changes:
                values["value"] = _parsed(row.parameter, changes["value"])
            return row.model_copy(update=values)

        made = await self._replaced(rule_id, version, actor, now, lambda row: [changed(row)])
        return made[0]

    async def remove(
        self, *, rule_id: UUID, actor: Actor, now: datetime, version: int | None = None
    ) -> None:
        actor.must(Permission.WRITE_RULES)
        await self._replaced(rule_id, version, actor, now, lambda row: [])

    async def explain(
        self,
        *,
        branch_id: UUID | None,
        category: str | None,
        item_type: str | None,
        actor: Actor,
        at: datetime,
    ) -> list[Explanation]:
        actor.must(Permission.READ_RULES)
        async with self.db.read() as session:
            row = await rule_tables.as_of(session, at)
        table = rules.RuleTable(rule_tables.rules_of(row))
        told = table.explain(branch_id=branch_id, category=category, item_type=item_type)
        number = row.number if row is not None else None
        return [each.model_copy(update={"number": number}) for each in told]

    async def _rows(self, at: datetime) -> list[Rule]:
        async with self.db.read() as session:
            return (await Base.of(session, at)).rules

    async def _replaced(
        self,
        rule_id: UUID,
        version: int | None,
        actor: Actor,
        now: datetime,
        by: Callable[[Rule], list[Rule]],
    ) -> list[Rule]:
        """A version of the table in which this row is replaced."""

        async def replaced(tx: Tx) -> list[Rule]:
            base = await Base.of(tx, now)
            row = _one(base.rules, rule_id)
            unchanged_since(row, version)
            made = by(row)
            for each in made:
                _not_passed(each, base, now)
            rows = [new for each in base.rules for new in (made if each is row else [each])]
            await _save(tx, base, rows, actor, now)
            return made

        return await in_turn(self.db, replaced)


async def _save(tx: Tx, base: Base, rows: list[Rule], actor: Actor, now: datetime) -> None:
    await save(tx, base, rows, valid_from=None, comment=None, by=actor.id, now=now)


def _one(rows: list[Rule], rule_id: UUID) -> Rule:
    for row in rows:
        if row.id == rule_id:
            return row
    raise NoSuchRule("There is no such rule.")


def _parsed(parameter: str, value: Any) -> Any:
    try:
        return rules.as_json(rules.parse(parameter, value))
    except InvalidRule as problem:
        where = "value" if parameter in rules.PARAMETERS else "parameter"
        problem.extra["errors"] = [{"pointer": f"#/{where}", "says": problem.detail}]
        raise


def _not_passed(row: Rule, base: Base, now: datetime) -> None:
    """Raises InvalidRule for a due date that would have passed from the beginning."""
    known = rules.Known({row.branch_id: ""} if row.branch_id else {})
    for each in rules.check_table([as_new(row)], known, on=now.date(), before=base.rules):
        if (each.severity, each.code) == ("error", "due-date-passed"):
            errors = [{"pointer": "#/value", "says": each.says}]
            raise InvalidRule(each.says, parameter=row.parameter, errors=errors)


async def _known_branch(tx: Tx, branch_id: UUID | None) -> None:
    if branch_id is not None and await house.find(tx, models.branch, branch_id) is None:
        says = "There is no such branch."
        raise Invalid(says, errors=[{"pointer": "#/branch_id", "says": says}])
