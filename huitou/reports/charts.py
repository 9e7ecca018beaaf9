"""One function per chart. The caller says the width, so that a phone gets its own drawing and not a shrunk one.

Values come in scaled to the unit that the axis names; intervals are always drawn; bars start at zero. Text from outside
is data of the chart only: it never becomes a part of an expression.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import ceil, floor, log10
from typing import Any

import altair as alt

from huitou.reports.theme import tokens

PHONE, PAPER = 340, 690
_FORMAT = ",~f"


@dataclass(frozen=True, slots=True)
class Mark:
    """One row of a chart: its name, value with 95 % interval, what is printed beside it; `strong` is coloured."""

    name: str
    value: float
    low: float
    high: float
    text: str
    strong: bool = False
    raw: float | None = None


@dataclass(frozen=True, slots=True)
class Line:
    """A thin line for a goal, with its name."""

    value: float
    name: str


def stakes(rows: Sequence[Mark], width: int) -> alt.TopLevelMixin:
    """Money per finding: its name above a bar from zero, the interval as a thin line. `strong` = contains others' amounts."""
    data = _values(rows)
    ticks = _ticks(min(0.0, *(r.low for r in rows)), max(r.high for r in rows), 5 if width > PHONE else 4)
    x = _x(ticks, width, rows, grid=False)
    chart = alt.Chart(data).encode(y=alt.Y("i:O", axis=None, title=None))
    words = chart.mark_text(align="left", yOffset=-11, fontSize=13, color=tokens()["ink"], limit=width).encode(
        x=alt.value(0), text=alt.Text("name:N")
    )
    colour = _either("strong", "q3", "c1")
    bars = chart.mark_bar(height=14, yOffset=8).encode(x=x, color=colour)
    text = chart.mark_text(align="left", dx=8, yOffset=8).encode(x=alt.X("high:Q"), text=alt.Text("text:N"))
    return alt.layer(bars, *_whisker(chart, 8), text, words).properties(width=width, height=alt.Step(46))


def trend(
    points: Sequence[tuple[str, Mark, bool]], goals: Sequence[Line], *, not_yet: str, width: int, decimals: int = 1
) -> alt.TopLevelMixin:
    """A value over time: line, 95 % band, goals named at their lines; from the first open point on it is hatched.

    `points`: (label of the tick, mark, is it final), evenly spaced.
    """
    height, n = 170, len(points)
    rows = [_row(mark, i) | {"label": label, "final": final} for i, (label, mark, final) in enumerate(points)]
    ticks = _trend_ticks(points, goals)
    last_x = n - 1 + max(0.9, n * 44 / width)
    x_scale = alt.Scale(domain=[0, last_x], nice=False)
    x, y = _time_axis(rows, width, x_scale), _y(ticks)
    base = alt.Chart(_data(rows)).encode(x=x)
    layers: list[alt.Chart] = []
    first_open = next((i for i, r in enumerate(rows) if not r["final"]), None)
    if first_open is not None:
        layers += _hatched(first_open, n, last_x, height, not_yet)
    layers.append(base.mark_area(color=tokens()["c1-band"]).encode(y=alt.Y("low:Q"), y2=alt.Y2("high:Q")))
    for at, goal in enumerate(goals):
        layers += _goal(goal, 0 if at == 0 else n - 1, "left" if at == 0 else "right")
    layers.append(base.mark_line().encode(y=y))
    end = alt.Chart(alt.InlineData([rows[-1] | {"shown": f"{rows[-1]['value']:.{decimals}f}"}])).encode(x=x)
    layers.append(end.mark_point(color=tokens()["c1"]).encode(y=alt.Y("value:Q")))
    layers += _haloed(end)
    return alt.layer(*layers).properties(width=width, height=height)


def trend_from_zero(points: Sequence[tuple[str, Mark, bool]], goals: Sequence[Line]) -> bool:
    """Whether `trend` of the same points begins its vertical axis at zero."""
    return bool(_trend_ticks(points, goals)[0] == 0)


def _trend_ticks(points: Sequence[tuple[str, Mark, bool]], goals: Sequence[Line]) -> list[float]:
    lines = [g.value for g in goals]
    return _ticks(min([m.low for _, m, _ in points] + lines), max([m.high for _, m, _ in points] + lines), 4)


def dots(rows: Sequence[Mark], goals: Sequence[Line], *, width: int) -> alt.TopLevelMixin:
    """Values with intervals as thick lines, raw values as ticks; `strong` rows in the second colour. Needs not start at zero."""
    ends = [v for r in rows for v in (r.low, r.high, r.value if r.raw is None else r.raw)] + [g.value for g in goals]
    ticks = _ticks(min(ends), max(ends), 6 if width > PHONE else 4)
    x = _x(ticks, width, rows, grid=True)
    base = alt.Chart(_values(rows)).encode(y=_names(rows, width))
    colour = _either("strong", "c2-band", "c1-band")
    span = base.mark_rule(strokeWidth=6).encode(x=alt.X("low:Q"), x2=alt.X2("high:Q"), color=colour)
    dot = base.mark_point(size=60).encode(x=x, color=_either("strong", "bad", "c1"))
    text = base.mark_text(align="left", dx=8).encode(x=alt.X("high:Q"), text=alt.Text("text:N"))
    layers = [*_goal_up(goals), span]
    if any(r.raw is not None for r in rows):
        raw = [_row(r, i) for i, r in enumerate(rows) if r.raw is not None]
        ticks_of_raw = alt.Chart(_data(raw)).encode(y=_names(rows, width))
        layers.append(ticks_of_raw.mark_tick(thickness=1.5, height=13, color=tokens()["ink-3"]).encode(x=alt.X("raw:Q")))
    return alt.layer(*layers, dot, text).properties(width=width, height=alt.Step(24))


def bars(rows: Sequence[Mark], goals: Sequence[Line], *, width: int) -> alt.TopLevelMixin:
    """Bars from zero with the interval as a thin line; `strong` rows in the second colour."""
    top = max([r.high for r in rows] + [g.value for g in goals])
    ticks = _ticks(min(0.0, *(r.low for r in rows)), top, 5 if width > PHONE else 4)
    base = alt.Chart(_values(rows)).encode(y=_names(rows, width))
    bar = base.mark_bar(height=15).encode(x=_x(ticks, width, rows, grid=False), color=_either("strong", "c2", "q3"))
    text = base.mark_text(align="left", dx=8).encode(x=alt.X("high:Q"), text=alt.Text("text:N"))
    return alt.layer(bar, *_goal_up(goals), *_whisker(base), text).properties(width=width, height=alt.Step(27))


def hours(cells: Sequence[tuple[int, float, bool]], *, width: int, per_line: int) -> alt.TopLevelMixin:
    """The hours of a day as cells with their number, the hour below; `late` hours in the colour of a missed goal.

    `cells`: (hour 0…23, value, is it clearly short of its goal). The ramp runs from the smallest to the largest value.
    """
    low, high = min(v for _, v, _ in cells), max(v for _, v, _ in cells)
    rows = [
        {
            "hour": hour, "value": f"{value:.0f}", "late": late, "column": i % per_line, "line": i // per_line,
            "paint": tokens()["bad" if late else f"q{1 + min(4, int(5 * (value - low) / (high - low or 1)))}"],
            "ink": tokens()["surface" if late or (value - low) / (high - low or 1) >= 0.6 else "ink"],
        }
        for i, (hour, value, late) in enumerate(cells)
    ]  # fmt: skip
    base = alt.Chart(_data(rows)).encode(
        x=alt.X("column:O", axis=None), y=alt.Y("line:O", axis=None, scale=alt.Scale(paddingInner=0.1))
    )
    plain: dict[str, Any] = {"scale": None, "legend": None}
    boxes = base.mark_rect(stroke=tokens()["surface"], strokeWidth=2, height=28, yOffset=-8)
    boxes = boxes.encode(color=alt.Color("paint:N", **plain))
    number = base.mark_text(yOffset=-8).encode(text=alt.Text("value:N"), color=alt.Color("ink:N", **plain))
    hour = base.mark_text(yOffset=16, color=tokens()["ink-3"]).encode(text=alt.Text("hour:Q"))
    return alt.layer(boxes, number, hour).properties(width=width, height=alt.Step(50))


def _row(mark: Mark, i: int) -> dict[str, Any]:
    fields: dict[str, Any] = {"i": i, "name": mark.name, "value": mark.value, "low": mark.low, "high": mark.high}
    return fields | {"text": mark.text, "strong": mark.strong, "raw": mark.raw}


def _values(rows: Sequence[Mark]) -> alt.InlineData:
    return _data(_row(mark, i) for i, mark in enumerate(rows))


def _data(rows: Iterable[dict[str, Any]]) -> alt.InlineData:
    return alt.InlineData(tuple(rows))  # Altair copies a list, and all that is in it, at each step to a chart


def _either(flag: str, yes: str, no: str) -> Any:
    return alt.condition(f"datum.{flag}", alt.value(tokens()[yes]), alt.value(tokens()[no]))


def _names(rows: Sequence[Mark], width: int) -> alt.Y:
    """Names at the left, cut to what fits by our own measure: a machine without a Chinese font would cut them elsewhere."""
    most = 90 if width <= PHONE else 180
    short = json.dumps({mark.name: _cut(mark.name, most) for mark in rows})
    axis = alt.Axis(
        domain=False, ticks=False, grid=False, labelColor=tokens()["ink"], labelFontSize=13, labelLimit=0,
        labelExpr=f"{short}[datum.value]",
    )  # fmt: skip
    return alt.Y("name:N", sort=None, title=None, axis=axis)


def _y(ticks: list[float]) -> alt.Y:
    axis = alt.Axis(values=ticks, grid=True, format=_FORMAT)
    return alt.Y("value:Q", title=None, scale=alt.Scale(domain=[ticks[0], ticks[-1]], nice=False, zero=False), axis=axis)


def _x(ticks: list[float], width: int, rows: Sequence[Mark], *, grid: bool) -> alt.X:
    """A value axis long enough for every row's text beside its interval; ticks end where the values do."""
    first = ticks[0]
    needed = [first + (r.high - first) * width / max(width - _wide(r.text) - 14, width / 4) for r in rows]
    last = max(ticks[-1], *needed)
    axis = alt.Axis(values=ticks, grid=grid, format=_FORMAT)
    return alt.X("value:Q", title=None, scale=alt.Scale(domain=[first, last], nice=False, zero=False), axis=axis)


def _time_axis(rows: list[dict[str, Any]], width: int, scale: alt.Scale) -> alt.X:
    """About one label per 110 pixels; the labels are looked up by position."""
    every = max(1, ceil(len(rows) * 110 / width))
    at = list(range(len(rows) - 1, -1, -every))[::-1]
    names = json.dumps({str(i): rows[i]["label"] for i in at}, ensure_ascii=False)  # dates, written by us
    return alt.X("i:Q", title=None, scale=scale, axis=alt.Axis(values=at, labelExpr=f"{names}[datum.value]"))


def _hatched(first: int, n: int, last_x: float, height: int, words: str) -> list[alt.Chart]:
    box = alt.Chart(alt.InlineData([{"a": first - 0.45, "b": last_x, "c": (first - 0.45 + last_x) / 2, "t": words}]))
    area = box.mark_rect(color=tokens()["c-notyet"]).encode(
        x=alt.X("a:Q"), x2=alt.X2("b:Q"), y=alt.value(0), y2=alt.value(height)
    )
    name = box.mark_text(baseline="bottom", dy=-5, color=tokens()["ink-3"]).encode(
        x=alt.X("c:Q"), y=alt.value(0), text=alt.Text("t:N")
    )
    return [area, name]


def _goal(goal: Line, at: float, align: str) -> list[alt.Chart]:
    data = alt.Chart(alt.InlineData([{"g": goal.value, "t": goal.name, "i": at}]))
    rule = data.mark_rule(strokeDash=[4, 3], color=tokens()["ink-3"]).encode(y=alt.Y("g:Q"))
    shape: dict[str, Any] = {"align": align, "dy": -8, "dx": 4 if align == "left" else 0}
    halo = data.mark_text(color=tokens()["surface"], stroke=tokens()["surface"], strokeWidth=4, strokeJoin="round", **shape)
    name = data.mark_text(color=tokens()["ink-2"], **shape)
    return [
        rule,
        halo.encode(x=alt.X("i:Q"), y=alt.Y("g:Q"), text=alt.Text("t:N")),
        name.encode(x=alt.X("i:Q"), y=alt.Y("g:Q"), text=alt.Text("t:N")),
    ]


def _whisker(base: alt.Chart, offset: int = 0) -> list[alt.Chart]:
    """The interval as a thin line, with a pale seam so that it is seen on its bar."""
    ends: dict[str, Any] = {"x": alt.X("low:Q"), "x2": alt.X2("high:Q")}
    seam = base.mark_rule(strokeWidth=4, color=tokens()["surface"], yOffset=offset).encode(**ends)
    return [seam, base.mark_rule(strokeWidth=1.5, color=tokens()["ink"], yOffset=offset).encode(**ends)]


def _goal_up(goals: Sequence[Line]) -> list[alt.Chart]:
    """Goals as upright thin lines, named above the first row."""
    if not goals:
        return []
    data = alt.Chart(alt.InlineData([{"g": g.value, "t": g.name} for g in goals]))
    rule = data.mark_rule(strokeDash=[4, 3], color=tokens()["ink-3"]).encode(x=alt.X("g:Q"))
    name = data.mark_text(baseline="bottom", dy=-4, color=tokens()["ink-2"]).encode(
        x=alt.X("g:Q"), y=alt.value(0), text=alt.Text("t:N")
    )
    return [rule, name]


def _haloed(end: alt.Chart) -> list[alt.Chart]:
    shape: dict[str, Any] = {"align": "left", "dx": 8, "fontWeight": 600, "fontSize": 13}
    ring = end.mark_text(color=tokens()["surface"], stroke=tokens()["surface"], strokeWidth=6, strokeJoin="round", **shape)
    text = end.mark_text(color=tokens()["c1"], **shape)
    return [ring.encode(y=alt.Y("value:Q"), text=alt.Text("shown:N")), text.encode(y=alt.Y("value:Q"), text=alt.Text("shown:N"))]


def _ticks(low: float, high: float, about: int) -> list[float]:
    """Round numbers around [low, high], about `about` steps of 1, 2, 2.5 or 5 times a power of ten."""
    size = (high - low) or abs(high) or 1.0
    ten = 10.0 ** floor(log10(size / about))
    step = next(s * ten for s in (1, 2, 2.5, 5, 10) if size / (s * ten) <= about)
    first, last = floor(low / step + 1e-9), max(ceil(high / step - 1e-9), floor(low / step + 1e-9) + 1)
    return [round(i * step, 10) for i in range(first, last + 1)]


def _wide(text: str) -> int:
    """Pixels that 12-px text takes at most: 12 for a Chinese character, 7 for any other."""
    return sum(12 if ord(c) > 0x2E80 else 7 for c in text)


def _cut(text: str, most: int) -> str:
    """The text, or as much of it as is at most so wide, with an ellipsis."""
    if _wide(text) <= most:
        return text
    n = max(n for n in range(len(text)) if _wide(text[:n]) <= most - 12)
    return text[:n].rstrip() + "…"
