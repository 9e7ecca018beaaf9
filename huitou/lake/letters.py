"""The bytes of a column of texts, as arrays: what looks at every cell without making a Python object of each."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
import polars as pl

from huitou.tables.keys import FACTORS, LONG, SEED, SHIFT, WORD, long_word

Words = npt.NDArray[np.uint64]
Places = npt.NDArray[np.int64]
_WITHIN = np.array([256**n - 1 for n in range(WORD)] + [2**64 - 1], dtype=np.uint64)
_FACTORS, _SHIFT = tuple(map(np.uint64, FACTORS)), np.uint64(SHIFT)


@dataclass(frozen=True)
class Letters:
    """UTF-8 bytes of n texts one after the other, with some zeros at the end, and where each begins; a null's are any."""

    data: npt.NDArray[np.uint8]
    starts: Places
    lengths: Places

    @classmethod
    def of(cls, texts: pl.Series) -> "Letters":
        """The bytes of a column of texts."""
        column = texts.to_arrow()
        _, places, data = column.buffers()
        assert places is not None
        ends = np.frombuffer(memoryview(places), dtype=np.int64)[column.offset : column.offset + len(column) + 1]
        padded = np.zeros(int(ends[-1]) + WORD, dtype=np.uint8)
        if data is not None:
            padded[:-WORD] = np.frombuffer(memoryview(data), dtype=np.uint8)[: ends[-1]]
        return cls(padded, ends[:-1], np.diff(ends))

    @cached_property
    def words(self) -> Words:
        """The eight bytes from every place on, as a number."""
        return np.ndarray(len(self.data) - WORD + 1, dtype="<u8", buffer=self.data.data, strides=(1,))

    @cached_property
    def length(self) -> int:
        """Of each text, where all are equally long; else 0."""
        lengths = self.lengths
        return int(lengths[0]) if len(lengths) and (lengths == lengths[0]).all() else 0

    def words_at(self, starts: Places, length: int, at: int) -> Words:
        """The eight bytes from a place `at` on of texts of one length that begin at `starts`.

        Those of a column stand one after the other for the most part, and then none has to be looked up.
        """
        first, last = int(starts[0]), int(starts[-1])
        if last - first == length * (len(starts) - 1):
            return np.ndarray(len(starts), "<u8", self.data.data, first + at, (length,))
        return self.words[starts + at]

    def joined(self, first: int, count: int) -> bytes:
        """The bytes of so many texts, at least one, from one on."""
        last = first + count - 1
        return self.data[self.starts[first] : self.starts[last] + self.lengths[last]].tobytes()

    def __contains__(self, some: bytes) -> bool:
        """Whether the bytes occur in any of the texts."""
        return bool((self.data == some[0]).any()) and some in self.data.tobytes()

    def hashes(self, state: int = SEED) -> Words:
        """Of every text the 64 bits that `huitou.tables.keys.state_of` makes of it, after the parts that gave `state`."""
        mixed = self.lengths.astype(np.uint64) ^ np.uint64(state)
        mix(mixed)
        long = np.flatnonzero(self.lengths > LONG)
        begun = mixed[long]
        for at in range(0, min(int(self.lengths.max(initial=0)), LONG), WORD):
            there = None if self.lengths.min() > at else np.flatnonzero(self.lengths > at)
            words = self._within(at, there)
            words ^= mixed if there is None else mixed[there]
            mix(words)
            mixed = _put(mixed, there, words)
        if len(long):
            texts = (self.data[self.starts[one] : self.starts[one] + self.lengths[one]] for one in long)
            begun ^= np.frombuffer(b"".join(long_word(text.tobytes()) for text in texts), dtype="<u8")
            mix(begun)
            mixed[long] = begun
        return mixed

    def _within(self, at: int, there: npt.NDArray[np.intp] | None) -> Words:
        """The eight bytes from a place on of those texts (None: of all), with zeros after their end."""
        if self.length:
            words: Words = self.words_at(self.starts, self.length, at) & _WITHIN[min(self.length - at, WORD)]
            return words
        starts, lengths = (self.starts, self.lengths) if there is None else (self.starts[there], self.lengths[there])
        return self.words[starts + at] & _WITHIN[np.minimum(lengths - at, WORD)]


def _put(into: Words, at: npt.NDArray[np.intp] | None, words: Words) -> Words:
    if at is None:
        return words
    into[at] = words
    return into


def mix(words: Words) -> None:
    """Every bit of a word comes to bear on every other, in place."""
    spare = words >> _SHIFT
    for factor in _FACTORS:
        np.bitwise_xor(words, spare, out=words)
        np.multiply(words, factor, out=words)
        np.right_shift(words, _SHIFT, out=spare)
    np.bitwise_xor(words, spare, out=words)
