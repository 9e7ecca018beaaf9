"""What a row says as 63 bits: equal rows have equal prints, on every machine, in every version and engine.

A print is stored for ever as ``row_key``, so nothing here may come from a library that does not promise its hash: each
column becomes 64 bits a row (numbers as they are, texts by their bytes), and the columns are mixed into one another by the
finaliser of MurmurHash3, whose every step can be undone: rows that differ in one number only never have equal prints, and
any other two have them by chance, one pair in 2**63.
"""

import numpy as np
import polars as pl

from huitou.lake.letters import Letters, Words, mix
from huitou.tables import Table

_NULL = np.uint64(0x9E3779B97F4A7C15)


def prints(table: Table, frame: pl.DataFrame) -> pl.Series:
    """Int64 from 0 to 2**63 - 1 over the declared columns that are not concluded, in their order."""
    names = [c.name for c in table.columns if c.name not in table.concluded]
    plain = [name for name in names if frame.schema[name] not in (pl.String, pl.Float64)]
    numbers = frame.select(pl.col(name).to_physical().cast(pl.Int64).fill_null(_NULL.view(np.int64)) for name in plain)
    mixed = np.zeros(frame.height, dtype=np.uint64)
    for name in names:
        mixed ^= numbers[name].to_numpy().view(np.uint64) if name in plain else _words(frame[name])
        mix(mixed)
    return pl.Series("h", (mixed >> np.uint64(1)).astype(np.int64), dtype=pl.Int64)


def _words(values: pl.Series) -> Words:
    if values.null_count() == len(values):
        return np.full(len(values), _NULL)
    text = values.dtype == pl.String
    words = Letters.of(values).hashes() if text else (values.fill_null(0.0).to_numpy() + 0.0).view(np.uint64)  # -0.0 is 0.0
    return np.where(values.is_null().to_numpy(), _NULL, words) if values.null_count() else words
