"""Character n-grams of whole batches as sparse matrices: each is hashed where it stands, no text is cut into strings.

Comes in: normalised texts. Goes out: one row a text or clause, one column an n-gram that was seen when learning; each row has
length 1, an n-gram counts for each time it stands there, the rarer the more.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_matrix

from huitou.text.normal import Codes, Normal, Places

Floats = npt.NDArray[np.float32]
Numbers = npt.NDArray[np.int32]
_BORDER = 1  # stands before each row, so that its beginning is an n-gram too
_MIX = (np.uint64(0x9E3779B97F4A7C15), np.uint64(0xBF58476D1CE4E5B9))
_ENDS = np.array([ord(sign) for sign in " ,.!?;~…。、，！？；|\n"], dtype=np.uint32)


@dataclass(frozen=True, slots=True)
class Grams:
    """Known n-grams of up to `longest` characters: `buckets` (sorted hashes below ``2**bits``) and how much each counts."""

    longest: int
    bits: int
    buckets: Numbers
    rarity: Floats

    @staticmethod
    def learn(normal: Normal, first: Places, *, longest: int, bits: int, least: int) -> "Grams":
        """The n-grams that stand `least` times or more in the rows that begin at `first`."""
        counts = np.zeros(1 << bits, dtype=np.int64)
        for buckets, _ in _hashed(normal.codes, first, longest, bits):
            counts += np.bincount(buckets, minlength=1 << bits)
        kept = np.flatnonzero(counts >= least).astype(np.int32)
        return Grams(longest, bits, kept, rarity(counts[kept], len(first) - 1))

    def table(self) -> Numbers:
        """The column of every bucket, −1 where it is not known."""
        table = np.full(1 << self.bits, -1, dtype=np.int32)
        table[self.buckets] = np.arange(len(self.buckets), dtype=np.int32)
        return table

    def matrix(self, normal: Normal, first: Places, table: Numbers) -> csr_matrix:
        """Rows of length 1; an n-gram that stands in a row twice is held twice."""
        rows = len(first) - 1
        columns, places = [], []
        for buckets, row in _hashed(normal.codes, first, self.longest, self.bits):
            column = table[buckets]
            known = column >= 0
            columns.append(column[known])
            places.append(row[known])
        counts = np.zeros((len(columns), rows + 1), dtype=np.int64)
        for nth, place in enumerate(places):
            counts[nth, 1:] = np.bincount(place, minlength=rows)
        starts = np.cumsum(counts.sum(0))
        before = np.cumsum(counts, axis=0) - counts
        indices = np.empty(int(starts[-1]), dtype=np.int32)
        for nth, (column, place) in enumerate(zip(columns, places, strict=True)):
            own = np.cumsum(counts[nth])
            indices[np.arange(len(column)) + (starts[:-1] - own[:-1] + before[nth, 1:])[place]] = column
        weights = self.rarity[indices]
        length = np.sqrt(np.add.reduceat(np.append(weights * weights, 0), starts[:-1])) if rows else np.zeros(0)
        each = np.repeat(np.maximum(length, 1e-6), np.diff(starts)).astype(np.float32)
        return csr_matrix((weights / each, indices, starts.astype(np.int32)), shape=(rows, len(self.buckets)))

    def at(self, normal: Normal, table: Numbers) -> list[tuple[int, int, int]]:
        """The known n-grams of a batch as (column, start, end) among its characters."""
        found = []
        for n, (buckets, _) in enumerate(_hashed(normal.codes, normal.first, self.longest, self.bits), start=1):
            at, begins = _places(normal.first, n)
            column = table[buckets]
            known = column >= 0
            places = zip(column[known].tolist(), np.maximum(at, begins)[known].tolist(), (at + n)[known].tolist(), strict=True)
            found += [place for place in places if place[1] < place[2]]
        return found


def rarity(counts: Places, rows: int) -> Floats:
    """How much something counts that stands `counts` times in `rows` texts: 1 what stands in all, more the rarer it is."""
    return (np.log(np.maximum((rows + 1) / (counts + 1), 1)) + 1).astype(np.float32)


def clause_starts(normal: Normal) -> tuple[Places, Places]:
    """Where clauses begin (and the last ends), and the row of each. Signs and spaces end a clause; each row has at least one."""
    codes = normal.codes
    signs = np.isin(codes, _ENDS)
    begins = np.zeros(len(codes) + 1, dtype=bool)
    begins[1:-1] = signs[:-1] & ~signs[1:]
    begins[normal.first] = True
    inside = np.flatnonzero(begins[:-1])
    empty = normal.first[:-1][np.diff(normal.first) == 0]
    starts = np.sort(np.concatenate((inside, empty)))
    rows = np.repeat(np.arange(len(normal.first) - 1), _clauses_of_rows(normal.first, inside))
    return np.append(starts, len(codes)), rows


def _clauses_of_rows(first: Places, begins: Places) -> Places:
    counts: Places = np.diff(np.searchsorted(begins, first))
    return np.maximum(counts, 1)


def _hashed(codes: Codes, first: Places, longest: int, bits: int) -> list[tuple[Numbers, Places]]:
    """For n = 1 … `longest`: the buckets of all n-grams, row after row, and their rows."""
    sizes = np.diff(first)
    marked = np.insert(codes, first[:-1], _BORDER).astype(np.uint64)
    end = np.repeat(first[1:] + np.arange(1, len(first)), sizes + 1)
    row = np.repeat(np.arange(len(sizes)), sizes + 1)
    out = []
    mixed = np.zeros(len(marked), dtype=np.uint64)
    for n in range(1, longest + 1):
        count = max(len(marked) - n + 1, 0)
        mixed = (mixed[:count] ^ marked[n - 1 :]) * _MIX[0]
        mixed ^= mixed >> np.uint64(29)
        inside = np.arange(n, count + n) <= end[:count]
        bucket = ((mixed[inside] * _MIX[1]) >> np.uint64(64 - bits)).astype(np.int32)
        out.append((bucket, row[:count][inside]))
    return out


def _places(first: Places, n: int) -> tuple[Places, Places]:
    """Where the n-grams of `_hashed` begin among the characters, the border before a row counting as one, and their rows."""
    sizes = np.diff(first)
    at = np.arange(int(first[-1]) + len(sizes)) - np.repeat(np.arange(len(sizes)), sizes + 1) - 1
    inside = at + n <= np.repeat(first[1:], sizes + 1)
    return at[inside], np.repeat(first[:-1], sizes + 1)[inside]
