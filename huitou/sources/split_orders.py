"""Orders that an export writes on several rows, one per line of goods: the lines go out as they come, the orders at the end.

An order is complete only when the file is: its rows may lie apart, and a stretch of the file may end between two of them. So
what its rows say of the order (some 200 bytes a row) is kept until then; a row that the file holds twice counts once. Pieces and
product are left to the lines, from which the facts take them: those are right even where an order is cut over two files.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import polars as pl

from huitou.sources.model import Batch
from huitou.sources.table import Shaped, Typed


@dataclass(frozen=True, slots=True)
class Lines:
    """What a source makes of typed rows: `now` goes into the lake at once; `told` has one row per order line with line_key,
    order_key and what that line tells of its order."""

    now: Shaped
    told: pl.DataFrame


def read_split(
    parts: Iterator[Typed], lines: Callable[[pl.DataFrame], Lines], orders: Callable[[pl.DataFrame], Shaped]
) -> Iterator[Batch]:
    """Batches of order lines, then one of orders: `orders` makes them of everything told, every line once."""
    kept: list[pl.DataFrame] = []
    done = 0
    for part in parts:
        made = lines(part.rows)
        kept.append(made.told)
        done = part.bytes_done
        yield Batch(made.now.frames, part.rows_read, done, part.problems + made.now.problems, part.notes | _some(made.now.notes))
    if kept:
        told = pl.concat(kept).unique("line_key", keep="last", maintain_order=True)
        kept.clear()
        shaped = orders(told)
        yield Batch(shaped.frames, 0, done, shaped.problems, _some(shaped.notes))


def _some(notes: dict[str, int]) -> dict[str, int]:
    return {name: count for name, count in notes.items() if count}
