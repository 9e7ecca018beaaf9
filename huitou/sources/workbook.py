"""XLSX files, read in a child process with a limit on memory and time: a kilobyte of XLSX can ask for 500 GiB.

Comes in: a path. Goes out: rows of text. A refusal by limit costs the child only.
"""

import json
import re
import subprocess
import sys
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from io import IOBase
from pathlib import Path
from typing import IO, cast

import pyarrow as pa

from huitou.errors import FileRefused, Say

MAX_MEMBERS = 1_000
MAX_UNPACKED = 2 * 2**30
MAX_RATIO = 200
MAX_CELLS = 1_048_576 * 200
_AS_CSV = Say(
    "导出为 CSV，或用 Excel、WPS 另存为 CSV 后再导入。", "Export it as CSV, or save it in Excel or WPS as CSV, and import that."
)
_AGAIN = Say(
    "重新导出，或用 Excel、WPS 打开后另存为新的 .xlsx。",
    "Export it again, or open it in Excel or WPS and save it as a new .xlsx.",
)
_OVER_LIMIT = Say("读它要用 2 GiB 以上内存或 5 分钟以上", "reading it takes more than 2 GiB of memory or five minutes")
_CHILD = Path(__file__).with_name("workbook_child.py")


def check_workbook(path: Path) -> None:
    """Look into the zip without unpacking it. Raises FileRefused for no XLSX, damage, or sizes that are an attack."""
    try:
        with zipfile.ZipFile(path) as file:
            members = file.infolist()
            dimensions = [_dimension(file, m) for m in members if m.filename.startswith("xl/worksheets/sheet")]
    except (zipfile.BadZipFile, OSError, RuntimeError, NotImplementedError, EOFError, ValueError, zlib.error):
        says = Say("这个 .xlsx 已损坏、不完整或有保护", "it is a damaged, cut or protected .xlsx")
        raise FileRefused(path, says, _AGAIN) from None
    if not any(m.filename == "xl/workbook.xml" for m in members):
        says = Say("是压缩包，不是表格", "it is a zip archive, not a workbook")
        raise FileRefused(path, says, Say("解压后导入里面的文件。", "Unpack it and import the files inside."))
    unpacked = sum(m.file_size for m in members)
    if len(members) > MAX_MEMBERS or unpacked > MAX_UNPACKED or unpacked > MAX_RATIO * max(1, path.stat().st_size):
        raise FileRefused(path, Say("解开后远大于任何导出文件", "it unpacks to far more than any export does"), _AS_CSV)
    if max(dimensions, default=0) > MAX_CELLS:
        says = Say("表格声称的格子数多于任何导出文件", "its sheet claims more cells than any export has")
        raise FileRefused(path, says, _AS_CSV)


def _dimension(file: zipfile.ZipFile, member: zipfile.ZipInfo) -> int:
    """Cells that a sheet says it has; 0 where it does not say."""
    with file.open(member) as sheet:
        found = re.search(rb'<dimension ref="[A-Z]+\d+:([A-Z]+)(\d+)"', sheet.read(4096))
    if not found:
        return 0
    column = 0
    for letter in found[1]:
        column = column * 26 + letter - 64
    return column * int(found[2])


def workbook_head(path: Path, rows: int) -> tuple[tuple[str, ...], tuple[tuple[str, ...], ...]]:
    """The sheets' names and the first rows of the first sheet that has any, as stripped text."""
    with _child(path, rows) as (about, batches):
        cells = [row for batch in batches for row in batch.to_pylist()]
    return tuple(about["sheets"]), tuple(tuple((value or "").strip() for value in row.values()) for row in cells)


def workbook_rows(path: Path) -> Iterator[pa.RecordBatch]:
    """All rows of that sheet (the first row of the sheet first), columns named by position, all text."""
    with _child(path, None) as (_, batches):
        yield from batches


@contextmanager
def _child(path: Path, rows: int | None) -> Iterator[tuple[dict[str, list[str]], Iterator[pa.RecordBatch]]]:
    """A reading child: what it says about the file, and its batches. Raises FileRefused when it fails or dies."""
    command = [sys.executable, "-I", str(_CHILD), str(path), str(rows if rows is not None else -1)]
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        assert process.stdout is not None
        try:
            about = _about(path, process.stdout)
            yield about, _batches(path, process.stdout)
        finally:
            process.stdout.close()
            process.kill()


def _about(path: Path, stdout: IO[bytes]) -> dict[str, list[str]]:
    line = stdout.readline()
    about: dict[str, list[str]] = json.loads(line) if line.endswith(b"\n") else {"fault": ["limit"]}
    if fault := about.get("fault"):
        if fault[0] == "empty":
            raise FileRefused(path, Say("每个工作表都是空的", "none of its sheets has a cell"), _AGAIN)
        if fault[0] == "limit":
            raise FileRefused(path, _OVER_LIMIT, _AS_CSV)
        says = Say(
            "工作表读不出来：已损坏，或不是表格程序写的", "its sheet cannot be read: damaged, or not written by a spreadsheet"
        )
        raise FileRefused(path, says, _AGAIN)
    return about


def _batches(path: Path, stdout: IO[bytes]) -> Iterator[pa.RecordBatch]:
    try:
        with pa.ipc.open_stream(cast(IOBase, stdout)) as reader:
            yield from reader
    except pa.ArrowInvalid:
        raise FileRefused(path, _OVER_LIMIT, _AS_CSV) from None
