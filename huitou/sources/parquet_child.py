"""The child that reads a Parquet file once under limits, as its reader will again; run as a script: exit code 0 if it can be."""

import os
import sys

MEMORY = 3 * 2**29
CPU_S = 1_200


def main() -> None:
    """Read all of it, keep nothing."""
    try:
        import resource  # noqa: PLC0415 - not on Windows

        for what, most in ((resource.RLIMIT_AS, MEMORY), (resource.RLIMIT_CPU, CPU_S), (resource.RLIMIT_CORE, 0)):
            resource.setrlimit(what, (most, most))
    except ImportError:
        pass
    os.environ["ARROW_DEFAULT_MEMORY_POOL"] = "system"
    import pyarrow.parquet as pq  # noqa: PLC0415 - under the limits

    with pq.ParquetFile(sys.argv[1]) as file:
        for _ in file.iter_batches(int(sys.argv[2]), use_threads=False):
            pass


if __name__ == "__main__":
    main()
