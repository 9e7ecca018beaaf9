"""Whose rows a file holds: a workspace is one shop's, and a chain's export may name several."""

import polars as pl

from huitou.sources import cells
from huitou.sources.layout import Layout, Parsed, Placed, heading
from huitou.sources.model import Head

_HEADINGS = ("店铺名称", "店铺id", "店铺")
_COLUMN = "\0shop"


class ShopNames:
    """Counts the shops that a column of the file names, and keeps none of the names. An `Inspector`."""

    def __init__(self) -> None:
        self._seen: set[int] = set()
        self._at: int | None = None

    def header(self, head: Head, layout: Layout, placed: Placed) -> Placed:
        """Have such a column read, where there is one."""
        named = [heading(cell) for cell in placed.header]
        self._at = next((named.index(h) for h in _HEADINGS if h in named), None)
        more = {} if self._at is None else {_COLUMN: self._at}
        return Placed(placed.header_row, placed.header, placed.width, placed.positions | more, placed.unknown)

    def rows(self, raw: pl.DataFrame, parsed: Parsed) -> Parsed:
        """Count, and let everything through."""
        if self._at is not None:
            self._seen.update(cells.unwrapped(raw[str(self._at)]).drop_nulls().unique().hash(0).to_list())
        return parsed

    @property
    def notes(self) -> dict[str, int]:
        """What to tell where there are several."""
        return {"several_shops": len(self._seen)} if len(self._seen) > 1 else {}
