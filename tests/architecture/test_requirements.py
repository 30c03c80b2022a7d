"""What is installed is pinned by hash, alike for running and for developing."""

import re
from pathlib import Path

import pytest

from .source import ROOT

FILES = ["tools.txt", "run.txt", "dev.txt"]


def pins(file: Path) -> dict[str, str]:
    """Package -> version, for every entry that has a hash."""
    entry = re.compile(
        r"^([\w.-]+)(?:\[[\w,-]+\])?==([^ ;]+)[^\n]*\\\n +--hash=sha256:", re.MULTILINE
    )
    return dict(entry.findall(file.read_text("utf-8")))


@pytest.mark.parametrize("name", FILES)
def test_every_requirement_has_a_hash_and_no_address(name: str) -> None:
    text = (ROOT / "requirements" / name).read_text("utf-8")
    entries = re.findall(r"^[\w.-]+.*$", text, re.MULTILINE)
    assert len(pins(ROOT / "requirements" / name)) == len(entries) > 0
    assert "://" not in text


def test_developers_run_what_operators_run() -> None:
    run, dev = (pins(ROOT / "requirements" / name) for name in ("run.txt", "dev.txt"))
    assert {name: dev.get(name) for name in run} == run
