"""Which chart a finding is told with, and the words around it."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date

import altair as alt
from altair.utils.schemapi import debug_mode

from huitou.findings.model import Finding, Goal, Row
from huitou.metrics.model import Cell
from huitou.metrics.population import first_day
from huitou.reports import charts
from huitou.reports.charts import PAPER, PHONE, Line, Mark
from huitou.reports.model import Report
from huitou.reports.numbers import Scale, amount, day, goal_said, how_many, ordinal, scale, too_few
from huitou.reports.text import line
from huitou.reports.theme import Drawing, svg
from huitou.reports.words import Lang, catalogue, say

MOST_ROWS = 24
PARTS = {"reviews.hidden"}  # rows are parts of the finding's value: its goal is not theirs
ROWS_OF = {"value.order": ("average_order_value", "CNY")}  # rows that show another number than the finding's value
FROM_ZERO = {"product", "logistics", "reviews", "refund"}
_P90 = "time_to_pay_p90"
_HOUR = re.compile(r"(\d{1,2})( 点|:00)?")
_AXIS = {"unit.s": "axis.s", "unit.min": "axis.min", "unit.h": "axis.h", "unit.d": "axis.d"}


@dataclass(frozen=True, slots=True)
class Picture:
    """A drawing for paper and one for phones, with the line above and the note below."""

    title: str
    caption: str
    wide: Drawing
    narrow: Drawing


def stakes(report: Report, titles: Sequence[str], lang: Lang) -> Picture | None:
    """Money at stake per finding, biggest first; what is within another says so. None when no finding has an amount."""
    found = [(i, f) for i, f in enumerate(report.diagnosis.findings) if f.money is not None]
    if not found:
        return None
    number = {f.code: i + 1 for i, f in enumerate(report.diagnosis.findings)}
    holders = {f.part_of for _, f in found if f.part_of in number}
    unit, factor, decimals = _money_unit([f for _, f in found], lang)
    marks, said = [], []
    for i, f in found:
        assert f.money is not None
        low, value, high = (v / 100 * factor for v in (f.money.low_fen, f.money.value_fen, f.money.high_fen))
        text = f"{value:,.{decimals}f}{say('open', lang)}{low:,.{decimals}f}–{high:,.{decimals}f}{say('close', lang)}"
        if f.part_of in number:
            text += say("dot", lang) + say("stakes.within", lang, no=ordinal(number[f.part_of], lang))
        name = f"{ordinal(i + 1, lang)}　{line(titles[i], 80)}"
        marks.append(Mark(name, value, low, high, text, strong=f.code in holders))
        said.append(say("stakes.item", lang, title=titles[i], money=amount(f.money.value_fen, lang, f.money.currency)))
    label = say("stakes.label", lang, n=len(found), items=say("list", lang).join(said))
    title = say("stakes.title" if len(found) > 1 else "stakes.title.one", lang, n=how_many(len(found), lang), unit=unit)
    first, last = report.diagnosis.period
    caption = say("stakes.caption", lang, days=(last - first).days + 1)
    if len(found) > 1:
        caption += _gap(lang) + say("stakes.part" if holders else "stakes.apart", lang)
    return Picture(title, caption, *_both(lambda w: charts.stakes(marks, w), label, "stakes"))


def of_finding(finding: Finding, report: Report, lang: Lang, *, key: str, drawn: set[str]) -> list[Picture]:
    """The finding's charts: its metric by week and by hour (unless `drawn` before in this report), then its own rows."""
    out: list[Picture] = []
    by_hour = bool(hours_of(finding))
    if (not finding.scope or by_hour) and finding.metric not in drawn:
        makers = (_trend(finding, report, lang, f"{key}w"), _hours(finding, report, lang, f"{key}h"))
        out += [p for p in makers if p is not None]
        drawn.add(finding.metric)
    if finding.code.startswith("payment.") and (lag := _lag(finding, report, lang, f"{key}l")):
        out.append(lag)
    if len(finding.rows) > 1 and not by_hour:
        out.append(_rows(finding, report, lang, f"{key}r"))
    return out


def _trend(finding: Finding, report: Report, lang: Lang, key: str) -> Picture | None:
    """By week; needs three weeks with a value."""
    cells = [c for c in report.cut(finding.metric, "week") if c.value is not None and not too_few(c) and _monday(c)]
    if len(cells) < 3:
        return None
    how = scale(finding.unit, finding.value, lang)
    weeks = [day(monday, lang) for c in cells if (monday := _monday(c))]
    points = [(w, _mark(c, how), c.status == "final") for w, c in zip(weeks, cells, strict=True)]
    goals = [_goal_line(finding.goal, how, lang)]
    metric, unit = _name(report, finding.metric, lang), _unit(how, finding.unit, lang)
    not_yet = say("chart.not_yet", lang)
    first, last = (p[1].text for p in (points[0], points[-1]))
    facts = {"goal": _of(finding.goal, lang), "g": how.short(finding.goal.value), "a": first, "b": last}
    label = say("chart.trend.label", lang, metric=metric, first=weeks[0], last=weeks[-1], **facts)
    caption = [say("chart.trend.caption", lang)]
    if any(not p[2] for p in points):
        caption.append(say("chart.trend.open", lang))
    if not charts.trend_from_zero(points, goals):
        caption.append(say("chart.from_zero", lang))

    def draw(width: int) -> alt.TopLevelMixin:
        return charts.trend(points, goals, not_yet=not_yet, width=width, decimals=how.decimals)

    title = say("chart.trend.title", lang, metric=metric, unit=unit)
    return Picture(title, _gap(lang).join(caption), *_both(draw, label, key))


def _hours(finding: Finding, report: Report, lang: Lang, key: str) -> Picture | None:
    """By hour of day, from the finding's own rows where they are hours; needs six hours with a value."""
    found = hours_of(finding)
    if not found:
        cells = [c for c in report.cut(finding.metric, "hour") if c.value is not None and not too_few(c)]
        found = {int(m[1]): _of_cell(c) for c in cells if (m := _HOUR.fullmatch(c.by["hour"]))}
    if len(found) < 6:
        return None
    how = scale(finding.unit, max(r.value for r in found.values()), lang)
    goal, higher = finding.goal.value, finding.value < finding.goal.value
    late = {h: r.high < goal if higher else r.low > goal for h, r in found.items()}
    strip = [(h, r.value * how.factor, late[h]) for h, r in sorted(found.items())]
    worst = (min if higher else max)(strip, key=lambda s: s[1])[0]
    metric = _name(report, finding.metric, lang)
    label = say("chart.hours.label" if higher else "chart.hours.label.high", lang, metric=metric, hour=worst)
    caption = say("chart.hours.caption", lang)
    title = say("chart.hours.title", lang, metric=metric, unit=_unit(how, finding.unit, lang))

    def draw(width: int) -> alt.TopLevelMixin:
        return charts.hours(strip, width=width, per_line=24 if width > PHONE else 8)

    return Picture(title, caption, *_both(draw, label, key))


def hours_of(finding: Finding) -> dict[int, Row]:
    """Hour → row, where every row of the finding is an hour of the day; else empty."""
    rows = {int(m[1]): r for r in finding.rows if (m := _HOUR.fullmatch(r.name)) and int(m[1]) < 24}
    return rows if len(rows) == len(finding.rows) else {}


def _of_cell(cell: Cell) -> Row:
    value = cell.value or 0.0
    return Row("", value, value if cell.low is None else cell.low, value if cell.high is None else cell.high, cell.n, False)


def _lag(finding: Finding, report: Report, lang: Lang, key: str) -> Picture | None:
    """Time to pay of the whole shop and of new and returning customers, on one scale."""
    whole = [c for c in report.cells if c.metric == _P90 and not c.by]
    cells = [c for c in whole + report.cut(_P90, "customer") if c.value is not None and not too_few(c)]
    if not cells:
        return None
    how = scale("s", max(c.value or 0 for c in cells), lang)
    names = [_customer(c, lang) for c in cells]
    marks = [_mark(c, how, name) for c, name in zip(cells, names, strict=True)]
    label = say("chart.lag.label", lang, p90=how.full(cells[0].value or 0))

    def draw(width: int) -> alt.TopLevelMixin:
        return charts.dots(marks, [], width=width)

    title = say("chart.lag.title", lang, unit=_unit(how, "s", lang))
    return Picture(title, say("chart.lag.caption", lang), *_both(draw, label, key))


def _rows(finding: Finding, report: Report, lang: Lang, key: str) -> Picture:
    """The finding's rows: dots where values are adjusted or far from zero, bars from zero where they are amounts."""
    shown_rows = sorted(finding.rows, key=lambda r: not r.flagged)[:MOST_ROWS]
    rows = [r for r in finding.rows if r in shown_rows]
    metric, unit = ROWS_OF.get(finding.code, (finding.metric, finding.unit))
    how = scale(unit, max(abs(r.value) for r in rows), lang)
    adjusted = any(r.raw is not None for r in rows)
    marks = []
    for name, r in zip(_distinct([line(r.name, 40) for r in rows]), rows, strict=True):
        value, low, high = (v * how.factor for v in (r.value, r.low, r.high))
        raw = None if r.raw is None else r.raw * how.factor
        marks.append(Mark(name, value, low, high, how.plain(r.value), r.flagged, raw))
    strong = [m.name for m in marks if m.strong]
    names = say("list", lang).join(f"{m.name} {m.text}" for m in marks if m.strong)
    label = say("chart.dots.label" if strong else "chart.dots.label.none", lang, n=len(marks), k=len(strong), names=names)
    parts = finding.code in PARTS
    bars = parts or (not adjusted and finding.code.split(".")[0] in FROM_ZERO)
    caption = [say("chart.bars.plain" if bars else "chart.dots.adjusted" if adjusted else "chart.dots.plain", lang)]
    if strong:
        caption.append(say("chart.bars.flagged" if bars else "chart.dots.flagged", lang))
    if not bars:
        caption.append(say("chart.from_zero_x", lang))
    if len(finding.rows) > len(rows):
        caption.append(say("chart.more", lang, n=len(rows)))
    facts = {"metric": _name(report, metric, lang), "unit": _unit(how, unit, lang)}
    key_of_title = "chart.parts.title" if parts else "chart.rows.adjusted" if adjusted else "chart.rows.title"
    title = say(key_of_title, lang, **facts)
    goals = [] if parts or metric != finding.metric else [_goal_line(finding.goal, how, lang)]

    def draw(width: int) -> alt.TopLevelMixin:
        return (charts.bars if bars else charts.dots)(marks, goals, width=width)

    return Picture(title, _gap(lang).join(caption), *_both(draw, label, key))


def _both(draw: Callable[[int], alt.TopLevelMixin], label: str, key: str) -> tuple[Drawing, Drawing]:
    """The drawing for paper and the one for phones."""
    with debug_mode(False):  # Altair's check of every channel costs more than the drawing; the tests draw with it on
        wide, narrow = draw(PAPER), draw(PHONE)
    return svg(wide, label, key=key + "wide", kind="wide"), svg(narrow, label, key=key + "narrow", kind="narrow")


def _mark(cell: Cell, how: Scale, name: str = "") -> Mark:
    value = cell.value or 0.0
    low, high = (value if v is None else v for v in (cell.low, cell.high))
    return Mark(name, value * how.factor, low * how.factor, high * how.factor, how.plain(value))


def _goal_line(goal: Goal, how: Scale, lang: Lang) -> Line:
    return Line(goal.value * how.factor, line(goal_said(_of(goal, lang), how.short(goal.value), lang), 40))


def _of(goal: Goal, lang: Lang) -> str:
    return goal.zh if lang == "zh" else goal.en


def _name(report: Report, metric: str, lang: Lang) -> str:
    note = report.note(metric)
    return note.zh if lang == "zh" else note.en


def _unit(how: Scale, unit: str, lang: Lang) -> str:
    """The unit as an axis names it."""
    if unit == "CNY":
        return say("axis.wan" if how.after.endswith("万元") else "axis.yuan", lang)
    if unit == "s":
        return next(say(axis, lang) for word, axis in _AXIS.items() if say(word, lang) == how.after)
    return say(f"axis.{unit}", lang)


def _money_unit(findings: Sequence[Finding], lang: Lang) -> tuple[str, float, int]:
    """(name of the unit, yuan × this, decimals) for amounts on one axis."""
    top = max(f.money.value_fen / 100 for f in findings if f.money)
    currency = next(f.money.currency for f in findings if f.money)
    if currency != "CNY":
        return currency, 1, 0
    if top < 10_000:
        return say("axis.yuan", lang), 1, 0
    return (say("axis.wan", lang), 1e-4, 1) if lang == "zh" else (say("axis.kyuan", lang), 1e-3, 0)


def _distinct(names: Sequence[str]) -> list[str]:
    """Names as chart rows: two rows of one name stay two rows."""
    seen: dict[str, int] = {}
    out = []
    for name in names:
        seen[name] = seen.get(name, 0) + 1
        out.append(name if seen[name] == 1 else f"{name} ({seen[name]})")
    return out


def _gap(lang: Lang) -> str:
    return "" if lang == "zh" else " "


def _monday(cell: Cell) -> date | None:
    """The first day of the cell's week; None for a name that is no week."""
    try:
        return first_day("week", cell.by["week"])
    except ValueError:
        return None


def _customer(cell: Cell, lang: Lang) -> str:
    key = f"customer.{cell.by.get('customer', 'all')}"
    return say(key, lang) if key in catalogue() else line(cell.by["customer"], 30)
