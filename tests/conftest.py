"""In continuous integration nothing that matters may be skipped: there a missing browser or Java is a failure."""

import gc
import os
import re
import shutil
from collections import Counter
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

FAST = bool(os.environ.get("ONE_CORE_EACH"))
NEEDED_BYTES = 4 * 2**30
FEW = 5
"""Generated examples of a property in the fast part; the whole suite takes as many as each property asks for."""
CASES = 1
"""Cases of a test in the fast part where each of them makes files or is marked `costly`; the whole suite takes all."""
MUST_RUN = {"browser", "spark", "slow"}
STARTS_SPARK = re.compile(r"_spark\.py|out_of_spark")
"""Tests that start it; others only put expressions into its words."""
TEXTS = re.compile(
    r"/test_(text|learn|llm|label|inquiries|masking|reviews_text|intents|returns|satisfaction|quality|findings_promises|worked_examples)"
)
"""Files of tests that read texts."""


def pytest_configure() -> None:
    """The fast part keeps its files in memory, and each worker to a core; else they wait for the disk and for each other."""
    gc.disable()  # while modules are loaded and tests collected
    memory = Path("/dev/shm")
    if FAST and memory.is_dir() and shutil.disk_usage(memory).free > NEEDED_BYTES:
        os.environ["TMPDIR"] = str(memory)
    worker = os.environ.get("PYTEST_XDIST_WORKER", "")
    if worker and FAST and hasattr(os, "sched_setaffinity"):
        cores = sorted(os.sched_getaffinity(0))
        os.sched_setaffinity(0, {cores[int(worker.removeprefix("gw")) % len(cores)]})


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """A file's tests stay together, with what they made. So do all that read texts, for which expressions are put together once
    in a process, and all that need Spark, which takes longest to start."""
    from xdist.scheduler import LoadScopeScheduling  # only where it is

    class Together(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            file = nodeid.partition("::")[0]
            return "spark" if STARTS_SPARK.search(nodeid) else "texts" if TEXTS.search(file) else file

    return Together(config, log)


def pytest_itemcollected(item: pytest.Item) -> None:
    wanted = getattr(getattr(item, "function", None), "_hypothesis_internal_use_settings", None)
    if FAST and wanted is not None and wanted.max_examples > FEW:
        item.function._hypothesis_internal_use_settings = settings(wanted, max_examples=FEW)  # type: ignore[attr-defined]


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """The files with most slow tests come first, so that no worker is left alone with one of them at the end. The fast part leaves
    the further cases of costly tests to the whole suite."""
    slow = Counter(item.path for item in items if MUST_RUN & {mark.name for mark in item.iter_markers()})
    items.sort(key=lambda item: -slow[item.path])
    if not FAST:
        return
    seen, kept, left = Counter[str](), [], []
    for item in items:
        test = item.nodeid.partition("[")[0]
        costly = "[" in item.nodeid and ("tmp_path" in getattr(item, "fixturenames", ()) or item.get_closest_marker("costly"))
        (left if costly and seen[test] >= CASES else kept).append(item)
        seen[test] += 1
    items[:] = kept
    config.hook.pytest_deselected(items=left)


def pytest_collection_finish() -> None:
    """What is loaded by now stays to the end: the garbage collector need not look it through again and again."""
    gc.freeze()
    gc.enable()
    if FAST:
        gc.set_threshold(50_000, 20, 100)


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
