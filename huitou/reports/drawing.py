"""Charts are drawn by processes of their own: the renderer takes as long as a report's numbers, and lets no thread run beside it.

`begin` starts them while there is nothing to draw yet; what is asked for is drawn meanwhile, and waited for when it is shown.
"""

import atexit
import json
import os
import subprocess
import sys
from concurrent.futures import Future
from contextlib import suppress
from functools import cache
from pathlib import Path
from queue import SimpleQueue
from threading import Thread
from typing import Any

MOST = 2
"""Renderers at once, at most one for each core."""
_SCRIPT = Path(__file__).with_name("renderer.py")
_FIRST: dict[str, Any] = {"mark": "text", "data": {"values": [{}]}, "encoding": {"text": {"value": "一"}}}


def begin() -> None:
    """Start the renderers, each of which draws a first text, so that its fonts are read."""
    for _ in range(_most()):
        draw(_FIRST)


def draw(spec: dict[str, Any]) -> Future[str]:
    """Have a Vega-Lite specification drawn as SVG, without anything from outside."""
    made = Future[str]()
    _wanted().put((spec, made))
    return made


def _most() -> int:
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min(MOST, cores)


@cache
def _wanted() -> "SimpleQueue[tuple[dict[str, Any], Future[str]]]":
    """What is to be drawn, taken by threads that each speak to a renderer; who is done need not wait for them."""
    wanted = SimpleQueue[tuple[dict[str, Any], Future[str]]]()
    for _ in range(_most()):
        Thread(target=_serve, args=(wanted,), daemon=True).start()
    return wanted


def _serve(wanted: "SimpleQueue[tuple[dict[str, Any], Future[str]]]") -> None:
    process: subprocess.Popen[bytes] | None = None
    while True:
        spec, made = wanted.get()
        try:
            process = process or _started()
            made.set_result(_drawn(process, spec))
        except Exception as error:  # noqa: BLE001 - it is told where the drawing is waited for
            made.set_exception(error)
            process = None  # the next drawing begins another


def _started() -> "subprocess.Popen[bytes]":
    pipe = subprocess.PIPE  # -P: the files beside the script are no modules of Python's
    process = subprocess.Popen([sys.executable, "-P", str(_SCRIPT)], stdin=pipe, stdout=pipe)
    atexit.register(_end, process)
    return process


def _drawn(process: "subprocess.Popen[bytes]", spec: dict[str, Any]) -> str:
    assert process.stdin is not None and process.stdout is not None
    with suppress(BrokenPipeError):  # there is no answer then
        process.stdin.write(json.dumps(spec).encode() + b"\n")
        process.stdin.flush()
    answer = process.stdout.readline()
    if not answer:
        raise RuntimeError("the renderer of charts has ended")
    return str(json.loads(answer))


def _end(process: "subprocess.Popen[bytes]") -> None:
    process.kill()
    process.wait()
