"""A shop whose tables stand in the test: rows as dicts, everything not said has a plain default."""

from collections.abc import Iterable
from datetime import date
from itertools import count
from typing import Any

import ibis
import polars as pl

from huitou.lake.settings import Settings
from huitou.metrics import Cell, compute
from huitou.rules import RulePack
from huitou.rules.packs import load_pack
from huitou.tables import TABLES

DTYPE = {
    "key": pl.Int64, "code": pl.String, "codes": pl.String, "text": pl.String, "int": pl.Int64, "float": pl.Float64, "money": pl.Int64,
    "time": pl.Int64, "date": pl.Date, "bool": pl.Boolean,
}  # fmt: skip
DEFAULT = {
    "key": 1, "code": "", "codes": "", "text": "", "int": 0, "float": 0.0, "money": 0, "time": 0, "date": date(2026, 5, 1), "bool": False,
}  # fmt: skip
NUMBER = count()
CONNECTION = ibis.duckdb.connect()


class Shop:
    """Looks like a pinned snapshot of the lake."""

    rules = None

    def __init__(self, tables: dict[str, list[dict[str, Any]] | pl.DataFrame]) -> None:
        self._tables = {name: self._store(name, rows) for name, rows in tables.items() if len(rows)}

    def _store(self, name: str, rows: list[dict[str, Any]] | pl.DataFrame) -> Any:
        columns = TABLES[name].stored
        frame = rows if isinstance(rows, pl.DataFrame) else pl.DataFrame(
            [{c.name: row.get(c.name, None if c.nullable else DEFAULT[c.type]) for c in columns} for row in rows],
            schema={c.name: DTYPE[c.type] for c in columns},
        )  # fmt: skip
        return CONNECTION.create_table(f"{name}_{next(NUMBER)}", frame.to_arrow())

    def has(self, name: str) -> bool:
        return name in self._tables

    def table(self, name: str, months: Iterable[str] | None = None) -> Any:
        t = self._tables[name] if self.has(name) else self._store(name, [])
        month_of = TABLES[name].month_of
        if months is None or month_of is None:
            return t
        return t.filter((t[month_of].year() * 100 + t[month_of].month()).isin([int(m.replace("-", "")) for m in months]))

    def named(self, expr: Any) -> Any:
        return expr

    def frame(self, expr: Any) -> pl.DataFrame:
        return pl.DataFrame(CONNECTION.to_pyarrow(expr.as_table()))


SETTINGS = Settings(shop="青麓男包旗舰店", product_groups={"大包": ("托特",)})
CLASSIC = load_pack("tmall-classic")
"""08–24 h, three minutes, an answer on a later day is none."""
MODERN = load_pack("tmall-2025")
"""08–23 h, waits capped at 600 s, an unanswered round counts 600 s."""


def shop(**tables: list[dict[str, Any]] | pl.DataFrame) -> Shop:
    """A snapshot with these tables: `shop(rounds=[{…}], orders=[{…}])`."""
    built = {"receptions": [{}]} if {"rounds", "inquiries"} & set(tables) else {}
    return Shop(built | tables)


def numbers(snapshot: Shop, names: list[str], pack: RulePack = MODERN, **cut: Any) -> list[Cell]:
    """The metrics' cells."""
    return compute(snapshot, SETTINGS, pack, names, **cut)
