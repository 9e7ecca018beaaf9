"""A chat file as blocks of whole lines: about 8 MiB each, cut where one buyer's chat (or at least one message) ends."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import polars as pl

from huitou.errors import FileRefused, Say
from huitou.sources.text import Utf8, lines_of

BLOCK_BYTES = 8 * 2**20  # several blocks are under way at once
FIRST_BYTES = 2**20
"""Of a file's first block, each after it being twice as large: whoever works on the blocks begins soon, all at once."""
NO_CHAT = 16  # blocks without a single message after which the file is refused
LONGEST_BLOCK = 4  # blocks without a border after which a block is cut inside a chat, between two messages
EXPORT_AGAIN = Say("重新导出完整的聊天记录再导入。", "Export the chats again and import the complete file.")

STAMP = r"[0-9]{4}-[0-9]{1,2}-[0-9]{1,2} [0-9]{1,2}:[0-9]{1,2}:[0-9]{1,2}"
_MARK = re.compile(rb"\n(?=-{20,40} ?([^\n]{1,200}?) ?-{20,40}\s*\n)")
_OLD_HEAD = re.compile(rb"\n(?=([^\n]{1,240}?)\(" + STAMP.encode() + rb"\):)")
_INSTANT_HEAD = re.compile(rb"\n(?=" + STAMP.encode() + rb" )")
_BELOW_HEAD = re.compile(rb"\n(?=[^\n]{1,240}?" + STAMP.encode() + rb"[ \t\r]*\n)")
# What a file ends in when it was cut inside the head of a message: a date and time that stop too soon.
_HALF_STAMP = r"[0-9]{4}-(?:[0-9]{0,2}(?:-(?:[0-9]{1,2}(?: (?:[0-9]{1,2}(?::(?:[0-9]{1,2}(?::[0-9]{0,2})?)?)?)?)?)?)?)"
_HALF_OLD = re.compile(rf"^[^()\s][^()]{{0,80}}\({_HALF_STAMP}\)?$")
_HALF_INSTANT = re.compile(rf"^{_HALF_STAMP}(?: [^:：]{{0,80}})?$")


@dataclass(frozen=True, slots=True)
class Block:
    """Whole lines of a chat file as proved UTF-8; `first_row` is the file's number of the first line."""

    raw: bytes
    first_row: int
    bytes_done: int
    last: bool

    @property
    def notes(self) -> dict[str, int]:
        """Of the file's last block: whether its last line has no end, as in a file that was cut."""
        return {"no_final_newline": 1} if self.last and not self.raw.endswith((b"\n", b"\r")) else {}

    def lines(self) -> pl.Series:
        """The lines with their ends, without a copy."""
        return lines_of(self.raw)


def blocks(path: Path, encoding: str, *, old: bool, below: bool = False, size: int = BLOCK_BYTES) -> Iterator[Block]:
    """The file's lines in blocks; `old`: the client's form with a mark before each buyer, else one row per message, or its
    head with the text `below`.

    Raises FileRefused where the bytes stop being text and where the file ends inside the head of a message.
    """
    row, held = 1, b""
    message = _OLD_HEAD if old else _BELOW_HEAD if below else _INSTANT_HEAD
    border = _mark_border if old else partial(_message_border, message)
    wanted = min(size, FIRST_BYTES)
    with Utf8(path, encoding) as file:
        while data := file.read(wanted):
            held += data
            cut = _cut(held, border, message, size) if len(held) >= wanted // 2 else 0
            if cut:
                wanted = min(size, 2 * wanted)
                yield Block(held[:cut], row, file.bytes_done, last=False)
                row += int(np.count_nonzero(np.frombuffer(held, dtype=np.uint8, count=cut) == ord("\n")))
                held = held[cut:]
            elif len(held) > size * NO_CHAT:
                says = Say(f"从第 {row:,} 行起没有聊天消息", f"from line {row:,} on it holds no chat message any more")
                raise FileRefused(path, says, EXPORT_AGAIN)
        if not file.ends_in_newline and not below:
            _refuse_cut(path, held, old=old)
        yield Block(held, row, file.bytes_done, last=True)


def _cut(held: bytes, border: Callable[[bytes], int], head: re.Pattern[bytes], size: int) -> int:
    """Where to cut; 0 = read on."""
    at = border(held)
    if at or len(held) < size * LONGEST_BLOCK:
        return at
    heads = [m.start() + 1 for m in head.finditer(held, max(0, len(held) - size))]
    return heads[-1] if heads else 0


def _message_border(head: re.Pattern[bytes], held: bytes) -> int:
    """Start of the last message: every message stands alone, buyers take turns."""
    tail = max(0, len(held) - 2**16)
    heads = [m.start() + 1 for m in head.finditer(held, tail)]
    return heads[-1] if heads else 0


def _mark_border(held: bytes) -> int:
    """Start of a late chat in whose lines its own buyer speaks and nobody like the buyer before: a mark quoted inside a
    message is no border."""
    marks = list(_MARK.finditer(held, max(0, len(held) - 2**20)))
    for number in range(len(marks) - 2, 0, -1):
        before, mark, after = marks[number - 1 : number + 2]
        speakers = {m[1].removeprefix(b"cntaobao") for m in _OLD_HEAD.finditer(held, mark.end() - 1, after.start())}
        if mark[1].removeprefix(b"cntaobao") in speakers and before[1].removeprefix(b"cntaobao") not in speakers:
            return mark.start() + 1
    return 0


def _refuse_cut(path: Path, held: bytes, *, old: bool) -> None:
    """Raise FileRefused where the last line, which has no end, is half a message's head."""
    line = held[held.rfind(b"\n") + 1 :].decode()
    if (_HALF_OLD if old else _HALF_INSTANT).match(line):
        says = Say(
            "文件不完整，在最后一条消息的开头中断", "the file is cut off: its last line stops inside the head of a message"
        )
        raise FileRefused(path, says, EXPORT_AGAIN)
