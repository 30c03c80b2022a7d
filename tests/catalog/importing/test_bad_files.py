"""Files that are damaged, or meant to do harm: refused cheaply, and nothing half-written."""

import gzip
import io
import zlib
from typing import Any

import pytest

from lendery.catalog.importing import reading
from lendery.contracts.base import Window
from lendery.contracts.catalog import BookSearch

from .conftest import EMMA, ROMOLA, Bulk, counts, marc

XXE = (
    b'<?xml version="1.0"?><!DOCTYPE c [<!ENTITY x SYSTEM "file:///etc/passwd">]>'
    b'<collection xmlns="http://www.loc.gov/MARC21/slim"><record><leader>00000nam a2200000 a 4500'
    b'</leader><datafield tag="245" ind1="0" ind2="0"><subfield code="a">&x;</subfield>'
    b"</datafield></record></collection>"
)
LAUGHS = (
    b'<!DOCTYPE c [<!ENTITY a "ha">'
    + b"".join(b'<!ENTITY %c "%s">' % (98 + n, b"&%c;" % (97 + n) * 50) for n in range(8))
    + b"]><collection>&i;</collection>"
)


@pytest.fixture(params=["here", "elsewhere"])
def reader(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """In this process, and in one of its own, as large files are read."""
    if request.param == "elsewhere":
        monkeypatch.setattr(reading, "IN_HAND", -1)


async def test_a_file_that_breaks_off_gives_what_came_before(bulk: Bulk, reader: None) -> None:
    report = await bulk.run(marc(EMMA, ROMOLA)[:-20])
    assert report.state == "done" and report.added == 1
    assert report.read == report.added + report.rejected
    assert await bulk.titles() == ["Emma"]


async def test_a_record_that_claims_ten_gigabytes(bulk: Bulk) -> None:
    lying = b"99999" + marc(EMMA)[5:12] + b"99999" + marc(EMMA)[17:]
    report = await bulk.run(lying + marc(ROMOLA))
    assert report.state == "done" and report.read == report.added + report.rejected
    assert "Romola" in await bulk.titles()


@pytest.mark.parametrize("evil", [XXE, LAUGHS], ids=["entities of files", "billion laughs"])
async def test_xml_that_would_fetch_or_swell(bulk: Bulk, files: Any, evil: bytes) -> None:
    report = await bulk.run(evil, "evil.xml")
    assert report.state == "failed" or report.rejected == report.read
    assert "root:" not in str(await bulk.notes(report)) + str(report.error)
    assert await bulk.titles() == [] and files() == []


async def test_a_bomb_of_gzip_is_refused_before_it_swells(bulk: Bulk, files: Any) -> None:
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    zeros = b"\x00" * (1 << 20)
    bomb = b"".join([packer.compress(zeros) for _ in range(300)]) + packer.flush()
    assert len(bomb) < 400_000
    report = await bulk.run(bomb, "records.mrc.gz", format="marc")
    assert report.state == "failed" and "unpacks to more than" in (report.error or "")
    assert await bulk.titles() == [] and files() == []


async def test_what_is_packed_honestly_is_read(bulk: Bulk) -> None:
    assert counts(await bulk.run(gzip.compress(marc(EMMA)), "emma.mrc.gz")) == {
        "read": 1, "added": 1,
    }  # fmt: skip


async def test_a_line_of_our_own_is_checked_as_if_it_were_typed(bulk: Bulk) -> None:
    lines = [
        '{"id":"1","book":{"title":"Emma"}}',
        '{"id":"2","book":{"title":"%s"}}' % ("x" * 501),
        '{"id":"3","book":{"title":"Nul \\u0000"}}',
        '{"id":"4","book":{"title":"Romola","isbns":["12345678901234567890"]}}',
        '{"id":"5","book":{"title":"Romola","language":"<script>"}}',
        '{"id":"6","book":{"title":"Romola","published_year":99999}}',
        '{"id":"7","book":{"title":"Romola","authors":[{"name":"","sort_name":""}]}}',
    ]
    report = await bulk.run("\n".join(lines).encode(), "lines.jsonl")
    assert (report.state, report.read, report.added, report.rejected) == ("done", 7, 1, 6)
    assert await bulk.titles() == ["Emma"]


async def test_the_reader_dying_is_a_refusal_and_no_traceback(
    bulk: Bulk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "IN_HAND", -1)
    monkeypatch.setattr(reading.sys, "executable", "/bin/false")
    report = await bulk.run(marc(EMMA))
    assert (report.state, report.added) == ("failed", 0)
    assert "more than an import may have" in (report.error or "")


async def test_a_name_never_becomes_a_path(bulk: Bulk, tmp_path: Any) -> None:
    report = await bulk.ask(marc(EMMA), name="../../../../tmp/passwd")
    assert report.name == "../../../../tmp/passwd"
    [file] = bulk.place.folder.iterdir()
    assert file.name == f"{report.id.hex}.records"
    assert oct(file.stat().st_mode & 0o777) == "0o600"
    assert oct(bulk.place.folder.stat().st_mode & 0o777) == "0o700"
    page = await bulk.library.books.search(wanted=BookSearch(), window=Window())
    assert page.items == [] and io.BytesIO(file.read_bytes()).read() == marc(EMMA)
