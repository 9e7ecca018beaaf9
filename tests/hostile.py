"""Files that nobody exported: bombs, lies, endless lines. Each is written by one function; what it must say stands beside it."""

import io
import re
import struct
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from tests.exported import ORDERS, THREE
from tests.old_excel import compound

SHEET = "xl/worksheets/sheet1.xml"
WORKBOOK = {
    "[Content_Types].xml": '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Default Extension="rels" '
    'ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Override PartName="/xl/workbook.xml" ContentType='
    '"application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/></Types>',
    "_rels/.rels": '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="a" Type='
    '"http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" Target="xl/workbook.xml"/></Relationships>',
    "xl/workbook.xml": '<workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" xmlns:r='
    '"http://schemas.openxmlformats.org/officeDocument/2006/relationships"><sheets><sheet name="s" sheetId="1" r:id="a"/></sheets></workbook>',
    "xl/_rels/workbook.xml.rels": '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship '
    'Id="a" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet" Target="worksheets/sheet1.xml"/>'
    "</Relationships>",
}  # fmt: skip
BOMB_TEXT = (
    "<!DOCTYPE x [<!ENTITY a '哈哈哈哈'>"
    + "".join(f"<!ENTITY {b} '{f'&{a};' * 10}'>" for a, b in zip("abcdefgh", "bcdefghi"))
    + "]>"
)


def zipped(members: dict[str, str | bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as file:
        for name, content in members.items():
            file.writestr(name, content)
    return out.getvalue()


def workbook(rows: str, *, before: str = "", dimension: str = "", **more: str | bytes) -> bytes:
    """An XLSX around the rows' XML."""
    sheet = f'<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">{dimension}<sheetData>{rows}</sheetData></worksheet>'
    return zipped({**WORKBOOK, SHEET: '<?xml version="1.0"?>' + before + sheet, **more})


def cell(at: str, text: str = "x") -> str:
    return f'<row r="{re.sub("[A-Z]", "", at)}"><c r="{at}" t="inlineStr"><is><t>{text}</t></is></c></row>'


def directory(entries: int, size: int, name: str = "a{:07}") -> bytes:
    """A zip whose directory names one small file many times over and claims a size for each."""
    packed = zlib.compress(b"x" * 100)[2:-4]
    crc = zlib.crc32(b"x" * 100)
    local = struct.pack("<4sHHHHHIIIHH", b"PK\3\4", 20, 0, 8, 0, 33, crc, len(packed), size, 8, 0) + b"a0000000" + packed
    head = struct.pack("<4sHHHHHHIIIHHHHHII", b"PK\1\2", 20, 20, 0, 8, 0, 33, crc, len(packed), size, 8, 0, 0, 0, 0, 0, 0)
    central = b"".join(head + name.format(i).encode() for i in range(entries))
    few = min(entries, 0xFFFF)
    return local + central + struct.pack("<4sHHHHIIH", b"PK\5\6", 0, 0, few, few, len(central), len(local), 0)


def link(target: str) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as file:
        info = zipfile.ZipInfo("orders.csv")
        info.create_system, info.external_attr = 3, 0o120777 << 16
        file.writestr(info, target)
    return out.getvalue()


def parquet(frame: pl.DataFrame, **options: object) -> bytes:
    out = io.BytesIO()
    pq.write_table(frame.to_arrow(), out, **options)
    return out.getvalue()


def parquet_bomb() -> bytes:
    """Kilobytes in which one text of 8 MiB stands half a million times."""
    text = pa.DictionaryArray.from_arrays(pa.array([0] * 500_000, pa.int32()), pa.array(["x" * 2**23]))
    out = io.BytesIO()
    pq.write_table(pa.table({"订单编号": text}), out, compression="zstd", store_schema=False)
    return out.getvalue()


NEST = 100_000
LINES = '{"id": 1, "text": "x"}\n'
ROW = THREE.split("\n")[1]
SMALL: dict[str, tuple[Callable[[], bytes], str]] = {
    "far-cell.xlsx": (lambda: workbook(cell("A1") + cell("XFD1048576")), "2 GiB"),
    "claims.xlsx": (lambda: workbook(cell("A1"), dimension='<dimension ref="A1:XFD1048576"/>'), "more cells"),
    "lies.xlsx": (lambda: workbook(cell("A1") + cell("XFD1048576"), dimension='<dimension ref="A1:B2"/>'), "2 GiB"),
    "laughs.xlsx": (lambda: workbook(cell("A1", "&i;"), before=BOMB_TEXT), "damaged"),
    "outside.xlsx": (lambda: workbook(cell("A1", "&x;"), before="<!DOCTYPE x [<!ENTITY x SYSTEM 'file:///etc/passwd'>]>"), "damaged"),
    "zeros.xlsx": (lambda: workbook("", zeros=bytes(80_000_000)), "far more"),
    "members.xlsx": (lambda: zipped(WORKBOOK | {f"m{i}": "x" for i in range(1_001)}), "far more"),
    "column.xlsx": (lambda: workbook(cell("ZZZZZZ1")), "2 GiB|damaged|no source"),
    "row.xlsx": (lambda: workbook(cell("A99999999999")), "2 GiB|damaged|no source"),
    "wide.xlsx": (lambda: workbook(cell("A1") + cell("XFD2")), "no source"),
    "cell.xlsx": (lambda: workbook(cell("A1", "哈x" * 600_000), filler=bytes(range(256)) * 9000), "longer ones|far more"),
    "no-sheet.xlsx": (lambda: zipped(WORKBOOK), "damaged|none of its sheets"),
    "locked.xlsx": (lambda: compound(EncryptionInfo=b"\4\0", EncryptedPackage=bytes(9000)), "clear the password"),
    "letter.doc": (lambda: compound(WordDocument=bytes(5000)), "old .xls format"),
    "members.zip": (lambda: zipped({f"{i}.csv": "x" for i in range(1_001)}), "far more"),
    "half.zip": (lambda: zipped({"a.csv": THREE})[:-30], "damaged"),
    "flipped.zip": (lambda: zipped({"a.csv": THREE}).replace(b"PK\1\2", b"PK\1\3"), "damaged"),
    "in-zip.zip": (lambda: zipped({"a.zip": zipped({"b.zip": zipped({"c.csv": THREE})})}), "zip archive, not a workbook"),
    "zeros.zip": (lambda: zipped({"a.csv": bytes(80_000_000)}), "far more"),
    "claims.zip": (lambda: directory(5_000, 2**31), "far more"),
    "says-less.zip": (lambda: directory(1, 10), "damaged"),
    "says-more.zip": (lambda: directory(1, 2**20), "damaged"),
    "overlaps.zip": (lambda: directory(50, 100), "damaged|no source"),
    "link.zip": (lambda: link("/etc/passwd"), "holds no file"),
    "empty.zip": (lambda: zipped({}), "holds no file|damaged"),
    "nul-name.zip": (lambda: zipped({"a_b.csv": "x"}).replace(b"a_b", b"a\0b"), "no source|damaged"),
    "other-method.zip": (lambda: zipped({"a.csv": THREE}).replace(b"\x08\0", b"\x63\0"), "unusual|damaged"),
    "pdf.zip": (lambda: b"%PDF-1.7\n" + zipped({"a.csv": THREE}), "PDF"),
    "packed.csv.gz": (lambda: b"\x1f\x8b\x08" + bytes(100), "damaged"),
    "magic.parquet": (lambda: b"PAR1" + bytes(range(256)) + b"\xff\xff\xff\x7fPAR1", "Parquet"),
    "cut.parquet": (lambda: parquet(pl.DataFrame({"a": range(9000)}))[:-9], "Parquet"),
    "bomb.parquet": (parquet_bomb, "Parquet"),
    "nul.csv": (lambda: THREE.encode() + b"\0", "neither UTF-8 nor"),
    "nul-late.csv": (lambda: (ORDERS + "\n" + (ROW + "\n") * 9_000).encode() + b"\0\n", "neither UTF-8 nor"),
    "bom-16.csv": (lambda: b"\xff\xfe" + THREE.encode(), "UTF-16"),
    "bom-32.csv": (lambda: THREE.encode("utf-32"), "UTF-16"),
    "bom-only.csv": (lambda: b"\xef\xbb\xbf", "empty|no source"),
    "blanks.csv": (lambda: b"\n" * 200_000, "empty"),
    "columns.csv": (lambda: b"," * 10**6 + b"\n", "first line"),
    "quote.csv": (lambda: (f'{ORDERS}\n"' + (ROW.replace('"', "") + "\n") * 9_000).encode(), "never closed"),
    "no-line.txt": (lambda: b"x" * 10**6, "first line"),
    "deep.jsonl": (lambda: b"[" * NEST + b"\n", "no source|first line"),
    "deep-object.jsonl": (lambda: (b'{"a":' * NEST + b"1" + b"}" * NEST + b"\n") * 3, "no source|first line"),
    "number.jsonl": (lambda: b'{"id": 1' + b"0" * 50_000 + b', "n": 1e999}\n', "no source"),
    "lone.jsonl": (lambda: b'{"id": "\\ud800", "a": "\\u0000"}\n' * 9, "no source"),
}  # fmt: skip
"""Name → content and what its refusal says: these are refused as they are met."""

ODD: dict[str, tuple[Callable[[], str], dict[str, int]]] = {
    "bom-inside.csv": (lambda: f"{ORDERS}\n\ufeff{ROW}\n", {}),
    "two-boms.csv": (lambda: f"\ufeff\ufeff{THREE}", {}),
    "money.csv": (lambda: THREE.replace("128.00", "9" * 4_000, 1).replace("260.00", "1e308", 1), {"money": 2}),
    "id.csv": (lambda: THREE.replace("1930000000000000101", "9" * 100_000, 1), {}),
    "time.csv": (lambda: THREE.replace("2025-03-01 10:00:00", "99999-99-99 99:99:99", 1), {"time": 1}),
    "formula.csv": (lambda: THREE.replace("青麓单肩包", "=HYPERLINK(1)"), {}),
    "carriage.csv": (lambda: THREE.replace("\n", "\r"), {}),
    "cells.csv": (lambda: THREE.replace("青麓单肩包", "包" * 300_000), {}),
}
"""Name → text of three orders and the reasons for which rows are set aside: these are read, and nothing is wrong with the rest."""


def large(folder: Path, name: str, begins: bytes, again: bytes, mib: int) -> Path:
    """A file that begins well and goes on without an end."""
    path = folder / name
    with path.open("wb") as file:
        file.write(begins)
        for _ in range(mib):
            file.write(again * (2**20 // len(again)))
    return path
