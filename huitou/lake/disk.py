"""Writing that survives a power cut and a full disk: fsync, and one sentence for every way a disk can be full."""

import errno
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from huitou.errors import DiskFull, HuitouError, NotWritable

BALLAST_BYTES = 8 * 2**20
"""Room kept free while a load is staged, so that its last, small writes (log, ledger) cannot hit a full disk."""

_FULL = re.compile(
    r"no space left|disk (is )?full|os error 28|quota exceeded|not enough (disk )?space|failed to offload|temp directory is full"
    r"|max_temp_directory_size",
    re.IGNORECASE,
)


_FORBIDDEN = re.compile(
    r"permission denied|operation not permitted|read-only file ?system|os error (13|30)\b|readonly database"
    r"|unable to open database file",
    re.IGNORECASE,
)


def is_full(error: BaseException) -> bool:
    """Whether the error, or one that caused it, says that there is no room; engines hide errno in their messages."""
    return _says(error, (errno.ENOSPC, errno.EDQUOT), _FULL)


def is_forbidden(error: BaseException) -> bool:
    """Whether the error, or one that caused it, says that the place is read-only for us."""
    return _says(error, (errno.EACCES, errno.EPERM, errno.EROFS), _FORBIDDEN)


def _free(where: Path) -> int:
    there = next((p for p in (where, *where.parents) if p.exists()), Path("/"))
    return shutil.disk_usage(there).free


def _says(error: BaseException, codes: tuple[int, ...], words: re.Pattern[str]) -> bool:
    seen: BaseException | None = error
    while seen is not None:
        if (isinstance(seen, OSError) and seen.errno in codes) or words.search(str(seen)):
            return True
        seen = seen.__cause__ or seen.__context__
    return False


@contextmanager
def room(where: Path) -> Iterator[None]:
    """Turns every kind of "no space left" into `DiskFull`, of "read-only" into `NotWritable`; other errors pass as they are."""
    try:
        yield
    except HuitouError:
        raise
    except Exception as error:
        # SQLite says no more than "disk I/O error" where it cannot enlarge the memory that its WAL shares.
        if is_full(error) or ("disk I/O error" in str(error) and _free(where) < BALLAST_BYTES):
            raise DiskFull(where) from error
        if is_forbidden(error):
            raise NotWritable(where) from error
        raise


def sync(path: Path) -> None:
    """fsync one file or folder. Errors are raised, never retried: a second fsync can report a success that is none."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def sync_new(files: list[Path], root: Path) -> None:
    """fsync new files and every folder between them and `root`, so that their names survive too."""
    folders: set[Path] = {root}
    for file in files:
        sync(file)
        folder = file.parent
        while folder != root and root in folder.parents:
            folders.add(folder)
            folder = folder.parent
    for folder in folders:
        sync(folder)


class Ballast:
    """A file of `BALLAST_BYTES` that is given up just before a commit. Raises DiskFull when there is no room for it."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def take(self) -> None:
        """Reserve the room (again)."""
        with room(self._file.parent):
            handle = os.open(self._file, os.O_RDWR | os.O_CREAT, 0o600)
            try:
                os.posix_fallocate(handle, 0, BALLAST_BYTES)
            except OSError:
                self.drop()
                raise
            finally:
                os.close(handle)

    def drop(self) -> None:
        """Give the room back."""
        self._file.unlink(missing_ok=True)
