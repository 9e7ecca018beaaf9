"""CSV and other delimited text, streamed: quoted line breaks are kept, and every row that does not fit is named.

Comes in: a head and where its columns stand. Goes out: slabs. The whole file is never in memory.
"""

import re
from collections.abc import Iterator
from typing import IO, Literal, cast

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.csv as pc

from huitou.errors import FileRefused, Problem, Say
from huitou.sources.layout import TOTALS, Placed
from huitou.sources.model import Head
from huitou.sources.reasons import problem
from huitou.sources.slabs import Slab, wanted
from huitou.sources.sniff import delimiter
from huitou.sources.text import Utf8

SLAB_BYTES = 32 * 2**20
SLAB_ROWS = 80_000
"""A slab ends with the first of them: large, because every step of its way takes some time however few rows there are."""
_BLOCK_BYTES = 2**20  # what the parser works on fits the processor's cache: a third less work than with 8 MiB
_ROWLESS_LIMIT = 64  # blocks without the end of a row: a quotation mark was opened and never closed
_AGAIN = Say(
    '重新导出；如果改过这个文件，找一找不成对的引号 "。',
    'Export the file again; if it was edited, look for a quotation mark " without a partner.',
)


def _slab_of(batches: Iterator[pa.RecordBatch]) -> list[pa.RecordBatch]:
    """The next blocks that make a slab; none at the end."""
    some: list[pa.RecordBatch] = []
    rows = 0
    for batch in batches:
        some.append(batch)
        rows += batch.num_rows
        if rows >= SLAB_ROWS or len(some) >= SLAB_BYTES // _BLOCK_BYTES:
            break
    return some


class Delimited:
    """One pass over a delimited file."""

    def __init__(self, head: Head, placed: Placed) -> None:
        self._head = head
        self._placed = placed
        self._columns = sorted({*wanted(placed), placed.width - 1})
        self._misfits: list[tuple[int, bool, str]] = []  # row, too short, its text if it spans lines
        self._totals: set[int] = set()  # misfits that only add up the rows above
        self._next = 1  # row number of the next row to come, misfits not yet counted
        self._told = 0  # misfits before this index are already Problems

    def slabs(self) -> Iterator[Slab]:
        """Stretches of at most `SLAB_BYTES`. Raises FileRefused for what cannot be split into rows at all."""
        assert self._head.encoding is not None
        with Utf8(self._head.path, self._head.encoding) as stream:
            held: Slab | None = None
            for frame in self._frames(stream):
                if held is not None:
                    yield held
                held = Slab(frame, stream.bytes_done, self._problems(self._next))
            yield self._end(held, stream)

    def _frames(self, stream: Utf8) -> Iterator[pl.DataFrame]:
        """Data rows with their numbers, block by block."""
        try:
            batches = self._batches(stream)
            while some := _slab_of(batches):
                frame = pl.from_arrow(pa.Table.from_batches(some))
                assert isinstance(frame, pl.DataFrame)
                numbers = self._numbers(frame.height)
                frame = frame.with_columns(pl.Series("row", numbers, dtype=pl.Int64))
                above = numbers[0] <= self._placed.header_row
                yield frame.filter(pl.col("row") > self._placed.header_row) if above else frame
        except pa.ArrowInvalid:
            raise (self._unclosed(self._next) if stream.quotes else self._endless(self._next)) from None

    def _batches(self, stream: Utf8) -> Iterator[pa.RecordBatch]:
        """What the parser makes of the file's blocks, without those in which no row ends."""
        empty = 0
        for batch in self._reader(stream):
            empty = empty + 1 if not batch.num_rows else 0
            if empty > _ROWLESS_LIMIT:
                raise self._unclosed(self._next) if stream.quotes else self._endless(self._next)
            for at in range(0, batch.num_rows, SLAB_ROWS):  # a block of line ends only is a million rows
                yield batch.slice(at, SLAB_ROWS)

    def _reader(self, stream: Utf8) -> pc.CSVStreamingReader:
        names = [str(i) for i in range(self._placed.width)]
        return pc.open_csv(
            cast(IO[bytes], stream),
            read_options=pc.ReadOptions(column_names=names, block_size=_BLOCK_BYTES, use_threads=False),
            parse_options=pc.ParseOptions(
                delimiter=delimiter(self._head.lines),
                newlines_in_values=True,
                ignore_empty_lines=False,
                invalid_row_handler=self._misfit,
            ),
            convert_options=pc.ConvertOptions(
                include_columns=[str(i) for i in self._columns],
                column_types={name: pa.string() for name in names},
                strings_can_be_null=False,
                check_utf8=False,  # the stream has proved it
            ),
        )

    def _misfit(self, row: pc.InvalidRow) -> Literal["skip", "error"]:
        text = row.text if "\n" in row.text or "\r" in row.text else ""
        assert row.number is not None  # it is only for parallel reading
        short = row.actual_columns < row.expected_columns
        self._misfits.append((row.number, short, text))
        if short and re.match(TOTALS, row.text.split(delimiter(self._head.lines))[0].strip(' \t\r"')):
            self._totals.add(row.number)
        return "skip"

    def _numbers(self, height: int) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
        """Row numbers of the next `height` good rows: the misfits among them took numbers of their own."""
        taken = np.array([row for row, _, _ in self._misfits if row >= self._next], dtype=np.int64)
        if not len(taken):
            self._next += height
            return np.arange(self._next - height, self._next, dtype=np.int64)
        inside = 0
        while (more := int((taken < self._next + height + inside).sum())) != inside:
            inside = more
        numbers = np.setdiff1d(np.arange(self._next, self._next + height + inside, dtype=np.int64), taken, assume_unique=True)
        self._next += height + inside
        return numbers

    def _problems(self, before: int | None, cut: int = 0) -> list[Problem]:
        """Problems of the misfits not yet told, up to a row number; `cut` is the row in which the file ends."""
        fresh = [m for m in self._misfits[self._told :] if before is None or m[0] < before]
        self._told += len(fresh)
        file = self._head.path.name
        problems = []
        for row, _, text in fresh:
            if row > self._placed.header_row:
                tied = self._swallowed(text)
                reason = "cut" if row == cut else "quote" if tied else "total_row" if row in self._totals else "columns"
                problems.append(problem(file, row, None, reason))
                problems += [problem(file, row, None, "quote")] * tied
        return problems

    def _end(self, held: Slab | None, stream: Utf8) -> Slab:
        """The last slab: here it shows whether the file was cut."""
        open_quote = stream.quotes % 2 == 1
        untold = self._misfits[self._told :]
        last_is_misfit = bool(untold) and untold[-1][0] >= self._next
        cut = 0
        if last_is_misfit:
            row, short, text = untold[-1]
            if open_quote and self._swallowed(text):
                raise self._unclosed(row)
            cut = row if short and row not in self._totals and (open_quote or not stream.ends_in_newline) else 0
        problems = self._problems(None, cut)
        if held is None:
            frame = pl.DataFrame(schema={str(i): pl.String for i in self._columns} | {"row": pl.Int64})
            return Slab(frame, stream.bytes_done, problems)
        frame, notes = held.frame, {}
        if open_quote and not last_is_misfit and frame.height and self._last_cell_open(frame, stream):
            problems.append(problem(self._head.path.name, frame["row"][-1], None, "cut"))
            frame = frame.head(-1)
        elif not stream.ends_in_newline and not cut:
            notes["no_final_newline"] = 1
        return Slab(frame, stream.bytes_done, held.problems + problems, notes)

    def _last_cell_open(self, frame: pl.DataFrame, stream: Utf8) -> bool:
        """Whether the very last cell is what a quotation mark without a partner left open."""
        cell = frame[str(self._placed.width - 1)][-1] or ""
        if self._swallowed(cell):
            raise self._unclosed(frame["row"][-1])
        return not stream.ends_in_newline or "\n" in cell

    def _swallowed(self, text: str) -> int:
        """How many whole rows of the file a cell seems to hold."""
        sign = delimiter(self._head.lines)
        return sum(line.count(sign) >= self._placed.width - 1 for line in text.splitlines()[1:])

    def _endless(self, row: int) -> FileRefused:
        says = Say(
            f"第 {row:,} 行或附近有一行超过 1 MiB，没有这样的导出文件",
            f"in or near row {row:,} a line is longer than 1 MiB, as in no export",
        )
        return FileRefused(self._head.path, says, _AGAIN)

    def _unclosed(self, row: int) -> FileRefused:
        says = Say(
            f"第 {row:,} 行或附近有一个引号没有闭合，后面的行分不开",
            f"a quotation mark opened in or near row {row:,} is never closed, so the rows after it cannot be told apart",
        )
        return FileRefused(self._head.path, says, _AGAIN)
