"""`lendery backup`, `verify-backup` and `restore`, as an operator types them."""

import os
import pty
import select
import signal
import subprocess
import sys
import termios
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from tests import hatchery
from tests.databases import KINDS, Shelter

from .backups import PASSPHRASE, everything, fill_log


@pytest.fixture(params=KINDS)
def library(request: pytest.FixtureRequest, libraries: Shelter) -> Iterator[str]:
    with libraries.url(request.param) as url:
        yield url


@pytest.fixture
def on_sqlite(libraries: Shelter) -> Iterator[str]:
    with libraries.url("sqlite") as url:
        yield url


def lendery(url: str, *arguments: object, **environment: str) -> subprocess.CompletedProcess[str]:
    env = {"LENDERY_DATABASE_URL": url, "PATH": "/usr/bin:/bin", **environment}
    return hatchery.run(*map(str, arguments), env=env)


def in_a_terminal(url: str, *arguments: object, typed: str) -> tuple[int, str]:
    """With somebody there to ask; what they type is not shown."""
    ours, theirs = pty.openpty()
    child = subprocess.Popen(
        [sys.executable, "-m", "lendery", *map(str, arguments)],
        env={"LENDERY_DATABASE_URL": url, "PATH": "/usr/bin:/bin", "TERM": "dumb"},
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
    )
    os.close(theirs)
    shown, wanted = b"", typed.encode().splitlines(keepends=True)
    give_up = time.monotonic() + 90
    try:
        while time.monotonic() < give_up:
            if select.select([ours], [], [], 0.1)[0]:
                try:
                    shown += os.read(ours, 4096)
                except OSError:  # so Linux says that the other side has closed
                    return child.wait(30), shown.decode()
            elif wanted and not termios.tcgetattr(ours)[3] & termios.ECHO:  # asked, and hidden
                os.write(ours, wanted.pop(0))
        raise AssertionError(shown.decode())
    finally:
        child.kill()
        child.wait()
        os.close(ours)


def test_backup_verify_restore(library: str, tmp_path: Path) -> None:
    file, target = tmp_path / "sunday.lendery", f"sqlite:///{tmp_path}/restored.db"
    made = lendery(library, "backup", file)
    assert made.returncode == 0, made.stderr
    tables = everything(library)
    rows = sum(map(len, tables.values()))
    held = f"{rows:,} rows in {len(tables)} tables"
    size = f"{file.stat().st_size / 1000:,.1f} kB"
    assert made.stdout.startswith(f"{file}: {held}, {size}, ") and "encrypted" not in made.stdout
    seen = lendery("sqlite:///nowhere.db", "verify-backup", file)
    assert seen.stdout.startswith(f"{file} is whole: {held}, from 20"), seen.stderr
    back = lendery(target, "restore", file)
    assert back.stdout.startswith(f"Restored and verified: {held}, from 20"), back.stderr
    assert everything(target) == tables
    untouched = lendery(target, "events", "verify")
    assert untouched.returncode == 0, untouched.stdout + untouched.stderr
    again = lendery(target, "restore", file)
    assert (again.returncode, again.stdout) == (1, "")
    assert "There is a library in this database already. Nothing was changed." in again.stderr
    over = lendery(library, "backup", file)
    assert (over.returncode, over.stdout) == (1, "") and "is there already" in over.stderr


def test_a_passphrase_from_a_file_or_the_environment(on_sqlite: str, tmp_path: Path) -> None:
    file, target = tmp_path / "sunday.lendery", f"sqlite:///{tmp_path}/restored.db"
    (tmp_path / "right").write_text(f"{PASSPHRASE}\n")
    (tmp_path / "wrong").write_text(PASSPHRASE.title())
    made = lendery(on_sqlite, "backup", file, LENDERY_BACKUP_PASSPHRASE=PASSPHRASE)
    assert ", encrypted, " in made.stdout, made.stderr
    for given in ([], ["--passphrase-file", tmp_path / "wrong"]):
        for command in ("verify-backup", "restore"):
            done = lendery(target, command, file, *given)
            assert (done.returncode, done.stdout) == (1, "")
            assert ("passphrase is wrong" if given else "passphrase is needed") in done.stderr
            assert "Traceback" not in done.stderr
    assert not (tmp_path / "restored.db").exists()
    back = lendery(target, "restore", file, "--passphrase-file", tmp_path / "right")
    assert back.returncode == 0, back.stderr
    assert everything(target) == everything(on_sqlite)


@pytest.mark.parametrize(
    ("given", "says"), [("eleven char", "12 characters or more"), ("", "12 characters or more")]
)
def test_a_short_passphrase_makes_no_backup(
    on_sqlite: str, tmp_path: Path, given: str, says: str
) -> None:
    (tmp_path / "short").write_text(given)
    done = lendery(
        on_sqlite, "backup", tmp_path / "a.lendery", "--passphrase-file", tmp_path / "short"
    )
    assert done.returncode == 1 and says in done.stderr
    assert [each.name for each in tmp_path.iterdir()] == ["short"]


def test_a_passphrase_file_that_is_not_there(on_sqlite: str, tmp_path: Path) -> None:
    done = lendery(
        on_sqlite, "backup", tmp_path / "a.lendery", "--passphrase-file", tmp_path / "none"
    )
    assert done.returncode == 1 and "could not be read" in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_passphrase_is_asked_for_and_not_shown(on_sqlite: str, tmp_path: Path) -> None:
    file, target = tmp_path / "sunday.lendery", f"sqlite:///{tmp_path}/restored.db"
    twice = f"{PASSPHRASE}\n" * 2
    status, shown = in_a_terminal(on_sqlite, "backup", file, "--encrypt", typed=twice)
    assert status == 0 and ", encrypted, " in shown, shown
    assert PASSPHRASE not in shown
    status, shown = in_a_terminal(target, "restore", file, typed=f"{PASSPHRASE}\n")
    assert status == 0 and "Restored and verified" in shown, shown
    assert PASSPHRASE not in shown
    assert everything(target) == everything(on_sqlite)


def test_a_passphrase_is_never_an_argument(on_sqlite: str, tmp_path: Path) -> None:
    done = lendery(on_sqlite, "backup", tmp_path / "a.lendery", "--passphrase", PASSPHRASE)
    assert done.returncode == 2 and list(tmp_path.iterdir()) == []


def test_what_cannot_be_done_is_a_sentence(on_sqlite: str, tmp_path: Path) -> None:
    letter, missing = tmp_path / "letter.lendery", tmp_path / "missing.db"
    letter.write_text("Dear library,")
    for url, arguments, says in (
        (f"sqlite:///{missing}", ["backup", tmp_path / "a.lendery"], "There is no library at"),
        ("sqlite://", ["backup", tmp_path / "a.lendery"], "in memory only"),
        ("sqlite://", ["restore", letter], "in memory only"),
        (on_sqlite, ["backup", tmp_path / "no" / "folder.lendery"], "No such file"),
        (f"sqlite:///{missing}", ["restore", letter], "This is not a backup of Lendery."),
        (f"sqlite:///{missing}", ["verify-backup", letter], "This is not a backup of Lendery."),
        (f"sqlite:///{missing}", ["restore", tmp_path / "none.lendery"], "cannot be read"),
        ("postgresql://127.0.0.1:1/x", ["backup", tmp_path / "a.lendery"], "does not answer"),
    ):
        done = lendery(url, *arguments)
        assert (done.returncode, done.stdout) == (1, ""), (arguments, done.stdout, done.stderr)
        assert says in done.stderr and "Traceback" not in done.stderr, done.stderr
    assert [each.name for each in tmp_path.iterdir()] == ["letter.lendery"]


def test_a_database_that_is_away_is_no_place(on_sqlite: str, tmp_path: Path) -> None:
    assert lendery(on_sqlite, "backup", tmp_path / "a.lendery").returncode == 0
    done = lendery("postgresql://127.0.0.1:1/x", "restore", tmp_path / "a.lendery")
    assert done.returncode == 1 and "does not answer. Nothing was changed." in done.stderr


@pytest.mark.parametrize("with_signal", [signal.SIGTERM, signal.SIGINT])
def test_whoever_is_told_to_stop_leaves_nothing_half_done(
    on_sqlite: str, tmp_path: Path, with_signal: signal.Signals
) -> None:
    fill_log(on_sqlite, rows=20_000, width=200)
    file, target = tmp_path / "whole.lendery", tmp_path / "restored.db"
    assert lendery(on_sqlite, "backup", file).returncode == 0
    for url, command, unfinished in (
        (on_sqlite, ["backup", tmp_path / "a.lendery"], tmp_path / "a.lendery.part"),
        (f"sqlite:///{target}", ["restore", file], tmp_path / "restored.db.restoring"),
    ):
        child = subprocess.Popen(
            [sys.executable, "-m", "lendery", *map(str, command)],
            env={"LENDERY_DATABASE_URL": url, "PATH": "/usr/bin:/bin"},
            stderr=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            preexec_fn=partial(signal.signal, signal.SIGINT, signal.SIG_DFL),  # deaf under nohup
        )
        while not unfinished.exists():
            assert child.poll() is None
            time.sleep(0.005)
        child.send_signal(with_signal)
        assert child.wait(60) != 0, command
        assert [each.name for each in tmp_path.iterdir()] == ["whole.lendery"], command


PEAK = """
import asyncio, sys
from pathlib import Path
from tests.platform.backups import bring_back, keep

file, what, url = Path(sys.argv[1]), sys.argv[2], sys.argv[3]
asyncio.run(keep(url, file) if what == "keep" else bring_back(file, url))
status = Path("/proc/self/status").read_text()
print(status.split("VmHWM:")[1].split()[0])
"""


def peak(file: Path, what: str, url: str) -> float:
    """Megabytes of memory that it took at most."""
    done = subprocess.run(
        [sys.executable, "-c", PEAK, str(file), what, url],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert done.returncode == 0, done.stderr
    return int(done.stdout) / 1024


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="the peak is read from /proc")
def test_memory_does_not_grow_with_the_library(libraries: Shelter, tmp_path: Path) -> None:
    """Fifty megabytes of log are carried in a few. (SQLite, restored, fills its own cache.)"""
    small, large = tmp_path / "small.lendery", tmp_path / "large.lendery"
    with (
        libraries.url("sqlite") as url,
        libraries.url("postgres", empty=True) as one,
        libraries.url("postgres", empty=True) as other,
    ):
        to_keep, to_restore = peak(small, "keep", url), peak(small, "restore", one)
        assert fill_log(url, rows=40_000, width=1_200) > 50_000_000
        assert peak(large, "keep", url) - to_keep < 40
        assert peak(large, "restore", other) - to_restore < 40
