"""The child that reads a workbook, begun before anybody asks for the rows: it takes as long as all the rest takes to load, or
as the workbook before it takes to be stored.

This module loads nothing that is large itself.
"""

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Any

WALL_S = 300
_CHILD = Path(__file__).with_name("workbook_child.py")
_BOOKS = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")


class Reader:
    """A child at work on one workbook, and the file without a name into which it puts the rows. A context manager."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.spool = tempfile.TemporaryFile(prefix="huitou-")  # noqa: SIM115 - it is closed on leaving this
        command = [sys.executable, "-I", str(_CHILD), str(path), str(self.spool.fileno())]
        no = subprocess.DEVNULL
        self._child = subprocess.Popen(command, stdin=no, stdout=subprocess.PIPE, stderr=no, pass_fds=(self.spool.fileno(),))

    def told(self) -> dict[str, Any]:
        """What the child says of the file, once it is through; a child that dies, or does not end, has met its limits."""
        with suppress(subprocess.TimeoutExpired, ValueError):
            about: dict[str, Any] = json.loads(self._child.communicate(timeout=WALL_S)[0])
            return about
        return {"fault": "limit"}

    def __enter__(self) -> "Reader":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._child.kill()
        with self._child:
            pass  # waits for its end
        self.spool.close()


class _Ahead:
    """The files that may be workbooks, in the order in which they will be asked for; the first of them is being read."""

    def __init__(self) -> None:
        self._paths: list[Path] = []
        self._reader: Reader | None = None

    def begin(self, paths: Sequence[Path]) -> None:
        """Read the first of these, and leave what was begun."""
        if self._reader is not None:
            self._reader.__exit__(None, None, None)
        self._paths, self._reader = list(paths), None
        if self._paths:
            with suppress(OSError):  # whoever asks for it next meets this, too, and says it
                self._reader = Reader(self._paths[0])

    @contextmanager
    def taken(self, path: Path) -> Iterator[Reader]:
        """The reader of a file, begun or not; on leaving it the next one is begun."""
        after = self._paths[self._paths.index(path) + 1 :] if path in self._paths else None
        reader = self._reader if self._reader is not None and self._reader.path == path else None
        if reader is not None:
            self._reader = None
        try:
            with reader or Reader(path) as one:
                yield one
        finally:
            if after is not None:
                self.begin(after)


_AHEAD = _Ahead()
reader_of = _AHEAD.taken


@contextmanager
def begun(files: Sequence[Path]) -> Iterator[None]:
    """Meanwhile workbooks among the files are read ahead, one at a time."""
    _AHEAD.begin([file for file in files if _may_be_book(file)])
    try:
        yield
    finally:
        _AHEAD.begin([])


def _may_be_book(file: Path) -> bool:
    try:
        with file.open("rb") as stream:
            return stream.read(4) in _BOOKS
    except OSError:
        return False  # whoever reads it next says what is wrong
