"""Holds in the demo library: every one is where its copy is."""

import json
from collections import Counter
from datetime import timedelta
from typing import Any

import pytest
from tests.demo.standing import NOW, TODAY, Standing

from lendery.demo import house

pytestmark = pytest.mark.xdist_group("demo library")


def test_books_that_are_out_have_queues_that_people_would_join(town: Standing) -> None:
    queues = Counter(each.book_id for each in town.holds_that_are("waiting"))

    assert max(queues.values()) > 2
    assert max(queues.values()) <= 8
    assert any(
        each.pickup_branch_id != town.copies[each.given_copy_id].home_branch_id
        for each in town.holds_that_are("fulfilled")
    )


def test_a_hold_is_ready_where_its_copy_stands_on_the_hold_shelf(town: Standing) -> None:
    for each in town.holds_that_are("ready"):
        state = town.states[each.given_copy_id]
        assert (state.status, state.branch_id) == ("on-hold-shelf", each.pickup_branch_id)
        assert each.expires_on >= TODAY


def test_a_copy_on_a_hold_shelf_is_there_for_somebody(town: Standing) -> None:
    kept = {each.given_copy_id for each in town.holds_that_are("ready")}
    shelves = {copy_id for copy_id, each in town.states.items() if each.status == "on-hold-shelf"}

    assert shelves == kept


def test_a_hold_on_its_way_goes_to_where_it_is_collected(town: Standing) -> None:
    for each in town.holds_that_are("in-transit"):
        assert town.copies[each.given_copy_id].in_transit_to == each.pickup_branch_id


def test_what_was_sent_arrives_where_it_was_sent_when_the_van_comes(town: Standing) -> None:
    sent: dict[str, Any] = {}
    journeys = 0
    for each in town.transfers:
        told = json.loads(each.body) if isinstance(each.body, str) else each.body
        if each.name == "circulation.TransferStarted":
            assert told["copy_id"] not in sent
            sent[told["copy_id"]] = each.at, told["to_branch_id"]
        else:
            at, to = sent.pop(told["copy_id"])
            assert (each.at - at, told["branch_id"]) == (timedelta(days=2), to)
            journeys += 1

    assert journeys > len(sent) > 0
    travelling = {str(each.id) for each in town.copies.values() if each.in_transit_to}
    assert set(sent) == travelling
    assert all(NOW - at < timedelta(days=2, hours=8) for at, _ in sent.values())


def loans_of(town: Standing, holds: list[Any]) -> list[tuple[Any, Any]]:
    """Each of these fulfilled holds with the loan that fulfilled it."""
    lent = {(each.patron_id, each.book_id, each.lent_at): each for each in town.loans}
    return [(each, lent[each.patron_id, each.book_id, each.ended_at]) for each in holds]


def test_each_hold_that_was_collected_has_its_loan(town: Standing) -> None:
    both = loans_of(town, town.holds_that_are("fulfilled"))
    collected = [(each, made) for each, made in both if each.given_copy_id == made.copy_id]

    assert len(collected) > 0.9 * len(both)  # some readers happened to find another copy
    for each, made in collected:
        assert made.branch_id == each.pickup_branch_id
        assert each.ready_at.date() < each.ended_at.date() <= each.expires_on


def test_holds_are_collected_in_opening_hours(town: Standing) -> None:
    for _, made in loans_of(town, town.holds_that_are("fulfilled")):
        hours = house.opening(town.branches[made.branch_id], made.lent_at.date())
        assert hours and hours[0] <= made.lent_at < hours[1]


def test_a_hold_expires_in_the_night_after_its_last_day(town: Standing) -> None:
    for each in town.holds_that_are("expired"):
        assert each.ended_at == house.day_begins(each.expires_on + timedelta(days=1))


def test_what_nobody_collected_goes_on(town: Standing) -> None:
    """Not what ended so lately that its branch has not been open since."""
    for each in [*town.holds_that_are("expired"), *town.holds_that_are("cancelled")]:
        if each.given_copy_id is not None and each.ended_at < NOW - timedelta(days=4):
            assert town.copies[each.given_copy_id].last_seen_at > each.ended_at


def test_nobody_waits_long_for_what_stands_on_a_shelf(town: Standing) -> None:
    """Not counting what lies on a hold shelf since last night, for nobody."""
    given_up = {
        each.given_copy_id
        for each in [*town.holds_that_are("expired"), *town.holds_that_are("cancelled")]
        if each.ended_at > NOW - timedelta(days=4)
    }
    free = {
        town.copies[copy_id].book_id
        for copy_id, each in town.states.items()
        if each.status == "available" and copy_id not in given_up
    }
    for each in town.holds_that_are("waiting"):
        suspended = each.suspended and (each.suspended_until or TODAY) > TODAY
        lately = NOW - each.placed_at < timedelta(days=4)
        assert suspended or lately or each.book_id not in free
