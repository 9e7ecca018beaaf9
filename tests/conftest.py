"""In continuous integration nothing that matters may be skipped: there a missing browser or Java is a failure."""

import gc
import os
from collections.abc import Generator

import pytest

MUST_RUN = {"browser", "spark", "slow"}


def pytest_configure() -> None:
    """In the fast part each worker keeps to a core of its own; else their engines' threads wait for each other."""
    worker = os.environ.get("PYTEST_XDIST_WORKER", "")
    if worker and os.environ.get("ONE_CORE_EACH") and hasattr(os, "sched_setaffinity"):
        cores = sorted(os.sched_getaffinity(0))
        os.sched_setaffinity(0, {cores[int(worker.removeprefix("gw")) % len(cores)]})


def pytest_collection_finish() -> None:
    """What is loaded by now stays to the end: the garbage collector need not look it through again and again."""
    gc.collect()
    gc.freeze()


def pytest_unconfigure() -> None:
    """Libraries that look for their own leaks at the end may let go of everything."""
    gc.unfreeze()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if report.skipped and os.environ.get("CI") and MUST_RUN & {mark.name for mark in item.iter_markers()}:
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr
        report.outcome, report.longrepr = "failed", f"skipped, which continuous integration does not allow: {reason}"
    return report
