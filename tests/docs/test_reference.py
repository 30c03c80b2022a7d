"""The reference pages say what the code says, and every command is in the documents."""

import subprocess
import sys
from pathlib import Path

from typer.main import get_command

from lendery.cli import app

ROOT = Path(__file__).parents[2]


def test_the_reference_pages_are_up_to_date() -> None:
    script = ROOT / "scripts" / "build_docs.py"
    done = subprocess.run(
        [sys.executable, str(script), "--check"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout


def test_every_command_is_explained_to_operators() -> None:
    operating = (ROOT / "docs" / "operating.md").read_text()
    missing = [name for name in get_command(app).commands if f"lendery {name}" not in operating]  # type: ignore[attr-defined]
    assert missing == []
