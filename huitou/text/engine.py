"""Finds every cue of every leaf in a batch, and what stands around it: clause, negation, question, counter-cues.

Comes in: taxonomies and normalised texts. Goes out: one finding for each leaf and place, as arrays. The leaves of the taxonomy
``speech`` (negation, question, adversative …) are the grammar that the others are read by.
"""

from collections.abc import Iterable
from dataclasses import dataclass, fields
from functools import lru_cache, partial

import numpy as np

from huitou.rules.taxonomy import Leaf, Words
from huitou.text.normal import DIGIT, LETTER, SIGN, SPACE, Flags, Normal, Places
from huitou.text.phrases import Phrases

SPEECH = "speech"
KINDS = ("weak", "cues", "strong", "good", "bad", "not")
STRENGTH = {"weak": 1, "cues": 2, "strong": 3, "good": 2, "bad": 2, "not": 0}
_REACH = 2  # characters between a negation and what it negates
_FAR = 1 << 40


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
        self._leaf = np.array([leaf for leaf, _ in cues], dtype=np.int64)
        self._kind = np.array([KINDS.index(cue.kind) for _, cue in cues], dtype=np.int64)
        self._last_speech = sum(t == SPEECH for t, _ in self.leaves) - 1
        countered = np.isin(np.arange(len(self.leaves)), self._leaf[self._kind == KINDS.index("not")])
        by_place = np.array([words.taxonomies[t].counters == "place" for t, _ in self.leaves])
        self._in_clause, self._at_place = countered & ~by_place, countered & by_place
        self._drop_asked = np.array([leaf.asked == "drop" for _, leaf in self.leaves])
        self._only_asked = np.array([leaf.asked == "only" for _, leaf in self.leaves])
        self._drop_negated = np.array([leaf.negated == "drop" for _, leaf in self.leaves])

    @property
    def phrases(self) -> Phrases:
        """The compiled cues."""
        return self._compiled()

    def find(self, normal: Normal) -> tuple[Found, Places]:
        """All findings, those of `SPEECH` too, counter-cues applied, and the clause of every character."""
        clause = clause_numbers(normal)
        spans = self.phrases.find(normal, clause)
        leaf, kind = self._leaf.take(spans.cue), self._kind.take(spans.cue)
        found = Found(leaf, kind, normal.rows.take(spans.start), spans.start, spans.end, clause.take(spans.start))
        return self._not_countered(found, int(clause[-1]) + 1), clause

    def _not_countered(self, found: Found, clauses: int) -> Found:
        """Findings without counter-cues, and without those that one of their leaf takes back: in the same clause, or place."""
        against = found.kind == KINDS.index("not")
        if not against.any():
            return found
        no = found.where(against)
        keep = ~against
        at = np.flatnonzero(keep & self._in_clause.take(found.leaf))
        held = np.zeros(len(self.leaves) * clauses, dtype=bool)
        held[no.leaf * clauses + no.clause] = True
        keep[at] = ~held.take(found.leaf.take(at) * clauses + found.clause.take(at))
        at = np.flatnonzero(keep & self._at_place.take(found.leaf))
        keep[at] = ~_overlapped(found.where(at), no)
        return found.where(keep)

    def scoped(self, found: Found) -> tuple[Found, Flags, Flags]:
        """Findings without `SPEECH`, of one leaf the longest at a place; which are asked, which negated. Policies applied."""
        asks = np.zeros(int(found.clause.max(initial=0)) + 1, dtype=bool)
        asks[self._clauses_of(found, "question")] = True
        asks[self._clauses_of(found, "not_question")] = False
        said = found.where(found.leaf > self._last_speech)
        asked, negated = asks.take(said.clause), self.negated(found, said)
        keep = ~np.where(asked, self._drop_asked.take(said.leaf), self._only_asked.take(said.leaf))
        keep &= ~(negated & self._drop_negated.take(said.leaf))
        at = np.flatnonzero(keep)
        end = said.end.take(at)
        at = at.take(in_order(said.leaf.take(at), said.start.take(at), end.max(initial=0) - end))
        if len(at):
            reach = said.end.take(at) + said.leaf.take(at) * _FAR
            before = np.concatenate(([-1], np.maximum.accumulate(reach)[:-1]))
            at = at.take(np.flatnonzero(reach > before))
        return said.where(at), asked.take(at), negated.take(at)

    def trimmed(self, normal: Normal, start: Places, end: Places) -> tuple[Places, Places]:
        """Stretches without the signs and spaces at either end; one that is nothing else stays as it is."""
        word = np.append(np.flatnonzero((normal.kinds & (SIGN | SPACE)) == 0), len(normal.codes))
        first = word[np.searchsorted(word, start)]
        last = word[np.maximum(np.searchsorted(word, end) - 1, 0)] + 1
        some = (first < end) & (last > first)
        return np.where(some, first, start), np.where(some, last, end)

    def _clauses_of(self, found: Found, code: str) -> Places:
        leaf = self.number.get((SPEECH, code), -1)
        clauses: Places = found.clause[found.leaf == leaf]
        return clauses

    def negated(self, found: Found, of: Found) -> Flags:
        """Which findings `of` a batch have a negation that is no part of another word just before them, in the same clause."""
        no = found.where(found.leaf == self.number.get((SPEECH, "negation"), -1))
        other = found.where(found.leaf == self.number.get((SPEECH, "not_negation"), -1))
        if not len(no.end):
            return np.zeros(len(of.leaf), dtype=bool)
        if len(other.end):
            order = np.argsort(other.start)
            starts, reach = other.start[order], np.maximum.accumulate(other.end[order])
            covering = np.searchsorted(starts, no.start, side="right") - 1
            no = no.where((covering < 0) | (reach[covering] < no.end))
            if not len(no.end):
                return np.zeros(len(of.leaf), dtype=bool)
        order = np.argsort(no.end)
        ends, clauses = no.end[order], no.clause[order]
        near = np.searchsorted(ends, of.start, side="right") - 1
        negated: Flags = (near >= 0) & (of.start - ends[near] <= _REACH) & (clauses[near] == of.clause)
        return negated


def clause_numbers(normal: Normal) -> Places:
    """The clause of every character and of the end: rows, punctuation, and spaces that do not part Latin words end one."""
    size = len(normal.codes)
    ends = np.flatnonzero((normal.kinds & (SIGN | SPACE)) != 0)
    inner = (ends > 0) & (ends < size - 1)
    latin = LETTER | DIGIT
    parts = normal.kinds.take(ends - 1, mode="clip") & latin, normal.kinds.take(ends + 1, mode="clip") & latin
    ends = ends[~(inner & (parts[0] != 0) & (parts[1] != 0))]
    begins = normal.first[:-1]
    begins = begins[(begins < normal.first[1:]) & (begins < size)]
    borders = np.concatenate((begins, ends + 1, [0, size + 1]))
    borders.sort()
    return np.repeat(np.arange(len(borders) - 1), np.diff(borders))


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


def _overlapped(found: Found, others: Found) -> Flags:
    """Which findings overlap one of the others of the same leaf."""
    order = in_order(others.leaf, others.start)
    starts = others.leaf[order] * _FAR + others.start[order]
    reach = np.maximum.accumulate(others.leaf[order] * _FAR + others.end[order])
    before = np.searchsorted(starts, found.leaf * _FAR + found.end) - 1
    return (before >= 0) & (reach[np.maximum(before, 0)] > found.leaf * _FAR + found.start)


__all__ = ["KINDS", "SPEECH", "STRENGTH", "Engine", "Flags", "Found", "clause_numbers", "in_order"]
