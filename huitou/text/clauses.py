"""What the clauses of reviews blame and praise: the readings of taxonomy ``polarity`` and of ``aspects`` in their clauses.

Of readings inside one another the longest counts. A clause ends at punctuation and before an adversative. What a clause supposes
(希望, 如果), says of the past or of others (以前用的, 别家) or retells from a book is no complaint; a mild word (小, 只有) is one
only after a turn.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from huitou.rules.taxonomy import Words
from huitou.text.engine import KINDS, SPEECH, Engine, Flags, Found, in_order
from huitou.text.normal import Normal, Places

Floats = npt.NDArray[np.float64]
_BAD, _GOOD, _STRONG, _WEAK = (KINDS.index(kind) for kind in ("bad", "good", "strong", "weak"))
_TAIL = 2  # particles between a mild word and the end of its clause
_PARTICLES = "了点些的啊哦呢吧呀啦哈嘛一 ,.!?;~…。、，！？；|\n"
_PRECISE = 4  # characters from which on a reading says what is wrong by itself (快递不快)
_SHORT = 40  # characters of a review whose every word is about the goods
_CARRY = 2  # clauses that what is said of the past may go on for
_FRAMES = ("before", "compare", "hope", "but", "now", "degree", "story", "book")
_SAYS = ("negative", "positive", "mild", "suggestion", "neither")


@dataclass(frozen=True, slots=True)
class Marks:
    """The readings of a batch, by row and place. `leaf`: the engine's number; `bad`, `good`: weights; `clause`: its number.

    `about`: readings that only name what is spoken of; `hint`: those of them that do so where nothing else does (weak cues).
    `suggests`: those that propose. `stressed`: those whose clause turns to what it says, or says how much.
    """

    leaf: Places
    row: Places
    clause: Places
    start: Places
    end: Places
    bad: Floats
    good: Floats
    about: Flags
    hint: Flags
    suggests: Flags
    stressed: Flags


class ClauseReader:
    """The compiled taxonomies of reviews."""

    def __init__(self, words: Words) -> None:
        self.engine = Engine(words, ("aspects", "polarity"))
        number = self.engine.number
        self._turn = number[SPEECH, "adversative"]
        self._says = {code: number["polarity", code] for code in _SAYS}
        self._frames = {code: number["polarity", code] for code in _FRAMES}
        self._overall, self._effect = number["aspects", "overall"], number["aspects", "effect"]
        self._light = np.zeros(0x110000, dtype=bool)
        self._light[[ord(sign) for sign in _PARTICLES]] = True
        self._aspect = np.array([name == "aspects" for name, _ in self.engine.leaves])
        every = np.arange(len(self.engine.leaves))
        self._sides = np.isin(every, list(self._says.values()))
        self._grammar = np.isin(every, list(self._frames.values()))

    def read(self, normal: Normal) -> tuple[Marks, Places]:
        """The marks of a batch, and the clause of every character (and the end)."""
        found, clause = self.engine.find(normal)
        turned = np.zeros(len(clause), dtype=np.int64)
        turned[_firsts(found.where(found.leaf == self._turn))] = 1
        told = self._sides[found.leaf] | (found.kind == _BAD) | (found.kind == _GOOD)
        frames, names = found.where(self._grammar[found.leaf]), found.where(self._aspect[found.leaf] & ~told)
        sides = found.where(told)
        sides = sides.where(self._longest(sides))
        negated = self.engine.negated(found, sides)
        clause = clause + np.cumsum(turned)
        retold = self._retold(sides, names, clause, frames)
        flags = (negated, self._named(sides, names, normal, clause), self._closes(sides, normal, clause), retold)
        bad, good = self._weights(sides, flags, clause, frames)
        both = Found.of((sides, names))
        none = np.zeros(len(names.leaf))
        order = in_order(both.start, both.end)
        suggests = np.concatenate((sides.leaf == self._says["suggestion"], none.astype(bool)))
        is_name = np.concatenate((np.zeros(len(sides.leaf), dtype=bool), np.ones(len(names.leaf), dtype=bool)))
        bad, good = np.concatenate((bad, none)), np.concatenate((good, none))
        hint = is_name & (both.kind == _WEAK)
        both = both.where(order)
        where = clause[both.start]
        stressed = self._in(where, clause, frames, "but") | self._in(where, clause, frames, "degree")
        stressed |= clause_table(np.maximum(clause[np.flatnonzero(turned)] - 1, 0), clause)[where]  # a turn follows: X, but Y
        stressed |= both.end - both.start >= _PRECISE
        return Marks(
            both.leaf, both.row, clause[both.start], both.start, both.end,
            bad[order], good[order], is_name[order], hint[order], suggests[order], stressed,
        ), clause  # fmt: skip

    def _longest(self, sides: Found) -> Places:
        """Which readings lie in no other, nor end inside one that says neither.

        Of equal ones what says neither comes first, then what names its aspect.
        """
        rank = np.where(sides.leaf == self._says["neither"], 0, np.where(self._aspect[sides.leaf], 1, 2))
        order = in_order(sides.start, sides.end.max(initial=0) - sides.end, rank)
        start, end = sides.start[order], sides.end[order]
        before = np.concatenate(([-1], np.maximum.accumulate(end)[:-1])) if len(end) else end
        stays = end > before
        empty = np.flatnonzero(stays & (rank[order] == 0))
        if len(empty):
            near = np.minimum(np.searchsorted(start[empty], start, side="right"), len(empty) - 1)
            stays &= ~((start < start[empty][near]) & (start[empty][near] < end) & (end < end[empty][near]))
        return order[stays]

    def _weights(
        self, sides: Found, flags: tuple[Flags, Flags, Flags, Flags], clause: Places, frames: Found
    ) -> tuple[Floats, Floats]:
        """How much each reading blames and praises where it stands.

        `flags`: negated; about the goods; last of its clause; retold.
        """
        negated, named, closes, retold = flags
        weight = np.where(sides.kind == _STRONG, 2.0, np.where(sides.kind == _WEAK, 0.3, 1.0))
        where = clause[sides.start]
        blames = (sides.leaf == self._says["negative"]) | (sides.kind == _BAD)
        praises = (sides.leaf == self._says["positive"]) | (sides.kind == _GOOD)
        good = np.where(praises & ~negated, weight, 0.0) + np.where(blames & negated, 0.5, 0.0)
        bad = np.where(blames & ~negated, weight, 0.0)
        vague = (sides.leaf == self._says["negative"]) & (sides.kind == _WEAK)
        bad = np.where(vague & (bad > 0), np.where(named, 1.0, 0.0), bad)
        mild = (sides.leaf == self._says["mild"]) & ~negated & closes
        if mild.any():
            praised = clause_table(where[(good > 0) | (bad > 0)], clause)[where]
            bad = np.where(mild & self._in(where, clause, frames, "but") & ~praised, 1.0, bad)
        past, likened = self._past(sides, clause, frames), self._in(where, clause, frames, "compare")
        hopes = frames.where(frames.leaf == self._frames["hope"])
        supposed = _after(sides.start, where, hopes.start, clause[hopes.start])
        return np.where((past & ~likened) | supposed | retold, 0.0, bad), np.where(past | supposed, good * 0.3, good)

    def _named(self, sides: Found, names: Found, normal: Normal, clause: Places) -> Flags:
        """Which readings speak of the goods for sure: their clause names an aspect, or the review is short."""
        strong = names.where((names.kind != _WEAK) & (names.leaf != self._overall))
        short = np.diff(normal.first)[sides.row] <= _SHORT
        named: Flags = short | self._aspect[sides.leaf] | clause_table(clause[strong.start], clause)[clause[sides.start]]
        return named

    def _retold(self, sides: Found, names: Found, clause: Places, frames: Found) -> Flags:
        """Which readings tell what happens in a book or in the world: in a review of such, where no part of the book is named."""
        told = np.zeros(int(sides.row.max(initial=-1)) + 2, dtype=bool)
        rows = frames.row[frames.leaf == self._frames["story"]]
        told[rows[rows < len(told)]] = True
        where = clause[sides.start]
        strong = names.where((names.kind != _WEAK) & (names.leaf != self._overall) & (names.leaf != self._effect))
        named = clause_table(clause[strong.start], clause)[where] | self._in(where, clause, frames, "book")
        retold: Flags = told[sides.row] & ~named & ~self._aspect[sides.leaf]
        return retold

    def _closes(self, sides: Found, normal: Normal, clause: Places) -> Flags:
        """Which readings end their clause, but for particles and signs."""
        here, closes = clause[sides.start], np.zeros(len(sides.end), dtype=bool)
        going = ~closes
        for step in range(_TAIL + 1):
            at = np.minimum(sides.end + step, len(clause) - 1)
            closes |= going & ((clause[at] != here) | (at == len(normal.codes)))
            going &= self._light.take(normal.codes[np.minimum(at, len(normal.codes) - 1)])
        return closes

    def _in(self, where: Places, clause: Places, frames: Found, code: str) -> Flags:
        """Which of some clauses hold a leaf of the grammar."""
        return clause_table(clause[frames.start[frames.leaf == self._frames[code]]], clause)[where]

    def _past(self, sides: Found, clause: Places, frames: Found) -> Flags:
        """Which readings speak of the past or of others: from that word on, `_CARRY` clauses further, or until 现在, 这次 …"""
        past = frames.where(frames.leaf == self._frames["before"])
        if not len(past.start):
            return np.zeros(len(sides.start), dtype=bool)
        past = past.where(np.argsort(past.start))
        now = np.sort(frames.start[frames.leaf == self._frames["now"]])
        near = np.maximum(np.searchsorted(past.start, sides.start, side="right") - 1, 0)
        begin = past.start[near]
        fits = (begin <= sides.start) & (past.row[near] == sides.row) & (clause[sides.start] - clause[begin] <= _CARRY)
        fits |= (clause[sides.start] == clause[begin]) & (past.row[near] == sides.row)
        turned = np.searchsorted(now, sides.start, side="right") > np.searchsorted(now, begin, side="left")
        kept: Flags = fits & ~turned
        return kept


def clause_table(clauses: Places, clause: Places) -> Flags:
    """Whether each clause of a batch is one of some. `clause`: of every character."""
    held = np.zeros(int(clause[-1]) + 1, dtype=bool)
    held[clauses] = True
    return held


def _firsts(turns: Found) -> Places:
    """Where adversatives begin that begin inside no other: «美中不足的是» turns once."""
    turns = turns.where(np.argsort(turns.start, kind="stable"))
    reach = np.concatenate(([-1], np.maximum.accumulate(turns.end)[:-1])) if len(turns.end) else turns.end
    return turns.start[turns.start >= reach]


def _after(start: Places, where: Places, others: Places, other_where: Places) -> Flags:
    """Which places stand behind one of some others in the same clause."""
    order = np.argsort(others)
    begins, clauses = others[order], other_where[order]
    if not len(begins):
        return np.zeros(len(start), dtype=bool)
    near = np.searchsorted(begins, start, side="right") - 1
    held: Flags = (near >= 0) & (clauses[near] == where)
    return held
