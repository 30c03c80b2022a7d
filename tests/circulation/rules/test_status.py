from typing import get_args

import pytest

from lendery.circulation.rules.status import STATUS_ORDER, CopyMarks, status_of
from lendery.contracts.catalog import CopyStatus


def test_a_copy_of_which_nothing_is_said_is_available() -> None:
    assert status_of(CopyMarks()) == "available"


@pytest.mark.parametrize(("mark", "status"), STATUS_ORDER)
def test_a_single_mark_is_shown(mark: str, status: str) -> None:
    assert status_of(CopyMarks(**{mark: True})) == status


@pytest.mark.parametrize("place", range(len(STATUS_ORDER)), ids=[each for each, _ in STATUS_ORDER])
def test_of_several_marks_the_first_of_the_order_is_shown(place: int) -> None:
    later = {mark: True for mark, _ in STATUS_ORDER[place:]}
    assert status_of(CopyMarks(**later)) == STATUS_ORDER[place][1]


def test_the_order_is_the_one_librarians_were_promised() -> None:
    promised = (
        "withdrawn, lost, claimed-returned, missing, on-loan, in-transit, on-hold-shelf, damaged, "
        "on-order, in-process, reference, available"
    )
    assert [status for _, status in STATUS_ORDER] + ["available"] == promised.split(", ")
    assert set(get_args(CopyStatus)) == set(promised.split(", "))
