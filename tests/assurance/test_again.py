"""A request sent again, however its answer was lost: one effect, and equal answers."""

import asyncio
from pathlib import Path

import pytest

from tests.assurance.again import EACH, KINDS, killed_and_sent_again, sent_again
from tests.assurance.places import Processes
from tests.assurance.programme import COMBINATIONS, needs
from tests.assurance.storm_controls import FORGETFUL
from tests.assurance.storm_kills import Site

KILLS = 2


@pytest.mark.parametrize(("shape", "database"), COMBINATIONS)
def test_what_is_sent_again_happens_once_and_is_answered_alike(
    shape: str, database: str, tmp_path: Path
) -> None:
    """One test for all kinds of a place: starting its processes takes longer than they do."""
    needs(database)
    with Processes.running(shape, database, tmp_path) as place:
        url = place.urls["circulation"]
        tallies = {
            kind: asyncio.run(sent_again(place, rounds=1, kind=kind, url=url)) for kind in KINDS
        }
        killed = asyncio.run(killed_and_sent_again(place, rounds=KILLS))

    for kind, tally in tallies.items():
        assert tally.attempts == EACH, kind
        assert tally.odd == {}, kind
        assert tally.doubled == 0, kind
        assert tally.winners == tally.expected == 3, kind
    assert killed.odd == {}
    assert killed.doubled == 0
    assert killed.winners == killed.expected == KILLS * len(KINDS)


def test_of_each_kind_it_is_seen_when_answers_are_not_kept(tmp_path: Path) -> None:
    site = Site("control", "one_process", "sqlite")
    with site.running(tmp_path, FORGETFUL) as place:
        url = place.urls["circulation"]
        tallies = {
            kind: asyncio.run(sent_again(place, rounds=1, kind=kind, url=url)) for kind in KINDS
        }

    for kind, tally in tallies.items():
        assert tally.odd["unequal answers to one request"] > 0, kind
        assert tally.odd.total() > 0, kind
    assert sum(tally.doubled > 0 for tally in tallies.values()) >= 5
