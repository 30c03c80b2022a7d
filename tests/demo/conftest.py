"""The demo library of the tests, built once in one process (`xdist_group`)."""

import pytest
from tests.demo.standing import Standing, build


@pytest.fixture(scope="session")
def town(tmp_path_factory: pytest.TempPathFactory) -> Standing:
    return build(tmp_path_factory.mktemp("town"))
