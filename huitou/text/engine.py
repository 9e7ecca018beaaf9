"""Finds every cue of every leaf in a batch, and what stands around it: clause, negation, question, counter-cues.

Comes in: taxonomies and normalised texts. Goes out: one finding for each leaf and place, as arrays. The leaves of the taxonomy
``speech`` (negation, question, adversative …) are the grammar that the others are read by.
"""

from collections.abc import Iterable
from dataclasses import dataclass, fields

import numpy as np
import numpy.typing as npt
import polars as pl

from huitou.rules.taxonomy import Cue, Leaf, Words
from huitou.text.matcher import Finds, Matcher
from huitou.text.normal import Normal, Places, normalise

SPEECH = "speech"
KINDS = ("weak", "cues", "strong", "good", "bad", "not")
STRENGTH = {"weak": 1, "cues": 2, "strong": 3, "good": 2, "bad": 2, "not": 0}
_REACH = 2  # characters between a negation and what it negates
_ENDS = ",.!?;~…。、，！？；|\n❓"
_FAR = 1 << 40

Flags = npt.NDArray[np.bool_]


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


class Engine:
    """The compiled cues of some taxonomies; `leaves` are numbered in the taxonomies' order."""

    def __init__(self, words: Words, taxonomies: Iterable[str]) -> None:
        names = dict.fromkeys((SPEECH, *taxonomies))
        self.version = words.version
        self.leaves: list[tuple[str, Leaf]] = [(t, leaf) for t in names for leaf in words.taxonomies[t].leaves.values()]
        self.number = {(t, leaf.code): i for i, (t, leaf) in enumerate(self.leaves)}
        parts = [
            (n, cue, part)
            for n, (_, leaf) in enumerate(self.leaves)
            for cue in leaf.cues
            for part in range(len(cue.phrase.parts))
        ]
        self._entries(parts, words.same)
        self._ends = np.zeros(0x110000, dtype=bool)
        self._ends[[ord(sign) for sign in _ENDS]] = True
        self._letters = np.array(
            [chr(c).isalpha() * 1 + chr(c).isdigit() * 2 if c < 128 else 0 for c in range(129)], dtype=np.int8
        )
        self._by_place = np.array([words.taxonomies[t].counters == "place" for t, _ in self.leaves])
        self._drop_asked = np.array([leaf.asked == "drop" for _, leaf in self.leaves])
        self._only_asked = np.array([leaf.asked == "only" for _, leaf in self.leaves])
        self._drop_negated = np.array([leaf.negated == "drop" for _, leaf in self.leaves])

    def _entries(self, parts: list[tuple[int, Cue, int]], same: dict[str, tuple[str, ...]]) -> None:
        """Numbers the patterns, and lists for each of them the places in cues where it stands."""
        forms = [form for _, cue, part in parts for form in cue.phrase.parts[part]]
        plain = dict(zip(forms, _normal(forms), strict=True))
        of: dict[str, dict[int, None]] = {}
        for entry, (_, cue, part) in enumerate(parts):
            for form in cue.phrase.parts[part]:
                for typed in _typed(plain[form], same):
                    of.setdefault(typed, {})[entry] = None
        self.matcher = Matcher(list(of))
        counts = np.array([len(entries) for entries in of.values()], dtype=np.int64)
        self._count, self._from = counts, np.concatenate(([0], np.cumsum(counts)))
        self._entry = np.array([entry for entries in of.values() for entry in entries], dtype=np.int64)
        self._leaf = np.array([leaf for leaf, _, _ in parts])
        self._kind = np.array([KINDS.index(cue.kind) for _, cue, _ in parts])
        self._at_start = np.array([cue.phrase.at_start and part == 0 for _, cue, part in parts])
        self._at_end = np.array([cue.phrase.at_end and part == len(cue.phrase.parts) - 1 for _, cue, part in parts])
        self._gap = np.array([cue.phrase.gaps[part] if part < len(cue.phrase.gaps) else -1 for _, cue, part in parts])
        self._first_part = np.array([part == 0 for _, _, part in parts])
        self._left, self._right = ([ord(p[at]) for p in of] for at in (0, -1))
        self.patterns = len(of)

    def find(self, normal: Normal) -> tuple[Found, Places]:
        """All findings, those of `SPEECH` too, counter-cues applied, and the clause of every character."""
        clause = self._clauses(normal)
        finds = self._whole_words(self.matcher.find(normal), normal)
        found = self._joined(finds, normal, clause)
        against = found.kind == KINDS.index("not")
        if against.any():
            shown, no = found.where(~against), found.where(against)
            clauses = int(clause[-1]) + 1
            in_clause = np.isin(shown.leaf * clauses + shown.clause, no.leaf * clauses + no.clause)
            found = shown.where(~np.where(self._by_place[shown.leaf], _overlapped(shown, no), in_clause))
        return found, clause

    def scoped(self, found: Found) -> tuple[Found, Flags, Flags]:
        """Findings without `SPEECH`, of one leaf the longest of those at a place; which are asked, which negated. Policies applied."""
        asked = np.isin(found.clause, self._clauses_of(found, "question")) & ~np.isin(
            found.clause, self._clauses_of(found, "not_question")
        )
        negated = self._negated(found)
        speech = found.leaf <= max(n for (t, _), n in self.number.items() if t == SPEECH)
        keep = ~speech & ~(asked & self._drop_asked[found.leaf]) & ~(~asked & self._only_asked[found.leaf])
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
        sign = np.append(self._ends[normal.codes] | (normal.codes == ord(" ")), False)
        word = np.flatnonzero(~sign)
        first = word[np.searchsorted(word, start)]
        last = word[np.maximum(np.searchsorted(word, end) - 1, 0)] + 1
        some = (first < end) & (last > first)
        return np.where(some, first, start), np.where(some, last, end)

    def _clauses_of(self, found: Found, code: str) -> Places:
        leaf = self.number.get((SPEECH, code), -1)
        return found.clause[found.leaf == leaf]

    def _negated(self, found: Found) -> Flags:
        """Whether a negation that is no part of another word stands just before, in the same clause."""
        no = found.where(found.leaf == self.number.get((SPEECH, "negation"), -1))
        other = found.where(found.leaf == self.number.get((SPEECH, "not_negation"), -1))
        if not len(no.end):
            return np.zeros(len(found.leaf), dtype=bool)
        if len(other.end):
            order = np.argsort(other.start)
            starts, reach = other.start[order], np.maximum.accumulate(other.end[order])
            covering = np.searchsorted(starts, no.start, side="right") - 1
            no = no.where((covering < 0) | (reach[covering] < no.end))
            if not len(no.end):
                return np.zeros(len(found.leaf), dtype=bool)
        order = np.argsort(no.end)
        ends, clauses = no.end[order], no.clause[order]
        near = np.searchsorted(ends, found.start, side="right") - 1
        return (near >= 0) & (found.start - ends[near] <= _REACH) & (clauses[near] == found.clause)

    def _clauses(self, normal: Normal) -> Places:
        """The clause of every character: rows, their punctuation, and spaces that do not part words of letters end one."""
        codes = normal.codes
        ends = self._ends[codes]
        small = self._letters[np.minimum(codes, 128)] > 0
        part = np.ones(len(codes), dtype=bool)
        part[1:-1] = ~(small[:-2] & small[2:])
        ends = part & (ends | (codes == ord(" ")))
        clause = np.zeros(len(codes) + 1, dtype=np.int64)
        clause[1:] = ends
        begins = normal.first[:-1]
        clause[begins[begins < len(codes)]] += 1
        return np.cumsum(clause)

    def _whole_words(self, finds: Finds, normal: Normal) -> Finds:
        """Without Latin words and numbers that go on beyond the pattern."""
        codes = normal.codes
        kind = np.append(self._letters[np.minimum(codes, 128)], 0)
        left, right = np.array(self._left)[finds.pattern], np.array(self._right)[finds.pattern]
        before, after = np.maximum(finds.start - 1, 0), finds.end
        cut_left = (
            (finds.start > normal.first[finds.row]) & (kind[before] > 0) & (kind[before] == self._letters[np.minimum(left, 128)])
        )
        cut_right = (
            (after < normal.first[finds.row + 1]) & (kind[after] > 0) & (kind[after] == self._letters[np.minimum(right, 128)])
        )
        keep = ~(cut_left | cut_right)
        return Finds(finds.pattern[keep], finds.row[keep], finds.start[keep], finds.end[keep])

    def _joined(self, finds: Finds, normal: Normal, clause: Places) -> Found:
        """Findings of whole cues: patterns that stand alone, and those that follow one another within their gaps."""
        counts = self._count[finds.pattern]
        each = np.repeat(np.arange(len(counts)), counts)
        nth = np.arange(len(each)) - np.repeat(np.cumsum(counts) - counts, counts)
        entry = self._entry[self._from[finds.pattern[each]] + nth]
        start, end, row = finds.start[each], finds.end[each], finds.row[each]
        anchored = self._at_start[entry] | self._at_end[entry]
        if anchored.any():
            first, last = _core(normal)
            keep = ~(self._at_start[entry] & (start > first[row])) & ~(self._at_end[entry] & (end < last[row]))
            entry, start, end, row = entry[keep], start[keep], end[keep], row[keep]
        begins = self._first_part[entry]
        whole = begins & (self._gap[entry] < 0)
        out = [
            Found(self._leaf[entry[whole]], self._kind[entry[whole]], row[whole], start[whole], end[whole], clause[start[whole]])
        ]
        order = np.lexsort((start[~begins], entry[~begins]))
        later = entry[~begins][order] * _FAR + start[~begins][order]
        ends = end[~begins][order]
        open_ = begins & (self._gap[entry] >= 0)
        entry, start, end, row = entry[open_], start[open_], end[open_], row[open_]
        while len(entry) and len(later):
            nearest = np.minimum(np.searchsorted(later, (entry + 1) * _FAR + end), len(later) - 1)
            there = later[nearest] - (entry + 1) * _FAR
            fits = (there >= end) & (there - end <= self._gap[entry])
            fits[fits] &= clause[start[fits]] == clause[there[fits]]
            entry, start, end, row = entry[fits] + 1, start[fits], ends[nearest[fits]], row[fits]
            done = self._gap[entry] < 0
            out.append(
                Found(self._leaf[entry[done]], self._kind[entry[done]], row[done], start[done], end[done], clause[start[done]])
            )
            entry, start, end, row = entry[~done], start[~done], end[~done], row[~done]
        return Found.of(out)


def _overlapped(found: Found, others: Found) -> Flags:
    """Which findings overlap one of the others of the same leaf."""
    order = np.lexsort((others.start, others.leaf))
    starts = others.leaf[order] * _FAR + others.start[order]
    reach = np.maximum.accumulate(others.leaf[order] * _FAR + others.end[order])
    before = np.searchsorted(starts, found.leaf * _FAR + found.end) - 1
    return (before >= 0) & (reach[np.maximum(before, 0)] > found.leaf * _FAR + found.start)


def _core(normal: Normal) -> tuple[Places, Places]:
    """Where each row's first and last letters, digits or characters stand (end exclusive), without signs around them."""
    codes = normal.codes
    word = (codes >= 0x3400) & (codes < 0x1F000) | (codes > 0x20000)
    word |= (codes >= 0x61) & (codes <= 0x7A) | (codes >= 0x30) & (codes <= 0x39)
    word &= ~((codes >= 0xFE30) & (codes <= 0xFF5E))
    at = np.flatnonzero(word)
    low = np.searchsorted(at, normal.first[:-1])
    high = np.searchsorted(at, normal.first[1:]) - 1
    some = low <= high
    padded = np.append(at, 0)
    return np.where(some, padded[low], normal.first[:-1]), np.where(some, padded[high] + 1, normal.first[1:])


def _normal(forms: list[str]) -> list[str]:
    texts: list[str] = normalise(pl.Series(forms, dtype=pl.String)).series()[0].to_list()
    return texts


def _typed(form: str, same: dict[str, tuple[str, ...]]) -> list[str]:
    """A form, and the form with one of its words typed otherwise."""
    return [form, *(form.replace(word, other) for word, others in same.items() if word in form for other in others)]
