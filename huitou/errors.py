"""Everything that can go wrong for a user, as sentences.

HuitouError
├── NotAWorkspace      no huitou.toml here
├── SettingsError      huitou.toml says something that cannot be
├── FileRefused        a whole file cannot be read: wrong kind, encoding, cut, empty, a folder
├── LakeBusy           somebody else is writing
├── LakeDamaged        stored data does not match its ledger
├── DiskFull           there is no room to finish
├── NeedsData          a number cannot be computed from what was imported
└── UnknownName        a metric, table, source, dimension or rule pack that does not exist

Each class builds its message from facts, so that every message says what, where and what to do. A single bad row is
never an error: it is a ``Problem``, counted and listed, and loading goes on.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path


class HuitouError(Exception):
    """What went wrong and what to do about it; shown to the user as it stands, without a traceback."""

    def __init__(self, says: str, fix: str) -> None:
        super().__init__(f"{says} {fix}")
        self.says = says
        self.fix = fix


class NotAWorkspace(HuitouError):
    """The folder holds no ``huitou.toml``."""

    def __init__(self, folder: Path) -> None:
        super().__init__(
            f"{folder} is not a Huitou workspace: it has no huitou.toml.",
            f"Run `huitou init {folder}`, or name the workspace with -w.",
        )


class SettingsError(HuitouError):
    """``huitou.toml`` (or a rule file) holds a value that cannot be used."""

    def __init__(self, file: Path | str, key: str, says: str, fix: str) -> None:
        super().__init__(f"{file}: {key} {says}.", fix)


class FileRefused(HuitouError):
    """A file that cannot be imported at all; nothing of it was stored."""

    def __init__(self, file: Path, says: str, fix: str) -> None:
        super().__init__(f"{file.name}: {says}.", fix)
        self.file = file


class LakeBusy(HuitouError):
    """Another process holds the writer's lock; `owner` says which."""

    def __init__(self, owner: str) -> None:
        super().__init__(f"The lake is being written by {owner}.", "Wait until it has finished, then run this again.")


class LakeDamaged(HuitouError):
    """A stored file is missing or was changed by hand."""

    def __init__(self, where: Path, says: str) -> None:
        super().__init__(f"{where}: {says}.", "Run `huitou doctor`, then import the original files again.")


class DiskFull(HuitouError):
    """There is no room for what is being written; the lake is as it was before."""

    def __init__(self, where: Path, need_bytes: int | None = None) -> None:
        need = f", about {need_bytes / 2**20:,.0f} MiB are needed" if need_bytes else ""
        super().__init__(
            f"The disk that holds {where} is full{need}. Nothing was stored.", "Free some space and run this again."
        )


class NeedsData(HuitouError):
    """A number asks for facts that no imported file carried."""

    def __init__(self, name: str, needs: str) -> None:
        super().__init__(f"{name} needs {needs}.", "Import an export that carries it.")
        self.needs = needs


class UnknownName(HuitouError):
    """A name that does not exist, with the nearest one that does."""

    def __init__(self, kind: str, name: str, known: Iterable[str]) -> None:
        names = sorted(known)
        near = get_close_matches(name, names, n=1)
        guess = f"Did you mean {near[0]}?" if near else f"Known: {', '.join(names)}."
        super().__init__(f"There is no {kind} called {name!r}.", guess)


@dataclass(frozen=True, slots=True)
class Problem:
    """One row of a shop's file that could not be stored, as data.

    `row` is the row's number in the file as a person counts it (header = 1), `column` the file's own heading.
    `reason` is a short fixed code by which problems are counted; `says` and `fix` are sentences without any personal data.
    """

    file: str
    row: int
    column: str | None
    reason: str
    says: str
    fix: str
