"""How often the database is asked: what a busy desk costs, and what the house costs."""

from typing import Any

import asyncpg
import pytest
from tests.circulation.town import ADMIN, ALL_WEEK, LIBRARIAN, NOW, Town

from lendery.circulation.house import HouseKeeper
from lendery.circulation.models import TABLES
from lendery.contracts.base import RequestKey, new_id
from lendery.contracts.circulation import LoanRequest, NewCalendar, ReturnRequest
from lendery.platform.db import Database

DESK: Any = {"actor": LIBRARIAN, "now": NOW}
ROUND_TRIPS = ("execute", "executemany", "fetch", "fetchmany", "fetchrow", "fetchval", "prepare")


class Counted:
    """An asyncpg connection whose every question is noted."""

    def __init__(self, raw: Any, asked: list[str]) -> None:
        self._raw, self._asked = raw, asked

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._raw, name)
        if name not in ROUND_TRIPS:
            return found

        def noted(query: str, *given: Any, **options: Any) -> Any:
            self._asked.append(query)
            return found(query, *given, **options)

        return noted


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    found: list[str] = []
    really = asyncpg.connect

    async def connect(*given: Any, **options: Any) -> Any:
        return Counted(await really(*given, **options), found)

    monkeypatch.setattr(asyncpg, "connect", connect)
    return found


def key() -> RequestKey:
    return RequestKey(scope="ann", key=str(new_id()), fingerprint="f")


@pytest.mark.parametrize("keyed", [False, True], ids=["plain", "with a key"])
async def test_a_desk_asks_the_database_no_more_than_it_must(
    postgres_url: str, asked: list[str], keyed: bool
) -> None:
    db = Database(postgres_url, [TABLES])
    town = Town(db)
    home = await town.branch()
    await town.rule("loan_period", 21)
    await town.rule("renew_from", "due-date")
    town.patrons.add("1000000008")
    town.copies.add("b1", home.id)
    lend = LoanRequest(barcode="b1", card_number="1000000008")
    back = ReturnRequest(barcode="b1")
    await town.desk.check_out(request=lend, **DESK)  # everybody meets everybody
    await town.desk.check_in(request=back, **DESK)

    async def costs(call: Any) -> tuple[Any, list[str]]:
        asked.clear()
        answer = await call
        return answer, [query.split()[0] for query in asked]

    def with_key() -> Any:
        return {"key": key() if keyed else None, **DESK}

    loan, lending = await costs(town.desk.check_out(request=lend, **with_key()))
    _, renewing = await costs(town.desk.renew(loan_id=loan.id, **with_key()))
    _, taking = await costs(town.desk.check_in(request=back, **with_key()))
    for statements, most in ((lending, 5), (renewing, 10), (taking, 10)):
        assert statements[0] == "BEGIN" and statements[-1] == "COMMIT"
        assert 4 <= len(statements) <= most, statements
    await db.close()


class Looked:
    """A session that counts what is asked of it."""

    def __init__(self, session: Any) -> None:
        self.session, self.asked = session, 0

    async def rows(self, query: Any, **given: Any) -> Any:
        self.asked += 1
        return await self.session.rows(query, **given)

    async def value(self, query: Any, **given: Any) -> Any:
        self.asked += 1
        return await self.session.value(query, **given)

    async def row(self, query: Any, **given: Any) -> Any:
        self.asked += 1
        return await self.session.row(query, **given)


async def test_the_house_is_read_anew_when_something_changed_and_not_otherwise(
    town: Town,
) -> None:
    keeper = HouseKeeper()

    async def cost() -> int:
        async with town.db.read() as session:
            looked: Any = Looked(session)
            await keeper.now(looked, NOW)
        found: int = looked.asked
        return found

    assert await cost() > 1, "the first time everything is read"
    assert [await cost() for _ in range(3)] == [1, 1, 1], "the version, and nothing else"
    hours = await town.calendars.add(
        calendar=NewCalendar(name="Always", weekly=ALL_WEEK), actor=ADMIN, now=NOW
    )
    changes: list[Any] = [
        lambda: town.branch("one"),
        lambda: town.rule("loan_period", 21),
        lambda: town.branch("two", calendar_id=hours.id),
        lambda: town.calendars.change(
            calendar_id=hours.id, changes={"name": "x"}, actor=ADMIN, now=NOW
        ),
    ]
    for change in changes:
        await change()
        assert await cost() > 1
        assert await cost() == 1


async def test_with_a_version_at_hand_nothing_is_asked_at_all(town: Town) -> None:
    keeper = HouseKeeper()
    async with town.db.read() as session:
        house = await keeper.now(session, NOW)
        looked: Any = Looked(session)
        assert await keeper.at(looked, house.version, NOW) is house
        assert looked.asked == 0


async def test_a_decision_is_never_made_on_a_rule_that_was_changed_before(town: Town) -> None:
    home = await town.branch()
    rule_id = await town.rule("loan_period", 21)
    town.patrons.add("1000000008")
    due = []
    for number, days in enumerate((21, 14, 7)):
        town.copies.add(f"b{number}", home.id)
        await town.rules.change(rule_id=rule_id, changes={"value": days}, actor=ADMIN, now=NOW)
        request = LoanRequest(barcode=f"b{number}", card_number="1000000008")
        loan = await town.desk.check_out(request=request, **DESK)
        due.append((loan.due_at.date() - NOW.date()).days)
    assert due == [21, 14, 7]


async def test_two_programs_on_one_database_see_each_others_changes(town: Town) -> None:
    other = Database(town.db.url, [TABLES])
    there = Town(other)
    home = await town.branch()
    for days in (21, 5):
        if days == 21:
            rule_id = await town.rule("loan_period", days)
        else:
            change = {"value": days}
            await town.rules.change(rule_id=rule_id, changes=change, actor=ADMIN, now=NOW)
        there.patrons.add(f"CARD-{days}")
        there.copies.add(f"b{days}", home.id)
        request = LoanRequest(barcode=f"b{days}", card_number=f"CARD-{days}")
        loan = await there.desk.check_out(request=request, **DESK)
        assert (loan.due_at.date() - NOW.date()).days == days
    await other.close()


async def test_a_branch_the_house_does_not_know_is_always_open_and_never_named(
    town: Town,
) -> None:
    keeper, home = HouseKeeper(), await town.branch()
    async with town.db.read() as session:
        house = await keeper.now(session, NOW)
    assert house.branch(home.id) == home
    assert house.hours_of(new_id()).local_date(NOW) == NOW.date()
    with pytest.raises(Exception, match="no such branch"):
        house.branch(new_id())
