"""Finds every cue of every leaf in a batch, and what stands around it: clause, negation, question, counter-cues.

Comes in: taxonomies and normalised texts. Goes out: one finding for each leaf and place, as arrays. The leaves of the taxonomy
``speech`` (negation, question, adversative …) are the grammar that the others are read by.
"""

from collections.abc import Iterable
from dataclasses import dataclass, fields
from functools import lru_cache, partial
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from huitou.rules.taxonomy import Leaf, Words
from huitou.text.compiled import compiled
from huitou.text.normal import DIGIT, LETTER, SIGN, SPACE, Flags, Kinds, Normal, Places
from huitou.text.phrases import Phrases

SPEECH = "speech"
KINDS = ("weak", "cues", "strong", "good", "bad", "not")
STRENGTH = {"weak": 1, "cues": 2, "strong": 3, "good": 2, "bad": 2, "not": 0}
_NOT = KINDS.index("not")
_REACH = 2  # characters between a negation and what it negates

Strengths = npt.NDArray[np.int8]
Numbers = npt.NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class Found:
    """Findings of a batch: leaf number, `KINDS` number, row, [start, end) among the batch's characters, clause number."""

    leaf: Places
    kind: Places
    row: Places
    start: Places
    end: Places
    clause: Places

    def where(self, keep: Flags | Places) -> "Found":
        """Some of them."""
        at = np.flatnonzero(keep) if keep.dtype == np.bool_ else keep
        return Found(*(getattr(self, name).take(at) for name in _FIELDS))

    @staticmethod
    def of(parts: Iterable["Found"]) -> "Found":
        """Several, one after the other."""
        held = list(parts)
        return Found(*(np.concatenate([getattr(p, name) for p in held]) for name in _FIELDS))


_FIELDS = tuple(field.name for field in fields(Found))


class _Cues(NamedTuple):
    """Of each cue the leaf and the kind; of each leaf whether a counter-cue rules it out in its clause, or at its place."""

    leaf: Places
    kind: Places
    in_clause: Flags
    at_place: Flags


class _Policies(NamedTuple):
    """Which leaves do not hold where they are asked, only there, or where they are negated; the last leaf of `SPEECH`."""

    drop_asked: Flags
    only_asked: Flags
    drop_negated: Flags
    last_speech: int


@lru_cache(maxsize=8)
def _phrases(words: Words, taxonomies: tuple[str, ...]) -> Phrases:
    """Half a second of work for all cues: done when a text is there to be read, and once for all who read with them."""
    leaves = (leaf for t in taxonomies for leaf in words.taxonomies[t].leaves.values())
    return Phrases([cue.phrase for leaf in leaves for cue in leaf.cues], words.same)


class Engine:
    """The compiled cues of some taxonomies; `leaves` are numbered in the taxonomies' order."""

    def __init__(self, words: Words, taxonomies: Iterable[str]) -> None:
        names = tuple(dict.fromkeys((SPEECH, *taxonomies)))
        self._compiled = partial(_phrases, words, names)
        self.version = words.version
        self.leaves: list[tuple[str, Leaf]] = [(t, leaf) for t in names for leaf in words.taxonomies[t].leaves.values()]
        self.number = {(t, leaf.code): i for i, (t, leaf) in enumerate(self.leaves)}
        cues = [(n, cue) for n, (_, leaf) in enumerate(self.leaves) for cue in leaf.cues]
        of = np.array([leaf for leaf, _ in cues], dtype=np.int64)
        kind = np.array([KINDS.index(cue.kind) for _, cue in cues], dtype=np.int64)
        countered = np.isin(np.arange(len(self.leaves)), of[kind == _NOT])
        by_place = np.array([words.taxonomies[t].counters == "place" for t, _ in self.leaves])
        self._cues = _Cues(of, kind, countered & ~by_place, countered & by_place)
        self._policies = _Policies(
            np.array([leaf.asked == "drop" for _, leaf in self.leaves]),
            np.array([leaf.asked == "only" for _, leaf in self.leaves]),
            np.array([leaf.negated == "drop" for _, leaf in self.leaves]),
            sum(t == SPEECH for t, _ in self.leaves) - 1,
        )
        self._asking = self.number.get((SPEECH, "question"), -1), self.number.get((SPEECH, "not_question"), -1)
        self._negating = self.number.get((SPEECH, "negation"), -1), self.number.get((SPEECH, "not_negation"), -1)

    @property
    def phrases(self) -> Phrases:
        """The compiled cues."""
        return self._compiled()

    def find(self, normal: Normal) -> tuple[Found, Places]:
        """All findings, those of `SPEECH` too, counter-cues applied, and the clause of every character."""
        clause = clause_numbers(normal)
        spans = self.phrases.find(normal, clause)
        countered = np.zeros((int(clause[-1]) + 1, len(self.leaves)), dtype=bool)
        out = np.empty((len(_FIELDS), len(spans.cue)), dtype=np.int64)
        last, before = (
            np.zeros(len(clause), dtype=np.int32),
            np.empty((int((spans.end - spans.start).sum()) + 1, 2), dtype=np.int32),
        )
        held = (spans.cue, spans.start, spans.end)
        return Found(*out[:, : _find(held, self._cues, (normal.rows, clause), (countered, last, before), out)]), clause

    def scoped(self, found: Found) -> tuple[Found, Flags, Flags]:
        """Findings without `SPEECH`, of one leaf the longest at a place, of these the strongest; which are asked, negated."""
        asks = np.zeros(int(found.clause.max(initial=0)) + 1, dtype=np.int8)
        _ask(found.leaf, found.clause, self._asking, asks)
        negated, asked = self.negated(found, found), np.zeros(len(found.leaf), dtype=bool)
        at = np.empty(len(found.leaf), dtype=np.int64)
        at = at[: _scope((found.leaf, found.clause), self._policies, (asks, negated), asked, at)]
        start, kind = found.start.take(at), found.kind.take(at)
        size = found.end.take(at) - start
        at = at.take(in_order(found.leaf.take(at), start, size.max(initial=0) - size, _NOT - kind))
        at = at[: _longest(found.leaf, found.end, at)]
        return found.where(at), asked.take(at), negated.take(at)

    def trimmed(self, normal: Normal, start: Places, end: Places) -> tuple[Places, Places]:
        """Stretches without the signs and spaces at either end; one that is nothing else stays as it is."""
        trimmed = np.empty((2, len(start)), dtype=np.int64)
        _trim(normal.kinds, start, end, trimmed)
        return trimmed[0], trimmed[1]

    def negated(self, found: Found, of: Found) -> Flags:
        """Which findings `of` a batch have a negation that is no part of another word just before them, in the same clause."""
        negated = np.zeros(len(of.leaf), dtype=bool)
        size = max(int(found.end.max(initial=0)), int(of.start.max(initial=0))) + 1
        reach, ends = np.zeros(size, dtype=np.int32), np.zeros(size, dtype=np.int32)
        if _negate((found.leaf, found.start, found.end, found.clause), self._negating, reach, ends):
            _after_negation(of.start, of.clause, ends, negated)
        return negated


def clause_numbers(normal: Normal) -> Places:
    """The clause of every character and of the end: rows, punctuation, and spaces that do not part Latin words end one."""
    clause = np.zeros(len(normal.codes) + 1, dtype=np.int64)
    _part(normal.kinds, normal.first, clause)
    return clause


@compiled
def _part(kinds: Kinds, first: Places, clause: Places) -> None:
    """Writes the number of each character's clause, and of the end."""
    number, ended = -1, False
    for row in range(len(first) - 1):
        for at in range(first[row], first[row + 1]):
            if ended or at == first[row]:
                number += 1
            clause[at] = number
            ended = kinds[at] & (SIGN | SPACE) != 0
            if ended and 0 < at < len(kinds) - 1 and kinds[at - 1] & (LETTER | DIGIT) and kinds[at + 1] & (LETTER | DIGIT):
                ended = False
    clause[-1] = max(number + ended, 0)


def in_order(*keys: Places) -> Places:
    """The places of whole numbers ≥ 0 in ascending order, by the first key, then the next …; equal ones stay as they stand."""
    bits = [int(key.max(initial=0)).bit_length() for key in keys]
    index = len(keys[0]).bit_length()
    if sum(bits) + index > 63:
        return np.lexsort(keys[::-1])
    packed = np.zeros(len(keys[0]), dtype=np.int64)
    for key, width in zip(keys, bits, strict=True):
        packed <<= width
        packed |= key
    packed = packed << index | np.arange(len(packed))
    packed.sort()
    return packed & ((1 << index) - 1)


@compiled
def _find(
    spans: tuple[Places, Places, Places],
    cues: _Cues,
    texts: tuple[Places, Places],
    against: tuple[Flags, Numbers, Numbers],
    out: npt.NDArray[np.int64],
) -> int:
    """Writes the rows of `Found`, without counter-cues and what they take back, in their clause or at their place.

    `texts`: the row and the clause of every character; `against`: what is taken back of each clause and leaf, all false; and by
    character, all 0, the last counter-cue there, of which the rest has the leaf and the one before.
    """
    rows, clauses = texts
    countered, last, before = against
    count = 0
    for nth in range(len(spans[0])):
        leaf, start = cues.leaf[spans[0][nth]], spans[1][nth]
        if cues.kind[spans[0][nth]] == _NOT and cues.in_clause[leaf]:
            countered[clauses[start], leaf] = True
        elif cues.kind[spans[0][nth]] == _NOT:
            for at in range(start, spans[2][nth]):
                count += 1
                before[count, 0], before[count, 1] = leaf, last[at]
                last[at] = count
    found = 0
    for nth in range(len(spans[0])):
        start, end = spans[1][nth], spans[2][nth]
        leaf, kind, clause = cues.leaf[spans[0][nth]], cues.kind[spans[0][nth]], clauses[start]
        if kind == _NOT or countered[clause, leaf] or (cues.at_place[leaf] and _taken_back(leaf, start, end, last, before)):
            continue
        out[0, found], out[1, found], out[2, found] = leaf, kind, rows[start]
        out[3, found], out[4, found], out[5, found] = start, end, clause
        found += 1
    return found


@compiled
def _taken_back(leaf: int, start: int, end: int, last: Numbers, before: Numbers) -> bool:
    """Whether a counter-cue of a leaf stands at any of some characters; see `_find`."""
    for at in range(start, end):
        nth = last[at]
        while nth > 0:
            if before[nth, 0] == leaf:
                return True
            nth = before[nth, 1]
    return False


@compiled
def _ask(leaf: Places, clause: Places, grammar: tuple[int, int], asks: Strengths) -> None:
    """Marks with 1 the clauses that ask; `grammar`: the leaves that say that one does, and that one does not."""
    for nth in range(len(leaf)):
        if leaf[nth] == grammar[1]:
            asks[clause[nth]] = 2
        elif leaf[nth] == grammar[0] and asks[clause[nth]] == 0:
            asks[clause[nth]] = 1


@compiled
def _scope(found: tuple[Places, Places], policies: _Policies, told: tuple[Strengths, Flags], asked: Flags, out: Places) -> int:
    """Writes which findings stay, and marks those asked. `found`: leaf, clause; `told`: the clauses that ask, the negated."""
    leaves, clauses = found
    asks, negated = told
    left = 0
    for nth in range(len(leaves)):
        leaf = leaves[nth]
        asked[nth] = asks[clauses[nth]] == 1
        dropped = policies.drop_asked[leaf] if asked[nth] else policies.only_asked[leaf]
        if not (leaf <= policies.last_speech or dropped or (negated[nth] and policies.drop_negated[leaf])):
            out[left] = nth
            left += 1
    return left


@compiled
def _longest(leaf: Places, end: Places, order: Places) -> int:
    """Leaves in `order` (by leaf, start, the best first) those that do not lie inside another of their leaf; how many."""
    left, last, reach = 0, -1, -1
    for nth in range(len(order)):
        at = order[nth]
        if leaf[at] != last:
            last, reach = leaf[at], -1
        if end[at] > reach:
            reach = end[at]
            order[left] = at
            left += 1
    return left


@compiled
def _negate(found: tuple[Places, Places, Places, Places], grammar: tuple[int, int], reach: Numbers, ends: Numbers) -> bool:
    """Writes in the places where negations end their clause + 1; whether there may be any.

    `found`: leaf, start, end, clause; `grammar`: the leaves that are negations, and other words that one may be part of;
    `reach`: zeros, in which is written how far the latter reach that stand at each place.
    """
    leaf, start, end, clause = found
    some = False
    for nth in range(len(leaf)):
        some |= leaf[nth] == grammar[0]
        if leaf[nth] == grammar[1]:
            for at in range(start[nth], end[nth]):
                reach[at] = max(reach[at], end[nth])
    for nth in range(len(leaf)):
        if leaf[nth] == grammar[0] and reach[start[nth]] < end[nth]:
            ends[end[nth]] = clause[nth] + 1
    return some


@compiled
def _after_negation(start: Places, clause: Places, ends: Numbers, negated: Flags) -> None:
    """Marks those right behind a negation in their clause; `ends`: as written by `_negate`."""
    for nth in range(len(start)):
        for at in range(start[nth], max(start[nth] - _REACH, 0) - 1, -1):
            if ends[at]:
                negated[nth] = ends[at] == clause[nth] + 1
                break


@compiled
def _trim(kinds: Kinds, start: Places, end: Places, trimmed: npt.NDArray[np.int64]) -> None:
    """Writes the new starts and ends."""
    for nth in range(len(start)):
        first, last = start[nth], end[nth]
        while first < last and kinds[first] & (SIGN | SPACE):
            first += 1
        if first == last:
            first = start[nth]
        else:
            while kinds[last - 1] & (SIGN | SPACE):
                last -= 1
        trimmed[0, nth], trimmed[1, nth] = first, last


__all__ = ["KINDS", "SPEECH", "STRENGTH", "Engine", "Flags", "Found", "clause_numbers", "in_order"]
