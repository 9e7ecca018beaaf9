"""Keys of many things at once: the same numbers as `huitou.tables.key63`, for a whole column."""

from collections.abc import Callable

import numpy as np
import polars as pl

from huitou.lake.letters import Letters
from huitou.tables.keys import state_of

_SAMPLE = 1_000


def key_column(values: pl.Series, *prefix: str) -> pl.Series:
    """``key63(*prefix, value)`` for every value, as Int64; null stays null."""
    hashes = Letters.of(values).hashes(state_of(*prefix)) >> np.uint64(1)
    keys = pl.Series(values.name, hashes.astype(np.int64), dtype=pl.Int64)
    return keys.set(values.is_null(), None) if values.null_count() else keys


def key_of_repeated(values: pl.Series, *prefix: str) -> pl.Series:
    """`key_column` for a column with few distinct values (titles, account names): each is hashed once."""
    distinct, at = encoded(values)
    return key_column(distinct, *prefix).gather(at)


def repeated(values: pl.Series) -> bool:
    """Whether a long column seems, by a sample of it, to hold so few texts that looking at each of them once is less work."""
    if len(values) < _SAMPLE:
        return False
    some = values.gather_every(len(values) // _SAMPLE)
    return some.n_unique() * 4 < len(some) * 3


def each_once(values: pl.Series, read: Callable[[pl.Series], pl.Series]) -> pl.Series:
    """What `read` makes of the texts of a column, each for itself; where they seem few, it is given each of them once."""
    if not repeated(values):
        return read(values)
    distinct, at = encoded(values)
    return read(distinct).gather(at)


def encoded(values: pl.Series) -> tuple[pl.Series, pl.Series]:
    """The distinct texts of a column, and for each row where its text stands among them; null for a null."""
    column = values.to_arrow().dictionary_encode()
    distinct, at = pl.from_arrow(column.dictionary), pl.from_arrow(column.indices)
    assert isinstance(distinct, pl.Series) and isinstance(at, pl.Series)
    return distinct.alias(values.name), at
