"""The files of an export: no spreadsheet computes what is in them, and nobody waits for them."""

import threading
import zipfile
from datetime import UTC, datetime
from io import BytesIO
from typing import Any
from uuid import UUID

import pytest

from lendery.accounts.routes import privacy
from lendery.contracts.permissions import SYSTEM
from lendery.contracts.privacy import PersonExport

ANN = UUID(int=7)


def exported(**row: Any) -> PersonExport:
    records = {"accounts": {"person": [row]}}
    return PersonExport(user_id=ANN, made_at=datetime(2026, 3, 2, tzinfo=UTC), records=records)


@pytest.mark.parametrize(
    ("said", "quoted"),
    [
        *((f"{before}{sign}1", True) for before in ("", " ", "\n", "\r\n ", "\u00a0", "\u3000")
          for sign in "=+-@\uff1d\uff0b\uff0d\uff20"),
        *((text, True) for text in ("\tAnn", "\rAnn")),
        *((text, False) for text in ("", " ", "\n", "Ann", " Ann", "1=1", "A+", "\nAnn", "'=1")),
    ],
)  # fmt: skip
def test_what_somebody_typed_is_no_formula(said: str, quoted: bool) -> None:
    with zipfile.ZipFile(BytesIO(privacy.zipped(exported(name=said, version=-1)))) as files:
        text = files.read("accounts/person.csv").decode()
    kept = f"'{said}" if quoted else said
    assert text.startswith("name,version\r\n") and text.endswith(",-1\r\n")
    assert kept in text and ("'" in text) == ("'" in kept)


@pytest.mark.parametrize("format", ["json", "zip"])
async def test_no_request_waits_until_an_export_is_packed(
    format: str,
) -> None:
    threads = []

    class Export(PersonExport):
        def model_dump_json(self, **how: Any) -> str:
            threads.append(threading.current_thread())
            return super().model_dump_json(**how)

    class Desk:
        async def export(self, **asked: Any) -> PersonExport:
            return Export(**exported(name="Ann").model_dump())

    given: Any = (Desk(), None)
    [asked] = [
        route.endpoint
        for route in privacy.routes(*given).routes
        if getattr(route, "path", "").endswith("/export")
    ]
    answer = await asked(actor=SYSTEM, user_id=ANN, format=format)
    assert b"Ann" in answer.body or answer.body[:2] == b"PK"
    assert threads and threading.main_thread() not in threads
