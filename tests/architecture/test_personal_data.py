"""Every column that leads to a person is either in a context's list of places, or says why not."""

from collections.abc import Iterable

import pytest
from sqlalchemy import Column, MetaData, Table, Uuid

from lendery.parts import ERASING, LIMITS, PERSONAL, REACTIONS, TABLES
from lendery.platform.personal import Personal

# Ids of staff for what they did. They lead to an empty place once somebody has left.
ACTS = {"by", "placed_by", "saved_by", "changed_by", "waived_by", "asked_by", "undone_by",
        "dismissed_by", "opened_by", "closed_by", "registered_by", "received_by",
        "settled_by"}  # fmt: skip
# Ids of other things, and random ones: no name of these is a person's.
THINGS = (
    *("book", "copy", "branch", "loan", "hold", "fine", "calendar", "mail", "session", "review"),
    *("author", "subject", "job", "merge", "event", "line", "settlement", "simulation", "work"),
    *("heading", "other", "one", "loser", "winner", "pickup_branch", "given_copy", "reversal"),
    *("current_branch", "home_branch", "returned_branch", "prior_job"),
    *("from_branch", "to_branch", "cash_session", "desk", "batch"),
)
OTHERWISE = {
    "borrower": "random: stands for the patron in the log",
    "aggregate": "of accounts' own events, which say that somebody changed",
    "worker": "a process",
    "runner": "a process",
    "reverses": "a line",
    "merged_into": "a book",
    "written_of": "a book",
    "asked_for": "a book",
    "in_transit_to": "a branch",
    "to_branch": "a branch",
    "place": "made for the order in which they came",
    "about": "a loan, a hold, a payment or a subscription; of a card it is in the list",
    "accounts_erasure.user_id": "that somebody was erased is proof of it",
}


def unlisted(metadata: MetaData, personal: Personal) -> list[str]:
    listed = {str(place.whose) for place in personal.places}
    return [
        f"{table.name}.{column.name}"
        for table in metadata.sorted_tables
        for column in table.c
        if isinstance(column.type, Uuid) and f"{table.name}.{column.name}" not in listed
        and not _is_known(table, column)
    ]  # fmt: skip


def _is_known(table: Table, column: Column[object]) -> bool:
    name = column.name
    return (
        name == "id"
        or name in ACTS
        or name.removesuffix("_id") in THINGS
        or name in OTHERWISE
        or f"{table.name}.{name}" in OTHERWISE
    )


@pytest.mark.parametrize("context", TABLES)
def test_what_leads_to_a_person_is_listed(context: str) -> None:
    nothing = Personal(places=())
    assert unlisted(TABLES[context].event.metadata, PERSONAL.get(context, nothing)) == []


def test_a_new_column_is_noticed() -> None:
    planted = MetaData()
    Table("circulation_wish", planted, Column("id", Uuid), Column("patron_id", Uuid))
    assert unlisted(planted, PERSONAL["circulation"]) == ["circulation_wish.patron_id"]


def test_whoever_holds_personal_data_hears_of_an_erasure() -> None:
    assert {each for each in PERSONAL if not ERASING.get(each)} == set()
    assert set(ERASING) - set(PERSONAL) <= {c for c in REACTIONS if not ERASING[c]}


def test_kept_answers_of_every_context_have_an_end() -> None:
    def named(limits: Iterable[object]) -> set[str]:
        return {what for limit in limits for what in limit.what}  # type: ignore[attr-defined]

    assert all("kept answers" in named(LIMITS[context]) for context in TABLES)
