"""A new file name in a context must be placed, or the build fails."""

from pathlib import Path

import pytest

from .checks import unplaced_files
from .contracts import contexts
from .source import SOURCE, copy, plant


def test_every_file_of_a_context_has_a_place() -> None:
    assert unplaced_files(SOURCE, contexts()) == []


def new_objections(source: Path) -> set[str]:
    return set(unplaced_files(source, contexts())) - set(unplaced_files(SOURCE, contexts()))


@pytest.mark.parametrize("context", contexts())
def test_an_unknown_name_is_refused(tmp_path: Path, context: str) -> None:
    source = copy(tmp_path)
    plant(source, f"lendery.{context}.helpers")
    assert new_objections(source) == {f"{context}/helpers.py has no place in {context}"}


def test_a_file_that_is_not_code_is_refused(tmp_path: Path) -> None:
    source = copy(tmp_path)
    (source / "lendery/circulation/loans.sql").touch()
    (source / "lendery/circulation/helpers").mkdir()
    assert new_objections(source) == {
        "circulation/helpers has no place in circulation",
        "circulation/loans.sql has no place in circulation",
    }
