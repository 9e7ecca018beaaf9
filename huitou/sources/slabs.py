"""Any table-shaped file as slabs: stretches of its rows as text columns, with their row numbers.

Comes in: a head and where its columns stand. Goes out: slabs; blank rows and repeated headers are already out of them.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from huitou.errors import FileRefused, Problem
from huitou.sources.layout import Placed
from huitou.sources.model import Head
from huitou.sources.reasons import problem
from huitou.sources.sniff import PARQUET_DAMAGED, PARQUET_ROWS, WRITE_AGAIN

SLAB_BYTES = 8 * 2**20


@dataclass(frozen=True, slots=True)
class Slab:
    """A stretch of a file: the wanted columns as text, named by their position, and ``row``; bytes of the file done."""

    frame: pl.DataFrame
    bytes_done: int
    problems: list[Problem] = field(default_factory=list)
    notes: dict[str, int] = field(default_factory=dict)


def wanted(placed: Placed) -> list[int]:
    """Positions of the columns that are read."""
    return sorted(set(placed.positions.values()))


def tidy(slab: Slab, head: Head, placed: Placed) -> Slab:
    """Without blank rows (counted in the notes) and without repetitions of the header (Problems)."""
    frame, problems, notes = slab.frame, list(slab.problems), dict(slab.notes)
    names = [name for name in frame.columns if name != "row"]
    first = frame[names[0]].str.strip_chars()
    suspect = first.is_null() | (first == "")
    if suspect.any():
        blank = frame.select(pl.all_horizontal(pl.col(n).fill_null("").str.strip_chars() == "" for n in names)).to_series()
        if blank.any():
            notes["blank_rows"] = int(blank.sum())
            frame = frame.filter(~blank)
    if placed.header_row and (first == placed.header[int(names[0])]).any():
        is_header = frame.select(
            pl.all_horizontal(pl.col(n).fill_null("").str.strip_chars() == placed.header[int(n)] for n in names)
        ).to_series()
        repeated = frame["row"].filter(is_header).to_list()
        problems += [problem(head.path.name, row, None, "repeated_header") for row in repeated]
        frame = frame.filter(~is_header)
    return Slab(frame, slab.bytes_done, problems, notes)


def sheet_slabs(head: Head, placed: Placed) -> Iterator[Slab]:
    """Rows of the sheet that the head is of."""
    assert head.book is not None and head.sheet is not None
    size = head.path.stat().st_size
    start = 1
    for batch in head.book.rows(head.sheet):
        frame = _numbered(batch.select([str(at) for at in wanted(placed)]), start)
        notes = {"other_sheets": len(head.sheets) - 1} if start == 1 and len(head.sheets) > 1 else {}
        start += batch.num_rows
        yield Slab(frame.filter(pl.col("row") > placed.header_row), size, [], notes)


def parquet_slabs(head: Head, placed: Placed) -> Iterator[Slab]:
    """Rows of a Parquet file, each value as text; the first row is 1."""
    columns = wanted(placed)
    with pq.ParquetFile(head.path) as file:
        total = max(1, file.metadata.num_rows)
        size = head.path.stat().st_size
        start = 1
        for batch in _damage_told(head, file.iter_batches(PARQUET_ROWS, columns=[placed.header[at] for at in columns])):
            frame = _frame(batch)
            named = frame.select(_as_text(frame[placed.header[at]]).alias(str(at)) for at in columns)
            yield Slab(_with_rows(named, start), size * (start + batch.num_rows - 1) // total)
            start += batch.num_rows


def _damage_told(head: Head, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """The same batches; damage found on the way is a FileRefused."""
    try:
        yield from batches
    except (pa.ArrowException, OSError):
        raise FileRefused(head.path, PARQUET_DAMAGED, WRITE_AGAIN) from None


def _as_text(values: pl.Series) -> pl.Series:
    if values.dtype == pl.Datetime:
        return values.dt.to_string("%Y-%m-%d %H:%M:%S" + ("%:z" if getattr(values.dtype, "time_zone", None) else ""))
    if values.dtype.is_nested():
        told = [None if value is None else json.dumps(value, ensure_ascii=False, default=str) for value in values.to_list()]
        return pl.Series(values.name, told, dtype=pl.String)
    return values.cast(pl.String)


def _numbered(batch: pa.RecordBatch, start: int) -> pl.DataFrame:
    return _with_rows(_frame(batch).cast(pl.String), start)


def _frame(batch: pa.RecordBatch) -> pl.DataFrame:
    frame = pl.from_arrow(pa.Table.from_batches([batch]))  # pa.table would load pandas to ask it whether this is its own
    assert isinstance(frame, pl.DataFrame)
    return frame


def _with_rows(frame: pl.DataFrame, start: int) -> pl.DataFrame:
    return frame.with_columns(pl.int_range(start, start + frame.height).alias("row"))
