"""One writer per lake: a file lock that dies with its process, with the owner's name in it."""

import fcntl
import json
import os
import socket
import threading
import time
from datetime import UTC, datetime
from pathlib import Path

from huitou.errors import LakeBusy, Say, Text, in_language

MARK_TRIES = 10
_held: dict[Path, Say] = {}
_guard = threading.Lock()


class WriterLock:
    """The lake's lock. `take` raises LakeBusy with what, pid, host and since when of the holder."""

    def __init__(self, file: Path) -> None:
        self._file = file.resolve()
        self._handle: int | None = None

    def take(self, what: Text) -> None:
        """Become the writer; `what` is shown to whoever comes second."""
        # POSIX locks belong to a process and are not inherited by its children (a parser child must not keep a dead
        # parent's lock); they do not keep two writers of one process apart, which is what `_held` is for.
        with _guard:
            if self._file in _held:
                raise LakeBusy(_held[self._file])
            handle = self._locked()
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

    def _locked(self) -> int:
        """A handle that holds the lock. Raises LakeBusy."""
        handle = os.open(self._file, os.O_RDWR | os.O_CREAT, 0o600)
        for patience in range(MARK_TRIES, -1, -1):
            try:
                fcntl.lockf(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return handle
            except OSError:
                mark = os.pread(handle, 4096, 0)
            if mark or not patience:
                break
            time.sleep(0.02)  # whoever has just taken the lock is about to say who it is, or has just dropped it
        os.close(handle)
        raise LakeBusy(_describe(mark))

    def drop(self) -> None:
        """Let the next writer in."""
        with _guard:
            if self._handle is not None:
                os.ftruncate(self._handle, 0)
                os.close(self._handle)
                self._handle = None
                _held.pop(self._file, None)


def _describe(mark: bytes) -> Say:
    try:
        owner = json.loads(mark)
        what: Text = owner["what"] if isinstance(owner["what"], str) else Say(*owner["what"])
        since = datetime.fromisoformat(owner["since"]).astimezone().strftime("%Y-%m-%d %H:%M:%S")
        return Say(
            f"「{in_language(what, 'zh')}」（{owner['host']} 上的进程 {owner['pid']}，{since} 开始）",
            f"“{in_language(what, 'en')}” (process {owner['pid']} on {owner['host']}, since {since})",
        )
    except (ValueError, KeyError, TypeError):
        return Say("另一个进程", "another process")
