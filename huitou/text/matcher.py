"""Finds every one of many thousand plain patterns in a batch of texts, in one pass of array operations.

The patterns are a trie. A table of character pairs leaves the few places where a pattern can begin; from there all places walk
the trie together, one character a step, along edges in a double array. Overlapping finds are all kept. It is compiled once and
works on code points, so that a place needs no conversion; measured beside the libraries' automata in ``benchmarks/text.py``.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from huitou.text.normal import Codes, Flags, Normal, Places

_FACTOR = np.uint64(0x9E3779B97F4A7C15)
_EMPTY = -1
_WINDOW = 128
_STEPS = np.arange(_WINDOW)

Classes = npt.NDArray[np.unsignedinteger[Any]]


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
        there, found = self._keys.take(slots), self._values.take(slots)
        open_ = np.flatnonzero((there != keys) & (there != _EMPTY))
        found[open_] = 0
        slots, keys = slots.take(open_), keys.take(open_)
        while len(open_):
            slots = (slots + 1) & self._mask
            there = self._keys.take(slots)
            hit = there == keys
            found[open_[hit]] = self._values.take(slots[hit])
            on = np.flatnonzero(~hit & (there != _EMPTY))
            open_, slots, keys = open_.take(on), slots.take(on), keys.take(on)
        return found

    def _slots(self, keys: Places) -> Places:
        mixed: npt.NDArray[np.uint64] = keys.astype(np.uint64) * _FACTOR
        mixed >>= np.uint64(64 - self._bits)
        return mixed.astype(np.int64)


class _Edges:
    """Where the states of a trie lead, as one row of slots: a state's next one by a class lies at the state's base + class.

    The slots of all states are laid into one another (Aoe 1989, «An efficient digital search algorithm by using a double-array
    structure»); a slot knows whose it is. `inner`: which states lead anywhere.
    """

    def __init__(self, edges: dict[int, int], states: int, width: int) -> None:
        keys = np.sort(np.fromiter(edges, dtype=np.int64, count=len(edges)))
        state, first, sizes = np.unique(keys // width, return_index=True, return_counts=True)
        self.inner = np.zeros(states, dtype=bool)
        self.inner[state] = True
        taken = np.zeros(4 * len(keys) + 2 * width + _WINDOW, dtype=bool)
        self._base = np.zeros(states, dtype=np.int64)
        begin = width  # no state's base is below 0
        for n in np.argsort(-sizes, kind="stable")[: np.count_nonzero(sizes > 1)].tolist():
            classes = keys[first[n] : first[n] + sizes[n]] % width
            classes -= classes[0]
            while (full := taken[begin + classes[:, None] + _STEPS].any(axis=0)).all():
                begin += _WINDOW
            slot = begin + int(np.argmin(full))
            taken[slot + classes] = True
            self._base[state[n]] = slot - keys[first[n]] % width
        single = np.flatnonzero(sizes == 1)
        free = np.flatnonzero(~taken[width:])[: len(single)] + width
        self._base[state[single]] = free - keys[first[single]] % width
        slots = self._base[keys // width] + keys % width
        self._owner, self._next = (np.zeros(int(slots.max(initial=0)) + width + 1, dtype=np.int64) for _ in range(2))
        self._owner[slots], self._next[slots] = keys // width, [edges[key] for key in keys.tolist()]

    def follow(self, state: Places, classes: Classes) -> Places:
        """The next states; 0 where there is none."""
        slots = self._base.take(state)
        slots += classes
        following = self._next.take(slots)
        following *= self._owner.take(slots) == state
        return following


class Matcher:
    """The compiled patterns: distinct, normalised, not empty. `signs`: further characters that are to have a class."""

    def __init__(self, patterns: Sequence[str], signs: Iterable[str] = ()) -> None:
        signs = sorted({sign for pattern in patterns for sign in pattern} | set(signs))
        self.width = len(signs) + 1
        self._class = np.zeros(0x110000, dtype=np.min_scalar_type(self.width))
        self._class[[ord(sign) for sign in signs]] = np.arange(1, self.width)
        numbers = {sign: number for number, sign in enumerate(signs, start=1)}
        pairs, edges = dict[int, int](), dict[int, int]()  # class and class, state and class → state
        states = 1
        alone, pattern_of = dict[int, int](), dict[int, int]()
        for number, pattern in enumerate(patterns):
            classes = [numbers[sign] for sign in pattern]
            if len(classes) == 1:
                alone[classes[0]] = number
                continue
            held, key = pairs, classes[0] * self.width + classes[1]
            for following in (*classes[2:], 0):
                if key not in held:
                    held[key], states = states, states + 1
                state = held[key]
                held, key = edges, state * self.width + following
            pattern_of[state] = number
        self._alone = _filled(self.width, alone, _EMPTY)
        self._is_alone: Flags = self._alone != _EMPTY
        self._pattern = _filled(states, pattern_of, _EMPTY)
        self._pairs = _filled(self.width**2, pairs, 0).astype(np.min_scalar_type(states))
        self._edges = _Edges(edges, states, self.width)

    def classes(self, codes: Codes) -> Classes:
        """Small numbers of characters, from 1; 0 for all that stand in no pattern."""
        return self._class.take(codes)

    def find(self, normal: Normal, classes: Classes | None = None) -> Finds:
        """Every pattern at every place of a batch; `classes`: of its characters, where they are known."""
        classes = self.classes(normal.codes) if classes is None else classes
        alone = np.flatnonzero(self._is_alone.take(classes))
        out = [(self._alone.take(classes.take(alone)), alone, alone + 1)]
        if len(classes) > 1:
            keys = np.multiply(classes[:-1], self.width, dtype=np.int64)
            keys += classes[1:]
            ends = normal.first[1:-1] - 1
            keys[ends[(ends >= 0) & (ends < len(keys))]] = 0  # of class 0 there is no pair
            state = self._pairs.take(keys)
            at = np.flatnonzero(state != 0)
            out += self._walk(normal, classes, at, state.take(at).astype(np.int64))
        return Finds(*(np.concatenate(part) for part in zip(*out, strict=True)))

    def _walk(self, normal: Normal, classes: Classes, at: Places, state: Places) -> list[tuple[Places, Places, Places]]:
        """From places whose first two characters led to a state, all the patterns that go on from there."""
        out, depth = [], 2
        while len(at):
            pattern = self._pattern.take(state)
            done = np.flatnonzero(pattern >= 0)
            begin = at.take(done)
            out.append((pattern.take(done), begin, begin + depth))
            on = np.flatnonzero(self._edges.inner.take(state))
            on = on[: np.searchsorted(at.take(on), len(classes) - depth)]
            at, state = at.take(on), state.take(on)
            state = self._edges.follow(state, classes.take(at + depth))
            on = np.flatnonzero(state != 0)
            at, state = at.take(on), state.take(on)
            on = np.flatnonzero(normal.rows.take(at) == normal.rows.take(at + depth))
            at, state = at.take(on), state.take(on)
            depth += 1
        return out


def _filled(size: int, held: dict[int, int], other: int) -> Places:
    """An array of what is held at each place, `other` elsewhere."""
    out = np.full(size, other, dtype=np.int64)
    out[list(held)] = list(held.values())
    return out
