"""What fails is told at once, not only at the end of a long run."""

import os
import sys

import pytest


@pytest.hookimpl(trylast=True)
def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    if report.failed and "PYTEST_XDIST_WORKER" not in os.environ:
        told = f"{report.nodeid} failed at its {report.when}:\n{report.longreprtext[-3000:]}"
        print(f"\n{told}", file=sys.stderr, flush=True)
