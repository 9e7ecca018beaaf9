"""Finds every cue of every leaf in a batch, and what stands around it: clause, negation, question, counter-cues.

Comes in: taxonomies and normalised texts. Goes out: one finding for each leaf and place, as arrays. The leaves of the taxonomy
``speech`` (negation, question, adversative …) are the grammar that the others are read by.
"""

from collections.abc import Iterable
from dataclasses import dataclass, fields
from functools import cache, lru_cache, partial

import numpy as np

from huitou.rules.taxonomy import Leaf, Words
from huitou.text.normal import Flags, Normal, Places
from huitou.text.phrases import Phrases

SPEECH = "speech"
KINDS = ("weak", "cues", "strong", "good", "bad", "not")
STRENGTH = {"weak": 1, "cues": 2, "strong": 3, "good": 2, "bad": 2, "not": 0}
_REACH = 2  # characters between a negation and what it negates
_ENDS = ",.!?;~…。、，！？；|\n❓"
_FAR = 1 << 40
_LATIN = np.array([chr(c).isalnum() for c in range(128)] + [False])


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
        return Found(*(getattr(self, f.name)[keep] for f in fields(self)))

    @staticmethod
    def of(parts: Iterable["Found"]) -> "Found":
        """Several, one after the other."""
        held = list(parts)
        return Found(*(np.concatenate([getattr(p, f.name) for p in held]) for f in fields(Found)))


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
        self._by_place = np.array([words.taxonomies[t].counters == "place" for t, _ in self.leaves])
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
        place = clause[spans.start], normal.rows[spans.start]
        found = Found(self._leaf[spans.cue], self._kind[spans.cue], place[1], spans.start, spans.end, place[0])
        against = found.kind == KINDS.index("not")
        if against.any():
            shown, no = found.where(~against), found.where(against)
            clauses = int(clause[-1]) + 1
            in_clause = np.isin(shown.leaf * clauses + shown.clause, no.leaf * clauses + no.clause)
            found = shown.where(~np.where(self._by_place[shown.leaf], _overlapped(shown, no), in_clause))
        return found, clause

    def scoped(self, found: Found) -> tuple[Found, Flags, Flags]:
        """Findings without `SPEECH`, of one leaf the longest at a place; which are asked, which negated. Policies applied."""
        asked = np.isin(found.clause, self._clauses_of(found, "question")) & ~np.isin(
            found.clause, self._clauses_of(found, "not_question")
        )
        negated = self.negated(found, found)
        keep = (
            (found.leaf > self._last_speech) & ~(asked & self._drop_asked[found.leaf]) & ~(~asked & self._only_asked[found.leaf])
        )
        keep &= ~(negated & self._drop_negated[found.leaf])
        at = np.flatnonzero(keep)
        at = at[np.lexsort((-found.end[at], found.start[at], found.leaf[at]))]
        if len(at):
            reach = found.end[at] + found.leaf[at] * _FAR
            before = np.concatenate(([-1], np.maximum.accumulate(reach)[:-1]))
            at = at[reach > before]
        return found.where(at), asked[at], negated[at]

    def trimmed(self, normal: Normal, start: Places, end: Places) -> tuple[Places, Places]:
        """Stretches without the signs and spaces at either end; one that is nothing else stays as it is."""
        sign = np.append(_signs().take(normal.codes) | (normal.codes == ord(" ")), False)
        word = np.flatnonzero(~sign)
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
    codes = normal.codes
    ends = _signs().take(codes)
    small = _LATIN.take(codes, mode="clip")
    part = np.ones(len(codes), dtype=bool)
    part[1:-1] = ~(small[:-2] & small[2:])
    ends = part & (ends | (codes == ord(" ")))
    clause = np.zeros(len(codes) + 1, dtype=np.int64)
    clause[1:] = ends
    begins = normal.first[:-1]
    clause[begins[begins < len(codes)]] += 1
    return np.cumsum(clause)


@cache
def _signs() -> Flags:
    """Which code points end a clause."""
    signs = np.zeros(0x110000, dtype=bool)
    signs[[ord(sign) for sign in _ENDS]] = True
    return signs


def _overlapped(found: Found, others: Found) -> Flags:
    """Which findings overlap one of the others of the same leaf."""
    order = np.lexsort((others.start, others.leaf))
    starts = others.leaf[order] * _FAR + others.start[order]
    reach = np.maximum.accumulate(others.leaf[order] * _FAR + others.end[order])
    before = np.searchsorted(starts, found.leaf * _FAR + found.end) - 1
    return (before >= 0) & (reach[np.maximum(before, 0)] > found.leaf * _FAR + found.start)


__all__ = ["KINDS", "SPEECH", "STRENGTH", "Engine", "Flags", "Found", "clause_numbers"]
