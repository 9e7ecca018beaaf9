"""XLSX and XLS files, read in a child process with a limit on memory and time: a kilobyte of XLSX can ask for 500 GiB.

Comes in: a path. Goes out: the sheets that hold a cell, their first rows, and all their rows as text. A refusal by limit
costs the child only. The file is parsed once: the child leaves the rows, packed, in a file without a name, which is gone
with the last who reads it.
"""

import mmap
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from huitou.errors import DiskFull, FileRefused, Say
from huitou.sources.reader import reader_of

MOST_COLUMNS = 2_000  # a sheet may have 16,384; no export has 400
_AS_CSV = Say(
    "导出为 CSV，或用 Excel、WPS 另存为 CSV 后再导入。", "Export it as CSV, or save it in Excel or WPS as CSV, and import that."
)
_AGAIN = Say(
    "重新导出，或用 Excel、WPS 打开后另存为新的 .xlsx。",
    "Export it again, or open it in Excel or WPS and save it as a new .xlsx.",
)
_NO_PASSWORD = Say(
    "用 Excel 或 WPS 输入密码打开，在「文件 → 信息 → 保护工作簿 → 用密码进行加密」（WPS：「文件 → 文档加密 → 密码加密」）"
    "里清空密码，另存为 .xlsx 后再导入。",
    "Open it in Excel or WPS with its password, clear the password under File → Info → Protect Workbook → Encrypt with "
    "Password (WPS: File → Encrypt), save it as .xlsx and import that.",
)
_FAULTS = {
    "archive": (
        Say("是压缩包，不是表格", "it is a zip archive, not a workbook"),
        Say("解压后导入里面的文件。", "Unpack it and import the files inside."),
    ),
    "bomb": (Say("解开后远大于任何导出文件", "it unpacks to far more than any export does"), _AS_CSV),
    "cells": (Say("表格的格子多于、或长于任何导出文件", "its sheet has more cells, or longer ones, than any export"), _AS_CSV),
    "damaged": (Say("工作簿已损坏、不完整或有保护", "it is a damaged, cut or protected workbook and cannot be read"), _AGAIN),
    "empty": (Say("每个工作表都是空的", "none of its sheets has a cell"), _AGAIN),
    "limit": (Say("读它要用 2 GiB 以上内存或太长时间", "reading it takes more than 2 GiB of memory or too long"), _AS_CSV),
    "old": (
        Say("是旧的 .xls 格式或有密码，读不出来", "it is in the old .xls format or protected by a password; it cannot be read"),
        Say("用 Excel 或 WPS 打开，去掉密码后另存为 .xlsx。", "Open it in Excel or WPS and save it as .xlsx without a password."),
    ),
    "password": (Say("有打开密码", "it is protected by a password"), _NO_PASSWORD),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Sheet:
    """One sheet that holds a cell: its name, and where its rows begin in the spool."""

    name: str
    at: int


@dataclass(frozen=True, slots=True)
class Book:
    """A workbook as its child read it: `names` of all sheets, and the `filled` ones, which can be read."""

    names: tuple[str, ...]
    filled: tuple[Sheet, ...]
    spool: mmap.mmap

    def rows(self, sheet: Sheet) -> Iterator[pa.RecordBatch]:
        """All rows of a sheet (the first row of the sheet first), columns named by position, all text."""
        with pa.ipc.open_stream(pa.py_buffer(self.spool).slice(sheet.at)) as reader:
            yield from reader

    def head(self, sheet: Sheet, rows: int) -> tuple[tuple[str, ...], ...]:
        """The first rows of a sheet as stripped text, without the columns after the `MOST_COLUMNS`-th."""
        first = next(self.rows(sheet)).slice(0, rows)
        return tuple(
            zip(*([(v or "").strip() for v in column.to_pylist()] for column in first.columns[:MOST_COLUMNS]), strict=True)
        )


def read_book(path: Path) -> Book:
    """Read a workbook. Raises FileRefused for none, damage, a password, or what is an attack, and DiskFull."""
    with reader_of(path) as reader:
        about = reader.told()
        if fault := about.get("fault"):
            if fault == "disk":
                raise DiskFull(Path(tempfile.gettempdir()))
            old = fault == "damaged" and not _is_zip(path)
            raise FileRefused(path, *_FAULTS["old" if old else fault])
        content = mmap.mmap(reader.spool.fileno(), 0, access=mmap.ACCESS_READ)
    return Book(tuple(about["sheets"]), tuple(Sheet(name, at) for name, at in about["filled"]), content)


def _is_zip(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(2) == b"PK"
