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
_CHARACTERS = Path(__file__).with_name("characters.toml")
_LAST = 0x110000
_DROPPED = 0
_EMOJI_SIGNS = tuple(map(ord, "/#["))
_LONGEST_CODE = 12


@dataclass(frozen=True, slots=True)
class Normal:
    """A batch of texts, normalised. `codes`: all characters, row after row; row i is ``codes[first[i]:first[i + 1]]``."""

    codes: Codes
    first: Places
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

    def row_of(self, at: Places) -> Places:
        """The rows that characters stand in."""
        return np.searchsorted(self.first, at, side="right") - 1

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
    table, codes_of_faces, faces = _tables()
    texts = texts.fill_null("").rechunk()
    text = _bytes(texts.to_arrow().cast(pa.large_string())).decode()
    typed = np.frombuffer(text.encode("utf-32-le"), dtype="<u4")
    typed_first = np.zeros(len(texts) + 1, dtype=np.int64)
    np.cumsum(texts.str.len_chars().to_numpy(), out=typed_first[1:])
    codes = table[typed]
    found: list[tuple[int, int]] = []
    for at in _faces_at(typed):
        face = codes_of_faces.match(text, at, min(at + _LONGEST_CODE, len(text)))
        if face and face.end() <= typed_first[np.searchsorted(typed_first, at, side="right")]:
            codes[at] = faces[face[0]]
            codes[at + 1 : face.end()] = _DROPPED
            found.append(face.span())
    spans = np.array(found, dtype=np.int64).reshape(-1, 2)
    kept = np.flatnonzero(codes)
    codes = codes[kept]
    stays = ~_inside_run(codes, np.searchsorted(kept, typed_first[1:-1]))
    if not stays.all():
        kept, codes = kept[stays], codes[stays]
    return Normal(codes, np.searchsorted(kept, typed_first), kept, typed_first, spans[:, 0].copy(), spans[:, 1].copy())


def normal_text(text: str) -> str:
    """One text, normalised."""
    return normalise(pl.Series([text], dtype=pl.String)).codes.astype("<u4").tobytes().decode("utf-32-le")


def _bytes(chunk: pa.Array) -> bytes:
    """The UTF-8 of all values of a column without nulls, behind one another."""
    _, offsets, data = chunk.buffers()
    if data is None:
        return b""
    borders = np.frombuffer(offsets, dtype=np.int64)[chunk.offset : chunk.offset + len(chunk) + 1]
    return bytes(memoryview(data)[borders[0] : borders[-1]])


def _faces_at(typed: Codes) -> list[int]:
    """Where a face code may begin."""
    sign = np.flatnonzero((typed == _EMOJI_SIGNS[0]) | (typed == _EMOJI_SIGNS[1]) | (typed == _EMOJI_SIGNS[2]))
    return sign[sign < len(typed) - 1].tolist()


def _inside_run(codes: Codes, first: Places) -> npt.NDArray[np.bool_]:
    """Characters with the same one on both sides: of a run, the first and the last stay. Digits count, so theirs stay.

    `first`: where rows begin; a run ends with its row.
    """
    same = codes[1:] == codes[:-1]
    same[first[(first > 0) & (first < len(codes))] - 1] = False
    inside = np.zeros(len(codes), dtype=bool)
    inside[1:-1] = same[1:] & same[:-1]
    return inside & ~((codes >= ord("0")) & (codes <= ord("9")))


@cache
def _tables() -> tuple[Codes, re.Pattern[str], dict[str, int]]:
    """What each code point is read as (0: nothing); the face codes as one pattern, and the sign of each."""
    raw = tomllib.loads(_CHARACTERS.read_text("utf-8"))
    table = np.arange(_LAST, dtype=np.uint32)
    for code in range(1, 0x20000):
        if not 0xD800 <= code < 0xE000:
            table[code] = _plain(code)
    for tags in range(0xE0000, 0xE01F0):
        table[tags] = _DROPPED
    for pair in raw["simplified"].split():
        table[ord(pair[0])] = ord(pair[1])
    faces = {code: ord(sign) for sign, codes in raw["emoji"].items() for code in codes.split()}
    longest_first = sorted(faces, key=len, reverse=True)
    table[0] = ord(" ")
    return table, re.compile("|".join(map(re.escape, longest_first))), faces


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
