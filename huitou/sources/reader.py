"""The child that reads a workbook, or decodes a long file, begun before anybody asks for the rows: it takes as long as all the
rest takes to load, or as the file before it takes to be stored.

This module loads nothing that is large itself.
"""

import codecs
import json
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from pathlib import Path
from types import TracebackType
from typing import Any, TypeVar

from huitou.sources.gb18030 import LENGTHS

WALL_S = 300
LONG = 4 * 2**20
"""Bytes of a text file from which on a child decodes it."""
_CHILD = Path(__file__).with_name("workbook_child.py")
_DECODER = Path(__file__).with_name("gb18030.py")
_PIPE_BYTES = 2**20  # the most that systems grant everybody: each wait for the other side costs a turn of the reader
_BEGINNING = 2**16
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


class Decoder:
    """A child at work on a GB18030 file, some way ahead of whoever takes its stretches. A context manager."""

    def __init__(self, path: Path) -> None:
        self.path = path
        no = subprocess.DEVNULL
        self._child = subprocess.Popen(
            [sys.executable, "-I", str(_DECODER), str(path)], stdin=no, stdout=subprocess.PIPE, stderr=no, bufsize=0
        )
        with suppress(ImportError, AttributeError, OSError):  # not every system has this, and it only saves time
            import fcntl  # noqa: PLC0415 - not on Windows

            fcntl.fcntl(self._child.stdout, fcntl.F_SETPIPE_SZ, _PIPE_BYTES)  # type: ignore[arg-type]

    def stretch(self) -> tuple[int, bytes] | None:
        """The next bytes of the file: how many, and as UTF-8. None: the child ended, with the file or before what it leaves to
        others."""
        lengths = self._read(LENGTHS.size)
        if len(lengths) < LENGTHS.size:
            return None
        taken, length = LENGTHS.unpack(lengths)
        text = self._read(length)
        return (taken, text) if len(text) == length else None

    def _read(self, length: int) -> bytes:
        """So many bytes, fewer where the child ended."""
        assert self._child.stdout is not None
        pieces = []
        while length and (piece := self._child.stdout.read(length)):
            pieces.append(piece)
            length -= len(piece)
        return b"".join(pieces)

    def __enter__(self) -> "Decoder":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._child.kill()
        with self._child:
            pass  # waits for its end


Child = TypeVar("Child", Reader, Decoder)


class _Ahead:
    """The files that a child reads, in the order in which they will be asked for; the first of them is being read."""

    def __init__(self) -> None:
        self._paths: list[Path] = []
        self._child: Reader | Decoder | None = None

    def begin(self, paths: Sequence[Path]) -> None:
        """Read the first of these, and leave what was begun."""
        if self._child is not None:
            self._child.__exit__(None, None, None)
        self._paths, self._child = list(paths), None
        if self._paths:
            with suppress(OSError):  # whoever asks for it next meets this, too, and says it
                self._child = Reader(self._paths[0]) if _may_be_book(self._paths[0]) else Decoder(self._paths[0])

    @contextmanager
    def taken(self, path: Path, kind: Callable[[Path], Child]) -> Iterator[Child]:
        """The child of a file, begun or not; on leaving it the next one is begun."""
        after = self._paths[self._paths.index(path) + 1 :] if path in self._paths else None
        begun = self._child if self._child is not None and self._child.path == path else None
        if begun is not None:
            self._child = None
        try:
            with begun or kind(path) as one:
                yield one  # type: ignore[misc]  # both go by how the file begins
        finally:
            if after is not None:
                self.begin(after)


_AHEAD = _Ahead()


def reader_of(path: Path) -> AbstractContextManager[Reader]:
    """The child that reads a workbook."""
    return _AHEAD.taken(path, Reader)


def decoder_of(path: Path) -> AbstractContextManager[Decoder | None]:
    """The child that decodes a GB18030 file; None for a short one."""
    return _AHEAD.taken(path, Decoder) if path.stat().st_size >= LONG else nullcontext()


@contextmanager
def begun(files: Sequence[Path]) -> Iterator[None]:
    """Meanwhile workbooks and long files in GB18030 are read ahead, one at a time."""
    _AHEAD.begin([file for file in files if _may_be_book(file) or _may_be_gb18030(file)])
    try:
        yield
    finally:
        _AHEAD.begin([])


def _may_be_book(file: Path) -> bool:
    return _beginning(file).startswith(_BOOKS)


def _may_be_gb18030(file: Path) -> bool:
    beginning = _beginning(file)
    if len(beginning) < _BEGINNING or b"\0" in beginning or file.stat().st_size < LONG:
        return False
    try:
        codecs.getincrementaldecoder("utf-8")("strict").decode(beginning)
    except UnicodeDecodeError:
        return True  # or damaged: its child finds that out
    return False


def _beginning(file: Path) -> bytes:
    try:
        with file.open("rb") as stream:
            return stream.read(_BEGINNING)
    except OSError:
        return b""  # whoever reads it next says what is wrong
