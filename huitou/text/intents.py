"""What customers' messages want: the cues of taxonomy ``intents`` and what was learnt from sentences, weighed together.

A cue raises the chance of its code; without any, the sentences alone decide. A text without intent is ``other``: no finding.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from huitou.text.engine import KINDS, STRENGTH, Engine, Flags, Found
from huitou.text.normal import Normal, Places
from huitou.text.sentences import Sentences, Stretches, learnt

TAXONOMY, OTHER = "intents", "other"
CUE_LOGITS = (0.0, 0.5, 1.0, 2.5)  # that a cue of strength 0 … 3 adds
AT_LEAST = 0.0  # logit from which a code is said


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
        self._strength = np.array([STRENGTH[kind] for kind in KINDS])

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
        chance, best = self._learnt.clearest(normal, stretches)
        chance = np.clip(chance, 1e-6, 1 - 1e-6)
        column = self._column[found.leaf]
        known = np.flatnonzero(column >= 0)
        strongest = np.zeros(chance.shape, dtype=np.int8)
        np.maximum.at(strongest, (found.row[known], column[known]), self._strength[found.kind[known]].astype(np.int8))
        shows = np.log(chance / (1 - chance)) + np.array(CUE_LOGITS, dtype=np.float32)[strongest] > AT_LEAST
        stays = ~self._mine[found.leaf]
        stays[known] = shows[found.row[known], column[known]]
        kept = found.where(stays)
        weak = self._mine[kept.leaf] & (kept.kind == KINDS.index("weak"))
        kept.kind[weak] = KINDS.index("cues")
        row, code = np.nonzero(shows & (strongest == 0))
        at = best[row, code]
        start, end = self._engine.trimmed(normal, stretches.first[at], stretches.first[at + 1])
        said = np.full(len(row), KINDS.index("cues"))
        more = Found(self._leaf[code], said, row, start, end, clause[start])
        no = np.zeros(len(row), dtype=bool)
        asked, negated = (np.concatenate((flags[stays], no)) for flags in (scoped.asked, scoped.negated))
        return Scoped(Found.of((kept, more)), asked, negated)
