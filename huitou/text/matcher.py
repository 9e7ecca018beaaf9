"""Finds every one of many thousand plain patterns in a batch of texts, in one pass of array operations.

The patterns are a trie. A table of character pairs leaves the few places where a pattern can begin; from there all places walk
the trie together, one character a step, along edges in one hash table. Overlapping finds are all kept. It is compiled once and
works on code points, so that a place needs no conversion; measured beside the libraries' automata in ``benchmarks/text.py``.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from huitou.text.normal import Codes, Flags, Normal, Places

_FACTOR = np.uint64(0x9E3779B97F4A7C15)
_EMPTY = -1


@dataclass(frozen=True, slots=True)
class Finds:
    """Where patterns stand: pattern number and [start, end) among the batch's characters; shorter patterns first."""

    pattern: Places
    start: Places
    end: Places


class Table:
    """A hash table of whole numbers ≥ 0 to whole numbers, filled once; looked up for many keys at once."""

    def __init__(self, keys: Places, values: Places) -> None:
        self._bits = max(4, len(keys).bit_length() + 2)
        self._mask = (1 << self._bits) - 1
        self._keys = np.full(1 << self._bits, _EMPTY, dtype=np.int64)
        self._values = np.zeros(1 << self._bits, dtype=np.int64)
        slots = self._slots(keys)
        while len(keys):
            free = self._keys[slots] == _EMPTY
            self._keys[slots[free]] = keys[free]
            placed = self._keys[slots] == keys
            self._values[slots[placed]] = values[placed]
            keys, values, slots = keys[~placed], values[~placed], (slots[~placed] + 1) & self._mask

    def get(self, keys: Places) -> Places:
        """The value of each key; 0 where there is none."""
        slots = self._slots(keys)
        there = self._keys.take(slots)
        found = np.where(there == keys, self._values.take(slots), 0)
        open_ = np.flatnonzero((there != keys) & (there != _EMPTY))
        while len(open_):
            slots[open_] = (slots[open_] + 1) & self._mask
            there = self._keys[slots[open_]]
            hit = there == keys[open_]
            found[open_[hit]] = self._values[slots[open_[hit]]]
            open_ = open_[~hit & (there != _EMPTY)]
        return found

    def _slots(self, keys: Places) -> Places:
        mixed: npt.NDArray[np.uint64] = keys.astype(np.uint64) * _FACTOR
        mixed >>= np.uint64(64 - self._bits)
        return mixed.astype(np.int64)


class Matcher:
    """The compiled patterns: distinct, normalised, not empty. `signs`: further characters that are to have a class."""

    def __init__(self, patterns: Sequence[str], signs: Iterable[str] = ()) -> None:
        signs = sorted({sign for pattern in patterns for sign in pattern} | set(signs))
        self.width = len(signs) + 1
        self._class = np.zeros(0x110000, dtype=np.int64)
        self._class[[ord(sign) for sign in signs]] = np.arange(1, self.width)
        numbers = {sign: number for number, sign in enumerate(signs, start=1)}
        edges: dict[int, int] = {}
        pattern_of = dict[int, int]()
        states = self.width  # 1 … width - 1 are the first characters themselves
        for number, pattern in enumerate(patterns):
            state = numbers[pattern[0]]
            for sign in pattern[1:]:
                key = state * self.width + numbers[sign]
                if key not in edges:
                    edges[key], states = states, states + 1
                state = edges[key]
            pattern_of[state] = number
        self._pattern = np.full(states, _EMPTY, dtype=np.int64)
        self._pattern[list(pattern_of)] = list(pattern_of.values())
        keys = np.fromiter(edges, dtype=np.int64, count=len(edges))
        self._inner = np.zeros(states, dtype=bool)
        self._inner[keys // self.width] = True
        self._edges = Table(keys, np.fromiter(edges.values(), dtype=np.int64, count=len(edges)))
        self._pairs = np.zeros(self.width**2, dtype=bool)
        self._pairs[keys[keys < self.width**2]] = True
        self._alone: Flags = self._pattern[: self.width] != _EMPTY

    def classes(self, codes: Codes) -> Places:
        """Small numbers of characters, from 1; 0 for all that stand in no pattern."""
        return self._class.take(codes)

    def find(self, normal: Normal, classes: Places | None = None) -> Finds:
        """Every pattern at every place of a batch; `classes`: of its characters, where they are known."""
        classes = self.classes(normal.codes) if classes is None else classes
        out: list[tuple[Places, Places, Places]] = []
        if self._alone.any():
            alone = np.flatnonzero(self._alone.take(classes))
            out.append((self._pattern[classes[alone]], alone, alone + 1))
        if len(classes) > 1:
            keys = classes[:-1] * self.width
            keys += classes[1:]
            at = np.flatnonzero(self._pairs.take(keys))
            out += self._walk(classes, at, self._edges.get(keys[at]))
        pattern, start, end = (
            (np.concatenate(part) for part in zip(*out, strict=True)) if out else (np.empty(0, dtype=np.int64) for _ in range(3))
        )
        inside = normal.rows[start] == normal.rows[end - 1]
        return Finds(pattern, start, end) if inside.all() else Finds(pattern[inside], start[inside], end[inside])

    def _walk(self, classes: Places, at: Places, state: Places) -> list[tuple[Places, Places, Places]]:
        """From places whose first two characters led to a state, all the patterns that go on from there."""
        out, depth = [], 2
        while len(at):
            pattern = self._pattern[state]
            done = np.flatnonzero(pattern != _EMPTY)
            out.append((pattern[done], at[done], at[done] + depth))
            on = np.flatnonzero(self._inner[state] & (at + depth < len(classes)))
            at, state = at[on], state[on]
            state = self._edges.get(state * self.width + classes[at + depth])
            at, state = at[state > 0], state[state > 0]
            depth += 1
        return out
