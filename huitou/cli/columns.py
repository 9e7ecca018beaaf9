"""Some columns of a file of any kind, as its user names them."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import polars as pl


def stretches(file: Path, columns: dict[str, str]) -> "tuple[Iterator[pl.DataFrame], list[int]]":
    """Stretches of a file as ``row`` (from 0) and, as text, the `columns` (our name → the file's heading); lists are JSON.

    The numbers of rows that cannot be read are put in the list on the way. Raises, before anything is read, FileRefused, and
    UnknownName where a column is missing.
    """
    import polars as pl

    from huitou.errors import Say, UnknownName
    from huitou.sources.layout import Field, Layout, heading
    from huitou.sources.sniff import head
    from huitou.sources.table import slabs

    layout = Layout(
        tuple(Field(name, "prose", (asked,), needed=True) for name, asked in columns.items()), tuple(columns.values())
    )
    beginning = head(file)
    present = [cell for row in beginning.rows for cell in row if cell]
    for name in columns.values():
        if heading(name) not in {heading(cell) for cell in present}:
            header = beginning.rows[0] if beginning.rows else ()
            raise UnknownName(Say(f"列（{file.name}）", f"column (in {file.name})"), name, [cell for cell in header if cell])
    placed = layout.place(beginning)
    skipped: list[int] = []

    def read() -> "Iterator[pl.DataFrame]":
        for slab in slabs(beginning, placed):
            skipped.extend(problem.row for problem in slab.problems)
            chosen = [pl.col(str(placed.positions[name])).alias(name) for name in columns]
            yield slab.frame.select(pl.col("row") - placed.header_row - 1, *chosen)

    return read(), skipped


def whole(file: Path, columns: dict[str, str]) -> "tuple[pl.DataFrame, int]":
    """All rows of these columns, and how many rows could not be read. Raises FileRefused."""
    import polars as pl

    frames, skipped = stretches(file, columns)
    held = list(frames)
    empty = pl.DataFrame(schema={"row": pl.Int64, **dict.fromkeys(columns, pl.String)})
    return pl.concat([empty, *held]), len(skipped)
