"""`lendery generate` as it is typed, and files of every format read by somebody else's programs."""

import csv
import gzip
import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pymarc
import pytest

from lendery.generating import Holdings, records
from lendery.generating.filing import Format, write
from tests import hatchery


def generate(*arguments: object) -> subprocess.CompletedProcess[str]:
    return hatchery.run("generate", *map(str, arguments), env={"PATH": "/usr/bin:/bin"})


def filed(out: Path, form: Format, books: int = 400) -> list[dict[str, Any]]:
    write(records(books, 5, Holdings(1.5)), out, form=form, mark="gen5-")
    return list(records(books, 5, Holdings(1.5)))


def test_the_command_writes_what_it_was_asked(tmp_path: Path) -> None:
    out = tmp_path / "books.jsonl.gz"
    done = generate("--books", 300, "--seed", 5, "--copies-per-book", 1.5, "--out", out)
    assert done.returncode == 0, done.stderr
    assert "300 records" in done.stderr
    with gzip.open(out, "rt", encoding="utf-8") as lines:
        assert [json.loads(line) for line in lines] == list(records(300, 5, Holdings(1.5)))
    again = generate("--books", 10, "--out", out)
    assert again.returncode == 1 and "There is a file" in again.stderr
    assert gzip.decompress(out.read_bytes()).count(b"\n") == 300
    nowhere = generate("--books", 10, "--out", tmp_path / "none" / "books.jsonl")
    assert nowhere.returncode == 1 and "There is no folder" in nowhere.stderr
    assert [each.name for each in tmp_path.iterdir()] == ["books.jsonl.gz"]


@pytest.mark.parametrize("form", ["jsonl", "marc", "csv"])
def test_the_same_books_are_the_same_bytes(tmp_path: Path, form: Format) -> None:
    filed(tmp_path / "a.gz", form)
    filed(tmp_path / "b.gz", form)
    assert (tmp_path / "a.gz").read_bytes() == (tmp_path / "b.gz").read_bytes()


def test_a_file_appears_when_it_is_whole(tmp_path: Path) -> None:
    def broken() -> Iterator[dict[str, Any]]:
        yield from records(1_000, 1)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write(broken(), tmp_path / "books.jsonl", form="jsonl", mark="")
    assert list(tmp_path.iterdir()) == []


def test_marc_is_read_by_pymarc(tmp_path: Path) -> None:
    made = filed(tmp_path / "books.mrc", "marc")
    with (tmp_path / "books.mrc").open("rb") as file:
        read = list(pymarc.MARCReader(file))
    assert len(read) == len(made)
    for record, book in zip(read, made, strict=True):
        assert record is not None
        proper = record["245"]["a"].removesuffix(" /").removesuffix(" :")
        assert proper == book["title"]
        skipped = int(record["245"].indicator2)
        assert proper[:skipped].rstrip(" '’").isalpha() or not skipped
        assert record.isbn == book.get("isbn")
        assert len(record["008"].data) == 40
        assert record["008"].data[7:11] == f"{book['published_year']:04d}"
        named = [each["a"].rstrip(",") for each in record.get_fields("100", "700")]
        assert named == [each["sort_name"] for each in book["authors"]]
        headings = [" -- ".join(each.get_subfields("a", "x")) for each in record.get_fields("650")]
        assert headings == book.get("subjects", [])
        held = [each["p"] for each in record.get_fields("952")]
        assert held == [copy["barcode"] for copy in book["copies"]]


def test_csv_is_read_by_a_spreadsheet(tmp_path: Path) -> None:
    made = filed(tmp_path / "books.csv", "csv")
    with (tmp_path / "books.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == len(made)
    for row, book in zip(rows, made, strict=True):
        assert row["title"] == book["title"]
        assert row["isbn"] == book.get("isbn", "")
        assert row["authors"] == " | ".join(each["sort_name"] for each in book["authors"])
        assert row["barcodes"].split(" | ") == [copy["barcode"] for copy in book["copies"]]
