"""Finds every one of many thousand plain patterns in a batch of texts, in one pass of array operations.

The patterns are a trie whose edges lie in one hash table. A bitmap of character pairs leaves the few places where a pattern can
begin; from there all places walk the trie together, one character a step. Overlapping finds are all kept. It is compiled once and
works on code points, so that a place needs no conversion; measured beside the libraries' automata in ``benchmarks/text.py``.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from huitou.text.normal import Codes, Normal, Places

_PAIR_BITS = 20
_FACTOR = np.uint64(0x9E3779B97F4A7C15)
_EMPTY = -1


@dataclass(frozen=True, slots=True)
class Finds:
    """Where patterns stand: pattern number, row, and [start, end) among the batch's characters; ordered by end's depth."""

    pattern: Places
    row: Places
    start: Places
    end: Places


class Matcher:
    """The compiled patterns: distinct, normalised, not empty."""

    def __init__(self, patterns: Sequence[str]) -> None:
        signs = sorted({sign for pattern in patterns for sign in pattern})
        self._class = np.zeros(0x110000, dtype=np.uint16)
        self._class[[ord(sign) for sign in signs]] = np.arange(1, len(signs) + 1)
        self._width = len(signs) + 1
        numbers = {sign: number for number, sign in enumerate(signs, start=1)}
        edges: dict[int, int] = {}
        pattern_of = dict[int, int]()
        states = self._width  # 1 … width - 1 are the first characters themselves
        for number, pattern in enumerate(patterns):
            state = numbers[pattern[0]]
            for sign in pattern[1:]:
                key = state * self._width + numbers[sign]
                if key not in edges:
                    edges[key], states = states, states + 1
                state = edges[key]
            pattern_of[state] = number
        self._pattern = np.full(states, _EMPTY, dtype=np.int64)
        self._pattern[list(pattern_of)] = list(pattern_of.values())
        keys = np.fromiter(edges, dtype=np.int64, count=len(edges))
        self._inner = np.zeros(states, dtype=bool)
        self._inner[keys // self._width] = True
        self._fill(keys, np.fromiter(edges.values(), dtype=np.int64, count=len(edges)))
        self._pairs = np.zeros(1 << _PAIR_BITS, dtype=bool)
        self._pairs[_hash(keys[keys < self._width**2], _PAIR_BITS)] = True
        self._alone = self._pattern[: self._width] != _EMPTY

    def _fill(self, keys: Places, values: Places) -> None:
        """The hash table of edges, a quarter full: rounds of writing, those who were overwritten go one place on."""
        self._bits = max(4, int(len(keys)).bit_length() + 2)
        self._keys = np.full(1 << self._bits, _EMPTY, dtype=np.int64)
        self._next = np.zeros(1 << self._bits, dtype=np.int64)
        slots = _hash(keys, self._bits)
        while len(keys):
            free = self._keys[slots] == _EMPTY
            self._keys[slots[free]] = keys[free]
            placed = self._keys[slots] == keys
            self._next[slots[placed]] = values[placed]
            keys, values, slots = keys[~placed], values[~placed], (slots[~placed] + 1) & (len(self._keys) - 1)

    def _step(self, keys: Places) -> Places:
        """The state that each edge leads to; 0 where there is no such edge."""
        slots = _hash(keys, self._bits)
        there = self._keys[slots]
        found = np.where(there == keys, self._next[slots], 0)
        open_ = np.flatnonzero((there != keys) & (there != _EMPTY))
        while len(open_):
            slots[open_] = (slots[open_] + 1) & (len(self._keys) - 1)
            there = self._keys[slots[open_]]
            hit = there == keys[open_]
            found[open_[hit]] = self._next[slots[open_[hit]]]
            open_ = open_[~hit & (there != _EMPTY)]
        return found

    def find(self, normal: Normal) -> Finds:
        """Every pattern at every place of a batch."""
        classes = self._class[normal.codes]
        out: list[tuple[Places, Places, Places]] = []
        alone = np.flatnonzero(self._alone[classes])
        if len(alone):
            out.append((self._pattern[classes[alone]], alone, alone + 1))
        if len(classes) > 1:
            wide = classes.astype(np.int64)
            keys = wide[:-1] * self._width + wide[1:]
            at = np.flatnonzero(self._pairs[_hash(keys, _PAIR_BITS)])
            out += self._walk(classes, at, self._step(keys[at]))
        pattern, start, end = (
            (np.concatenate(part) for part in zip(*out, strict=True)) if out else (np.empty(0, dtype=np.int64) for _ in range(3))
        )
        row = normal.row_of(start)
        inside = end <= normal.first[row + 1]
        return Finds(pattern[inside], row[inside], start[inside], end[inside])

    def _walk(self, classes: npt.NDArray[np.uint16], at: Places, state: Places) -> list[tuple[Places, Places, Places]]:
        """From places whose first two characters led to a state, all the patterns that go on from there."""
        out, depth = [], 2
        while len(at):
            at, state = at[state > 0], state[state > 0]
            pattern = self._pattern[state]
            done = pattern != _EMPTY
            out.append((pattern[done], at[done], at[done] + depth))
            on = self._inner[state] & (at + depth < len(classes))
            at, state = at[on], state[on]
            state = self._step(state * self._width + classes[at + depth])
            depth += 1
        return out


def _hash(keys: Places, bits: int) -> Places:
    """Numbers of `bits` bits, well spread."""
    mixed: Codes | npt.NDArray[np.uint64] = keys.astype(np.uint64) * _FACTOR
    return (mixed >> np.uint64(64 - bits)).astype(np.int64)
