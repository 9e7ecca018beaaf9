"""Writes the old .xls form (BIFF8 in a compound file), as small as it can be: nothing on the package index still does."""

import struct
from collections.abc import Sequence
from pathlib import Path

_END, _FREE, _FAT = 0xFFFFFFFE, 0xFFFFFFFF, 0xFFFFFFFD
_SECTOR = 512


def write_xls(path: Path, rows: Sequence[Sequence[object]], *, locked: bool = False) -> Path:
    """One sheet of texts and numbers; `locked`: marked as protected by a password."""
    path.write_bytes(compound(Workbook=_book(rows, locked=locked)))
    return path


def compound(**streams: bytes) -> bytes:
    """An OLE compound file with the named streams (each is padded to where the short-stream rules end)."""
    padded = {name: content.ljust(4096, b"\0") for name, content in streams.items()}
    sizes = [-(-len(content) // _SECTOR) for content in padded.values()]
    directory_sectors = -(-(len(streams) + 1) // 4)
    fat_sectors = 1
    while 128 * fat_sectors < sum(sizes) + directory_sectors + fat_sectors:
        fat_sectors += 1
    fat = [_FAT] * fat_sectors + _chain(fat_sectors, directory_sectors)
    starts = []
    for size in sizes:
        starts.append(len(fat))
        fat += _chain(len(fat), size)
    fat += [_FREE] * (128 * fat_sectors - len(fat))
    entries = [_entry("Root Entry", 5, _END, 0, child=1)]
    entries += [_entry(n, 2, at, len(c), right=i) for i, (n, c, at) in enumerate(zip(padded, padded.values(), starts), 2)]
    entries[-1] = entries[-1][:72] + struct.pack("<I", _FREE) + entries[-1][76:]
    return b"".join([
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", bytes(16), struct.pack("<HHHHH6x", 0x3E, 3, 0xFFFE, 9, 6),
        struct.pack("<IIIIIIIII", 0, fat_sectors, fat_sectors, 0, 4096, _END, 0, _END, 0),
        struct.pack("<109I", *range(fat_sectors), *[_FREE] * (109 - fat_sectors)), struct.pack(f"<{len(fat)}I", *fat),
        b"".join(entries).ljust(directory_sectors * _SECTOR, b"\0"),
        *(c.ljust(-(-len(c) // _SECTOR) * _SECTOR, b"\0") for c in padded.values()),
    ])  # fmt: skip


def _chain(first: int, length: int) -> list[int]:
    return [*range(first + 1, first + length), _END]


def _entry(name: str, kind: int, start: int, size: int, *, child: int = _FREE, right: int = _FREE) -> bytes:
    text = name.encode("utf-16-le") + b"\0\0"
    head = text.ljust(64, b"\0") + struct.pack("<HBBIII", len(text), kind, 1, _FREE, right, child)
    return head + bytes(36) + struct.pack("<IQ", start, size)


def _record(kind: int, content: bytes) -> bytes:
    return struct.pack("<HH", kind, len(content)) + content


def _begin(kind: int) -> bytes:
    return _record(0x0809, struct.pack("<HHHHII", 0x0600, kind, 0x0DBB, 0x07CC, 0, 6))


def _book(rows: Sequence[Sequence[object]], *, locked: bool) -> bytes:
    globals_ = (
        _begin(5) + (_record(0x002F, struct.pack("<HHH", 1, 1, 1)) if locked else b"") + _record(0x0042, struct.pack("<H", 1200))
    )
    name = "订单".encode("utf-16-le")
    at = len(globals_) + 4 + 8 + len(name) + 4
    sheet = _record(0x0085, struct.pack("<IHBB", at, 0, len(name) // 2, 1) + name)
    cells = b"".join(_cell(y, x, value) for y, row in enumerate(rows) for x, value in enumerate(row))
    return globals_ + sheet + _record(0x000A, b"") + _begin(0x10) + cells + _record(0x000A, b"")


def _cell(y: int, x: int, value: object) -> bytes:
    if isinstance(value, float | int):
        return _record(0x0203, struct.pack("<HHHd", y, x, 0, value))
    text = str(value).encode("utf-16-le")
    return _record(0x0204, struct.pack("<HHHHB", y, x, 0, len(text) // 2, 1) + text)
