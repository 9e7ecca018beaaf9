"""What a source is: the door through which every export, built in or a user's own, comes in."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Protocol

import polars as pl

from huitou.errors import Problem
from huitou.lake.identity import People
from huitou.lake.settings import Settings

if TYPE_CHECKING:
    from huitou.sources.layout import Layout, Parsed, Placed
    from huitou.sources.workbook import Book, Sheet

Kind = Literal["text", "xlsx", "parquet", "jsonl"]


@dataclass(frozen=True, slots=True)
class Head:
    """The beginning of a file, enough to tell whose it is: never more than 64 KiB of text or 20 rows of a sheet.

    `lines` are the first decoded lines (text), `rows` the first rows as cleaned cells (CSV and sheets; header included).
    `encoding` is "utf-8", "gb18030", "utf-16-le" or "utf-16-be" for text, as proved on the head only; reading proves the rest.
    Of a workbook, `sheets` names all sheets and `sheet` is the one that `rows` are of; `sniff.sheet_heads` gives the heads of
    the others.
    """

    path: Path
    kind: Kind
    encoding: str | None
    lines: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    sheets: tuple[str, ...] = ()
    book: "Book | None" = None
    sheet: "Sheet | None" = None


class Inspector(Protocol):
    """Looks at a table-shaped file while it is read: at its header, then at each stretch of its rows."""

    def header(self, head: Head, layout: "Layout", placed: "Placed") -> "Placed":
        """Where the columns stand, with further columns to be read under names of the inspector's own. May raise FileRefused."""
        ...

    def rows(self, raw: pl.DataFrame, parsed: "Parsed") -> "Parsed":
        """The typed rows to go on with; `raw` has the cells as text, columns named by position, and ``row``."""
        ...


@dataclass(frozen=True, slots=True)
class Context:
    """What reading needs to know: the shop's settings and the one place where buyer ids become tokens."""

    settings: Settings
    people: People
    mapping: dict[str, object] | None = None  # the user's column mapping, for the generic source
    inspectors: tuple[Inspector, ...] = ()
    forgiving: bool = False  # a value that cannot be read is dropped, where a row can do without it


@dataclass(frozen=True, slots=True)
class Batch:
    """A stretch of a file as canonical rows.

    `frames`: table name → frame with that table's declared columns (missing nullable ones may be left out) and ``row``,
    the row number in the file. `rows_read`: rows of the file this batch stands for = rows of the main table + problems.
    `notes`: counts worth telling the user that are no problems ("default_text": 4949).
    """

    frames: dict[str, pl.DataFrame]
    rows_read: int
    bytes_done: int
    problems: list[Problem] = field(default_factory=list)
    notes: dict[str, int] = field(default_factory=dict)


class Source(Protocol):
    """One real export. `main` is the table on which the ledger balances: one row of it per row of the file.

    It may also have `layout` (its columns), `quirks` (what is odd about the export, told in the documentation) and `lacks`
    (codes of `huitou.metrics.needs` that other exports of the same table carry and this one does not).
    """

    @property
    def id(self) -> str:
        """Its name in the ledger: "tmall.orders"."""
        ...

    @property
    def zh(self) -> str:
        """What it reads, in Chinese."""
        ...

    @property
    def en(self) -> str:
        """What it reads, in English."""
        ...

    @property
    def main(self) -> str:
        """The table that gets one row per row of the file."""
        ...

    @property
    def feeds(self) -> tuple[str, ...]:
        """All tables that it fills."""
        ...

    def identify(self, head: Head) -> int:
        """How sure it is that the file is its own: 0 (not mine) … 100 (exact header)."""
        ...

    def read(self, head: Head, context: Context) -> Iterator[Batch]:
        """Stream the file; memory does not grow with its size. Raises FileRefused for what cannot be read at all."""
        ...
