"""The rule table as a whole: saved in versions, as rows or as text, compared and restored."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from lendery.circulation import rules
from lendery.circulation.repository import house, rule_tables
from lendery.circulation.rule_saving import Base, as_new, in_turn, save
from lendery.contracts.base import Invalid, Page, Stale, Window
from lendery.contracts.circulation import (
    InvalidRuleTable,
    NewRule,
    NewRuleTable,
    NoSuchRuleVersion,
    Restoring,
    Rule,
    RuleDifference,
    RuleFinding,
    RuleTableText,
    RuleVersion,
    RuleVersionRows,
    SavedRules,
)
from lendery.contracts.permissions import Actor, Permission
from lendery.platform.db import Database, Session, Tx
from lendery.platform.paging import make_cursor, read_cursor

BIG = 2**31 - 1  # above every number of a version


@dataclass(frozen=True)
class Draft:
    """A table that somebody wants. `places` gives each row's line and column, where it has one."""

    rows: list[NewRule]
    places: list[tuple[int, int]] | None = None

    def finding(self, found: rules.Finding) -> RuleFinding:
        told: dict[str, Any] = {
            "severity": found.severity,
            "code": found.code,
            "says": found.says,
        }
        if found.row is not None and self.places is not None:
            told["line"], told["column"] = self.places[found.row]
        elif found.row is not None:
            told["pointer"] = f"#/rows/{found.row}" + (f"/{found.member}" if found.member else "")
        return RuleFinding(**told)


@dataclass(frozen=True)
class RuleRegister:
    """Implements contracts.circulation.RuleVersions."""

    db: Database
    currency: str = "EUR"

    async def save(
        self,
        *,
        table: NewRuleTable,
        actor: Actor,
        now: datetime,
        number: int | None = None,
        dry_run: bool = False,
    ) -> SavedRules:
        actor.must(Permission.WRITE_RULES)
        wanted = Restoring(valid_from=table.valid_from, comment=table.comment)

        async def drafted(session: Session) -> Draft:
            return Draft(table.rows)

        return await self._save(drafted, wanted, actor, now, number=number, dry_run=dry_run)

    async def save_text(
        self,
        *,
        text: str,
        valid_from: datetime | None = None,
        comment: str | None = None,
        actor: Actor,
        now: datetime,
        number: int | None = None,
        dry_run: bool = False,
    ) -> SavedRules:
        actor.must(Permission.WRITE_RULES)
        wanted = Restoring(valid_from=valid_from, comment=comment)

        async def drafted(session: Session) -> Draft:
            return await draft_of_text(session, text, self.currency)

        return await self._save(drafted, wanted, actor, now, number=number, dry_run=dry_run)

    async def restore(
        self, *, number: int, wanted: Restoring, actor: Actor, now: datetime
    ) -> SavedRules:
        """What was in force once refuses nothing, though time has passed over it."""
        actor.must(Permission.WRITE_RULES)

        async def drafted(session: Session) -> Draft:
            rows = rule_tables.rules_of(await _version(session, number, now))
            return Draft([as_new(row) for row in rows])

        return await self._save(drafted, wanted, actor, now, restored_from=number)

    async def _save(
        self,
        drafted: Callable[[Session], Awaitable[Draft]],
        wanted: Restoring,
        actor: Actor,
        now: datetime,
        *,
        number: int | None = None,
        dry_run: bool = False,
        restored_from: int | None = None,
    ) -> SavedRules:
        if wanted.valid_from is not None and wanted.valid_from <= now:
            says = "This has passed. Leave it out, and the table is in force at once."
            raise Invalid(says, errors=[{"pointer": "#/valid_from", "says": says}])

        async def looked_over(session: Session) -> tuple[Base, Draft, list[RuleFinding]]:
            base = await Base.of(session, now)
            if number is not None and number != (base.number or 0):
                raise Stale("Another table is in force since you read it. Read it again.")
            draft = await drafted(session)
            standing = draft.rows if restored_from is not None else base.rules
            return base, draft, await checked(session, draft, standing, wanted.valid_from or now)

        async def saved(tx: Tx) -> SavedRules:
            base, draft, findings = await looked_over(tx)
            rows = rules.carried_over(meant(draft.rows), base.rules, now=now, by=actor.id)
            if wanted.valid_from is None and not rules.differences(base.rules, rows):
                same = _shown(base.row, base.number, now) if base.row is not None else None
                return SavedRules(version=same, findings=findings)
            version = await save(
                tx,
                base,
                rows,
                valid_from=wanted.valid_from,
                comment=wanted.comment,
                restored_from=restored_from,
                by=actor.id,
                now=now,
            )
            return SavedRules(version=version, findings=findings)

        if dry_run:
            async with self.db.read() as session:
                return SavedRules(version=None, findings=(await looked_over(session))[2])
        return await in_turn(self.db, saved)

    async def text(self, *, number: int | None, actor: Actor, at: datetime) -> RuleTableText:
        actor.must(Permission.READ_RULES)
        async with self.db.read() as session:
            row = await _version(session, number, at)
            known = await branches_known(session)
        since = f"{row.valid_from:%Y-%m-%dT%H:%M:%SZ}" if row is not None else ""
        heading = f"Rule table, version {row.number}, from {since}" if row is not None else ""
        text = rules.write_text(
            rule_tables.rules_of(row), branches=known, currency=self.currency, heading=heading
        )
        return RuleTableText(number=row.number if row is not None else 0, text=text)

    async def find(self, *, window: Window, actor: Actor, at: datetime) -> Page[RuleVersion]:
        actor.must(Permission.READ_RULES)
        before = read_cursor(window.after, int)[0] if window.after else BIG
        async with self.db.read() as session:
            rows = await rule_tables.versions(session, before=before, many=window.limit + 1)
            ruling = await rule_tables.in_force_number(session, at)
            total = await rule_tables.count(session) if window.total else None
        shown = [_shown(row, ruling, at) for row in rows[: window.limit]]
        more = len(rows) > window.limit
        cursor = make_cursor(shown[-1].number) if more else None
        return Page[RuleVersion](items=shown, next_cursor=cursor, total=total)

    async def get(self, *, number: int | None, actor: Actor, at: datetime) -> RuleVersionRows:
        actor.must(Permission.READ_RULES)
        async with self.db.read() as session:
            row = await _version(session, number, at)
            ruling = await rule_tables.in_force_number(session, at)
        if row is None:
            raise NoSuchRuleVersion("No rules were saved yet.")
        shown = _shown(row, ruling, at)
        return RuleVersionRows(**shown.model_dump(), rows=rule_tables.rules_of(row))

    async def differences(
        self, *, number: int, since: int | None, actor: Actor
    ) -> list[RuleDifference]:
        actor.must(Permission.READ_RULES)
        async with self.db.read() as session:
            becomes = await numbered(session, number)
            earlier = number - 1 if since is None else since
            was = await numbered(session, earlier) if earlier else None
        return rules.differences(rule_tables.rules_of(was), rule_tables.rules_of(becomes))


async def draft_of_text(session: Session, text: str, currency: str) -> Draft:
    """Raises InvalidRuleTable with line and column of every fault."""
    known = await branches_known(session)
    read = rules.read_text(
        text, branches={code: each for each, code in known.items()}, currency=currency
    )
    if read.faults:
        errors = [{"line": f.line, "column": f.column, "says": f.says} for f in read.faults]
        first = read.faults[0]
        says = f"Line {first.line}, column {first.column}: {first.says}"
        raise InvalidRuleTable(says, errors=errors)
    rows = [each.rule for each in read.rules]
    return Draft(rows, [(each.line, each.column) for each in read.rules])


async def checked(
    session: Session, draft: Draft, standing: Sequence[Rule | NewRule], begins: datetime
) -> list[RuleFinding]:
    """What is odd about it. Raises InvalidRuleTable where that refuses it."""
    categories, item_types = await rule_tables.words_met(session)
    known = rules.Known(await branches_known(session), frozenset(categories), frozenset(item_types))
    found = rules.check_table(draft.rows, known, on=begins.date(), before=standing)
    findings = [draft.finding(each) for each in found]
    if errors := [each for each in findings if each.severity == "error"]:
        told = [each.model_dump(exclude={"severity"}, exclude_none=True) for each in errors]
        raise InvalidRuleTable(errors[0].says, errors=told[:100])
    return findings


async def branches_known(session: Session) -> dict[Any, str]:
    branches, _ = await house.everything(session)
    return {row.id: row.code for row in branches}


def meant(rows: Sequence[NewRule]) -> list[NewRule]:
    """With values as they are kept: yes as true."""
    return [
        row.model_copy(update={"value": rules.as_json(rules.parse(row.parameter, row.value))})
        for row in rows
    ]


async def _version(session: Session, number: int | None, at: datetime) -> Any | None:
    if number is not None:
        return await numbered(session, number)
    return await rule_tables.in_force(session, at)


async def numbered(session: Session, number: int) -> Any:
    row = await rule_tables.version(session, number) if 0 < number < BIG else None
    if row is None:
        raise NoSuchRuleVersion(f"There is no version {number} of the rules.")
    return row


def _shown(row: Any, ruling: int | None, at: datetime) -> RuleVersion:
    facts = row._asdict()
    facts.pop("rows", None)
    planned = row.planned and row.valid_from > at
    state = "in-force" if row.number == ruling else "planned" if planned else "past"
    return RuleVersion.model_validate({**facts, "state": state})
