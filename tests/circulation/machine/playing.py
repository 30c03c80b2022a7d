"""So many steps of the machine, the same each time or with a seed of one's own.

Hypothesis tries each example again with parts of it exchanged, some five times. Here that finds
little that new examples do not find sooner, so they are drawn as if by another backend; what
fails is shrunk as ever.
"""

from collections import Counter
from dataclasses import dataclass
from typing import Any

from hypothesis import HealthCheck, Phase, settings
from hypothesis import seed as seeded
from hypothesis.internal.conjecture.providers import AVAILABLE_PROVIDERS
from hypothesis.stateful import run_state_machine_as_test
from tests.circulation.machine.ground import Ground
from tests.circulation.machine.machine import CirculationMachine

AT_ONCE = 50  # steps of one example, the first opens the town
AVAILABLE_PROVIDERS["all-new"] = "hypothesis.internal.conjecture.providers.HypothesisProvider"


@dataclass
class Played:
    """What happened in so many steps: events by name, refusals by code."""

    steps: int
    told: Counter[str]
    refused: Counter[str]


def play(
    ground: Ground, steps: int, *, seed: int | None = None, shrink: bool = True, **rules: Any
) -> Played:
    """Raises what does not agree, and tells the steps that led there.

    Without a seed the steps are always the same, until the machine changes. `given` are rules
    that hold from the beginning.
    """
    counts: dict[str, Any] = {"steps": 0, "games": 0, "told": Counter(), "refused": Counter()}
    machine = type("Circulation", (CirculationMachine,), {"ground": ground, **counts, **rules})
    chosen = settings(
        max_examples=-(-steps // (AT_ONCE - 1)),
        stateful_step_count=AT_ONCE,
        backend="all-new",
        database=None,
        deadline=None,
        derandomize=seed is None,
        phases=[Phase.generate, *([Phase.shrink] if shrink else [])],
        suppress_health_check=list(HealthCheck),
        report_multiple_bugs=False,
    )
    run_state_machine_as_test(machine if seed is None else seeded(seed)(machine), settings=chosen)
    return Played(machine.steps, machine.told, machine.refused)
