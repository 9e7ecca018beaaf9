"""From a file's head to typed rows: what all table-shaped sources share."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import polars as pl

from huitou.errors import Problem
from huitou.sources.ahead import ahead
from huitou.sources.delimited import Delimited
from huitou.sources.layout import Layout, Parser, Placed
from huitou.sources.model import Batch, Context, Head
from huitou.sources.slabs import Slab, json_slabs, parquet_slabs, sheet_slabs, tidy


@dataclass(frozen=True, slots=True)
class Shaped:
    """What a source makes of typed rows: frames by table, rows set aside after all, counts worth telling."""

    frames: dict[str, pl.DataFrame]
    problems: list[Problem]
    notes: dict[str, int]


Shape = Callable[[pl.DataFrame], Shaped]
"""Typed rows → canonical frames; one row of the main table per typed row that is no problem."""


def read_table(head: Head, layout: Layout, context: Context, shape: Shape) -> Iterator[Batch]:
    """Stream a file of any kind through a layout and a shape."""
    placed = layout.place(head)
    parser = Parser(head, layout, placed, context.settings.timezone)
    for number, slab in enumerate(ahead(slabs(head, placed))):
        slab = tidy(slab, head, placed)
        parsed = parser.parse(slab.frame)
        shaped = shape(parsed.frame)
        notes = slab.notes | {name: count for name, count in shaped.notes.items() if count}
        if number == 0 and placed.unknown:
            notes["unknown_columns"] = placed.unknown
        problems = slab.problems + parsed.problems + shaped.problems
        yield Batch(shaped.frames, slab.frame.height + len(slab.problems), slab.bytes_done, problems, notes)


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
