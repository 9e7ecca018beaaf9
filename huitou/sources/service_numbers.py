"""Cells of the platforms' service reports: what a heading measures, in which unit, and the numbers below it.

Comes in: headings and text cells, in the many spellings of 生意参谋, 赤兔 and 飞鸽. Goes out: one spelling, one unit, floats.
"""

import re
from datetime import datetime
from typing import Literal

import polars as pl

from huitou.sources import cells
from huitou.sources.layout import heading

Unit = Literal["share", "s", "fen", "count"]

_SAME = {
    "客服回复率": "回复率", "旺旺回复率": "回复率", "首次响应": "首次响应时长", "首次响应时间": "首次响应时长",
    "平均响应": "平均响应时长", "平均响应时间": "平均响应时长", "慢接待人数": "慢响应人数", "客服答问比": "答问比",
    "聊天人数": "咨询人数", "买家消息条数": "买家消息数", "客服消息条数": "客服消息数", "平均接待时间": "平均接待时长",
    "客服询单支付额": "询单支付额",
}  # fmt: skip
"""Spellings → the one spelling of a measure."""

_UNITS: tuple[tuple[str, Unit], ...] = (
    (r"率$|率-|占比|比例|答问比|服务度|率\(", "share"),
    (r"(?:人数|人次|次数|条数|天数|字数|件数|数|量)$", "count"),
    (r"金额|销售额|支付额|总额|客单价|件均价|单价|业绩|邮费", "fen"),
    (r"时长|响应|时间|上线|在线|耗时", "s"),
)
_BEYOND_ONE = {"答问比": 10}  # shares that may honestly be above 1, and the most that they can be
_BRACKET = re.compile(r"\(([^()]*)\)$")
_SECONDS_OF = {"分": 60, "分钟": 60, "min": 60, "小时": 3600, "时": 3600, "h": 3600, "天": 86_400}
_SPOKEN = r"^(?:(\d+)天)?(?:(\d+)(?:小时|时))?(?:(\d+)(?:分钟|分))?(?:(\d+(?:\.\d+)?)秒)?$"
_SPREADSHEET_ZERO = datetime(1899, 12, 31)
_CLOCK = r"^(?:(\d+):)?(\d{1,3}):(\d{2}(?:\.\d+)?)$"


def measure(name: str) -> str:
    """A heading in the one spelling of all reports: groups stay («邀请-满意率»), units and variants go."""
    plain = _BRACKET.sub("", heading(name))
    group, dash, last = plain.rpartition("-") if "->" not in plain else ("", "", plain)
    return group + dash + _SAME.get(last, last)


def unit_of(name: str) -> Unit:
    """The unit of what a heading measures."""
    plain = measure(name)
    return next((unit for pattern, unit in _UNITS if re.search(pattern, plain)), "count")


def over_one(name: str, text: pl.Series) -> bool:
    """Whether a column of rates holds a bare number above 1 (or its own most), which proves that the file writes per cent."""
    if unit_of(name) != "share":
        return False
    most = _BEYOND_ONE.get(measure(name), 1)
    return bool((cells.number(text).values.abs() > most).fill_null(False).any())


def numbers(name: str, raw: pl.Series, *, percent: bool) -> pl.Series:
    """The cells below a heading as Float64 in its unit, null for what is empty or no number.

    `percent`: bare rates of this file are per cent.
    """
    text = cells.unwrapped(raw).str.normalize("NFKC")
    match unit_of(name):
        case "share":
            marked = text.str.ends_with("%").fill_null(False)
            value = cells.number(text.str.strip_suffix("%")).values
            return (value / 100).zip_with(marked | percent, value)
        case "fen":
            return (_plain(text.str.replace_all(r"[¥元\s]", "")) * 100).round(6)
        case "s":
            return _seconds(text) * _seconds_of(name)
        case "count":
            return _plain(text)


def _seconds_of(name: str) -> int:
    """Seconds in the unit that a heading names in brackets."""
    found = _BRACKET.search(heading(name))
    return _SECONDS_OF.get(found[1], 1) if found else 1


def _plain(text: pl.Series) -> pl.Series:
    tens = text.str.ends_with("万").fill_null(False)
    value = cells.number(text.str.strip_suffix("万")).values
    return (value * 10_000).zip_with(tens, value)


def _seconds(text: pl.Series) -> pl.Series:
    """Of ``83``, ``1分23秒``, ``1:23``, ``0:01:23``, and a spreadsheet's cell of time, which counts from the end of 1899."""
    value = cells.number(text).values
    timed = text.set(~text.str.contains(r"^(?:1899|1900)-").fill_null(False), None)
    since = timed.str.to_datetime("%Y-%m-%d %H:%M:%S", strict=False) - _SPREADSHEET_ZERO
    value = value.fill_null(since.dt.total_seconds().cast(pl.Float64))
    for pattern, parts in ((_SPOKEN, (86_400, 3600, 60, 1)), (_CLOCK, (3600, 60, 1))):
        at = (value.is_null() & text.str.contains(pattern).fill_null(False) & (text != "")).arg_true()
        if len(at):
            said = [
                text.gather(at).str.extract(pattern, n + 1).cast(pl.Float64).fill_null(0) * part for n, part in enumerate(parts)
            ]
            value = value.scatter(at, sum(said[1:], said[0]))
    return value
