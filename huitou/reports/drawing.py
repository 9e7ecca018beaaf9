"""Charts are drawn by processes of their own: the renderer takes as long as a report's numbers, and lets no thread run beside it.

`begin` starts them while there is nothing to draw yet; what is asked for is drawn meanwhile, and waited for when it is shown.
"""

import atexit
import json
import os
import subprocess
import sys
import threading
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

MOST = 2
"""Renderers at once, at most one for each core."""
_SCRIPT = Path(__file__).with_name("renderer.py")
_FIRST: dict[str, Any] = {"mark": "text", "data": {"values": [{}]}, "encoding": {"text": {"value": "一"}}}
_own = threading.local()


def begin() -> None:
    """Start the renderers, each of which draws a first text, so that its fonts are read."""
    for _ in range(_most()):
        draw(_FIRST)


def draw(spec: dict[str, Any]) -> "Future[str]":
    """Have a Vega-Lite specification drawn as SVG, without anything from outside."""
    return _renderers().submit(_drawn, spec)


def _most() -> int:
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min(MOST, cores)


@cache
def _renderers() -> ThreadPoolExecutor:
    """As many threads, each of which speaks to a renderer of its own."""
    return ThreadPoolExecutor(_most(), initializer=_start)


def _start() -> None:
    pipe = subprocess.PIPE  # -P: the files beside the script are no modules of Python's
    _own.process = subprocess.Popen([sys.executable, "-P", str(_SCRIPT)], stdin=pipe, stdout=pipe)
    atexit.register(_end, _own.process)


def _drawn(spec: dict[str, Any]) -> str:
    with suppress(BrokenPipeError):  # there is no answer then
        _own.process.stdin.write(json.dumps(spec).encode() + b"\n")
        _own.process.stdin.flush()
    answer = _own.process.stdout.readline()
    if not answer:
        raise RuntimeError("the renderer of charts has ended")
    return str(json.loads(answer))


def _end(process: "subprocess.Popen[bytes]") -> None:
    process.kill()
    process.communicate()
