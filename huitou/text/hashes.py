"""Which texts of a batch, or stretches of them, are the same, told by their hashes."""

import numpy as np
import polars as pl

from huitou.text.compiled import compiled
from huitou.text.normal import Codes, Hashes, Places

_FACTOR = np.uint64(0x9E3779B97F4A7C15)
_SPREAD = np.uint64(0xD6E8FEB86659FD93)


def distinct_texts(texts: pl.Series) -> tuple[Places, Places]:
    """The places of texts that differ, ascending, and for every text the number of its equal among them. No nulls."""
    own, number = _told_apart(texts.hash().to_numpy())
    if len(own) < len(texts) and not texts.equals(texts.gather(own.take(number))):  # two texts of one hash: nobody's by chance
        own = number = np.arange(len(texts))
    return own, number


def distinct_stretches(codes: Codes, first: Places) -> tuple[Places, Places]:
    """The same of stretches of characters, which begin at `first` and end where the next one does."""
    hashes = np.empty(len(first) - 1, dtype=np.uint64)
    _hash(codes, first, hashes)
    return _told_apart(hashes)


def _told_apart(hashes: Hashes) -> tuple[Places, Places]:
    """The places of values whose hashes differ, ascending, and for every value the number of its equal among them."""
    own, number = np.empty(len(hashes), dtype=np.int64), np.empty(len(hashes), dtype=np.int64)
    slots = np.full(2 << len(hashes).bit_length(), -1, dtype=np.int64)
    return own[: _number(hashes, slots, own, number)], number


@compiled
def _hash(codes: Codes, first: Places, hashes: Hashes) -> None:
    """Writes the hash of each stretch; its upper bits are the best."""
    for nth in range(len(hashes)):
        told = np.uint64(0)
        for at in range(first[nth], first[nth + 1]):
            told = (told ^ np.uint64(codes[at])) * _FACTOR
            told ^= told >> np.uint64(29)
        hashes[nth] = (told + np.uint64(1)) * _SPREAD


@compiled
def _number(hashes: Hashes, slots: Places, own: Places, number: Places) -> int:
    """Writes `own` and `number`; how many differ. `slots`: a power of 2 of them, all -1, more than there are hashes."""
    shift = np.uint64(64)
    size = len(slots)
    while size > 1:
        size >>= 1
        shift -= np.uint64(1)
    count = 0
    for nth in range(len(hashes)):
        slot = np.int64(hashes[nth] >> shift)
        while slots[slot] >= 0 and hashes[own[slots[slot]]] != hashes[nth]:
            slot = (slot + 1) & (len(slots) - 1)
        if slots[slot] < 0:
            slots[slot], own[count] = count, nth
            count += 1
        number[nth] = slots[slot]
    return count
