"""What is no backup, or no longer one, is refused, and the place it was for stays as it was."""

import asyncio
import errno
import gzip
import io
import random
import sqlite3
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from lendery.platform import migrate
from lendery.platform.backup import Refused, encryption
from lendery.platform.backup import file as backup_file
from lendery.platform.backup.checking import check
from lendery.platform.backup.encryption import TAG, Sealer, key_of, new_seal, opened
from lendery.platform.db import Database
from lendery.platform.schema import newest
from tests.databases import KINDS, Shelter

from .backups import (
    CONTEXTS,
    PASSPHRASE,
    bring_back,
    everything,
    keep,
    made_up,
    row_of,
    sqlite_path,
    table_names,
    untouched,
)

CHANGED = "changed"
PIECE = 4_096
WEAK = {"n": 2**4, "r": 8, "p": 1}
WRONG = "The passphrase is wrong, or the file was changed or cut short after it was written."


@pytest.fixture(autouse=True)
def quick_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keys that are made in a millisecond, and many pieces; the real ones in test_backup.py."""
    monkeypatch.setattr(encryption, "STRENGTH", WEAK)
    monkeypatch.setattr(encryption, "PIECE", PIECE)


@pytest.fixture(scope="module")
def shelf(libraries: Shelter, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """plain.lendery and sealed.lendery, of one library."""
    folder = tmp_path_factory.mktemp("shelf")
    with libraries.url("sqlite") as url, pytest.MonkeyPatch.context() as patch:
        patch.setattr(encryption, "STRENGTH", WEAK)
        patch.setattr(encryption, "PIECE", PIECE)
        asyncio.run(keep(url, folder / "plain.lendery"))
        asyncio.run(keep(url, folder / "sealed.lendery", passphrase=PASSPHRASE))
    return folder


@pytest.fixture(params=KINDS)
def empty(request: pytest.FixtureRequest, libraries: Shelter) -> Iterator[str]:
    with libraries.url(request.param, empty=True) as url:
        yield url


@pytest.fixture
def bad(tmp_path: Path) -> Path:
    return tmp_path / "bad.lendery"


def refused(file: Path, url: str, passphrase: str | None = None) -> str:
    """Why the restore was refused; nothing may have changed."""
    with untouched(url), pytest.raises(Refused) as told:
        asyncio.run(bring_back(file, url, passphrase))
    return str(told.value)


def refused_when_read(file: Path, passphrase: str | None = None) -> str:
    with pytest.raises(Refused) as told:
        check(file, passphrase)
    return str(told.value)


# -- Cut short -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "passphrase"), [("plain.lendery", None), ("sealed.lendery", PASSPHRASE)]
)
def test_a_file_cut_anywhere_is_refused(
    shelf: Path, bad: Path, name: str, passphrase: str | None, tmp_path: Path
) -> None:
    whole = (shelf / name).read_bytes()
    header = whole.index(b"\n", 20) + 1
    pieces = range(header, len(whole), PIECE + TAG)
    at = {0, 1, 14, 15, 16, header - 1, len(whole) - 1, *pieces, *(each - 1 for each in pieces)}
    at |= {len(whole) * part // 200 for part in range(200)}
    for length in sorted(at):
        bad.write_bytes(whole[:length])
        assert refused_when_read(bad, passphrase), length
        if length % 5 == 0:
            assert refused(bad, f"sqlite:///{tmp_path}/new.db", passphrase)
    assert not (tmp_path / "new.db").exists()
    bad.write_bytes(whole)
    assert check(bad, passphrase).rows > 500


def test_a_cut_file_leaves_either_place_empty(shelf: Path, bad: Path, empty: str) -> None:
    bad.write_bytes((shelf / "plain.lendery").read_bytes()[:-100])
    assert "cut short or changed" in refused(bad, empty)
    bad.write_bytes((shelf / "sealed.lendery").read_bytes()[:-100])
    assert "changed or cut short" in refused(bad, empty, PASSPHRASE)
    path = sqlite_path(empty)
    assert not path.exists() if path else table_names(empty) == set()


# -- Changed ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "passphrase"), [("plain.lendery", None), ("sealed.lendery", PASSPHRASE)]
)
def test_a_flipped_bit_is_refused_wherever_it_is(
    shelf: Path, bad: Path, name: str, passphrase: str | None
) -> None:
    """Every bit of the header, of the first and the last bytes; some hundred in between."""
    whole = (shelf / name).read_bytes()
    header = whole.index(b"\n", 20) + 1
    size, dice = len(whole), random.Random(7)
    places = {*range(header + 24), *range(size - 24, size), *dice.sample(range(size), 150)}
    for place in sorted(places):
        bits = range(8) if place < header else [dice.randrange(8)]
        for bit in bits:
            changed = bytearray(whole)
            changed[place] ^= 1 << bit
            bad.write_bytes(changed)
            if passphrase is None and _says_the_same(whole[header:], bytes(changed[header:])):
                continue  # a bit that no packed text is made of: padding at the end of a block
            assert refused_when_read(bad, passphrase), (place, bit)


def _says_the_same(one: bytes, other: bytes) -> bool:
    """Do two packed payloads hold the same text?"""
    try:
        return other != one and zlib.decompress(one, 47) == zlib.decompress(other, 47)
    except zlib.error:
        return False


def test_a_changed_file_leaves_either_place_empty(shelf: Path, bad: Path, empty: str) -> None:
    for name, passphrase in (("plain.lendery", None), ("sealed.lendery", PASSPHRASE)):
        changed = bytearray((shelf / name).read_bytes())
        changed[len(changed) // 2] ^= 1
        bad.write_bytes(changed)
        assert CHANGED in refused(bad, empty, passphrase)


def test_something_put_behind_the_end_is_refused(shelf: Path, bad: Path) -> None:
    plain, sealed = ((shelf / f"{name}.lendery").read_bytes() for name in ("plain", "sealed"))
    for more in (b"\n", b"x", b"\x00" * 100, zlib.compress(b'["a"]\n'), plain):
        bad.write_bytes(plain + more)
        assert CHANGED in refused_when_read(bad)
        bad.write_bytes(sealed + more)
        assert CHANGED in refused_when_read(bad, PASSPHRASE)


REARRANGED: dict[str, Callable[[list[bytes]], list[bytes]]] = {
    "the last piece left out": lambda pieces: pieces[:-1],
    "a piece left out": lambda pieces: [pieces[0], *pieces[2:]],
    "the first piece left out": lambda pieces: pieces[1:],
    "two pieces exchanged": lambda pieces: [pieces[1], pieces[0], *pieces[2:]],
    "a piece twice": lambda pieces: [pieces[0], *pieces],
    "the last piece twice": lambda pieces: [*pieces, pieces[-1]],
    "nothing left": lambda pieces: [],
}


def sealed(content: bytes, seal: dict[str, Any]) -> list[bytes]:
    written: list[bytes] = []
    key = key_of(PASSPHRASE, seal)
    sealer = Sealer(written.append, key=key, seal=seal, header=b"header")
    for at in range(0, len(content), 1_000):
        sealer.write(content[at : at + 1_000])
    sealer.close()
    return written


def unsealed(pieces: list[bytes], seal: dict[str, Any], header: bytes = b"header") -> bytes:
    file = io.BytesIO(b"".join(pieces))
    return b"".join(opened(file, key=key_of(PASSPHRASE, seal), seal=seal, header=header))


@pytest.mark.parametrize("how", REARRANGED)
def test_pieces_that_were_moved_are_noticed(how: str) -> None:
    """Without looking at what is in them: all are alike."""
    seal, content = new_seal(), bytes(4 * PIECE + 100)
    pieces = sealed(content, seal)
    assert unsealed(pieces, seal) == content
    with pytest.raises(Refused, match=CHANGED):
        unsealed(REARRANGED[how](pieces), seal)


def test_no_two_pieces_are_sealed_alike() -> None:
    """The same content, the same key: a nonce that came twice would show."""
    seal = new_seal()
    pieces = [each[:PIECE] for each in sealed(bytes(4 * PIECE + 100), seal)]
    assert len(pieces) == len(set(pieces)) == 5
    starts = {each[:100] for each in pieces} | {each[:100] for each in sealed(bytes(100), seal)}
    assert len(starts) == 6, "the last piece is marked, be it the first"


@pytest.mark.parametrize("size", [0, 1, PIECE - 1, PIECE, PIECE + 1, 2 * PIECE, 2 * PIECE + 1])
def test_every_size_comes_back(size: int) -> None:
    seal, content = new_seal(), random.Random(size).randbytes(size)
    pieces = sealed(content, seal)
    assert unsealed(pieces, seal) == content
    assert len(pieces) == max(1, -(-size // PIECE)), "no empty piece at the end"
    with pytest.raises(Refused):
        unsealed(pieces, seal, header=b"another")


def test_a_table_that_was_taken_out_is_missed(shelf: Path, bad: Path) -> None:
    whole = (shelf / "plain.lendery").read_bytes()
    first, header, packed = whole.split(b"\n", 2)
    lines = zlib.decompress(packed).splitlines(keepends=True)
    starts = [at for at, line in enumerate(lines) if line.startswith(b'{"table"')]
    for without in (
        lines[: starts[3]] + lines[starts[4] :],  # a whole table
        lines[: starts[5] + 1] + lines[starts[5] + 2 :],  # a row, or what counts them
        [*lines[: starts[1]], lines[starts[1]], *lines[starts[1] :]],  # a line twice
        lines[: starts[3]] + lines[starts[4] : starts[5]] + lines[starts[3] : starts[4]]
        + lines[starts[5] :],  # two tables exchanged
        lines[:-1],
        [*lines, lines[-1]],
        [*lines, b"\n"],
        lines[1:],
        [],
    ):  # fmt: skip
        bad.write_bytes(b"\n".join([first, header, zlib.compress(b"".join(without))]))
        assert CHANGED in refused_when_read(bad)
    bad.write_bytes(b"\n".join([first, header, zlib.compress(b"".join(lines))]))
    assert check(bad).rows > 500


# -- Passphrases -----------------------------------------------------------------------------------


@pytest.mark.parametrize("passphrase", [PASSPHRASE + " ", PASSPHRASE[:-1], PASSPHRASE.upper(), "x"])
def test_a_wrong_passphrase_opens_nothing(shelf: Path, empty: str, passphrase: str) -> None:
    assert refused(shelf / "sealed.lendery", empty, passphrase) == WRONG


@pytest.mark.parametrize("passphrase", [None, ""])
def test_an_encrypted_backup_needs_its_passphrase(
    shelf: Path, empty: str, passphrase: str | None
) -> None:
    assert "its passphrase is needed" in refused(shelf / "sealed.lendery", empty, passphrase)


def test_a_plain_backup_is_not_taken_for_an_encrypted_one(shelf: Path, empty: str) -> None:
    """Else anybody who can write to the folder could put a library of their own there."""
    assert "is not encrypted, but" in refused(shelf / "plain.lendery", empty, PASSPHRASE)


def test_a_header_that_asks_for_all_the_memory_is_refused(shelf: Path, bad: Path) -> None:
    whole = (shelf / "sealed.lendery").read_bytes()
    for asked in (b'{"n":2097152,', b'{"n":1099511627776,', b'{"n":0,', b'{"n":-2,', b'{"n":"x",'):
        bad.write_bytes(whole.replace(b'{"n":16,', asked))
        assert CHANGED in refused_when_read(bad, PASSPHRASE)


# -- Not a backup ----------------------------------------------------------------------------------

FOREIGN = {
    "nothing": b"",
    "a letter": b"Dear library,\n" * 100,
    "zeros": bytes(100_000),
    "a gzip": gzip.compress(b"LENDERY BACKUP\n" * 1_000),
    "an SQLite file": b"SQLite format 3\x00" + bytes(4_080),
    "a dump": b"PGDMP\x01\x0e\x00",
    "almost": b"LENDERY BACKUP",
    "another first line": b"LENDERY BACKUP 2\n{}\n",
}


@pytest.mark.parametrize("what", FOREIGN)
def test_a_file_of_another_kind_is_refused(bad: Path, empty: str, what: str) -> None:
    bad.write_bytes(FOREIGN[what])
    assert refused(bad, empty) == "This is not a backup of Lendery."


def test_no_file_at_all_is_refused(tmp_path: Path, empty: str) -> None:
    assert "No such file" in refused(tmp_path / "none.lendery", empty)
    assert "directory" in refused(tmp_path, empty)


@pytest.mark.parametrize(
    "header",
    [b"", b"{}", b"[]", b"null", b'{"format":1}', b'{"format":"1","encryption":null}',
     b'{"format":1, "encryption":null}', b'{"format":1,"encryption":{}}', b"\xff\xfe",
     b'{"format":1,"encryption":[]}', b"x" * 10_000],
)  # fmt: skip
def test_a_header_that_nobody_wrote_is_refused(shelf: Path, bad: Path, header: bytes) -> None:
    first, _, packed = (shelf / "plain.lendery").read_bytes().split(b"\n", 2)
    bad.write_bytes(b"\n".join([first, header, packed]))
    for passphrase in (None, PASSPHRASE):
        assert refused_when_read(bad, passphrase)


CONTENTS = [
    b"", b"\n", b"x", b"{}\n", b"[]\n", b'{"backup":null}\n', b'{"backup":{}}\n', b"[1\n", b'"a"\n',
    b'{"backup":{"program":"1","created_at":"x","revisions":{}}}\n',
    b'{"backup":{"program":"1","created_at":"2026-03-01","revisions":[]}}\n',
    b'{"backup":{"program":"1","created_at":"2026-03-01","revisions":{}}}\n{"whole":{}}\n',
    b'{"backup":{"program":"1","created_at":"2026-03-01","revisions":{}}}\n{"table":{}}\n',
    b'{"backup":{"program":"1","created_at":"2026-03-01","revisions":{}}}\n["row"]\n',
    b'{"backup":{"program":"1","created_at":"2026-03-01","revisions":{}}}\n'
    b'{"table":{"name":"a b","columns":[["id","uuid"]],"key":["id"]}}\n',
    b'{"backup":{"program":"1","created_at":"2026-03-01","revisions":{}}}\n'
    b'{"table":{"name":"a_b","columns":[["id","magic"]],"key":["id"]}}\n',
    b'{"backup":{"program":"1","created_at":"2026-03-01","revisions":{}}}\n'
    b'{"table":{"name":"a_b","columns":[["id","uuid"]],"key":[]}}\n',
    b"[" * 5_000 + b"\n",
]  # fmt: skip


@pytest.mark.parametrize("content", CONTENTS, ids=range(len(CONTENTS)))
def test_contents_that_nobody_wrote_are_refused(bad: Path, content: bytes) -> None:
    bad.write_bytes(b'LENDERY BACKUP\n{"format":1,"encryption":null}\n' + zlib.compress(content))
    assert refused_when_read(bad)


def test_a_few_bytes_that_stand_for_gigabytes_are_not_believed(bad: Path) -> None:
    pack = zlib.compressobj()
    bomb = b"".join(pack.compress(b"[" * 2**20) for _ in range(300)) + pack.flush()
    bad.write_bytes(b'LENDERY BACKUP\n{"format":1,"encryption":null}\n' + bomb)
    assert bad.stat().st_size < 400_000
    assert CHANGED in refused_when_read(bad)


def test_a_line_that_never_ends_is_not_waited_for(
    shelf: Path, bad: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = shelf / "plain.lendery"
    for length, taken in ((40_000, True), (60_000, False)):
        long = row_of(plain, "accounts_block", note="x" * length)
        made_up(bad, plain, put={"accounts_block": [long]})
        monkeypatch.setattr(backup_file, "LONGEST_LINE", 50_000)
        monkeypatch.setattr(backup_file, "STEP", 1_000)
        if taken:
            assert check(bad).rows > 500
        else:
            assert CHANGED in refused_when_read(bad)


# -- Newer than this program -----------------------------------------------------------------------


def test_a_backup_of_a_newer_schema_is_refused(shelf: Path, bad: Path, empty: str) -> None:
    next_one = newest("catalog") + 1
    made_up(bad, shelf / "plain.lendery", revisions={"catalog": f"{next_one:04d}"})
    assert check(bad).rows > 500, "it is whole; it is only too new"
    says = refused(bad, empty)
    for part in ("newer Lendery", "catalog", f"{next_one:04d}", f"{newest('catalog'):04d}"):
        assert part in says
    made_up(bad, shelf / "plain.lendery", revisions={"payments": "0001"})
    says = refused(bad, empty)
    assert "holds accounts, catalog, circulation, notices, payments, reports, reviews" in says


def test_a_backup_of_a_newer_format_is_refused(shelf: Path, bad: Path, empty: str) -> None:
    whole = (shelf / "plain.lendery").read_bytes()
    bad.write_bytes(whole.replace(b'"format":1', b'"format":2', 1))
    assert "format 2; this Lendery reads 1" in refused(bad, empty)


# -- Places that are not empty ---------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
def test_a_library_is_never_restored_over(shelf: Path, libraries: Shelter, kind: str) -> None:
    with libraries.url(kind) as url:
        assert "There is a library" in refused(shelf / "plain.lendery", url)


@pytest.mark.parametrize("kind", KINDS)
def test_one_row_makes_a_library(shelf: Path, libraries: Shelter, kind: str) -> None:
    """A single parked request, or event, is somebody's work."""
    from .test_migrate import lend_something

    with libraries.url(kind, empty=True) as url:
        migrate.run(url, CONTEXTS)
        lend_something(url)
        assert "There is a library" in refused(shelf / "plain.lendery", url)


def test_tables_of_a_newer_lendery_are_left_alone(shelf: Path, empty: str) -> None:
    from .test_migrate import set_revision

    migrate.run(empty, CONTEXTS)
    set_revision(empty, "catalog", "0099", compatible_from=1)
    assert "made by a newer Lendery" in refused(shelf / "plain.lendery", empty)


@pytest.mark.parametrize("content", [b"not a database, just a letter home" * 40, b"x"])
def test_another_file_is_left_alone(shelf: Path, tmp_path: Path, content: bytes) -> None:
    (tmp_path / "library.db").write_bytes(content)
    url = f"sqlite:///{tmp_path}/library.db"
    assert "is not a SQLite database" in refused(shelf / "plain.lendery", url)


def test_somebody_elses_tables_are_left_alone(shelf: Path, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/library.db"
    with sqlite3.connect(tmp_path / "library.db") as database:
        database.execute("CREATE TABLE recipes (name TEXT)")
    assert "not Lendery's" in refused(shelf / "plain.lendery", url)
    migrate.run(url, CONTEXTS)  # beside them there is an empty library now
    assert "not Lendery's" in refused(shelf / "plain.lendery", url)


def test_a_damaged_file_is_left_alone(shelf: Path, tmp_path: Path) -> None:
    (tmp_path / "library.db").write_bytes(b"SQLite format 3\x00" + bytes(8_000))
    url = f"sqlite:///{tmp_path}/library.db"
    assert "damaged" in refused(shelf / "plain.lendery", url)


def test_a_write_ahead_log_without_its_file_is_left_alone(shelf: Path, tmp_path: Path) -> None:
    """SQLite would read it into the restored library."""
    (tmp_path / "library.db-wal").write_bytes(b"seven loans")
    url = f"sqlite:///{tmp_path}/library.db"
    assert "left of another library" in refused(shelf / "plain.lendery", url)


def test_an_empty_library_that_is_open_is_not_replaced(shelf: Path, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/library.db"
    migrate.run(url, CONTEXTS)
    open_elsewhere = Database(url)
    try:
        with pytest.raises(Refused, match="is in use: stop Lendery first"):
            asyncio.run(bring_back(shelf / "plain.lendery", url))
        assert everything(url)["catalog_book"] == []
    finally:
        asyncio.run(open_elsewhere.close())
    asyncio.run(bring_back(shelf / "plain.lendery", url))
    assert len(everything(url)["catalog_book"]) == 60


def test_two_restores_at_once_do_not_meet(shelf: Path, tmp_path: Path) -> None:
    (tmp_path / "library.db.restoring").write_bytes(b"half a library")
    url = f"sqlite:///{tmp_path}/library.db"
    assert "another restore is going on" in refused(shelf / "plain.lendery", url)
    (tmp_path / "library.db.restoring").unlink()
    asyncio.run(bring_back(shelf / "plain.lendery", url))


# -- Loading fails half-way ------------------------------------------------------------------------


def nothing_was_kept(url: str) -> bool:
    path = sqlite_path(url)
    if path:
        return not [*path.parent.glob(f"{path.name}*")]
    return set(map(len, everything(url).values())) <= {0, 1}  # what migrations put there


def test_a_row_that_the_database_refuses_undoes_all(shelf: Path, bad: Path, empty: str) -> None:
    """The last table but one, so much was loaded before it."""
    plain = shelf / "plain.lendery"
    made_up(bad, plain, put={"circulation_loan": [row_of(plain, "circulation_loan")]})
    assert check(bad).rows > 500
    with pytest.raises(Refused, match="could not be loaded"):
        asyncio.run(bring_back(bad, empty))
    assert nothing_was_kept(empty)
    asyncio.run(bring_back(plain, empty))  # the place is as empty as it was
    assert everything(empty)["circulation_loan"]


STRANGE_ROWS: list[tuple[str, dict[str, list[list[Any]]]]] = [
    ("too few values", {"accounts_block": [["00000000-0000-0000-0000-000000000009"]]}),
    ("no values", {"accounts_block": [[]]}),
    ("not an id", {"accounts_block": [["x", *[None] * 6]]}),
    ("a number for an id", {"accounts_block": [[7, *[None] * 6]]}),
]


@pytest.mark.parametrize(("what", "rows"), STRANGE_ROWS, ids=[what for what, _ in STRANGE_ROWS])
def test_a_row_that_is_none_undoes_all(
    shelf: Path, bad: Path, empty: str, what: str, rows: dict[str, list[list[Any]]]
) -> None:
    made_up(bad, shelf / "plain.lendery", put=rows)
    with pytest.raises(Refused, match="could not be loaded"):
        asyncio.run(bring_back(bad, empty))
    assert nothing_was_kept(empty)


def test_a_row_that_came_back_otherwise_undoes_all(shelf: Path, bad: Path, empty: str) -> None:
    """An instant that is not written as this format writes it, and does not come back so."""
    plain = shelf / "plain.lendery"
    other = {"id": "00000000-0000-0000-0000-000000000009", "placed_at": "2026-03-01T10:30:00+01:00"}
    odd = row_of(plain, "accounts_block", **other)
    made_up(bad, plain, put={"accounts_block": [odd]})
    with pytest.raises(Refused, match="accounts_block did not come back as it was"):
        asyncio.run(bring_back(bad, empty))
    assert nothing_was_kept(empty)


# -- No backup is made -----------------------------------------------------------------------------


def test_a_backup_is_never_written_over_anything(shelf: Path, libraries: Shelter) -> None:
    before = (shelf / "plain.lendery").read_bytes()
    with libraries.url("sqlite") as url, pytest.raises(Refused, match="is there already"):
        asyncio.run(keep(url, shelf / "plain.lendery"))
    assert (shelf / "plain.lendery").read_bytes() == before


def test_two_backups_into_one_file_do_not_meet(libraries: Shelter, tmp_path: Path) -> None:
    (tmp_path / "a.lendery.part").write_bytes(b"half")
    with libraries.url("sqlite") as url, pytest.raises(Refused, match="another backup is writing"):
        asyncio.run(keep(url, tmp_path / "a.lendery"))
    assert {each.name: each.read_bytes() for each in tmp_path.iterdir()} == {
        "a.lendery.part": b"half"
    }


def test_a_full_disk_leaves_nothing_behind(
    libraries: Shelter, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(self: Any, data: bytes) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(backup_file.NewFile, "_put", full)
    with libraries.url("sqlite") as url, pytest.raises(Refused, match="No space left on device"):
        asyncio.run(keep(url, tmp_path / "a.lendery"))
    assert list(tmp_path.iterdir()) == []


def test_a_disk_that_keeps_something_else_is_found_out(
    libraries: Shelter, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A backup is read back before it gets its name."""
    put, written = backup_file.NewFile._put, [0]

    def otherwise(self: Any, data: bytes) -> None:
        written[0] += len(data)
        put(self, data[:-1] + b"?" if written[0] > 20_000 and data else data)

    monkeypatch.setattr(backup_file.NewFile, "_put", otherwise)
    with libraries.url("sqlite") as url, pytest.raises(Refused, match=CHANGED):
        asyncio.run(keep(url, tmp_path / "a.lendery"))
    assert list(tmp_path.iterdir()) == []


def test_what_this_program_does_not_know_is_not_left_out_in_silence(
    empty: str, tmp_path: Path
) -> None:
    """A newer schema runs older programs, but they would save only a part of it."""
    from .test_migrate import set_revision

    file = tmp_path / "a.lendery"
    path = sqlite_path(empty)
    if path is None:
        with pytest.raises(Refused, match="There is no library in this database"):
            asyncio.run(keep(empty, file))
    migrate.run(empty, ["catalog"])
    with pytest.raises(Refused, match="The accounts tables are missing here"):
        asyncio.run(keep(empty, file))
    migrate.run(empty, CONTEXTS)
    set_revision(empty, "catalog", f"{newest('catalog') + 1:04d}", compatible_from=1)
    with pytest.raises(Refused, match="made by a newer Lendery"):
        asyncio.run(keep(empty, file))
    assert list(tmp_path.iterdir()) == []
