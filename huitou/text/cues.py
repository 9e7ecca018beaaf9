"""What the rules see in texts, as columns beside the n-grams: which cues of which leaf, and praise or blame in their clause.

A column is named by what it means, not by a number of one version of the words: a model stays readable when cues are added.
"""

import zlib
from collections.abc import Iterable
from functools import cache

import numpy as np
from scipy.sparse import csr_matrix

from huitou.rules.taxonomy import Words, load_taxonomies
from huitou.text.engine import KINDS, Engine, Found
from huitou.text.grams import Floats, Numbers
from huitou.text.normal import Flags, Normal, Places

BITS = 18
_SIDES = ("", "+", "-", "±")


class Cues:
    """The leaves of some taxonomies as columns."""

    def __init__(self, taxonomies: Iterable[str], words: Words | None = None) -> None:
        self._engine = Engine(words or load_taxonomies(), taxonomies)
        names = [f"{taxonomy}.{leaf.code}" for taxonomy, leaf in self._engine.leaves]
        self.names = [f"{name}:{kind}" for name in names for kind in KINDS] + [name + side for name in names for side in _SIDES]
        self._bucket = np.array([zlib.crc32(name.encode()) >> (32 - BITS) for name in self.names], dtype=np.int32)
        number = self._engine.number
        self._praise, self._blame = (number.get(("polarity", code), -1) for code in ("positive", "negative"))

    def found(self, normal: Normal) -> tuple[Numbers, Places]:
        """The columns' buckets of all findings of a batch, and where among its characters each begins."""
        found, clause = self._engine.find(normal)
        kept, _, negated = self._engine.scoped(found)
        by_kind = kept.leaf * len(KINDS) + kept.kind
        by_side = len(self._engine.leaves) * len(KINDS) + kept.leaf * len(_SIDES)
        by_side = np.add(by_side, self._sides(kept, negated, clause))
        return self._bucket[np.concatenate((by_kind, by_side))], np.tile(kept.start, 2)

    def told(self) -> dict[int, str]:
        """What a bucket means."""
        return dict(zip(self._bucket.tolist(), self.names, strict=True))

    def _sides(self, found: Found, negated: Flags, clause: Places) -> Places:
        """Of each finding: whether its clause praises (1), blames (2) or both (3)."""
        says_good, says_bad = found.leaf == self._praise, found.leaf == self._blame
        praise = says_good & ~negated | says_bad & negated | (found.kind == KINDS.index("good"))
        blame = says_bad & ~negated | says_good & negated | (found.kind == KINDS.index("bad"))
        size = int(clause[-1]) + 1
        praised, blamed = (np.bincount(found.clause[side], minlength=size) > 0 for side in (praise, blame))
        side = praised + 2 * blamed
        sides: Places = side[found.clause]
        return sides


@cache
def cues_of(taxonomies: tuple[str, ...]) -> Cues:
    """The built-in words' cues of some taxonomies, compiled once."""
    return Cues(taxonomies)


def cue_matrix(found: tuple[Numbers, Places], first: Places, table: Numbers, weight: Floats) -> csr_matrix:
    """One row a text or clause that begins at `first`, of length 1; a cue counts once."""
    column = table[found[0]]
    known = column >= 0
    row = np.searchsorted(first, found[1][known], side="right") - 1
    pairs = np.sort(row * np.int64(len(weight)) + column[known])
    pairs = pairs[np.diff(pairs, prepend=-1) > 0]
    row, column = np.divmod(pairs, len(weight)) if len(weight) else (pairs, pairs)
    weights = weight[column]
    length = np.sqrt(np.bincount(row, weights * weights, minlength=len(first) - 1))
    starts = np.concatenate(([0], np.cumsum(np.bincount(row, minlength=len(first) - 1)))).astype(np.int32)
    data = (weights / length[row]).astype(np.float32)
    return csr_matrix((data, column.astype(np.int32), starts), shape=(len(first) - 1, len(weight)))
