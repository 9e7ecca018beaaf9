"""What a table is: its columns, key, month and meaning, declared once."""

from dataclasses import dataclass, field
from typing import Literal

Type = Literal["key", "code", "codes", "text", "int", "float", "money", "time", "date", "bool"]
"""``key`` 63-bit hash (int64) · ``code`` short string from a closed list or a platform id ·
``codes`` several of them, or keys, with a space between · ``text`` free, masked text ·
``int`` int64 · ``float`` float64 · ``money`` int64 minor units (分) · ``time`` UTC instant, microseconds ·
``date`` the day in the shop's zone · ``bool``.

In the lake a ``time`` is a Parquet timestamp(us, UTC). In expressions and in data frames handed to the lake it is the
same instant as int64 microseconds since 1970, so that every engine does plain integer arithmetic on it."""

Privacy = Literal["none", "token", "masked", "staff", "shop"]
"""``token`` stands for a person but names none · ``masked`` free text with personal data replaced · ``staff`` an agent's
working account · ``shop`` a business number of the shop (order id, amount) · ``none`` nothing of a person."""

Repeats = Literal["count", "drop"]


@dataclass(frozen=True, slots=True)
class Column:
    """One column: its type, unit, meaning in both languages and personal-data class."""

    name: str
    type: Type
    zh: str
    en: str
    unit: str | None = None
    nullable: bool = False
    privacy: Privacy = "none"
    states: tuple[str, ...] = ()
    """Codes in the order in which a thing passes through them."""


@dataclass(frozen=True, slots=True)
class Table:
    """One table of the lake.

    `key` names the columns that identify a thing (an order, a message). `versions` says whether later exports may bring
    a newer state of the same thing: then all are kept and readers see the newest. `month_of` is the date column whose
    month the table is partitioned by (None: one partition). `cluster` is the order of rows inside a file.
    `repeats`: whether one file may truly hold the same row twice ("count": a customer who says 1 and 1 again) or only
    by mistake ("drop"). `concluded` columns were worked out from other rows of the same file: they are no part of a row's
    identity, because another export of the same row may lead to another conclusion. `grows`: columns (numbers, or codes
    with `states`) that never go back, by which one of two versions without a later instant is the newer.
    """

    name: str
    zh: str
    en: str
    columns: tuple[Column, ...]
    key: tuple[str, ...]
    month_of: str | None
    cluster: tuple[str, ...] = ()
    versions: bool = False
    repeats: Repeats = "drop"
    concluded: tuple[str, ...] = ()
    grows: tuple[str, ...] = ()
    fact: bool = False
    by_name: dict[str, Column] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "by_name", {c.name: c for c in self.columns})
        named = (*self.key, *self.cluster, *self.concluded, *self.grows, self.month_of)
        missing = [c for c in named if c and c not in self.by_name | _system()]
        if missing or len(self.by_name) != len(self.columns):
            raise ValueError(f"table {self.name}: unknown or doubled column {missing}")

    @property
    def stored(self) -> tuple[Column, ...]:
        """The declared columns, then what the lake adds by itself (provenance; facts have none of their own)."""
        return self.columns if self.fact else self.columns + PROVENANCE


PROVENANCE = (
    Column("row_key", "key", "行键", "63-bit hash of the row's content (and its count where repeats count); evidence ids"),
    Column("load", "int", "导入批次", "number of the import in the ledger that brought the row"),
    Column("row", "int", "文件行号", "row of that file, as a person counts it"),
)
"""Added by the lake to every canonical row. Every table also has the partition column ``month`` ("2026-05")."""


def _system() -> dict[str, Column]:
    return {c.name: c for c in PROVENANCE}
