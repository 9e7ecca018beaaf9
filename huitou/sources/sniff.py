"""What a file is, from its content and never from its name: kind, encoding, first lines, first rows."""

import codecs
import csv
import io
import json
import re
import subprocess
import sys
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from huitou.errors import FileRefused, Say
from huitou.sources.model import Head
from huitou.sources.reader import WALL_S
from huitou.sources.text import proved_encoding
from huitou.sources.workbook import read_book

HEAD_BYTES = 64 * 1024
HEAD_ROWS = 20
LONG_LINE = 8 * 2**20
"""Bytes read at most to the end of a first line of JSON: a help desk puts a ticket with all its comments into one."""
PARQUET_DAMAGED = Say("Parquet 内容已损坏，或大得读不了", "its Parquet content is damaged, or too much to be read")
PARQUET_ROWS = 32_768  # that are read at once
WRITE_AGAIN = Say("重新生成后再导入。", "Write it again and import the new one.")
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_ZIP = b"PK\x03\x04"
_OTHERS = {
    b"\x89PNG": "PNG", b"\xff\xd8\xff": "JPEG", b"GIF8": "GIF", b"%PDF": "PDF", b"Rar!": "RAR", b"7z\xbc\xaf": "7z",
    b"\x1f\x8b": "gzip", b"<!DOCTYPE": "HTML", b"<html": "HTML", b"<table": "HTML",
}  # fmt: skip
"""Beginnings of files that people pick by mistake."""
_DELIMITERS = ",\t;|"


def head(path: Path) -> Head:
    """The beginning of a file. Raises FileRefused, with what to do, for whatever cannot be an export."""
    beginning = _beginning(path)
    if beginning.startswith((_ZIP, _OLE)):
        book = read_book(path)
        return sheet_heads(Head(path, "xlsx", None, (), (), book.names, book))[0]
    if beginning.startswith(b"PAR1"):
        return _parquet_head(path)
    encoding = proved_encoding(path, beginning)
    text = _whole_lines(path, beginning, encoding)
    lines = tuple(re.split(r"\r\n|\n|\r", text))
    if rows := _json_rows(lines):
        return Head(path, "jsonl", encoding, lines, rows)
    if len(beginning) > HEAD_BYTES:
        raise _too_long(path)
    return Head(path, "text", encoding, lines, _table_rows(text, delimiter(lines)))


def sheet_heads(head: Head) -> list[Head]:
    """A head for every sheet of a workbook that holds a cell, in their order; the head itself of any other file."""
    if head.book is None:
        return [head]
    return [replace(head, rows=head.book.head(sheet, HEAD_ROWS), sheet=sheet) for sheet in head.book.filled]


def delimiter(lines: tuple[str, ...]) -> str:
    """The sign that splits most cells in the richest of the first lines: comma, tab, semicolon or bar.

    Not the tab where it only fills cells up: 抖店 and 拼多多 begin or end every cell with one, or both.
    """
    bare = [line.replace('"', "") for line in lines[:HEAD_ROWS]]
    most = {sign: max((line.count(sign) for line in bare), default=0) for sign in _DELIMITERS}
    best = max(_DELIMITERS, key=lambda sign: most[sign])
    if best != "\t":
        return best
    beside = {sign: max(line.count("\t" + sign) + line.count(sign + "\t") for line in bare) for sign in ",;|"}
    return next((sign for sign, times in beside.items() if times > most[best] // 2), best)


def _beginning(path: Path) -> bytes:
    if path.is_dir():
        fix = Say(f"写出其中的文件，例如 {path}/*.csv。", f"Name the files in it, for example {path}/*.csv.")
        raise FileRefused(path, Say("是一个文件夹", "it is a folder"), fix)
    try:
        with path.open("rb") as file:
            beginning = file.read(HEAD_BYTES)
            if b"\n" not in beginning and beginning.removeprefix(codecs.BOM_UTF8).lstrip().startswith(b"{"):
                beginning += file.readline(LONG_LINE)
    except FileNotFoundError:
        fix = Say("检查文件名和所在的文件夹。", "Check the name and the folder.")
        raise FileRefused(path, Say("没有这个文件", "there is no such file"), fix) from None
    except OSError as error:
        says = Say(f"打不开（{error.strerror}）", f"it cannot be opened ({error.strerror})")
        fix = Say("在别的程序里关掉它，并确认有读取权限。", "Close it in other programs and check that you may read it.")
        raise FileRefused(path, says, fix) from None
    if beginning.strip() in (b"", codecs.BOM_UTF8, codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE):
        fix = Say("重新导出；可能平台当时还没有生成完。", "Export it again; the platform may still have been preparing it.")
        raise FileRefused(path, Say("是空的", "it is empty"), fix)
    if re.match(rb"(?:\xef\xbb\xbf)?\s*\[\s*\{", beginning):
        says = Say("是一整个 JSON 数组，要一行一个对象", "it is one JSON array, and should be one object a line")
        fix = Say("转换后再导入：jq -c '.[]' 原文件 > 新文件.jsonl", "Convert it, then import that: jq -c '.[]' OLD > NEW.jsonl")
        raise FileRefused(path, says, fix)
    if other := next((name for sign, name in _OTHERS.items() if beginning.lstrip().lower().startswith(sign.lower())), None):
        says = Say(f"是 {other} 文件，不是表格或聊天记录", f"it is a {other} file, neither a table nor a chat")
        raise FileRefused(path, says, Say("在平台上导出 CSV、XLSX 或 TXT。", "Export CSV, XLSX or TXT from the platform."))
    return beginning


def _whole_lines(path: Path, beginning: bytes, encoding: str) -> str:
    """The head as text, without a line that the head cuts in two."""
    text = beginning.decode(encoding, errors="ignore").removeprefix("\ufeff")  # proved: only the last character can be cut
    kept = text if len(beginning) < HEAD_BYTES else text[: text.rfind("\n") + 1]
    if not kept:
        raise _too_long(path)
    return kept


def _too_long(path: Path) -> FileRefused:
    size = f"{HEAD_BYTES // 1024} KiB"
    says = Say(f"第一行超过 {size}，没有这样的导出文件", f"its first line is longer than {size}, as in no export")
    return FileRefused(path, says, Say("重新导出为 CSV 或 XLSX。", "Export it again as CSV or XLSX."))


def _table_rows(text: str, sign: str) -> tuple[tuple[str, ...], ...]:
    rows: list[tuple[str, ...]] = []
    for row in csv.reader(io.StringIO(text, newline=""), delimiter=sign):
        rows.append(tuple(cell.strip().strip("\ufeff") for cell in row))
        if len(rows) == HEAD_ROWS:
            break
    return tuple(rows)


def _json_rows(lines: tuple[str, ...]) -> tuple[tuple[str, ...], ...]:
    """Header (all keys seen) and cells of the first JSON objects; nothing if these are no JSON lines."""
    records: list[dict[str, object]] = []
    for line in [line for line in lines if line.strip()][: HEAD_ROWS - 1]:
        if not line.lstrip().startswith("{"):
            return ()
        try:
            record = json.loads(line)
        except (ValueError, RecursionError):
            continue
        if isinstance(record, dict):
            records.append(record)
    keys = tuple(dict.fromkeys(key for record in records for key in record))
    return (keys, *(tuple(str(record.get(key, "")) for key in keys) for record in records)) if records else ()


def _parquet_head(path: Path) -> Head:
    if not _readable_within_limits(path):
        raise FileRefused(path, PARQUET_DAMAGED, WRITE_AGAIN)
    try:
        with pq.ParquetFile(path) as file:
            names = tuple(file.schema_arrow.names)
            first = next(file.iter_batches(batch_size=HEAD_ROWS - 1), None)
    except (pa.ArrowException, OSError):
        raise FileRefused(path, PARQUET_DAMAGED, WRITE_AGAIN) from None
    rows = [] if first is None else [tuple("" if v is None else str(v) for v in row.values()) for row in first.to_pylist()]
    return Head(path, "parquet", None, (), (names, *rows))


def _readable_within_limits(path: Path) -> bool:
    """Whether a child could read it: a crafted kilobyte of Parquet can ask for any memory, or take its reader down."""
    command = [sys.executable, "-I", str(Path(__file__).with_name("parquet_child.py")), str(path), str(PARQUET_ROWS)]
    no = subprocess.DEVNULL
    with suppress(subprocess.TimeoutExpired):
        return subprocess.run(command, stdin=no, stdout=no, stderr=no, timeout=WALL_S).returncode == 0
    return False
