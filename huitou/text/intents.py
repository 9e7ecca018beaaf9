"""What customers' messages want: the cues of taxonomy ``intents`` and what was learnt from sentences, weighed together.

A cue raises the chance of its code; without any, the sentences alone decide. A text without intent is ``other``: no finding.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from huitou.text.compiled import compiled
from huitou.text.engine import KINDS, STRENGTH, Engine, Flags, Found
from huitou.text.matcher import Rows, filled
from huitou.text.normal import Normal, Places
from huitou.text.sentences import LEAST, Scores, Sentences, Stretches, learnt

TAXONOMY, OTHER = "intents", "other"
CUE_LOGITS = (0.0, 0.5, 1.0, 2.5)  # that a cue of strength 0 … 3 adds
AT_LEAST = 0.0  # logit from which a code is said

Strengths = npt.NDArray[np.int8]
Floats = npt.NDArray[np.float64]


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
        self._least = (1 / (1 + np.exp(np.array(CUE_LOGITS) - AT_LEAST))).astype(np.float32)

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
        """The findings, of intents only those that are decided for: their cues, or else the last clause that shows them best."""
        found, stretches = scoped.found, Stretches.of(normal, clause)
        scores, number = self._learnt.distinct(normal, stretches.first)
        said = _Said(found.row, self._column.take(found.leaf), self._strength.take(found.kind))
        stays = ~self._mine.take(found.leaf)
        strongest = np.zeros((len(stretches.begin), scores.shape[1]), dtype=np.int8)
        best = np.empty((2, scores.shape[1]))
        row, code, of = filled(
            lambda out: _decide(said, _Shown(scores, number, stretches.begin), self._least, (stays, strongest, best), out),
            len(number),
        )
        stay = np.flatnonzero(stays)
        kept = found.where(stay)
        weak = self._mine.take(kept.leaf) & (kept.kind == KINDS.index("weak"))
        kept.kind[weak] = KINDS.index("cues")
        start, end = self._engine.trimmed(normal, stretches.first.take(of), stretches.first.take(of + 1))
        more = Found(self._leaf.take(code), np.full(len(row), KINDS.index("cues")), row, start, end, clause.take(start))
        no = np.zeros(len(row), dtype=bool)
        asked, negated = (np.concatenate((flags.take(stay), no)) for flags in (scoped.asked, scoped.negated))
        return Scoped(Found.of((kept, more)), asked, negated)


class _Said(NamedTuple):
    """Of findings: the text, the column of the code (-1: none) and the strength."""

    row: Places
    column: Places
    strength: Strengths


class _Shown(NamedTuple):
    """The chances of codes in clauses: of clause n ``chance[number[n]]``; `begin`: the first clause of each text."""

    chance: Scores
    number: Places
    begin: Places


@compiled
def _decide(said: _Said, shown: _Shown, least: Scores, held: tuple[Flags, Strengths, Floats], out: Rows) -> int:
    """Writes text, column and clause of what clauses show without a cue; how many there are. `least`: chance for each strength.

    `held`: which findings stay; room for the strongest cue of each text and code, all 0; for the best chance and clause of each.
    """
    stays, strongest, best = held
    for nth in range(len(said.row)):
        if said.column[nth] >= 0:
            row, code = said.row[nth], said.column[nth]
            strongest[row, code] = max(strongest[row, code], said.strength[nth])
    told = 0
    for row in range(len(shown.begin)):
        last = shown.begin[row + 1] if row + 1 < len(shown.begin) else len(shown.number)
        best[0, :] = 0
        for clause in range(shown.begin[row], last):
            each = shown.chance[shown.number[clause]]
            for code in range(len(each)):
                if each[code] > LEAST and each[code] >= best[0, code]:
                    best[0, code], best[1, code] = each[code], clause
        for code in range(best.shape[1]):
            if best[0, code] <= least[strongest[row, code]]:
                strongest[row, code] = 0
            elif strongest[row, code] == 0:
                if told < out.shape[1]:
                    out[0, told], out[1, told], out[2, told] = row, code, best[1, code]
                told += 1
    for nth in range(len(said.row)):
        if said.column[nth] >= 0:
            stays[nth] = strongest[said.row[nth], said.column[nth]] > 0
    return told
