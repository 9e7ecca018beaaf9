"""Inquiry conversion: its gap to the goal, and its decline against the shop's own earlier weeks."""

from datetime import date

import polars as pl

from huitou.findings import evidence
from huitou.findings.case import LEAST, SILENT, Case
from huitou.findings.model import OWN_DATA, Cause, Evidence, Finding, Goal, Remedy
from huitou.findings.money import at_stake, tail_en, tail_zh
from huitou.findings.stats import Estimate, difference
from huitou.findings.wording import count, day_en, day_zh, pct, pct0, points, span
from huitou.metrics.model import Cell

CODE = "inquiry_conversion.gap"


def estimate(cell: Cell) -> Estimate:
    """A metric's cell as an estimate."""
    value = cell.value or 0.0
    return Estimate(value, value if cell.low is None else cell.low, value if cell.high is None else cell.high, cell.n)


def gap(case: Case) -> Finding | None:
    """Fewer inquirers order than the goal asks for."""
    if not case.has("inquiries", "orders") or (missed := case.missed("inquiry_conversion")) is None:
        return None
    cell, goal = missed
    e = estimate(cell)
    short = Estimate((goal.value - e.value) * e.n, (goal.value - e.high) * e.n, (goal.value - e.low) * e.n, e.n)
    worth = case.worth()
    money = at_stake(short, worth, case.settings.currency) if worth else None
    ordered = round(e.value * e.n)
    return Finding(
        code=CODE, metric="inquiry_conversion", scope={}, period=case.period,
        value=e.value, low=e.low, high=e.high, n=e.n, unit="share", goal=goal, customers=round(short.value), money=money,
        title_zh=f"询单转化率 {pct(e.value)}，{goal.zh} {pct0(goal.value)}",
        title_en=f"Inquiry conversion is {pct(e.value)}; {goal.en} {pct0(goal.value)}",
        why_zh=f"{count(e.n)} 位到期询单客户里 {count(ordered)} 位下单（{span(e)}），低 {points(goal.value - e.value)} 点，"
        f"合 {count(short.value)} 位客户" + tail_zh(money),
        why_en=f"{count(ordered)} of {count(e.n)} inquirers ordered ({span(e)} %), {points(goal.value - e.value)} points below, "
        f"which is {count(short.value)} customers" + tail_en(money),
        causes=_reasons(case), evidence=_typical(case), counter_zh="", counter_en="",
        remedies=(
            Remedy("先做下面包含在这一件里的几件；一个月后用同样的口径再量一次。",
                   "Start with the findings that are part of this one; measure again in a month, the same way.", "owner"),
        ),
    )  # fmt: skip


def _reasons(case: Case) -> tuple[Cause, ...]:
    """The most frequent reasons for which inquiries were lost, as far as the chats tell."""
    if not case.has("inquiry_reasons") or case.lost.is_empty():
        return ()
    told = case.lost.filter(pl.col("reason") != SILENT)
    by = told["reason"].value_counts(sort=True).sort("count", "reason", descending=[True, False])
    leaves = {code: case.leaf("loss", code) for code in by["reason"]}
    return tuple(
        Cause(code, f"{leaves[code].zh}：没下单的客户里 {count(k)} 位", f"{leaves[code].en}: {count(k)} without an order",
              k / case.lost.height, k)
        for code, k in by.head(4).iter_rows() if k >= LEAST
    )  # fmt: skip


def _typical(case: Case) -> tuple[Evidence, ...]:
    """One lost chat for the most frequent reason, the plainest."""
    causes = _reasons(case)
    code = causes[0].code if causes else ""
    return evidence.of_chats(case, plainest(case, code).head(1)).get(code, ()) if causes else ()


def plainest(case: Case, code: str) -> pl.DataFrame:
    """The lost chats of a reason, first those with most evidence and certainty, the earliest of equals."""
    told = case.lost.filter(pl.col("reason") == code).with_columns(shown=pl.col("evidence").list.len().clip(0, 3))
    keys = ["shown", "certainty", "asked_at", "customer_key"]
    return told.sort(keys, descending=[True, True, False, False])


def decline(case: Case) -> Finding | None:
    """Conversion of the last four weeks is below that of the first four of the last 13."""
    if not case.has("inquiries", "orders") or case.stretches is None:
        return None
    then, now = case.stretches
    before, after = case.cell("inquiry_conversion", then), case.cell("inquiry_conversion", now)
    if before is None or after is None or min(before.n, after.n) < LEAST:
        return None
    a, b = estimate(after), estimate(before)
    drop = difference(b, a)
    if drop.low <= 0:
        return None
    goal = Goal("inquiry_conversion", b.value, "history", f"本店{_days_zh(then)}", f"own {_days_en(then)}", OWN_DATA)
    short = drop.times(a.n)
    worth = case.worth(case.mature(now))
    causes = tuple(c for dim in ("product_key", "agent_key") for c in _mix(case, dim, b.value - a.value))
    return Finding(
        code="inquiry_conversion.decline", metric="inquiry_conversion", scope={}, period=now,
        value=a.value, low=a.low, high=a.high, n=a.n, unit="share", goal=goal, customers=round(short.value),
        money=at_stake(short, worth, case.settings.currency) if worth else None,
        title_zh=f"询单转化率从 {pct(b.value)} 降到 {pct(a.value)}",
        title_en=f"Inquiry conversion fell from {pct(b.value)} to {pct(a.value)}",
        why_zh=f"{_days_zh(then)} {pct(b.value)}，{_days_zh(now)} {pct(a.value)}，低 {points(drop.value)} 点（{span(drop)}）。"
        + "".join(c.zh + "。" for c in causes[:1]),
        why_en=f"{pct(b.value)} on {_days_en(then)}, {pct(a.value)} on {_days_en(now)}: "
        f"{points(drop.value)} points lower ({span(drop)}). "
        + "".join(c.en + "." for c in causes[:1]),
        causes=causes, evidence=(), counter_zh="", counter_en="", part_of=CODE,
        remedies=(Remedy("先看占比变大的商品和客服，再看同期的活动和差评。",
                         "Look first at the products and agents whose share grew, then at campaigns and bad reviews.",
                         "owner"),),
    )  # fmt: skip


def _mix(case: Case, dimension: str, drop: float) -> list[Cause]:
    """The part of the drop that comes from more inquiries going where few order (Kitagawa's mix effect), and where."""
    if case.stretches is None:
        return []
    then, now = (
        case.count(case.mature(s), dimension).group_by(dimension).agg(pl.col("n").sum(), pl.col("ordered").sum())
        for s in case.stretches
    )
    both = then.join(now, on=dimension, how="full", coalesce=True, suffix="_now", nulls_equal=True).fill_null(0)
    rate = pl.mean_horizontal(
        *(pl.when(pl.col(n) > 0).then(pl.col(k) / pl.col(n)) for n, k in (("n", "ordered"), ("n_now", "ordered_now")))
    )
    grown = pl.col("n_now") / pl.col("n_now").sum() - pl.col("n") / pl.col("n").sum()
    table = both.with_columns(effect=grown * (rate - pl.col("ordered").sum() / pl.col("n").sum())).sort("effect", dimension)
    share = -float(table["effect"].sum()) / drop
    if share < 0.1 or table.is_empty():
        return []
    top = table.row(0, named=True)
    names = case.products if dimension == "product_key" else case.agents
    name = names.get(top[dimension], "?")
    what_zh, what_en = (
        ("商品构成", "The mix of products") if dimension == "product_key" else ("接待的人的构成", "The mix of agents")
    )
    was, is_ = count(top["n"]), count(top["n_now"])
    zh = f"{what_zh}的变化解释了降幅的 {pct0(share)}，变化最大的是{name}：同期询单从 {was} 位到 {is_} 位"
    en = f"{what_en} explains {pct0(share)} of the drop, most of all {name}: from {was} to {is_} inquirers"
    return [Cause(f"mix.{dimension.removesuffix('_key')}", zh, en, min(share, 1.0), int(top["n_now"]))]


def _days_zh(stretch: tuple[date, date]) -> str:
    return f"{day_zh(stretch[0])}–{day_zh(stretch[1])}"


def _days_en(stretch: tuple[date, date]) -> str:
    return f"{day_en(stretch[0])}–{day_en(stretch[1])}"
