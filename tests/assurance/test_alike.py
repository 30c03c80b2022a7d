"""The same script hears the same answers in both shapes and on both databases."""

import asyncio
from collections import Counter
from pathlib import Path

from tests.assurance.alike import answers
from tests.assurance.programme import COMBINATIONS, needs
from tests.system import System

SEED, STEPS = 20261122, 400


def test_every_shape_and_database_answers_alike(tmp_path: Path) -> None:
    needs("postgres")
    heard = {}
    for shape, database in COMBINATIONS:
        folder = tmp_path / f"{shape}-{database}"
        folder.mkdir()
        with System.start(shape, database, folder) as system:
            heard[shape, database] = asyncio.run(answers(system, seed=SEED, steps=STEPS))
    first = heard.pop(COMBINATIONS[0])
    statuses = Counter(each.split()[1] for each in first)
    assert {"200", "201", "409", "422"} <= set(statuses), statuses
    for where, others in heard.items():
        differing = [pair for pair in zip(first, others, strict=True) if pair[0] != pair[1]]
        assert differing == [], where


def test_a_library_that_differs_is_noticed(tmp_path: Path) -> None:
    """One setting is another: without this, equal answers would prove nothing."""
    heard = []
    for currency in ("EUR", "SEK"):
        folder = tmp_path / currency
        folder.mkdir()
        with System.start("one_process", "sqlite", folder, LENDERY_CURRENCY=currency) as system:
            heard.append(asyncio.run(answers(system, seed=SEED, steps=40)))
    assert heard[0] != heard[1]


def test_the_script_is_the_same_every_time(tmp_path: Path) -> None:
    """Nothing in it hangs on chance, so a difference is one of the library's."""
    heard = []
    for number in range(2):
        folder = tmp_path / str(number)
        folder.mkdir()
        with System.start("one_process", "sqlite", folder) as system:
            heard.append(asyncio.run(answers(system, seed=SEED, steps=60)))
    assert heard[0] == heard[1]
