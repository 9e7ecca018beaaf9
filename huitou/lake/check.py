"""Whether what is stored is what the ledger says: files present and whole, logs as recorded, every row accounted for."""

from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from deltalake import DeltaTable

from huitou.errors import LakeDamaged, Say, in_language
from huitou.lake.delta import Catalog, DataFile, Folder, table_of
from huitou.lake.ledger import Ledger


def faults(root: Path, ledger: Ledger) -> list[Say]:
    """Every fault of the lake as a sentence that names the file or import; empty = sound."""
    version, heads = ledger.heads()
    found = [*_unbalanced(ledger), *_unknown_imports(Catalog(root, version, heads), ledger)]
    for name, head in heads.items():
        folder = Folder(root / name, table_of(name))
        try:
            files = folder.files(head)
        except LakeDamaged as error:
            found.append(Say(in_language(error.says, "zh"), in_language(error.says, "en")))
            continue
        found += [fault for file in files for fault in _file_faults(folder.path / file.path, file)]
        newest = int(DeltaTable(folder.path).version())
        if newest != head and not ledger.unfinished():
            found.append(Say(
                f"{folder.path}：日志已到版本 {newest}，账本只记到 {head}，有人在 Huitou 之外写过。",
                f"{folder.path}: its log is at version {newest}, the ledger at {head}; something else has written to it.",
            ))  # fmt: skip
    return found


def _file_faults(path: Path, file: DataFile) -> Iterator[Say]:
    if not path.is_file():
        yield Say(f"{path}：文件不见了。", f"{path}: the file is missing.")
        return
    size = path.stat().st_size
    if size != file.bytes:
        yield Say(f"{path}：大小是 {size} 字节，应为 {file.bytes}。", f"{path}: it has {size} bytes, {file.bytes} were written.")
        return
    try:
        rows = pq.read_metadata(path).num_rows
    except (OSError, pa.ArrowInvalid):
        yield Say(f"{path}：文件已损坏，读不出。", f"{path}: the file is damaged and cannot be read.")
        return
    if rows != file.rows:
        yield Say(f"{path}：有 {rows} 行，应为 {file.rows}。", f"{path}: it has {rows} rows, {file.rows} were written.")


def _unbalanced(ledger: Ledger) -> Iterator[Say]:
    for load in ledger.loads():
        if not load.balances:
            yield Say(
                f"第 {load.number} 次导入 {load.file}：读了 {load.rows_read} 行，存入 {load.stored}、已有 {load.known}、"
                f"待处理 {load.quarantined}，对不上。",
                f"Import {load.number} of {load.file}: {load.rows_read} rows read, but {load.stored} stored, {load.known} known,"
                f" {load.quarantined} set aside.",
            )


def _unknown_imports(catalog: Catalog, ledger: Ledger) -> Iterator[Say]:
    stored: dict[str, int] = {}
    for load in ledger.loads():
        for name, counts in load.by_table.items():
            stored[name] = stored.get(name, 0) + counts.stored
    for name, rows in stored.items():
        try:
            there = catalog.rows(name)
        except LakeDamaged:
            continue
        if there != rows:
            yield Say(
                f"表 {name}：有 {there} 行，账本记的是 {rows} 行。",
                f"Table {name}: it holds {there} rows, the ledger counts {rows}.",
            )
