"""Where a copy goes next."""

from uuid import UUID, uuid4

import pytest

from lendery.circulation.rules import where_next

CENTRAL, NORTH = uuid4(), uuid4()


@pytest.mark.parametrize(
    ("here", "home", "floats", "to"),
    [
        pytest.param(CENTRAL, CENTRAL, False, None, id="it is at home"),
        pytest.param(NORTH, CENTRAL, False, CENTRAL, id="it is sent home"),
        pytest.param(NORTH, CENTRAL, True, None, id="it floats, so it stays"),
        pytest.param(CENTRAL, CENTRAL, True, None, id="it floats and is at home"),
    ],
)
def test_where_a_copy_goes_next(here: UUID, home: UUID, floats: bool, to: UUID | None) -> None:
    assert where_next(here=here, home=home, floats=floats) == to
