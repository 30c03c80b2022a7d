"""How far a file has been fed, and what of it survives a stop."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from lendery.contracts.base import new_id
from lendery.seeding.feeding import made_at
from lendery.seeding.library import Stopped
from lendery.seeding.progress import Progress

HERE = "http://library.test"


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "books.jsonl"
    path.write_text('{"title": "Emma"}\n')
    return path


def test_lines_answered_out_of_turn_are_remembered(source: Path, tmp_path: Path) -> None:
    state = tmp_path / "state"
    progress = Progress.of(state, source, HERE)
    progress.start(datetime(2026, 3, 2, 9, tzinfo=UTC))
    for number in (1, 3, 0):
        progress.finish(number)
    assert (progress.below, progress.done) == (2, {3})
    progress.save(state)
    again = Progress.of(state, source, HERE)
    again.start(datetime(2027, 1, 1, tzinfo=UTC))
    assert again == progress
    assert [each for each in range(5) if not again.is_done(each)] == [2, 4]


def test_what_was_fed_to_one_library_is_not_gone_on_with_at_another(
    source: Path, tmp_path: Path
) -> None:
    state = tmp_path / "state"
    Progress.of(state, source, HERE).save(state)
    with pytest.raises(Stopped, match=r"was being fed to http://library\.test\. Remove"):
        Progress.of(state, source, "http://other.test")


def test_an_id_tells_when_it_was_made() -> None:
    before = datetime.now(UTC)
    made = made_at(str(new_id()))
    assert abs((made - before).total_seconds()) < 60
