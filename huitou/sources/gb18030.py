"""GB18030 as UTF-8, read ahead: run as a script with a file, it writes to its standard output stretches of it, each after its
length in the file and its own, until the file ends or before what is not surely GB18030. Only Python can decode it, and all other
threads of a process wait meanwhile.

This module loads nothing that is large.
"""

import codecs
import re
import struct
import sys
from contextlib import suppress
from queue import Queue
from threading import Thread

STRETCH = 2**20
"""Bytes decoded at once."""
LENGTHS = struct.Struct("<II")
"""Of a stretch: in the file, and as UTF-8."""
_AHEAD = 48  # stretches that wait to be taken
_EVERYDAY = frozenset(
    "的一是了我不在有人这他来个上们到说大为和子你地出会也时要就可以对生能下过后作里用好没多看都天起小心还发当把年然想样开动手"
    "吗呢吧啊哦嗯亲您请问谢快递货单价钱买卖店家颜色尺码件套款新旧退换收付邮包付客户订编号时间名称宝贝地址电话省市区交易成功关闭等待"
    "這個來們說會時為國對過後沒還發當樣開動嗎請問謝遞貨單價錢買賣顏碼舊換郵訂編號間稱寶貝電話區關閉應該給讓從兩種點麼樣與經長"
)
"""Characters of everyday chats and export headings, simplified and traditional."""
_NOT_ASCII = re.compile(rb"[\x80-\xff]")
_SOME, _FEW = 4096, 200  # bytes at the beginning and at the end of a stretch that are tried as another encoding
_UTF8_LINE = re.compile(rb"\n([\x00-\x09\x0b-\x7f]*+(?:[\xe3-\xe9\xef][\x80-\xbf]{2}[\x00-\x09\x0b-\x7f]*+)++)(?=\n)")
"""A line that is UTF-8 with Chinese in it; by chance a short line of GBK is too."""


def utf8_line(raw: bytes) -> int | None:
    """Where in bytes that are valid GB18030 a line begins that is meant as UTF-8; None: nowhere."""
    for line in _UTF8_LINE.finditer(raw):
        if _rather(line[1].decode(), line[1].decode("gb18030", "ignore")):
            return line.start(1)
    return None


def is_big5(raw: bytes) -> bool:
    """Whether bytes that are valid GB18030 are meant as Big5, by their beginning and their end."""
    first = _NOT_ASCII.search(raw)
    begins = raw[first.start() : first.start() + _SOME] if first else b""
    for some in (begins, begins[:_FEW], raw[raw.rfind(b"\n", 0, -_FEW) + 1 :][:_SOME]):
        with suppress(UnicodeDecodeError):
            traditional = codecs.getincrementaldecoder("big5")("strict").decode(some)
            if _rather(traditional, some.decode("gb18030", "ignore")):
                return True
    return False


def _rather(text: str, than: str) -> bool:
    """Whether a text has so many more everyday characters than another reading of its bytes that it must be the right one."""
    here, there = (sum(sign in _EVERYDAY for sign in reading) for reading in (text, than))
    return here > 2 * there + 2


def _decode(path: str, into: "Queue[tuple[int, bytes] | None]") -> None:
    """Queue whole characters, then None."""
    decoder = codecs.getincrementaldecoder("gb18030")("strict")
    with suppress(OSError, UnicodeDecodeError), open(path, "rb") as file:  # noqa: PTH123 - pathlib takes as long as all else to load
        pending = 0
        while raw := file.read(STRETCH):
            if b"\0" in raw or utf8_line(raw) is not None or is_big5(raw):
                break
            text = decoder.decode(raw)
            before, pending = pending, len(decoder.getstate()[0])
            into.put((len(raw) + before - pending, text.encode()))
    into.put(None)


def main() -> None:
    """Write all stretches; whoever reads them may stop at any time."""
    queue: Queue[tuple[int, bytes] | None] = Queue(_AHEAD)
    Thread(target=_decode, args=(sys.argv[1], queue), daemon=True).start()
    out = open(sys.stdout.fileno(), "wb", buffering=0)  # noqa: PTH123, SIM115 - the whole life long
    with suppress(BrokenPipeError):
        while stretch := queue.get():
            left = memoryview(LENGTHS.pack(stretch[0], len(stretch[1])) + stretch[1])
            while left:
                left = left[out.write(left) :]


if __name__ == "__main__":
    main()
