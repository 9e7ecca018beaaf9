"""The child that reads one workbook under limits; run as a script, knows nothing else of the product.

Arguments: path, number of an open file. Into that file go the sheets that hold a cell, one Arrow stream of text columns
after the other; standard output gets one line of JSON: the sheets' names and where each stream begins, or the fault.
"""

import io
import json
import os
import re
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

MEMORY = 2 * 2**30
SPOOL = 4 * 2**30
CPU_S = 120
MAX_MEMBERS = 1_000
MAX_UNPACKED = 2 * 2**30
MAX_RATIO = 200
MAX_CELLS = 1_048_576 * 200
MAX_CELL_BYTES = 2**20  # a spreadsheet's own limit is 32,767 characters
_BATCH_ROWS = 32_768
_BATCH_BYTES = 16 * 2**20
_NAME = 200
_LOCKED = re.compile(
    re.escape("EncryptedPackage".encode("utf-16-le")) + rb"|\x09\x08\x10\x00\x00\x06\x05\x00.{12}(?:\x86\x00\x00\x00)?\x2f\x00",
    re.DOTALL,
)
"""A workbook with a password: the stream in which a new one lies, or what an old one begins with (BOF, WRITEPROT, FILEPASS)."""


class Fault(Exception):
    """Why the file is not read, as a code."""


def limit() -> None:
    """Bound this process's address space, CPU time and output, where the system can."""
    try:
        import resource  # noqa: PLC0415 - not on Windows
    except ImportError:
        return
    bounds = {resource.RLIMIT_AS: MEMORY, resource.RLIMIT_CPU: CPU_S, resource.RLIMIT_FSIZE: SPOOL, resource.RLIMIT_CORE: 0}
    for what, most in bounds.items():
        resource.setrlimit(what, (most, most))


def check(content: bytes) -> None:
    """Look at the zip's directory and the sheets' claims without unpacking. Raises Fault."""
    with zipfile.ZipFile(io.BytesIO(content)) as file:
        members = file.infolist()
        names = [m.filename.lower().replace("\\", "/") for m in members]
        if not any(name.startswith("xl/workbook.") for name in names) and not {"mimetype", "content.xml"} <= {*names}:
            raise Fault("archive")
        unpacked = sum(m.file_size for m in members)
        if len(members) > MAX_MEMBERS or unpacked > MAX_UNPACKED or unpacked > MAX_RATIO * max(1, len(content)):
            raise Fault("bomb")
        sheets = [m for m, name in zip(members, names, strict=True) if name.startswith("xl/worksheets/sheet")]
        if max((_claimed(file, m) for m in sheets), default=0) > MAX_CELLS:
            raise Fault("cells")


def _claimed(file: zipfile.ZipFile, member: zipfile.ZipInfo) -> int:
    """Cells that a sheet says it has; 0 where it does not say."""
    with file.open(member) as sheet:
        found = re.search(rb"<dimension ref=[\"'][A-Z]+\d+:([A-Z]{1,9})(\d{1,9})[\"']", sheet.read(4096))
    if not found:
        return 0
    column = 0
    for letter in found[1]:
        column = column * 26 + letter - 64
    return column * int(found[2])


def sheets(content: bytes) -> Iterator[tuple[str, Any]]:
    """Name and cells of each sheet, empty leading rows included; None for the cells of an empty one. Raises Fault."""
    import fastexcel  # noqa: PLC0415 - under the limits, so that they hold from the first byte

    reader = fastexcel.read_excel(content)
    for name in reader.sheet_names:
        # Eager, cells become Arrow's at once: a fifth less time.
        batch: Any = reader.load_sheet(name, header_row=None, skip_rows=0, dtypes="string", eager=True)
        if not batch.num_rows or not batch.num_columns:
            batch = None
        elif any(longest(column) > MAX_CELL_BYTES for column in batch.columns):
            raise Fault("cells")
        yield name, batch


def longest(texts: Any) -> int:
    """Bytes of the longest text of a column, from where each begins; Arrow's own functions take long to load."""
    import numpy as np  # noqa: PLC0415

    begins = np.frombuffer(texts.buffers()[1], dtype=np.int32)[texts.offset : texts.offset + len(texts) + 1]
    return int(np.diff(begins).max(initial=0))


def pieces(batch: Any) -> Iterator[Any]:
    """The batch in parts that whoever reads them can hold."""
    if batch.num_rows > 1 and (batch.num_rows > _BATCH_ROWS or batch.nbytes > _BATCH_BYTES):
        half = batch.num_rows // 2
        yield from pieces(batch.slice(0, half))
        yield from pieces(batch.slice(half))
    else:
        yield batch


def spooled(path: Path, spool: io.BufferedWriter) -> dict[str, Any]:
    """Write the sheets; what is to be said about them. Raises Fault and whatever a hostile file provokes."""
    import pyarrow as pa  # noqa: PLC0415

    content = path.read_bytes()
    if content.startswith(b"PK"):
        check(content)
    elif _LOCKED.search(content):
        raise Fault("password")
    names, filled = [], []
    for name, batch in sheets(content):
        names.append(name[:_NAME])
        if batch is None:
            continue
        filled.append((name[:_NAME], spool.tell()))
        batch = batch.rename_columns([str(i) for i in range(batch.num_columns)])
        with pa.ipc.new_stream(spool, batch.schema, options=pa.ipc.IpcWriteOptions(compression="lz4")) as writer:
            for piece in pieces(batch):
                writer.write_batch(piece)
    if not filled:
        raise Fault("empty")
    return {"sheets": names, "filled": filled}


def main() -> None:
    """Read, write, leave."""
    limit()
    os.environ["ARROW_DEFAULT_MEMORY_POOL"] = "system"
    try:
        with os.fdopen(int(sys.argv[2]), "wb") as spool:
            about = spooled(Path(sys.argv[1]), spool)
    except Fault as fault:
        about = {"fault": str(fault)}
    except MemoryError:
        about = {"fault": "limit"}
    except OSError as error:
        about = {"fault": "disk" if error.errno else "damaged"}
    except BaseException:  # noqa: BLE001 - whatever a hostile file provokes; a Rust panic is no Exception
        about = {"fault": "damaged"}
    sys.stdout.write(json.dumps(about) + "\n")


if __name__ == "__main__":
    main()
