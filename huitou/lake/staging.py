"""The rows of one load on their way in: staged as they are read, then given keys and written by month, what is known left out."""

import shutil
from collections.abc import Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime
from itertools import pairwise
from pathlib import Path
from uuid import uuid4

import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from huitou.lake.delta import SUPERSEDED, Catalog, DataFile, Folder
from huitou.lake.disk import room
from huitou.lake.duckdb import Engine
from huitou.lake.prints import prints
from huitou.lake.sql import PARQUET, files_of, measured, quoted, stored, text_of
from huitou.tables import Column, Table

FLUSH_ROWS = 125_000
STAGED_GROUP = 65_536
SORTED_AFTER = 8
"""Staged files after which a load is large, and its further files are sorted by key and their groups of rows small: each
stretch of a large month reads all of them, and so passes over the groups that hold none of its keys."""
SORTED_GROUP = 16_384
SORTED_ROWS, STRETCH_ROWS = 400_000, 250_000
"""Rows of a month that are sorted at once; a larger one is cut into stretches of so many, which bounds the memory."""
COUNTED_ROWS = 1_000_000
"""Rows of a load among which repeats are looked for at once."""
Prints = npt.NDArray[np.int64]
"""What rows say, see `huitou.lake.prints`: from 0 to 2**63 - 1, spread evenly."""
ONE_MONTH = "all"
"""The partition of a table that has no month."""


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
    can be stored; `keys` is that of their first cluster column (0 for none), which tells them from the other rows of a large
    month."""

    month: str
    days: tuple[date, date] | None
    times: tuple[int, int] | None
    keys: tuple[int, int] | None = None


class Staging:
    """The rows of one load on their way in: streamed to scratch Parquet files, then finished table by table."""

    def __init__(self, engine: Engine, root: Path, load: int) -> None:
        self._engine = engine
        self._root = root
        self._load = load
        self._folder = root / "_staging" / f"load-{load}"
        self._waiting: dict[str, list[pa.Table]] = {}
        self._parts: dict[str, list[str]] = {}
        self._beside = ThreadPoolExecutor(1, "huitou-staging")
        self._writing: Future[None] | None = None
        self.rows: dict[str, int] = {}

    def add(self, table: Table, frame: pl.DataFrame) -> None:
        """Stage a frame with all declared columns and ``row``; memory stays at about twice `FLUSH_ROWS` rows of a table.

        They are written while the caller goes on; what that raises, the next that writes or `finish` raises.
        """
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
        self._flushed()
        parts = self._parts.setdefault(table.name, [])
        path = self._folder / f"{table.name}-{len(parts)}.parquet"
        self._writing = self._beside.submit(_write_staged, table, waiting, path, ordered=len(parts) >= SORTED_AFTER)
        parts.append(str(path))

    def _flushed(self) -> None:
        """Wait until what is staged is written. Raises DiskFull."""
        writing, self._writing = self._writing, None
        if writing is not None:
            writing.result()

    def finish(self, table: Table, target: Folder, catalog: Catalog) -> Finished:
        """Give every row its key, leave out what is known, sort, and write one file per month to its final folder."""
        self._flush(table)
        self._flushed()
        with room(target.path):
            staged = files_of(self._parts[table.name])
            repeats = self._number_repeats(table, staged)
            there = catalog.files(table.name)
            stretches = self._stretches(table, staged)

            def write(stretch: _Stretch) -> list[DataFile]:
                near = [str(target.path / f.path) for f in there if _overlaps(table, f, stretch)]
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
        """Number the rows that stand in the load more than once; whether there are any, which mostly there are not."""
        again = self._again(table)
        shares = -(-len(again) // COUNTED_ROWS)
        with self._engine.raw.cursor() as beside:
            beside.execute("CREATE OR REPLACE TABLE repeats (seq BIGINT, n BIGINT)")
            for some in np.array_split(again, max(shares, 1)) if shares else []:
                beside.register("again", pl.DataFrame({"h": some}).to_arrow())
                beside.execute(
                    f"INSERT INTO repeats SELECT seq, n FROM (SELECT seq, row_number() OVER (PARTITION BY h"
                    f' ORDER BY "row", seq) AS n FROM {staged} WHERE h IN (FROM again)) WHERE n > 1'
                )
        return shares > 0

    def _again(self, table: Table) -> Prints:
        """The prints that more than one row of the load has, ascending; a share of them at a time, so that memory does not grow
        with the file."""
        shares = -(-self.rows[table.name] // COUNTED_ROWS)
        ends = [2**63 * share // shares for share in range(1, shares)]
        twice = []
        for low, high in pairwise([0, *ends, 2**63 - 1]):
            read = (pl.read_parquet(part, columns=["h"])["h"].to_numpy() for part in self._parts[table.name])
            some = np.concatenate([h[(h >= low) & (h <= high)] for h in read] if shares > 1 else [*read])
            some.sort()
            twice.append(np.unique(some[1:][some[1:] == some[:-1]]))
        return np.unique(np.concatenate(twice))

    def _stretches(self, table: Table, staged: str) -> list[_Stretch]:
        if table.month_of is None:
            return [_Stretch(ONE_MONTH, None, None)]
        day, time = quoted(table.month_of), _clock(table)
        span = f"min({quoted(time)}), max({quoted(time)})" if time else "NULL, NULL"
        return [
            _Stretch(m, (first, last), (low, high) if low is not None else None, keys)
            for m, n, first, last, low, high in self._engine.rows(
                f"SELECT strftime(begins, '%Y-%m'), * EXCLUDE (begins) FROM (SELECT date_trunc('month', {day}) AS begins,"
                f" count(*), min({day}), max({day}), {span} FROM {staged} GROUP BY 1) ORDER BY 1"
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
            within = f"{quoted(table.month_of)} BETWEEN DATE '{stretch.days[0]}' AND DATE '{stretch.days[1]}'"
            where.append("s." + within)
        if stretch.keys:
            some = _between(quoted(table.cluster[0]), *stretch.keys)
            within += " AND " + some
            where.append(some)
        condition = f" WHERE {' AND '.join(where)}" if where else ""
        columns = ", ".join(stored(c, "s.") for c in table.columns)
        rows = f'SELECT {columns}, {key} AS row_key, {self._load}::BIGINT AS "load", s."row" FROM {staged} s {join}{condition}'
        if near:
            known = f"SELECT row_key FROM {files_of(near)}{within and ' WHERE ' + within}"
            rows = f"SELECT * FROM ({rows}) ANTI JOIN ({known}) USING (row_key)"
        order = ", ".join(quoted(c) for c in table.cluster)
        return f"{rows} ORDER BY {order}" if order else rows

    def _write(self, table: Table, target: Folder, rows: str, month: str) -> list[DataFile]:
        path = f"month={month}/load-{self._load}-{uuid4().hex[:12]}.parquet"
        file = target.path / path
        file.parent.mkdir(parents=True, exist_ok=True)
        with self._engine.raw.cursor() as beside:
            written = beside.execute(f"COPY ({rows}) TO {text_of(file)} ({PARQUET}, RETURN_STATS)").fetchall()
        if not written or not written[0][1]:
            file.unlink(missing_ok=True)
            return []
        return [measured(target, written[0])]

    def _supersede(self, table: Table, target: Folder, files: list[DataFile], catalog: Catalog) -> tuple[DataFile, ...]:
        """Of each thing that has several versions now, list all but the newest."""
        if not table.versions or not files:
            return ()
        engine, keys = self._engine, ", ".join(quoted(k) for k in table.key)
        same = " AND ".join(f"a.{quoted(k)} IS NOT DISTINCT FROM b.{quoted(k)}" for k in table.key)
        new = files_of([str(target.path / f.path) for f in files])
        old_paths = catalog.paths(table.name)
        engine.raw.execute(f"CREATE OR REPLACE TABLE again AS SELECT {keys} FROM {new} LIMIT 0")
        for some in _key_shares(table, sum(f.rows for f in files)):
            engine.raw.execute(f"INSERT INTO again SELECT {keys} FROM {new}{some} GROUP BY ALL HAVING count(*) > 1")
        if old_paths:
            engine.raw.execute(
                f"INSERT INTO again SELECT DISTINCT {keys} FROM {new} a WHERE EXISTS (FROM {files_of(old_paths)} b WHERE {same})"
            )
        if not engine.one("SELECT count(*) FROM again"):
            return ()
        gone = catalog.superseded_paths(table.name)
        grown = "".join(f"{_growth(table.by_name[name])} DESC NULLS LAST, " for name in table.grows)
        rows = f"SELECT *, {_rank(table)} FROM {files_of([*old_paths, *(str(target.path / f.path) for f in files)])} a"
        rows += f" WHERE EXISTS (FROM again b WHERE {same})"
        rows += f" AND row_key NOT IN (SELECT row_key FROM {files_of(gone)})" if gone else ""
        engine.raw.execute(
            f"CREATE OR REPLACE TABLE losers AS SELECT row_key, month FROM ({rows}) QUALIFY row_number() OVER (PARTITION BY"
            f' {keys} ORDER BY moved_at DESC NULLS LAST, filled DESC, {grown}"load" DESC, "row" DESC, row_key DESC) > 1'
        )
        return tuple(self._write_losers(Folder(self._root / "superseded" / table.name, SUPERSEDED[table.name])))

    def _write_losers(self, target: Folder) -> Iterable[DataFile]:
        for (month,) in self._engine.rows("SELECT DISTINCT month FROM losers ORDER BY 1"):
            yield from self._write(target.table, target, f"SELECT row_key FROM losers WHERE month = '{month}'", month)

    def clear(self) -> None:
        """Remove the scratch files of the load, and their folder when it was the only one."""
        self._beside.shutdown()
        shutil.rmtree(self._folder, ignore_errors=True)
        with suppress(OSError):
            self._folder.parent.rmdir()


def _write_staged(table: Table, waiting: list[pa.Table], path: Path, *, ordered: bool) -> None:
    """Read two or three times and thrown away: little work matters more than few bytes."""
    with room(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        key = _key(table)
        measured = [c for c in (table.month_of, _clock(table), key) if c]
        rows, group = pa.concat_tables(waiting), STAGED_GROUP
        if ordered and key:
            rows, group = rows.sort_by(key), SORTED_GROUP
        pq.write_table(rows, path, group, compression="lz4", use_dictionary=False, write_statistics=measured)


def _key(table: Table) -> str | None:
    """The first cluster column, if it is a key."""
    return table.cluster[0] if table.cluster and table.by_name[table.cluster[0]].type == "key" else None


def _key_ranges(table: Table, rows: int) -> list[tuple[int, int] | None]:
    """Ranges that cut more than `SORTED_ROWS` into stretches: keys are hashes and spread evenly."""
    if rows <= SORTED_ROWS or not _key(table):
        return [None]
    parts = -(-rows // STRETCH_ROWS)
    return [(2**63 * part // parts, 2**63 * (part + 1) // parts - 1) for part in range(parts)]


def _between(column: str, low: int, high: int) -> str:
    """The condition that a key is in a range, in a form by which groups of rows can be passed over; none counts as 0."""
    return f"{column} BETWEEN {low} AND {high}" if low else f"({column} IS NULL OR {column} <= {high})"


def _key_shares(table: Table, rows: int) -> list[str]:
    """Conditions that cut so many rows into shares of about `COUNTED_ROWS`, all versions of a thing in the same one."""
    shares, first = -(-rows // COUNTED_ROWS), table.by_name[table.key[0]]
    if shares < 2 or first.type != "key":
        return [""]
    return [f" WHERE coalesce({quoted(first.name)}, 0) % {shares} = {share}" for share in range(shares)]


def _clock(table: Table) -> str | None:
    """The instant that never is empty, if the table has one."""
    return next((c.name for c in table.columns if c.type == "time" and not c.nullable), None)


def _rank(table: Table) -> str:
    """What makes a version the newer one: its latest own instant, then how much of it is filled."""
    times = ", ".join(quoted(c.name) for c in table.columns if c.type == "time")
    filled = " + ".join(f"({quoted(c.name)} IS NOT NULL)::INT" for c in table.columns if c.nullable)
    return f"{f'epoch_us(greatest({times}))' if times else 0} AS moved_at, {filled or 0} AS filled"


def _growth(column: Column) -> str:
    """A number that is larger in the newer of two versions."""
    states = ", ".join(text_of(state) for state in column.states)
    return f"list_position([{states}], {quoted(column.name)})" if states else quoted(column.name)


def _overlaps(table: Table, file: DataFile, stretch: _Stretch) -> bool:
    """Whether a stored file can hold a row that equals a staged one: equal rows have equal days and instants."""
    if file.month != stretch.month:
        return False
    day, time = table.month_of, _clock(table)
    if stretch.days and day in file.low and (file.high[day] < stretch.days[0] or file.low[day] > stretch.days[1]):
        return False
    if stretch.times and time in file.low and not _meet(stretch.times, (_micros(file.low[time]), _micros(file.high[time]))):
        return False
    key = table.cluster[0] if stretch.keys else ""
    if stretch.keys and stretch.keys[0] and key in file.low:  # a file's range says nothing of rows without a key: they count as 0
        return _meet(stretch.keys, (file.low[key], file.high[key]))
    return True


def _meet(one: tuple[int, int], other: tuple[int, int]) -> bool:
    """Whether two ranges have a number in common."""
    return one[0] <= other[1] and other[0] <= one[1]


def _micros(instant: datetime) -> int:
    aware = instant if instant.tzinfo else instant.replace(tzinfo=UTC)
    whole = int(aware.replace(microsecond=0).timestamp())
    return whole * 1_000_000 + aware.microsecond
