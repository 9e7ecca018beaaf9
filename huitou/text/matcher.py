"""Finds every one of many thousand plain patterns in a batch of texts, in one pass.

The patterns are a trie, kept as a double array (Aoe 1989, «An efficient digital search algorithm by using a double-array
structure»): from every place the trie is walked as far as the text goes with it. Overlapping finds are all kept. It is compiled
once and works on code points, so that a place needs no conversion; measured beside a library's automaton in `benchmarks.text`.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from huitou.text.compiled import compiled
from huitou.text.normal import Codes, Normal, Places

OWNER, BASE, NUMBER = 0, 1, 2
NONE = -1
_WINDOW = 128
_LEAST = 64
_STEPS = np.arange(_WINDOW)

Classes = npt.NDArray[np.unsignedinteger[Any]]
Slots = npt.NDArray[np.int32]
Rows = npt.NDArray[np.int64]


class Trie:
    """Words as paths through one row of slots, in which those of all states are laid into one another.

    A state is a slot. From state s the class c leads to slot ``slots[s, BASE] + c``, if that one's `OWNER` is s; `NUMBER` is the
    number of the word that ends there, or `NONE`. The first slots are the roots.
    """

    def __init__(self, words: Sequence[Sequence[int]], width: int, roots: Sequence[int] = ()) -> None:
        """Distinct words of classes 1 … `width` - 1, each from the root of its own number (all from 0, if none are given)."""
        edges, self._roots = dict[int, int](), max(roots, default=0) + 1  # state × width + class → state, numbered as they come
        states, ends = self._roots, dict[int, int]()
        for number, classes in enumerate(words):
            state = roots[number] if roots else 0
            for sign in classes:
                key = state * width + sign
                if key not in edges:
                    edges[key], states = states, states + 1
                state = edges[key]
            ends[state] = number
        keys = np.sort(np.fromiter(edges, dtype=np.int64, count=len(edges)))
        base = self._bases(keys, states, width)
        slot = np.arange(states)
        slot[[edges[key] for key in keys.tolist()]] = base[keys // width] + keys % width
        self.slots = np.full((int(base.max(initial=0)) + width, 4), NONE, dtype=np.int32)
        self.slots[:, BASE] = 0
        self.slots[slot, BASE] = base
        self.slots[slot[list(edges.values())], OWNER] = slot[np.fromiter(edges, dtype=np.int64, count=len(edges)) // width]
        self.slots[slot[list(ends)], NUMBER] = list(ends.values())

    def _bases(self, keys: Places, states: int, width: int) -> Places:
        """Where the slots of each state begin so that no two fall together, those of the widest states first."""
        state, first, sizes = np.unique(keys // width, return_index=True, return_counts=True)
        taken = np.zeros(4 * len(keys) + 2 * width + self._roots + _WINDOW, dtype=bool)
        base = np.zeros(states, dtype=np.int64)
        begin = least = self._roots + width  # no state's base is below 0, none of its slots a root or that of a class alone
        for n in np.argsort(-sizes, kind="stable")[: np.count_nonzero(sizes > 1)].tolist():
            classes = keys[first[n] : first[n] + sizes[n]] % width
            classes -= classes[0]
            while (full := taken[begin + classes[:, None] + _STEPS].any(axis=0)).all():
                begin += _WINDOW
            slot = begin + int(np.argmin(full))
            taken[slot + classes] = True
            base[state[n]] = slot - keys[first[n]] % width
        single = np.flatnonzero(sizes == 1)
        free = np.flatnonzero(~taken[least:])[: len(single)] + least
        base[state[single]] = free - keys[first[single]] % width
        return base


@dataclass(frozen=True, slots=True)
class Finds:
    """Where patterns stand: pattern number and [start, end) among the batch's characters, by start, shorter ones first."""

    pattern: Places
    start: Places
    end: Places


class Matcher:
    """The compiled patterns: distinct, normalised, not empty. `signs`: further characters that are to have a class."""

    def __init__(self, patterns: Sequence[str], signs: Iterable[str] = ()) -> None:
        known = sorted({sign for pattern in patterns for sign in pattern} | set(signs))
        self.width = len(known) + 1
        self._class = np.zeros(0x110000, dtype=np.min_scalar_type(self.width))
        self._class[[ord(sign) for sign in known]] = np.arange(1, self.width)
        self._numbers = {sign: number for number, sign in enumerate(known, start=1)}
        self._trie = Trie([self.classes_of(pattern) for pattern in patterns], self.width)

    def classes_of(self, text: str) -> list[int]:
        """The classes of the characters of a text of known ones."""
        return [self._numbers[sign] for sign in text]

    def classes(self, codes: Codes) -> Classes:
        """Small numbers of characters, from 1; 0 for all that stand in no pattern."""
        return self._class.take(codes)

    def find(self, normal: Normal, classes: Classes | None = None) -> Finds:
        """Every pattern at every place of a batch; `classes`: of its characters, where they are known."""
        classes = self.classes(normal.codes) if classes is None else classes
        return Finds(*filled(lambda out: _walk(classes, normal.first, self._trie.slots, out), len(classes) // 2))


def filled(loop: Callable[[Rows], int], likely: int) -> Rows:
    """Three rows of places that a loop writes, which says how many there are and leaves out those beyond the room it is given."""
    out = np.empty((3, likely + _LEAST), dtype=np.int64)
    while (found := loop(out)) > out.shape[1]:
        out = np.empty((3, found), dtype=np.int64)
    return out[:, :found]


@compiled
def _walk(classes: Classes, first: Places, slots: Slots, out: Rows) -> int:
    """Writes the rows of `Finds`."""
    found = 0
    for row in range(len(first) - 1):
        last = first[row + 1]
        for start in range(first[row], last):
            state = 0
            for at in range(start, last):
                slot = slots[state, BASE] + classes[at]
                if slots[slot, OWNER] != state:
                    break
                state = slot
                word = slots[slot, NUMBER]
                if word >= 0:
                    if found < out.shape[1]:
                        out[0, found], out[1, found], out[2, found] = word, start, at + 1
                    found += 1
    return found
