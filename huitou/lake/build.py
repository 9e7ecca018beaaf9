"""One build of a rule pack's facts: each table computed at once, written month by month, all stored together or not at all."""

from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING
from uuid import uuid4

import polars as pl
import pyarrow.parquet as pq

from huitou.lake.delta import Catalog, Change, DataFile
from huitou.lake.disk import room
from huitou.lake.duckdb import Snapshot, compute, keep, view, write
from huitou.lake.sql import quoted
from huitou.tables import TABLES

if TYPE_CHECKING:
    import ibis.expr.types as ir

    from huitou.lake.writer import Writer


@dataclass(frozen=True, slots=True)
class Shares:
    """Tables of one form that hold one share of the rows each: an expression is written, and compiled, of the `first` alone."""

    first: "ir.Table"
    names: tuple[str, ...]

    def of_each(self, sql: str) -> list[str]:
        """A statement over the first table, for every one of them; the names are unlike anything else in a statement."""
        return [sql.replace(quoted(self.names[0]), quoted(name)) for name in self.names]


@dataclass(frozen=True, slots=True)
class _Staged:
    """Files on their way to replace others, of which months, and the name of their rows in memory as long as those are held."""

    add: Future[tuple[DataFile, ...]]
    remove: tuple[DataFile, ...]
    months: frozenset[str]
    held: str | None


class Build:
    """Facts on their way in. `snapshot` holds the canonical tables (and the facts of the last build) that it is made from."""

    def __init__(self, writer: "Writer", catalog: Catalog, number: int, uid: str) -> None:
        self._writer = writer
        self._catalog = catalog
        self._number = number
        self._uid = uid
        self._staged: dict[str, list[_Staged]] = {}
        self._under_way: list[Future[None]] = []
        self._promised: dict[str, str] = {}
        self._views: list[str] = []
        self._pen = ThreadPoolExecutor(max_workers=1, thread_name_prefix="huitou-facts")
        self.snapshot = Snapshot(catalog, writer.engine)
        self.open = True

    def stage(self, name: str, expr: "ir.Table", months: Iterable[str] | None = None, *, hold: bool = False) -> None:
        """Compute a fact table, or the months of it that are given; rows of other months are left out.

        `months` None replaces the whole table. Its files are written while what comes next is computed. A table can be staged
        in several parts, of different months each. `hold`: `table` reads these rows from memory until `let_go`.
        """
        if not TABLES[name].fact:
            raise ValueError(f"{name} is not a fact table")
        wanted = None if months is None else sorted(set(months))
        folder = self._writer.folder(self._catalog.folder(name))
        with room(folder.path):
            folder.ensure()
        computed, made = compute(self._writer.engine, expr, TABLES[name], self._settle, wanted)
        add = self._pen.submit(write, self._writer.engine, computed, folder, f"build-{self._number}", made, hold=hold)
        staged = _Staged(add, tuple(self._catalog.files(name, wanted)), frozenset(made), computed if hold else None)
        self._staged.setdefault(name, []).append(staged)

    def let_go(self) -> None:
        """Hold no rows in memory any longer."""
        for name, parts in self._staged.items():
            for part in parts:
                if part.held:
                    part.add.result()
                    self._writer.engine.raw.execute(f'DROP TABLE "{part.held}"')
            self._staged[name] = [replace(part, held=None) for part in parts]

    def shares(self, expr: "ir.Table", column: str, cuts: Sequence[int]) -> Shares:
        """Rows in shares by an integer column: below the first cut, from it to the next, … from the last on."""
        import ibis  # noqa: PLC0415 - whoever computes has it; imports, which only open a lake, do without

        whole = self._see("whole", self._writer.engine.backend.compile(expr))
        names = []
        for low, high in pairwise([None, *cuts, None]):
            ends = [f"{quoted(column)} {sign} {end}" for sign, end in ((">=", low), ("<", high)) if end is not None]
            names.append(self._see("share", f"SELECT * FROM {quoted(whole)} WHERE {' AND '.join(ends) or 'true'}"))
        return Shares(ibis.table(expr.schema(), name=names[0]), tuple(names))

    def united(self, expr: "ir.Table", shares: Shares) -> "ir.Table":
        """What an expression over the first share makes of all shares, as one table."""
        import ibis  # noqa: PLC0415 - as above

        name = _named("united")
        each = shares.of_each(self._writer.engine.backend.compile(expr))
        self._promised[name] = " UNION ALL ".join(f"({sql})" for sql in each)
        return ibis.table(expr.schema(), name=name)

    @contextmanager
    def computed(self, alone: "ir.Table", expr: "ir.Table", shares: Shares) -> Iterator[tuple["ir.Table", Shares]]:
        """One expression, and another one of each share: computed once for several uses, two at a time, while what uses them is
        compiled; let go at the end."""
        import ibis  # noqa: PLC0415 - as above

        engine = self._writer.engine
        kept: list[str] = []
        with ThreadPoolExecutor(2, thread_name_prefix="huitou-kept") as hands:

            def begin(sql: str) -> None:
                kept.append(_named("kept"))
                self._under_way.append(hands.submit(keep, engine, kept[-1], sql))

            for sql in shares.of_each(engine.backend.compile(expr)):
                begin(sql)
            begin(engine.backend.compile(alone))  # last what the engine shares out by itself: then no core waits for the other
            *names, beside = kept
            try:
                yield ibis.table(alone.schema(), name=beside), Shares(ibis.table(expr.schema(), name=names[0]), tuple(names))
            finally:
                wait(self._under_way)
                self._under_way.clear()
                self._forget(kept)

    def _see(self, name: str, sql: str) -> str:
        """A view under a name that begins so; its whole name."""
        name = _named(name)
        self._writer.engine.raw.execute(f"CREATE VIEW {quoted(name)} AS {sql}")
        self._views.append(name)
        return name

    def _forget(self, kept: Iterable[str]) -> None:
        """Drop tables that were kept, as far as they were made, and the views that led to them."""
        for kind, names in (("VIEW", reversed(self._views)), ("TABLE", kept)):
            for name in names:
                self._writer.engine.raw.execute(f"DROP {kind} IF EXISTS {quoted(name)}")
        self._views.clear()
        self._promised.clear()

    def _settle(self) -> None:
        """Wait for what is computed, and make the views that were promised of it."""
        for job in self._under_way:
            job.result()
        for name, sql in self._promised.items():
            self._writer.engine.raw.execute(f"CREATE VIEW {quoted(name)} AS {sql}")
        self._views += self._promised
        self._promised.clear()

    def keep(self, name: str, frames: Iterable[pl.DataFrame]) -> "ir.Table | None":
        """Frames of one shape as a table to compute with until the build ends, kept on disk; None where there is no frame."""
        file, pen = self._writer.engine.scratch / f"{name}-{uuid4().hex}.parquet", None
        with room(self._writer.engine.scratch):
            for frame in frames:
                rows = frame.to_arrow()
                pen = pen or pq.ParquetWriter(file, rows.schema, compression="lz4")
                pen.write_table(rows)
            if pen is None:
                return None
            pen.close()
        return self._writer.engine.backend.read_parquet(file)

    def table(self, name: str, months: Iterable[str] | None = None) -> "ir.Table":
        """A fact table as it will be: staged months, and of the last build those that no `stage` replaced."""
        parts = self._staged.get(name, [])
        gone = {f.path for part in parts for f in part.remove}
        wanted = None if months is None else set(months)
        files = [f for f in self._catalog.files(name) if f.path not in gone]
        files += [f for part in parts if not part.held for f in part.add.result()]
        root = self._writer.folder(self._catalog.folder(name)).path
        paths = [str(root / f.path) for f in files if wanted is None or f.month in wanted]
        held = {p.held: None if wanted is None or wanted >= p.months else wanted & p.months for p in parts if p.held}
        return view(self._writer.engine, TABLES[name], paths, held=held)

    def _change(self, name: str) -> Change:
        staged = self._staged.get(name, [])
        return Change(
            add=tuple(file for part in staged for file in part.add.result()),
            remove=tuple(file for part in staged for file in part.remove),
        )

    def commit(self) -> dict[str, int]:
        """Show all staged tables to readers at once. Returns the rows made of each. Raises DiskFull, then all is as it was."""
        made = {name: self._change(name) for name in self._staged}
        changes = {self._catalog.folder(n): c for n, c in made.items() if c.add or c.remove}
        self._pen.shutdown()
        self._writer.store("builds", self._uid, changes)
        self.open = False
        for name in changes:
            self._writer.folder(name).tidy()
        return {name: sum(f.rows for f in change.add) for name, change in made.items()}

    def abort(self) -> None:
        """Leave the lake as it was."""
        self._pen.shutdown(cancel_futures=True)
        if self.open:
            self.open = False
            self._writer.undo("builds", self._number, self._uid)


def _named(begin: str) -> str:
    """A name of a table or view that no other one has."""
    return f"{begin}_{uuid4().hex}"
