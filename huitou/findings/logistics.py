"""Slow parcels: a province and courier whose parcels take clearly longer than the rest's, with what reviews say of it."""

from typing import Any

import polars as pl

from huitou.findings import evidence
from huitou.findings.case import LEAST, Case
from huitou.findings.model import Cause, Evidence, Finding, Goal, Remedy, Row
from huitou.findings.reasons import says
from huitou.findings.stats import Estimate, difference, mean, share, z_for
from huitou.findings.wording import count, list_en, list_zh, pct0, span

DAY_S = 86_400
MARGIN = 0.25
HALF_DAY = 0.5


def slow_lines(case: Case) -> Finding | None:
    """Province × courier lines whose time from payment to receipt is at least a quarter longer than the rest's."""
    if not case.has("order_facts"):
        return None
    t = case.during("order_facts")
    known = t.filter(t.delivery_s.notnull(), t.courier.notnull(), t.region.notnull())
    days = known.delivery_s / DAY_S
    sums = known.group_by("region", "courier").aggregate(n=known.count(), total=days.sum(), squares=(days * days).sum())
    by = case.frame(sums).sort("region", "courier")
    if by["n"].sum() < LEAST or by.height < 2:
        return None
    rows = compare(by)
    slow = sorted((k for k, (_, _, flagged) in rows.items() if flagged), key=lambda k: -rows[k][0].n)
    if not slow:
        case.fine.append("delivery_days")
        return None
    own = _pooled(by.filter(_line().is_in([f"{r}|{c}" for r, c in slow])))
    rest = rows[slow[0]][1]
    goal = Goal("delivery_days", rest.value, "peers", "其余线路", "other lines", "the shop's own data")
    names = [f"{region}·{courier}" for region, courier in slow]
    names_en = [f"{region} by {courier}" for region, courier in slow]
    said = _reviews(case, slow)
    return Finding(
        code="logistics.slow_line", metric="delivery_days", scope={"line": names[0]}, period=case.period,
        value=own.value, low=own.low, high=own.high, n=own.n, unit="days", goal=goal, customers=own.n, money=None,
        title_zh=f"{list_zh(names, 2)}送达 {own.value:.1f} 天，其余 {rest.value:.1f} 天",
        title_en=f"{list_en(names_en, 2)} takes {own.value:.1f} days, other lines {rest.value:.1f}",
        why_zh=f"{count(own.n)} 单从付款到确认收货平均 {own.value:.1f} 天（{span(own, 1.0)}），"
        f"慢 {own.value - rest.value:.1f} 天。"
        + "".join(c.zh + "。" for c in said[0]),
        why_en=f"{count(own.n)} orders took {own.value:.1f} days from payment to receipt ({span(own, 1.0)}), "
        f"{own.value - rest.value:.1f} more. "
        + "".join(c.en + "." for c in said[0]),
        causes=said[0], evidence=said[1], counter_zh="", counter_en="",
        remedies=(Remedy("这条线路换一家快递；换之前在下单页写明到货天数，超期的包裹每天查一次。",
                         "Use another courier on this line; until then state the days on the page and check late parcels daily.",
                         "logistics"),),
        rows=_rows(rows, slow),
    )  # fmt: skip


def compare(by: pl.DataFrame) -> dict[tuple[str, str], tuple[Estimate, Estimate, bool]]:
    """Per line with enough orders: own mean days, the rest's without lines already found slow, clearly slower or not."""
    judged = by.filter(pl.col("n") >= LEAST)
    z, slow = z_for(judged.height), set[tuple[str, str]]()
    rows: dict[tuple[str, str], tuple[Estimate, Estimate, bool]] = {}
    for _ in range(by.height + 1):
        rows = {}
        for line in judged.iter_rows(named=True):
            key = (line["region"], line["courier"])
            out = slow | {key}
            rest = by.filter(~_line().is_in([f"{r}|{c}" for r, c in out]))
            if rest["n"].sum() < LEAST:
                continue
            own, other = mean(line["total"], line["squares"], line["n"]), _pooled(rest)
            d = difference(own, other, z)
            rows[key] = own, other, d.low > 0 and d.value >= max(MARGIN * other.value, HALF_DAY)
        found = {k for k, r in rows.items() if r[2]}
        if found <= slow:
            break
        slow |= found
    return rows


def _line() -> pl.Expr:
    return pl.concat_str("region", pl.lit("|"), "courier")


def _pooled(by: pl.DataFrame) -> Estimate:
    return mean(float(by["total"].sum()), float(by["squares"].sum()), int(by["n"].sum()))


def _rows(rows: dict[tuple[str, str], tuple[Estimate, Estimate, bool]], slow: list[tuple[str, str]]) -> tuple[Row, ...]:
    order = [*slow, *sorted((k for k in rows if k not in slow), key=lambda k: (-rows[k][0].n, k))][:10]
    return tuple(Row(f"{k[0]}·{k[1]}", rows[k][0].value, rows[k][0].low, rows[k][0].high, rows[k][0].n, k in slow) for k in order)


def _reviews(case: Case, slow: list[tuple[str, str]]) -> tuple[tuple[Cause, ...], tuple[Evidence, ...]]:
    """Whether reviews of these orders complain of the courier more often, and two of them."""
    if not case.has("reviews"):
        return _named(case, slow)
    r, o = case.during("reviews"), case.snapshot.table("order_facts")
    joined: Any = r.filter(r.order_key.notnull()).inner_join(o.select("order_key", "region", "courier"), "order_key")
    frame = case.frame(joined.select("customer_key", "row_key", "day", "text", "region", "courier"))
    if frame.is_empty():
        return _named(case, slow)
    cue = next(c for c in case.cues.complaint if c.code == "logistics")
    lines = [f"{a}|{b}" for a, b in slow]
    frame = frame.with_columns(slow=_line().is_in(lines).fill_null(False), says=says(pl.col("text"), cue))
    sums = dict(frame.group_by("slow").agg(pl.struct(pl.col("says").sum().alias("k"), pl.len().alias("n"))).iter_rows())
    own, rest = sums.get(True), sums.get(False)
    if not own or not rest or not own["k"]:
        return (), ()
    a, b = share(own["k"], own["n"]), share(rest["k"], rest["n"])
    told = frame.filter(pl.col("slow") & pl.col("says")).sort("day", "row_key", descending=[True, False]).head(2)
    proof = tuple(
        evidence.review(row, cue.cues, zh="这条线路的评价", en="a review of this line") for row in told.iter_rows(named=True)
    )
    if difference(a, b).low <= 0:
        return (), proof
    zh = f"评价里 {pct0(a.value)} 说快递慢，其余线路 {pct0(b.value)}"
    en = f"{pct0(a.value)} of its reviews call the courier slow, {pct0(b.value)} elsewhere"
    return (Cause("logistics", zh, en, a.value, own["k"]),), proof


def _named(case: Case, slow: list[tuple[str, str]]) -> tuple[tuple[Cause, ...], tuple[Evidence, ...]]:
    """Without reviews that name their order: reviews that call the slow courier slow by name."""
    if not case.has("reviews"):
        return (), ()
    cue = next(c for c in case.cues.complaint if c.code == "logistics")
    couriers = sorted({courier for _, courier in slow})
    r = case.during("reviews")
    told = case.frame(r.filter(r.text.re_search("|".join(couriers))).select("customer_key", "row_key", "day", "text"))
    told = told.filter(says(pl.col("text"), cue) | pl.col("text").str.contains("慢")).sort(
        "day", "row_key", descending=[True, False]
    )
    if told.is_empty():
        return (), ()
    proof = tuple(
        evidence.review(row, (*cue.cues, *couriers), zh="点名的评价", en="a review that names the courier")
        for row in told.head(2).iter_rows(named=True)
    )
    zh = f"{count(told.height)} 条评价点名说{'、'.join(couriers)}慢"
    return (Cause("logistics", zh, f"{count(told.height)} reviews call {', '.join(couriers)} slow", None, told.height),), proof
