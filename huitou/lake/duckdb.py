"""The embedded engine: materialises facts, and gives snapshots as Ibis tables."""

import os
import shutil
import tempfile
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import duckdb
import polars as pl

from huitou.lake.delta import Catalog, DataFile, Folder
from huitou.lake.disk import room
from huitou.lake.sql import DUCK_TYPE, FACT_PARQUET, FRAME_TYPE, files_of, in_months, measured, quoted, stored, text_of
from huitou.tables import TABLES, Column, Table

if TYPE_CHECKING:
    import ibis.expr.types as ir
    from ibis.backends.duckdb import Backend


_IBIS_TYPE = {"BIGINT": "int64", "DATE": "date", "BOOLEAN": "boolean", "DOUBLE": "float64", "VARCHAR": "string"}


def default_memory_gib() -> float:
    """60 % of the machine's memory, at most 5 GiB."""
    return min(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30 * 0.6, 5.0)


class Engine:
    """One in-memory DuckDB with its own scratch folder to spill to; nothing is downloaded, UTC, bounded memory."""

    def __init__(self, root: Path, memory_gib: float | None = None) -> None:
        scratch = root / "_scratch"
        scratch.mkdir(parents=True, exist_ok=True)
        self.scratch = Path(tempfile.mkdtemp(prefix=f"{os.getpid()}-", dir=scratch))
        self._memory_gib = memory_gib or default_memory_gib()

    @cached_property
    def raw(self) -> duckdb.DuckDBPyConnection:
        """The connection, opened when it is first used: a known file or an empty month asks nothing of it."""
        raw = duckdb.connect(
            config={
                "autoinstall_known_extensions": False, "autoload_known_extensions": False, "preserve_insertion_order": False,
                "memory_limit": f"{self._memory_gib:.2f}GiB", "temp_directory": str(self.scratch),
                "threads": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1,
            }
        )  # fmt: skip
        raw.execute("SET TimeZone = 'UTC'")
        return raw

    @cached_property
    def backend(self) -> "Backend":
        """The same connection for Ibis."""
        import ibis  # noqa: PLC0415 - it takes longer to load than a day's file to import, and imports have no expressions

        # selects are fused by the engine itself in no time; Ibis takes two fifths of its compiling for it
        ibis.options.sql.fuse_selects = False
        return ibis.duckdb.from_connection(self.raw)

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """Run one statement; its rows."""
        return self.raw.execute(sql).fetchall()

    def one(self, sql: str) -> int:
        """Run one statement that returns one integer."""
        (row,) = self.rows(sql)  # all of it: a result that is not read to its end blocks the connection
        return int(row[0] or 0)

    def close(self) -> None:
        """Close the engine and remove what it spilled."""
        if "raw" in vars(self):
            self.raw.close()
        shutil.rmtree(self.scratch, ignore_errors=True)


class Snapshot:
    """A pinned state of the lake: what finished loads and builds had brought when it was opened. A context manager."""

    def __init__(self, catalog: Catalog, engine: Engine) -> None:
        self._catalog = catalog
        self._engine = engine
        self._views: dict[tuple[str, tuple[str, ...] | None], ir.Table] = {}

    @property
    def version(self) -> int:
        """Number of the newest finished commit that it shows; 0 for an empty lake."""
        return self._catalog.version

    @property
    def rules(self) -> str | None:
        """The rule pack whose facts it shows."""
        return self._catalog.rules

    def has(self, name: str) -> bool:
        """The table exists and holds rows."""
        return self._catalog.rows(name) > 0

    def months(self, name: str) -> list[str]:
        """Months ("2026-05") that hold rows of the table, sorted; ["all"] for a table without months."""
        return self._catalog.months(name)

    def spread(self, name: str, column: str, months: Iterable[str] | None = None) -> tuple[int, int, int]:
        """Rows stored of a table, and the lowest and highest of an integer column, as the files say; (0, 0, 0) without rows."""
        files = [f for f in self._catalog.files(name, months) if f.rows]
        ends = [int(end[column]) for f in files for end in (f.low, f.high) if column in end]
        return sum(f.rows for f in files), min(ends, default=0), max(ends, default=0)

    def table(self, name: str, months: Iterable[str] | None = None) -> "ir.Table":
        """A canonical or fact table (rows of all months or some): declared columns, provenance, ``month``.

        Of things with versions the newest is shown. A ``time`` is int64 µs UTC. A table that nothing filled yet is empty.
        """
        wanted = None if months is None else tuple(sorted(set(months)))
        if (name, wanted) not in self._views:
            paths = self._catalog.paths(name, wanted)
            gone = self._catalog.superseded_paths(name, wanted) if paths else []
            self._views[name, wanted] = self._view(TABLES[name], paths, gone)
        return self._views[name, wanted]

    def _view(self, table: Table, paths: Sequence[str], gone: Sequence[str] = ()) -> "ir.Table":
        return view(self._engine, table, paths, gone)

    def named(self, expr: "ir.Table") -> "ir.Table":
        """The same rows under a name of their own: what many expressions read is compiled once, and not once with each."""
        return _named(self._engine, "named", self._engine.backend.compile(expr), dict(expr.schema().items()))

    def frame(self, expr: "ir.Expr") -> pl.DataFrame:
        """Run an expression over this snapshot's tables. Raises DiskFull when there is no room to spill."""
        from ibis.formats.pyarrow import PyArrowData  # noqa: PLC0415 - as in `Engine.backend`

        rows = expr.as_table()
        with room(self._engine.scratch):
            # not by `to_pyarrow`, which loads pandas for it: a third of a second
            found = self._engine.raw.sql(self._engine.backend.compile(rows)).to_arrow_table()
        return pl.DataFrame(pl.from_arrow(PyArrowData.convert_table(found, rows.schema())))

    def close(self) -> None:
        """Let the snapshot go."""
        self._engine.close()

    def __enter__(self) -> "Snapshot":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()


def view(
    engine: Engine,
    table: Table,
    paths: Sequence[str],
    gone: Sequence[str] = (),
    held: Mapping[str, Iterable[str] | None] | None = None,
) -> "ir.Table":
    """An Ibis table over Parquet files, without the rows that `gone` files list; empty, with its schema, without files.

    `held`: further rows, as computed: their name in memory, and which months of them (None: all).
    """
    columns = ", ".join(_counted(c) for c in table.stored)
    parts = []
    if paths:
        without = f" ANTI JOIN (SELECT row_key FROM {files_of(gone)}) USING (row_key)" if gone else ""
        parts.append(f"SELECT {columns}, month FROM {files_of(paths)}{without}")
    for computed, months in (held or {}).items():
        month = f"strftime({quoted(table.month_of or '')}, '%Y-%m')"
        some = "" if months is None else f" WHERE {in_months(table, months)}"
        parts.append(f"SELECT {columns}, {month} AS month FROM {quoted(computed)}{some}")
    if not parts:
        nothing = ", ".join(f"NULL::{FRAME_TYPE[c.type]} AS {quoted(c.name)}" for c in table.stored)
        parts = [f"SELECT {nothing}, NULL::VARCHAR AS month WHERE false"]
    types = {c.name: _IBIS_TYPE[FRAME_TYPE[c.type]] for c in table.stored}
    return _named(engine, table.name, " UNION ALL ".join(parts), types | {"month": "string"})


def _named(engine: Engine, name: str, sql: str, types: Mapping[str, Any]) -> "ir.Table":
    """A statement under a name that begins with this one, as an Ibis table; its columns are said, not asked of the engine."""
    from ibis.expr.operations import DatabaseTable  # noqa: PLC0415 - as in `Engine.backend`

    name = f"{name}_{uuid4().hex[:8]}"
    engine.raw.execute(f"CREATE VIEW {quoted(name)} AS {sql}")
    return DatabaseTable(name, schema=types, source=engine.backend).to_expr()


def _counted(column: Column) -> str:
    """A stored column with a ``time`` as µs UTC."""
    name = quoted(column.name)
    return f"epoch_us({name}) AS {name}" if column.type == "time" else name


def compute(
    engine: Engine, expr: "ir.Table", table: Table, wait: Callable[[], None], wanted: Collection[str] | None = None
) -> tuple[str, list[str]]:
    """Compute an expression of a table with months, into memory. Returns the name of its rows there, and their months.

    `wanted`: only rows of these months stay. `wait` returns when what the expression reads is there: meanwhile it is compiled.
    A column that the table does not declare, or lacks, is a ValueError.
    """
    names = set(expr.schema().names)
    missing = [c.name for c in table.stored if c.name not in names and not c.nullable]
    extra = names - {c.name for c in table.stored} - {"month"}
    if missing or extra:
        raise ValueError(f"table {table.name}: the expression lacks {missing} and has undeclared {sorted(extra)}")
    columns = ", ".join(stored(c) if c.name in names else f"NULL::{DUCK_TYPE[c.type]} AS {quoted(c.name)}" for c in table.stored)
    computed = f"{table.name}_{uuid4().hex[:8]}"
    firsts = f"SELECT DISTINCT date_trunc('month', {quoted(table.month_of or '')}) FROM {quoted(computed)} ORDER BY 1"
    rows = engine.backend.compile(expr)
    wait()
    with room(engine.scratch):
        engine.raw.execute(f"CREATE TABLE {quoted(computed)} AS SELECT {columns} FROM ({rows})").fetchall()
        months = [f"{first:%Y-%m}" for (first,) in engine.rows(firsts)]
        other = [m for m in months if wanted is not None and m not in wanted]
        if other:
            engine.raw.execute(f"DELETE FROM {quoted(computed)} WHERE {in_months(table, other)}")
    return computed, [m for m in months if m not in other]


def keep(engine: Engine, name: str, sql: str) -> None:
    """Compute a statement into memory, under a name, beside other work of the engine; sorted rows are read back in order."""
    with room(engine.scratch), engine.raw.cursor() as beside:
        beside.execute(f"CREATE TABLE {quoted(name)} AS {sql}").fetchall()


def write(engine: Engine, computed: str, target: Folder, stem: str, months: Iterable[str], *, hold: bool) -> tuple[DataFile, ...]:
    """Move these months of computed rows to one Parquet file each, not committed; runs beside other work of the engine.

    `hold`: the rows stay in memory, too.
    """

    def write_month(month: str) -> DataFile:
        file = target.path / f"month={month}" / f"{stem}-{uuid4()}.parquet"
        file.parent.mkdir(parents=True, exist_ok=True)
        rows = f"FROM {quoted(computed)} WHERE {in_months(target.table, [month])}"
        with engine.raw.cursor() as beside:
            (written,) = beside.execute(f"COPY ({rows}) TO {text_of(file)} ({FACT_PARQUET}, RETURN_STATS)").fetchall()
        return measured(target, written)

    # a month alone keeps little more than one core busy
    with room(target.path), ThreadPoolExecutor(2) as pens, engine.raw.cursor() as beside:
        files = tuple(pens.map(write_month, months))
        if not hold:
            beside.execute(f"DROP TABLE {quoted(computed)}")
    return files
