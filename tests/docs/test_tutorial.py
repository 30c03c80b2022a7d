"""The tutorial's commands work as printed; so does everything else the documents promise."""

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest
from tests.system import free_port

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()
BLOCKS = re.findall(r"```sh\n(.*?)```", README.split("## Five minutes")[1], re.S)
SMALL = ["--books", "600", "--copies", "1500", "--readers", "60", "--days", "60"]


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A small demo library, built and served by the commands that `make run` uses."""
    folder, port = tmp_path_factory.mktemp("demo"), free_port()
    environment = os.environ | {
        "LENDERY_DATABASE_URL": f"sqlite:///{folder}/lendery.db",
        "APP_PORT": str(port),
    }
    lendery = [sys.executable, "-m", "lendery"]
    subprocess.run([*lendery, "demo", "--if-missing", *SMALL], env=environment, check=True)
    again = subprocess.run([*lendery, "demo"], env=environment, capture_output=True, text=True)
    assert again.returncode == 1
    assert "library in this database already" in again.stderr
    with (folder / "log").open("w") as log:
        server = subprocess.Popen([*lendery, "serve"], env=environment, stdout=log, stderr=log)
    try:
        _wait(f"http://127.0.0.1:{port}/readyz")
        assert "librarian@example.org" in (folder / "log").read_text()
        yield f"127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait(15)


def test_the_tutorials_commands_work_as_printed(demo: str) -> None:
    assert len(BLOCKS) >= 7
    marked = "\n".join(f"echo '== {i}'\n{block}" for i, block in enumerate(BLOCKS))
    script = "set -euo pipefail\n" + marked.replace("127.0.0.1:8000", demo)
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    said = re.split(r"== \d+\n", done.stdout)[1:]
    assert '"total": 600' in said[0], done.stdout + done.stderr
    assert "Jane Eyre" in said[0]
    assert re.search(r"card \d+, copy 3\d+", said[2])
    assert '"blocks":[]' in said[3]
    assert '"due_at"' in said[3]
    assert "check-out-refused" in said[4]
    assert '"on-loan"' in said[4]
    assert '"next":"shelve"' in said[5] or '"next":"transit"' in said[5]
    assert "'value': 3" in said[6]


def test_the_first_screen_names_the_two_commands() -> None:
    first = README[:1500]
    assert "make run" in first
    assert "make test" in first
    assert "![" in first


def test_every_link_in_the_documents_leads_somewhere() -> None:
    documents = [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("stages/**/*.md")]
    missing = [
        f"{document.relative_to(ROOT)}: {target}"
        for document in documents
        for target in re.findall(r"\]\(([^)#:]+)\)", document.read_text())
        if not (document.parent / target).exists()
    ]
    assert missing == []


def _wait(url: str) -> None:
    for _ in range(600):
        try:
            if httpx2.get(url, timeout=2).status_code == 200:
                return
        except httpx2.TransportError:
            time.sleep(0.05)
    raise AssertionError(f"{url} does not answer")
