"""In continuous integration nothing that matters may be skipped: there a missing browser or Java is a failure."""

import os
from collections.abc import Generator

import pytest

MUST_RUN = {"browser", "spark", "slow"}


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if report.skipped and os.environ.get("CI") and MUST_RUN & {mark.name for mark in item.iter_markers()}:
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr
        report.outcome, report.longrepr = "failed", f"skipped, which continuous integration does not allow: {reason}"
    return report
