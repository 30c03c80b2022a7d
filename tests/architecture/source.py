"""The source tree as these tests read it, and copies of it in which faults are planted."""

import ast
import shutil
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[2]
SOURCE = ROOT / "src"


class Module(NamedTuple):
    """A parsed file; `path` is relative to the package: `circulation/rules/holds.py`."""

    path: str
    tree: ast.Module

    @property
    def part(self) -> str:
        """The context or other part of the system it belongs to."""
        return self.path.split("/")[0].removesuffix(".py")


def modules(source: Path) -> Iterator[Module]:
    """Every module of the package under `source`, in order."""
    package = source / "lendery"
    for file in sorted(package.rglob("*.py")):
        yield _module(file.relative_to(package).as_posix(), file.read_text("utf-8"))


@cache
def _module(path: str, text: str) -> Module:
    """Parsed once however many trees it stands in; nobody changes what is parsed."""
    return Module(path, ast.parse(text))


def copy(destination: Path) -> Path:
    """A copy of the code, without data and pages; returns its `src`."""
    for file in SOURCE.rglob("*.py"):
        target = destination / "src" / file.relative_to(SOURCE)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file, target)
    return destination / "src"


def plant(source: Path, module: str, code: str = "") -> None:
    """Append code to a module of a copy; the module and its packages are made when missing."""
    *packages, _ = module.split(".")
    for depth in range(1, len(packages) + 1):
        package = source.joinpath(*packages[:depth])
        package.mkdir(parents=True, exist_ok=True)
        (package / "__init__.py").touch()
    path = source.joinpath(*module.split("."))
    file = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
    with file.open("a", encoding="utf-8") as text:
        text.write(f"\n{code}\n")
