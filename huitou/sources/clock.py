"""Wall-clock times as most exports write them, ``2026-02-28 17:33:22``, whole columns at once, and the zone they stand in.

Nineteen bytes are three overlapping words of eight; digits and signs are checked and put together in all of them at once.
"""

from datetime import date, timedelta
from functools import cache

import numpy as np
import numpy.typing as npt
import polars as pl

from huitou.lake.letters import Letters

FIRST_YEAR, LAST_YEAR = 1990, 2100
"""Outside of them a parsed date is a misread one."""
_LENGTH = 19
_DAY_US = 86_400_000_000
_SIGNS = (b"0000-00-", b"00 00:00", b"00:00:00")  # at 0, 8 and 11
_PLACES = (0, 8, 11)
_HIGH = 0x80


def _word(of: bytes) -> np.uint64:
    return np.uint64(int.from_bytes(of, "little"))


_EXPECTED = tuple(_word(signs) for signs in _SIGNS)
_OVER = tuple(_word(bytes(0x76 if sign == ord("0") else 0x7F for sign in signs)) for signs in _SIGNS)
"""Added to a byte, it lifts every one to 0x80 or more that is above 9 (a digit) or above 0 (a sign)."""


@cache
def _days() -> npt.NDArray[np.int64]:
    """Days since 1970 by ``((year - FIRST_YEAR) * 12 + month - 1) * 31 + day - 1``; -1 where there is no such day."""
    days = np.full((LAST_YEAR - FIRST_YEAR + 1) * 12 * 31, -1, dtype=np.int64)
    one = date(FIRST_YEAR, 1, 1)
    while one.year <= LAST_YEAR:
        days[((one.year - FIRST_YEAR) * 12 + one.month - 1) * 31 + one.day - 1] = (one - date(1970, 1, 1)).days
        one += timedelta(days=1)
    return days


def plain_times(texts: pl.Series) -> pl.Series:
    """Naive datetimes (µs) of texts of exactly that form; null for all others."""
    letters = Letters.of(texts)
    there = np.flatnonzero((letters.lengths == _LENGTH) & texts.is_not_null().to_numpy())
    micros = np.full(len(texts), -1, dtype=np.int64)
    if len(there):
        whole = len(there) == len(texts)
        micros[slice(None) if whole else there] = _micros(letters, letters.starts if whole else letters.starts[there])
    times = pl.Series(texts.name, micros).cast(pl.Datetime("us"))
    bad = micros < 0
    return times.set(pl.Series(bad), None) if bad.any() else times


def _micros(letters: Letters, starts: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Microseconds since 1970 (all years here are later) of texts of 19 bytes; -1 where they are no time."""
    good = np.ones(len(starts), dtype=bool)
    pairs = []
    for at, expected, over in zip(_PLACES, _EXPECTED, _OVER, strict=True):
        word = letters.words_at(starts, _LENGTH, at) ^ expected
        good &= ((word | (word + over)) & _word(bytes([_HIGH] * 8))) == 0
        # by byte: the number that its digit and the one of the next byte are
        pairs.append((word * np.uint64(10) + (word >> np.uint64(8))).astype("<u8", copy=False).view(np.uint8).reshape(-1, 8))
    month, day = pairs[0][:, 5], pairs[1][:, 0]
    hour, minute, second = pairs[2][:, 0], pairs[2][:, 3], pairs[2][:, 6]
    year = pairs[0][:, 0].astype(np.int64) * 100 + pairs[0][:, 2]
    good &= (year >= FIRST_YEAR) & (year <= LAST_YEAR) & (month > 0) & (month <= 12) & (day > 0) & (day <= 31)
    good &= (hour < 24) & (minute < 60) & (second < 60)
    days = _days()[np.where(good, ((year - FIRST_YEAR) * 12 + month - 1) * 31 + day - 1, 0)]
    seconds = (days * 24 + hour) * 3_600 + (minute * np.int64(60) + second)
    return np.where(good & (days >= 0), seconds * 1_000_000, -1)


@cache
def _changes(zone: str) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """From which days since 1970 (UTC) on which offset (µs) holds in a zone."""
    days = pl.datetime_range(pl.datetime(FIRST_YEAR - 1, 1, 1), pl.datetime(LAST_YEAR + 2, 1, 1), "1d", eager=True)
    offsets = (
        days.dt.replace_time_zone("UTC").dt.convert_time_zone(zone).dt.replace_time_zone(None) - days
    ).dt.total_microseconds()
    first = np.flatnonzero(np.diff(offsets.to_numpy(), prepend=np.int64(2**62)))
    return days.dt.epoch("d").to_numpy()[first].astype(np.int64), offsets.to_numpy()[first]


def in_zone(local: pl.Series, zone: str) -> pl.Series:
    """Instants of naive datetimes in a zone; null for one that does not exist or exists twice."""
    low, high = local.min(), local.max()
    if low is None or high is None:
        return local.dt.replace_time_zone(zone)
    days, offsets = _changes(zone)
    span = np.array([low, high], dtype="datetime64[D]").astype(np.int64) + np.array([-2, 2])  # a change is known by its day
    first, last = np.searchsorted(days, span, side="right")
    if first != last or first == 0:
        return local.dt.replace_time_zone(zone, ambiguous="null", non_existent="null")
    instants = local.to_physical() - int(offsets[first - 1])
    return instants.cast(pl.Datetime("us")).dt.replace_time_zone("UTC").dt.convert_time_zone(zone)
