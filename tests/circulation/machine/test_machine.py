"""Thousands of steps, in which circulation and a plain model of it must say the same."""

from collections.abc import Iterator
from contextlib import ExitStack, closing
from typing import Any

import pytest
from tests.circulation.machine.faults import FAULTS, Fault
from tests.circulation.machine.ground import IN_MEMORY, Ground
from tests.circulation.machine.playing import Played, play
from tests.databases import Shelter

from lendery.contracts import circulation
from lendery.contracts.base import Event

EVENTS = {
    name
    for name, each in vars(circulation).items()
    if isinstance(each, type) and issubclass(each, Event)
} - {
    "LoanRecalled",  # by what listens to the log: tests/circulation/test_recalls.py
    *("LoanMoved", "HoldMoved"),  # when books are merged: tests/circulation/test_merging.py
    *("CashSessionOpened", "CashSessionClosed"),  # tests/circulation/test_cash_conserved.py
    "RuleTableSaved",  # the model has no versions: tests/circulation/test_rule_versions.py
    # desks that were offline: tests/circulation/test_offline.py
    *("OfflineDeskRegistered", "OfflineDeskRevoked"),
    *("OfflineTransactionTaken", "OfflineConflictSettled"),
}
# In some runs and not in others: tests/circulation/test_undoing.py, test_lost.py
SELDOM = {"CopyKept", "CancellationReversed", "SuspensionLifted"}
NEVER_REFUSED_SO = {  # what nobody in the small world can be
    *("unknown-copy", "unknown-card", "card-stolen", "patron-blocked"),
    "pickup-closed",
}


@pytest.fixture(params=["sqlite", "postgres"])
def ground(request: pytest.FixtureRequest, houses: Shelter) -> Iterator[Ground]:
    with ExitStack() as stack:
        sqlite = request.param == "sqlite"
        url = IN_MEMORY if sqlite else stack.enter_context(houses.url("postgres"))
        yield stack.enter_context(closing(Ground(url)))


def test_circulation_and_the_model_say_the_same(ground: Ground) -> None:
    steps = 10_000 if ground.url == IN_MEMORY else 2_000
    played = play(ground, steps)
    assert played.steps >= steps
    if ground.url == IN_MEMORY:
        everything_happened(played)


def everything_happened(played: Played) -> None:
    """A machine that never gets anywhere agrees with everything."""
    assert set(played.told) | SELDOM == EVENTS
    codes: Any = (
        *circulation.BlockCode.__args__,
        *circulation.HoldBlockCode.__args__,
    )
    assert set(codes) - set(played.refused) == NEVER_REFUSED_SO


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_a_planted_fault_is_seen(fault: Fault, monkeypatch: pytest.MonkeyPatch) -> None:
    fault.plant(monkeypatch)
    with closing(Ground(IN_MEMORY)) as ground, pytest.raises(AssertionError):
        play(ground, fault.within, shrink=False, given=fault.given)
