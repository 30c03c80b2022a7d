"""The program runs with the packages of requirements/run.txt and no others."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
EVERYTHING = """
import importlib, pkgutil, lendery
for each in pkgutil.walk_packages(lendery.__path__, "lendery."):
    if not each.name.endswith("__main__") and ".versions." not in each.name:
        importlib.import_module(each.name)
"""


def test_every_module_loads_with_what_make_run_installs(tmp_path: Path) -> None:
    uv = Path(sys.executable).with_name("uv")
    python = tmp_path / "venv" / "bin" / "python"
    _run(uv, "venv", "--quiet", "--python", sys.executable, tmp_path / "venv")
    listed = ROOT / "requirements" / "run.txt"
    _run(uv, "pip", "install", "--quiet", "--python", python, "--require-hashes", "-r", listed)
    _run(python, "-c", f"import sys; sys.path.insert(0, {str(ROOT / 'src')!r}){EVERYTHING}")


def _run(*command: object) -> None:
    done = subprocess.run([str(each) for each in command], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
