"""How a number is written: shares 30.0%, intervals 29.0–31.0, money 6.4 万元, and what to say where there is none."""

from dataclasses import dataclass, replace
from datetime import date

from huitou.metrics.model import Cell
from huitou.metrics.needs import NEEDS
from huitou.reports.words import Lang, say

FEW = 5


@dataclass(frozen=True, slots=True)
class Scale:
    """How a unit is shown: the number times `factor` with `decimals`, between `before` and `after`."""

    factor: float
    decimals: int
    before: str
    after: str

    def plain(self, value: float) -> str:
        """The number alone: 29.0; the minus is a real one."""
        text = f"{value * self.factor:,.{self.decimals}f}"
        return text.replace("-", "−") if float(text.replace(",", "")) else text.lstrip("-")

    def full(self, value: float) -> str:
        """The number with its unit: 30.0%, 14 秒, CNY 268."""
        return f"{self.before}{self.plain(value)}{self.after}"

    def short(self, value: float) -> str:
        """The number alone without closing zeros, for goals: 45, 33.5."""
        text = self.plain(value)
        return text.rstrip("0").rstrip(".") if "." in text else text

    def fine(self, low: float, high: float) -> "Scale":
        """The same scale with one more decimal where both ends of an interval would read alike."""
        alike = low != high and self.plain(low) == self.plain(high)
        return replace(self, decimals=self.decimals + 1) if alike else self

    def span(self, low: float, high: float) -> str:
        """An interval: 29.0–31.0."""
        return f"{self.plain(low)}–{self.plain(high)}"


def scale(unit: str, near: float, lang: Lang) -> Scale:
    """The scale for values of `unit` about as large as `near`, so that a value, its interval and its goal share one."""
    size = abs(near)
    if unit == "share":
        return Scale(100, 1, "", "%")
    if unit == "s":
        for limit, factor, word in ((120, 1, "s"), (7200, 1 / 60, "min"), (172_800, 1 / 3600, "h")):
            if size < limit:
                return Scale(factor, 0 if word == "s" and size >= 10 else 1, "", say(f"unit.{word}", lang))
        return Scale(1 / 86_400, 1, "", say("unit.d", lang))
    if unit == "days":
        return Scale(1, 1, "", say("unit.days", lang))
    if unit == "CNY":
        return _yuan(size, lang)
    if unit == "count":
        return Scale(1, 0, "", "")
    return Scale(1, 2, "", "")


def _yuan(size: float, lang: Lang) -> Scale:
    if lang == "en":
        return Scale(1, 0 if size >= 100 else 2, "CNY ", "")
    if size >= 10_000:
        return Scale(1e-4, 1, "", " 万元")
    return Scale(1, 0 if size >= 100 else 2, "", " 元")


def amount(fen: int, lang: Lang, currency: str = "CNY") -> str:
    """Money to the thousand above ten thousand yuan, to the hundred below: 6.4 万元, 4,900 元; en CNY 64,000."""
    return _money(fen, lang, currency).full(_rounded(fen))


def amounts(low_fen: int, high_fen: int, lang: Lang, currency: str = "CNY") -> str:
    """An interval of money, in Chinese with its unit: 5.6–7.2 万元; en 56,000–72,000."""
    how = _money(max(abs(low_fen), abs(high_fen)), lang, currency)
    return how.span(_rounded(low_fen), _rounded(high_fen)) + how.after


def _money(fen: int, lang: Lang, currency: str) -> Scale:
    how = _yuan(max(abs(fen) / 100, 100), lang)
    if currency == "CNY":
        return how
    return Scale(1, 0, f"{currency} ", "")


def _rounded(fen: int) -> float:
    """Yuan, to the thousand above ten thousand and to the hundred below: no amount here is known better."""
    yuan = fen / 100
    step = 1000 if abs(yuan) >= 10_000 else 100 if abs(yuan) >= 1000 else 10
    return round(yuan / step) * step


def people(n: int) -> str:
    """A count of people or things; fewer than five are not told."""
    return f"<{FEW}" if 0 < n < FEW else f"{n:,}"


def state(cell: Cell, lang: Lang) -> str:
    """What a cell's status says to a reader."""
    if cell.status.startswith("needs "):
        return say("status.needs", lang, what=needed(cell.status[6:], lang))
    if cell.status == "not_yet":
        return say("status.open", lang, n=f"{cell.open:,}") if cell.open else say("status.not_yet", lang)
    return say("status.few", lang) if too_few(cell) else say("status.final", lang)


def needed(what: str, lang: Lang) -> str:
    """What would carry it, by the code of ``NEEDS``; a code that is not declared is shown as it stands."""
    return NEEDS[what].zh if lang == "zh" and what in NEEDS else what


def too_few(cell: Cell) -> bool:
    """Whether the value rests on fewer than five cases and is therefore not told (a plain count is told as it is)."""
    return cell.value is not None and cell.unit != "count" and cell.n < FEW


def reading(cell: Cell, lang: Lang) -> tuple[str, str]:
    """(value, interval) of a cell as text; a dash where there is none, «not estimated» where there are too few."""
    if cell.value is None:
        return "—", ""
    if too_few(cell):
        return say("value.few", lang), ""
    how = scale(cell.unit, cell.value, lang)
    if cell.low is None or cell.high is None:
        return how.full(cell.value), ""
    how = how.fine(cell.low, cell.high)
    return how.full(cell.value), how.span(cell.low, cell.high)


def distance(value: float, goal: float, unit: str, lang: Lang) -> str:
    """How far a value is from its goal: 低 15.0 点 · 15.0 points below; other units in themselves."""
    how = scale(unit, max(abs(value), abs(goal)), lang)
    far = how.plain(abs(value - goal)) if unit == "share" else how.full(abs(value - goal))
    side = "below" if value < goal else "above"
    return say(f"distance.{side}.{'points' if unit == 'share' else 'unit'}", lang, far=far)


_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def day(when: date, lang: Lang, *, year: bool = False) -> str:
    """5月4日 · 4 May; with the year 2026年5月4日 · 4 May 2026."""
    if lang == "zh":
        return f"{when.year}年{when.month}月{when.day}日" if year else f"{when.month}月{when.day}日"
    return f"{when.day} {_MONTHS[when.month - 1]}" + (f" {when.year}" if year else "")


def period(first: date, last: date, lang: Lang) -> str:
    """2026年5月4日–31日 · 4–31 May 2026; nothing is said twice."""
    if first == last:
        return day(first, lang, year=True)
    if lang == "zh":
        same_month = (first.year, first.month) == (last.year, last.month)
        tail = f"{last.day}日" if same_month else day(last, lang, year=first.year != last.year)
        return f"{day(first, lang, year=True)}–{tail}"
    if first.year != last.year:
        return f"{day(first, lang, year=True)} – {day(last, lang, year=True)}"
    head = f"{first.day}–" if first.month == last.month else f"{day(first, lang)} – "
    return head + day(last, lang, year=True)


def how_many(n: int, lang: Lang) -> str:
    """A small number in front of its noun: 两, 五 · 5."""
    return "两" if lang == "zh" and n == 2 else ordinal(n, lang)


def goal_said(name: str, value: str, lang: Lang) -> str:
    """A goal with its value: 同行 45; a name that says the value itself (同行 45%) stands alone."""
    return name if f"{value}%" in name else say("figure.goal", lang, goal=name, value=value)


_DIGITS = "零一二三四五六七八九十"


def ordinal(n: int, lang: Lang) -> str:
    """The number of a chapter: 一, 十二 · 1, 12."""
    if lang == "en" or n > 99:
        return str(n)
    if n <= 10:
        return _DIGITS[n]
    tens, ones = divmod(n, 10)
    return ("" if tens == 1 else _DIGITS[tens]) + "十" + (_DIGITS[ones] if ones else "")
