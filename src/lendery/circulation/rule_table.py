"""The rule table, edited and explained."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from lendery.circulation import models, rules
from lendery.circulation.editing import listed, one, unchanged_since
from lendery.circulation.house import HouseKeeper
from lendery.circulation.repository import house
from lendery.contracts.base import AlreadyTaken, Invalid, Page, Window, new_id
from lendery.contracts.circulation import Explanation, InvalidRule, NewRule, NoSuchRule, Rule
from lendery.contracts.permissions import Actor, Permission
from lendery.platform.db import Database, Duplicate, Session, Tx


@dataclass(frozen=True)
class RuleBook:
    db: Database
    keeper: HouseKeeper = field(default_factory=HouseKeeper)

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
        try:
            async with self.db.begin() as tx:
                await _known_branch(tx, made.branch_id)
                await house.add(tx, models.rule, **made.model_dump(), scope=_scope(made))
        except Duplicate:
            says = f"There is a row for {made.parameter} with this very scope. Change that one."
            raise AlreadyTaken(says, field="parameter") from None
        return made

    async def get(self, *, rule_id: UUID, actor: Actor) -> Rule:
        actor.must(Permission.READ_RULES)
        async with self.db.read() as session:
            return Rule.model_validate(await _row(session, rule_id))

    async def find(self, *, parameter: str | None, window: Window, actor: Actor) -> Page[Rule]:
        actor.must(Permission.READ_RULES)
        async with self.db.read() as session:
            return await listed(session, models.rule, Rule, window, parameter=parameter)

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
        async with self.db.begin() as tx:
            row = await _row(tx, rule_id)
            unchanged_since(row, version)
            values = {"changed_at": now, "changed_by": actor.id}
            if "value" in changes:
                values["value"] = _parsed(row.parameter, changes["value"])
            await house.change(tx, models.rule, rule_id, was=row.version, **values)
        return Rule.model_validate({**row._asdict(), **values, "version": row.version + 1})

    async def remove(
        self, *, rule_id: UUID, actor: Actor, now: datetime, version: int | None = None
    ) -> None:
        actor.must(Permission.WRITE_RULES)
        async with self.db.begin() as tx:
            unchanged_since(await _row(tx, rule_id), version)
            await house.remove(tx, models.rule, rule_id)

    async def explain(
        self, *, branch_id: UUID | None, category: str | None, item_type: str | None, actor: Actor
    ) -> list[Explanation]:
        actor.must(Permission.READ_RULES)
        async with self.db.read() as session:
            table = (await self.keeper.now(session)).rules
        return table.explain(branch_id=branch_id, category=category, item_type=item_type)


async def _row(session: Session, rule_id: UUID) -> Any:
    return await one(session, models.rule, rule_id, NoSuchRule("There is no such rule."))


def _parsed(parameter: str, value: Any) -> Any:
    try:
        return rules.as_json(rules.parse(parameter, value))
    except InvalidRule as problem:
        where = "value" if parameter in rules.PARAMETERS else "parameter"
        problem.extra["errors"] = [{"pointer": f"#/{where}", "says": problem.detail}]
        raise


def _scope(rule: Rule) -> str:
    return "|".join(
        str(part or "") for part in (rule.branch_id, rule.category, rule.item_type, rule.parameter)
    )


async def _known_branch(tx: Tx, branch_id: UUID | None) -> None:
    if branch_id is not None and await house.find(tx, models.branch, branch_id) is None:
        says = "There is no such branch."
        raise Invalid(says, errors=[{"pointer": "#/branch_id", "says": says}])
