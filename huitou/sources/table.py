"""From a file's head to typed rows: what all table-shaped sources share."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import polars as pl

from huitou.errors import Problem
from huitou.sources.ahead import ahead
from huitou.sources.delimited import Delimited
from huitou.sources.json_lines import json_slabs
from huitou.sources.layout import MARKS, Layout, Parser, Placed, heading
from huitou.sources.model import Batch, Context, Head
from huitou.sources.slabs import Slab, parquet_slabs, sheet_slabs, tidy

_GUARDED = r"^'[=+\-@\t\r＝＋－＠]"


@dataclass(frozen=True, slots=True)
class Shaped:
    """What a source makes of typed rows: frames by table, rows set aside after all, counts worth telling."""

    frames: dict[str, pl.DataFrame]
    problems: list[Problem]
    notes: dict[str, int]


Shape = Callable[[pl.DataFrame], Shaped]
"""Typed rows → canonical frames; one row of the main table per typed row that is no problem."""


@dataclass(frozen=True, slots=True)
class Typed:
    """A stretch of a file as typed rows by field name; `rows_read` are these and the rows that became problems.

    `headings`: the file's own heading of each field that it has.
    """

    rows: pl.DataFrame
    rows_read: int
    bytes_done: int
    problems: list[Problem]
    notes: dict[str, int]
    headings: dict[str, str]


def typed_rows(head: Head, layout: Layout, context: Context) -> Iterator[Typed]:
    """Stream a file of any kind through a layout. Raises FileRefused."""
    placed = layout.place(head)
    for inspector in context.inspectors:
        placed = inspector.header(head, layout, placed)
    parser = Parser(head, layout, placed, context.settings.timezone, forgiving=context.forgiving)
    headings = {field.name: placed.column(field.name) for field in layout.fields if field.name in placed.positions}
    mended = MARKS[0] in map(heading, placed.header)
    once = {field.absent: 1 for field in layout.fields if field.absent and field.name not in placed.positions}
    once |= {"unknown_columns": placed.unknown} if placed.unknown else {}
    for number, slab in enumerate(ahead(slabs(head, placed))):
        slab = tidy(slab if not mended else replace(slab, frame=unguarded(slab.frame)), head, placed)
        dropped = parser.dropped
        parsed = parser.parse(slab.frame)
        for inspector in context.inspectors:
            parsed = inspector.rows(slab.frame, parsed)
        notes = slab.notes | (once if number == 0 else {})
        notes |= {"dropped_values": parser.dropped - dropped} if parser.dropped > dropped else {}
        read = slab.frame.height + len(slab.problems)
        yield Typed(parsed.frame, read, slab.bytes_done, slab.problems + parsed.problems, notes, headings)


def unguarded(frame: pl.DataFrame) -> pl.DataFrame:
    """Cells of a mended table without the apostrophe that kept a spreadsheet from taking them for formulas."""
    cell = pl.col(pl.String)
    return frame.with_columns(pl.when(cell.str.contains(_GUARDED)).then(cell.str.slice(1)).otherwise(cell).name.keep())


def read_table(head: Head, layout: Layout, context: Context, shape: Shape) -> Iterator[Batch]:
    """Stream a file of any kind through a layout and a shape."""
    for part in ahead(typed_rows(head, layout, context)):
        shaped = shape(part.rows)
        notes = part.notes | {name: count for name, count in shaped.notes.items() if count}
        yield Batch(shaped.frames, part.rows_read, part.bytes_done, part.problems + shaped.problems, notes)


def slabs(head: Head, placed: Placed) -> Iterator[Slab]:
    """Raw text columns of a file of any kind."""
    match head.kind:
        case "xlsx":
            return sheet_slabs(head, placed)
        case "parquet":
            return parquet_slabs(head, placed)
        case "jsonl":
            return json_slabs(head, placed)
        case "text":
            return Delimited(head, placed).slabs()
