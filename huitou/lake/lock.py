"""One writer per lake: a file lock that dies with its process, with the owner's name in it."""

import fcntl
import json
import os
import socket
import threading
from datetime import UTC, datetime
from pathlib import Path

from huitou.errors import LakeBusy

_held: dict[Path, str] = {}
_guard = threading.Lock()


class WriterLock:
    """The lake's lock. `take` raises LakeBusy with what, pid, host and since when of the holder."""

    def __init__(self, file: Path) -> None:
        self._file = file.resolve()
        self._handle: int | None = None

    def take(self, what: str) -> None:
        """Become the writer; `what` is shown to whoever comes second."""
        # POSIX locks belong to a process and are not inherited by its children (a parser child must not keep a dead
        # parent's lock); they do not keep two writers of one process apart, which is what `_held` is for.
        with _guard:
            if self._file in _held:
                raise LakeBusy(_held[self._file])
            handle = os.open(self._file, os.O_RDWR | os.O_CREAT, 0o600)
            try:
                fcntl.lockf(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                owner = _describe(os.pread(handle, 4096, 0))
                os.close(handle)
                raise LakeBusy(owner) from None
            mark = json.dumps(
                {
                    "what": what,
                    "pid": os.getpid(),
                    "host": socket.gethostname(),
                    "since": datetime.now(UTC).isoformat(timespec="seconds"),
                },
                ensure_ascii=False,
            ).encode()
            try:
                os.ftruncate(handle, 0)
                os.pwrite(handle, mark, 0)
            except OSError:
                os.close(handle)
                raise
            _held[self._file] = _describe(mark)
            self._handle = handle

    def drop(self) -> None:
        """Let the next writer in."""
        with _guard:
            if self._handle is not None:
                os.ftruncate(self._handle, 0)
                os.close(self._handle)
                self._handle = None
                _held.pop(self._file, None)


def _describe(mark: bytes) -> str:
    try:
        owner = json.loads(mark)
        return f"“{owner['what']}” (process {owner['pid']} on {owner['host']}, since {owner['since']})"
    except (ValueError, KeyError, TypeError):
        return "another process"
