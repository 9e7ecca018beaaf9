"""Archives of exports: each file of a zip is imported as a file of its own, told as archive/member; a gzip holds one.

A child unpacks them under limits, one at a time, into a private folder that is gone afterwards. What stands in an archive
never chooses a path on this machine: a member's name is shown, and its last part, cleaned, names the file it is read from.
"""

import json
import os
import subprocess
import sys
import tempfile
import threading
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from huitou.errors import DiskFull, FileRefused, Say
from huitou.lake.disk import room

WALL_S = 1_200
_CHILD = Path(__file__).with_name("archive_child.py")
_PACKED = (b"PK\x03\x04", b"PK\x05\x06", b"\x1f\x8b\x08")
_LONGEST = 200  # bytes of a file's name; file systems allow 255
_UNPACK = Say("自己解压后导入里面的文件。", "Unpack it yourself and import the files inside.")
_AGAIN = Say("重新导出（或重新压缩）后再导入。", "Export it again (or pack it again) and import the new one.")
_FAULTS = {
    "bomb": (Say("解开后远大于任何导出文件", "it unpacks to far more than any export does"), _UNPACK),
    "damaged": (Say("表格或压缩包已损坏或不完整", "it is a damaged or cut workbook or archive"), _AGAIN),
    "empty": (Say("压缩包里没有文件", "the archive holds no file"), _AGAIN),
    "limit": (Say("解压它要用太多内存或时间", "unpacking it takes too much memory or time"), _UNPACK),
    "method": (Say("压缩方式不常见，这里解不开", "it is packed in an unusual way that is not read here"), _UNPACK),
    "password": (
        Say("压缩包有密码", "the archive is protected by a password"),
        Say("用平台给的密码解压后导入里面的文件。", "Unpack it with the password that the platform gave, then import the files."),
    ),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Given:
    """One file to import: where it can be read, the name it is told by, and why it cannot be read, if so."""

    path: Path
    name: str
    refused: FileRefused | None = None


def given(file: Path, scratch: Path) -> Iterator[Given]:
    """The file itself; or, of an archive of exports, each file in it, there only until the next one is asked for.

    `scratch` is where they are unpacked, in a folder whose name begins with the number of this process. An archive that
    cannot be read is told as one refused file. Raises DiskFull.
    """
    if not _is_packed(file):
        yield Given(file, file.name)
        return
    with _Unpacking(file) as child:
        about = child.hear()
        fault = about.get("fault")
        if fault == "workbook":
            yield Given(file, file.name)
        elif fault:
            yield Given(file, file.name, FileRefused(file, *_FAULTS[fault]))
        else:
            yield from _members(file, child, about["members"], scratch)


def _members(file: Path, child: "_Unpacking", members: list[tuple[int, str]], scratch: Path) -> Iterator[Given]:
    for number, raw in members:
        parts = [part for part in map(_clean, raw.split("/")) if part]
        name = "/".join([file.name, *(parts or [str(number)])])
        with room(scratch):
            scratch.mkdir(parents=True, exist_ok=True)
            folder = tempfile.TemporaryDirectory(prefix=f"{os.getpid()}-", dir=scratch)
        with folder as inside:
            target = Path(inside) / _short(parts[-1] if parts else str(number))
            fault = child.ask([number, str(target)]).get("fault")
            if fault == "disk":
                raise DiskFull(scratch)
            yield Given(target, name, FileRefused(target, *_FAULTS[fault]).told_as(name) if fault else None)


def _clean(part: str) -> str:
    """A part of a name without signs that are not seen or turn the line; nothing for «.» and «..»."""
    seen = "".join(sign for sign in part if unicodedata.category(sign)[0] != "C").strip()
    return "" if set(seen) <= {"."} else seen


def _short(name: str) -> str:
    """The end of a name that a file system takes."""
    return name.encode()[-_LONGEST:].decode(errors="ignore")


def _is_packed(file: Path) -> bool:
    try:
        with file.open("rb") as stream:
            return stream.read(4).startswith(_PACKED)
    except OSError:
        return False  # whoever reads it next says what is wrong


class _Unpacking:
    """The child: what it says, one line at a time. A child that dies, or does not answer, has met its limits."""

    def __init__(self, file: Path) -> None:
        command = [sys.executable, "-I", "-S", str(_CHILD), str(file)]
        pipe = subprocess.PIPE
        self._process = subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL, text=True, encoding="utf-8")

    def ask(self, question: list[Any]) -> dict[str, Any]:
        """Its answer to one line."""
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(json.dumps(question) + "\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            return {"fault": "limit"}
        return self.hear()

    def hear(self) -> dict[str, Any]:
        """Its next line."""
        assert self._process.stdout is not None
        patience = threading.Timer(WALL_S, self._process.kill)
        patience.start()
        try:
            answer: dict[str, Any] = json.loads(self._process.stdout.readline())
            return answer
        except ValueError:
            return {"fault": "limit"}
        finally:
            patience.cancel()

    def __enter__(self) -> "_Unpacking":
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.communicate()
