"""Texts as they are compared: one width, one script, one case, no long runs, chat clients' face codes as one sign.

All rows of a batch lie behind one another in one array of code points, so that a rule is one array operation. Of every
character that is left the array knows where it stood in the text as typed: no step changes a text without keeping its way back.
"""

import tomllib
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache, reduce
from pathlib import Path

import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow as pa

from huitou.text.compiled import compiled

Codes = npt.NDArray[np.uint32]
Places = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]
Hashes = npt.NDArray[np.uint64]
Kinds = npt.NDArray[np.uint8]
Bytes = npt.NDArray[np.uint8]
_CHARACTERS = Path(__file__).with_name("characters.toml")
_LAST = 0x110000
_DROPPED = 0
SIGN, SPACE, WORD, LETTER, DIGIT = 1, 2, 4, 8, 16
"""What a character is: one that ends a clause, a space, one of a word (of any script), a Latin letter, a digit."""
_ENDS = ",.!?;~…。、，！？；|\n❓"
_FACTOR = np.uint64(0x9E3779B97F4A7C15)


@dataclass(frozen=True, slots=True)
class Normal:
    """A batch of texts, normalised. `codes`: all characters, row after row; row i is ``codes[first[i]:first[i + 1]]``.

    `rows`: the row of every character; `kinds`: what it is, `SIGN` … `DIGIT` added up.
    """

    codes: Codes
    first: Places
    rows: Places
    kinds: Kinds
    _typed: Places  # where each character stood among all characters as typed
    _typed_first: Places  # where each row began among all characters as typed
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
        first, last = self._typed.take(start), self._typed.take(end - 1)
        ends = last + 1
        if len(self._faces):
            near = np.minimum(np.searchsorted(self._faces, last), len(self._faces) - 1)
            ends = np.where(self._faces[near] == last, self._face_ends[near], ends)
        begin = self._typed_first.take(row)
        return first - begin, ends - begin


def normalise(texts: pl.Series) -> Normal:
    """Texts as they are compared; null reads as empty."""
    table, faces = _tables()
    data, borders = utf8(texts.fill_null("") if texts.null_count() else texts)
    typed, typed_first = np.empty(len(data), dtype=np.uint32), np.zeros(len(borders), dtype=np.int64)
    maybe = np.empty(len(data), dtype=np.int64)
    sizes = np.zeros(2, dtype=np.int64)
    _decode((data, borders), faces.begin, (typed, typed_first, maybe), sizes)
    typed, maybe = typed[: sizes[0]], maybe[: sizes[1]]
    codes = table.take(typed)
    begins, ends = faces.read(typed, typed_first, codes, maybe)
    at, first = np.empty(len(codes), dtype=np.int64), np.zeros(len(borders), dtype=np.int64)
    at = at[: _squeeze(codes, typed_first, at, first)]
    codes = codes[: len(at)]
    rows = np.repeat(np.arange(len(texts)), np.diff(first))
    return Normal(codes, first, rows, _kinds().take(codes), at, typed_first, begins, ends)


def normal_text(text: str) -> str:
    """One text, normalised."""
    return normalise(pl.Series([text], dtype=pl.String)).codes.astype("<u4").tobytes().decode("utf-32-le")


def utf8(texts: pl.Series) -> tuple[Bytes, Places]:
    """All values of a column without nulls, behind one another, and where each begins (and the end)."""
    column = texts.rechunk().to_arrow().cast(pa.large_string())
    _, offsets, data = column.buffers()
    if offsets is None or data is None:
        return np.zeros(0, dtype=np.uint8), np.zeros(len(texts) + 1, dtype=np.int64)
    borders = np.frombuffer(memoryview(offsets), dtype=np.int64)[column.offset : column.offset + len(column) + 1]
    return np.frombuffer(memoryview(data), dtype=np.uint8)[borders[0] : borders[-1]], borders - borders[0]


@compiled
def _decode(texts: tuple[Bytes, Places], begin: Flags, out: tuple[Codes, Places, Places], sizes: Places) -> None:
    """Writes the characters of valid UTF-8, where each text's begin, and where a face code may; how many characters and faces.

    `texts`: the bytes, and where each text begins (and the end); `begin`: which may begin a code, go on with it.
    """
    data, borders = texts
    codes, first, maybe = out
    size = count = 0
    for row in range(len(borders) - 1):
        at, begun = borders[row], False
        while at < borders[row + 1]:
            lead = np.uint32(data[at])
            more = 0 if lead < 0x80 else 1 if lead < 0xE0 else 2 if lead < 0xF0 else 3
            code = lead if more == 0 else lead & np.uint32(0x3F >> more)
            for nth in range(1, more + 1):
                code = (code << np.uint32(6)) | np.uint32(data[at + nth] & 0x3F)
            if begun and begin[1, code]:
                maybe[count] = size - 1
                count += 1
            begun = begin[0, code]
            codes[size] = code
            size += 1
            at += more + 1
        first[row + 1] = size
    sizes[0], sizes[1] = size, count


@compiled
def _squeeze(codes: Codes, typed_first: Places, at: Places, first: Places) -> int:
    """Moves together in `codes` what is not dropped; of a run only its first and last, except of digits, whose number counts.

    Writes where each stood and where each text begins; how many are left.
    """
    size = 0
    for row in range(len(first) - 1):
        begin = size
        for place in range(typed_first[row], typed_first[row + 1]):
            code = codes[place]
            if code == _DROPPED:
                continue
            digit = 48 <= code <= 57
            if size - begin >= 2 and code == codes[size - 1] and code == codes[size - 2] and not digit:
                at[size - 1] = place
                continue
            codes[size], at[size] = code, place
            size += 1
        first[row + 1] = size
    return size


class _Faces:
    """The face codes and masks, each with the sign that it is read as; told by the hash of their characters."""

    def __init__(self, signs: dict[str, str]) -> None:
        sign = {code: ord(sign) for sign, codes in signs.items() for code in codes.split()}
        self.begin = np.zeros((2, _LAST), dtype=bool)  # whether a character is the first of a code, the second
        for nth in range(2):
            self.begin[nth, [ord(code[nth]) for code in sign]] = True
        self._of: dict[int, tuple[Hashes, Codes]] = {}  # of each length: the hashes, ascending, and their signs
        for length in sorted(set(map(len, sign))):
            codes = [code for code in sign if len(code) == length]
            typed = np.array([[ord(one) for one in code] for code in codes], dtype=np.uint32)
            hashes = _folded(typed.T)
            order = np.argsort(hashes)
            self._of[length] = hashes[order], np.array([sign[code] for code in codes], dtype=np.uint32)[order]

    def read(self, typed: Codes, first: Places, codes: Codes, at: Places) -> tuple[Places, Places]:
        """Puts its sign in the place of each code, nothing in those of its rest; begins and ends of all codes.

        `at`: where one may begin. Of codes that begin alike the longest counts.
        """
        room = first[np.searchsorted(first, at, side="right")] - at
        signs, sizes = np.zeros(len(at), dtype=np.uint32), np.zeros(len(at), dtype=np.int64)
        for length, (hashes, sign) in self._of.items():
            fits = np.flatnonzero(room >= length)
            told = _folded([typed[at[fits] + n] for n in range(length)])
            near = np.minimum(np.searchsorted(hashes, told), len(hashes) - 1)
            hit = hashes[near] == told
            signs[fits[hit]], sizes[fits[hit]] = sign[near[hit]], length
        at, signs, sizes = at[sizes > 0], signs[sizes > 0], sizes[sizes > 0]
        for n in range(1, int(sizes.max(initial=0))):
            codes[at[sizes > n] + n] = _DROPPED
        codes[at] = signs
        return at, at + sizes


def _folded(signs: Iterable[Codes]) -> Hashes:
    """The hash of the characters that stand behind one another, place by place."""
    none: Hashes = np.zeros(1, dtype=np.uint64)
    return reduce(lambda told, sign: (told + sign + np.uint64(1)) * _FACTOR, signs, none)


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


@cache
def _kinds() -> Kinds:
    """What each code point is."""
    codes = np.arange(_LAST, dtype=np.uint32)
    kinds = np.zeros(_LAST, dtype=np.uint8)
    kinds[(codes >= 0x3400) & (codes < 0x1F000) & ~((codes >= 0xFE30) & (codes <= 0xFF5E)) | (codes > 0x20000)] = WORD
    letters = [code for code in range(128) if chr(code).isalpha()]
    kinds[letters] |= LETTER
    kinds[ord("0") : ord("9") + 1] |= DIGIT | WORD
    kinds[ord("a") : ord("z") + 1] |= WORD
    kinds[[ord(sign) for sign in _ENDS]] |= SIGN
    kinds[ord(" ")] |= SPACE
    return kinds


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
