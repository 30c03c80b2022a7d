"""Why a hold has no copy yet: each reason, and which of several is told."""

from typing import Any

import pytest

from lendery.circulation.rules import Wait, why_not_yet


@pytest.mark.parametrize(
    ("wait", "code"),
    [
        ({}, "none-left"),
        ({"suspended": True, "gets_one": True, "free": 1, "suitable": 1}, "suspended"),
        ({"gets_one": True, "free": 1, "suitable": 1, "on_loan": 3}, "on-the-list"),
        ({"free": 1, "suitable": 1, "on_loan": 3}, "others-first"),
        ({"free": 1, "on_loan": 1}, "does-not-suit"),
        ({"on_loan": 1, "elsewhere": 1}, "all-out"),
        ({"free": 1, "elsewhere": 1}, "on-its-way"),
        ({"elsewhere": 1}, "on-its-way"),
        ({"free": 1}, "does-not-suit"),
    ],
)
def test_why_not_yet(wait: dict[str, Any], code: str) -> None:
    found, says = why_not_yet(Wait(**wait))
    assert found == code and says.endswith(".")
