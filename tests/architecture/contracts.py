"""The import contracts of pyproject.toml: what they say, and how they are checked."""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
from functools import cache
from pathlib import Path
from typing import Any

from .source import ROOT, copy

FIXED = {"rules", "models", "repository", "reactions", "jobs", "routes", "migrations"}


def contracts() -> dict[str, dict[str, Any]]:
    """Each contract by its name."""
    text = (ROOT / "pyproject.toml").read_text("utf-8")
    listed = tomllib.loads(text)["tool"]["importlinter"]["contracts"]
    return {contract["name"]: contract for contract in listed}


def contexts() -> dict[str, set[str]]:
    """Each context with a contract of its own, and the names a file in it may have."""
    found = {}
    for contract in contracts().values():
        for container in contract.get("containers", []):
            if container != "lendery":
                context = container.removeprefix("lendery.")
                found[context] = set(re.findall(r"\w+", " ".join(contract["layers"])))
    return found


def nouns(context: str) -> set[str]:
    """The use-case modules that the context lists."""
    return contexts()[context] - FIXED


def broken(source: Path) -> set[str]:
    """The names of the contracts that import-linter finds broken in this tree."""
    here = source.parent
    shutil.copyfile(ROOT / "pyproject.toml", here / "pyproject.toml")
    plain = {"PYTHONPATH": str(source), "COLUMNS": "200", "NO_COLOR": "1"}
    program = "from importlinter.cli import lint_imports_command as lint; lint()"
    done = subprocess.run(
        [sys.executable, "-c", program, "--no-cache", "--no-logo"],
        cwd=here,
        env=os.environ | plain,
        capture_output=True,
        text=True,
    )
    checked = dict(re.findall(r"^(.+) (KEPT|BROKEN)\b", done.stdout, re.MULTILINE))
    assert checked.keys() == contracts().keys(), done.stdout + done.stderr
    return {name for name, verdict in checked.items() if verdict == "BROKEN"}


@cache
def broken_already() -> set[str]:
    """The names of the contracts that the code breaks as it is: none, or a test says so."""
    with tempfile.TemporaryDirectory() as here:
        return broken(copy(Path(here)))


def tables(source: Path, part: str) -> dict[str, list[str]]:
    """The tables that `lendery.<part>.models` defines, and the columns they refer to."""
    program = """
import importlib, json, sys
from sqlalchemy import MetaData
name = f"lendery.{sys.argv[1]}.models"
importlib.import_module(name)
found = {}
for module in [m for n, m in sys.modules.items() if n == name or n.startswith(name + ".")]:
    for value in vars(module).values():
        metadata = value if isinstance(value, MetaData) else getattr(value, "metadata", None)
        for table in metadata.tables.values() if isinstance(metadata, MetaData) else ():
            found[table.name] = [key.target_fullname for key in table.foreign_keys]
json.dump(found, sys.stdout)
"""
    done = subprocess.run(
        [sys.executable, "-c", program, part],
        env=os.environ | {"PYTHONPATH": str(source)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, list[str]] = json.loads(done.stdout)
    return found
