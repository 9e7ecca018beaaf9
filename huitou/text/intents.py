"""What customers' messages want: the cues of taxonomy ``intents`` and what was learnt from sentences, weighed together.

A cue raises the chance of its code; without any, the sentences alone decide. A text without intent is ``other``: no finding.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from huitou.text.engine import KINDS, STRENGTH, Engine, Flags, Found
from huitou.text.normal import Normal, Places
from huitou.text.sentences import Scores, Sentences, Stretches, learnt

TAXONOMY, OTHER = "intents", "other"
CUE_LOGITS = (0.0, 0.5, 1.0, 2.5)  # that a cue of strength 0 … 3 adds
AT_LEAST = 0.0  # logit from which a code is said
_DOUBTFUL = 0.4  # chance below which nothing is said without a cue, and need not be weighed

Strengths = npt.NDArray[np.int8]


@dataclass(frozen=True, slots=True)
class Scoped:
    """Findings, which of them are asked, which negated."""

    found: Found
    asked: Flags
    negated: Flags


class Intents:
    """The decision for the texts of a batch. The engine's taxonomies must hold `TAXONOMY`."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._mine = np.array([name == TAXONOMY for name, _ in engine.leaves])
        self._strength = np.array([STRENGTH[kind] for kind in KINDS], dtype=np.int8)

    @cached_property
    def _learnt(self) -> Sentences:
        return learnt(TAXONOMY)

    @cached_property
    def _leaf(self) -> Places:
        return np.array([self._engine.number[TAXONOMY, code] for code in self._learnt.codes], dtype=np.int64)

    @cached_property
    def _column(self) -> Places:
        column = np.full(len(self._engine.leaves), -1, dtype=np.int64)
        column[self._leaf] = np.arange(len(self._leaf))
        return column

    def decide(self, normal: Normal, clause: Places, scoped: Scoped) -> Scoped:
        """The findings, of intents only those that are decided for: their cues, or else the clause that shows them best."""
        found = scoped.found
        stretches = Stretches.of(normal, clause)
        chance, each = self._learnt.clearest(normal, stretches)
        column = self._column.take(found.leaf)
        known = np.flatnonzero(column >= 0)
        at = found.row.take(known) * chance.shape[1] + column.take(known)
        strongest = np.zeros(chance.size, dtype=np.int8)
        np.maximum.at(strongest, at, self._strength.take(found.kind.take(known)))
        stays = ~self._mine.take(found.leaf)
        stays[known] = _shows(chance.take(at), strongest.take(at))
        stay = np.flatnonzero(stays)
        kept = found.where(stay)
        weak = self._mine.take(kept.leaf) & (kept.kind == KINDS.index("weak"))
        kept.kind[weak] = KINDS.index("cues")
        more = self._told((normal, clause, stretches), (chance, each), strongest)
        no = np.zeros(len(more.row), dtype=bool)
        asked, negated = (np.concatenate((flags.take(stay), no)) for flags in (scoped.asked, scoped.negated))
        return Scoped(Found.of((kept, more)), asked, negated)

    def _told(self, text: tuple[Normal, Places, Stretches], chances: tuple[Scores, Scores], strongest: Strengths) -> Found:
        """What the sentences show where no cue does, and the last of the clauses that show it best.

        `text`: a batch, its characters' clauses, its stretches; `chances`: of its texts, of its stretches.
        """
        normal, clause, stretches = text
        chance, each = chances
        width = chance.shape[1]
        at = np.flatnonzero(chance.ravel() > _DOUBTFUL)
        at = at.take(np.flatnonzero(strongest.take(at) == 0))
        at = at.take(np.flatnonzero(_shows(chance.take(at), strongest.take(at))))
        row, code = at // width, at % width
        begin = stretches.begin.take(row)
        size = np.append(stretches.begin, len(each)).take(row + 1) - begin
        of = np.repeat(np.arange(len(at)), size)
        stretch = np.arange(len(of)) + np.repeat(begin - np.cumsum(size) + size, size)
        best = np.zeros(len(at), dtype=np.int64)
        hit = np.flatnonzero(each.take(stretch * width + code.take(of)) == chance.take(at).take(of))
        best[of.take(hit)] = stretch.take(hit)
        start, end = self._engine.trimmed(normal, stretches.first.take(best), stretches.first.take(best + 1))
        said = np.full(len(row), KINDS.index("cues"))
        return Found(self._leaf.take(code), said, row, start, end, clause.take(start))


def _shows(chance: Scores, strength: Strengths) -> Flags:
    """Whether each chance shows its code, beside a cue of some strength (0: none)."""
    chance = np.clip(chance, 1e-6, 1 - 1e-6)
    shows: Flags = np.log(chance / (1 - chance)) + np.array(CUE_LOGITS, dtype=np.float32)[strength] > AT_LEAST
    return shows
