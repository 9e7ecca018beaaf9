"""Hashes of any stretches of a batch of texts, in a few array operations for all of them."""

from functools import lru_cache

import numpy as np
import polars as pl

from huitou.text.normal import Codes, Hashes, Places

_BASE = np.uint64(0x9E3779B97F4A7C15)
_INVERSE = np.uint64(pow(0x9E3779B97F4A7C15, -1, 1 << 64))
_SPREAD = np.uint64(0xD6E8FEB86659FD93)


class StretchHashes:
    """Differences of the prefixes' sums of character × base^place, moved to place 0."""

    def __init__(self, codes: Codes) -> None:
        powers, self._back = _powers(1 << len(codes).bit_length())
        self._sums = np.zeros(len(codes) + 1, dtype=np.uint64)
        np.cumsum((codes + np.uint64(1)) * powers[: len(codes)], out=self._sums[1:])

    def of(self, start: Places, end: Places, salt: Places | None = None) -> Hashes:
        """The hash of each [start, end), together with a number if there is one; its upper bits are the best."""
        told = (self._sums.take(end) - self._sums.take(start)) * self._back.take(start)
        if salt is not None:
            told ^= salt.astype(np.uint64) * _SPREAD
        told *= _SPREAD
        return told


@lru_cache(maxsize=4)
def _powers(size: int) -> tuple[Hashes, Hashes]:
    """The first powers of the base and of its inverse."""
    powers = np.full((2, size), [[_BASE], [_INVERSE]], dtype=np.uint64)
    powers[:, 0] = 1
    np.cumprod(powers, axis=1, out=powers)
    return powers[0], powers[1]


def told_apart(hashes: Hashes) -> tuple[Places, Places]:
    """The places of some values whose hashes differ, ascending; and for every value the number of its equal among them.

    A value is the same as the last one in its slot of a table if it has that one's hash; if not, it stands for itself. So a few
    equal ones are told apart.
    """
    at = np.arange(len(hashes))
    bits = max(len(at).bit_length() + 1, 4)
    slots = (hashes >> np.uint64(64 - bits)).astype(np.int64)
    last = np.empty(1 << bits, dtype=np.int64)
    last[slots] = at
    last = last.take(slots)
    same = np.where(hashes.take(last) == hashes, last, at)
    own = np.flatnonzero(same == at)
    number = np.empty(len(at), dtype=np.int64)
    number[own] = np.arange(len(own))
    return own, number.take(same)


def distinct_texts(texts: pl.Series) -> tuple[Places, Places]:
    """The places of texts that differ, and for every text the number of its equal among them; see `told_apart`. No nulls."""
    own, number = told_apart(texts.hash().to_numpy())
    if len(own) < len(texts) and not texts.equals(texts.gather(own.take(number))):  # two texts of one hash: nobody's by chance
        own = number = np.arange(len(texts))
    return own, number
