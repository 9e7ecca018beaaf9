"""The look of a chart: reads page/tokens.css, so that a chart has no colour, size or font of its own.

`svg` draws a chart for inlining: every token colour becomes ``var(--token)`` again (one drawing serves light, dark and
print), the «not yet» colour becomes a hatch, and nothing in it needs a script, a font file or anything from outside.
"""

import re
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from functools import cache
from html import escape
from importlib.resources import files
from typing import Any

import altair as alt

from huitou.reports.drawing import draw

IN_CHARTS = (
    "ink", "ink-2", "ink-3", "line", "line-strong", "surface", "brand", "good", "bad", "warn", "c1", "c1-band", "c2", "c2-band",
    "c3", "c-rest", "c-grid", "c-notyet", "q0", "q1", "q2", "q3", "q4", "q5", "q6",
)  # fmt: skip
FONT = "Noto Sans CJK SC"  # for measuring only; the page's own font stack takes over in the browser


@cache
def tokens() -> dict[str, str]:
    """Token name → its colour in the light theme, as #rrggbb."""
    css = files(__package__).joinpath("page", "tokens.css").read_text("utf-8").split("@media")[0]
    return dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6});", css))


@cache
def config() -> dict[str, Any]:
    """Vega-Lite configuration: quiet axes, few ticks, no legend box, no gradient; names sit at the marks."""
    ink = tokens()
    quiet = {"labelColor": ink["ink-3"], "titleColor": ink["ink-3"], "labelFontSize": 12, "titleFontSize": 12}
    lines = {"gridColor": ink["c-grid"], "domainColor": ink["line-strong"], "tickColor": ink["line-strong"], "tickSize": 4}
    above = {"titleAngle": 0, "titleAlign": "left", "titleAnchor": "end", "titleX": 0, "titleY": -10}
    return {
        "font": FONT, "background": None, "padding": 2, "view": {"stroke": None},
        "axis": quiet | lines | {"labelPadding": 5, "titlePadding": 8, "titleFontWeight": "normal"},
        "axisX": {"grid": False, "titleAnchor": "end"},
        "axisY": {"domain": False, "ticks": False, "tickCount": 4} | above,
        "text": {"fontSize": 12, "color": ink["ink-2"]},
        "bar": {"color": ink["c1"]},
        "line": {"color": ink["c1"], "strokeWidth": 2, "strokeCap": "round"},
        "area": {"color": ink["c1-band"], "line": False},
        "rule": {"color": ink["ink-3"]},
        "point": {"filled": True, "size": 42, "color": ink["c1"], "opacity": 1},
    }  # fmt: skip


def svg(chart: alt.TopLevelMixin, label: str, *, key: str, kind: str = "") -> "Drawing":
    """One chart as inline SVG; `label` is the sentence a screen reader says, `key` an id unique on the page, `kind` a class."""
    return Drawing(draw(chart.to_dict(validate=False) | {"config": config()}), label, key, kind)


@dataclass(frozen=True, slots=True)
class Drawing:
    """A chart that is being drawn. A page waits for it where it is put in: it is safe there, the renderer escapes every text."""

    made: Future[str]
    label: str
    key: str
    kind: str

    def __html__(self) -> str:
        """The drawing in the page's colours."""
        drawn = re.sub(r"<[^>]*>", _recolour(self.key), self.made.result())
        size = re.search(r'viewBox="0 0 ([\d.]+) ([\d.]+)"', drawn)
        assert size is not None, "vl-convert wrote no viewBox"
        width, height = size.groups()
        hatch = (
            f'<defs><pattern id="hatch-{self.key}" width="6" height="6" '
            'patternUnits="userSpaceOnUse" patternTransform="rotate(45)">'
            '<rect width="6" height="6" fill="var(--surface)"/>'
            '<path d="M0 0V6" stroke="var(--mute)" stroke-width="2.4"/></pattern></defs>'
        )
        head = (
            f'<svg class="{f"chart {self.kind}".strip()}" viewBox="0 0 {width} {height}" '
            f'width="{width}" height="{height}" role="img" aria-label="{escape(self.label)}">'
            f"{hatch if f'#hatch-{self.key}' in drawn else ''}"
        )
        return re.sub(r"<svg[^>]*>", lambda _: head, drawn, count=1)


def _recolour(key: str) -> Callable[[re.Match[str]], str]:
    """Edits one tag of the drawing: colours back to tokens, decimals to two places, no fonts, classes or roles."""
    paints = {tokens()[name]: f"var(--{name})" for name in IN_CHARTS} | {tokens()["c-notyet"]: f"url(#hatch-{key})"}

    def edit(tag: re.Match[str]) -> str:
        text = re.sub(r' (?:font-family|class|aria-[\w-]+|role|id)="[^"]*"', "", tag.group())
        text = re.sub(r'(fill|stroke)="(#[0-9a-fA-F]{6})"', lambda m: f'{m[1]}="{paints.get(m[2].lower(), m[2])}"', text)
        return re.sub(r"(\d\.\d\d)\d+", r"\1", text)

    return edit
