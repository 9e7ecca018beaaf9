"""What a row says as 63 bits: equal rows have equal prints, on every machine, in every version and engine.

A print is stored for ever as ``row_key``, so nothing here may come from a library that does not promise its hash: each
column becomes 64 bits a row (numbers as they are, texts by BLAKE2b), and the columns are mixed into one another by the
finaliser of MurmurHash3, whose every step can be undone: rows that differ in one number only never have equal prints, and
any other two have them by chance, one pair in 2**63.
"""

from hashlib import blake2b

import numpy as np
import numpy.typing as npt
import polars as pl

from huitou.tables import Table

Words = npt.NDArray[np.uint64]
_NULL = np.uint64(0x9E3779B97F4A7C15)
_FIRST, _SECOND, _SHIFT = np.uint64(0xFF51AFD7ED558CCD), np.uint64(0xC4CEB9FE1A85EC53), np.uint64(33)


def prints(table: Table, frame: pl.DataFrame) -> pl.Series:
    """Int64 from 0 to 2**63 - 1 over the declared columns that are not concluded, in their order."""
    mixed = np.zeros(frame.height, dtype=np.uint64)
    for column in table.columns:
        if column.name not in table.concluded:
            mixed ^= _words(frame[column.name])
            _mix(mixed)
    return pl.Series("h", (mixed >> np.uint64(1)).astype(np.int64), dtype=pl.Int64)


def _words(values: pl.Series) -> Words:
    if values.null_count() == len(values):
        return np.full(len(values), _NULL)
    if values.dtype == pl.String:
        words = _of_texts(values)
    elif values.dtype == pl.Float64:
        words = (values.fill_null(0.0).to_numpy() + 0.0).view(np.uint64)  # + 0.0 makes -0.0 zero
    else:
        words = values.to_physical().cast(pl.Int64).fill_null(0).to_numpy().view(np.uint64)
    return np.where(values.is_null().to_numpy(), _NULL, words) if values.null_count() else words


def _of_texts(values: pl.Series) -> Words:
    distinct = values.unique().fill_null("")
    if len(distinct) > len(values) // 2:
        return _digests(values.fill_null(""))
    known = pl.Series(_digests(distinct), dtype=pl.UInt64)
    return values.fill_null("").replace_strict(distinct, known, return_dtype=pl.UInt64).to_numpy()


def _digests(texts: pl.Series) -> Words:
    raw = b"".join([blake2b(text, digest_size=8).digest() for text in texts.cast(pl.Binary).to_list()])
    return np.frombuffer(raw, dtype=">u8").astype(np.uint64)


def _mix(words: Words) -> None:
    spare = words >> _SHIFT
    for factor in (_FIRST, _SECOND):
        np.bitwise_xor(words, spare, out=words)
        np.multiply(words, factor, out=words)
        np.right_shift(words, _SHIFT, out=spare)
    np.bitwise_xor(words, spare, out=words)
