"""Keys of many things at once: the same numbers as `huitou.tables.key63`, for a whole column."""

from hashlib import blake2b

import numpy as np
import polars as pl


def key_column(values: pl.Series, *prefix: str) -> pl.Series:
    """``key63(*prefix, value)`` for every value, as Int64; null stays null."""
    head = "".join(f"{part}\x1f" for part in prefix).encode()
    present = values.drop_nulls()
    raw = b"".join([blake2b(head + value, digest_size=8).digest() for value in present.cast(pl.Binary).to_list()])
    keys = pl.Series(values.name, (np.frombuffer(raw, dtype=">u8") >> np.uint64(1)).astype(np.int64), dtype=pl.Int64)
    if len(present) == len(values):
        return keys
    return (
        pl.Series(values.name, [None], dtype=pl.Int64)
        .new_from_index(0, len(values))
        .scatter(values.is_not_null().arg_true(), keys)
    )


def key_of_repeated(values: pl.Series, *prefix: str) -> pl.Series:
    """`key_column` for a column with few distinct values (titles, account names): each is hashed once."""
    distinct = values.unique()
    return values.replace_strict(distinct, key_column(distinct, *prefix), default=None, return_dtype=pl.Int64)
