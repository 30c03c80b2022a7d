"""So many steps of the machine, the same each time or with a seed of one's own.

Hypothesis tries each example again with parts of it exchanged, some five times. Here that finds
little that new examples do not find sooner, so they are drawn as if by another backend; what
fails is shrunk as ever.
"""

from hypothesis import HealthCheck, Phase, settings
from hypothesis import seed as seeded
from hypothesis.internal.conjecture.providers import AVAILABLE_PROVIDERS
from hypothesis.stateful import run_state_machine_as_test
from tests.circulation.machine.ground import Ground
from tests.circulation.machine.machine import CirculationMachine

AT_ONCE = 50  # steps of one example, the first opens the town
AVAILABLE_PROVIDERS["all-new"] = "hypothesis.internal.conjecture.providers.HypothesisProvider"


def play(ground: Ground, steps: int, *, seed: int | None = None, shrink: bool = True) -> int:
    """Raises what does not agree, and tells the steps that led there. Returns how many it took.

    Without a seed the steps are always the same, until the machine changes.
    """
    machine = type("Circulation", (CirculationMachine,), {"ground": ground})
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
    return machine.steps
