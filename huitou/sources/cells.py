"""Cells of text as money, numbers, ids and times: whole columns at once, exactly, and never by guessing.

Every reading function takes a column of raw text and returns the typed column with a mask of the cells that hold
something unreadable. Plain cells are read as they stand; only what is left is cleaned and looked at twice.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import numpy as np
import numpy.typing as npt
import polars as pl

from huitou.lake.letters import Letters
from huitou.sources.clock import FIRST_YEAR, LAST_YEAR, in_zone, plain_times

NULLS = ("", "-", "--", "—", "NULL", "null", "暂无数据", "N/A", "None", "nan", "NaN")
"""What exports write for «nothing»."""

DAY_US = 86_400_000_000
_EXCEL_EPOCH_DAYS = 25_569  # days from 1899-12-30 to 1970-01-01
_MARK = "\ufeff".encode()
_ASCII_SPACE = np.isin(np.arange(256), [*range(0x09, 0x0E), 0x20])
_SPACE_BEGINS = np.isin(np.arange(256), [0xC2, 0xE1, 0xE2, 0xE3])  # first bytes of all other white space in UTF-8
_SPACE_ENDS = np.isin(np.arange(256), [*range(0x80, 0x8B), 0x9F, 0xA0, 0xA8, 0xA9, 0xAF])  # and their last ones
_SERIAL = r"^[2-7]\d{4}(\.\d+)?$"  # Excel days of 1954 … 2119

_SECONDS = ("%Y-%m-%d %H:%M:%S", "%Y/%m/%d %H:%M:%S")
_TIMES = (
    *_SECONDS, "%Y-%m-%d %H:%M", "%Y/%m/%d %H:%M", "%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%dT%H:%M:%S%.f",
    "%Y年%m月%d日 %H:%M:%S", "%Y年%m月%d日 %H:%M", "%Y年%m月%d日%H:%M:%S", "%Y年%m月%d日%H:%M",
)  # fmt: skip
_DATES = ("%Y-%m-%d", "%Y/%m/%d", "%Y年%m月%d日", "%Y.%m.%d", "%Y%m%d")
_AFTER_DAY = r"^(\d{4}年\d{1,2}月\d{1,2}日|\d{4}([-/.])\d{1,2}[-/.]\d{1,2}\b)\s*[^\d\s:：T].*$"
"""A day, and after it what is no time: a review's page puts the goods there («2025年2月5日 · 已购：黑色»)."""
_ZONED = r"\d{2}:\d{2}.*(?:Z|[+-]\d{2}:?\d{2})$"
_EPOCH = r"^(?:\d{10}|\d{13}|\d{16})(?:\.\d+)?$"  # seconds, milliseconds or microseconds of 2001 … 2286
_NO_TIME = ("0000-00-00 00:00:00", "0000-00-00")


Reader = Callable[[pl.Series], pl.Series]
"""Clean text → values, null where it cannot be read."""


def stripped(text: pl.Series) -> pl.Series:
    """Without white space (also tabs, no-break and full-width spaces, byte-order marks) at both ends; "" is null."""
    return _cleaned(text, _begins(()), lambda some: some)


def unwrapped(text: pl.Series, nulls: tuple[str, ...] = ()) -> pl.Series:
    """`stripped`, and out of Excel's text marks ``="123"`` and ``'123``; what exports write for «nothing» is null."""
    nothing = (*NULLS, *nulls)
    return _cleaned(text, _begins((*nothing, "=", "'")), lambda some: _without(_without_marks(some), nothing))


def prose(text: pl.Series, nulls: tuple[str, ...] = ()) -> pl.Series:
    """`stripped`, and out of ``="…"`` where that wraps a whole cell; what stands in `nulls` is null."""
    return _cleaned(text, _begins((*nulls, "=")), lambda some: _without(some.str.replace(r'(?s)^="(.*)"$', "${1}"), nulls))


def _cleaned(text: pl.Series, begins: npt.NDArray[np.bool_], clean: Reader) -> pl.Series:
    """Stripped, and `clean` where a cell begins with one of the bytes `begins`; "" is null.

    Most cells begin and end with bytes that say at once that there is nothing to take off.
    """
    letters = Letters.of(text)
    if not letters.lengths.any():
        return text.clear(len(text))
    if _MARK in letters:
        return _bare(clean(_bare(text.str.replace_all("\ufeff", "", literal=True).str.strip_chars())))
    spaced = _maybe_spaced(letters)
    at = np.flatnonzero(spaced | begins[letters.data[letters.starts]] | (letters.lengths == 0))
    if not len(at):
        return text
    few = len(at) <= len(text) // 4
    some = text.gather(at) if few else text
    some = _bare(clean(_bare(some.str.strip_chars() if spaced.any() else some)))
    return text.clone().scatter(at, some) if few else some


def _bare(text: pl.Series) -> pl.Series:
    """With nulls for empty texts."""
    empty = text == ""
    return text.set(empty, None) if empty.any() else text


@lru_cache(256)
def _begins(texts: tuple[str, ...]) -> npt.NDArray[np.bool_]:
    """By byte: whether one of the texts begins with it."""
    begins: npt.NDArray[np.bool_] = np.isin(np.arange(256), [text.encode()[0] for text in texts if text])
    return begins


def _maybe_spaced(letters: Letters) -> npt.NDArray[np.bool_]:
    """Whether each text may begin or end with white space: all that do, and few others."""
    data, ends = letters.data, letters.starts + letters.lengths
    first, last = data[letters.starts], data[ends - 1]
    spaced: npt.NDArray[np.bool_] = _ASCII_SPACE[first] | _SPACE_BEGINS[first] | _ASCII_SPACE[last]
    at = np.flatnonzero(_SPACE_ENDS[last])
    if len(at):
        spaced[at] |= _SPACE_BEGINS[data[ends[at] - 2]] | _SPACE_BEGINS[data[ends[at] - 3]]
    return spaced


def _without(text: pl.Series, nothing: tuple[str, ...]) -> pl.Series:
    """With nulls for what means «nothing»."""
    found = text.is_in(nothing)
    return text.set(found, None) if found.any() else text


def _without_marks(text: pl.Series) -> pl.Series:
    if text.str.starts_with("=").any():
        wrapped = text.str.starts_with('="') & text.str.ends_with('"')
        inside = text.str.strip_prefix('="').str.strip_suffix('"').str.strip_chars()
        text = inside if wrapped.all() else inside.zip_with(wrapped.fill_null(False), text)
    if text.str.starts_with("'").any():
        text = text.str.strip_prefix("'")
    return text


@dataclass(frozen=True, slots=True)
class Read:
    """A typed column (null where empty or unreadable) and which cells are unreadable (None: all could be read)."""

    values: pl.Series
    unread: pl.Series | None = None


def money(raw: pl.Series, nulls: tuple[str, ...] = ()) -> Read:
    """Fen (Int64) of amounts in yuan: ``12.3``, ``¥1,234.50``, ``598元``, ``1.2万``, full-width digits.

    Exact decimals; beyond the eighth place they are rounded (a spreadsheet's binary noise, 35.199999999999996), and
    what is then not a whole fen cannot be read. Other currencies' signs cannot be read either.
    """
    return _twice(raw, lambda text: _fen(text, 2), _money, nulls)


def count(raw: pl.Series, nulls: tuple[str, ...] = ()) -> Read:
    """Whole numbers (Int64): ``1234``, ``1,234``, ``12.0``, ``1.2万``."""
    return _twice(raw, lambda text: text.cast(pl.Int64, strict=False), _count, nulls)


def number(raw: pl.Series, nulls: tuple[str, ...] = ()) -> Read:
    """Finite decimal numbers (Float64), thousands commas and full-width digits allowed."""
    return _twice(raw, _plain_number, _number, nulls)


def share(raw: pl.Series, nulls: tuple[str, ...] = ()) -> Read:
    """A share between 0 and 1 (Float64): ``62.5%`` or ``0.625``; a bare number above 1 cannot be read."""
    return _twice(raw, lambda text: _within_one(_plain_number(text)), _share, nulls)


def days(raw: pl.Series, nulls: tuple[str, ...] = ()) -> Read:
    """Dates of the same texts as `moments`; the time of day is dropped, and so is what a scrape adds after the day."""
    return _twice(raw, _plain_days, _days, (*nulls, *_NO_TIME))


def _twice(raw: pl.Series, fast: Reader, slow: Reader, nulls: tuple[str, ...]) -> Read:
    """Read plain cells as they stand, the others after cleaning."""
    values = fast(raw)
    left = values.is_null() & (raw != "")
    if not left.any():
        return Read(values)
    at = left.arg_true()
    text = unwrapped(raw.filter(left), nulls)
    again = slow(text)
    missed = text.is_not_null() & again.is_null()
    unread = pl.repeat(False, len(raw), eager=True).scatter(at, missed) if missed.any() else None
    return Read(values.scatter(at, again), unread)


def _money(text: pl.Series) -> pl.Series:
    plain = text.str.normalize("NFKC").str.replace_all(r"[¥\s]|RMB|CNY", "").str.replace_all("−", "-", literal=True)
    tens = plain.str.contains(r"万元?$")
    plain = _without_commas(plain.str.replace(r"(万元|万|元)$", ""))
    return _fen(plain, 6).zip_with(tens.fill_null(False), _fen(plain, 2))


def _fen(text: pl.Series, places: int) -> pl.Series:
    """Plain decimal text times 10**places as Int64; null where it is no decimal, leaves a fraction or is above 9·10¹⁰."""
    amount: pl.Series = text.cast(pl.Decimal(38, 8), strict=False).to_physical().cast(pl.Int64, strict=False)
    unit = 10 ** (8 - places)
    whole: pl.Series = amount // unit
    broken = amount % unit != 0
    return whole.set(broken, None) if broken.any() else whole


def _without_commas(text: pl.Series) -> pl.Series:
    """Thousands commas taken out where they stand every three digits; any other comma stays and spoils the number."""
    grouped = text.str.contains(r"^[+-]?\d{1,3}(,\d{3})+(\.\d+)?$")
    return text.str.replace_all(",", "", literal=True).zip_with(grouped.fill_null(False), text)


def _count(text: pl.Series) -> pl.Series:
    plain = text.str.normalize("NFKC")
    tens = plain.str.ends_with("万")
    plain = _without_commas(plain.str.strip_suffix("万"))
    return _fen(plain, 4).zip_with(tens.fill_null(False), _fen(plain, 0))


def _plain_number(text: pl.Series) -> pl.Series:
    value = text.cast(pl.Float64, strict=False)
    return value.set(~value.is_finite(), None)


def _number(text: pl.Series) -> pl.Series:
    return _plain_number(_without_commas(text.str.normalize("NFKC")))


def _share(text: pl.Series) -> pl.Series:
    marked = text.str.contains(r"[%％]$").fill_null(False)
    value = _number(text.str.replace(r"[%％]$", ""))
    return (value / 100).zip_with(marked, _within_one(value))


def _within_one(value: pl.Series) -> pl.Series:
    return value.set(value.abs() > 1, None)


def _plain_days(text: pl.Series) -> pl.Series:
    return _sane(_as(text, _DATES[0])).dt.date()


def _days(text: pl.Series) -> pl.Series:
    return _wall_clock(text.str.replace(_AFTER_DAY, "${1}")).dt.date()


@dataclass(frozen=True, slots=True)
class Moments:
    """A column of instants: UTC microseconds, and day and second of the wall clock in the shop's zone.

    `unread` as in `Read`; `dst` marks wall-clock times that do not exist or exist twice (None: there is none).
    """

    utc_us: pl.Series
    day: pl.Series
    second: pl.Series
    unread: pl.Series | None = None
    dst: pl.Series | None = None


def moments(raw: pl.Series, zone: str, nulls: tuple[str, ...] = (), *, counted: bool = False) -> Moments:
    """Instants of wall-clock text in `zone` (or with an offset of its own); whole seconds.

    Read: ``2020-02-21 00:00:00``, ``2016/5/23 22:02``, ``2025年2月5日 13:04``, dates alone (midnight), Excel serials;
    where they may be `counted`, also seconds (10 digits), milliseconds (13) and microseconds (16) since 1970.
    Not read: day and month in an order that is not the year's, 24:00, times before 1990 or after 2100.
    """

    local = plain_times(raw)
    utc = in_zone(local, zone)
    unread = None
    left = local.is_null() & (raw != "")
    if left.any():
        at = left.arg_true()
        text = unwrapped(raw.filter(left), (*nulls, *_NO_TIME))
        exact = _exact(text, zone, counted=counted)
        clock = _wall_clock(text.set(exact.is_not_null(), None))
        instants = exact.fill_null(in_zone(clock, zone))
        clock = clock.fill_null(exact.dt.replace_time_zone(None))
        local, utc = local.scatter(at, clock), utc.scatter(at, instants)
        missed = text.is_not_null() & clock.is_null()
        unread = pl.repeat(False, len(raw), eager=True).scatter(at, missed) if missed.any() else None
    dst = local.is_not_null() & utc.is_null()
    second = local.dt.epoch("us") % DAY_US // 1_000_000
    return Moments(utc.dt.epoch("us"), local.dt.date(), second, unread, dst if dst.any() else None)


def _exact(text: pl.Series, zone: str, *, counted: bool) -> pl.Series:
    """Instants, shown in `zone`, of texts that name one whatever the zone: with an offset, or `counted` since 1970."""
    exact = pl.Series([None], dtype=pl.Datetime("us", zone)).new_from_index(0, len(text))
    for form, read in ((_ZONED, _with_offset), (_EPOCH, _of_epoch))[: 1 + counted]:
        at = text.str.contains(form).arg_true()
        if len(at):
            exact = exact.scatter(at, read(text.gather(at)).dt.convert_time_zone(zone))
    return exact


def _of_epoch(text: pl.Series) -> pl.Series:
    digits = text.str.extract(r"^(\d+)", 1)
    micros = digits.cast(pl.Int64) * pl.Series(10 ** (16 - digits.str.len_chars().cast(pl.Int64)))
    return _sane(micros.cast(pl.Datetime("us"))).dt.replace_time_zone("UTC")


def _wall_clock(text: pl.Series) -> pl.Series:
    """Naive datetimes in whole seconds; null where empty or unreadable."""
    parsed = _as(text, _TIMES[0])
    for form in (*_TIMES[1:], *_DATES):
        left = text.is_not_null() & parsed.is_null()
        if not left.any():
            return _sane(parsed)
        parsed = parsed.scatter(left.arg_true(), _as(text.filter(left), form))
    left = parsed.is_null() & text.str.contains(_SERIAL).fill_null(False)
    if left.any():
        parsed = parsed.scatter(left.arg_true(), _of_serial(text.filter(left)))
    return _sane(parsed)


def _sane(parsed: pl.Series) -> pl.Series:
    """Whole seconds; years that no shop's data has are misread."""
    wrong = ~parsed.dt.year().is_between(FIRST_YEAR, LAST_YEAR)
    return (parsed.set(wrong, None) if wrong.any() else parsed).dt.truncate("1s")


def _as(text: pl.Series, form: str) -> pl.Series:
    if "%H" in form:
        return text.str.to_datetime(form, strict=False, time_unit="us")
    return text.str.to_date(form, strict=False).cast(pl.Datetime("us"))


def _of_serial(text: pl.Series) -> pl.Series:
    """Excel's days since 1899-12-30, rounded to the second that they stand for."""
    seconds = ((text.cast(pl.Float64) - _EXCEL_EPOCH_DAYS) * 86_400).round().cast(pl.Int64)
    return (seconds * 1_000_000).cast(pl.Datetime("us"))


def _with_offset(text: pl.Series) -> pl.Series:
    plain = text.str.replace(r"Z$", "+00:00").str.replace("T", " ", literal=True).str.replace(r" ([+-]\d{2}:?\d{2})$", "${1}")
    plain = plain.str.replace(r"([+-]\d{2})(\d{2})$", "${1}:${2}")
    return plain.str.to_datetime("%Y-%m-%d %H:%M:%S%.f%:z", strict=False, time_unit="us").dt.truncate("1s")


def in_scientific(ids: pl.Series) -> pl.Series:
    """True where an id is a rounded number such as ``1.93E+15``; false where empty."""
    return ids.str.contains(r"^\d(\.\d+)?[eE]\+?\d+$").fill_null(False)


Rounding = Literal["digits", "binary"]
"""How Excel spoils a long id: to 15 digits and zeros (typed in, saved), or to the nearest binary float (written by a tool)."""


def rounded(ids: pl.Series, how: Rounding) -> pl.Series:
    """True where an id of 16 to 19 digits is one that such a rounding leaves as it is; false elsewhere."""
    value = ids.set(~_long(ids), None).cast(pl.UInt64, strict=False)
    if how == "digits":
        kept = value % (10 ** (ids.str.len_chars().cast(pl.Int64) - 15).clip(0, 4)).cast(pl.UInt64) == 0
    else:
        kept = (value == value.cast(pl.Float64).cast(pl.UInt64, strict=False)) & (ids.str.len_chars() >= 18)
    return kept.fill_null(False)


def rounding(ids: pl.Series) -> Rounding | None:
    """How a column was rounded: every long id of it is, or more of the longest than chance makes (about one in a million).

    Only part of a file is rounded where someone edited it in Excel, or put two exports together.
    """
    long = ids.filter(_long(ids))
    if (long.str.len_chars().cast(pl.Int64) - 15).sum() >= 6 and rounded(long, "digits").all():
        return "digits"
    longest = long.filter(long.str.len_chars() >= 18).unique()  # an order may stand on several rows
    chance = 0.1 ** (longest.str.len_chars().cast(pl.Int64) - 15)
    if rounded(longest, "digits").sum() > 20 * float(chance.sum()) + 2.5:
        return "digits"
    if len(long) >= 4 and rounded(long, "binary").all():
        return "binary"
    return None


def _long(ids: pl.Series) -> pl.Series:
    return ids.str.contains(r"^\d{16,19}$").fill_null(False)
