"""One import on its way into the lake: staged, checked, then stored in all tables at once, or not at all."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING

import polars as pl

from huitou.errors import Problem
from huitou.lake.delta import Change, Folder
from huitou.lake.digest import Digest
from huitou.lake.disk import room
from huitou.lake.ledger import Counts, LoadReport
from huitou.lake.staging import Finished, Staging
from huitou.tables import TABLES, Table

if TYPE_CHECKING:
    from huitou.lake.writer import Writer

_DTYPE: dict[str, pl.DataType] = {
    "key": pl.Int64(), "int": pl.Int64(), "money": pl.Int64(), "time": pl.Int64(), "date": pl.Date(), "bool": pl.Boolean(),
    "float": pl.Float64(), "code": pl.String(), "text": pl.String(),
}  # fmt: skip


class Load:
    """The rows of one file. `known_as` is the earlier load of the same bytes; then nothing needs to be read again."""

    def __init__(self, writer: "Writer", entry: LoadReport, uid: str, known_as: LoadReport | None, digest: Digest) -> None:
        self._writer = writer
        self._digest = digest
        self._entry = entry
        self._uid = uid
        self._staging = Staging(writer.engine, writer.root, entry.number)
        self._rows_read = 0
        self._quarantined = 0
        self._notes: dict[str, int] = {}
        self.known_as = known_as
        self.open = True

    @property
    def number(self) -> int:
        """Number in the ledger; stored in every row's ``load``."""
        return self._entry.number

    def add(self, name: str, frame: pl.DataFrame) -> None:
        """Stage canonical rows: the table's columns (nullable ones may be missing) and ``row``, the row of the file.

        A wrong column, type or a null where none may be is a ValueError: a fault of the source, not of the file.
        """
        if name not in TABLES or TABLES[name].fact:
            raise ValueError(f"{self._entry.source}: {name!r} is no canonical table")
        self._staging.add(TABLES[name], conform(TABLES[name], frame))

    def read(self, n_rows: int) -> None:
        """Count rows of the file that were read."""
        self._rows_read += n_rows

    def set_aside(self, problems: Sequence[Problem]) -> None:
        """Quarantine rows, one Problem per row of the file."""
        if problems:
            self._quarantined += len(problems)
            with room(self._writer.root):
                self._writer.ledger.add_problems(self.number, problems)

    def note(self, notes: dict[str, int]) -> None:
        """Add counts worth telling the user."""
        for key, n in notes.items():
            self._notes[key] = self._notes.get(key, 0) + n

    def commit(self) -> LoadReport:
        """Store everything at once.

        Raises DiskFull, or ValueError when rows read and rows brought do not balance; then nothing is stored.
        """
        if self.known_as and not self._rows_read and not self._staging.rows:
            return self._finish(self._repeat(self.known_as), {})
        staged = self._staging.rows.get(self._entry.main, 0)
        if self._rows_read != staged + self._quarantined:
            raise ValueError(
                f"{self._entry.source}: read {self._rows_read} rows, but {staged} rows of {self._entry.main}"
                f" and {self._quarantined} problems came of them"
            )
        with ThreadPoolExecutor(1, "huitou-vault") as beside:
            sealed = beside.submit(self._writer.seal)
            finished = self._finish_tables()
            sealed.result()
        return self._finish(self._balance(finished), self._changes(finished))

    def abort(self) -> None:
        """Leave the lake as it was."""
        if self.open:
            self.open = False
            self._staging.clear()  # what is being written must not come after what undoes it
            self._writer.undo("loads", self.number, self._uid)

    def _finish_tables(self) -> dict[str, Finished]:
        writer = self._writer
        finished = {}
        for name, rows in self._staging.rows.items():
            if rows:
                folder = Folder(writer.root / "tables" / name, TABLES[name])
                with room(writer.root):
                    folder.ensure()
                finished[name] = self._staging.finish(TABLES[name], folder, writer.catalog())
                if finished[name].superseded:
                    with room(writer.root):
                        writer.folder(f"superseded/{name}").ensure()
        return finished

    def _changes(self, finished: dict[str, Finished]) -> dict[str, Change]:
        changes = {f"tables/{n}": Change(add=f.files) for n, f in finished.items() if f.files}
        return changes | {f"superseded/{n}": Change(add=f.superseded) for n, f in finished.items() if f.superseded}

    def _balance(self, finished: dict[str, Finished]) -> LoadReport:
        main = finished.get(self._entry.main)
        return replace(
            self._entry, rows_read=self._rows_read, stored=main.stored if main else 0, known=main.known if main else 0,
            quarantined=self._quarantined, notes=self._notes,
            by_table={n: Counts(f.stored, f.known, f.months) for n, f in finished.items()},
            first_day=main.first_day if main else None, last_day=main.last_day if main else None,
        )  # fmt: skip

    def _repeat(self, first: LoadReport) -> LoadReport:
        return replace(
            self._entry, rows_read=first.rows_read, stored=0, known=first.stored + first.known, quarantined=first.quarantined,
            notes=first.notes, by_table={n: Counts(0, c.stored + c.known) for n, c in first.by_table.items()},
            first_day=first.first_day, last_day=first.last_day,
        )  # fmt: skip

    def _finish(self, report: LoadReport, changes: dict[str, Change]) -> LoadReport:
        report = replace(report, sha256=self._digest.of_all())
        self._writer.store("loads", self._uid, changes, report)
        self.open = False
        self._staging.clear()
        return report


def conform(table: Table, frame: pl.DataFrame) -> pl.DataFrame:
    """The frame with all of the table's columns and ``row``, in order and in their types; a ValueError says what is wrong."""
    extra = set(frame.columns) - set(table.by_name) - {"row"}
    if extra:
        raise ValueError(f"table {table.name} has no column {sorted(extra)}")
    columns = []
    for name, kind, nullable in [*((c.name, c.type, c.nullable) for c in table.columns), ("row", "int", False)]:
        wanted = _DTYPE[kind]
        if name not in frame.columns:
            if not nullable:
                raise ValueError(f"table {table.name}: column {name} is missing")
            columns.append(pl.lit(None, dtype=wanted).alias(name))
            continue
        given = frame.schema[name]
        if given != wanted and given != pl.Null and not (wanted == pl.Int64 and given.is_integer()):
            raise ValueError(f"table {table.name}: column {name} is {given}, not {wanted}")
        if not nullable and frame[name].null_count():
            raise ValueError(f"table {table.name}: column {name} has {frame[name].null_count()} empty values")
        columns.append(pl.col(name).cast(wanted))
    return frame.select(columns)
