"""The child that reads one XLSX file under limits; run as a script, knows nothing else of the product.

Arguments: path, number of rows (-1: all). Standard output: one line of JSON (sheets, or the fault), then an Arrow stream
of text columns named by position.
"""

import json
import os
import sys
from io import IOBase
from typing import Any, cast

MEMORY = 2 * 2**30
CPU_S = 300
_BATCH = 32_768


def limit() -> None:
    """Bound this process's address space and CPU time, where the system can."""
    try:
        import resource  # noqa: PLC0415 - not on Windows
    except ImportError:
        return
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_S, CPU_S))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def first_filled(reader: Any, rows: int) -> Any:
    """The first sheet with a cell in it as an Arrow batch of text, empty leading rows included."""
    for index in range(len(reader.sheet_names)):
        sheet = reader.load_sheet(index, header_row=None, skip_rows=0, dtypes="string", n_rows=rows if rows >= 0 else None)
        if sheet.height and sheet.width:
            return sheet.to_arrow()
    return None


def main() -> None:
    """Read, write, leave."""
    path, rows = sys.argv[1], int(sys.argv[2])
    limit()
    os.environ["ARROW_DEFAULT_MEMORY_POOL"] = "system"
    out = sys.stdout.buffer
    try:
        import fastexcel  # noqa: PLC0415 - under the limits, so that they hold from the first byte
        import pyarrow as pa  # noqa: PLC0415

        reader = fastexcel.read_excel(path)
        batch = first_filled(reader, rows)
        about = {"sheets": list(reader.sheet_names)} if batch is not None else {"fault": ["empty"]}
    except MemoryError:
        batch, about = None, {"fault": ["limit"]}
    except Exception:  # noqa: BLE001 - whatever a hostile file provokes
        batch, about = None, {"fault": ["damaged"]}
    out.write(json.dumps(about).encode() + b"\n")
    if batch is not None:
        batch = batch.rename_columns([str(i) for i in range(batch.num_columns)])
        with pa.ipc.new_stream(cast(IOBase, out), batch.schema) as writer:
            for start in range(0, batch.num_rows, _BATCH):
                writer.write_batch(batch.slice(start, _BATCH))
    out.flush()


if __name__ == "__main__":
    main()
