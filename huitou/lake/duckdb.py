"""The embedded engine: stages and finishes loads, materialises facts, and gives snapshots as Ibis tables."""

import os
import shutil
import tempfile
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import duckdb
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from huitou.lake.delta import SUPERSEDED, Catalog, DataFile, Folder
from huitou.lake.disk import room
from huitou.lake.prints import prints
from huitou.tables import TABLES, Column, Table

if TYPE_CHECKING:
    import ibis.expr.types as ir
    from ibis.backends.duckdb import Backend

DUCK_TYPE = {
    "key": "BIGINT", "int": "BIGINT", "money": "BIGINT", "time": "TIMESTAMPTZ", "date": "DATE", "bool": "BOOLEAN",
    "float": "DOUBLE", "code": "VARCHAR", "codes": "VARCHAR", "text": "VARCHAR",
}  # fmt: skip
FRAME_TYPE = {**DUCK_TYPE, "time": "BIGINT"}
PARQUET = (
    "FORMAT parquet, PARQUET_VERSION v2, COMPRESSION zstd, COMPRESSION_LEVEL 1, DICTIONARY_SIZE_LIMIT 3000, ROW_GROUP_SIZE 122880"
)
"""Delta-coded integers and small dictionaries: a fifth less work than version 1 with large ones, a tenth smaller."""
_VALUE: dict[str, Callable[[str], Any]] = {
    "key": int, "int": int, "money": int, "date": date.fromisoformat, "time": datetime.fromisoformat,
}  # fmt: skip
FLUSH_ROWS = 250_000
STAGED_GROUP = 65_536
SORTED_ROWS = 400_000
"""Rows sorted at once, about: what bounds the memory of a large month."""
COUNTED_ROWS = 1_000_000
"""Rows of a load among which repeats are looked for at once."""
ONE_MONTH = "all"
"""The partition of a table that has no month."""


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


@dataclass(frozen=True, slots=True)
class Finished:
    """One table of a load, written and measured but not committed: its files, the rows it brought and knew, its days."""

    files: tuple[DataFile, ...]
    superseded: tuple[DataFile, ...]
    stored: int
    known: int
    first_day: date | None
    last_day: date | None

    @property
    def months(self) -> tuple[str, ...]:
        """Months whose visible rows change."""
        return tuple(sorted({f.month for f in (*self.files, *self.superseded)}))


@dataclass(frozen=True, slots=True)
class _Stretch:
    """Staged rows of one month that are sorted and written at once, and the range of days and instants in which equal rows
    can be stored; `keys` is the condition that tells them from the other rows of a large month."""

    month: str
    days: tuple[date, date] | None
    times: tuple[int, int] | None
    keys: str = ""


class Staging:
    """The rows of one load on their way in: streamed to scratch Parquet files, then finished table by table."""

    def __init__(self, engine: Engine, root: Path, load: int) -> None:
        self._engine = engine
        self._root = root
        self._load = load
        self._folder = root / "_staging" / f"load-{load}"
        self._waiting: dict[str, list[pa.Table]] = {}
        self._parts: dict[str, list[str]] = {}
        self.rows: dict[str, int] = {}

    def add(self, table: Table, frame: pl.DataFrame) -> None:
        """Stage a frame with all declared columns and ``row``; memory stays at about `FLUSH_ROWS` rows per table."""
        seen = self.rows.get(table.name, 0)
        waiting = self._waiting.setdefault(table.name, [])
        numbers = pl.int_range(seen, seen + frame.height, dtype=pl.Int64).alias("seq")
        # With texts of their own: a frame of a few rows would keep the texts of the whole stretch it was cut out of.
        waiting.append(frame.with_columns(numbers, prints(table, frame)).to_arrow())
        self.rows[table.name] = seen + frame.height
        if sum(rows.num_rows for rows in waiting) >= FLUSH_ROWS:
            self._flush(table)

    def _flush(self, table: Table) -> None:
        waiting = self._waiting.pop(table.name, [])
        if not any(rows.num_rows for rows in waiting):
            return
        parts = self._parts.setdefault(table.name, [])
        path = self._folder / f"{table.name}-{len(parts)}.parquet"
        with room(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            # Read two or three times and thrown away: little work matters more than few bytes.
            measured = [c for c in (table.month_of, _clock(table)) if c]
            pq.write_table(
                pa.concat_tables(waiting), path, STAGED_GROUP, compression="lz4", use_dictionary=False, write_statistics=measured
            )
        parts.append(str(path))

    def finish(self, table: Table, target: Folder, catalog: Catalog) -> Finished:
        """Give every row its key, leave out what is known, sort, and write one file per month to its final folder."""
        self._flush(table)
        with room(target.path):
            staged = _read(self._parts[table.name])
            repeats = self._number_repeats(table, staged)
            stored = catalog.files(table.name)
            stretches = self._stretches(table, staged)

            def write(stretch: _Stretch) -> list[DataFile]:
                near = [str(target.path / f.path) for f in stored if _overlaps(table, f, stretch)]
                return self._write(table, target, self._new_rows(table, staged, repeats, stretch, near), stretch.month)

            with ThreadPoolExecutor(2) as pens:  # one alone keeps little more than one core busy
                files = [file for written in pens.map(write, stretches) for file in written]
            superseded = self._supersede(table, target, files, catalog)
        days = [d for s in stretches if s.days for d in s.days]
        fresh = sum(f.rows for f in files)
        return Finished(
            tuple(files), superseded, fresh, self.rows[table.name] - fresh, min(days, default=None), max(days, default=None)
        )

    def _number_repeats(self, table: Table, staged: str) -> bool:
        self._engine.raw.execute("CREATE OR REPLACE TABLE repeats (seq BIGINT, n BIGINT)")
        shares = -(-self.rows[table.name] // COUNTED_ROWS)
        for share in range(shares):  # a share of the keys at a time: memory does not grow with the file
            some = f"FROM {staged} WHERE h % {shares} = {share}"
            self._engine.raw.execute(
                f"INSERT INTO repeats SELECT seq, n FROM (SELECT seq, row_number() OVER (PARTITION BY h"
                f' ORDER BY "row", seq) AS n {some} AND h IN (SELECT h {some} GROUP BY h HAVING count(*) > 1)) WHERE n > 1'
            )
        return self._engine.one("SELECT count(*) FROM repeats") > 0

    def _stretches(self, table: Table, staged: str) -> list[_Stretch]:
        if table.month_of is None:
            return [_Stretch(ONE_MONTH, None, None)]
        day, time = _q(table.month_of), _clock(table)
        span = f"min({_q(time)}), max({_q(time)})" if time else "NULL, NULL"
        return [
            _Stretch(m, (first, last), (low, high) if low is not None else None, keys)
            for m, n, first, last, low, high in self._engine.rows(
                f"SELECT strftime(date_trunc('month', {day}), '%Y-%m'), count(*), min({day}), max({day}), {span}"
                f" FROM {staged} GROUP BY 1 ORDER BY 1"
            )
            for keys in _key_ranges(table, n)
        ]

    def _new_rows(self, table: Table, staged: str, repeats: bool, stretch: _Stretch, near: list[str]) -> str:
        key, join, where = "s.h", "", []
        if repeats:
            join = "LEFT JOIN repeats r ON r.seq = s.seq"
            if table.repeats == "drop":
                where.append("r.seq IS NULL")
            else:
                key = "CASE WHEN r.seq IS NULL THEN s.h ELSE (md5_number_lower(concat_ws('#', s.h, r.n)) >> 1)::BIGINT END"
        within = ""
        if stretch.days and table.month_of:
            within = f"{_q(table.month_of)} BETWEEN DATE '{stretch.days[0]}' AND DATE '{stretch.days[1]}'"
            where.append("s." + within)
        if stretch.keys:
            within += " AND " + stretch.keys
            where.append(stretch.keys)
        condition = f" WHERE {' AND '.join(where)}" if where else ""
        columns = ", ".join(_stored(c, "s.") for c in table.columns)
        rows = f'SELECT {columns}, {key} AS row_key, {self._load}::BIGINT AS "load", s."row" FROM {staged} s {join}{condition}'
        if near:
            known = f"SELECT row_key FROM {_read(near)}{within and ' WHERE ' + within}"
            rows = f"SELECT * FROM ({rows}) ANTI JOIN ({known}) USING (row_key)"
        order = ", ".join(_q(c) for c in table.cluster)
        return f"{rows} ORDER BY {order}" if order else rows

    def _write(self, table: Table, target: Folder, rows: str, month: str) -> list[DataFile]:
        path = f"month={month}/load-{self._load}-{uuid4().hex[:12]}.parquet"
        file = target.path / path
        file.parent.mkdir(parents=True, exist_ok=True)
        with self._engine.raw.cursor() as beside:
            written = beside.execute(f"COPY ({rows}) TO {_s(file)} ({PARQUET}, RETURN_STATS)").fetchall()
        if not written or not written[0][1]:
            file.unlink(missing_ok=True)
            return []
        return [_measured(target, written[0])]

    def _supersede(self, table: Table, target: Folder, files: list[DataFile], catalog: Catalog) -> tuple[DataFile, ...]:
        """Of each thing that has several versions now, list all but the newest."""
        if not table.versions or not files:
            return ()
        engine, keys = self._engine, ", ".join(_q(k) for k in table.key)
        same = " AND ".join(f"a.{_q(k)} IS NOT DISTINCT FROM b.{_q(k)}" for k in table.key)
        new = _read([str(target.path / f.path) for f in files])
        old_paths = catalog.paths(table.name)
        engine.raw.execute(f"CREATE OR REPLACE TABLE again AS SELECT {keys} FROM {new} GROUP BY ALL HAVING count(*) > 1")
        if old_paths:
            engine.raw.execute(
                f"INSERT INTO again SELECT DISTINCT {keys} FROM {new} a WHERE EXISTS (FROM {_read(old_paths)} b WHERE {same})"
            )
        if not engine.one("SELECT count(*) FROM again"):
            return ()
        gone = catalog.superseded_paths(table.name)
        grown = "".join(f"{_growth(table.by_name[name])} DESC NULLS LAST, " for name in table.grows)
        rows = f"SELECT *, {_rank(table)} FROM {_read([*old_paths, *(str(target.path / f.path) for f in files)])} a"
        rows += f" WHERE EXISTS (FROM again b WHERE {same})"
        rows += f" AND row_key NOT IN (SELECT row_key FROM {_read(gone)})" if gone else ""
        engine.raw.execute(
            f"CREATE OR REPLACE TABLE losers AS SELECT row_key, month FROM ({rows}) QUALIFY row_number() OVER (PARTITION BY"
            f' {keys} ORDER BY moved_at DESC NULLS LAST, filled DESC, {grown}"load" DESC, "row" DESC, row_key DESC) > 1'
        )
        return tuple(self._write_losers(Folder(self._root / "superseded" / table.name, SUPERSEDED[table.name])))

    def _write_losers(self, target: Folder) -> Iterable[DataFile]:
        for (month,) in self._engine.rows("SELECT DISTINCT month FROM losers ORDER BY 1"):
            yield from self._write(target.table, target, f"SELECT row_key FROM losers WHERE month = '{month}'", month)

    def clear(self) -> None:
        """Remove the scratch files of the load."""
        shutil.rmtree(self._folder, ignore_errors=True)


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

    def frame(self, expr: "ir.Expr") -> pl.DataFrame:
        """Run an expression over this snapshot's tables. Raises DiskFull when there is no room to spill."""
        with room(self._engine.scratch):
            return pl.DataFrame(pl.from_arrow(self._engine.backend.to_pyarrow(expr.as_table())))

    def close(self) -> None:
        """Let the snapshot go."""
        self._engine.close()

    def __enter__(self) -> "Snapshot":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()


def view(engine: Engine, table: Table, paths: Sequence[str], gone: Sequence[str] = ()) -> "ir.Table":
    """An Ibis table over Parquet files, without the rows that `gone` files list; empty, with its schema, without files."""
    name = f"{table.name}_{uuid4().hex[:8]}"
    if paths:
        columns = ", ".join(f"epoch_us({_q(c.name)}) AS {_q(c.name)}" if c.type == "time" else _q(c.name) for c in table.stored)
        rows = f"SELECT {columns}, month FROM {_read(paths)}"
        rows += f" ANTI JOIN (SELECT row_key FROM {_read(gone)}) USING (row_key)" if gone else ""
    else:
        columns = ", ".join(f"NULL::{FRAME_TYPE[c.type]} AS {_q(c.name)}" for c in table.stored)
        rows = f"SELECT {columns}, NULL::VARCHAR AS month WHERE false"
    engine.raw.execute(f"CREATE VIEW {_q(name)} AS {rows}")
    return engine.backend.table(name)


def compute(engine: Engine, expr: "ir.Table", table: Table, wait: Callable[[], None]) -> tuple[str, list[str]]:
    """Compute an expression of a table with months, into memory. Returns the name of its rows there, and their months.

    `wait` returns when what the expression reads is there: meanwhile it is compiled.
    A column that the table does not declare, or lacks, is a ValueError.
    """
    names = set(expr.schema().names)
    missing = [c.name for c in table.stored if c.name not in names and not c.nullable]
    extra = names - {c.name for c in table.stored} - {"month"}
    if missing or extra:
        raise ValueError(f"table {table.name}: the expression lacks {missing} and has undeclared {sorted(extra)}")
    columns = ", ".join(_stored(c) if c.name in names else f"NULL::{DUCK_TYPE[c.type]} AS {_q(c.name)}" for c in table.stored)
    computed = f"{table.name}_{uuid4().hex[:8]}"
    firsts = f"SELECT DISTINCT date_trunc('month', {_q(table.month_of or '')}) FROM {_q(computed)} ORDER BY 1"
    rows = engine.backend.compile(expr)
    wait()
    with room(engine.scratch):
        engine.raw.execute(f"CREATE TABLE {_q(computed)} AS SELECT {columns} FROM ({rows})").fetchall()
        return computed, [f"{first:%Y-%m}" for (first,) in engine.rows(firsts)]


def keep(engine: Engine, name: str, sql: str) -> None:
    """Compute a statement into memory, under a name, beside other work of the engine; sorted rows are read back in order."""
    with room(engine.scratch), engine.raw.cursor() as beside:
        beside.execute(f"CREATE TABLE {_q(name)} AS {sql}").fetchall()


def write(engine: Engine, computed: str, target: Folder, stem: str, months: Iterable[str]) -> tuple[DataFile, ...]:
    """Move these months of computed rows to one Parquet file each, not committed; runs beside other work of the engine."""
    day = _q(target.table.month_of or "")

    def write_month(month: str) -> DataFile:
        file = target.path / f"month={month}" / f"{stem}-{uuid4()}.parquet"
        file.parent.mkdir(parents=True, exist_ok=True)
        rows = f"FROM {_q(computed)} WHERE {day} BETWEEN DATE '{month}-01' AND last_day(DATE '{month}-01')"
        with engine.raw.cursor() as beside:
            (written,) = beside.execute(f"COPY ({rows}) TO {_s(file)} ({PARQUET}, RETURN_STATS)").fetchall()
        return _measured(target, written)

    # a month alone keeps little more than one core busy
    with room(target.path), ThreadPoolExecutor(2) as pens, engine.raw.cursor() as beside:
        files = tuple(pens.map(write_month, months))
        beside.execute(f"DROP TABLE {_q(computed)}")
    return files


def _measured(target: Folder, written: tuple[Any, ...]) -> DataFile:
    """A written file from what COPY … RETURN_STATS says of it; texts and floats (NaN has no place in JSON) are left out."""
    path, rows, size, _, columns = written[:5]
    low, high = {}, {}
    for column in target.table.stored:
        stats = columns.get(_q(column.name), {})
        if column.type in _VALUE and "min" in stats and "max" in stats:
            low[column.name], high[column.name] = _VALUE[column.type](stats["min"]), _VALUE[column.type](stats["max"])
    relative = Path(path).relative_to(target.path)
    return DataFile(str(relative), relative.parts[0].removeprefix("month="), int(rows), int(size), low, high)


def _q(name: str) -> str:
    return f'"{name}"'


def _s(text: object) -> str:
    return "'" + str(text).replace("'", "''") + "'"


def _read(paths: Sequence[str]) -> str:
    listed = ", ".join(_s(p) for p in paths)
    return f"read_parquet([{listed}], hive_partitioning = true, hive_types_autocast = false)"


def _stored(column: Column, of: str = "") -> str:
    name = f"{of}{_q(column.name)}"
    return f"make_timestamptz({name}) AS {_q(column.name)}" if column.type == "time" else (
        f"{name}::{DUCK_TYPE[column.type]} AS {_q(column.name)}"
    )  # fmt: skip


def _key_ranges(table: Table, rows: int) -> list[str]:
    """Conditions that cut so many rows into stretches of about `SORTED_ROWS`: keys are hashes and spread evenly."""
    parts = -(-rows // SORTED_ROWS)
    if parts < 2 or not table.cluster or table.by_name[table.cluster[0]].type != "key":
        return [""]
    key = f"coalesce({_q(table.cluster[0])}, 0)"
    return [f"{key} BETWEEN {2**63 * part // parts} AND {2**63 * (part + 1) // parts - 1}" for part in range(parts)]


def _clock(table: Table) -> str | None:
    """The instant that never is empty, if the table has one."""
    return next((c.name for c in table.columns if c.type == "time" and not c.nullable), None)


def _rank(table: Table) -> str:
    """What makes a version the newer one: its latest own instant, then how much of it is filled."""
    times = ", ".join(_q(c.name) for c in table.columns if c.type == "time")
    filled = " + ".join(f"({_q(c.name)} IS NOT NULL)::INT" for c in table.columns if c.nullable)
    return f"{f'epoch_us(greatest({times}))' if times else 0} AS moved_at, {filled or 0} AS filled"


def _growth(column: Column) -> str:
    """A number that is larger in the newer of two versions."""
    states = ", ".join(_s(state) for state in column.states)
    return f"list_position([{states}], {_q(column.name)})" if states else _q(column.name)


def _overlaps(table: Table, file: DataFile, stretch: _Stretch) -> bool:
    """Whether a stored file can hold a row that equals a staged one: equal rows have equal days and instants."""
    if file.month != stretch.month:
        return False
    day, time = table.month_of, _clock(table)
    if stretch.days and day in file.low and (file.high[day] < stretch.days[0] or file.low[day] > stretch.days[1]):
        return False
    if stretch.times and time in file.low:
        return not (_micros(file.high[time]) < stretch.times[0] or _micros(file.low[time]) > stretch.times[1])
    return True


def _micros(instant: datetime) -> int:
    aware = instant if instant.tzinfo else instant.replace(tzinfo=UTC)
    whole = int(aware.replace(microsecond=0).timestamp())
    return whole * 1_000_000 + aware.microsecond
