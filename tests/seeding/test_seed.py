"""`lendery seed` as it is typed, against a library that runs."""

import json
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

from lendery.generating import Holdings, records
from lendery.generating.filing import write
from tests.system import System, free_port

from .conftest import BOOKS, COPIES, a_second_later, command, how_many, seed

pytestmark = pytest.mark.xdist_group("seeding")


def made(out: Path, books: int, seed: int, *, copies: float = 0) -> list[dict[str, Any]]:
    held = Holdings(copies) if copies else None
    write(records(books, seed, held), out, form="jsonl", mark="")
    return list(records(books, seed, held))


def lines(path: Path, *told: Any) -> Path:
    path.write_text("\n".join(each if isinstance(each, str) else json.dumps(each) for each in told))
    return path


def test_a_file_is_fed_once_however_often(system: System, tmp_path: Path) -> None:
    file = tmp_path / "books.jsonl.gz"
    told = made(file, 120, 11, copies=1.5)
    copies = sum(len(each["copies"]) for each in told)
    books_before, copies_before = how_many(system, BOOKS), how_many(system, COPIES)
    done = seed(file, "--api", system.urls["catalog"])
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [
        "books: 120 added, 0 already there, 0 refused",
        f"copies: {copies} added, 0 already there, 0 refused",
    ]
    a_second_later(system)
    again = seed(file, "--api", system.urls["catalog"])
    assert again.stdout.splitlines() == [
        "books: 0 added, 120 already there, 0 refused",
        f"copies: 0 added, {copies} already there, 0 refused",
    ]
    assert how_many(system, BOOKS) == books_before + 120
    assert how_many(system, COPIES) == copies_before + copies
    assert [each.name for each in tmp_path.iterdir()] == ["books.jsonl.gz"]


def test_killed_and_begun_again_it_feeds_each_book_once(system: System, tmp_path: Path) -> None:
    file, state = tmp_path / "books.jsonl", tmp_path / "books.jsonl.seed"
    told = made(file, 400, 12, copies=1.2)
    copies = sum(len(each["copies"]) for each in told)
    books_before, copies_before = how_many(system, BOOKS), how_many(system, COPIES)
    kills = 0
    for how in (signal.SIGKILL, signal.SIGINT, signal.SIGTERM):
        running = subprocess.Popen(**command(file, "--api", system.urls["catalog"]))
        before = how_many(system, BOOKS)
        while how_many(system, BOOKS) < before + 40 and running.poll() is None:
            time.sleep(0.02)
        running.send_signal(how)
        _, said = running.communicate(timeout=30)
        kills += running.returncode != 0
        if how != signal.SIGKILL:
            assert running.returncode == 130 and "goes on from here" in said
        assert state.exists()
    done = seed(file, "--api", system.urls["catalog"])
    assert kills == 3
    assert done.stdout.splitlines() == [
        "books: 400 added, 0 already there, 0 refused",
        f"copies: {copies} added, 0 already there, 0 refused",
    ]
    assert how_many(system, BOOKS) == books_before + 400
    assert how_many(system, COPIES) == copies_before + copies
    assert not state.exists()


def test_what_is_refused_is_kept_to_be_put_right(system: System, tmp_path: Path) -> None:
    file = lines(
        tmp_path / "books.jsonl",
        {"title": "Silas Marner", "isbn": "9780141439754"},
        {"title": "Romola", "isbn": "9780141439755"},
        "no JSON",
        "",
        {"titel": "Adam Bede", "copies": [{"barcode": "R3", "branch": "main"}]},
        {
            "title": "Daniel Deronda",
            "copies": [{"barcode": "R1", "branch": "main"}, {"barcode": "R2", "branch": "moon"}],
        },
        {"title": "Felix Holt", "copies": [{"barcode": "R1", "branch": "main"}]},
        json.dumps({"title": "x" * 1_000_001}),
        '{"title": "lone \\ud800"}',
    )
    rejects = tmp_path / "books.jsonl.rejects.jsonl"
    before = how_many(system, BOOKS)
    done = seed(file, "--api", system.urls["catalog"], "--concurrency", 1)
    assert done.returncode == 3, done.stderr
    assert done.stdout.splitlines()[:2] == [
        "books: 3 added, 0 already there, 5 refused",
        "copies: 1 added, 0 already there, 3 refused",
    ]
    assert how_many(system, BOOKS) == before + 3
    told = [json.loads(line) for line in rejects.read_text().splitlines()]
    why = {each["_refused"]["line"]: each["_refused"]["why"] for each in told}
    assert sorted(why) == [2, 3, 5, 6, 7, 8, 9]
    assert "ISBN" in why[2] and "not JSON" in why[3] and "titel" in why[5]
    assert "no branch with the code moon" in why[6] and "barcode R1" in why[7]
    assert "longer than" in why[8]
    deronda = next(each for each in told if each.get("title") == "Daniel Deronda")
    assert deronda["copies"] == [{"barcode": "R2", "branch": "moon"}]

    deronda["copies"][0]["branch"] = "main"
    romola = {**told[0], "isbn": "9780140434705"}
    right = lines(tmp_path / "right.jsonl", romola, deronda)
    a_second_later(system)
    done = seed(right, "--api", system.urls["catalog"])
    assert done.stdout.splitlines() == [
        "books: 1 added, 1 already there, 0 refused",
        "copies: 1 added, 0 already there, 0 refused",
    ], rejects.read_text()
    assert how_many(system, BOOKS) == before + 4


def test_an_isbn_that_another_record_has_is_there_already(system: System, tmp_path: Path) -> None:
    first = lines(tmp_path / "a.jsonl", {"title": "Emma", "isbn": "9780141439587"})
    assert seed(first, "--api", system.urls["catalog"]).returncode == 0
    before = how_many(system, BOOKS)
    other = {"title": "Emma (Penguin)", "isbn": "0-14-143958-0"}
    held = {**other, "copies": [{"barcode": "EM1", "branch": "main"}]}
    done = seed(lines(tmp_path / "b.jsonl", held), "--api", system.urls["catalog"])
    assert done.stdout.splitlines() == [
        "books: 0 added, 1 already there, 0 refused",
        "copies: 1 added, 0 already there, 0 refused",
    ]
    assert how_many(system, BOOKS) == before


def test_it_says_what_is_wrong_before_it_sends_anything(system: System, tmp_path: Path) -> None:
    file = lines(tmp_path / "books.jsonl", {"title": "Never"})
    api, before = system.urls["catalog"], how_many(system, BOOKS)
    nowhere = f"http://127.0.0.1:{free_port()}"
    damaged = tmp_path / "damaged.jsonl.gz"
    damaged.write_bytes(b"\x1f\x8b\x08\x00 not really")
    tried: list[tuple[tuple[object, ...], dict[str, str], str]] = [
        ((file, "--api", nowhere), {}, f"No Lendery answers at {nowhere}"),
        ((file, "--api", "library"), {}, "--api wants an address"),
        ((file, "--api", api), {"LENDERY_SEED_PASSWORD": "wrong"}, "could not sign in"),
        ((file, "--api", api), {"LENDERY_SEED_TOKEN": "abc"}, "does not accept this token"),
        ((file, "--api", api), {"LENDERY_SEED_EMAIL": ""}, "Say who you are"),
        ((tmp_path / "none.jsonl", "--api", api), {}, "cannot be read"),
        ((damaged, "--api", api), {}, "damaged"),
        ((file, "--api", api, "--rejects", file), {}, "cannot hold what is refused"),
    ]
    for arguments, environment, says in tried:
        done = seed(*arguments, **environment)
        assert done.returncode == 1 and says in done.stderr, (arguments, done.stderr)
        assert "Traceback" not in done.stderr
    assert how_many(system, BOOKS) == before
    assert file.read_text() == '{"title": "Never"}'


def test_a_state_of_another_file_or_library_is_not_gone_on_with(
    system: System, tmp_path: Path
) -> None:
    file, state = tmp_path / "books.jsonl", tmp_path / "books.jsonl.seed"
    for contents, says in (
        ("{}", "is not what `lendery seed` writes"),
        ('{"api": "x", "mark": "y", "done": [], "counts": {}}', "has changed since"),
    ):
        lines(file, {"title": "Never"})
        state.write_text(contents)
        done = seed(file, "--api", system.urls["catalog"])
        assert done.returncode == 1 and says in done.stderr.replace("\n", " ")
        assert state.read_text() == contents
