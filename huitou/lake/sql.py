"""How the embedded engine is spoken to: names and values in its statements, types, files written and read."""

from collections.abc import Callable, Iterable, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any

from huitou.lake.delta import DataFile, Folder
from huitou.tables import Column, Table

DUCK_TYPE = {
    "key": "BIGINT", "int": "BIGINT", "money": "BIGINT", "time": "TIMESTAMPTZ", "date": "DATE", "bool": "BOOLEAN",
    "float": "DOUBLE", "code": "VARCHAR", "codes": "VARCHAR", "text": "VARCHAR",
}  # fmt: skip
FRAME_TYPE = {**DUCK_TYPE, "time": "BIGINT"}
_CODED = "FORMAT parquet, PARQUET_VERSION v2, DICTIONARY_SIZE_LIMIT 3000, ROW_GROUP_SIZE 122880"
"""Delta-coded integers and small dictionaries: a fifth less work than version 1 with large ones, a tenth smaller."""
PARQUET = f"{_CODED}, COMPRESSION zstd, COMPRESSION_LEVEL 1"
FACT_PARQUET = f"{_CODED}, COMPRESSION uncompressed"
"""Facts hold no texts, and their keys are hashes: compressed they are a sixth smaller, for a fifth more work of writing."""
_VALUE: dict[str, Callable[[str], Any]] = {
    "key": int, "int": int, "money": int, "date": date.fromisoformat, "time": datetime.fromisoformat,
}  # fmt: skip


def quoted(name: str) -> str:
    """A column or table as SQL names it."""
    return f'"{name}"'


def text_of(text: object) -> str:
    """A text, a path, as an SQL literal."""
    return "'" + str(text).replace("'", "''") + "'"


def files_of(paths: Sequence[str]) -> str:
    """Parquet files as an SQL table, with their ``month``."""
    listed = ", ".join(text_of(p) for p in paths)
    return f"read_parquet([{listed}], hive_partitioning = true, hive_types_autocast = false)"


def stored(column: Column, of: str = "") -> str:
    """A column as it is stored, from one in which a ``time`` counts µs UTC; `of` is the prefix of its table."""
    name = f"{of}{quoted(column.name)}"
    return f"make_timestamptz({name}) AS {quoted(column.name)}" if column.type == "time" else (
        f"{name}::{DUCK_TYPE[column.type]} AS {quoted(column.name)}"
    )  # fmt: skip


def in_months(table: Table, months: Iterable[str]) -> str:
    """The condition that a row is of one of these months."""
    day = quoted(table.month_of or "")
    return " OR ".join(f"{day} BETWEEN DATE '{m}-01' AND last_day(DATE '{m}-01')" for m in sorted(months)) or "false"


def measured(target: Folder, written: tuple[Any, ...]) -> DataFile:
    """A written file from what COPY … RETURN_STATS says of it; texts and floats (NaN has no place in JSON) are left out."""
    path, rows, size, _, columns = written[:5]
    low, high = {}, {}
    for column in target.table.stored:
        stats = columns.get(quoted(column.name), {})
        if column.type in _VALUE and "min" in stats and "max" in stats:
            low[column.name], high[column.name] = _VALUE[column.type](stats["min"]), _VALUE[column.type](stats["max"])
    relative = Path(path).relative_to(target.path)
    return DataFile(str(relative), relative.parts[0].removeprefix("month="), int(rows), int(size), low, high)
