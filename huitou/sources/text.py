"""Bytes of a text file as proved UTF-8: never guessed, never replaced, never the whole file in memory."""

import codecs
import io
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import polars as pl
import pyarrow as pa

from huitou.errors import FileRefused, Say
from huitou.sources.gb18030 import is_big5, utf8_line
from huitou.sources.reader import decoder_of

ENCODINGS = ("utf-8", "gb18030")
"""Tried in this order. One in five UTF-8 chat lines also decodes as gb18030, and no gb18030 line as UTF-8: the other
order would turn readable text into wrong characters without an error."""

_BOM = codecs.BOM_UTF8
_OTHER_BOMS = (codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)
_WIDE = {codecs.BOM_UTF16_LE: "utf-16-le", codecs.BOM_UTF16_BE: "utf-16-be"}
"""What Excel calls «Unicode text»; read only with its mark at the beginning."""
SAVE_AS_UTF8 = Say(
    "用 Excel 或 WPS 打开，另存为「CSV UTF-8」，或重新导出。",
    "Open it in Excel or WPS and save it as «CSV UTF-8», or export it again.",
)

_PIECE = 2**18  # bytes decoded at once: all other threads wait meanwhile


class Utf8(io.RawIOBase):
    """A file object that reads a text file as UTF-8 bytes without BOM, whatever its proved encoding.

    `bytes_done` counts bytes of the file; `quotes` counts ``"`` so far; `ends_in_newline` tells about the last byte read.
    Raises FileRefused that names the byte offset where the file stops being text in its encoding. A file that began
    as plain ASCII may turn out to be gb18030: both read the same so far.
    """

    def __init__(self, path: Path, encoding: str) -> None:
        super().__init__()
        self._path = path
        self._held = ExitStack()
        self._file = self._held.enter_context(path.open("rb"))
        self._ahead = self._held.enter_context(decoder_of(path)) if encoding == "gb18030" else None
        self._encoding = encoding
        self._wide = encoding in _WIDE.values()
        self._decoder = codecs.getincrementaldecoder(encoding if self._wide else "gb18030")("strict")
        self._begun = b""  # the first bytes of a character whose last are in the next read (UTF-8)
        self._plain = True
        self._first = True
        self.bytes_done = 0
        self.quotes = 0
        self.ends_in_newline = True

    def readable(self) -> bool:
        """Always: this object only reads."""
        return True

    def close(self) -> None:
        """Close the file too."""
        self._held.close()
        super().close()

    def readinto(self, buffer: object) -> int:
        """Fill `buffer`; see `read`, which is what is used."""
        view = memoryview(buffer)  # type: ignore[arg-type]
        data = self.read(max(1, len(view) // 2))
        view[: len(data)] = data
        return len(data)

    def read(self, size: int = -1) -> bytes:
        """About `size` bytes of the file, as UTF-8 (up to half as many again from gb18030); b"" at the end."""
        while True:
            length, out = self._read_ahead(size) or self._read(size)
            self.bytes_done += length
            if out or not length:
                self.quotes += int(np.count_nonzero(np.frombuffer(out, dtype=np.uint8) == ord('"')))
                if out:
                    self.ends_in_newline = out.endswith((b"\n", b"\r"))
                return out

    def _read_ahead(self, size: int) -> tuple[int, bytes] | None:
        """About so many bytes of the file, and as UTF-8, from the child that decodes it; None where that has none, or no more."""
        length, pieces = 0, []
        while self._ahead is not None and (length < size or not length):
            stretch = self._ahead.stretch()
            if stretch is None:
                self._ahead = None
                self._file.seek(self.bytes_done + length)
            else:
                length += stretch[0]
                pieces.append(stretch[1])
        return (length, b"".join(pieces)) if length else None

    def _read(self, size: int) -> tuple[int, bytes]:
        """So many bytes of the file, and as UTF-8."""
        raw = self._file.read(size)
        if self._first and raw.startswith(_BOM):
            raw = raw[len(_BOM) :]
            self.bytes_done += len(_BOM)
        self._first = False
        return len(raw), self._decode(raw)

    def _decode(self, raw: bytes) -> bytes:
        if self._wide:
            return self._decoded(raw, self.bytes_done, final=not raw).replace(_BOM, b"")
        if (at := raw.find(b"\0")) >= 0:
            raise not_text(self._path, self.bytes_done + at)
        if self._plain and not self._begun and raw.isascii():
            return raw
        if self._encoding == "gb18030":
            return self._from_gb18030(raw, self.bytes_done, final=not raw)
        text, start = self._begun + raw, self.bytes_done - len(self._begun)
        whole = len(text) if not raw else _whole(text)
        if not _is_utf8(text, whole):
            try:
                text[:whole].decode()
            except UnicodeDecodeError as error:
                if self._plain and text[: error.start].isascii():
                    self._encoding = "gb18030"
                    return self._from_gb18030(text, start, final=not raw)
                raise not_text(self._path, start + error.start) from None
        self._begun, out = text[whole:], text[:whole]
        self._plain = self._plain and out.isascii()
        return out

    def _from_gb18030(self, raw: bytes, start: int, *, final: bool) -> bytes:
        """As UTF-8; `start` is the place of `raw` in the file."""
        refuse_other_chinese(self._path, raw, start)
        return self._decoded(raw, start, final=final)

    def _decoded(self, raw: bytes, start: int, *, final: bool) -> bytes:
        pieces = []
        for at in range(0, len(raw) or 1, _PIECE):
            pending = len(self._decoder.getstate()[0])
            try:
                text = self._decoder.decode(raw[at : at + _PIECE], final=final)
            except UnicodeDecodeError as error:
                raise not_text(self._path, start + at - pending + error.start) from None
            pieces.append(text.encode())
        self._plain = False
        return b"".join(pieces)


def lines_of(raw: bytes) -> pl.Series:
    """The lines of proved UTF-8 with their ends, without a copy; what follows the last line end counts as one, be it empty."""
    ends = np.flatnonzero(np.frombuffer(raw, dtype=np.uint8) == ord("\n")) + 1
    offsets = np.concatenate(([0], ends, [len(raw)])).astype(np.int64)
    column = pa.LargeStringArray.from_buffers(len(offsets) - 1, pa.py_buffer(offsets.data), pa.py_buffer(raw))
    lines = pl.from_arrow(column)
    assert isinstance(lines, pl.Series)
    return lines


def _whole(text: bytes) -> int:
    """Length of UTF-8 bytes without the character that their end may cut."""
    for back in range(1, min(4, len(text)) + 1):
        byte = text[-back]
        if byte >= 0xC0:
            return len(text) - back if back < (2 if byte < 0xE0 else 3 if byte < 0xF0 else 4) else len(text)
        if byte < 0x80:
            break
    return len(text)


def _is_utf8(text: bytes, length: int) -> bool:
    """Whether the first bytes are UTF-8; four times as fast as decoding them."""
    ends = np.array([0, length], dtype=np.int64)
    try:
        pa.LargeStringArray.from_buffers(1, pa.py_buffer(ends.data), pa.py_buffer(text)).validate(full=True)
    except pa.ArrowInvalid:
        return False
    return True


def proved_encoding(path: Path, beginning: bytes) -> str:
    """ "utf-8", "gb18030", or with its mark "utf-16-le" or "-be", for the first bytes of a file (the last character may be
    incomplete).

    Raises FileRefused for UTF-16 without a mark, binary data and anything that is none of these encodings.
    """
    for mark, wide in _WIDE.items():
        if beginning.startswith(mark) and not beginning.startswith(_OTHER_BOMS) and b"\0" in beginning:
            try:
                codecs.getincrementaldecoder(wide)("strict").decode(beginning)
            except UnicodeDecodeError as error:
                raise not_text(path, error.start) from None
            return wide
    if beginning.startswith((*_OTHER_BOMS, *_WIDE)) or beginning[:2048].count(b"\0") > len(beginning[:2048]) // 8:
        raise FileRefused(
            path, Say("是不带标记的 UTF-16，或者不是文本", "it is UTF-16 without a mark, or not text at all"), SAVE_AS_UTF8
        )
    if (at := beginning.find(b"\0")) >= 0:
        raise not_text(path, at)
    furthest = 0
    for encoding in ENCODINGS:
        try:
            codecs.getincrementaldecoder(encoding)("strict").decode(beginning)
            if encoding == "gb18030":
                refuse_other_chinese(path, beginning, 0)
            return encoding
        except UnicodeDecodeError as error:
            furthest = max(furthest, error.start)
    raise not_text(path, furthest)


def refuse_other_chinese(path: Path, raw: bytes, start: int) -> None:
    """Raise FileRefused for bytes, `start` of the file on, that are valid gb18030 but meant otherwise: lines of UTF-8, Big5."""
    if (at := utf8_line(raw)) is not None:
        raise not_text(path, start + at)
    if is_big5(raw):
        says = Say("是 Big5（繁体）编码", "it is in Big5, the encoding of traditional Chinese")
        raise FileRefused(path, says, SAVE_AS_UTF8)


def not_text(path: Path, offset: int) -> FileRefused:
    """The refusal of a file that stops being UTF-8 or gb18030 at a byte offset (from 0)."""
    says = Say(
        f"从第 {offset:,} 字节起既不是 UTF-8 也不是 GBK/GB18030：混了两种编码，或者文件损坏、不完整",
        f"from byte {offset:,} on it is neither UTF-8 nor GBK/GB18030: encodings are mixed, or the file is damaged or cut",
    )
    return FileRefused(path, says, SAVE_AS_UTF8)
