"""One build of a rule pack's facts: computed month by month, readable at once, stored all together or not at all."""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import ibis.expr.types as ir

from huitou.lake.delta import Catalog, Change, DataFile
from huitou.lake.disk import room
from huitou.lake.duckdb import Snapshot, materialise, view
from huitou.tables import TABLES

if TYPE_CHECKING:
    from huitou.lake.writer import Writer


class Build:
    """Facts on their way in. `snapshot` holds the canonical tables (and the facts of the last build) that it is made from."""

    def __init__(self, writer: "Writer", catalog: Catalog, number: int, uid: str) -> None:
        self._writer = writer
        self._catalog = catalog
        self._number = number
        self._uid = uid
        self._staged: dict[str, Change] = {}
        self.snapshot = Snapshot(catalog, writer.engine)
        self.open = True

    def stage(self, name: str, expr: ir.Table, months: Iterable[str] | None = None) -> ir.Table:
        """Compute a fact table, or the months of it that are given; rows of other months are left out. Readable at once.

        `months` None replaces the whole table. Returns what was computed, times as int64 µs again.
        """
        if not TABLES[name].fact:
            raise ValueError(f"{name} is not a fact table")
        wanted = None if months is None else sorted(set(months))
        folder = self._writer.folder(self._catalog.folder(name))
        with room(folder.path):
            folder.ensure()
        files: Sequence[DataFile] = []
        if wanted is None or wanted:
            files = materialise(self._writer.engine, expr, folder, f"build-{self._number}", wanted)
        self._staged[name] = Change(add=tuple(files), remove=tuple(self._catalog.files(name, wanted)))
        return view(self._writer.engine, TABLES[name], [str(folder.path / f.path) for f in files])

    def table(self, name: str, months: Iterable[str] | None = None) -> ir.Table:
        """A fact table as it will be: staged months, and of the last build those that no `stage` replaced."""
        change = self._staged.get(name, Change())
        gone = {f.path for f in change.remove}
        wanted = None if months is None else set(months)
        files = [f for f in (*self._catalog.files(name), *change.add) if f.path not in gone]
        root = self._writer.folder(self._catalog.folder(name)).path
        paths = [str(root / f.path) for f in files if wanted is None or f.month in wanted]
        return view(self._writer.engine, TABLES[name], paths)

    def commit(self) -> None:
        """Show all staged tables to readers at once. Raises DiskFull, then the lake is as it was."""
        changes = {self._catalog.folder(n): c for n, c in self._staged.items() if c.add or c.remove}
        self._writer.store("builds", self._uid, changes)
        self.open = False
        for name in changes:
            self._writer.folder(name).tidy()

    def abort(self) -> None:
        """Leave the lake as it was."""
        if self.open:
            self.open = False
            self._writer.undo("builds", self._number, self._uid)
