"""The SHA-256 of a file, made while the file is read for its rows: both take about as long as the disk does."""

import hashlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path


class Digest:
    """SHA-256 of a file's bytes, begun at once in a thread of its own."""

    def __init__(self, file: Path) -> None:
        pool = ThreadPoolExecutor(1, "huitou-digest")
        self._made = pool.submit(_sha256, file)
        pool.shutdown(wait=False)

    def of_all(self) -> str:
        """The digest as hexadecimal digits, once the whole file is through. Raises OSError where it could not be read."""
        return self._made.result()


def _sha256(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
