"""Every race in small, over HTTP, in both shapes and on both databases."""

import asyncio
from pathlib import Path

import pytest

from tests.assurance.places import Processes
from tests.assurance.programme import COMBINATIONS, PARTS, needs
from tests.assurance.race import Tally

BRIEF = [part for part in PARTS if part.brief]


@pytest.mark.parametrize(("shape", "database"), COMBINATIONS)
def test_as_many_win_as_may_and_nobody_else_leaves_a_trace(
    shape: str, database: str, tmp_path: Path
) -> None:
    """One test for all races of a place: starting its processes takes longer than most of them."""
    needs(database)
    with Processes.running(shape, database, tmp_path) as place:
        tallies = {part: asyncio.run(part.run(place, part.brief)) for part in BRIEF}

    for part, tally in tallies.items():
        assert tally.attempts == part.brief * part.each, part.name
        assert tally.odd == {}, part.name
        assert tally.doubled == 0, part.name
        assert tally.winners == tally.expected > 0, part.name


def test_the_sizes_add_up() -> None:
    places = len(COMBINATIONS)
    assert places * sum(part.each * part.brief for part in PARTS) >= 20_000
    assert places * sum(part.each * part.full for part in PARTS) >= 1_000_000


def test_a_tally_is_clean_only_when_everything_is_as_it_should_be() -> None:
    def tally(winners: int = 1, doubled: int = 0) -> Tally:
        return Tally(attempts=50, expected=1, winners=winners, doubled=doubled)

    assert tally().clean
    assert not tally(winners=2).clean
    assert not tally(winners=0).clean
    assert not tally(doubled=1).clean
    odd = tally()
    odd.must(False, "503")
    assert not odd.clean
