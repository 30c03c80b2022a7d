"""Who may import whom, and that each contract breaks when somebody does."""

from pathlib import Path

import pytest

from .contracts import FIXED, broken, broken_already, contexts, contracts, nouns
from .source import SOURCE, copy, plant

SYSTEM = "The system, top to bottom"
RULES = "Rules and contracts touch no I/O, even through others"
PLATFORM = "The platform knows no context"
EDGES = "The edges speak to contexts through contracts only"

# contract -> a module, and the import that must not be in it
FAULTS = {
    SYSTEM: ("lendery.catalog.repository", "lendery.accounts"),
    RULES: ("lendery.circulation.rules", "sqlite3"),
    PLATFORM: ("lendery.platform.planted", "lendery.contracts.circulation"),
    EDGES: ("lendery.web.planted", "lendery.circulation"),
} | {
    f"{context.capitalize()}, top to bottom": (
        f"lendery.{context}.repository",
        f"lendery.{context}.routes",
    )
    for context in contexts()
}


def assert_breaks_only(name: str, source: Path) -> None:
    """One planted fault breaks one contract, whatever else is amiss in the code today."""
    assert broken(source) - (broken_already() - {name}) == {name}


def test_every_contract_holds() -> None:
    assert broken_already() == set()


def test_every_contract_has_its_fault() -> None:
    assert FAULTS.keys() == contracts().keys()


@pytest.mark.parametrize("name", FAULTS)
def test_a_forbidden_import_breaks_its_contract_and_no_other(tmp_path: Path, name: str) -> None:
    source = copy(tmp_path)
    module, imported = FAULTS[name]
    if imported.startswith("lendery."):
        plant(source, imported)
    plant(source, module, f"import {imported}")
    assert_breaks_only(name, source)


def test_a_part_of_the_system_without_a_place_is_refused(tmp_path: Path) -> None:
    source = copy(tmp_path)
    plant(source, "lendery.acquisitions")
    assert_breaks_only(SYSTEM, source)


@pytest.mark.parametrize("context", contexts())
def test_a_module_without_a_place_in_its_context_is_refused(tmp_path: Path, context: str) -> None:
    source = copy(tmp_path)
    plant(source, f"lendery.{context}.helpers")
    assert_breaks_only(f"{context.capitalize()}, top to bottom", source)


def test_every_context_is_under_every_contract() -> None:
    """A context that comes later is entered in all of them, or this fails."""
    listed = contracts()
    layer = next(line for line in listed[SYSTEM]["layers"] if "circulation" in line)
    planned = {name.strip(" ()") for name in layer.split("|")}
    present = {name for name in planned if (SOURCE / "lendery" / name).is_dir()}
    assert contexts().keys() == present
    edges = {module.removeprefix("lendery.") for module in listed[EDGES]["forbidden_modules"]}
    assert edges == present
    words = {f"lendery.contracts.{name}" for name in present if _has_words(name)}
    assert words <= set(listed[PLATFORM]["forbidden_modules"])


def _has_words(context: str) -> bool:
    contract = SOURCE / "lendery" / "contracts" / context
    return contract.is_dir() or contract.with_suffix(".py").is_file()


@pytest.mark.parametrize("context", contexts())
def test_a_context_has_the_usual_files_and_nouns(context: str) -> None:
    vague = {"base", "common", "dto", "helpers", "impl", "manager", "misc", "service", "utils"}
    assert contexts()[context] >= FIXED
    assert not nouns(context) & vague
