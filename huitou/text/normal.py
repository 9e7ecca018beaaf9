"""Texts as they are compared: one width, one script, one case, no long runs, chat clients' face codes as one sign.

All rows of a batch lie behind one another in one array of code points, so that a rule is one array operation. Of every
character that is left the array knows where it stood in the text as typed: no step changes a text without keeping its way back.
"""

import re
import tomllib
import unicodedata
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow as pa

Codes = npt.NDArray[np.uint32]
Places = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]
_CHARACTERS = Path(__file__).with_name("characters.toml")
_LAST = 0x110000
_DROPPED = 0
_FACE_SIGNS = "/#[〔"  # that a face code or a mask begins with
_LONGEST_CODE = 12


@dataclass(frozen=True, slots=True)
class Normal:
    """A batch of texts, normalised. `codes`: all characters, row after row; row i is ``codes[first[i]:first[i + 1]]``.

    `rows`: the row of every character.
    """

    codes: Codes
    first: Places
    rows: Places
    _typed_at: Places  # of every character: its place among all characters as typed
    _typed_first: Places  # where each row began there
    _faces: Places  # where face codes began there, and where they ended
    _face_ends: Places

    def series(self) -> tuple[pl.Series, Places]:
        """The normalised texts, and for every byte of them (and the end) the number of its character."""
        data = self.codes.astype("<u4").tobytes().decode("utf-32-le").encode()
        width = (1 + (self.codes >= 0x80) + (self.codes >= 0x800) + (self.codes >= 0x10000)).astype(np.uint8)
        starts = np.zeros(len(width) + 1, dtype=np.int64)
        np.cumsum(width, out=starts[1:])
        offsets = np.ascontiguousarray(starts[self.first])
        column = pa.LargeStringArray.from_buffers(len(offsets) - 1, pa.py_buffer(offsets.data), pa.py_buffer(data))
        texts = pl.from_arrow(column)
        assert isinstance(texts, pl.Series)
        return texts, np.append(np.repeat(np.arange(len(width)), width), len(width))

    def as_typed(self, row: Places, start: Places, end: Places) -> tuple[Places, Places]:
        """Stretches of `codes` as [start, end) in characters of their rows as typed."""
        first, last = self._typed_at[start], self._typed_at[end - 1]
        ends = last + 1
        if len(self._faces):
            near = np.minimum(np.searchsorted(self._faces, last), len(self._faces) - 1)
            ends = np.where(self._faces[near] == last, self._face_ends[near], ends)
        begin = self._typed_first[row]
        return first - begin, ends - begin


def normalise(texts: pl.Series) -> Normal:
    """Texts as they are compared; null reads as empty."""
    table, faces = _tables()
    texts = texts.fill_null("").rechunk()
    text = _utf8(texts).decode()
    typed = np.frombuffer(text.encode("utf-32-le"), dtype="<u4")
    typed_first = np.zeros(len(texts) + 1, dtype=np.int64)
    np.cumsum(texts.str.len_chars().to_numpy(), out=typed_first[1:])
    codes = table.take(typed)
    spans = faces.read(text, typed, typed_first, codes)
    kept = np.flatnonzero(codes)
    codes = codes[kept]
    stays = ~_inside_run(codes, np.searchsorted(kept, typed_first[1:-1]))
    if not stays.all():
        kept, codes = kept[stays], codes[stays]
    first = np.searchsorted(kept, typed_first)
    rows = np.repeat(np.arange(len(texts)), np.diff(first))
    return Normal(codes, first, rows, kept, typed_first, spans[:, 0].copy(), spans[:, 1].copy())


def normal_text(text: str) -> str:
    """One text, normalised."""
    return normalise(pl.Series([text], dtype=pl.String)).codes.astype("<u4").tobytes().decode("utf-32-le")


def is_word(codes: Codes) -> Flags:
    """Which characters are letters, digits or words of a script, not signs; of normalised text."""
    word: Flags = (codes >= 0x3400) & (codes < 0x1F000) & ~((codes >= 0xFE30) & (codes <= 0xFF5E)) | (codes > 0x20000)
    word |= (codes >= 0x61) & (codes <= 0x7A) | (codes >= 0x30) & (codes <= 0x39)
    return word


def _utf8(texts: pl.Series) -> bytes:
    """All values of a column without nulls, behind one another."""
    column = texts.to_arrow().cast(pa.large_string())
    _, offsets, data = column.buffers()
    if offsets is None or data is None:
        return b""
    borders = np.frombuffer(memoryview(offsets), dtype=np.int64)[column.offset : column.offset + len(column) + 1]
    return bytes(memoryview(data)[borders[0] : borders[-1]])


def _inside_run(codes: Codes, first: Places) -> Flags:
    """Characters with the same one on both sides: of a run, the first and the last stay. Digits count, so theirs stay.

    `first`: where rows begin; a run ends with its row.
    """
    same = codes[1:] == codes[:-1]
    same[first[(first > 0) & (first < len(codes))] - 1] = False
    inside = np.zeros(len(codes), dtype=bool)
    inside[1:-1] = same[1:] & same[:-1]
    return inside & ~((codes >= ord("0")) & (codes <= ord("9")))


class _Faces:
    """The face codes and masks, each with the sign that it is read as."""

    def __init__(self, signs: dict[str, str]) -> None:
        self._sign = {code: ord(sign) for sign, codes in signs.items() for code in codes.split()}
        self._pattern = re.compile("|".join(map(re.escape, sorted(self._sign, key=len, reverse=True))))
        self._second = np.zeros(_LAST, dtype=bool)
        self._second[[ord(code[1]) for code in self._sign]] = True

    def read(self, text: str, typed: Codes, first: Places, codes: Codes) -> Places:
        """Puts its sign in the place of each code, nothing in those of its rest; begins and ends of all codes."""
        found: list[tuple[int, int]] = []
        begins = np.zeros(len(typed), dtype=bool)
        for sign in _FACE_SIGNS:
            begins |= typed == ord(sign)
        at = np.flatnonzero(begins[:-1])
        at = at[self._second.take(typed[at + 1])]
        ends = first[np.searchsorted(first, at, side="right")]
        for begin, end in zip(at.tolist(), ends.tolist(), strict=True):
            face = self._pattern.match(text, begin, min(begin + _LONGEST_CODE, end))
            if face:
                codes[begin] = self._sign[face[0]]
                codes[begin + 1 : face.end()] = _DROPPED
                found.append(face.span())
        return np.array(found, dtype=np.int64).reshape(-1, 2)


@cache
def _tables() -> tuple[Codes, _Faces]:
    """What each code point is read as (0: nothing), and the face codes."""
    raw = tomllib.loads(_CHARACTERS.read_text("utf-8"))
    table = np.arange(_LAST, dtype=np.uint32)
    for code in range(1, 0x20000):
        if not 0xD800 <= code < 0xE000:
            table[code] = _plain(code)
    for tags in range(0xE0000, 0xE01F0):
        table[tags] = _DROPPED
    for pair in raw["simplified"].split():
        table[ord(pair[0])] = ord(pair[1])
    table[0] = ord(" ")
    return table, _Faces(raw["emoji"] | raw["masks"])


def _plain(code: int) -> int:
    """One code point in half width and lower case; controls as spaces, signs that show nothing as nothing."""
    sign = chr(code)
    kind = unicodedata.category(sign)
    if sign.isspace() or kind == "Cc" or sign == "\u3164":
        return ord(" ")
    if kind in ("Cf", "Mn", "Me") or 0xFE00 <= code < 0xFE10:
        return _DROPPED
    folded = unicodedata.normalize("NFKC", sign).lower()
    return ord(folded) if len(folded) == 1 and not 0xD800 <= ord(folded) < 0xE000 else code
