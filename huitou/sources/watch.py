"""A folder whose files are imported as they come: each once, when it is complete, whatever becomes of the others.

Comes in: a folder that browsers, share clients and people put exports into. Goes out: an `ImportReport` for each file that
was read. A file is complete when it has no name of an unfinished download, and its size and time stood still for a while.
"""

import hashlib
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from huitou.errors import LakeBusy
from huitou.lake import Workspace
from huitou.sources.importer import ImportReport, import_files

SUFFIXES = (".csv", ".tsv", ".txt", ".log", ".xls", ".xlsx", ".jsonl", ".ndjson", ".parquet", ".zip", ".gz")
_UNFINISHED = re.compile(
    r"^(?:~\$|\.|unconfirmed )|\.(?:crdownload|part|partial|download|opdownload|tmp|temp|filepart|td|xltd|baiduyun|aria2)$", re.I
)
STILL_S = 2.0
"""How long a file must stand still."""

State = tuple[int, int]
"""Size and time of last change, in nanoseconds."""


def unfinished(name: str) -> bool:
    """Whether a name is one that browsers, download tools and Office give to files that are not there yet."""
    return bool(_UNFINISHED.search(name))


@dataclass(slots=True)
class Watch:
    """What a watched folder holds. `still_s`: seconds that a file must not change; `busy` is told once when the lake is busy."""

    ws: Workspace
    folder: Path
    still_s: float = STILL_S
    busy: Callable[[LakeBusy], None] = lambda error: None
    _done: dict[Path, State] = field(default_factory=dict)
    _seen: dict[Path, tuple[State, float]] = field(default_factory=dict)
    _waiting: bool = False

    def look(self) -> Iterator[ImportReport]:
        """Import what is complete and was not imported yet. A busy lake is waited for: its files come with a later look."""
        for file in self._complete():
            state = _state(file)
            if state is None or self._known(file):
                self._done[file] = state or (0, 0)
                continue
            try:
                reports = import_files(self.ws, [file])
            except LakeBusy as error:
                if not self._waiting:
                    self.busy(error)
                self._waiting = True
                return
            self._waiting = False
            self._done[file] = state
            yield from reports

    @property
    def settled(self) -> bool:
        """Whether there is nothing that waits: no file still changes, and the lake was free."""
        return not self._waiting and all(self._done.get(file) == _state(file) for file in self._exports())

    def _exports(self) -> list[Path]:
        """Files that may be exports, oldest first; none while the folder is away (a share that is not there just now)."""
        try:
            found = [f for f in self.folder.iterdir() if f.suffix.lower() in SUFFIXES and not unfinished(f.name) and f.is_file()]
        except OSError:
            return []
        return sorted(found, key=lambda f: (_state(f) or (0, 0))[::-1])

    def _complete(self) -> list[Path]:
        """Exports that stood still for long enough since they were first seen so."""
        now, complete = time.monotonic(), []
        for file in self._exports():
            state = _state(file)
            if state is None or self._done.get(file) == state:
                continue
            before, since = self._seen.get(file, (None, now))
            if before != state:
                self._seen[file] = (state, now)
            if state[0] and before == state and now - since >= self.still_s:
                complete.append(file)
        return complete

    def _known(self, file: Path) -> bool:
        """Whether an import has stored the very bytes of the file: then it is passed over without a word."""
        try:
            with file.open("rb") as stream:
                return self.ws.lake.ledger.holds(hashlib.file_digest(stream, "sha256").hexdigest())
        except OSError:
            return False


def watch(watched: Watch, *, every_s: float = 1.0, once: bool = False) -> Iterator[ImportReport]:
    """Look again and again until the caller stops; with `once` until all files that are there now are in."""
    while True:
        yield from watched.look()
        if once and watched.settled:
            return
        time.sleep(every_s)


def _state(file: Path) -> State | None:
    try:
        about = file.stat()
    except OSError:
        return None  # it has just gone
    return about.st_size, about.st_mtime_ns
